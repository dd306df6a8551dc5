"""The request of a case, and how its reply is judged; each wire has its bytes in a module of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.cases import Payload

__all__ = ["Request", "WrongReply"]


class WrongReply(Exception):
    """A server answered something else than what it was sent."""


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request.

    Attributes:
        frame: Its bytes.
        check_reply: Takes a whole reply; raises `WrongReply` unless it is the right one.
        reply: The only reply that is right, byte by byte; empty where there are others.
    """

    frame: bytes
    payload: Payload
    check_reply: Callable[[bytes], None]
    reply: bytes = b""
