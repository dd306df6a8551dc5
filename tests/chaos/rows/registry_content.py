"""Z4, Z5, Z7 and clocks: what stands in a registry is taken out, flaps, makes no sense, or is dated wrongly."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final
from urllib.parse import quote

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError
from redis.asyncio import Redis

from gateway.cli.registry_target import open_registry
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.registry import Registry
from tests.chaos.announced import CALLERS, PAUSE_S, all_listed, announced
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.node import Node
from tests.chaos.process_clock import ProcessClock
from tests.chaos.registry_server import KINDS, SESSION_S, consumer, consuming, listed, registry_section, registry_server
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]

_FLAPPING: Final = 100
_FLAP_S: Final = 0.1
_FLAPS_S: Final = 600.0
_QUICK_FLAPS_S: Final = 3.0
_GROWTH: Final = 48 << 20
"""Of memory while a hundred providers come and go: their connections are made and closed all the time."""
_SKEW_S: Final = 300
_SKEWED: Final = 3
"""Providers, the first of which has the right time."""
_INTERFACE: Final = "chaos.Work"
_NODES: Final = f"/dubbo/{_INTERFACE}/providers"
"""The path, and the key, below which Dubbo keeps providers."""
_BAD: Final = (
    "no url at all",
    "override://0.0.0.0/chaos.Work?category=configurators&weight=0",
    "script://0.0.0.0/chaos.Work?rule=java.lang.System.exit(0)",
    "dubbo://10.0.0.1:99999/chaos.Work?interface=chaos.Work",
    "dubbo://10.0.0.1/chaos.Work",
    "thrift+unknown://10.0.0.1:9090/chaos.Work?interface=chaos.Work",
    "dubbo://10.0.0.1:20880/other.Service?interface=other.Service",
    "dubbo://10.0.0.1:20880/chaos.Work?weight=1e99&interface=chaos.Work",
    "dubbo://10.0.0.1:20880/chaos.Work?interface=chaos.Work&x=" + "y" * 100_000,
    "!!python/object/apply:os.system ['true']",
)


async def run_emptied(ground: Ground) -> Outcome:
    """Somebody deletes everything, again and again, without withdrawing it; those who announced it put it back."""
    problems: list[str] = []
    emptied = 0
    async with registry_server(ground) as server:
        nodes = await announced(ground, f"127.0.0.1:{server.port}")
        async with consumer(ground.wire, server.port) as work:
            load = Load(work, callers=CALLERS, pause_s=PAUSE_S)
            async with load.running():
                ends = monotonic() + (2.0 if ground.quick else ground.seconds)
                while monotonic() < ends:
                    emptied += await _EMPTIERS[ground.wire](server.port)
                    await load.more(50)
                await all_listed(ground, server.port, nodes, problems)
                await load.more(50)
    if not emptied:
        problems.append("nothing was deleted")
    text, more = judge(load, ground.executed())
    return Outcome(f"{emptied} entries deleted: {text}", problems + more)


async def run_flapping(ground: Ground) -> Outcome:
    """A hundred providers are announced and withdrawn every 100 ms."""
    problems: list[str] = []
    flaps = 0
    async with registry_server(ground) as server:
        await announced(ground, f"127.0.0.1:{server.port}")
        addresses = await ground.crowd("crowd", _FLAPPING)
        endpoints = [
            Endpoint("dubbo", "127.0.0.1", int(each.rpartition(":")[2]), ServiceKey(_INTERFACE)) for each in addresses
        ]
        async with consumer(ground.wire, server.port) as work:
            load = Load(work, callers=CALLERS, pause_s=PAUSE_S)
            flapping = await _opened(ground, server.port)
            try:
                async with load.running():
                    ends = monotonic() + (_QUICK_FLAPS_S if ground.quick else _FLAPS_S)
                    await _flap(flapping, endpoints)
                    before = _memory()
                    while monotonic() < ends:
                        await _flap(flapping, endpoints)
                        flaps += 1
                    grown = _memory() - before
                    await load.more(50)
            finally:
                await flapping.aclose()
    if grown > _GROWTH:
        problems.append(f"memory grew by {grown >> 20} MiB")
    text, more = judge(load, ground.executed(), may_fail_once=frozenset({"connection-lost"}))
    return Outcome(
        f"{flaps} times {_FLAPPING} providers came and went: {text}, {grown >> 20} MiB more", problems + more
    )


async def run_nonsense(ground: Ground) -> Outcome:
    """Entries that are no providers, and worse, stand beside the good ones."""
    async with registry_server(ground) as server:
        nodes = await announced(ground, f"127.0.0.1:{server.port}")
        async with consumer(ground.wire, server.port) as work:
            load = Load(work, callers=CALLERS, pause_s=PAUSE_S)
            async with load.running():
                await load.more(50)
                await _WRITERS[ground.wire](server.port)
                await load.more(200)
                found = set(await listed(ground.wire, server.port))
        async with consumer(ground.wire, server.port) as late:
            second = Load(late, callers=CALLERS, first_id=1_000_001)
            async with second.running():
                await second.more(50)
    problems = [] if found >= {each.address for each in nodes} else ["good entries are not shown beside the bad ones"]
    text, more = judge(load, ground.executed())
    _, late_problems = judge(second, ground.executed())
    return Outcome(f"{len(_BAD)} bad entries: {text}", [*problems, *more, *late_problems])


async def run_skewed(ground: Ground) -> Outcome:
    """The clocks of two providers and of a consumer are five minutes ahead or late, and jump by ten while they run."""
    problems: list[str] = []
    async with registry_server(ground) as server:
        at = f"127.0.0.1:{server.port}"
        clocks = [await ProcessClock.beside(ground.folder / f"clock-{index}") for index in range(4)]
        skews = (0, _SKEW_S, -_SKEW_S, -_SKEW_S)
        for clock, skew_s in zip(clocks, skews, strict=True):
            clock.set(skew_s)
        nodes: list[Node] = []
        for index, clock in enumerate(clocks[:_SKEWED]):
            nodes += await announced(ground, at, environ=clock.environ, first=index + 1, count=1)
        section = registry_section(ground.wire, at)
        remote = "registries: [home]\nwarmup: 0s"
        behind = await ground.gateway("consumer", (), remote=remote, more=section, environ=clocks[_SKEWED].environ)
        async with consuming(section, warmup="0s") as right, ground.client(behind) as wrong:
            loads = [
                Load(work, callers=CALLERS // 2, pause_s=PAUSE_S, first_id=first)
                for work, first in ((right.work, 1), (wrong, 1_000_001))
            ]
            async with loads[0].running(), loads[1].running():
                for turn in (1, -1):
                    for clock, skew_s in zip(clocks, skews, strict=True):
                        clock.set(turn * skew_s)
                    await asyncio.sleep(3 * SESSION_S if ground.quick else ground.seconds)
                    await all_listed(ground, server.port, nodes, problems)
                    await asyncio.gather(*(load.more(50) for load in loads))
            # Who stops withdraws, whatever time it thinks it is.
            await nodes[1].stop()
            left = await listed(ground.wire, server.port)
            if nodes[1].address in left:
                problems.append("a provider that stopped is still there")
    executed = ground.executed()
    judged = [judge(load, executed) for load in loads]
    text = "; ".join(each for each, _ in judged)
    return Outcome(f"clocks wrong by {_SKEW_S} s: {text}", [*problems, *judged[0][1], *judged[1][1]])


async def _opened(ground: Ground, port: int) -> Registry:
    registry = open_registry(f"{ground.wire}://127.0.0.1:{port}", None)
    await registry.start()
    return registry


async def _flap(registry: Registry, endpoints: Sequence[Endpoint]) -> None:
    await asyncio.gather(*(registry.register(each) for each in endpoints))
    await asyncio.sleep(_FLAP_S)
    await asyncio.gather(*(registry.unregister(each) for each in endpoints))
    await asyncio.sleep(_FLAP_S)


def _memory() -> int:
    with open("/proc/self/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()


def _zookeeper(act: Callable[[KazooClient], int]) -> Callable[[int], Awaitable[int]]:
    """Does something in a ZooKeeper server, with a client of its own."""

    def run(port: int) -> int:
        client = KazooClient(f"127.0.0.1:{port}")
        client.start(10)
        try:
            return act(client)
        finally:
            client.stop()
            client.close()

    return lambda port: asyncio.to_thread(run, port)


def _delete_nodes(client: KazooClient) -> int:
    names = client.get_children(_NODES)
    for name in names:
        with suppress(NoNodeError):
            client.delete(f"{_NODES}/{name}")
    return len(names)


def _write_nodes(client: KazooClient) -> int:
    for each in _BAD:
        client.create(f"{_NODES}/{quote(each, safe='')}", b"", makepath=True)
    client.create(f"{_NODES}/%", b"")
    return len(_BAD)


async def _delete_fields(port: int) -> int:
    async with Redis(port=port) as client:
        count = await client.hlen(_NODES)
        await client.delete(_NODES)
        # As if somebody had come, so that everybody looks.
        await client.publish(_NODES, "register")
        return int(count)


async def _write_fields(port: int) -> int:
    async with Redis(port=port) as client:
        for each in _BAD:
            await client.hset(_NODES, each, str(10**15))
        await client.hset(_NODES, "dubbo://10.0.0.1:1/chaos.Work?interface=chaos.Work", "no time")
        await client.hset(_NODES, b"\xff\xfe", b"\xff")
        await client.publish(_NODES, "register")
        await client.publish(_NODES, b"\xff")
    return len(_BAD)


_EMPTIERS: Final = {"zookeeper": _zookeeper(_delete_nodes), "redis": _delete_fields}
_WRITERS: Final = {"zookeeper": _zookeeper(_write_nodes), "redis": _write_fields}

ROWS: Final = (
    Row(
        "Z4",
        "everything deleted",
        "no call fails; everybody is there again",
        run_emptied,
        tuple(_EMPTIERS),
        in_quick=False,
    ),
    Row("Z5", "100 providers flap", "no call fails; memory stays", run_flapping, KINDS, in_quick=False),
    Row("Z7", "entries that make no sense", "skipped; the others stay", run_nonsense, tuple(_WRITERS), in_quick=False),
    Row("Z8", "clocks wrong by five minutes", "nobody is lost, nobody stays", run_skewed, KINDS, in_quick=False),
)
