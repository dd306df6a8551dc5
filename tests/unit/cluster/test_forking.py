import asyncio
from typing import Any

import pytest

from gateway.cluster.context import ClusterContext
from gateway.cluster.forking import Forking, ForkingOptions
from gateway.cluster.retry_budget import RetryBudget
from gateway.config.sections.ejection import EjectionConfig
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import BadRequest, ConnectFailed, ConnectionLost, DeadlineExceeded, NoProvider, Retry
from gateway.routing.health import Health
from tests.support.cluster_calls import IDEMPOTENT, PLAIN, Held, attempts, run
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, invocation
from tests.support.timeless import timeless


def forking(clock: FakeClock | None = None, budget: RetryBudget | None = None, **options: Any) -> Forking:
    clock = clock or FakeClock()
    context = ClusterContext(budget=budget or RetryBudget(clock=clock))
    return Forking(ForkingOptions(**options), context, clock, clock.sleep)


def idempotent(**attributes: Any) -> Invocation:
    return invocation(signature=IDEMPOTENT, **attributes)


async def test_the_first_answer_counts_and_the_other_attempt_is_cancelled() -> None:
    slow, answer = Held(), Ok(2)
    invokers = [FakeInvoker(1, slow), FakeInvoker(2, answer), FakeInvoker(3)]
    assert await run(forking(), invokers, idempotent()) is answer
    assert attempts(invokers) == [1, 1, 0]
    assert slow.cancelled
    # Who was too slow this time has done nothing wrong.
    assert [(each.load.active, each.load.failed) for each in invokers] == [(0, 0)] * 3


async def test_each_fork_goes_to_another_provider_and_zero_means_all() -> None:
    held = [Held(Ok(port)) for port in range(4)]
    invokers = [FakeInvoker(port, each) for port, each in enumerate(held)]
    call = asyncio.create_task(run(forking(forks=0), invokers, idempotent()))
    await held[3].begun.wait()
    assert attempts(invokers) == [1, 1, 1, 1]
    held[2].release.set()
    assert await call is held[2].answer
    few = [FakeInvoker(1), FakeInvoker(2)]
    await run(forking(forks=9), few, idempotent())
    assert attempts(few) == [1, 1]


async def test_two_answers_at_the_same_moment_are_one_answer(caplog: pytest.LogCaptureFixture) -> None:
    first, second = Held(Ok(1)), Held(Ok(2))
    invokers = [FakeInvoker(1, first), FakeInvoker(2, second)]
    call = asyncio.create_task(run(forking(), invokers, idempotent()))
    await second.begun.wait()
    second.release.set()
    first.release.set()
    assert await call in (first.answer, second.answer)
    assert not caplog.records


async def test_a_fault_is_an_answer() -> None:
    slow, fault = Held(), Fault("demo.ProductNotFound", "no product 7")
    assert await run(forking(), [FakeInvoker(1, slow), FakeInvoker(2, fault)], idempotent()) is fault
    assert slow.cancelled


async def test_one_failure_is_made_good_by_the_other_attempt() -> None:
    held = Held(Ok(2))
    invokers = [FakeInvoker(1, ConnectionLost("cut")), FakeInvoker(2, held), FakeInvoker(3)]
    call = asyncio.create_task(run(forking(), invokers, idempotent()))
    await held.begun.wait()
    held.release.set()
    assert await call is held.answer
    assert attempts(invokers) == [1, 1, 0]


async def test_only_when_all_have_failed_it_is_an_error_that_names_them() -> None:
    invokers = [FakeInvoker(1, ConnectionLost("cut")), FakeInvoker(2, ConnectFailed("refused"))]
    with pytest.raises(ConnectionLost) as caught:
        await run(forking(), invokers, idempotent())
    assert timeless(str(caught.value)) == (
        "demo.Catalog.find got no answer in 2 attempts: dubbo://10.0.0.1:1 connection-lost: cut; "
        "dubbo://10.0.0.1:2 connect-failed: refused [registry 2, after rules 2, healthy 2, available 2]"
    )
    assert caught.value.exhausted
    assert caught.value.retry is Retry.IF_IDEMPOTENT


@pytest.mark.parametrize("options", [{}, {"delay": 0.1}])
@pytest.mark.parametrize("oneway", [False, True])
async def test_what_may_have_run_does_not_run_elsewhere_unless_that_does_no_harm(
    options: dict[str, Any], oneway: bool
) -> None:
    call = invocation(signature=IDEMPOTENT if oneway else PLAIN, oneway=oneway)
    invokers = [FakeInvoker(1, ConnectionLost("cut")), FakeInvoker(2)]
    with pytest.raises(ConnectionLost) as caught:
        await run(forking(**options), invokers, call)
    assert attempts(invokers) == [1, 0]
    assert not caught.value.exhausted


async def test_what_certainly_has_not_run_goes_to_the_next_one_whatever_the_method() -> None:
    invokers = [FakeInvoker(1, ConnectFailed("refused")), FakeInvoker(2, Ok(2))]
    assert isinstance(await run(forking(), invokers), Ok)
    assert attempts(invokers) == [1, 1]


async def test_other_methods_are_forked_where_somebody_says_so() -> None:
    slow = Held()
    invokers = [FakeInvoker(1, slow), FakeInvoker(2)]
    await run(forking(any_method=True), invokers)
    assert attempts(invokers) == [1, 1]


async def test_hedging_asks_the_next_one_only_after_the_delay() -> None:
    clock = FakeClock()
    slow, answer = Held(), Ok(2)
    invokers = [FakeInvoker(1, slow), FakeInvoker(2, answer)]
    call = asyncio.create_task(run(forking(clock, delay=0.2), invokers, idempotent()))
    await clock.until_asleep()
    assert attempts(invokers) == [1, 0]
    clock.advance(0.2)
    assert await call is answer
    assert slow.cancelled
    assert clock.slept == [0.2]


async def test_hedging_costs_nothing_where_answers_come_in_time() -> None:
    clock = FakeClock()
    invokers = [FakeInvoker(1), FakeInvoker(2)]
    for _ in range(10):
        await run(forking(clock, delay=0.2), invokers, idempotent())
    assert attempts(invokers) == [10, 0]


async def test_a_failure_is_not_waited_for() -> None:
    clock = FakeClock()
    slow = Held(Ok(2))
    invokers = [FakeInvoker(1, ConnectionLost("cut")), FakeInvoker(2, slow), FakeInvoker(3, Ok(3))]
    call = asyncio.create_task(run(forking(clock, delay=0.2, forks=3), invokers, idempotent()))
    await slow.begun.wait()
    assert attempts(invokers) == [1, 1, 0]
    # The delay counts from the second attempt on.
    await clock.until_asleep()
    clock.advance(0.2)
    answer = await call
    assert isinstance(answer, Ok)
    assert answer.value == 3


async def test_hedges_come_out_of_the_retry_budget() -> None:
    clock = FakeClock()
    cluster = forking(clock, RetryBudget(0.1, 0.0, 5.0, clock=clock), delay=0.2, forks=2)
    invokers = [FakeInvoker(1, ConnectionLost("cut")), FakeInvoker(2, ConnectionLost("cut"))]
    for _ in range(100):
        with pytest.raises(ConnectionLost) as caught:
            await run(cluster, invokers, idempotent())
        assert caught.value.exhausted
    assert 110 <= sum(attempts(invokers)) <= 116
    assert "the retry budget is used up" in str(caught.value)


async def test_trouble_that_the_next_provider_would_have_too_is_not_repeated() -> None:
    invokers = [FakeInvoker(1, BadRequest("args[0]: expected i32")), FakeInvoker(2)]
    with pytest.raises(BadRequest):
        await run(forking(delay=0.2), invokers, idempotent())
    assert attempts(invokers) == [1, 0]


async def test_nothing_is_started_after_the_deadline() -> None:
    clock = FakeClock()

    async def late(_: Invocation) -> Result:
        clock.advance(2.0)
        raise DeadlineExceeded("silent")

    invokers = [FakeInvoker(1, late), FakeInvoker(2)]
    with pytest.raises(DeadlineExceeded):
        await run(forking(clock, delay=5), invokers, idempotent(deadline=clock() + 1.0))
    assert attempts(invokers) == [1, 0]


@pytest.mark.parametrize("options", [{}, {"delay": 9.0}])
async def test_a_caller_that_hangs_up_ends_all_attempts(options: dict[str, Any]) -> None:
    held = [Held(), Held()]
    invokers = [FakeInvoker(port, each) for port, each in enumerate(held)]
    call = asyncio.create_task(run(forking(**options), invokers, idempotent()))
    await held[0].begun.wait()
    before = asyncio.all_tasks()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [each.begun.is_set() for each in held] == [each.cancelled for each in held]
    assert asyncio.all_tasks() <= before - {call}
    assert len(asyncio.all_tasks()) == 1
    assert [each.load.active for each in invokers] == [0, 0]


async def test_a_single_candidate_is_simply_called() -> None:
    error = ConnectFailed("refused")
    with pytest.raises(ConnectFailed) as caught:
        await run(forking(), [FakeInvoker(1, error)], idempotent())
    assert caught.value is error
    with pytest.raises(NoProvider):
        await run(forking(), [], idempotent())


def watched(*invokers: FakeInvoker, answered_in_s: float) -> None:
    """Lets `invokers` be ejected, as if they had answered so far."""
    health = Health(EjectionConfig(failures=5, share=0))
    for each in invokers:
        health.welcome(each, is_new=False)
        each.load.ewma_s = answered_in_s


async def test_a_provider_that_hangs_is_ejected_although_others_answer_in_its_stead() -> None:
    clock = FakeClock()
    cluster = forking(clock, delay=0.2)
    invokers = [FakeInvoker(1, Held()), FakeInvoker(2)]
    watched(*invokers, answered_in_s=0.01)
    for _ in range(5):
        assert not invokers[0].load.ejected
        call = asyncio.create_task(run(cluster, invokers, idempotent()))
        await clock.until_asleep()
        clock.advance(0.2)
        await call
    assert invokers[0].load.ejected
    assert not invokers[1].load.ejected
    assert invokers[0].load.failed == 0


@pytest.mark.parametrize("usual_s", [0.0, 0.01, 1.0])
async def test_a_provider_that_loses_against_the_other_is_not_ejected(usual_s: float) -> None:
    clock = FakeClock()
    cluster = forking(clock)
    invokers = [FakeInvoker(1, Held()), FakeInvoker(2)]
    watched(*invokers, answered_in_s=0.01)
    invokers[0].load.ewma_s = usual_s
    for _ in range(20):

        async def soon(_: Invocation) -> Result:
            clock.advance(0.1)
            return Ok(None)

        invokers[1] = FakeInvoker(2, soon)
        invokers[1].load.ewma_s = 0.01
        await run(cluster, invokers, idempotent())
    assert not invokers[0].load.ejected
