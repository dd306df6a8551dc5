from __future__ import annotations

import datetime as dt

import pytest

from gateway.demo.store import DemoStore, NoNumber, NotStored
from tests.support.fake_clock import FakeClock


def seconds(count: float) -> dt.timedelta:
    return dt.timedelta(seconds=count)


async def test_values_are_stored_changed_and_removed() -> None:
    store = DemoStore()

    assert (await store.get("k"), await store.replace("k", b"v"), await store.append("k", b"x")) == (None, False, None)
    assert await store.add("k", b"v") is True
    assert await store.add("k", b"w") is False
    assert (await store.append("k", b">"), await store.prepend("k", b"<")) == (2, 3)
    assert await store.get("k") == b"<v>"
    assert await store.keys() == ["k"]
    assert (await store.delete("k"), await store.delete("k")) == (True, False)


async def test_the_old_value_is_given_when_it_goes() -> None:
    store = DemoStore()

    assert await store.exchange("k", b"v") is None
    assert (await store.exchange("k", b"w"), await store.get("k")) == (b"v", b"w")
    assert (await store.take("k"), await store.take("k"), await store.keys()) == (b"w", None, [])


async def test_values_expire() -> None:
    clock = FakeClock()
    store = DemoStore(clock=clock)
    await store.set("k", b"v", seconds(5))
    await store.set("for-ever", b"v")
    await store.set("over", b"v", seconds(0))

    assert await store.ttl("k") == seconds(5)
    assert await store.ttl("for-ever") is None
    assert await store.get("over") is None
    clock.advance(5)
    assert await store.get("k") is None
    with pytest.raises(NotStored):
        await store.ttl("k")
    assert await store.expire("k", None) is False
    assert await store.expire("for-ever", seconds(1)) is True
    assert await store.keys("for*") == ["for-ever"]
    clock.advance(1)
    assert await store.keys() == []


async def test_a_swap_needs_the_version_that_is_there() -> None:
    store = DemoStore()
    assert await store.swap("k", b"w", 1) is None
    await store.set("k", b"v", None, 7)
    entry = await store.entry("k")
    assert entry is not None
    assert (entry.value, entry.flags) == (b"v", 7)

    assert await store.swap("k", b"w", entry.version) is True
    assert await store.swap("k", b"x", entry.version) is False
    assert await store.get("k") == b"w"


async def test_numbers_are_counted_within_64_bits() -> None:
    store = DemoStore()
    assert await store.increment("n") is None
    await store.set("n", b"9")

    assert (await store.increment("n"), await store.increment("n", -20)) == (10, -10)
    assert await store.get("n") == b"-10"
    await store.set("n", b"9223372036854775807")
    with pytest.raises(NoNumber):
        await store.increment("n")
    await store.set("n", b"x")
    with pytest.raises(NoNumber):
        await store.increment("n")


async def test_a_count_stops_at_zero() -> None:
    store = DemoStore()
    assert await store.count("n") is None
    await store.set("n", b"10")

    assert (await store.count("n", 32), await store.count("n", -2), await store.count("n", -100)) == (42, 40, 0)
    assert await store.get("n") == b"0"
    await store.set("n", b"x")
    with pytest.raises(NoNumber):
        await store.count("n", -1)


async def test_a_count_begins_where_it_is_told_to() -> None:
    now = [0.0]
    store = DemoStore(clock=lambda: now[0])

    assert await store.count("n", 5, 13, dt.timedelta(seconds=9)) == 13
    assert (await store.count("n", 5, 13), await store.get("n")) == (18, b"18")
    now[0] = 9.0
    assert await store.count("n", 5) is None


async def test_the_oldest_goes_when_it_is_full() -> None:
    store = DemoStore(max_keys=2)
    for key in ("a", "b", "a", "c"):
        await store.set(key, b"v")

    assert await store.keys() == ["a", "c"]
    await store.clear()
    assert await store.keys() == []
