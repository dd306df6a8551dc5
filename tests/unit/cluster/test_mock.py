import asyncio
import logging
from typing import Any

import pytest

from gateway.cluster.context import ClusterContext
from gateway.cluster.failfast import Failfast
from gateway.cluster.mock import MockCluster
from gateway.config.sections.mock import mock_config
from gateway.contracts.python import contract_of
from gateway.demo.catalog import Catalog
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import ConnectFailed
from tests.support.cluster_calls import Held, attempts, run
from tests.support.fake_invoker import FakeInvoker, invocation

CONTRACT = contract_of(Catalog)
(COUNT,) = CONTRACT.overloads("count")


def mocked(mock: Any, counted: list[str] | None = None) -> MockCluster:
    context = ClusterContext(contract=CONTRACT, methods=(COUNT,), count=(counted if counted is not None else []).append)
    return MockCluster(mock_config(mock), context, Failfast())


async def result(mock: Any, *script: Any, counted: list[str] | None = None) -> tuple[Result, int]:
    invokers = [FakeInvoker(1, *script)]
    given = await run(mocked(mock, counted), invokers, invocation("count", signature=COUNT))
    return given, sum(attempts(invokers))


async def test_force_answers_without_calling_anybody() -> None:
    counted: list[str] = []
    given, calls = await result("force:return 7", Ok(1), counted=counted)
    assert isinstance(given, Ok)
    assert (given.value, calls, counted) == (7, 0, ["mocked"])


async def test_an_exception_of_the_contract_is_thrown_with_its_fields() -> None:
    mock = {"when": "force", "throw": "demo.ProductNotFound", "message": "sold out", "fields": {"product_id": 7}}
    given, _ = await result(mock)
    assert isinstance(given, Fault)
    assert (given.type_name, given.message, dict(given.fields)) == (
        "demo.ProductNotFound",
        "sold out",
        {"product_id": 7},
    )


async def test_without_a_contract_the_mock_is_plain_data() -> None:
    cluster = MockCluster(mock_config("force:return [1]"), ClusterContext(), Failfast())
    given = await run(cluster, [], invocation("$invoke"))
    assert isinstance(given, Ok)
    assert given.value == [1]


async def test_force_needs_no_provider() -> None:
    given = await run(mocked("force:return 7"), [], invocation("count", signature=COUNT))
    assert isinstance(given, Ok)


async def test_fail_answers_when_nobody_does(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "polyport.cluster")
    counted: list[str] = []
    given, calls = await result("fail:return 7", ConnectFailed("refused"), counted=counted)
    assert isinstance(given, Ok)
    assert (given.value, calls, counted) == (7, 1, ["mocked"])
    assert "the mock answers" in caplog.text
    given = await run(mocked("return 7"), [], invocation("count", signature=COUNT))
    assert isinstance(given, Ok)


@pytest.mark.parametrize("answer", [Ok(1), Fault("demo.OutOfStock", "no")])
async def test_an_answer_is_not_mocked_even_when_it_is_a_fault(answer: Result) -> None:
    counted: list[str] = []
    given, _ = await result("fail:return 7", answer, counted=counted)
    assert given is answer
    assert counted == []


async def test_a_caller_that_hangs_up_gets_no_mock() -> None:
    held = Held()
    call: asyncio.Task[Result] = asyncio.create_task(
        run(mocked("fail:return 7"), [FakeInvoker(1, held)], invocation("count", signature=COUNT))
    )
    await held.begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert held.cancelled


async def test_a_bug_is_not_covered_by_a_mock() -> None:
    async def broken(_: Invocation) -> Result:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await result("fail:return 7", broken)
