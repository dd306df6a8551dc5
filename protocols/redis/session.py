"""What a caller said of itself on one connection, as `CLIENT`, `HELLO` and `AUTH` keep it."""

from __future__ import annotations

from enum import Enum
from typing import Final

from gateway.model.call import Peer

__all__ = ["ReplyMode", "Session"]


class ReplyMode(Enum):
    """Which answers a caller wants to have (`CLIENT REPLY`)."""

    ON = "on"
    OFF = "off"
    SKIP = "skip"
    """None for the next command."""


class Session:
    """One connection. `id`: its number. `is_known`: it showed credentials, or none are asked for.

    Attributes:
        proto: Version of RESP.
        user: Name of the credential that was shown, else `default`.
        name: As `CLIENT SETNAME` gave it.
        wants_more: It said by `CLIENT CAPA polyport` that it understands what only other gateways do.
        queued: Commands behind `MULTI`; None outside. `is_spoilt`: one of them was refused.
        queued_bytes: Of their arguments, with what keeping them takes.
    """

    __slots__ = (
        "db", "id", "is_known", "is_spoilt", "lib_name", "lib_version", "name", "peer", "proto", "queued",
        "queued_bytes", "reply_mode", "user", "wants_more",
    )  # fmt: skip

    def __init__(self, id: int, peer: Peer, is_known: bool) -> None:
        self.id: Final = id
        self.peer: Final = peer
        self.lib_name = b""
        self.lib_version = b""
        self.begin(is_known)

    def begin(self, is_known: bool) -> None:
        """As it is at first, and after `RESET`."""
        self.is_known = is_known
        self.proto = 2
        self.user = "default"
        self.name = b""
        self.db = 0
        self.reply_mode = ReplyMode.ON
        self.wants_more = False
        self.queued: list[list[bytes]] | None = None
        self.queued_bytes = 0
        self.is_spoilt = False

    def discard(self) -> None:
        """Ends what `MULTI` began."""
        self.queued = None
        self.queued_bytes = 0
        self.is_spoilt = False

    @property
    def is_plain(self) -> bool:
        """Whether commands run and are answered as soon as they come."""
        return self.is_known and self.queued is None and self.reply_mode is ReplyMode.ON

    @property
    def consumer(self) -> str:
        """Who calls, where the call does not say."""
        if self.name:
            return self.name.decode("utf-8", "replace")
        return "" if self.user == "default" else self.user
