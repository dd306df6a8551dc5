"""Broadcast: every provider gets the call. For what each of them must do: drop a cache, read its settings again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Annotated, Final

from pydantic import Field

from gateway.cluster.attempt import attempt
from gateway.cluster.children import Children
from gateway.cluster.context import ClusterContext
from gateway.cluster.trouble import Trouble, all_failed
from gateway.config.scalar import Count
from gateway.config.sections.section import Section
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import DeadlineExceeded, Retry, RpcError
from gateway.spi.cluster import Candidates, Invoker
from gateway.spi.plugin import ClusterPlugin

__all__ = ["PLUGIN", "Broadcast", "BroadcastOptions"]


class BroadcastOptions(Section):
    """How the providers are called."""

    parallel: Annotated[Count, Field(ge=1, le=1000)] = 1
    """How many at the same time; 1 calls them one by one, in the registry's order."""

    fail_percent: Annotated[Count, Field(ge=1, le=100)] = 100
    """When so many of a hundred providers have failed, the rest is not called any more."""


class Broadcast:
    """Calls all candidates, those that are ejected or away too, once each.

    The answer is that of the last one in the registry's order, when all have answered. What one of them lacks, nobody
    knows from the answer of another, so one that failed is an error, which names all that failed; a `Fault` of one is
    the answer where nobody failed otherwise.
    """

    __slots__ = ("_clock", "_options")

    def __init__(self, options: BroadcastOptions | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options or BroadcastOptions()
        self._clock = clock

    async def __call__(self, invocation: Invocation, candidates: Candidates) -> Result:
        """The answer of the last provider, or the first `Fault`.

        Raises:
            NoProvider: there is no candidate.
            RpcError: some have not answered; says which, and how many were not called.
        """
        invokers = candidates.invokers
        if not invokers:
            candidates.pick()
        outcomes: dict[int, Result | RpcError] = {}
        waiting = iter(enumerate(invokers))
        async with Children[int, Result]() as children:
            for index, invoker in islice(waiting, self._options.parallel):
                children.start(index, attempt(invoker, invocation))
            while children:
                index, task = await children.next()
                try:
                    outcomes[index] = task.result()
                except RpcError as error:
                    outcomes[index] = error
                if self._may_go_on(invocation, outcomes, len(invokers)):
                    for index, invoker in islice(waiting, 1):
                        children.start(index, attempt(invoker, invocation))
        return self._result(invocation, invokers, outcomes, candidates.explain)

    def _may_go_on(self, invocation: Invocation, outcomes: dict[int, Result | RpcError], total: int) -> bool:
        failed = sum(1 for each in outcomes.values() if not isinstance(each, Ok))
        if failed * 100 >= self._options.fail_percent * total:
            return False
        return invocation.deadline is None or self._clock() < invocation.deadline

    def _result(
        self,
        invocation: Invocation,
        invokers: Sequence[Invoker],
        outcomes: dict[int, Result | RpcError],
        explain: Callable[[], str],
    ) -> Result:
        in_order = [(invokers[index], outcomes[index]) for index in sorted(outcomes)]
        troubles: list[Trouble] = [(who, error) for who, error in in_order if isinstance(error, RpcError)]
        faults = [(who, fault) for who, fault in in_order if isinstance(fault, Fault)]
        left = len(invokers) - len(outcomes)
        if troubles:
            failed = f"failed at {len(troubles)} of {len(invokers)} providers"
            notes = [f"{left} not called"] if left else []
            notes += [f"{who.endpoint.address} answered with {fault.type_name or 'a fault'}" for who, fault in faults]
            summary = f"{failed} ({', '.join(notes)})" if notes else failed
            has_run = len(troubles) < len(outcomes)
            raise all_failed(invocation, troubles, summary, explain, has_run=has_run)
        if faults:
            return faults[0][1]
        if left:
            text = f"the deadline passed before {left} of {len(invokers)} providers were called [{explain()}]"
            error = DeadlineExceeded(
                f"{invocation.service}.{invocation.method}: {text}", retry=Retry.IF_IDEMPOTENT, exhausted=True
            )
            error.explanation = explain
            raise error
        answer = outcomes[len(invokers) - 1]
        assert isinstance(answer, Ok)
        return answer


def _build(options: BroadcastOptions, _: ClusterContext) -> Broadcast:
    return Broadcast(options)


PLUGIN: Final = ClusterPlugin("broadcast", BroadcastOptions, _build)
