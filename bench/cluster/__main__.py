"""Simulates providers and gateways: `python -m bench.cluster [scenario …]`, short form with `QUICK=1` or `--quick`.

Exit status: 0 all figures reached, 1 fallen short.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from bench.cluster.comparison import Job, Run, compare
from bench.cluster.page import format_page
from bench.cluster.picture import draw
from bench.cluster.report import count_findings, format_report
from bench.cluster.scenario import Scenario
from bench.cluster.scenarios import SCENARIOS
from bench.cluster.simulation import kind_of
from gateway.plugins.catalog import Catalog

_FOLDER = Path(__file__).parents[2] / ".cache" / "cluster"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the scenarios of the command line."""
    options = _parse(arguments)
    jobs = _jobs(options, Catalog())
    began = perf_counter()
    done = 0

    def announce(run: Run) -> None:
        nonlocal done
        done += 1
        outcome, missed = run.outcome, [finding for finding in run.findings if not finding.reached]
        said = f"{outcome.record.calls} calls in {outcome.took_s:.1f} s"
        for finding in missed:
            said += f"; missed: {finding.what}: {finding.found}, wanted {finding.wanted}"
        print(f"[{done}/{len(jobs)}] {outcome.scenario.name}, {outcome.title}: {said}", file=sys.stderr, flush=True)

    comparisons = compare(jobs, options.processes, announce)
    options.output.mkdir(parents=True, exist_ok=True)
    page = options.output / "report.html"
    page.write_text(format_page(comparisons), encoding="utf-8")
    drawn = sum(draw(each, options.output / f"{each.scenario.name}.png") for each in comparisons)
    print(format_report(comparisons).rpartition("\n")[0])
    pictures = f"{drawn} pictures (PNG)" if drawn else "no pictures (PNG), which need matplotlib"
    calls = sum(run.outcome.record.calls for each in comparisons for run in each.runs)
    print(f"written: {page}, {pictures}")
    print(f"{calls} calls in {len(jobs)} runs, {perf_counter() - began:.0f} s")
    reached, wanted = count_findings(comparisons)
    print(f"{reached} of {wanted} figures reached")
    return 0 if wanted and reached == wanted else 1


def _jobs(options: argparse.Namespace, catalog: Catalog) -> list[Job]:
    known = {scenario.name: scenario for scenario in SCENARIOS}
    available = catalog.names("balance")
    jobs = []
    for name in options.scenarios or known:
        scenario = _resized(known[name], options)
        balancers = options.balance or [each for each in scenario.balancers or available if each in available]
        if options.quick and not options.balance and not scenario.central:
            balancers = [each for each in balancers if _is_told_apart(scenario, each)]
        if not balancers:
            print(f"{name} is left out: none of its balancers is there", file=sys.stderr)
        known_modes = catalog.names("cluster")
        for cluster in options.cluster or [each for each in scenario.clusters if kind_of(each) in known_modes]:
            jobs += [Job(scenario, cluster, balancer, options.seed) for balancer in balancers]
    return jobs


def _is_told_apart(scenario: Scenario, balancer: str) -> bool:
    """Whether something is expected of this balancer in particular; of the default one there always is."""
    return balancer == "random" or any(balancer in each.only for each in scenario.expectations)


def _resized(scenario: Scenario, options: argparse.Namespace) -> Scenario:
    """The scenario with what the command line says about its size; times of events stay."""
    traffic, groups = scenario.traffic, scenario.groups
    if options.rate != 1.0:
        rates = tuple((since, rate * options.rate) for since, rate in traffic.rates)
        traffic = replace(traffic, rates=rates)
    if options.providers != 1.0:
        groups = [replace(group, count=max(1, round(group.count * options.providers))) for group in groups]
    return replace(
        scenario,
        traffic=traffic,
        groups=groups,
        gateways=options.gateways or scenario.gateways,
        duration_s=options.duration or scenario.duration_s,
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    names, catalog = [scenario.name for scenario in SCENARIOS], Catalog()
    parser = argparse.ArgumentParser(
        prog="bench.cluster",
        description=(__doc__ or "").partition("\n")[0],
        epilog="Figures that must be reached are meant for the scenarios as they are; another size may miss some.",
    )
    quick = os.environ.get("QUICK", "") not in ("", "0")
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"default: all of {', '.join(names)}")
    parser.add_argument(
        "--quick", action="store_true", default=quick, help="only balancers of which something is expected"
    )
    parser.add_argument(
        "--balance", nargs="+", choices=catalog.names("balance"), help="default: all, or the scenario's"
    )
    parser.add_argument("--cluster", nargs="+", choices=catalog.names("cluster"), help="default: the scenario's")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--providers", type=float, default=1.0, metavar="X", help="X times as many")
    parser.add_argument("--rate", type=float, default=1.0, metavar="X", help="X times as many calls a second")
    parser.add_argument("--gateways", type=int, metavar="N")
    parser.add_argument("--duration", type=float, metavar="S", help="seconds of simulated time")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--output", type=Path, default=_FOLDER, help="folder of the report and the pictures")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.scenarios if name not in names]:
        parser.error(f"there is no scenario {', '.join(unknown)}; there are {', '.join(names)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
