"""The candidates of a call that shall explain itself: the same choice, written down."""

from __future__ import annotations

import time
from asyncio import CancelledError
from collections.abc import Callable, Mapping, Sequence

from gateway.model.call import Fault, Invocation, Result
from gateway.model.endpoint import Endpoint
from gateway.model.errors import NoProvider, RpcError
from gateway.model.explanation import AttemptReport, Explanation
from gateway.routing.candidates import CallCandidates
from gateway.spi.cluster import Candidates, Invoker, Load
from gateway.telemetry.logs import shorten

__all__ = ["TracedCandidates"]


class TracedCandidates:
    """`Candidates` that hand out invokers which report their attempts. `balancer`: its name, for the report."""

    __slots__ = ("_balancer", "_began", "_candidates", "_clock", "_explanation", "_wrapped")

    def __init__(
        self,
        candidates: CallCandidates,
        explanation: Explanation,
        balancer: str,
        clock: Callable[[], float] = time.monotonic,
        began: float | None = None,
    ) -> None:
        self._candidates = candidates
        self._explanation = explanation
        self._balancer = balancer
        self._clock = clock
        self._began = clock() if began is None else began
        self._wrapped: dict[Invoker, _TracedInvoker] = {}
        if not explanation.candidates:
            explanation.candidates = candidates.counts()

    @property
    def invokers(self) -> Sequence[Invoker]:
        """See `Candidates.invokers`."""
        # Who was picked already keeps why.
        return tuple(self._wrapped.get(each) or self._wrap(each, "") for each in self._candidates.invokers)

    def pick(self, tried: Sequence[Invoker] = ()) -> Invoker:
        """See `Candidates.pick`."""
        try:
            chosen = self._candidates.pick([each.invoker for each in tried if isinstance(each, _TracedInvoker)])
        except NoProvider:
            self._explanation.candidates = self._candidates.counts()
            raise
        figures = self._candidates.choice()
        return self._wrap(chosen, f"{self._balancer}: {figures}" if figures else "")

    def partition(self, key: Callable[[Invoker], str]) -> Mapping[str, Candidates]:
        """See `Candidates.partition`."""
        return {
            name: TracedCandidates(part, self._explanation, self._balancer, self._clock, self._began)
            for name, part in self._candidates.partition(key).items()
        }

    def explain(self) -> str:
        """See `Candidates.explain`."""
        return self._candidates.explain()

    def __len__(self) -> int:
        return len(self._candidates)

    def _wrap(self, invoker: Invoker, choice: str) -> Invoker:
        wrapped = self._wrapped.get(invoker)
        if wrapped is None:
            wrapped = self._wrapped[invoker] = _TracedInvoker(invoker, self)
        wrapped.choice = choice
        return wrapped

    async def attempt(self, invoker: Invoker, choice: str, invocation: Invocation) -> Result:
        """Makes one attempt and writes it down."""
        endpoint = invoker.endpoint
        began = self._clock()
        report = AttemptReport(f"{endpoint.protocol}://{endpoint.address}", choice, (began - self._began) * 1000)
        self._explanation.attempts.append(report)
        try:
            result = await invoker(invocation)
        except RpcError as error:
            report.outcome, report.message = error.code, shorten(str(error))
            raise
        except CancelledError:
            report.outcome = "cancelled"
            raise
        except BaseException as error:
            report.outcome = type(error).__name__
            raise
        else:
            report.outcome = "fault" if isinstance(result, Fault) else "ok"
            return result
        finally:
            report.elapsed_ms = (self._clock() - began) * 1000


class _TracedInvoker:
    """An invoker of one traced call. Equal to itself alone, so `tried` works with it as with any other."""

    __slots__ = ("_owner", "choice", "invoker")

    def __init__(self, invoker: Invoker, owner: TracedCandidates) -> None:
        self.invoker = invoker
        self._owner = owner
        self.choice = ""

    @property
    def endpoint(self) -> Endpoint:
        return self.invoker.endpoint

    @property
    def available(self) -> bool:
        return self.invoker.available

    @property
    def load(self) -> Load:
        return self.invoker.load

    async def __call__(self, invocation: Invocation) -> Result:
        return await self._owner.attempt(self.invoker, self.choice, invocation)

    async def aclose(self) -> None:
        await self.invoker.aclose()
