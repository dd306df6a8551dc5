"""What every store of kept calls must do, asked of each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.failback.redis_store import RedisStore
from gateway.failback.sqlite_store import SqliteStore
from gateway.spi.failback import CallStore, StoredCall, StoreError, Tally
from tests.support.redis_server import RedisServer, redis_server

LEASE_S = 60.0
Make = Callable[..., CallStore]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["sqlite", "redis"])
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Make]:
    """Opens the same store once more each time, as another process would."""
    opened: list[CallStore] = []

    def open_store(limit: int = 1_000, max_bytes: int = 1_000_000) -> CallStore:
        store: CallStore
        if request.param == "sqlite":
            store = SqliteStore(tmp_path / "calls.db", limit, max_bytes)
        else:
            running = request.getfixturevalue("server")
            store = RedisStore(running.url, f"{request.node.name}", limit, max_bytes)
        opened.append(store)
        return store

    yield open_store
    for each in opened:
        await each.aclose()


async def started(make: Make, **bounds: int) -> CallStore:
    store = make(**bounds)
    await store.start()
    return store


def call(
    name: str, reference: str = "orders", *, delay_s: float = -1.0, body: bytes = b"{}", **more: Any
) -> StoredCall:
    import time

    now = time.time()
    return StoredCall(name, reference, now, now + 3600, now + delay_s, body, more.pop("digest", f"d-{name}"), **more)


def names(calls: Any) -> list[str]:
    return [each.id for each in calls]


async def test_a_call_comes_back_as_it_was_kept(make: Make) -> None:
    store = await started(make)
    kept = call("a", body='{"é": 1}'.encode(), error="connect-failed: refused")

    assert await store.add(kept) == 0

    found = await store.find("a")
    assert found is not None
    assert (found.id, found.reference, found.body, found.digest) == (kept.id, kept.reference, kept.body, kept.digest)
    assert (found.created, found.expires) == (kept.created, kept.expires)
    assert (found.error, found.attempts, found.dead) == ("connect-failed: refused", 0, False)
    assert await store.find("b") is None


async def test_only_calls_that_are_due_are_claimed_oldest_first_and_by_one_alone(make: Make) -> None:
    store, other = await started(make), await started(make)
    for name in ("a", "b", "c"):
        await store.add(call(name))
    await store.add(call("later", delay_s=3600))
    await store.add(call("foreign", "stock"))

    first = await store.claim("orders", 2, LEASE_S)
    second = await other.claim("orders", 10, LEASE_S)

    assert (names(first), names(second)) == (["a", "b"], ["c"])
    assert [each.attempts for each in (*first, *second)] == [1, 1, 1]
    assert await store.claim("orders", 10, LEASE_S) == []
    assert names(await store.claim("stock", 10, LEASE_S)) == ["foreign"]
    assert await store.claim("nothing", 10, LEASE_S) == []


async def test_claims_at_the_same_time_share_the_calls(make: Make) -> None:
    store, other = await started(make), await started(make)
    await asyncio.gather(*(store.add(call(f"{number:03}")) for number in range(100)))

    claimed = await asyncio.gather(*(each.claim("orders", 10, LEASE_S) for each in [store, other] * 5))

    assert sorted(name for part in claimed for name in names(part)) == [f"{number:03}" for number in range(100)]


async def test_what_was_claimed_by_somebody_who_died_is_claimed_again_when_the_lease_ends(make: Make) -> None:
    store = await started(make)
    await store.add(call("a"))
    assert names(await store.claim("orders", 1, 0.0)) == ["a"]
    await store.aclose()

    other = await started(make)
    (again,) = await other.claim("orders", 1, LEASE_S)
    assert (again.id, again.attempts) == ("a", 2)


async def test_a_finished_call_is_forgotten(make: Make) -> None:
    store = await started(make)
    await store.add(call("a"))
    (claimed,) = await store.claim("orders", 1, LEASE_S)

    await store.finish(claimed)
    await store.finish(claimed)

    assert await store.find("a") is None
    assert await store.tally() == {}
    # Its id is free again.
    await store.add(call("a", digest="other"))


async def test_a_postponed_call_is_due_after_its_delay(make: Make) -> None:
    store = await started(make)
    await store.add(call("a"))
    await store.add(call("b"))
    first, second = await store.claim("orders", 2, LEASE_S)

    await store.postpone(first, 3600, "overloaded: busy")
    await store.postpone(second, 0.0, "connection-lost: cut")

    (again,) = await store.claim("orders", 2, LEASE_S)
    assert (again.id, again.attempts, again.error) == ("b", 2, "connection-lost: cut")
    waiting = await store.find("a")
    assert waiting is not None
    assert waiting.error == "overloaded: busy"
    assert waiting.due > again.created + 3000


async def test_a_buried_call_is_kept_and_not_claimed(make: Make) -> None:
    store = await started(make)
    await store.add(call("a", body=b"12345"))
    await store.add(call("b", delay_s=3600))
    (claimed,) = await store.claim("orders", 2, 0.0)

    await store.bury(claimed, "no such method")

    assert await store.claim("orders", 2, 0.0) == []
    dead = await store.find("a")
    assert dead is not None
    assert (dead.dead, dead.error) == (True, "no such method")
    assert await store.tally() == {"orders": Tally(waiting=1, dead=1, size=7)}


async def test_revived_calls_are_due_at_once_dead_or_not(make: Make) -> None:
    store = await started(make)
    await store.add(call("a"))
    (claimed,) = await store.claim("orders", 1, LEASE_S)
    await store.bury(claimed, "no such method")
    for name in ("b", "c"):
        await store.add(call(name, delay_s=3600))

    assert await store.revive("a") == 1
    assert names(await store.claim("orders", 5, LEASE_S)) == ["a"]
    assert await store.revive("nothing") == 0
    assert await store.revive(None) == 3
    assert sorted(names(await store.claim("orders", 5, LEASE_S))) == ["a", "b", "c"]


async def test_calls_are_discarded_by_id_by_state_or_all(make: Make) -> None:
    store = await started(make)
    for name in ("a", "b", "c"):
        await store.add(call(name))
    await store.add(call("d", "stock"))
    first, *_ = await store.claim("orders", 1, LEASE_S)
    await store.bury(first, "no such method")

    assert await store.discard("c") == 1
    assert await store.discard("c") == 0
    assert await store.discard("b", dead_only=True) == 0
    assert await store.discard(None, dead_only=True) == 1
    assert await store.tally() == {"orders": Tally(1, 0, 2), "stock": Tally(1, 0, 2)}
    assert await store.discard(None) == 2
    assert await store.tally() == {}


async def test_beyond_the_limit_the_oldest_of_the_same_reference_is_dropped(make: Make) -> None:
    store = await started(make, limit=3)
    await store.add(call("foreign", "stock"))
    for name in ("a", "b", "c"):
        assert await store.add(call(name)) == 0

    assert await store.add(call("d")) == 1

    assert names(await store.page("orders", "", 10)) == ["b", "c", "d"]
    assert await store.find("foreign") is not None
    assert (await store.tally())["orders"] == Tally(3, 0, 6)


async def test_beyond_the_bytes_as_many_of_the_oldest_are_dropped_as_it_takes(make: Make) -> None:
    store = await started(make, max_bytes=100)
    for name in ("a", "b", "c"):
        await store.add(call(name, body=b"x" * 30))

    assert await store.add(call("d", body=b"x" * 60)) == 2

    assert names(await store.page("orders", "", 10)) == ["c", "d"]
    with pytest.raises(StoreError, match="the call has 101 bytes"):
        await store.add(call("e", body=b"x" * 101))
    assert names(await store.page("orders", "", 10)) == ["c", "d"]


async def test_what_was_dropped_while_it_was_resent_is_no_trouble(make: Make) -> None:
    store = await started(make, limit=1)
    await store.add(call("a"))
    (claimed,) = await store.claim("orders", 1, LEASE_S)
    await store.add(call("b"))

    await store.postpone(claimed, 0.0, "x")
    await store.bury(claimed, "x")
    await store.finish(claimed)

    assert await store.tally() == {"orders": Tally(1, 0, 2)}


async def test_the_same_call_is_kept_once_and_another_one_under_its_id_is_refused(make: Make) -> None:
    store = await started(make)
    await store.add(call("a"))

    assert await store.add(call("a", body=b"{ }")) == 0
    with pytest.raises(StoreError, match="another call waits under the id a already"):
        await store.add(call("a", digest="other"))

    assert (await store.tally())["orders"].waiting == 1


async def test_pages_go_on_where_the_last_one_ended(make: Make) -> None:
    store = await started(make)
    for number in range(5):
        await store.add(call(f"o{number}"))
    for number in range(2):
        await store.add(call(f"s{number}", "stock"))

    seen: list[str] = []
    after = ""
    while page := await store.page(None, after, 3):
        assert len(page) <= 3
        seen += names(page)
        after = page[-1].handle
    assert seen == ["o0", "o1", "o2", "o3", "o4", "s0", "s1"]
    assert names(await store.page("stock", "", 10)) == ["s0", "s1"]


async def test_calls_that_are_kept_at_the_same_moment_have_their_own_fates(make: Make) -> None:
    store = await started(make, limit=4)
    await store.add(call("a"))

    fates = await asyncio.gather(
        store.add(call("a")),
        store.add(call("a", digest="other")),
        store.add(call("b")),
        store.add(call("c")),
        store.add(call("d")),
        store.add(call("e", "stock")),
        return_exceptions=True,
    )

    assert isinstance(fates[1], StoreError)
    assert [each for each in fates if not isinstance(each, StoreError)] == [0] * 5
    assert sorted(names(await store.page("orders", "", 10))) == ["a", "b", "c", "d"]
    assert await store.tally() == {"orders": Tally(4, 0, 8), "stock": Tally(1, 0, 2)}
    # Its sums are right, or it would drop too few or too many now.
    assert await store.add(call("f")) == 1
