import pytest

from gateway.filters.rate_limit import RateLimit, RateLimitOptions
from gateway.model.call import Ok
from gateway.model.errors import Overloaded, Retry
from gateway.spi.handler import Filter
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, endpoint, invocation

PROVIDER = FakeInvoker(1, Ok(1))


async def let_through(each: Filter, calls: int, consumer: str = "") -> int:
    """How many of so many calls at one moment."""
    passed = 0
    for _ in range(calls):
        try:
            await each(invocation(consumer=consumer), PROVIDER)
            passed += 1
        except Overloaded:
            pass
    return passed


async def test_a_burst_passes_and_then_as_many_as_the_rate_says() -> None:
    clock = FakeClock()
    each = RateLimit(RateLimitOptions(rate=10, burst=25), clock)
    assert await let_through(each, 100) == 25
    for _ in range(20):
        clock.advance(0.5)
        assert await let_through(each, 100) == 5
    clock.advance(3600)
    assert await let_through(each, 100) == 25


async def test_a_rate_below_one_lets_one_call_through_at_a_time() -> None:
    clock = FakeClock()
    each = RateLimit(RateLimitOptions(rate=0.5), clock)
    assert await let_through(each, 3) == 1
    clock.advance(1.9)
    assert await let_through(each, 3) == 0
    clock.advance(0.2)
    assert await let_through(each, 3) == 1


async def test_the_refusal_says_which_limit_and_when_there_is_room_and_may_be_repeated() -> None:
    each = RateLimit(RateLimitOptions(rate=0.25, burst=1), FakeClock())
    await let_through(each, 1)
    with pytest.raises(Overloaded, match=r"demo\.Catalog: more than 0\.25 calls per second \(burst 1\)") as caught:
        await each(invocation(), PROVIDER)
    assert caught.value.retry is Retry.SAFE
    assert caught.value.retry_after_s == pytest.approx(4.0)
    assert each.refusals == {("local", "rate-limit"): 1}


async def test_consumers_have_the_rate_each_from_their_first_call_on() -> None:
    clock = FakeClock()
    each = RateLimit(RateLimitOptions(rate=10, burst=10, per=("consumer",)), clock)
    assert await let_through(each, 20, "shop") == 10
    passed = {"shop": 0, "billing": 0}
    for _ in range(100):
        clock.advance(0.1)
        for name in passed:
            passed[name] += await let_through(each, 5, name)
    # 10 s at 10 a second, and a burst for the one that had none yet, as far as nobody else that was new had it.
    assert 99 <= passed["shop"] <= 101
    assert 99 <= passed["billing"] <= 111
    clock.advance(1)
    assert await let_through(each, 20, "shop") == 10
    assert await let_through(each, 20, "billing") == 10


async def test_a_new_name_for_each_call_is_worth_no_more_than_one_bucket() -> None:
    clock = FakeClock()
    each = RateLimit(RateLimitOptions(rate=10, burst=10, per=("consumer",), max_keys=50), clock)
    passed = 0
    for second in range(10):
        for number in range(100):
            passed += await let_through(each, 1, f"{second} {number}")
        clock.advance(1)
    assert passed == 10 + 9 * 10


async def test_going_away_and_coming_back_gives_nothing() -> None:
    clock = FakeClock()
    each = RateLimit(RateLimitOptions(rate=1, burst=5, per=("consumer",), max_keys=1), clock)
    assert await let_through(each, 10, "shop") == 5
    for number in range(100):
        await let_through(each, 10, f"made up {number}")
    clock.advance(1)
    assert await let_through(each, 10, "shop") <= 2


async def test_a_provider_without_tokens_is_passed_over() -> None:
    clock = FakeClock()
    each = RateLimit(RateLimitOptions(rate=1, burst=1, per=("provider",)), clock)
    here, there = each.at(endpoint(1)), each.at(endpoint(2))
    assert here.available
    assert await let_through(here, 5) == 1
    assert not here.available
    clock.advance(1)
    assert here.available
    assert there.available


async def test_another_rate_holds_from_the_next_call_on_and_what_was_used_stays_used() -> None:
    clock = FakeClock()
    each = RateLimit(RateLimitOptions(rate=1, burst=10), clock)
    assert await let_through(each, 4) == 4
    each.update(RateLimitOptions(rate=100, burst=5))
    assert await let_through(each, 10) == 5
    clock.advance(0.031)
    assert await let_through(each, 10) == 3
    each.update(RateLimitOptions(rate=100, burst=1_000))
    assert await let_through(each, 10) == 0


@pytest.mark.parametrize("given", [{}, {"rate": "0"}, {"rate": "-1"}, {"rate": "fast"}, {"rate": "1", "burst": "0"}])
def test_a_rate_is_a_positive_number(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"rate|burst"):
        RateLimitOptions.model_validate(given)


def test_the_default_burst_is_what_a_second_allows() -> None:
    assert RateLimitOptions.model_validate({"rate": "0.1"}).size == 1
    assert RateLimitOptions.model_validate({"rate": "50"}).size == 50
