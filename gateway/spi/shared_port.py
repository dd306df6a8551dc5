"""Interface of a port on which several listeners are reached: finds out for whom a connection is, and hands it over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.model.recognition import Recognizer
from gateway.spi.adapter import ServerAdapter
from gateway.spi.plugin import Sharing

__all__ = ["PortMember", "SharedPort"]


@dataclass(frozen=True, slots=True)
class PortMember:
    """A listener behind a port. `server`: started, and `gateway.spi.adapter.Adopts`. The rest is its plug-in's."""

    listener: str
    protocol: str
    server: ServerAdapter
    recognize: Recognizer
    sharing: Sharing | None = None


class SharedPort(Protocol):
    """Life: construct, `listen`, `start`, `stop_accepting`, `drain`, `aclose`; `aclose` works at any point."""

    async def listen(self) -> int:
        """Takes the address; gives the port, which the listeners behind it announce. Nothing is accepted yet.

        Raises:
            OSError: the address cannot be bound.
        """
        ...

    async def start(self, members: Sequence[PortMember], text: str) -> None:
        """Begins to accept. `text`: the member that gets text which may be of several; empty where nobody does.

        Raises:
            ValueError: a member cannot take connections, or cannot share them where it would have to.
        """
        ...

    async def stop_accepting(self) -> None:
        """Accepts no more, and hands over what is there already; then the listeners may begin to drain."""
        ...

    async def drain(self, deadline: float) -> None:
        """As `ServerAdapter.drain`, for connections on which several listeners answer; beside their own draining."""
        ...

    async def aclose(self) -> None:
        """Closes the port and connections that nobody has taken. May be called more than once."""
        ...
