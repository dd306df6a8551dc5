"""What a registry needs that is made of our own wires: a listener and clients, without knowing any wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar, runtime_checkable

__all__ = ["MESSAGE_BYTES", "HostedRegistry", "RegistryClient", "RegistryHost", "RegistryServer"]

MESSAGE_BYTES: Final = 33_554_432
"""Whole lists are longer than ordinary calls."""
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class RegistryServer(Protocol):
    """A service that is up.

    Attributes:
        address: `host:port` as really bound.
    """

    address: str

    async def aclose(self) -> None:
        """Stops listening and closes all connections."""
        ...


class RegistryClient(Protocol[_T_co]):
    """A client of one server. Connects with the first call, and again whenever one needs it.

    Attributes:
        proxy: An object with the methods of the contract.
    """

    @property
    def proxy(self) -> _T_co: ...  # noqa: D102 - see the class

    async def aclose(self) -> None:
        """Closes the connections; calls in progress fail."""
        ...


class RegistryHost(Protocol):
    """Given to registries by whoever runs them. Calls belong to one event loop.

    Attributes:
        application: The name of this process, as peers see it.
        may_serve: Whether registries are to be servers where they are written so. Not in a tool that looks into the
            registry of a gateway that runs: it asks what that one serves.
    """

    application: str
    may_serve: bool

    async def serve(
        self, address: tuple[str, int], services: Sequence[tuple[Callable[..., object], object]], token: str
    ) -> RegistryServer:
        """Shows services, each with contract and implementation, at an address (port 0 lets the system choose).

        `token`: what callers must show, or empty.

        Raises:
            OSError: the address cannot be bound.
        """
        ...

    def connect(
        self,
        address: tuple[str, int],
        contract: Callable[..., _T],
        token: str,
        timeout_s: float,
        quiet_s: float,
        *,
        group: str = "",
        version: str = "",
        message_bytes: int = MESSAGE_BYTES,
        is_logged: bool = True,
    ) -> RegistryClient[_T]:
        """A client of such a service. `timeout_s`: of a call, the connection included. `quiet_s`: after so long without
        a byte the server is asked whether it is there. `message_bytes`: the longest message that is taken, and what
        bounds its elements. `is_logged`: whether trouble with the connection is logged beside being raised; not where
        clients are made for one call, again and again."""
        ...

    def offer(self, listener: _T, lost: Callable[[str], None]) -> _T:
        """What to give to a client's call in place of a callback, to be told (with a reason) when the connection is
        gone over which it was offered."""
        ...


@runtime_checkable
class HostedRegistry(Protocol):
    """A registry that needs a host. Whoever makes registries asks for this with `isinstance`."""

    def hosted_by(self, host: RegistryHost) -> None:
        """Called once, before `Registry.start`."""
        ...
