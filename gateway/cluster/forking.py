"""Forking: several providers get the call, and the first answer counts. Buys time with load.

With a `delay` it is hedging: the next provider is only asked when the one before has not answered for so long.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from pydantic import Field

from gateway.cluster.attempt import attempt, explained
from gateway.cluster.children import Children
from gateway.cluster.context import ClusterContext
from gateway.cluster.trouble import Trouble, all_failed
from gateway.config.scalar import Count, Flag
from gateway.config.sections.section import Section
from gateway.config.units import Seconds
from gateway.model.call import Invocation, Result
from gateway.model.errors import DeadlineExceeded, Retry, RpcError
from gateway.spi.cluster import Candidates, Invoker
from gateway.spi.plugin import ClusterPlugin

__all__ = ["PLUGIN", "Forking", "ForkingOptions"]


class ForkingOptions(Section):
    """How many providers get a call, and when."""

    forks: Annotated[Count, Field(ge=0, le=1000)] = 2
    """Providers that get the call at most, each another one; 0 for all of them."""

    delay: Annotated[Seconds, Field(ge=0, le=3600)] = 0.0
    """How long to wait for an answer before the next one is asked; a failure is not waited for. `0s` asks all at once.
    Where there is a delay, asking again is taken from the retry budget."""

    any_method: Flag = False
    """Whether methods that are not declared idempotent run several times too. Without it the next provider gets such a
    call only when the one before certainly has not begun it."""


class Forking:
    """Calls several candidates, and gives the first answer; the other attempts are cancelled.

    A `Fault` is an answer like any other: the provider's code has run and has said no. Cancelled attempts do not count
    against their providers, with one exception: who kept a hedged call waiting for four times as long as usual would
    otherwise hang for ever unnoticed, and eat up the budget. A oneway call has no answer to wait for, and is never sent
    a second time unless it was certainly not sent before.
    """

    __slots__ = ("_any_method", "_budget", "_clock", "_delay_s", "_forks", "_sleep")

    def __init__(
        self,
        options: ForkingOptions | None = None,
        context: ClusterContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        options = options or ForkingOptions()
        self._forks = options.forks
        self._delay_s = options.delay
        self._any_method = options.any_method
        self._budget = (context or ClusterContext()).budget
        self._clock = clock
        self._sleep = sleep

    async def __call__(self, invocation: Invocation, candidates: Candidates) -> Result:
        """The first answer.

        Raises:
            NoProvider: there is no candidate at all.
            RpcError: the error of the only attempt as it was; or one that names all attempts, `exhausted`.
        """
        self._budget.deposit()
        forks = min(self._forks or len(candidates), len(candidates))
        if forks <= 1:
            return await self._only(invocation, candidates)
        may_overlap = self._may_overlap(invocation)
        at_once = may_overlap and not self._delay_s
        race = _Race(invocation, candidates, self._clock)
        async with race.children:
            race.start()
            while at_once and race.tried_count < forks and race.start():
                pass
            may_start = not at_once
            while True:
                may_start = may_start and race.tried_count < forks and not self._is_late(invocation)
                if may_start and may_overlap and not race.is_timed:
                    race.time(self._wait())
                result = await race.next()
                if result is not None:
                    if not at_once:
                        # Of forks that start together all but one lose, and mostly by a little.
                        race.suspect()
                    return result
                if race.last_error is not None and not self._may_follow(race.last_error, may_overlap):
                    may_start = False
                if may_start and race.tried_count < forks and not self._is_late(invocation):
                    if self._budget.withdraw():
                        may_start = race.start()
                    else:
                        may_start, race.held_back = False, True
                if not race.runs:
                    raise race.failure()

    async def _only(self, invocation: Invocation, candidates: Candidates) -> Result:
        try:
            return await attempt(candidates.pick(), invocation)
        except RpcError as error:
            explained(error, candidates)
            raise

    async def _wait(self) -> None:
        await self._sleep(self._delay_s)

    def _may_overlap(self, invocation: Invocation) -> bool:
        if invocation.oneway:
            return False
        signature = invocation.signature
        return self._any_method or (signature is not None and signature.idempotent)

    def _may_follow(self, error: RpcError, may_overlap: bool) -> bool:
        if error.exhausted or error.retry is Retry.NEVER:
            return False
        return may_overlap or error.retry is Retry.SAFE

    def _is_late(self, invocation: Invocation) -> bool:
        return invocation.deadline is not None and self._clock() >= invocation.deadline


class _Race:
    """The attempts of one call. `held_back`: the retry budget allowed no further one."""

    __slots__ = (
        "_began",
        "_candidates",
        "_clock",
        "_done",
        "_invocation",
        "_timed",
        "_tried",
        "_troubles",
        "children",
        "held_back",
        "last_error",
    )

    def __init__(self, invocation: Invocation, candidates: Candidates, clock: Callable[[], float]) -> None:
        self._invocation = invocation
        self._candidates = candidates
        self._clock = clock
        self._tried: list[Invoker] = []
        self._began: list[float] = []
        self._done: list[int] = []
        self._troubles: list[Trouble] = []
        self._timed = False
        self.children: Children[int, Result | None] = Children()
        self.held_back = False
        self.last_error: RpcError | None = None

    @property
    def tried_count(self) -> int:
        return len(self._tried)

    @property
    def runs(self) -> bool:
        """Whether an attempt is under way."""
        return len(self._tried) > len(self._troubles)

    @property
    def is_timed(self) -> bool:
        return self._timed

    def start(self) -> bool:
        """Another attempt at somebody who has not been tried; False when nobody is left."""
        invoker = self._candidates.pick(self._tried)
        if invoker in self._tried:
            return False
        self.children.start(len(self._tried), attempt(invoker, self._invocation))
        self._tried.append(invoker)
        self._began.append(self._clock())
        return True

    def time(self, waiting: Awaitable[None]) -> None:
        """Lets `next` return when `waiting` is over."""
        self._timed = True
        self.children.start(_TIMER, _awaited(waiting))

    async def next(self) -> Result | None:
        """The next answer; None when an attempt has failed (`last_error`) or the time is over."""
        key, task = await self.children.next()
        self.last_error = None
        if key == _TIMER:
            self._timed = False
            task.result()
            return None
        self._done.append(key)
        try:
            return task.result()
        except RpcError as error:
            self.last_error = error
            self._troubles.append((self._tried[key], error))
            if self._timed:
                # The failure is what was waited for.
                self.children.stop(_TIMER)
                self._timed = False
            return None

    def suspect(self) -> None:
        """After an answer: tells of the providers that kept the call waiting much longer than usual."""
        now = self._clock()
        # Of one that has never answered nothing is known but what the others take.
        usual_elsewhere = self._tried[self._done[-1]].load.ewma_s
        for number, invoker in enumerate(self._tried):
            load, waited_s = invoker.load, now - self._began[number]
            usual_s = load.ewma_s or usual_elsewhere
            if number not in self._done and load.watch is not None and usual_s and waited_s >= _PATIENCE * usual_s:
                load.watch.failed(load, DeadlineExceeded("kept a call waiting until another one answered"), waited_s)

    def failure(self) -> RpcError:
        if len(self._troubles) == 1 and not self.held_back:
            return explained(self._troubles[0][1], self._candidates)
        attempts = "1 attempt" if len(self._troubles) == 1 else f"{len(self._troubles)} attempts"
        why = " (the retry budget is used up)" if self.held_back else ""
        summary = f"got no answer in {attempts}{why}"
        made = all_failed(self._invocation, self._troubles, summary, self._candidates.explain, has_run=False)
        made.exhausted = True
        return made


_TIMER: Final = -1
_PATIENCE: Final = 4
"""As for callers who hardly wait (`gateway.routing.health`)."""


async def _awaited(waiting: Awaitable[None]) -> None:
    await waiting


def _build(options: ForkingOptions, context: ClusterContext) -> Forking:
    return Forking(options, context)


PLUGIN: Final = ClusterPlugin("forking", ForkingOptions, _build)
