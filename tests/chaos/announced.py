"""Providers that a registry names, and how to see that it does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from gateway.model.errors import GatewayError
from tests.chaos.ground import Ground
from tests.chaos.node import Node
from tests.chaos.registry_server import SESSION_S, listed, registry_section

__all__ = ["AGAIN_S", "CALLERS", "PAUSE_S", "all_listed", "announced", "still_listed"]

CALLERS: Final = 8
PAUSE_S: Final = 0.02
"""With 20 ms at the provider: 200 calls a second."""
AGAIN_S: Final = SESSION_S + 3.0
"""One session time, and what a busy machine takes to begin processes and to reconnect."""
_PROVIDERS: Final = 3
_STAY_S: Final = 60.0
_QUICK_STAY_S: Final = 1.5 * SESSION_S


async def announced(
    ground: Ground,
    *registries: str,
    first: int = 1,
    count: int = _PROVIDERS,
    environ: Mapping[str, str] | None = None,
) -> list[Node]:
    """Providers of `Work` that announce themselves. `registries`: where each of them finds the registry, the last of
    them all that are left; `first`: the number of the first."""
    return list(
        await asyncio.gather(
            *(
                ground.provider(
                    f"provider-{first + index}",
                    service="announce: [home]",
                    more=registry_section(ground.wire, registries[min(index, len(registries) - 1)]),
                    environ=environ,
                )
                for index in range(count)
            )
        )
    )


async def all_listed(ground: Ground, port: int, nodes: Sequence[Node], problems: list[str]) -> float:
    """Waits until all are in the registry; gives the seconds it took."""
    began = monotonic()
    wanted = {each.address for each in nodes}
    found: set[str] = set()
    while monotonic() - began < AGAIN_S:
        with suppress(GatewayError, OSError, TimeoutError):
            async with asyncio.timeout(AGAIN_S):
                found = set(await listed(ground.wire, port))
            if found >= wanted:
                return monotonic() - began
        await asyncio.sleep(0.1)
    problems.append(f"{len(wanted - found)} providers are not in the registry {AGAIN_S:g} s after the fault")
    return AGAIN_S


async def still_listed(ground: Ground, port: int, nodes: Sequence[Node], problems: list[str]) -> None:
    """Nobody is lost later, when what was there before the fault ends."""
    await asyncio.sleep(_QUICK_STAY_S if ground.quick else _STAY_S)
    missing = {each.address for each in nodes} - set(await listed(ground.wire, port))
    if missing:
        problems.append(f"{len(missing)} providers went missing later")
