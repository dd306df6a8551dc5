"""What a registry knows of one service, handed to any number of watchers. Always the whole, never a change of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import replace

from gateway.model.endpoint import Endpoint, Identity, ServiceKey
from gateway.spi.registry import Freshness, Snapshot

__all__ = ["Feed"]


class Feed:
    """Belongs to one event loop. Slow watchers miss what came in between, but nobody who withdrew by its own word.

    Attributes:
        current: What is known now; `UNKNOWN` until `publish` is called for the first time.
    """

    def __init__(self, service: ServiceKey) -> None:
        self.current = Snapshot(service, (), Freshness.UNKNOWN)
        self._readers: set[_Reader] = set()
        self._closed = False

    @property
    def is_watched(self) -> bool:
        """Whether anybody is there to be told."""
        return bool(self._readers)

    def publish(
        self,
        endpoints: Sequence[Endpoint],
        *,
        withdrawn: Iterable[Identity] = (),
        routers: Sequence[str] = (),
        configurators: Sequence[str] = (),
    ) -> None:
        """The registry says so now."""
        service = self.current.service
        self._show(
            Snapshot(
                service, tuple(endpoints), Freshness.FRESH, routers=tuple(routers), configurators=tuple(configurators)
            ),
            frozenset(withdrawn),
        )

    def lose(self) -> None:
        """The registry cannot be asked: what it said last may be out of date."""
        if self.current.freshness is Freshness.FRESH:
            self._show(replace(self.current, freshness=Freshness.STALE), frozenset())

    def _show(self, snapshot: Snapshot, withdrawn: frozenset[Identity]) -> None:
        if snapshot == self.current and not withdrawn:
            return
        self.current = snapshot
        present = {each.identity for each in snapshot.endpoints} if withdrawn else frozenset()
        for reader in self._readers:
            reader.withdrawn = (reader.withdrawn | withdrawn) - present if withdrawn else reader.withdrawn
            reader.changed.set()

    async def watch(self) -> AsyncGenerator[Snapshot, None]:
        """See `Registry.watch`."""
        reader = _Reader()
        self._readers.add(reader)
        shown: Snapshot | None = None
        try:
            while not self._closed:
                # Cleared before looking: a change during the `yield` is found by the next turn.
                reader.changed.clear()
                withdrawn, reader.withdrawn = reader.withdrawn, frozenset()
                if withdrawn:
                    # Of somebody who came and went in between nothing need be told.
                    withdrawn &= {each.identity for each in shown.endpoints} if shown is not None else frozenset()
                if self.current != shown or withdrawn:
                    shown = self.current
                    yield replace(shown, withdrawn=withdrawn) if withdrawn else shown
                await reader.changed.wait()
        finally:
            self._readers.discard(reader)

    def close(self) -> None:
        """Ends all watches."""
        self._closed = True
        for reader in self._readers:
            reader.changed.set()


class _Reader:
    """One watch. `withdrawn`: who went by their own word and has not been shown as such."""

    __slots__ = ("changed", "withdrawn")

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.withdrawn: frozenset[Identity] = frozenset()
