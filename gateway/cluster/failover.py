"""Failover: when a provider does not answer, ask another one. The default mode."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from gateway.cluster.attempt import attempt, explained
from gateway.cluster.context import ClusterContext
from gateway.cluster.trouble import Trouble, attempt_line, worst_retry
from gateway.config.sections.section import NoOptions
from gateway.model.call import Invocation, Result
from gateway.model.errors import Retry, RpcError, restated
from gateway.spi.cluster import Candidates
from gateway.spi.plugin import ClusterPlugin

__all__ = ["PLUGIN", "Failover"]

_NEVER: Final = "it must not be repeated"
_MAY_HAVE_RUN: Final = "it may have run and is not idempotent"
_EXHAUSTED: Final = "it was repeated nearer to the provider"
_DEADLINE: Final = "the deadline has passed"
_LIMIT: Final = "no attempts left"
_BUDGET: Final = "the retry budget is used up"


class Failover:
    """Repeats a call that got no answer up to `ClusterContext.retries` times, on another provider while there is one.

    Repeated is only what the error allows: `SAFE` trouble always, `IF_IDEMPOTENT` trouble where the method is
    declared idempotent or the retries were written explicitly; nothing after the call's deadline, nothing that somebody
    nearer to the provider repeated already, and nothing beyond the retry budget. A `Fault` is an answer.
    """

    __slots__ = ("_attempts", "_budget", "_clock", "_retries_written")

    def __init__(self, context: ClusterContext | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        context = context or ClusterContext()
        self._attempts = context.retries + 1
        self._retries_written = context.retries_written
        self._budget = context.budget
        self._clock = clock

    async def __call__(self, invocation: Invocation, candidates: Candidates) -> Result:
        """The first answer.

        Raises:
            NoProvider: there is no candidate at all.
            RpcError: the error of the only attempt as it was; or that of the last one, `exhausted` and with a text
                that lists all attempts.
        """
        self._budget.deposit()
        invoker = candidates.pick()
        try:
            return await attempt(invoker, invocation)
        except RpcError as error:
            refusal = self._refuse(invocation, error, 1)
            if refusal is not None:
                if refusal is not _BUDGET:
                    explained(error, candidates)
                    raise
                # Who held back must say so, or the next hop repeats in its stead.
                raise _given_up(invocation, [(invoker, error)], refusal, candidates) from error
            troubles = [(invoker, error)]
        return await self._repeat(invocation, candidates, troubles)

    async def _repeat(self, invocation: Invocation, candidates: Candidates, troubles: list[Trouble]) -> Result:
        tried = [invoker for invoker, _ in troubles]
        while True:
            invoker = candidates.pick(tried)
            tried.append(invoker)
            try:
                return await attempt(invoker, invocation)
            except RpcError as error:
                troubles.append((invoker, error))
                refusal = self._refuse(invocation, error, len(tried))
                if refusal is not None:
                    raise _given_up(invocation, troubles, refusal, candidates) from error

    def _refuse(self, invocation: Invocation, error: RpcError, attempts: int) -> str | None:
        """Why there is no further attempt after `error`, or None. Takes from the budget last, when all else agrees."""
        if error.exhausted:
            return _EXHAUSTED
        if error.retry is Retry.NEVER:
            return _NEVER
        if error.retry is Retry.IF_IDEMPOTENT and not self._retries_written:
            signature = invocation.signature
            if signature is None or not signature.idempotent:
                return _MAY_HAVE_RUN
        if attempts >= self._attempts:
            return _LIMIT
        if invocation.deadline is not None and self._clock() >= invocation.deadline:
            return _DEADLINE
        if not self._budget.withdraw():
            return _BUDGET
        return None


def _given_up(invocation: Invocation, troubles: Sequence[Trouble], refusal: str, candidates: Candidates) -> RpcError:
    """The last error with all attempts in its text, marked as exhausted."""
    attempts = "1 attempt" if len(troubles) == 1 else f"{len(troubles)} attempts"
    made = restated(
        troubles[-1][1],
        f"{invocation.service}.{invocation.method} got no answer in {attempts} ({refusal}): "
        f"{'; '.join(attempt_line(*each) for each in troubles)} [{candidates.explain()}]",
    )
    # An attempt before the last one may have run, and whoever asks wants to know about the call.
    made.retry = worst_retry(error for _, error in troubles)
    made.exhausted = True
    made.explanation = candidates.explain
    return made


def _build(_: NoOptions, context: ClusterContext) -> Failover:
    return Failover(context)


PLUGIN: Final = ClusterPlugin("failover", NoOptions, _build)
