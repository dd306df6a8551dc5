"""Z1, Z3, Z10: a registry dies, stands still, forgets everything, or cannot be reached, while calls go on."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from gateway.model.errors import GatewayError
from tests.chaos.gate import gate_to
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.registry_server import (
    KINDS,
    SESSION_S,
    RegistryServer,
    consumer,
    listed,
    registry_section,
    registry_server,
)
from tests.chaos.row import Outcome, Row
from tests.support.work_service import recorded

__all__ = ["ROWS"]

_PROVIDERS: Final = 3
_CALLERS: Final = 8
_PAUSE_S: Final = 0.02
"""With 20 ms at the provider: 200 calls a second."""
_AWAY_S: Final = (1.0, 30.0, 120.0)
_QUICK_AWAY_S: Final = (1.0,)
_AGAIN_S: Final = SESSION_S + 3.0
"""One session time, and what a busy machine takes to begin processes and to reconnect."""
_STAY_S: Final = 60.0
_QUICK_STAY_S: Final = 1.5 * SESSION_S
_Fault = Callable[[RegistryServer, float], Awaitable[None]]


async def _killed(server: RegistryServer, away_s: float) -> None:
    await server.kill()
    await asyncio.sleep(away_s)
    await server.start()


async def _emptied(server: RegistryServer, away_s: float) -> None:
    await server.kill()
    await server.wipe()
    await asyncio.sleep(away_s)
    await server.start()


async def _paused(server: RegistryServer, away_s: float) -> None:
    server.send(signal.SIGSTOP)
    await asyncio.sleep(away_s)
    server.send(signal.SIGCONT)


_FAULTS: Final[tuple[_Fault, ...]] = (_killed, _emptied, _paused)


async def run_outages(ground: Ground) -> Outcome:
    """One fault after the other, short and long ones; after each everybody is in the registry again."""
    problems: list[str] = []
    slowest_s = 0.0
    faults = 0
    async with registry_server(ground) as server:
        nodes = await _providers(ground, server.port)
        async with consumer(ground.wire, server.port) as work:
            load = Load(work, callers=_CALLERS, pause_s=_PAUSE_S)
            async with load.running():
                for fault in _FAULTS[:1] if ground.quick else _FAULTS:
                    for away_s in _QUICK_AWAY_S if ground.quick else _AWAY_S:
                        await load.more(50)
                        await fault(server, away_s)
                        faults += 1
                        took_s = await _all_there(ground, server.port, nodes, problems)
                        slowest_s = max(slowest_s, took_s)
                        await load.more(100)
                await _still_there(ground, server.port, nodes, problems)
    text, more = judge(load, ground.executed())
    return Outcome(f"{faults} outages: {text}; all there again after {slowest_s:.1f} s at most", problems + more)


async def run_partitions(ground: Ground) -> Outcome:
    """The registry cannot be reached by a provider, then not by the consumer, longer than a session lasts."""
    problems: list[str] = []
    async with registry_server(ground) as server:
        at = Node("registry", server.port, (), ground.folder / "none.log")
        async with (
            gate_to(at, drops_packets=False) as provider_gate,
            gate_to(at, drops_packets=False) as consumer_gate,
        ):
            ports = [int(each.address.rpartition(":")[2]) for each in (provider_gate, consumer_gate)]
            nodes = await _providers(ground, server.port, apart=ports[0])
            async with consumer(ground.wire, ports[1]) as work:
                load = Load(work, callers=_CALLERS, pause_s=_PAUSE_S)
                async with load.running():
                    for gate in (provider_gate, consumer_gate):
                        await load.more(100)
                        gate.cut()
                        await asyncio.sleep(2 * SESSION_S if ground.quick else ground.seconds)
                        await load.more(100)
                        gate.mend()
                        took_s = await _all_there(ground, server.port, nodes, problems)
                        await load.more(100)
    shares = [recorded(ground.folder / f"{each.name}.calls").total() for each in nodes]
    if min(shares) == 0:
        problems.append(f"the providers got {shares} calls")
    text, more = judge(load, ground.executed())
    return Outcome(f"2 partitions: {text}; all there again after {took_s:.1f} s", problems + more)


async def run_restarts(ground: Ground) -> Outcome:
    """Providers are killed and begun anew at once, while the registry still has what they announced before."""
    problems: list[str] = []
    async with registry_server(ground) as server:
        nodes = await _providers(ground, server.port)
        async with consumer(ground.wire, server.port) as work:
            load = Load(work, callers=_CALLERS, pause_s=_PAUSE_S)
            async with load.running():
                for node in nodes:
                    await load.more(50)
                    await node.kill()
                    await node.start()
                    await asyncio.sleep(0.5)
                await _all_there(ground, server.port, nodes, problems)
                await _still_there(ground, server.port, nodes, problems)
    text, more = judge(load, ground.executed(), may_fail_once=frozenset({"connection-lost"}))
    return Outcome(f"{len(nodes)} restarts: {text}", problems + more)


async def _providers(ground: Ground, port: int, apart: int = 0) -> Sequence[Node]:
    """Providers that announce themselves. `apart`: the port at which the first of them reaches the registry."""
    return await asyncio.gather(
        *(
            ground.provider(
                f"provider-{index + 1}",
                service="announce: [home]",
                more=registry_section(ground.wire, apart if apart and not index else port),
            )
            for index in range(_PROVIDERS)
        )
    )


async def _all_there(ground: Ground, port: int, nodes: Sequence[Node], problems: list[str]) -> float:
    """Waits until all are in the registry; gives the seconds it took."""
    began = monotonic()
    wanted = {each.address for each in nodes}
    found: set[str] = set()
    while monotonic() - began < _AGAIN_S:
        with suppress(GatewayError, OSError, TimeoutError):
            async with asyncio.timeout(_AGAIN_S):
                found = set(await listed(ground.wire, port))
            if found >= wanted:
                return monotonic() - began
        await asyncio.sleep(0.1)
    problems.append(f"{len(wanted - found)} providers are not in the registry {_AGAIN_S:g} s after the fault")
    return _AGAIN_S


async def _still_there(ground: Ground, port: int, nodes: Sequence[Node], problems: list[str]) -> None:
    """Nobody is lost later, when what was there before the fault ends."""
    await asyncio.sleep(_QUICK_STAY_S if ground.quick else _STAY_S)
    missing = {each.address for each in nodes} - set(await listed(ground.wire, port))
    if missing:
        problems.append(f"{len(missing)} providers went missing later")


ROWS: Final = (
    Row(
        "Z1",
        "registry killed, emptied, paused",
        "no call fails; everybody is announced again within a session",
        run_outages,
        KINDS,
    ),
    Row(
        "Z2",
        "providers restarted before their old entries end",
        "the new entries stay when the old ones go",
        run_restarts,
        KINDS,
        in_quick=False,
    ),
    Row(
        "Z3",
        "registry out of reach of a provider, of the consumer",
        "no call fails; the list is kept",
        run_partitions,
        KINDS,
        in_quick=False,
    ),
)
