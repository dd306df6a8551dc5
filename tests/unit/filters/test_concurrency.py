import asyncio

import pytest

from gateway.filters.concurrency import Concurrency, ConcurrencyOptions
from gateway.model.call import Invocation, Ok, Result
from gateway.model.errors import ConnectionLost, Overloaded, Retry
from tests.support.fake_invoker import FakeInvoker, invocation


async def test_calls_beyond_the_limit_are_refused_at_once_and_a_finished_call_makes_room() -> None:
    finish = asyncio.Event()

    async def wait(_: Invocation) -> Result:
        await finish.wait()
        return Ok(1)

    limit, provider = Concurrency(ConcurrencyOptions(limit=2)), FakeInvoker(1, wait)
    running = [asyncio.ensure_future(limit(invocation(), provider)) for _ in range(2)]
    await asyncio.sleep(0)
    assert limit.running == 2
    with pytest.raises(Overloaded, match=r"demo\.Catalog: 2 calls in progress") as caught:
        await limit(invocation(), provider)
    assert caught.value.retry is Retry.SAFE
    assert len(provider.calls) == 2
    finish.set()
    await asyncio.gather(*running)
    assert limit.running == 0
    await limit(invocation(), provider)


async def test_a_failed_and_a_cancelled_call_make_room_too() -> None:
    async def forever(_: Invocation) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    limit = Concurrency(ConcurrencyOptions(limit=1))
    with pytest.raises(ConnectionLost):
        await limit(invocation(), FakeInvoker(1, ConnectionLost("cut")))
    task = asyncio.ensure_future(limit(invocation(), FakeInvoker(1, forever)))
    await asyncio.sleep(0)
    assert limit.running == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert limit.running == 0


async def test_a_call_that_is_never_begun_takes_no_place() -> None:
    limit = Concurrency(ConcurrencyOptions(limit=1))
    limit(invocation(), FakeInvoker(1)).close()
    assert limit.running == 0


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5"])
def test_a_limit_is_a_positive_number(limit: str) -> None:
    with pytest.raises(ValueError, match="limit"):
        ConcurrencyOptions.model_validate({"limit": limit})


async def test_a_total_bounds_all_limits_together() -> None:
    finish = asyncio.Event()

    async def wait(_: Invocation) -> Result:
        await finish.wait()
        return Ok(1)

    limit = Concurrency(ConcurrencyOptions(limit=2, total=3, per=("consumer",)))
    provider = FakeInvoker(1, wait)
    running = [asyncio.ensure_future(limit(invocation(consumer=name), provider)) for name in ("a", "a", "b")]
    await asyncio.sleep(0)
    for name, why in (("a", "2 calls in progress"), ("b", "3 calls in progress in all"), ("c", "in all")):
        with pytest.raises(Overloaded, match=why):
            await limit(invocation(consumer=name), provider)
    finish.set()
    await asyncio.gather(*running)
