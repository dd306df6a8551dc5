"""What a run found: as text for people, as JSON for comparing runs."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.balancing import PROVIDERS, ChoiceCost
from bench.cases import Case, Plan
from bench.idle import IdleCost
from bench.latency import AddedLatency
from bench.process import LOAD_CORE, SERVER_CORE
from bench.rounds import Results
from bench.scale import PROVIDERS as SCALE_PROVIDERS
from bench.scale import SERVICES, ScaleCost
from bench.startup import StartUp
from bench.targets import Target

_CLIENT_LIMIT = 0.95
"""A load generator that busy was probably what limited the requests a second (not the CPU per request)."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a run found."""

    begun: datetime
    plan: Plan
    results: Results
    latency: AddedLatency | None
    idle: Mapping[str, IdleCost]
    startup: StartUp | None
    choices: Mapping[str, ChoiceCost]
    scale: ScaleCost | None
    missing: Mapping[str, str]
    targets: Sequence[Target]

    @property
    def complete(self) -> bool:
        """Whether every target is reached."""
        return all(target.reached for target in self.targets)


def format_report(report: Report) -> str:
    """The whole report as text; the last line counts the targets."""
    parts = [
        "\n".join(_environment(report)),
        "\n".join(_case_table(report.results)),
        "\n".join(_other_lines(report)),
        "\n".join(_choice_lines(report.choices)),
        "\n".join(_scale_lines(report.scale)),
        "\n".join(_target_lines(report.targets)),
    ]
    return "\n\n".join(part for part in parts if part)


def describe(report: Report) -> dict[str, Any]:
    """The report as plain values for JSON: all rounds, not only their medians."""
    return {
        "begun": report.begun.isoformat(timespec="seconds"),
        "machine": _machine(),
        "rounds": report.plan.rounds,
        "seconds": report.plan.seconds,
        "cases": [_describe_case(report.results, case) for case in report.results.rounds],
        "failures": [{**_name_case(case), "reason": reason} for case, reason in report.results.failures.items()],
        "missing": dict(report.missing),
        "added_latency": asdict(report.latency) if report.latency else None,
        "idle_bytes": {name: asdict(cost) for name, cost in report.idle.items()},
        "startup": asdict(report.startup) if report.startup else None,
        "choices_us": {name: asdict(cost) for name, cost in report.choices.items()},
        "scale": asdict(report.scale) if report.scale else None,
        "targets": [asdict(target) for target in report.targets],
    }


def _machine() -> dict[str, Any]:
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "server_core": SERVER_CORE,
        "load_core": LOAD_CORE,
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "load_average": os.getloadavg()[0],
    }


def _name_case(case: Case) -> dict[str, Any]:
    return {"server": case.server, "payload": case.payload.value, **asdict(case.load)}


def _describe_case(results: Results, case: Case) -> dict[str, Any]:
    return {
        **_name_case(case),
        "server_us": results.median(case, lambda found: found.server_us),
        "rps": results.median(case, lambda found: found.rps),
        "p50_us": results.median(case, lambda found: found.p50_us),
        "p99_us": results.median(case, lambda found: found.p99_us),
        "of_floor": results.ratio(case),
        "rounds": [{"round": number, **asdict(found)} for number, found in results.rounds[case].items()],
    }


def _environment(report: Report) -> Iterator[str]:
    machine = _machine()
    yield f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}, Python {machine['python']}"
    yield (
        f"medians of {report.plan.rounds} interleaved rounds of {report.plan.seconds:g} s; "
        f"servers on core {SERVER_CORE}, load on core {LOAD_CORE}"
    )
    if SERVER_CORE == LOAD_CORE:
        yield "one core only: server and load generator share it, requests a second mean little"
    for name, reason in report.missing.items():
        yield f"not measured: {name}: {reason}"


def _case_table(results: Results) -> Iterator[str]:
    rows = [("load", "payload", "server", "req/s", "CPU us/req", "x floor", "p50 us", "p99 us", "")]
    previous = None
    for case in results.rounds:
        ratio = results.ratio(case)
        load = "" if case.load == previous else str(case.load)
        previous = case.load
        rows.append(
            (
                load,
                case.payload.value,
                case.server,
                f"{results.median(case, lambda found: found.rps):,.0f}",
                f"{results.median(case, lambda found: found.server_us):,.2f}",
                "-" if ratio is None else f"{ratio:.3f}",
                f"{results.median(case, lambda found: found.p50_us):,.0f}",
                f"{results.median(case, lambda found: found.p99_us):,.0f}",
                _remark(results, case),
            )
        )
    if len(rows) > 1:
        yield from _align(rows)
        yield "load: bytes, connections x requests under way on each"
        yield "x floor: speed by server CPU against the raw echo; HTTP: against the aiohttp handler of the same payload"
        yield "SOAP: against spyne; thrift: against the threaded server of thriftpy2"
        yield "requests are those answered well; errors are of all rounds, warm-up and drain too"
    for case, rounds in results.rounds.items():
        if text := next((found.first_error.strip() for found in rounds.values() if found.first_error), ""):
            yield f"first error of {case.server}, {case.payload}, {case.load}: {text}"
    for case, reason in results.failures.items():
        yield f"failed: {case.server}, {case.payload}, {case.load}: {reason}"


def _remark(results: Results, case: Case) -> str:
    remarks = []
    rounds = results.rounds[case].values()
    if errors := sum(found.errors for found in rounds):
        statuses = sorted({found.first_status for found in rounds if found.first_status})
        remarks.append(f"{errors} errors" + (f" (status {', '.join(map(str, statuses))})" if statuses else ""))
    if results.median(case, lambda found: found.client_share) > _CLIENT_LIMIT:
        remarks.append("load generator busy")
    return ", ".join(remarks)


def _other_lines(report: Report) -> Iterator[str]:
    if report.latency:
        found = report.latency
        yield (
            f"added latency at {found.rate:.0f} requests/s, all on one core: "
            f"p50 {found.added_p50_us:,.0f} us, p99 {found.added_p99_us:,.0f} us "
            f"(direct {found.direct_p50_us:,.0f} and {found.direct_p99_us:,.0f}, "
            f"through the gateway {found.gateway_p50_us:,.0f} and {found.gateway_p99_us:,.0f})"
        )
    for name, cost in report.idle.items():
        yield (
            f"idle connection, {name}: {cost.opened_pss / 1024:.2f} KiB, after a call {cost.used_pss / 1024:.2f} KiB "
            f"(of {cost.connections})"
        )
    if report.startup:
        yield f"start-up: polyport --help {report.startup.help_s:.3f} s, serve {report.startup.serve_s:.3f} s"


def _choice_lines(choices: Mapping[str, ChoiceCost]) -> Iterator[str]:
    if not choices:
        return
    rows = [(f"one of {PROVIDERS}", "", "", "all alike us", "mixed us", "first ms", "")]
    rows += [
        (name, "", "", f"{cost.equal_us:.2f}", f"{cost.mixed_us:.2f}", f"{cost.prepare_ms:.1f}", "")
        for name, cost in choices.items()
    ]
    yield from _align(rows)
    yield "mixed: weights from 1 to 400, a third warming up, 800 calls in progress; first: after the providers changed"


def _scale_lines(cost: ScaleCost | None) -> Iterator[str]:
    if cost is None:
        return
    total = SERVICES * SCALE_PROVIDERS
    yield (
        f"{total} providers of {SERVICES} services: reading {cost.read_us * total / 1e6:.1f} s, "
        f"opening {cost.load_us * total / 1e6:.1f} s, a change of one service {cost.change_ms:.1f} ms, "
        f"a choice {cost.choice_us:.2f} us; {cost.endpoint_bytes:.0f} bytes an endpoint, "
        f"{cost.provider_bytes:.0f} with all that calls it (all CPU time)"
    )


def _target_lines(targets: Sequence[Target]) -> Iterator[str]:
    for target in targets:
        mark = "ok  " if target.reached else "MISS"
        yield f"{mark} {target.name}: {target.found or 'not measured'}, wanted {target.wanted}"
    yield f"{sum(target.reached for target in targets)} of {len(targets)} targets reached"


def _align(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Columns as wide as their widest cell: the first three hold words, the numbers end at the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if 3 <= at < len(row) - 1 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
