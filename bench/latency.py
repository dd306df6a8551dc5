"""What the gateway adds to a call's latency, at a fixed rate with everything on one core.

One core, because a wake-up across cores of a virtual machine costs more than the gateway and differs from minute to
minute; a fixed rate, because a closed loop slows down with the server and hides its waits.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bench.cases import TARGET_LOAD, Payload, Plan
from bench.frames import build_request
from bench.loadgen import LoadFailed, LoadGenerator, Measurement
from bench.process import LOAD_CORE, SERVER_CORE, Server
from bench.servers import FORWARDED, Lineup

_CONNECTIONS = 4
_OUTSTANDING = 64
"""The most requests under way on a connection: room for a stall, which then shows in the latencies."""


@dataclass(frozen=True, slots=True)
class AddedLatency:
    """Microseconds; each difference is the median over the rounds."""

    rate: float
    direct_p50_us: float
    direct_p99_us: float
    gateway_p50_us: float
    gateway_p99_us: float
    added_p50_us: float
    added_p99_us: float


def measure_added_latency(
    plan: Plan, lineup: Lineup, generator: LoadGenerator, announce: Callable[[str], None]
) -> AddedLatency | None:
    """Calls the provider directly and through the gateway in turn. None when the gateway is not there.

    Raises:
        LoadFailed: a run broke off, or calls failed: the latency of the others would say little.
    """
    gateway = lineup.running.get(FORWARDED)
    if gateway is None:
        return None
    request = build_request(Payload.STRING, TARGET_LOAD.size)

    def run(server: Server) -> Measurement:
        found = replace(generator, core=SERVER_CORE).run(
            server,
            request,
            connections=_CONNECTIONS,
            outstanding=_OUTSTANDING,
            warmup_s=plan.warmup_s,
            seconds=plan.latency_seconds,
            rate=plan.latency_rate,
        )
        if found.errors or not found.n:
            raise LoadFailed(f"{found.errors} calls failed, {found.n} were answered {found.first_error}".rstrip())
        return found

    pairs: list[tuple[Measurement, Measurement]] = []
    with _moved(lineup.behind):
        for number in range(plan.rounds):
            announce(f"added latency at {plan.latency_rate:.0f} requests a second: round {number + 1}/{plan.rounds}")
            pairs.append((run(lineup.behind), run(gateway)))
    median = statistics.median
    return AddedLatency(
        rate=plan.latency_rate,
        direct_p50_us=median(direct.p50_us for direct, _ in pairs),
        direct_p99_us=median(direct.p99_us for direct, _ in pairs),
        gateway_p50_us=median(through.p50_us for _, through in pairs),
        gateway_p99_us=median(through.p99_us for _, through in pairs),
        added_p50_us=median(through.p50_us - direct.p50_us for direct, through in pairs),
        added_p99_us=median(through.p99_us - direct.p99_us for direct, through in pairs),
    )


@contextmanager
def _moved(provider: Server) -> Iterator[None]:
    provider.move(SERVER_CORE)
    try:
        yield
    finally:
        provider.move(LOAD_CORE)
