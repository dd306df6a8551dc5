"""What registries show people of this process as a consumer: who calls what, and over which protocol at present."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from gateway.model.consumer import Consumer
from gateway.routing.directory import Directory
from gateway.routing.selection import Selector, narrowed
from gateway.runtime.side_by_side import side_by_side
from gateway.spi.registry_ability import ConsumerRegistry

__all__ = ["ConsumerEntries", "ConsumerEntry"]

_LOG: Final = logging.getLogger("polyport.app")
_REST_S: Final = 5.0
"""Between two changes of entries. Providers that come and go must not keep the registries busy with what only people
read."""


@dataclass(frozen=True, slots=True)
class ConsumerEntry:
    """One service that this process calls, as one registry shows it. `registry`: its name in the configuration.
    `service`: that of the reference. `consumer`: without a protocol."""

    registry: str
    service: str
    consumer: Consumer


class ConsumerEntries:
    """Belongs to one event loop. Life: construct, `start`, `settle`.

    `registries`, `directories`: by name; those that show no consumers are left alone. `name`: under which the calls of
    this process are made, which decides their protocol. `sleep`: for tests.
    """

    def __init__(
        self,
        entries: Sequence[ConsumerEntry],
        registries: Mapping[str, object],
        directories: Mapping[str, Directory],
        selector: Selector,
        name: str,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        found = {each.registry: registries[each.registry] for each in entries}
        self._registries = {name: each for name, each in found.items() if isinstance(each, ConsumerRegistry)}
        self._entries: dict[str, list[ConsumerEntry]] = {}
        """By service."""
        for each in entries:
            if each.registry in self._registries:
                self._entries.setdefault(each.service, []).append(each)
        self._directories = directories
        self._selector = selector
        self._name = name
        self._sleep = sleep
        self._shown: dict[ConsumerEntry, Consumer] = {}
        self._dirty: dict[str, None] = {}
        """Services to look at, in order."""
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Shows them all, and follows what changes. Raises what a registry raises."""
        await side_by_side(self._show(each) for entries in self._entries.values() for each in entries)
        if self._entries:
            self._selector.on_swap(partial(self._mark, *self._entries))
            for service in self._entries:
                self._directories[service].on_change(partial(self._mark, service))
            # What changed meanwhile.
            self._mark(*self._entries)
            self._following = asyncio.create_task(self._follow(), name="consumer entries")

    async def settle(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """Follows no more. Gives what withdraws the entries, each with the name of its registry."""
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.wait([following])
        shown, self._shown = self._shown, {}
        return [
            (entry.registry, self._registries[entry.registry].unregister_consumer(consumer))
            for entry, consumer in shown.items()
        ]

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            is_changed = False
            while self._dirty:
                service = next(iter(self._dirty))
                del self._dirty[service]
                for each in self._entries[service]:
                    try:
                        is_changed |= await self._show(each)
                    except Exception as exc:  # Whatever a registry does wrong, calls do not depend on it.
                        _LOG.warning("cannot tell registry %s which protocol is in use: %s", each.registry, exc)
                # There may be thousands of them.
                await asyncio.sleep(0)
            if is_changed:
                await self._sleep(_REST_S)

    def _mark(self, *services: str) -> None:
        self._dirty.update(dict.fromkeys(services))
        self._changed.set()

    async def _show(self, entry: ConsumerEntry) -> bool:
        """False when it is shown so already."""
        consumer = replace(entry.consumer, protocol=self._protocol(entry.service))
        if self._shown.get(entry) == consumer:
            return False
        # Before it is there: whatever becomes of this, it is withdrawn in the end.
        self._shown[entry] = consumer
        await self._registries[entry.registry].register_consumer(consumer)
        return True

    def _protocol(self, service: str) -> str:
        """That of the next call; the preferred one while nobody is there to be called."""
        selection = self._selector.current.services[service]
        order = selection.consumers.get(self._name, selection.default)
        directory = self._directories[service]
        # A table that was swapped may name protocols that no call has asked for yet.
        directory.admit(selection.protocols)
        chosen = narrowed(directory.providers, order).invokers
        return chosen[0].endpoint.protocol if chosen else order.protocols[0]
