import re
from collections.abc import Coroutine
from typing import Any

import pytest

from gateway.cluster.context import ClusterContext
from gateway.cluster.failover import Failover
from gateway.cluster.retry_budget import RetryBudget
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.contract import MethodContract
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    NoProvider,
    Overloaded,
    Retry,
    RpcError,
)
from gateway.model.typeref import Kind, TypeRef
from gateway.routing.candidates import CallCandidates
from gateway.routing.providers import Providers
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import SERVICE, FakeInvoker, FirstOf, invocation
from tests.support.timeless import timeless

PLAIN = MethodContract("find", (), TypeRef(Kind.NULL), "find")
IDEMPOTENT = MethodContract("find", (), TypeRef(Kind.NULL), "find", idempotent=True)


def run(cluster: Failover, invokers: list[FakeInvoker], call: Invocation | None = None) -> Coroutine[Any, Any, Result]:
    call = call or invocation(signature=PLAIN)
    providers = Providers(SERVICE, tuple(invokers), f"registry {len(invokers)}")
    return cluster(call, CallCandidates(providers, FirstOf(), call))


def attempts(invokers: list[FakeInvoker]) -> list[int]:
    return [len(each.calls) for each in invokers]


async def test_the_first_answer_ends_the_call() -> None:
    answer = Ok(1)
    invokers = [FakeInvoker(1, answer), FakeInvoker(2)]
    assert await run(Failover(), invokers) is answer
    assert attempts(invokers) == [1, 0]


async def test_failover_does_not_repeat_a_fault() -> None:
    fault = Fault("ValueError", "no")
    invokers = [FakeInvoker(1, fault), FakeInvoker(2)]
    assert await run(Failover(), invokers) is fault
    assert attempts(invokers) == [1, 0]


@pytest.mark.parametrize("error", [ConnectFailed("refused"), Overloaded("busy")])
async def test_safe_trouble_is_repeated_at_another_provider(error: RpcError) -> None:
    answer = Ok(1)
    invokers = [FakeInvoker(1, error), FakeInvoker(2, error), FakeInvoker(3, answer)]
    assert await run(Failover(), invokers) is answer
    assert attempts(invokers) == [1, 1, 1]


@pytest.mark.parametrize("error", [ConnectionLost("cut"), DeadlineExceeded("silent")])
@pytest.mark.parametrize(
    ("signature", "written", "repeated"),
    [(PLAIN, False, False), (None, False, False), (IDEMPOTENT, False, True), (PLAIN, True, True), (None, True, True)],
)
async def test_what_may_have_run_is_repeated_only_where_that_does_no_harm(
    error: RpcError, signature: MethodContract | None, written: bool, repeated: bool
) -> None:
    invokers = [FakeInvoker(1, error), FakeInvoker(2)]
    cluster = Failover(ClusterContext(retries_written=written))
    call = run(cluster, invokers, invocation(signature=signature))
    if repeated:
        assert isinstance(await call, Ok)
    else:
        with pytest.raises(type(error)) as caught:
            await call
        assert caught.value is error
        assert not error.exhausted
    assert attempts(invokers) == [1, int(repeated)]


async def test_trouble_that_repeating_cannot_help_is_not_repeated() -> None:
    error = BadRequest("args[0]: expected i32")
    invokers = [FakeInvoker(1, error), FakeInvoker(2)]
    with pytest.raises(BadRequest) as caught:
        await run(Failover(ClusterContext(retries_written=True)), invokers)
    assert caught.value is error
    assert attempts(invokers) == [1, 0]


async def test_what_was_repeated_nearer_to_the_provider_is_not_repeated_here() -> None:
    error = ConnectFailed("3 attempts failed", exhausted=True)
    invokers = [FakeInvoker(1, error), FakeInvoker(2)]
    with pytest.raises(ConnectFailed) as caught:
        await run(Failover(), invokers)
    assert caught.value is error
    assert attempts(invokers) == [1, 0]


async def test_nothing_is_repeated_after_the_deadline() -> None:
    clock = FakeClock()

    async def late(_: Invocation) -> Result:
        clock.advance(2.0)
        raise ConnectFailed("refused")

    invokers = [FakeInvoker(1, late), FakeInvoker(2)]
    with pytest.raises(ConnectFailed):
        await run(Failover(clock=clock), invokers, invocation(signature=PLAIN, deadline=clock() + 1.5))
    assert attempts(invokers) == [1, 0]
    invokers = [FakeInvoker(1, late), FakeInvoker(2)]
    await run(Failover(clock=clock), invokers, invocation(signature=PLAIN, deadline=clock() + 2.5))
    assert attempts(invokers) == [1, 1]


async def test_retries_bound_the_attempts_and_the_last_error_lists_them_all() -> None:
    refused, busy = ConnectFailed("refused"), Overloaded("busy")
    invokers = [FakeInvoker(1, refused), FakeInvoker(2, busy, available=False), FakeInvoker(3, refused), FakeInvoker(4)]
    invokers[3].available = False
    with pytest.raises(Overloaded) as caught:
        await run(Failover(ClusterContext(retries=2)), invokers)
    assert attempts(invokers) == [1, 1, 1, 0]
    error = caught.value
    assert error.exhausted
    assert error.retry is Retry.SAFE
    assert error.__cause__ is busy
    assert re.search(r"dubbo://10\.0\.0\.1:1 connect-failed after \d+\.\d ms: refused;", str(error))
    assert not busy.exhausted
    assert timeless(str(error)) == (
        "demo.Catalog.find got no answer in 3 attempts (no attempts left): "
        "dubbo://10.0.0.1:1 connect-failed: refused; "
        "dubbo://10.0.0.1:3 connect-failed: refused; "
        "dubbo://10.0.0.1:2 overloaded: busy "
        "[registry 4, after rules 4, healthy 4, available 2, choice the first]"
    )


async def test_a_call_of_which_one_attempt_may_have_run_is_not_called_safe_to_repeat() -> None:
    invokers = [FakeInvoker(1, ConnectionLost("cut")), FakeInvoker(2, ConnectFailed("refused"))]
    with pytest.raises(ConnectFailed) as caught:
        await run(Failover(ClusterContext(retries=1)), invokers, invocation(signature=IDEMPOTENT))
    assert caught.value.retry is Retry.IF_IDEMPOTENT
    assert caught.value.exhausted


async def test_no_retries_means_one_attempt_and_an_error_that_others_may_repeat() -> None:
    error = ConnectFailed("refused")
    invokers = [FakeInvoker(1, error), FakeInvoker(2)]
    with pytest.raises(ConnectFailed) as caught:
        await run(Failover(ClusterContext(retries=0)), invokers)
    assert caught.value is error
    assert not error.exhausted
    assert attempts(invokers) == [1, 0]


async def test_the_same_provider_is_asked_again_only_when_nobody_else_is_left() -> None:
    invokers = [FakeInvoker(1, ConnectFailed("refused")), FakeInvoker(2, ConnectFailed("refused"))]
    with pytest.raises(ConnectFailed):
        await run(Failover(ClusterContext(retries=2)), invokers)
    assert attempts(invokers) == [2, 1]
    only = [FakeInvoker(1, ConnectFailed("refused"), Ok(1))]
    assert isinstance(await run(Failover(), only), Ok)
    assert attempts(only) == [2]


async def test_when_all_calls_fail_the_budget_bounds_the_extra_load() -> None:
    budget = RetryBudget(clock=FakeClock())
    cluster = Failover(ClusterContext(retries=3, retries_written=True, budget=budget))
    invokers = [FakeInvoker(port, ConnectionLost("cut")) for port in range(3)]
    for _ in range(1_000):
        with pytest.raises(ConnectionLost):
            await run(cluster, invokers)
    assert sum(attempts(invokers)) <= 1_200


async def test_a_repetition_that_the_budget_refused_is_not_left_to_others() -> None:
    budget = RetryBudget(0.0, 0.0, 0.0, clock=FakeClock())
    with pytest.raises(ConnectFailed, match=r"in 1 attempt \(the retry budget is used up\).*10\.0\.0\.1:1") as caught:
        await run(Failover(ClusterContext(budget=budget)), [FakeInvoker(1, ConnectFailed("refused")), FakeInvoker(2)])
    assert caught.value.exhausted


async def test_without_candidates_there_is_no_provider() -> None:
    with pytest.raises(NoProvider, match=r"no provider for demo\.Catalog\.find: registry 0, after rules 0"):
        await run(Failover(), [])


async def test_an_error_class_with_other_arguments_survives_giving_up() -> None:
    class Throttled(RpcError):
        code = "throttled"
        default_retry = Retry.SAFE

        def __init__(self, *, wait_s: float) -> None:
            super().__init__(f"wait {wait_s} s")
            self.wait_s = wait_s

    with pytest.raises(Throttled, match=r"throttled after \d\.\d ms: wait 3 s") as caught:
        await run(Failover(ClusterContext(retries=1)), [FakeInvoker(1, Throttled(wait_s=3))])
    assert caught.value.wait_s == 3
    assert caught.value.retry is Retry.SAFE
    assert caught.value.exhausted


async def test_text_from_a_provider_cannot_make_the_message_unreadable() -> None:
    error = ConnectFailed("x\n" * 10_000)
    with pytest.raises(ConnectFailed) as caught:
        await run(Failover(), [FakeInvoker(1, error)])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 2_000
