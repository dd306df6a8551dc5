"""All runs of one scenario side by side."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from bench.cluster.expectation import Answered, Finding
from bench.cluster.scenario import Scenario
from bench.cluster.series import Panel, panels_of
from bench.cluster.simulation import Outcome, simulate
from gateway.config.sections.choice import Choice
from gateway.plugins.catalog import Catalog

__all__ = ["Comparison", "Job", "Run", "compare", "findings_of"]


@dataclass(frozen=True, slots=True)
class Run:
    """An outcome, and what can be read from it."""

    outcome: Outcome
    findings: Sequence[Finding]
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Job:
    """One run to be made."""

    scenario: Scenario
    cluster: Choice
    balancer: Choice
    seed: int

    def run(self) -> Run:
        """Makes it, in whatever process this is."""
        # Millions of short-lived futures and tasks, hardly any in cycles.
        before = gc.get_threshold()
        gc.set_threshold(100_000, 50, 50)
        try:
            outcome = simulate(self.scenario, self.cluster, self.balancer, self.seed, Catalog())
        finally:
            gc.set_threshold(*before)
        return Run(outcome, findings_of(outcome), panels_of(outcome))


@dataclass(frozen=True, slots=True)
class Comparison:
    """The runs of one scenario, in the order they were asked for."""

    scenario: Scenario
    runs: Sequence[Run]


def findings_of(outcome: Outcome) -> list[Finding]:
    """All figures that this run must reach."""
    expectations = (Answered(), *outcome.scenario.expectations)
    names = {outcome.balancer, outcome.cluster}
    return [each.judge(outcome) for each in expectations if not each.only or not names.isdisjoint(each.only)]


def compare(jobs: Sequence[Job], processes: int, announce: Callable[[Run], None]) -> list[Comparison]:
    """Makes all runs, several at a time, and puts those of a scenario together. `announce` hears of each in turn."""
    runs: dict[int, Run] = {}
    for number, run in _run(jobs, processes):
        announce(run)
        runs[number] = run
    together: dict[str, list[Run]] = {}
    for number, job in enumerate(jobs):
        together.setdefault(job.scenario.name, []).append(runs[number])
    return [Comparison(found[0].outcome.scenario, found) for found in together.values()]


def _run(jobs: Sequence[Job], processes: int) -> Iterator[tuple[int, Run]]:
    if processes <= 1 or len(jobs) == 1:
        for number, job in enumerate(jobs):
            yield number, job.run()
        return
    with ProcessPoolExecutor(processes) as pool:
        running = {pool.submit(job.run): number for number, job in enumerate(jobs)}
        for future in as_completed(running):
            yield running[future], future.result()
