"""Adaptive: the less busy of two providers drawn by weight, by what they say of themselves and what is seen of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf, sqrt
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from gateway.balance.shortest_response import TROUBLE
from gateway.balance.two_choices import TwoChoices
from gateway.config.sections.section import Section
from gateway.config.units import Seconds
from gateway.model.call import Invocation, Result, attachments_of
from gateway.model.endpoint import DEFAULT_WEIGHT
from gateway.model.errors import DeadlineExceeded, RpcError
from gateway.spi.cluster import Invoker
from gateway.spi.plugin import BalancerPlugin
from gateway.telemetry.load_report import ASKED, KEY, parse_report

__all__ = ["PLUGIN", "Adaptive", "AdaptiveOptions"]

_CLEARLY: Final = 1.25
"""How many times the load of the other one must be before the second choice gets the call."""
_IDLE: Final = 10.0
"""Percent: below that machines count as equally idle, and one that says nothing counts as that."""
_BETA: Final = 0.5
"""Weight of what was known before the newest answer time, as in Dubbo."""
_REMEMBERED: Final = 1024
"""Attempts after which older ones count half."""
_LONGEST_MS: Final = 60_000.0


class AdaptiveOptions(Section):
    """What is expected of providers."""

    idle: Annotated[Seconds, Field(gt=0, le=3600)] = 2.0
    """A provider that was not chosen for so long is taken for idle, to see how it is now."""


class Adaptive:
    """Dubbo's adaptive load balancing: asks providers for the load of their machine, and lets the second of two drawn
    by weight have the call if it is clearly less busy (`two_choices`).

    busy = load x (sqrt(answer time in ms) + 1) x (calls in progress + 1) / (share of attempts answered x 100 + 1)

    Source: apache/dubbo 3.3: dubbo-cluster/.../loadbalance/AdaptiveLoadBalance.java and
    dubbo-rpc/dubbo-rpc-api/.../AdaptiveMetrics.java. What differs: providers are drawn by weight, where Dubbo divides
    by it; loads below 10 % count as 10 %; a failed attempt counts as a slow one at once, where Dubbo waits for the
    next report; a provider without an answer so far gets one call at a time. Providers that say nothing (older Dubbo,
    other makes) are judged by the rest.

    `uniform`: numbers from 0 (inclusive) to 1 (exclusive); `clock`: seconds, monotonic; both for tests.
    """

    __slots__ = ("_choices", "_clock", "_idle_s")

    attachments: Final[Mapping[str, str]] = MappingProxyType({KEY: ASKED})
    """See `gateway.spi.cluster.LoadBalancer`."""

    def __init__(
        self,
        options: AdaptiveOptions | None = None,
        uniform: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._idle_s = (options or AdaptiveOptions()).idle
        self._choices = TwoChoices(uniform)
        self._clock = clock

    def select(self, invokers: Sequence[Invoker], invocation: Invocation) -> Invoker:
        """One of `invokers`, which is not empty."""
        first, second = self._choices.draw(invokers)
        now = self._clock()
        one = self._machine(first)
        if first is not second:
            other = self._machine(second)
            weight, other_weight = first.load.weight, second.load.weight
            # Twice the weight is meant to have twice the calls in progress.
            usual = (weight + other_weight) / 2.0
            busy = one.busy(now, self._idle_s, usual / weight)
            if busy > _CLEARLY * other.busy(now, self._idle_s, usual / other_weight):
                first, one = second, other
        one.chosen_at = now
        return first

    def explain(self, invokers: Sequence[Invoker], invocation: Invocation, chosen: Invoker) -> str:
        """The figures of the formula."""
        machine = self._machine(chosen)
        total = sum(each.load.weight for each in invokers)
        said = f"load {machine.load:g} %" if machine.reported else "no load reported"
        return (
            f"{said}, answers {machine.answer_ms:.3g} ms, {machine.active} calls in progress, {machine.answered} of "
            f"{machine.attempts} attempts answered, drawn by weight {chosen.load.weight:g} of {total:g}"
        )

    def _machine(self, invoker: Invoker) -> _Machine:
        machine = invoker.load.observe(self, _Machine)
        assert isinstance(machine, _Machine), "each owner has observers of one kind"
        return machine


class _Machine:
    """What is known of one provider (`gateway.spi.cluster.LoadObserver`).

    `load`: as it said last, percent. `answer_ms`: moving average. `attempts`, `answered`: lately. `chosen_at`: when
    last.
    """

    __slots__ = ("_time_ms", "active", "answer_ms", "answered", "attempts", "chosen_at", "load", "reported")

    def __init__(self) -> None:
        self.load = 0.0
        self.reported = False
        self.answer_ms = 0.0
        self.active = 0
        self.attempts = 0
        self.answered = 0
        self.chosen_at = -inf
        self._time_ms = 0

    def busy(self, now: float, idle_s: float, each: float) -> float:
        """How busy it is, as a figure to compare: 0 idle, infinite for one that still owes its first answer.

        `each`: what a call in progress counts.
        """
        if not self.attempts:
            return inf if self.active else 0.0
        if not self.active and now - self.chosen_at > idle_s:
            return 0.0
        answered = self.answered / self.attempts * DEFAULT_WEIGHT + 1.0
        return max(self.load, _IDLE) * (sqrt(self.answer_ms) + 1.0) * (self.active * each + 1.0) / answered

    def began(self, now: float) -> None:
        self.active += 1

    def ended(self, began: float, now: float, outcome: Result | BaseException) -> None:
        self.active -= 1
        elapsed_ms = (now - began) * 1000.0
        if not isinstance(outcome, BaseException):
            self._count(answered=1)
            self._heard(elapsed_ms)
            self._read(outcome)
        elif isinstance(outcome, TROUBLE):
            self._count(answered=0)
            self._heard(max(elapsed_ms, min(_LONGEST_MS, 2.0 * self.answer_ms)))
        else:
            if isinstance(outcome, DeadlineExceeded):
                self._count(answered=0)
            if elapsed_ms > self.answer_ms:
                # Somebody gave up: it would have taken longer still.
                self._heard(elapsed_ms)

    def _count(self, answered: int) -> None:
        self.attempts += 1
        self.answered += answered
        if self.attempts >= _REMEMBERED:
            self.attempts //= 2
            self.answered //= 2

    def _heard(self, elapsed_ms: float) -> None:
        self.answer_ms = _BETA * self.answer_ms + (1.0 - _BETA) * elapsed_ms

    def _read(self, outcome: Result) -> None:
        try:
            report = parse_report(attachments_of(outcome).get(KEY))
        except RpcError:
            # The answer cannot be read. Who wants its value will say so.
            return
        # Answers overtake each other; what was said before counts no more.
        if report is not None and report.time_ms >= self._time_ms:
            self._time_ms = report.time_ms
            self.load, self.reported = report.load, True


def _build(options: AdaptiveOptions) -> Adaptive:
    return Adaptive(options)


PLUGIN: Final = BalancerPlugin("adaptive", AdaptiveOptions, _build)
