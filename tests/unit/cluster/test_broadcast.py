import asyncio

import pytest

from gateway.cluster.broadcast import Broadcast, BroadcastOptions
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import BadRequest, ConnectFailed, DeadlineExceeded, NoProvider, Retry, RpcError
from tests.support.cluster_calls import Held, attempts, run
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, invocation
from tests.support.timeless import timeless


async def test_all_are_called_one_after_the_other_and_the_last_answer_is_given() -> None:
    answer = Ok(3)
    first, second = Held(Ok(1)), Held(Ok(2))
    invokers = [FakeInvoker(1, first), FakeInvoker(2, second), FakeInvoker(3, answer)]
    call = asyncio.create_task(run(Broadcast(), invokers))
    await first.begun.wait()
    assert attempts(invokers) == [1, 0, 0]
    first.release.set()
    await second.begun.wait()
    assert attempts(invokers) == [1, 1, 0]
    second.release.set()
    assert await call is answer


async def test_whoever_is_away_or_ejected_is_called_too() -> None:
    invokers = [FakeInvoker(1, available=False), FakeInvoker(2), FakeInvoker(3)]
    invokers[1].load.ejected = True
    await run(Broadcast(), invokers)
    assert attempts(invokers) == [1, 1, 1]


async def test_so_many_as_wanted_run_at_the_same_time_and_the_last_in_order_answers() -> None:
    held = [Held(Ok(number)) for number in range(3)]
    invokers = [FakeInvoker(port, each) for port, each in enumerate(held, 1)]
    call = asyncio.create_task(run(Broadcast(BroadcastOptions(parallel=2)), invokers))
    await held[1].begun.wait()
    assert attempts(invokers) == [1, 1, 0]
    held[1].release.set()
    await held[2].begun.wait()
    held[2].release.set()
    held[0].release.set()
    assert await call is held[2].answer


async def test_one_failure_is_an_error_that_names_who_failed_after_all_were_called() -> None:
    invokers = [FakeInvoker(1), FakeInvoker(2, ConnectFailed("refused")), FakeInvoker(3)]
    with pytest.raises(ConnectFailed) as caught:
        await run(Broadcast(), invokers)
    assert attempts(invokers) == [1, 1, 1]
    assert timeless(str(caught.value)) == (
        "demo.Catalog.find failed at 1 of 3 providers: dubbo://10.0.0.1:2 connect-failed: refused "
        "[registry 3, after rules 3, healthy 3, available 3]"
    )
    # The others have carried it out.
    assert caught.value.retry is Retry.IF_IDEMPOTENT
    assert caught.value.exhausted


async def test_when_nobody_has_begun_it_may_be_repeated() -> None:
    with pytest.raises(ConnectFailed) as caught:
        await run(Broadcast(), [FakeInvoker(1, ConnectFailed("refused"))])
    assert caught.value.retry is Retry.SAFE
    assert not caught.value.exhausted


async def test_the_error_is_the_gravest() -> None:
    errors: list[RpcError] = [ConnectFailed("refused"), BadRequest("args[0]: expected i32"), ConnectFailed("refused")]
    with pytest.raises(BadRequest, match="failed at 3 of 3") as caught:
        await run(Broadcast(), [FakeInvoker(port, each) for port, each in enumerate(errors)])
    assert caught.value.retry is Retry.NEVER


async def test_a_fault_is_the_answer_where_nobody_failed_otherwise() -> None:
    fault = Fault("demo.Refused", "no")
    invokers = [FakeInvoker(1), FakeInvoker(2, fault), FakeInvoker(3)]
    assert await run(Broadcast(), invokers) is fault
    assert attempts(invokers) == [1, 1, 1]
    invokers = [FakeInvoker(1, ConnectFailed("refused")), FakeInvoker(2, fault)]
    with pytest.raises(ConnectFailed, match=r"\(10\.0\.0\.1:2 answered with demo\.Refused\)"):
        await run(Broadcast(), invokers)


@pytest.mark.parametrize(("percent", "called"), [(100, 4), (75, 3), (50, 2), (26, 2), (25, 1), (1, 1)])
async def test_after_so_many_failures_the_rest_is_spared(percent: int, called: int) -> None:
    invokers = [FakeInvoker(port, ConnectFailed("refused")) for port in range(4)]
    with pytest.raises(ConnectFailed) as caught:
        await run(Broadcast(BroadcastOptions(fail_percent=percent)), invokers)
    assert sum(attempts(invokers)) == called
    assert ("not called" in str(caught.value)) == (called < 4)


async def test_nobody_is_called_after_the_deadline() -> None:
    clock = FakeClock()

    async def slow(_: Invocation) -> Result:
        clock.advance(1.0)
        return Ok(None)

    invokers = [FakeInvoker(port, slow) for port in range(4)]
    with pytest.raises(DeadlineExceeded, match="before 2 of 4 providers were called") as caught:
        await run(Broadcast(clock=clock), invokers, invocation(deadline=clock() + 1.5))
    assert sum(attempts(invokers)) == 2
    assert caught.value.exhausted


async def test_a_caller_that_hangs_up_ends_all_attempts() -> None:
    held = [Held() for _ in range(2)]
    invokers = [FakeInvoker(port, each) for port, each in enumerate(held)]
    call = asyncio.create_task(run(Broadcast(BroadcastOptions(parallel=9)), invokers))
    for each in held:
        await each.begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert all(each.cancelled for each in held)
    assert [(each.load.active, each.load.failed) for each in invokers] == [(0, 0), (0, 0)]


async def test_without_candidates_there_is_no_provider() -> None:
    with pytest.raises(NoProvider):
        await run(Broadcast(), [])


async def test_a_bug_in_an_invoker_ends_the_call_and_the_other_attempts() -> None:
    held = Held()
    invokers = [FakeInvoker(1, held), FakeInvoker(2, ZeroDivisionError("bug"))]
    with pytest.raises(ZeroDivisionError):
        await run(Broadcast(BroadcastOptions(parallel=2)), invokers)
    assert held.cancelled
