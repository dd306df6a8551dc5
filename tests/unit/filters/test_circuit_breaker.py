import asyncio
import logging

import pytest

from gateway.filters.circuit_breaker import CircuitBreaker, CircuitBreakerOptions
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import (
    RPC_ERRORS,
    ConnectFailed,
    Overloaded,
    Retry,
)
from gateway.spi.handler import Filter
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, endpoint, invocation

TROUBLE = {"connect-failed", "connection-lost", "deadline-exceeded", "provider-failed"}


def breaker(clock: FakeClock, **options: object) -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerOptions.model_validate({"min_calls": 4, **options}), clock)


async def call(each: Filter, answer: Result | BaseException, calls: int = 1) -> bool:
    """Whether the last of the calls was let through."""
    passed = False
    for _ in range(calls):
        provider = FakeInvoker(1, answer)
        try:
            await each(invocation(), provider)
        except BaseException as error:
            if error is not answer and not isinstance(error, Overloaded):
                raise
        passed = bool(provider.calls)
    return passed


@pytest.mark.parametrize("code", RPC_ERRORS)
async def test_trouble_opens_it_and_other_errors_say_nothing(code: str) -> None:
    each = breaker(FakeClock())
    await call(each, RPC_ERRORS[code]("so it is"), 4)
    assert await call(each, Ok(1)) is (code not in TROUBLE)


async def test_exceptions_of_the_service_count_only_where_that_is_said() -> None:
    fault = Fault("ValueError", "no")
    for faults in (False, True):
        each = breaker(FakeClock(), faults=faults)
        await call(each, fault, 4)
        assert await call(each, Ok(1)) is not faults


async def test_what_counts_as_trouble_can_be_chosen() -> None:
    each = breaker(FakeClock(), trouble=["overloaded"])
    await call(each, ConnectFailed("down"), 10)
    await call(each, Overloaded("busy"), 4)
    assert not await call(each, Ok(1))


async def test_the_refusal_says_which_limit_and_when_there_is_room_and_may_be_repeated() -> None:
    clock = FakeClock()
    each = breaker(clock, open="8s")
    await call(each, ConnectFailed("down"), 4)
    clock.advance(3)
    with pytest.raises(Overloaded, match=r"demo\.Catalog: the circuit is open for another 5 s") as caught:
        await each(invocation(), FakeInvoker(1))
    assert caught.value.retry is Retry.SAFE
    assert caught.value.retry_after_s == pytest.approx(5)
    assert each.refusals == {("local", "circuit-open"): 1}


async def test_probes_are_bounded_and_let_everybody_back_in() -> None:
    clock, finish = FakeClock(), asyncio.Event()
    each = breaker(clock, probes=2)

    async def wait(_: Invocation) -> Result:
        await finish.wait()
        return Ok(1)

    await call(each, ConnectFailed("down"), 4)
    clock.advance(5)
    probes = [asyncio.ensure_future(each(invocation(), FakeInvoker(1, wait))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="others are trying"):
        await each(invocation(), FakeInvoker(1))
    finish.set()
    await asyncio.gather(*probes)
    assert await call(each, Ok(1), 10)


async def test_a_cancelled_probe_makes_room_for_another() -> None:
    clock = FakeClock()
    each = breaker(clock)

    async def forever(_: Invocation) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    await call(each, ConnectFailed("down"), 4)
    clock.advance(5)
    probe = asyncio.ensure_future(each(invocation(), FakeInvoker(1, forever)))
    await asyncio.sleep(0)
    assert not await call(each, Ok(1))
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert await call(each, Ok(1))


async def test_an_open_one_per_provider_takes_that_provider_out_and_its_probe_lets_it_back() -> None:
    clock = FakeClock()
    each = breaker(clock, per="provider")
    here, there = each.at(endpoint(1)), each.at(endpoint(2))
    await call(here, ConnectFailed("down"), 4)
    assert (here.available, there.available) == (False, True)
    assert await call(there, Ok(1))
    clock.advance(5)
    assert here.available
    assert await call(here, ConnectFailed("down"))
    assert not here.available
    clock.advance(10)
    assert await call(here, Ok(1))
    assert here.available


async def test_names_made_up_for_each_call_share_one_circuit_when_there_are_too_many() -> None:
    each = breaker(FakeClock(), per="consumer", max_keys=2)
    down = FakeInvoker(1, ConnectFailed("down"))
    for number in range(100):
        with pytest.raises((ConnectFailed, Overloaded)):
            await each(invocation(consumer=f"made up {number}"), down)
    # Two keep a circuit that has seen one call each; the others opened theirs with the fourth.
    assert len(down.calls) == 2 + 4


async def test_it_says_once_in_a_while_that_it_opened_and_closed(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    each = breaker(clock, per="provider").at(endpoint(1))
    with caplog.at_level(logging.INFO, "polyport.limits"):
        await call(each, ConnectFailed("down"), 4)
        clock.advance(5)
        await call(each, ConnectFailed("down"))
        clock.advance(10)
        await call(each, Ok(1))
    shown = [(record.levelname, record.getMessage()) for record in caplog.records]
    # The second opening came too soon for a line of its own.
    assert shown == [
        ("WARNING", "demo.Catalog: the circuit is open"),
        ("INFO", "demo.Catalog: the circuit is closed"),
    ]
    assert vars(caplog.records[0])["provider"] == "dubbo://10.0.0.1:1"


async def test_other_rules_hold_from_the_next_call_on_and_what_was_seen_stays() -> None:
    each = breaker(FakeClock(), min_calls=100)
    await call(each, ConnectFailed("down"), 9)
    each.update(CircuitBreakerOptions(min_calls=10))
    await call(each, ConnectFailed("down"))
    assert not await call(each, Ok(1))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trouble": ["conect-failed"]}, "did you mean 'connect-failed'"),
        ({"open": "2m"}, "max_open must not be less than open"),
        ({"share": "0%"}, "share"),
        ({"growth": "0.5"}, "growth"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CircuitBreakerOptions.model_validate(given)
