"""What a client has with one server: it is kept told of the client's entries, and tells of the lists it watches."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway.model.errors import RpcError
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer
from registry.simple.contract import Listener, Record, ServiceList, SimpleRegistryService, Standing
from registry.simple.digest import Digest
from registry.simple.entry import Entry, Identity
from registry.upkeep import Upkeep

__all__ = ["Session", "SessionOwner"]

_LOG: Final = logging.getLogger("polyport.registry")
_FIRST_BACK_OFF_S: Final = 0.1
_LONGEST_BACK_OFF_S: Final = 1.0
_BEATS: Final = 3
"""Heartbeats in a lease."""
_PAGE: Final = 1_000
"""Interfaces watched with one call."""
_SAME_TROUBLE_S: Final = 30.0


class SessionOwner(Protocol):
    """Whom a session tells what it learns."""

    def found(self, session: Session) -> None:
        """The server can be asked; lists follow."""
        ...

    def lost(self, session: Session) -> None:
        """It cannot be asked, or not any more."""
        ...

    def overruled(self, entries: Sequence[Entry]) -> None:
        """Somebody else has taken these back, so they must be announced with a higher number."""
        ...

    def told(self, session: Session, lists: Sequence[ServiceList]) -> None:
        """What the server says of these interfaces now."""
        ...


@dataclass(slots=True)
class _Batch:
    """Entries that leave with the next call."""

    task: asyncio.Task[None]
    records: list[Record] = field(default_factory=list)


class Session:
    """Life: construct, `start`, `aclose`. `server`: its address. `offer`: see `RegistryHost.offer`.

    Attributes:
        upkeep: The entries the server is to have.
        is_online: Whether the server can be asked; None before the first attempt.
    """

    def __init__(
        self,
        server: str,
        identity: Identity,
        remote: SimpleRegistryService,
        owner: SessionOwner,
        offer: Callable[[Listener, Callable[[str], None]], Listener] | None = None,
    ) -> None:
        self.server: Final = server
        self.remote: Final = remote
        self.upkeep: Final[Upkeep[str, Entry]] = Upkeep(f"simple at {server}", self._announce, self._withdraw)
        self.is_online: bool | None = None
        self._identity = identity
        self._owner = owner
        self._listener = _Listener(self)
        self._offer = offer
        self._offered: Listener = self._listener
        self._watched: set[str] = set()
        self._watching: set[str] = set()
        """What the server tells us of."""
        self._told: dict[str, int] = {}
        """What the server has for all we know, by key: sequence numbers."""
        self._digest = Digest()
        self._telling = asyncio.Lock()
        """A heartbeat must not cross with entries on their way: its digest would be wrong."""
        self._batch: _Batch | None = None
        self._wake = asyncio.Event()
        self._broken = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._troubles = OncePer(_SAME_TROUBLE_S)

    def start(self) -> None:
        """Begins to look for the server."""
        self.upkeep.start()
        self._tasks.append(asyncio.create_task(self._run(), name=f"registry server {self.server}"))

    async def aclose(self, wait_s: float) -> None:
        """Withdraws what is announced, for at most `wait_s`."""
        await self.upkeep.aclose(wait_s if self.is_online else 0.0)
        tasks, self._tasks = self._tasks, []
        if self._batch is not None:
            tasks.append(self._batch.task)
        for each in tasks:
            each.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def watch(self, interface: str) -> None:
        """Wants lists of this interface."""
        self._watched.add(interface)
        self._wake.set()

    def unwatch(self, interface: str) -> None:
        """Wants them no more."""
        self._watched.discard(interface)
        self._wake.set()

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                await self._come_up()
                failures = 0
                await self._stay()
            except Exception as exc:  # Whatever the server answers, it is asked again.
                self._note(exc)
            self._go_down()
            failures += 1
            delay = min(_LONGEST_BACK_OFF_S, _FIRST_BACK_OFF_S * 2.0 ** min(failures - 1, 10))
            await asyncio.sleep(min(delay, self._identity.lease_s / 4) * (0.5 + random.random() / 2))

    def _note(self, exc: Exception) -> None:
        if (held_back := self._troubles.admit(type(exc).__name__)) is not None:
            _LOG.warning(
                "registry server %s: asking again (%d more since the last line): %s",
                self.server,
                held_back,
                shorten(f"{type(exc).__name__}: {exc}"),
                extra={"registry": self.server},
                exc_info=None if isinstance(exc, RpcError | _Broken) else exc,
            )

    async def _come_up(self) -> None:
        self._broken = ""
        await self._beat()
        if self._offer is not None:
            self._offered = self._offer(self._listener, self._listener.lost)
        if self.is_online is False:
            _LOG.info("registry server %s can be asked again", self.server, extra={"registry": self.server})
        self.is_online = True
        self._owner.found(self)
        self._watching.clear()
        # Without anything to watch as well: the connection says at once when the server is gone.
        await self.remote.watch(self._identity.name, [], self._offered)
        await self._change_watches()
        self.upkeep.resume()

    async def _stay(self) -> None:
        loop = asyncio.get_running_loop()
        next_beat = loop.time() + self._identity.lease_s / _BEATS
        while True:
            try:
                async with asyncio.timeout_at(next_beat):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            # Also when there was something else to do at that moment.
            if loop.time() >= next_beat:
                next_beat = loop.time() + self._identity.lease_s / _BEATS
                standing = await self._beat()
                if standing.watching != len(self._watching):
                    raise _Broken("it does not tell us any more what we watch")
            if self._broken:
                raise _Broken(self._broken)
            await self._change_watches()

    def _go_down(self) -> None:
        self.upkeep.suspend()
        if self.is_online is not False:
            self.is_online = False
            self._owner.lost(self)

    async def _change_watches(self) -> None:
        if dropped := list(self._watching - self._watched):
            self._watching.difference_update(dropped)
            await self.remote.unwatch(self._identity.name, dropped)
        while wanted := [each for each, _ in zip(self._watched - self._watching, range(_PAGE), strict=False)]:
            self._watching.update(wanted)
            await self.remote.watch(self._identity.name, wanted, self._offered)

    async def _beat(self) -> Standing:
        async with self._telling:
            standing = await self.remote.heartbeat(self._identity.lease(), self._digest.text)
            if not standing.knows:
                await self._reconcile(await self.remote.held(self._identity.name))
        return standing

    async def _reconcile(self, held: list[Record]) -> None:
        """Makes up the difference between what the server has and what it is to have."""
        self._told.clear()
        self._digest = Digest()
        for each in held:
            self._note_told(each)
        wanted = {each.key: each for each in self.upkeep.wanted}
        there = {each.key: each for each in held}
        overruled = []
        for key, entry in wanted.items():
            if key in there and there[key].sequence > entry.sequence:
                overruled.append(entry)
            elif self._told.get(key) != entry.sequence:
                self.upkeep.lost(key)
        if overruled:
            self._owner.overruled(overruled)
        if extra := [self._identity.gone(each) for each in held if each.gone_ms < 0 and each.key not in wanted]:
            await self._send(extra)

    async def _announce(self, entry: Entry, _: Sequence[Entry]) -> None:
        # A former one of the same key is replaced by it.
        await self._tell(self._identity.record(entry))

    async def _withdraw(self, entries: Sequence[Entry]) -> None:
        await self._tell(self._identity.gone(entries[-1]))

    async def _tell(self, record: Record) -> None:
        """Tells the server together with what else is to be told in this turn of the loop."""
        batch = self._batch
        if batch is None:
            batch = self._batch = _Batch(asyncio.create_task(self._send_batch()))
            batch.task.add_done_callback(_retrieve)
        batch.records.append(record)
        await asyncio.shield(batch.task)

    async def _send_batch(self) -> None:
        await asyncio.sleep(0)
        batch, self._batch = self._batch, None
        assert batch is not None
        async with self._telling:
            await self._send(batch.records)

    async def _send(self, records: list[Record]) -> None:
        await self.remote.announce(self._identity.lease(), records)
        for each in records:
            self._note_told(each)

    def _note_told(self, record: Record) -> None:
        before = self._told.pop(record.key, None)
        if before is not None:
            self._digest.discard(record.client, record.key, before)
        if record.gone_ms < 0:
            self._told[record.key] = record.sequence
            self._digest.add(record.client, record.key, record.sequence)

    def heard(self, lists: Sequence[ServiceList]) -> None:
        """What the listener was told."""
        if self.is_online:
            self._owner.told(self, [each for each in lists if each.interface_name in self._watched])

    def cut(self, why: str) -> None:
        """The connection of the listener is gone."""
        self._broken = why
        self._wake.set()


class _Broken(Exception):
    """The server is to be asked anew."""


class _Listener:
    """Implements `registry.simple.contract.Listener`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def changed(self, lists: list[ServiceList]) -> None:
        """See the contract."""
        self._session.heard(lists)

    def lost(self, why: str) -> None:
        """The connection is gone."""
        self._session.cut(why)


def _retrieve(task: asyncio.Task[None]) -> None:
    # All who waited may have been cancelled.
    if not task.cancelled():
        task.exception()
