import asyncio

import pytest

from gateway.filters.adaptive_concurrency import AdaptiveConcurrency, AdaptiveConcurrencyOptions
from gateway.model.call import Invocation, Ok, Result
from gateway.model.errors import ConnectFailed, DeadlineExceeded, Overloaded, Retry
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, endpoint, invocation


def adaptive(clock: FakeClock, **options: object) -> AdaptiveConcurrency:
    return AdaptiveConcurrency(AdaptiveConcurrencyOptions.model_validate(options), clock, lambda: 0.0)


async def call(
    each: AdaptiveConcurrency, clock: FakeClock, took_s: float, answer: Result | Exception, at_once: int = 1
):
    """Calls that run together and take so long."""
    finish = asyncio.Event()

    async def wait(_: Invocation) -> Result:
        await finish.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    running = [asyncio.ensure_future(each(invocation(), FakeInvoker(1, wait))) for _ in range(at_once)]
    await asyncio.sleep(0)
    clock.advance(took_s)
    finish.set()
    return await asyncio.gather(*running, return_exceptions=True)


async def test_calls_beyond_the_limit_are_refused_at_once() -> None:
    clock = FakeClock()
    each = adaptive(clock, initial=5)
    outcomes = await call(each, clock, 0.01, Ok(1), at_once=8)
    refused = [error for error in outcomes if isinstance(error, Overloaded)]
    assert len(refused) == 3
    assert all(error.retry is Retry.SAFE for error in refused)
    assert str(refused[0]) == "demo.Catalog: 5 calls in progress, and more would have to wait"
    assert each.refusals == {("local", "adaptive-concurrency"): 3}


async def test_answers_that_stay_fast_let_it_grow_and_slow_ones_make_it_shrink() -> None:
    clock = FakeClock()
    each = adaptive(clock, initial=10)
    for _ in range(40):
        await call(each, clock, 0.01, Ok(1), at_once=10)
    assert each.limit > 10
    high = each.limit
    for _ in range(4):
        await call(each, clock, 0.2, Ok(1), at_once=10)
    assert each.limit < high / 2


async def test_expired_deadlines_make_it_shrink_and_other_errors_say_nothing() -> None:
    clock = FakeClock()
    each = adaptive(clock, initial=10)
    for _ in range(6):
        await call(each, clock, 0.01, Ok(1), at_once=10)
    before = each.limit
    for _ in range(10):
        await call(each, clock, 1.0, ConnectFailed("down"), at_once=10)
    assert each.limit == before
    for _ in range(10):
        await call(each, clock, 1.0, DeadlineExceeded("late"), at_once=10)
    assert each.limit < before / 2


async def test_a_full_provider_is_passed_over() -> None:
    clock = FakeClock()
    each = adaptive(clock, initial=3, per="provider")
    here, there = each.at(endpoint(1)), each.at(endpoint(2))

    async def forever(_: Invocation) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    running = [asyncio.ensure_future(here(invocation(), FakeInvoker(1, forever))) for _ in range(3)]
    await asyncio.sleep(0)
    assert (here.available, there.available) == (False, True)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert here.available


async def test_other_bounds_hold_at_once() -> None:
    clock = FakeClock()
    each = adaptive(clock, initial=50)
    each.update(AdaptiveConcurrencyOptions(initial=10, max_limit=10))
    assert each.limit == 10
    each.update(AdaptiveConcurrencyOptions(initial=30, min_limit=30))
    assert each.limit == 30


def test_the_bounds_must_be_in_order() -> None:
    with pytest.raises(ValueError, match="min_limit <= initial <= max_limit"):
        AdaptiveConcurrencyOptions(initial=5, max_limit=4)
