"""Keeps entries announced in a registry that comes and goes, until they are withdrawn.

What is wanted and what the registry has are two tables; a task makes the second like the first, as often as it takes.
So it does not matter whether a registry was away for a second, forgot everything, or was never there at the start.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer

__all__ = ["Upkeep"]

_LOG: Final = logging.getLogger("polyport.registry")
_K = TypeVar("_K", bound=Hashable)
_T = TypeVar("_T")

_AT_ONCE: Final = 64
_FIRST_BACK_OFF_S: Final = 0.1
_LONGEST_BACK_OFF_S: Final = 5.0
_SAME_TROUBLE_S: Final = 10.0


class Upkeep(Generic[_K, _T]):
    """The entries that one registry is to have. Belongs to one event loop. Life: construct, `start`, `aclose`.

    `name`: of the registry, for logs. `announce(entry, former)`: writes one entry, and takes back those that the
    registry may have in its place. `withdraw(entries)`: takes back what may be there of one key. Both may be called for
    several keys at a time, for none twice at a time, and may raise what they like: they are called again. `sleep` and
    `uniform` are for tests.
    """

    def __init__(
        self,
        name: str,
        announce: Callable[[_T, Sequence[_T]], Awaitable[None]],
        withdraw: Callable[[Sequence[_T]], Awaitable[None]],
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._announce = announce
        self._withdraw = withdraw
        self._sleep = sleep
        self._uniform = uniform
        self._wanted: dict[_K, _T] = {}
        self._there: dict[_K, list[_T]] = {}
        """What the registry may have: several entries of one key where writing was interrupted."""
        self._certain: set[_K] = set()
        """Keys under which it has the one entry for certain."""
        self._dirty: dict[_K, None] = {}
        """Keys to look at, in order."""
        self._waiting: dict[_K, list[asyncio.Future[None]]] = {}
        self._changed = asyncio.Event()
        self._online = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._is_closing = False
        self._troubles = OncePer(_SAME_TROUBLE_S)

    @property
    def wanted(self) -> tuple[_T, ...]:
        """What is to be announced."""
        return tuple(self._wanted.values())

    @property
    def is_settled(self) -> bool:
        """Whether the registry has what is wanted, and nothing else of ours."""
        return not self._dirty

    def start(self) -> None:
        """Begins; nothing is written before `resume`."""
        self._worker = asyncio.create_task(self._work(), name=f"upkeep of registry {self._name}")

    def resume(self, *, forgotten: bool = False) -> None:
        """The registry can be asked from now on. `forgotten`: it has nothing of what was announced before."""
        if forgotten:
            self._there.clear()
            self._certain.clear()
            self._mark(*self._wanted)
        self._online.set()
        self._changed.set()

    def suspend(self) -> None:
        """It cannot be asked for now."""
        self._online.clear()
        if self._is_closing:
            # Nobody waits for it to come back.
            for future in [each for waiting in self._waiting.values() for each in waiting if not each.done()]:
                future.set_result(None)

    def want(self, key: _K, entry: _T) -> None:
        """Wants this entry from now on, without waiting for anything."""
        self._wanted[key] = entry
        self._mark(key)

    async def put(self, key: _K, entry: _T, wait_s: float) -> bool:
        """Wants this entry from now on; waits at most `wait_s` until the registry has it. False when it has not."""
        self._wanted[key] = entry
        return await self._settled(key, wait_s)

    async def take_back(self, key: _K, wait_s: float) -> bool:
        """Wants it no more; as `put`. A key that is not there is taken back at once."""
        if self._wanted.pop(key, None) is None and key not in self._there:
            return True
        return await self._settled(key, wait_s)

    def lost(self, key: _K) -> None:
        """The registry has lost this entry, so it is written again if it is still wanted."""
        if self._there.pop(key, None) is not None:
            self._certain.discard(key)
            self._mark(key)

    def doubt(self, *keys: _K) -> None:
        """What the registry has under these keys is uncertain; under all of them where none is named.

        It is looked at again: what is wanted is announced once more, what is not is taken back. So `announce` and
        `withdraw` must not mind what is there or gone already.
        """
        doubted = keys or (*self._there, *self._wanted)
        self._certain.difference_update(doubted)
        self._mark(*doubted)

    async def aclose(self, wait_s: float) -> None:
        """Takes everything back, for at most `wait_s`; what the registry still has then is left to its leases."""
        self._is_closing = True
        self._wanted.clear()
        self._mark(*self._there)
        if self._online.is_set():
            try:
                async with asyncio.timeout(wait_s):
                    # Not those that are to be looked at: some are just being taken back.
                    while self._there and self._online.is_set():
                        await self._settled(next(iter(self._there)), wait_s)
            except TimeoutError:
                _LOG.warning("registry %s: %d entries could not be withdrawn in time", self._name, len(self._there))
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()
            await asyncio.wait([worker])

    def _mark(self, *keys: _K) -> None:
        self._dirty.update(dict.fromkeys(keys))
        self._changed.set()

    async def _settled(self, key: _K, wait_s: float) -> bool:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        self._mark(key)
        try:
            async with asyncio.timeout(wait_s):
                await future
        except TimeoutError:
            return False
        finally:
            waiting = self._waiting.get(key, [])
            if future in waiting:
                waiting.remove(future)
            if not waiting:
                self._waiting.pop(key, None)
        return True

    async def _work(self) -> None:
        failures = 0
        while True:
            await self._online.wait()
            if not self._dirty:
                self._changed.clear()
                await self._changed.wait()
                continue
            keys = [key for key, _ in zip(self._dirty, range(_AT_ONCE), strict=False)]
            for key in keys:
                del self._dirty[key]
            failed = [key for key, error in zip(keys, await self._settle_all(keys), strict=True) if error is not None]
            if not failed:
                failures = 0
                continue
            self._mark(*failed)
            failures += 1
            delay = min(_LONGEST_BACK_OFF_S, _FIRST_BACK_OFF_S * 2.0 ** min(failures - 1, 10))
            await self._sleep(delay * (0.5 + self._uniform() / 2))

    async def _settle_all(self, keys: list[_K]) -> list[Exception | None]:
        return list(await asyncio.gather(*(self._settle(key) for key in keys)))

    async def _settle(self, key: _K) -> Exception | None:
        """Makes the registry have what is wanted under one key. Gives what went wrong."""
        wanted, there = self._wanted.get(key), self._there.get(key, [])
        try:
            if wanted is None and there:
                self._certain.discard(key)
                await self._withdraw(there)
                self._there.pop(key, None)
            elif wanted is not None and not (key in self._certain and there == [wanted]):
                former = [each for each in there if each != wanted]
                self._certain.discard(key)
                # From here on the registry may have it, whatever becomes of this.
                self._there[key] = [*former, wanted]
                await self._announce(wanted, former)
                if key in self._there:
                    self._there[key] = [wanted]
                    if key not in self._dirty:
                        # Else something happened to it meanwhile.
                        self._certain.add(key)
        except Exception as error:  # Whatever the registry's client raises, it is tried again.
            if (held_back := self._troubles.admit(type(error).__name__)) is not None:
                _LOG.warning(
                    "registry %s: cannot write, trying again (%d more since the last line): %s",
                    self._name,
                    held_back,
                    shorten(f"{type(error).__name__}: {error}"),
                    extra={"registry": self._name},
                )
            return error
        if self._wanted.get(key) == wanted:
            for future in self._waiting.get(key, ()):
                if not future.done():
                    future.set_result(None)
        return None
