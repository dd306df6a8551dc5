"""Callers that call all the time and remember what became of each call."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from gateway.model.errors import RpcError
from tests.support.work_service import Work

__all__ = ["Kind", "Load", "judge"]


@dataclass(slots=True)
class Kind:
    """The calls of one method. `failed`: ids by what the error was."""

    answered: set[int] = field(default_factory=set)
    failed: dict[int, str] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """Those that have ended."""
        return len(self.answered) + len(self.failed)

    @property
    def errors(self) -> Counter[str]:
        """How many failed, by code."""
        return Counter(text.partition(":")[0] for text in self.failed.values())


class Load:
    """`callers` callers of `work`, each with one call at a time, every other one of them idempotent.

    `hold_ms`: how long the provider takes. `pause_s`: of a caller between two calls. `stuck_s`: a call that takes
    longer is a failure of its own, whatever becomes of it. `default`: the answer that stands for none, and counts as a
    failure with the code `ignored`.
    """

    def __init__(
        self,
        work: Work,
        *,
        callers: int = 8,
        hold_ms: int = 20,
        pause_s: float = 0.005,
        first_id: int = 1,
        stuck_s: float = 15.0,
        default: int | None = None,
    ) -> None:
        self._work = work
        self._callers = callers
        self._hold_ms = hold_ms
        self._pause_s = pause_s
        self._stuck_s = stuck_s
        self._default = default
        self._ids: Iterator[int] = itertools.count(first_id)
        self._ending = False
        self.once = Kind()
        self.again = Kind()
        self.mixed_up: list[int] = []
        """Calls that got the answer to another one."""
        self.slowest_s = 0.0

    @property
    def calls(self) -> int:
        """Calls that have ended."""
        return self.once.calls + self.again.calls

    @property
    def failed(self) -> dict[int, str]:
        """Calls that were not answered, and why."""
        return {**self.once.failed, **self.again.failed}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Calls as long as it is entered; at the end every call in progress is waited for."""
        tasks = [asyncio.create_task(self._call_all_the_time(index)) for index in range(self._callers)]
        try:
            await self.until(lambda: self.calls >= self._callers, "the first calls")
            yield
        finally:
            self._ending = True
            for failure in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(failure, BaseException):
                    raise failure

    async def until(self, condition: Callable[[], bool], what: str, within_s: float = 20.0) -> float:
        """Waits for something that must come; gives the seconds it took."""
        began = monotonic()
        while not condition():
            if monotonic() - began > within_s:
                raise TimeoutError(f"waited {within_s:g} s for {what}")
            await asyncio.sleep(0.01)
        return monotonic() - began

    async def more(self, calls: int) -> None:
        """Until so many further calls have ended."""
        wanted = self.calls + calls
        await self.until(lambda: self.calls >= wanted, f"{calls} further calls")

    async def _call_all_the_time(self, index: int) -> None:
        # Callers that begin at the same time would go on together.
        await asyncio.sleep(self._pause_s * index / self._callers)
        while not self._ending:
            await self._call()
            await asyncio.sleep(self._pause_s)

    async def _call(self) -> None:
        id = next(self._ids)
        kind, method = (self.again, self._work.again) if id % 2 else (self.once, self._work.once)
        began = monotonic()
        try:
            async with asyncio.timeout(self._stuck_s):
                answer = await method(id, self._hold_ms)
        except RpcError as exc:
            kind.failed[id] = f"{exc.code}: {exc}"
        except TimeoutError:
            kind.failed[id] = f"stuck: no outcome within {self._stuck_s:g} s"
        else:
            if answer == self._default:
                kind.failed[id] = "ignored: answered with the default"
            else:
                kind.answered.add(id)
                if answer != id:
                    self.mixed_up.append(id)
        self.slowest_s = max(self.slowest_s, monotonic() - began)


def judge(
    load: Load,
    executed: Counter[int],
    *,
    may_fail_once: frozenset[str] = frozenset(),
    may_fail_again: frozenset[str] = frozenset(),
    most: int = 1,
) -> tuple[str, list[str]]:
    """What was counted, and what is wrong with it.

    Owed in any case: no idempotent call fails, no other one is carried out twice, no answer without a call, none for
    another call. `may_fail_once`: codes of errors that calls which must not run twice may end with; `may_fail_again`:
    the same of idempotent ones, for modes that repeat none. `most`: how often calls that must not run twice may run all
    the same, for modes that send them to several on purpose.
    """
    doubled = sorted(id for id in (*load.once.answered, *load.once.failed) if executed[id] > most)
    unfounded = sorted(id for id in (*load.once.answered, *load.again.answered) if not executed[id])
    lost = {id: text for id, text in load.once.failed.items() if text.partition(":")[0] not in may_fail_once}
    lost |= {id: text for id, text in load.again.failed.items() if text.partition(":")[0] not in may_fail_again}
    repeated = sum(1 for id in load.again.answered if executed[id] > 1)
    problems = []
    if lost:
        problems.append(f"{len(lost)} calls lost: {'; '.join(list(lost.values())[:3])}")
    if doubled:
        problems.append(f"{len(doubled)} calls carried out twice that must not be: {doubled[:5]}")
    if unfounded:
        problems.append(f"{len(unfounded)} calls answered that no provider carried out: {unfounded[:5]}")
    if load.mixed_up:
        problems.append(f"{len(load.mixed_up)} calls got the answer to another one: {load.mixed_up[:5]}")
    reported = len(load.failed) - len(lost)
    text = f"{load.calls} calls, {len(lost)} lost, {len(doubled)} doubled"
    if repeated:
        text += f", {repeated} idempotent ones repeated"
    if reported:
        text += f", {reported} reported"
    return text, problems
