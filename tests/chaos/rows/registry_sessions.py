"""Z2: sessions and leases end while those who hold them live, and calls go on."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from typing import Final, Protocol

from kazoo.client import KazooClient
from redis.asyncio import Redis

from gateway.cli.registry_target import open_registry
from gateway.spi.registry_ability import EditableRegistry, ListedRegistry
from tests.chaos.announced import CALLERS, PAUSE_S, all_listed, announced, still_listed
from tests.chaos.gate import Gate, gate_to
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.registry_server import KINDS, SESSION_S, consuming, registry_section, registry_server
from tests.chaos.row import Outcome, Row
from tests.support.relay import Relay, relaying

__all__ = ["ROWS"]

_PROVIDERS: Final = 3
_NODES: Final = "/dubbo/chaos.Work/providers"
"""The path, and the key, below which Dubbo keeps providers."""
# apache/zookeeper: zookeeper-jute/src/main/resources/zookeeper.jute, ConnectResponse: version, time-out, session,
# password, whether it is read-only; in front of it its length.
_CONNECTED: Final = struct.Struct(">iiiqi16s?")
_PASSWORD: Final = 16
_LAPSED: Final = "1"
"""An end of a lease: a millisecond after the beginning of 1970."""


class _Ending(Protocol):
    """How sessions end, in one kind of registry. `addresses`: where each provider, and then the consumer, finds it."""

    addresses: Sequence[str]

    async def end(self, turn: int) -> None:
        """Ends some of them, in a way that depends on the turn. Raises `RuntimeError` when they have not ended."""


class _InZookeeper:
    """Somebody else takes a session over and ends it, which its holder learns as if it had expired; or the nodes are
    those of another session for a while."""

    def __init__(self, port: int, relays: Sequence[Relay]) -> None:
        self.addresses = [each.address for each in relays]
        self._port = port
        self._relays = relays

    async def end(self, turn: int) -> None:
        providers = self._relays[:_PROVIDERS]
        match turn % 4:
            case 0:
                await asyncio.gather(*(self._expire(each) for each in providers))
            case 1:
                await self._expire(providers[turn // 4 % _PROVIDERS])
            case 2:
                await self._expire(self._relays[_PROVIDERS])
            case _:
                await asyncio.to_thread(self._take_over_nodes)

    async def _expire(self, relay: Relay) -> None:
        before = _session(relay)
        await asyncio.to_thread(self._with_client, lambda _: None, before)
        ends = monotonic() + SESSION_S + 3.0
        while _session(relay) == before:
            if monotonic() > ends:
                raise RuntimeError("a session did not end")
            await asyncio.sleep(0.01)

    def _take_over_nodes(self) -> None:
        self._with_client(_own_all)

    def _with_client(self, act: Callable[[KazooClient], None], session: tuple[int, bytes] | None = None) -> None:
        client = KazooClient(f"127.0.0.1:{self._port}", client_id=session)
        client.start(10)
        try:
            act(client)
        finally:
            client.stop()
            client.close()


def _own_all(client: KazooClient) -> None:
    """From now on the nodes are of this session, and end with it."""
    for name in client.get_children(_NODES):
        change = client.transaction()
        change.delete(f"{_NODES}/{name}")
        change.create(f"{_NODES}/{name}", b"", ephemeral=True)
        change.commit()


def _session(relay: Relay) -> tuple[int, bytes]:
    """Number and password of the last session that went through."""
    found, start, data = (0, b""), 0, bytes(relay.received)
    while start + 4 <= len(data):
        (length,) = struct.unpack_from(">i", data, start)
        if length == _CONNECTED.size - 4 and start + _CONNECTED.size <= len(data):
            _, version, _, session, size, password, _ = _CONNECTED.unpack_from(data, start)
            if (version, size) == (0, _PASSWORD):
                found = (session, password)
        start += 4 + length
    return found


class _InRedis:
    """Leases are over, and looked at; or somebody clears away what it takes for dead, and says so, as Dubbo does."""

    def __init__(self, port: int) -> None:
        self.addresses = [f"127.0.0.1:{port}"]
        self._port = port

    async def end(self, turn: int) -> None:
        async with Redis(port=self._port, decode_responses=True) as client:
            fields = list(await client.hkeys(_NODES))
            chosen = fields if turn % 2 else fields[:1]
            if turn % 4 < 2:
                await client.hset(_NODES, mapping=dict.fromkeys(chosen, _LAPSED))
                await client.publish(_NODES, "register")
            else:
                await client.hdel(_NODES, *chosen)
                await client.publish(_NODES, "unregister")


class _InSimple:
    """Nobody is heard until all leases are over; or somebody takes back an entry that is not its own. Never all of
    them: that is how people say that nobody is to be called."""

    def __init__(self, port: int, gate: Gate) -> None:
        self.addresses = [*([gate.address] * _PROVIDERS), f"127.0.0.1:{port}"]
        self._port = port
        self._gate = gate

    async def end(self, turn: int) -> None:
        if turn % 3 == 2:
            self._gate.cut()
            await asyncio.sleep(2 * SESSION_S)
            gone = not await self._entries()
            self._gate.mend()
            if not gone:
                raise RuntimeError("leases did not end")
        else:
            await self._entries(remove=turn % _PROVIDERS)

    async def _entries(self, remove: int | None = None) -> int:
        registry = open_registry(f"simple://127.0.0.1:{self._port}", None)
        await registry.start()
        try:
            assert isinstance(registry, ListedRegistry)
            assert isinstance(registry, EditableRegistry)
            found = (await registry.listing()).endpoints
            if remove is not None and not await registry.remove(found[remove]):
                raise RuntimeError("there is nothing to take back")
            return len(found)
        finally:
            await registry.aclose()


@asynccontextmanager
async def _ending(kind: str, port: int) -> AsyncIterator[_Ending]:
    async with AsyncExitStack() as stack:
        if kind == "zookeeper":
            server = f"127.0.0.1:{port}"
            relays = [await stack.enter_async_context(relaying(server)) for _ in range(_PROVIDERS + 1)]
            yield _InZookeeper(port, relays)
        elif kind == "redis":
            yield _InRedis(port)
        else:
            yield _InSimple(port, await stack.enter_async_context(gate_to(port, drops_packets=False)))


async def run(ground: Ground) -> Outcome:
    """Ends sessions again and again; after each time everybody is there again."""
    problems: list[str] = []
    worst_s, turns = 0.0, 0
    async with registry_server(ground) as server, _ending(ground.wire, server.port) as ending:
        nodes = await announced(ground, *ending.addresses[:_PROVIDERS], count=_PROVIDERS)
        async with consuming(registry_section(ground.wire, ending.addresses[-1])) as consumer:
            load = Load(consumer.work, callers=CALLERS, pause_s=PAUSE_S)
            async with load.running():
                ends = monotonic() + ground.seconds
                for turns in itertools.count():
                    # Every way at least once.
                    if monotonic() > ends and turns >= 4:
                        break
                    await load.more(50)
                    await ending.end(turns)
                    worst_s = max(worst_s, await all_listed(ground, server.port, nodes, problems))
                    await load.more(50)
                await still_listed(ground, server.port, nodes, problems)
    text, more = judge(load, ground.executed())
    return Outcome(f"{turns} times: {text}; all there again after {worst_s:.1f} s at most", problems + more)


ROWS: Final = (
    Row(
        "Z2",
        "sessions end while their holders live",
        "no call fails; everybody is announced again within a session, and stays",
        run,
        KINDS,
        in_quick=False,
    ),
)
