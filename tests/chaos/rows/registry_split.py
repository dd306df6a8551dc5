"""Z10: two simple registries that know each other are split, merge, and come back empty, while calls go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from bench.ports import free_port
from gateway.routing.providers import Providers
from tests.chaos.announced import AGAIN_S, PAUSE_S, all_listed, announced
from tests.chaos.gate import gate_to
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.registry_server import SESSION_S, SimpleServer, consuming, listed, registry_section
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]

_CALLERS: Final = 4
"""Of each of the two consumers."""
_LONG_S: Final = 10.0
"""The lease of the provider that withdraws while one registry cannot hear it, which would name it for so long."""
_SECOND_ID: Final = 1_000_001


async def run(ground: Ground) -> Outcome:
    """One consumer asks one of them, another one both; each of them hears of some providers, and of all through the
    other."""
    problems: list[str] = []
    ports = [free_port(), free_port()]
    drops = ground.drops_packets
    async with (
        gate_to(ports[0], drops_packets=drops, host="127.0.0.2") as to_a,
        gate_to(ports[1], drops_packets=drops, host="127.0.0.3") as to_b,
        gate_to(ports[1], drops_packets=drops, host="127.0.0.4") as leaver_to_b,
    ):
        a = SimpleServer(ground, "registry-a", ports[0], [to_b.address])
        b = SimpleServer(ground, "registry-b", ports[1], [to_a.address])
        at_a, at_b = (f"127.0.0.1:{each}" for each in ports)
        try:
            await asyncio.gather(a.start(), b.start())
            nodes = await announced(ground, at_a, at_b, count=2)
            leaver = await ground.provider(
                "leaver",
                service="announce: [home]",
                more=registry_section("simple", f"{at_a},{leaver_to_b.address}", _LONG_S),
            )
            await _listed_everywhere(ground, ports, [*nodes, leaver], problems)
            async with (
                consuming(registry_section("simple", at_a)) as one,
                consuming(registry_section("simple", f"{at_a},{at_b}")) as other,
            ):
                loads = [
                    Load(each.work, callers=_CALLERS, pause_s=PAUSE_S, first_id=first)
                    for each, first in ((one, 1), (other, _SECOND_ID))
                ]
                async with loads[0].running(), loads[1].running():
                    await _more(loads)
                    # Somebody withdraws at one of them, and the other hears of it only afterwards.
                    for gate in (to_a, to_b, leaver_to_b):
                        gate.cut()
                    await leaver.stop()
                    async with _absent(leaver, (one.look, other.look), problems):
                        leaver_to_b.mend()
                        to_a.mend()
                        to_b.mend()
                        merged_s = await _gone_everywhere(ports, leaver, problems)
                        await asyncio.sleep(SESSION_S if ground.quick else _LONG_S + SESSION_S)
                        await _listed_everywhere(ground, ports, nodes, problems)
                        await _more(loads)
                        # Longer than a lease, and somebody new comes to each side.
                        to_a.cut()
                        to_b.cut()
                        nodes += await announced(ground, at_a, at_b, first=3, count=2)
                        await asyncio.sleep(2 * SESSION_S if ground.quick else ground.seconds)
                        for port, here in zip(ports, (nodes[::2], nodes[1::2]), strict=True):
                            if set(await listed("simple", port)) != {each.address for each in here}:
                                problems.append("what a registry names in a split is not what it hears itself")
                        await _more(loads)
                        to_a.mend()
                        to_b.mend()
                        worst_s = await _listed_everywhere(ground, ports, nodes, problems)
                        await _more(loads)
                        # One is empty, the other, then both.
                        for dying in ((b,), (a,), (a, b)):
                            await asyncio.gather(*(each.kill() for each in dying))
                            await asyncio.sleep(1.0 if ground.quick else 2 * SESSION_S)
                            await asyncio.gather(*(each.start() for each in dying))
                            worst_s = max(worst_s, await _listed_everywhere(ground, ports, nodes, problems))
                            await _more(loads)
        finally:
            await asyncio.gather(a.kill(), b.kill())
    executed = ground.executed()
    judged = [judge(each, executed) for each in loads]
    text = "; ".join(text for text, _ in judged)
    return Outcome(
        f"{text}; a withdrawal is everywhere {merged_s:.1f} s after a merge, all others after {worst_s:.1f} s at most",
        [*problems, *judged[0][1], *judged[1][1]],
    )


async def _more(loads: Sequence[Load]) -> None:
    await asyncio.gather(*(each.more(50) for each in loads))


async def _listed_everywhere(ground: Ground, ports: Sequence[int], nodes: Sequence[Node], problems: list[str]) -> float:
    return max(await asyncio.gather(*(all_listed(ground, each, nodes, problems) for each in ports)))


async def _gone_everywhere(ports: Sequence[int], node: Node, problems: list[str]) -> float:
    """Seconds until no registry names it."""
    began = monotonic()
    while monotonic() - began < AGAIN_S:
        found = await asyncio.gather(*(listed("simple", each) for each in ports))
        if not any(node.address in each for each in found):
            return monotonic() - began
        await asyncio.sleep(0.1)
    problems.append("a provider that withdrew in a split is still named")
    return AGAIN_S


@asynccontextmanager
async def _absent(node: Node, looks: Sequence[Callable[[], Providers]], problems: list[str]) -> AsyncIterator[None]:
    """A provider that withdrew does not come back to those who had seen it go."""
    seen_gone = [False for _ in looks]

    async def watch() -> None:
        while True:
            for index, look in enumerate(looks):
                is_there = any(each.endpoint.address == node.address for each in look().invokers)
                if is_there and seen_gone[index]:
                    problems.append("a provider that withdrew is back at a consumer")
                    seen_gone[index] = False
                seen_gone[index] |= not is_there
            await asyncio.sleep(0.01)

    task = asyncio.create_task(watch())
    try:
        yield
        if not all(seen_gone):
            problems.append("a consumer still has a provider that withdrew")
    finally:
        task.cancel()


ROWS: Final = (
    Row(
        "Z10",
        "two registries split, merge, come back empty",
        "no call fails; all leases are at both within one lease; who withdrew stays away",
        run,
        ("simple",),
        cuts_network=True,
        in_quick=False,
    ),
)
