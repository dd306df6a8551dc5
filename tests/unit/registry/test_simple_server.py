"""How a server tells its watchers, without a wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.model.errors import BadRequest, ConnectionLost, Overloaded
from registry.simple.contract import LIVE, Lease, Record, ServiceList
from registry.simple.server import SimpleServer
from registry.simple.table import Bounds, Table
from tests.support.simple_registry import until


class Ear:
    """A listener. `hold`: answers wait for it."""

    def __init__(self) -> None:
        self.told: list[list[ServiceList]] = []
        self.hold: asyncio.Event | None = None
        self.error: Exception | None = None

    async def changed(self, lists: list[ServiceList]) -> None:
        self.told.append(lists)
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error

    @property
    def interfaces(self) -> list[str]:
        return [each.interface_name for lists in self.told for each in lists]


def lease(number: int, client: str = "c") -> Lease:
    return Lease(client, number, 10_000, 10_000)


def record(number: int, interface: str = "x.A", key: str = "", client: str = "c", gone_ms: int = LIVE) -> Record:
    return Record(client, interface, key or f"k{number}", "dubbo://10.0.0.1:1/x.A", number, gone_ms)


@pytest.fixture
async def server() -> AsyncIterator[SimpleServer]:
    made = SimpleServer(Table(Bounds(watched_per_client=3)))
    made.start()
    yield made
    await made.aclose()


async def test_a_watcher_gets_the_list_of_the_moment_and_of_every_change(server: SimpleServer) -> None:
    ear = Ear()
    await server.announce(lease(1), [record(2)])
    await server.watch("c", ["x.A", "x.B"], ear)
    await until(lambda: len(ear.told) == 1)
    first, second = ear.told[0]
    assert first == ServiceList("x.A", [record(2)])
    assert second == ServiceList("x.B", [])
    await server.announce(lease(3), [record(4, "x.B"), record(5, "x.C")])
    await until(lambda: len(ear.told) == 2)
    assert ear.told[1] == [ServiceList("x.B", [record(4, "x.B")])]


async def test_a_slow_watcher_is_told_the_last_list_and_not_those_in_between(server: SimpleServer) -> None:
    ear = Ear()
    ear.hold = asyncio.Event()
    await server.announce(lease(1), [])
    await server.watch("c", ["x.A"], ear)
    await until(lambda: len(ear.told) == 1)
    for number in range(2, 100):
        await server.announce(lease(number), [record(number, key="k", gone_ms=0 if number % 2 else LIVE)])
        await asyncio.sleep(0)
    ear.hold.set()
    await until(lambda: len(ear.told) == 2)
    ((last,),) = ear.told[1:]
    assert [(each.sequence, each.gone_ms >= 0) for each in last.records] == [(99, True)]
    # Nothing more comes.
    await server.announce(lease(200), [record(201, "x.B")])
    await asyncio.sleep(0.05)
    assert len(ear.told) == 2


async def test_a_watcher_that_cannot_be_told_is_let_go_and_its_client_learns_that(server: SimpleServer) -> None:
    ear = Ear()
    assert (await server.heartbeat(lease(1), "")).watching == -1
    await server.watch("c", ["x.A"], ear)
    assert (await server.heartbeat(lease(2), "")).watching == 1
    await until(lambda: len(ear.told) == 1)
    ear.error = ConnectionLost("gone")
    await server.announce(lease(3), [record(4)])
    await until(lambda: len(ear.told) == 2)
    await asyncio.sleep(0)
    assert (await server.heartbeat(lease(5), "")).watching == -1


async def test_a_watch_ends_with_the_lease_of_its_client() -> None:
    server = SimpleServer()
    server.start()
    ear = Ear()
    await server.heartbeat(Lease("short", 1, 200, 200), "")
    await server.watch("short", ["x.A"], ear)
    await until(lambda: not server.table.is_there("short"))
    await until(lambda: not server._watchers)
    await server.aclose()


async def test_what_is_watched_no_more_is_told_no_more(server: SimpleServer) -> None:
    ear = Ear()
    await server.heartbeat(lease(1), "")
    await server.watch("c", ["x.A", "x.B"], ear)
    await until(lambda: len(ear.told) == 1)
    await server.unwatch("c", ["x.A", "x.Z"])
    await server.announce(lease(2), [record(3, "x.A"), record(4, "x.B")])
    await until(lambda: len(ear.told) == 2)
    assert ear.interfaces == ["x.A", "x.B", "x.B"]


async def test_another_listener_takes_the_place_of_the_one_before(server: SimpleServer) -> None:
    before, after = Ear(), Ear()
    await server.heartbeat(lease(1), "")
    await server.watch("c", ["x.A"], before)
    await server.watch("c", ["x.A"], after)
    await server.announce(lease(2), [record(3)])
    await until(lambda: bool(after.told))
    assert before.told == []


async def test_strangers_and_greedy_clients_are_refused(server: SimpleServer) -> None:
    with pytest.raises(BadRequest, match="no client nobody here"):
        await server.watch("nobody", ["x.A"], Ear())
    await server.heartbeat(lease(1), "")
    with pytest.raises(Overloaded, match="may watch 3 interfaces"):
        await server.watch("c", ["x.A", "x.B", "x.C", "x.D"], Ear())


async def test_entries_of_a_call_that_is_refused_are_not_taken(server: SimpleServer) -> None:
    with pytest.raises(BadRequest):
        await server.announce(lease(1), [record(2), record(3, client="other")])
    assert server.table.records("x.A") == []


async def test_whoever_asks_for_changes_waits_until_there_are_some(server: SimpleServer) -> None:
    await server.announce(lease(1), [record(2)])
    first = await server.changes("", 7, 0)
    assert first.records == [record(2)]
    waiting = asyncio.create_task(server.changes(first.instance, first.upto, 5_000))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await server.announce(lease(3), [record(4)])
    assert (await waiting).records == [record(4)]
    assert (await server.changes(first.instance, server.table.version, 1)).records == []
