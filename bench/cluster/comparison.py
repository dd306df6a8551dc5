"""All runs of one scenario side by side."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from bench.cluster.expectation import Answered, Finding
from bench.cluster.scenario import Scenario
from bench.cluster.simulation import Outcome, simulate
from gateway.config.sections.choice import Choice
from gateway.plugins.catalog import Catalog

__all__ = ["Comparison", "Job", "compare", "findings_of"]


@dataclass(frozen=True, slots=True)
class Job:
    """One run to be made."""

    scenario: Scenario
    cluster: Choice
    balancer: Choice
    seed: int

    def run(self) -> Outcome:
        """Makes it, in whatever process this is."""
        # Millions of short-lived futures and tasks, hardly any in cycles.
        gc.set_threshold(100_000, 50, 50)
        return simulate(self.scenario, self.cluster, self.balancer, self.seed, Catalog())


@dataclass(frozen=True, slots=True)
class Comparison:
    """The runs of one scenario, in the order they were asked for."""

    scenario: Scenario
    outcomes: Sequence[Outcome]


def findings_of(outcome: Outcome) -> list[Finding]:
    """All figures that this run must reach."""
    expectations = (Answered(), *outcome.scenario.expectations)
    return [each.judge(outcome) for each in expectations if not each.balancers or outcome.balancer in each.balancers]


def compare(jobs: Sequence[Job], processes: int, announce: Callable[[Outcome], None]) -> list[Comparison]:
    """Makes all runs, several at a time, and puts those of a scenario together. `announce` hears of each in turn."""
    outcomes: dict[int, Outcome] = {}
    for number, outcome in _run(jobs, processes):
        announce(outcome)
        outcomes[number] = outcome
    names = dict.fromkeys(job.scenario.name for job in jobs)
    return [
        Comparison(runs[0].scenario, runs)
        for runs in (
            [outcomes[number] for number, job in enumerate(jobs) if job.scenario.name == name] for name in names
        )
    ]


def _run(jobs: Sequence[Job], processes: int) -> Iterator[tuple[int, Outcome]]:
    if processes <= 1 or len(jobs) == 1:
        for number, job in enumerate(jobs):
            yield number, job.run()
        return
    with ProcessPoolExecutor(min(processes, os.cpu_count() or 1)) as pool:
        running = {pool.submit(job.run): number for number, job in enumerate(jobs)}
        for future in as_completed(running):
            yield running[future], future.result()
