"""Z6: a registry with 50,000 providers is pushed in full to a consumer that calls all the time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from bench.registries.population import PROVIDERS, SERVICES, service
from bench.registries.stall import watching_stalls
from gateway.cli.collector import tuned_collector
from gateway.config.load import load_text
from gateway.plugins.catalog import Catalog
from gateway.routing.directory import Directory
from gateway.runtime.app import App
from tests.chaos.announced import CALLERS, PAUSE_S, announced
from tests.chaos.filler import fill
from tests.chaos.gate import gate_to
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.registry_server import KINDS, registry_entry, registry_server
from tests.chaos.row import Outcome, Row
from tests.support.work_service import Work

__all__ = ["ROWS"]

_KNOWN_S: Final = 15.0
"""A second core is taken by the registry, and this one by calls as well."""
_STALL_S: Final = 0.05
_PATIENCE_S: Final = 120.0
_BIG_SESSION_S: Final = 60.0
"""Of the processes with thousands of entries: nothing is to end here but connections."""


async def run(ground: Ground) -> Outcome:
    """The way to the registry is closed at first; then everything comes at once, and a second time after a cut."""
    problems: list[str] = []
    async with (
        registry_server(ground) as server,
        gate_to(server.port, drops_packets=ground.drops_packets, host="127.0.0.2") as gate,
    ):
        await fill(ground, server.port)
        await announced(ground, f"127.0.0.1:{server.port}")
        gate.cut()
        with tuned_collector():
            async with _consuming(ground, server.port, gate.address) as (work, directories):
                load = Load(work, callers=CALLERS, pause_s=PAUSE_S)
                async with load.running(), watching_stalls() as stalls:
                    await load.more(100)
                    stalls.longest_s = 0.0
                    gate.mend()
                    known_s = await _all(directories, _is_full)
                    first_ms = stalls.longest_s * 1000
                    await load.more(100)
                    gate.cut()
                    await _all(directories, _is_stale)
                    lost_ms = stalls.longest_s * 1000
                    gate.mend()
                    again_s = await _all(directories, _is_fresh)
                    await load.more(100)
                    longest_ms = stalls.longest_s * 1000
                    fewest = min(len(each.providers.invokers) for each in directories)
    if max(known_s, again_s) > _KNOWN_S:
        problems.append(f"it took {known_s:.1f} and {again_s:.1f} s, {_KNOWN_S:g} s are allowed")
    if longest_ms > _STALL_S * 1000:
        problems.append(f"the loop stood still for {longest_ms:.0f} ms")
    if fewest < PROVIDERS:
        problems.append(f"a service was left with {fewest} providers")
    text, more = judge(load, ground.executed())
    stalled = f"longest stalls {first_ms:.0f}, {lost_ms:.0f}, {longest_ms:.0f} ms"
    return Outcome(
        f"{SERVICES} services with {PROVIDERS} providers known in {known_s:.1f} s, again in {again_s:.1f} s, "
        f"{stalled}: {text}",
        problems + more,
    )


@asynccontextmanager
async def _consuming(ground: Ground, port: int, gate: str) -> AsyncIterator[tuple[Work, list[Directory]]]:
    registries = {
        "home": registry_entry(ground.wire, f"127.0.0.1:{port}"),
        "big": registry_entry(ground.wire, gate, _BIG_SESSION_S),
    }
    many = {
        f"many{number}": {
            "generic": True,
            "interface": service(number).interface,
            "version": service(number).version,
            "remote": {"registries": ["big"]},
        }
        for number in range(SERVICES)
    }
    contract = "tests.support.work_service:Work"
    services = {"work": {"contract": contract, "remote": {"registries": ["home"], "timeout": "2s"}}, **many}
    text = [
        "application: {name: consumer, last_known: off, drain: 1s, registry_wait: 1s}",
        "registries: " + json.dumps(registries),
        "services: " + json.dumps(services),
    ]
    catalog = Catalog()
    async with App(load_text("\n".join(text), "consumer.yaml", catalog), catalog) as app:
        assert app._plan is not None
        # mypy takes a Protocol for abstract where a class is asked for.
        work = app.reference("work", Work)  # type: ignore[type-abstract,unused-ignore]
        yield work, [app._plan.directories[each] for each in many]


def _is_full(directory: Directory) -> bool:
    return len(directory.providers.invokers) == PROVIDERS and _is_fresh(directory)


def _is_fresh(directory: Directory) -> bool:
    return "stale" not in directory.providers.origin


def _is_stale(directory: Directory) -> bool:
    return not _is_fresh(directory)


async def _all(directories: list[Directory], holds: Callable[[Directory], bool]) -> float:
    """Waits until it holds of each of them; gives the seconds."""
    began = monotonic()
    left = directories
    while left := [each for each in left if not holds(each)]:
        if monotonic() - began > _PATIENCE_S:
            raise TimeoutError(f"{len(left)} of {len(directories)} lists do not come")
        await asyncio.sleep(0.05)
    return monotonic() - began


ROWS: Final = (
    Row(
        "Z6",
        "50,000 providers pushed in full",
        f"no call fails; known within {_KNOWN_S:g} s, no stall over {_STALL_S * 1000:g} ms",
        run,
        KINDS,
        cuts_network=True,
        in_quick=False,
    ),
)
