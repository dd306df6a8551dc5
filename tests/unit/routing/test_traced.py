import asyncio

import pytest

from gateway.cluster.failfast import Failfast
from gateway.cluster.failover import Failover
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import BadRequest, ConnectFailed, NoProvider
from gateway.model.explanation import Explanation
from gateway.routing.candidates import CallCandidates
from gateway.routing.providers import Providers
from gateway.routing.traced import TracedCandidates
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import SERVICE, FakeInvoker, FirstOf, invocation


def traced(explanation: Explanation, clock: FakeClock, *invokers: FakeInvoker) -> TracedCandidates:
    providers = Providers(SERVICE, invokers, f"registry {len(invokers)}", panic=0.5)
    return TracedCandidates(CallCandidates(providers, FirstOf(), invocation()), explanation, "first", clock)


async def test_each_attempt_is_written_down_with_choice_outcome_and_times() -> None:
    clock, explanation = FakeClock(0.0), Explanation()

    async def slow_refusal(_: Invocation) -> Result:
        clock.advance(0.25)
        raise ConnectFailed("refused")

    async def slow_answer(_: Invocation) -> Result:
        clock.advance(0.5)
        return Ok(7)

    invokers = [FakeInvoker(1, slow_refusal), FakeInvoker(2, slow_answer)]
    answer = await Failover()(invocation(), traced(explanation, clock, *invokers))

    assert isinstance(answer, Ok)
    assert answer.value == 7
    assert explanation.lines() == (
        "registry 2, after rules 2, healthy 2, available 2",
        "attempt 1: dubbo://10.0.0.1:1 (first: the first) at 0.0 ms: connect-failed after 250.0 ms: refused",
        "attempt 2: dubbo://10.0.0.1:2 at 250.0 ms: ok after 500.0 ms",
    )
    assert explanation.as_data() == {
        "candidates": "registry 2, after rules 2, healthy 2, available 2",
        "attempts": [
            {
                "provider": "dubbo://10.0.0.1:1",
                "choice": "first: the first",
                "began_ms": 0.0,
                "elapsed_ms": 250.0,
                "outcome": "connect-failed",
                "message": "refused",
            },
            {
                "provider": "dubbo://10.0.0.1:2",
                "choice": "",
                "began_ms": 250.0,
                "elapsed_ms": 500.0,
                "outcome": "ok",
                "message": "",
            },
        ],
    }


async def test_the_mode_never_gets_the_same_provider_twice_while_others_are_left() -> None:
    explanation = Explanation()
    invokers = [FakeInvoker(port, ConnectFailed("refused")) for port in (1, 2, 3)]

    with pytest.raises(ConnectFailed):
        await Failover()(invocation(), traced(explanation, FakeClock(), *invokers))

    assert [len(each.calls) for each in invokers] == [1, 1, 1]
    assert [each.outcome for each in explanation.attempts] == ["connect-failed"] * 3


async def test_loads_are_those_of_the_providers() -> None:
    invoker = FakeInvoker(1, Ok(1))

    await Failfast()(invocation(), traced(Explanation(), FakeClock(), invoker, FakeInvoker(2)))

    assert (invoker.load.answered, invoker.load.active) == (1, 0)


async def test_faults_other_errors_and_hang_ups_are_told_apart() -> None:
    started, explanation = asyncio.Event(), Explanation()

    async def forever(_: Invocation) -> Result:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    invoker = FakeInvoker(1, Fault("demo.Missing", "no"), BadRequest("args[0]"), ValueError("ours"), forever)
    candidates = traced(explanation, FakeClock(), invoker)
    await Failfast()(invocation(), candidates)
    with pytest.raises(BadRequest):
        await Failfast()(invocation(), candidates)
    with pytest.raises(ValueError, match="ours"):
        await Failfast()(invocation(), candidates)
    task = asyncio.create_task(Failfast()(invocation(), candidates))
    await started.wait()
    assert explanation.attempts[-1].elapsed_ms is None
    assert str(explanation.attempts[-1]).endswith("still running")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [each.outcome for each in explanation.attempts] == ["fault", "bad-request", "ValueError", "cancelled"]


async def test_nobody_to_choose_is_explained_too() -> None:
    explanation = Explanation()

    with pytest.raises(NoProvider):
        await Failfast()(invocation(), traced(explanation, FakeClock()))

    assert explanation.lines() == ("registry 0, after rules 0",)


async def test_parts_write_into_the_same_explanation() -> None:
    clock, explanation = FakeClock(0.0), Explanation()
    candidates = traced(explanation, clock, FakeInvoker(1), FakeInvoker(2), FakeInvoker(3))
    clock.advance(1.0)

    parts = candidates.partition(lambda invoker: "odd" if invoker.endpoint.port % 2 else "even")
    for part in parts.values():
        await Failfast()(invocation(), part)

    assert explanation.candidates == "registry 3, after rules 3, healthy 3, available 3"
    assert [each.provider for each in explanation.attempts] == ["dubbo://10.0.0.1:1", "dubbo://10.0.0.1:2"]
    assert explanation.attempts[0].began_ms == 1000.0
    assert [each.endpoint.port for each in candidates.invokers] == [1, 2, 3]
    assert len(candidates) == 3


def test_a_service_hosted_here_has_nothing_to_explain() -> None:
    assert Explanation().lines() == ("hosted here, nothing to choose",)


async def test_looking_at_all_providers_does_not_take_the_reason_from_one_that_was_picked() -> None:
    explanation = Explanation()
    candidates = traced(explanation, FakeClock(), FakeInvoker(1, Ok(1)), FakeInvoker(2))

    picked = candidates.pick()
    assert candidates.invokers[0] is picked
    await picked(invocation())

    assert [each.choice for each in explanation.attempts] == ["first: the first"]
