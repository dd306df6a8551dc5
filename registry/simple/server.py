"""One server of a simple registry: a table, and whoever watches it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Final

from gateway.model.errors import BadRequest, Overloaded, RpcError
from gateway.telemetry.logs import shorten
from registry.simple.contract import Changes, Lease, Listener, Merged, Record, ServiceList, Standing
from registry.simple.table import Table

__all__ = ["SimpleServer"]

_LOG: Final = logging.getLogger("polyport.registry")
_TICK_S: Final = 0.1
"""How often leases are looked at."""
_GATHER_S: Final = 0.01
"""How long changes are gathered before watchers are told: providers seldom come alone."""
_PAGE: Final = 200
"""Records told at a time, more only where one interface has more: reading them takes a client some 10 ms."""
_LONGEST_POLL_S: Final = 10.0
_MAX_CLIENT_DIGITS: Final = 64


class SimpleServer:
    """Implements `registry.simple.contract.SimpleRegistryService`. Life: construct, `start`, `aclose`."""

    def __init__(self, table: Table | None = None) -> None:
        self.table: Final = table or Table()
        self._watchers: dict[str, _Watcher] = {}
        self._by_interface: dict[str, set[_Watcher]] = {}
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look at leases."""
        self._keeper = asyncio.create_task(self._keep(), name="leases of a simple registry")

    async def aclose(self) -> None:
        """Tells nobody anything any more."""
        tasks = [each.task for each in self._watchers.values()]
        if self._keeper is not None:
            tasks.append(self._keeper)
        for each in tasks:
            each.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._watchers.clear()
        self._by_interface.clear()
        self._wake()

    async def heartbeat(self, lease: Lease, digest: str) -> Standing:
        """See the contract."""
        table = self.table
        table.renew(lease)
        watcher = self._watchers.get(lease.client)
        return Standing(
            table.instance,
            table.knows(lease.client, digest),
            -1 if watcher is None else len(watcher.interfaces),
            table.live.count,
            table.live.text,
            round(time.time() * 1000),
        )

    async def announce(self, lease: Lease, records: list[Record]) -> None:
        """See the contract."""
        self.table.check(lease.client, records)
        self.table.renew(lease)
        for each in records:
            self.table.put(each)
        self._tell()

    async def held(self, client: str) -> list[Record]:
        """See the contract."""
        return self.table.held(client)

    async def watch(self, client: str, interfaces: list[str], listener: Listener) -> None:
        """See the contract."""
        if not self.table.is_there(client):
            raise BadRequest(f"there is no client {shorten(client)} here; it must have sent a heartbeat first")
        watcher = self._watchers.get(client)
        if watcher is not None and watcher.listener != listener:
            self._dismiss(client)
            watcher = None
        if watcher is None:
            watcher = self._watchers[client] = _Watcher(self, client, listener)
        most = self.table.bounds.watched_per_client
        if len(watcher.interfaces.union(interfaces)) > most:
            raise Overloaded(f"a client may watch {most} interfaces here")
        for each in interfaces:
            watcher.interfaces.add(each)
            self._by_interface.setdefault(each, set()).add(watcher)
        watcher.tell(interfaces)

    async def unwatch(self, client: str, interfaces: list[str]) -> None:
        """See the contract."""
        watcher = self._watchers.get(client)
        if watcher is not None:
            self._forget(watcher, interfaces)

    async def changes(self, instance: str, since: int, wait_ms: int) -> Changes:
        """See the contract."""
        table = self.table
        if instance != table.instance:
            since = 0
        elif table.version <= since:
            try:
                async with asyncio.timeout(min(wait_ms / 1000, _LONGEST_POLL_S)):
                    await self._changed.wait()
            except TimeoutError:
                pass
        return table.changes(since, _PAGE)

    async def merge(self, changes: Changes) -> Merged:
        """See the contract."""
        wants_all = self.table.merge(changes)
        self._tell()
        return Merged(self.table.instance, wants_all)

    async def until_changed(self) -> None:
        """Returns when an entry has changed, not for leases alone."""
        await self._changed.wait()

    def lost(self, client: str, watcher: _Watcher) -> None:
        """The watcher cannot be told any more; its client finds that out with its next heartbeat."""
        if self._watchers.get(client) is watcher:
            del self._watchers[client]
        self._forget(watcher, tuple(watcher.interfaces))

    def _dismiss(self, client: str) -> None:
        watcher = self._watchers.pop(client, None)
        if watcher is not None:
            watcher.task.cancel()
            self._forget(watcher, tuple(watcher.interfaces))

    def _forget(self, watcher: _Watcher, interfaces: Iterable[str]) -> None:
        for each in interfaces:
            watcher.interfaces.discard(each)
            watchers = self._by_interface.get(each, set())
            watchers.discard(watcher)
            if not watchers:
                self._by_interface.pop(each, None)

    def _tell(self) -> None:
        touched = self.table.touched
        if not touched:
            return
        for each in touched:
            for watcher in self._by_interface.get(each, ()):
                watcher.tell([each])
        touched.clear()
        self._wake()

    def _wake(self) -> None:
        # Whoever waits has the event that was there when it began.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            try:
                for client in self.table.expire():
                    self._dismiss(client)
                self._tell()
            except Exception:  # Leases must go on ending, whatever one of them does.
                _LOG.exception("the leases of a simple registry could not be looked at")


class _Watcher:
    """Tells one client, one list after the other; what changes meanwhile is told once, as it is by then."""

    def __init__(self, server: SimpleServer, client: str, listener: Listener) -> None:
        self.interfaces: set[str] = set()
        self.listener = listener
        self._server = server
        self._client = client
        self._dirty: dict[str, None] = {}
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._run(), name=f"watcher {client[:_MAX_CLIENT_DIGITS]}")

    def tell(self, interfaces: Iterable[str]) -> None:
        """These have changed."""
        self._dirty.update(dict.fromkeys(interfaces))
        self._news.set()

    async def _run(self) -> None:
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await asyncio.sleep(_GATHER_S)
                while lists := self._page():
                    await self.listener.changed(lists)
        except RpcError as exc:
            _LOG.info("a watcher is told no more: %s", shorten(str(exc)), extra={"client": self._client})
        except Exception:  # The outermost frame of its task.
            _LOG.exception("a watcher cannot be told")
        self._server.lost(self._client, self)

    def _page(self) -> list[ServiceList]:
        lists: list[ServiceList] = []
        count = 0
        while self._dirty and count < _PAGE:
            interface = next(iter(self._dirty))
            del self._dirty[interface]
            if interface in self.interfaces:
                records = self._server.table.records(interface)
                count += len(records) + 1
                lists.append(ServiceList(interface, records))
        return lists
