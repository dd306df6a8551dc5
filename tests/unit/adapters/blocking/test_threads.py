"""What carries work between threads: the pool, the handover to the loop, and the places for calls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from time import monotonic

import pytest

from adapters.blocking.handover import Handover
from adapters.blocking.pool import Pool
from adapters.blocking.slots import Slots
from gateway.model.errors import Overloaded

pytestmark = pytest.mark.timeout(30)


async def until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + 5
    while not condition():
        assert monotonic() < deadline
        await asyncio.sleep(0.001)


async def test_everything_handed_over_is_done_once_in_order_and_on_the_loop() -> None:
    hand_over, done = Handover(asyncio.get_running_loop()), list[tuple[int, int]]()
    home = threading.get_ident()
    elsewhere: list[int] = []

    def note(thread: int, number: int) -> None:
        done.append((thread, number))
        if threading.get_ident() != home:
            elsewhere.append(number)

    def hand(thread: int) -> None:
        for number in range(2_000):
            hand_over(note, thread, number)

    await asyncio.gather(*(asyncio.to_thread(hand, thread) for thread in range(4)))
    await until(lambda: len(done) == 8_000)
    assert elsewhere == []
    for thread in range(4):
        assert [number for each, number in done if each == thread] == list(range(2_000))


async def test_what_comes_while_a_thread_holds_is_done_when_it_lets_go() -> None:
    hand_over, done = Handover(asyncio.get_running_loop()), list[int]()
    inside, go = threading.Event(), threading.Event()

    def hold() -> None:
        with hand_over.held():
            hand_over(done.append, 1)
            inside.set()
            go.wait(5)

    holding = asyncio.create_task(asyncio.to_thread(hold))
    await asyncio.to_thread(inside.wait, 5)
    hand_over(done.append, 2)
    await asyncio.to_thread(lambda: None)
    assert done == []
    go.set()
    await holding
    await until(lambda: done == [1, 2])
    hand_over(done.append, 3)
    await until(lambda: done == [1, 2, 3])


async def test_a_thread_waits_for_what_it_handed_over_but_not_for_ever() -> None:
    hand_over, done = Handover(asyncio.get_running_loop()), list[int]()
    blocked = threading.Event()

    def settled(most_s: float) -> list[int]:
        hand_over(done.append, len(done))
        hand_over.settle(most_s)
        return list(done)

    def late() -> list[int]:
        hand_over(blocked.wait, 5)
        found = settled(0.01)
        blocked.set()
        return found

    for number in range(200):
        assert len(await asyncio.to_thread(settled, 5)) == number + 1
    # The loop is busy with something else: nothing of it is done.
    assert len(await asyncio.to_thread(late)) == 200
    assert len(await asyncio.to_thread(settled, 5)) == 202
    began = monotonic()
    await asyncio.to_thread(hand_over.settle, 5)
    assert monotonic() - began < 1


async def test_a_failure_does_not_keep_the_others_from_their_turn(caplog: pytest.LogCaptureFixture) -> None:
    hand_over, done = Handover(asyncio.get_running_loop()), list[int]()
    hand_over(done.append, 1)
    hand_over(lambda: 1 / 0)
    hand_over(done.append, 2)
    await until(lambda: done == [1, 2])
    assert "failed" in caplog.text


async def test_a_pool_has_no_more_threads_than_it_may_and_no_more_than_it_needs() -> None:
    pool, go, running, most, lock = Pool(3, "test-pool"), threading.Event(), [0], [0], threading.Lock()

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        go.wait(5)
        with lock:
            running[0] -= 1
        done.append(1)

    done: list[int] = []
    for _ in range(20):
        pool.submit(work)
    await until(lambda: running[0] == 3)
    go.set()
    await until(lambda: len(done) == 20)
    assert most == [3]
    await until(lambda: pool._idle == 3)
    pool.submit(lambda: done.append(2))
    await until(lambda: done[-1] == 2)
    names = [each.name for each in threading.enumerate() if each.name.startswith("test-pool")]
    assert len(names) == 3
    await asyncio.to_thread(pool.close, 5.0)
    assert not [each for each in threading.enumerate() if each.name.startswith("test-pool")]
    pool.submit(lambda: done.append(3))
    assert done[-1] == 2


async def test_a_pool_without_a_further_thread_goes_on_with_those_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, go, done = Pool(3, "test-few"), threading.Event(), list[int]()
    pool.submit(lambda: done.append(go.wait(5)))

    def exhausted(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", exhausted)
        pool.submit(lambda: done.append(2))
        with pytest.raises(RuntimeError):
            Pool(1, "test-none").submit(lambda: None)
    go.set()
    await until(lambda: done == [True, 2])
    await asyncio.to_thread(pool.close, 5.0)
    assert not [each for each in threading.enumerate() if each.name.startswith("test-few")]


async def test_a_pool_survives_work_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    pool, done = Pool(1, "test-raise"), list[int]()
    pool.submit(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    pool.submit(lambda: done.append(1))
    await until(lambda: done == [1])
    assert "failed" in caplog.text
    await asyncio.to_thread(pool.close, 5.0)


async def test_places_are_given_in_order_and_none_is_lost() -> None:
    slots, order = Slots(2, "places"), list[int]()

    async def use(number: int) -> None:
        if slots.is_free:
            slots.take()
        else:
            await slots.wait(monotonic() + 5)
        order.append(number)
        await asyncio.sleep(0)
        slots.give_back()

    await asyncio.gather(*(use(number) for number in range(50)))
    assert order == list(range(50))
    assert slots.taken == 0


async def test_places_that_come_later_are_given_to_those_who_wait() -> None:
    slots = Slots(1, "places")
    slots.take()
    waiting = [asyncio.create_task(slots.wait(monotonic() + 5)) for _ in range(3)]
    await asyncio.sleep(0)
    slots.widen(3)
    slots.widen(2)
    await asyncio.gather(*waiting[:2])
    assert (slots.taken, slots.is_free, waiting[2].done()) == (3, False, False)
    slots.give_back()
    await waiting[2]
    assert slots.taken == 3


async def test_who_gives_up_takes_no_place() -> None:
    slots = Slots(1, "places")
    slots.take()
    with pytest.raises(Overloaded):
        await slots.wait(monotonic() + 0.01)
    waiting = asyncio.create_task(slots.wait(monotonic() + 5))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    both = asyncio.create_task(slots.wait(monotonic() + 5))
    await asyncio.sleep(0)
    # The place comes in the same turn of the loop in which it is given up.
    slots.give_back()
    both.cancel()
    await asyncio.gather(both, return_exceptions=True)
    assert slots.taken == 0
    assert slots.is_free
