"""The rounds: every server under every load, again and again, neighbours in the table being neighbours in time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bench import probe
from bench.cases import TARGET_LOAD, Case, Load, Payload, Plan
from bench.frames import build_request
from bench.loadgen import LoadFailed, LoadGenerator, Measurement
from bench.request import WrongReply
from bench.servers import FLOORS, JAVA, PAYLOADS, Lineup

_JAVA_LOAD = Load(size=128, connections=16, outstanding=4)
_JAVA_TURN_S = 2.0


@dataclass(slots=True)
class Results:
    """What was measured, by case and round, and which cases could not be."""

    rounds: dict[Case, dict[int, Measurement]] = field(default_factory=dict)
    failures: dict[Case, str] = field(default_factory=dict)

    def median(self, case: Case, value: Callable[[Measurement], float]) -> float:
        """The median of `value` over the rounds of a case that was measured."""
        return statistics.median(value(measurement) for measurement in self.rounds[case].values())

    def ratio(self, case: Case, beside: tuple[str, Payload] | None = None) -> float | None:
        """How much of its floor's speed by server CPU this case reaches: the median of the rounds' own ratios.

        `beside`: the server and payload to compare with, in place of the payload's floor (`FLOORS`). None when the case
        or its floor was not measured.
        """
        server, payload = beside or FLOORS[case.payload]
        floor = self.rounds.get(Case(server, payload, case.load), {})
        measured = self.rounds.get(case, {})
        ratios = [floor[number].server_us / measured[number].server_us for number in measured if number in floor]
        return statistics.median(ratios) if ratios else None


def list_cases(plan: Plan, servers: Iterable[str]) -> list[Case]:
    """The cases of one round in the order they are measured."""
    names = list(servers)

    def of_load(load: Load) -> Iterator[Case]:
        for name in names:
            for payload in PAYLOADS[name]:
                # JSON is measured with small values only: with large ones all HTTP servers do is parse it.
                if payload.is_http and load.size != TARGET_LOAD.size:
                    continue
                if (payload is Payload.THRIFT or payload.is_text) and load not in plan.small_loads:
                    continue
                if payload is not Payload.POJO or load in plan.pojo_loads:
                    yield Case(name, payload, load)

    return [case for load in plan.loads for case in of_load(load)]


def measure_rounds(plan: Plan, lineup: Lineup, generator: LoadGenerator, announce: Callable[[str], None]) -> Results:
    """Checks and warms every case, then measures all of them `plan.rounds` times.

    A case that fails is left out from then on; the others go on.
    """
    results = Results()
    cases = list_cases(plan, lineup.running)
    for case in cases:
        announce(f"checking {case.server}: {case.payload}, {case.load}")
        try:
            probe.check(lineup.running[case.server], build_request(case.payload, case.load.size))
        except (WrongReply, OSError) as error:
            results.failures[case] = str(error)
    _warm_java(plan, lineup, generator, announce)
    total = plan.rounds * len(cases)
    done = 0
    for number in range(plan.rounds):
        for case in cases:
            done += 1
            if case in results.failures:
                continue
            announce(f"[{done}/{total}] round {number + 1}: {case.server}, {case.payload}, {case.load}")
            try:
                measurement = _measure(plan, lineup, generator, case)
            except LoadFailed as error:
                results.failures[case] = str(error)
                continue
            results.rounds.setdefault(case, {})[number] = measurement
    return results


def _measure(plan: Plan, lineup: Lineup, generator: LoadGenerator, case: Case) -> Measurement:
    measurement = generator.run(
        lineup.running[case.server],
        build_request(case.payload, case.load.size),
        connections=case.load.connections,
        outstanding=case.load.outstanding,
        warmup_s=plan.warmup_s,
        seconds=plan.seconds,
    )
    if measurement.n == 0:
        raise LoadFailed(f"no reply within {measurement.elapsed_s:.1f} s")
    return measurement


def _warm_java(plan: Plan, lineup: Lineup, generator: LoadGenerator, announce: Callable[[str], None]) -> None:
    """Runs the Java floor until its CPU per request stops falling, or the plan's time for that is over."""
    if JAVA not in lineup.running:
        return
    for payload in PAYLOADS[JAVA]:
        best = math.inf
        for turn in range(round(plan.java_warmup_s / _JAVA_TURN_S)):
            announce(f"warming {JAVA}: {payload}, turn {turn + 1}")
            try:
                found = generator.run(
                    lineup.running[JAVA],
                    build_request(payload, _JAVA_LOAD.size),
                    connections=_JAVA_LOAD.connections,
                    outstanding=_JAVA_LOAD.outstanding,
                    warmup_s=0,
                    seconds=_JAVA_TURN_S,
                )
            except LoadFailed:
                return  # its cases fail likewise, and say why in the report
            if not found.server_us < 0.95 * best:
                break
            best = found.server_us
