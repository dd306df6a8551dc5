"""Keeps one server and one of its peers alike, in both directions, so that only one of them needs to know the other.

What is passed on are changes since a version; after any trouble, and when the other one is another run, it is
everything again. `Table.merge` says what counts.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.model.errors import RpcError
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer
from registry.simple.contract import SimpleRegistryService
from registry.simple.server import SimpleServer

__all__ = ["Peering"]

_LOG: Final = logging.getLogger("polyport.registry")
_PAGE: Final = 200
_SAME_TROUBLE_S: Final = 10.0
_PAUSE_S: Final = 0.02
"""Between two exchanges, so that a busy registry is passed on in portions."""
_FIRST_BACK_OFF_S: Final = 0.1
_LONGEST_BACK_OFF_S: Final = 1.0


class Peering:
    """Life: construct, `start`, `aclose`. `peer`: its address. `beat_s`: how long leases may go without being passed
    on. A peer that turns out to be this very server is left alone: the same list may stand at all of them.
    """

    def __init__(self, server: SimpleServer, peer: str, remote: SimpleRegistryService, beat_s: float) -> None:
        self._server = server
        self._peer = peer
        self._remote = remote
        self._beat_s = beat_s
        self._tasks: list[asyncio.Task[None]] = []
        self._troubles = OncePer(_SAME_TROUBLE_S)
        self._is_up = False
        self._pushed = 0
        """The version up to which the peer was told."""
        self._passed = asyncio.Event()
        """Set, and made anew, when the peer was told something or is away."""

    def start(self) -> None:
        """Begins."""
        for each in (self._pull, self._push):
            self._tasks.append(asyncio.create_task(self._repeat(each), name=f"peer {self._peer}"))

    async def flush(self, wait_s: float) -> None:
        """Waits, at most `wait_s`, until the peer has everything that is known here; not when it is away."""
        try:
            async with asyncio.timeout(wait_s):
                while self._is_up and self._pushed < self._server.table.version:
                    await self._passed.wait()
        except TimeoutError:
            pass

    async def aclose(self) -> None:
        """Ends it."""
        tasks, self._tasks = self._tasks, []
        for each in tasks:
            each.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _repeat(self, exchange: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        failures = 0

        def worked() -> None:
            nonlocal failures
            failures = 0

        while True:
            try:
                await exchange(worked)
                return
            except Exception as exc:  # Whatever the peer answers, it is asked again.
                expected = isinstance(exc, RpcError)
                if (held_back := self._troubles.admit(type(exc).__name__)) is not None:
                    _LOG.warning(
                        "registry peer %s: trying again (%d more since the last line): %s",
                        self._peer,
                        held_back,
                        shorten(f"{type(exc).__name__}: {exc}"),
                        exc_info=None if expected else exc,
                    )
            self._note_pushed(0, is_up=False)
            failures += 1
            delay = min(_LONGEST_BACK_OFF_S, _FIRST_BACK_OFF_S * 2.0 ** min(failures - 1, 10))
            await asyncio.sleep(delay * (0.5 + random.random() / 2))

    async def _pull(self, worked: Callable[[], None]) -> None:
        instance, since = "", 0
        while True:
            changes = await self._remote.changes(instance, since, round(self._beat_s * 1000))
            worked()
            if changes.instance == self._server.table.instance:
                return
            merged = await self._server.merge(changes)
            instance, since = changes.instance, changes.upto
            if merged.wants_all:
                since = 0
            elif not changes.more:
                await asyncio.sleep(_PAUSE_S)

    async def _push(self, worked: Callable[[], None]) -> None:
        instance, since = "", 0
        while True:
            changes = self._server.table.changes(since, _PAGE)
            merged = await self._remote.merge(changes)
            worked()
            if merged.instance == self._server.table.instance:
                return
            since = changes.upto
            self._note_pushed(since, is_up=True)
            if merged.wants_all or (instance and merged.instance != instance):
                since, instance = 0, merged.instance
                continue
            instance = merged.instance
            if changes.more:
                continue
            await asyncio.sleep(_PAUSE_S)
            if self._server.table.version <= since:
                try:
                    async with asyncio.timeout(self._beat_s):
                        await self._server.until_changed()
                except TimeoutError:
                    pass

    def _note_pushed(self, version: int, *, is_up: bool) -> None:
        self._pushed, self._is_up = version, is_up
        passed, self._passed = self._passed, asyncio.Event()
        passed.set()
