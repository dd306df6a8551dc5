"""Which applications provide an interface, watched for one service, and what they provide of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from gateway.model.errors import RegistryError
from registry.instance import Instance, is_name, read_mapping
from registry.metadata import Offer
from registry.zookeeper.application import Application, Applications
from registry.zookeeper.looking import complain

__all__ = ["Mapped"]

_AGAIN_S: Final = 10.0


class Mapped:
    """Belongs to one event loop. Life: construct, `start`, `look` whenever `moved` was called, `close`.

    `moved`: the mapping may have changed, or has to be read again. `changed`: what `offers` gives may have changed.
    """

    def __init__(
        self, interface: str, applications: Applications, moved: Callable[[], None], changed: Callable[[], None]
    ) -> None:
        self._interface = interface
        self._applications = applications
        self._session = applications.session
        # An interface of ours may be called like no node can.
        self._path = applications.paths.mapping(interface) if is_name(interface) else ""
        self._moved = moved
        self._changed = changed
        self._held: dict[str, Application] = {}
        self._again: asyncio.TimerHandle | None = None

    @property
    def is_listed(self) -> bool:
        """Whether the instances of all applications are known as they are now."""
        return all(each.is_listed for each in self._held.values())

    @property
    def is_settled(self) -> bool:
        """See `Application.is_settled`."""
        return all(each.is_settled for each in self._held.values())

    def offers(self) -> Iterator[tuple[Instance, Offer]]:
        """Who provides the interface; in every group and version."""
        for each in self._held.values():
            yield from each.offers(self._interface)

    def start(self) -> None:
        """Begins."""
        if self._path:
            self._session.subscribe(self._path, self._moved)

    async def look(self) -> None:
        """Reads which applications there are.

        Raises:
            RegistryError: the connection is lost.
        """
        if not self._path:
            return
        try:
            data = await self._session.data(self._path, watch=True)
            names = read_mapping(data) if data is not None else []
        except (RegistryError, ValueError) as exc:
            if not self._session.is_connected:
                raise
            # What is registered by interface must not suffer from it.
            complain(self._applications.skips, self._path, type(exc).__name__, f"cannot be used: {exc}")
            if isinstance(exc, RegistryError):
                self._cancel()
                self._again = asyncio.get_running_loop().call_later(_AGAIN_S, self._moved)
            return
        for name in names:
            if name not in self._held:
                self._held[name] = self._applications.acquire(name, self._changed)
        for name in [each for each in self._held if each not in names]:
            self._release(name)

    def close(self) -> None:
        """Ends it."""
        if self._path:
            self._session.unsubscribe(self._path, self._moved)
        self._cancel()
        for name in tuple(self._held):
            self._release(name)

    def _release(self, name: str) -> None:
        del self._held[name]
        self._applications.release(name, self._changed)

    def _cancel(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
