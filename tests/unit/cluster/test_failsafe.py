import logging
from typing import Any

import pytest

from gateway.cluster.context import ClusterContext
from gateway.cluster.failfast import Failfast
from gateway.cluster.failover import Failover
from gateway.cluster.failsafe import PLUGIN, Failsafe, FailsafeOptions
from gateway.contracts.python import contract_of
from gateway.demo.catalog import Catalog
from gateway.model.call import Fault, Ok
from gateway.model.contract import MethodContract
from gateway.model.errors import ConnectFailed, ConnectionLost, RpcError, ValueMappingError
from gateway.telemetry.once_per import OncePer
from tests.support.cluster_calls import attempts, run
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, invocation

CONTRACT = contract_of(Catalog)


def method(name: str) -> MethodContract:
    return CONTRACT.overloads(name)[0]


def failsafe(*names: str, clock: FakeClock | None = None, counted: list[str] | None = None, **options: Any) -> Failsafe:
    methods = tuple(each for name in names for each in CONTRACT.overloads(name))
    context = ClusterContext(contract=CONTRACT, methods=methods, count=(counted if counted is not None else []).append)
    return Failsafe(FailsafeOptions(**options), context, Failfast(), OncePer(10.0, clock=clock or FakeClock()))


async def answer(cluster: Failsafe, name: str, error: RpcError | None = None) -> Any:
    invokers = [FakeInvoker(1, error or ConnectionLost("cut")), FakeInvoker(2)]
    result = await run(cluster, invokers, invocation(name, signature=method(name)))
    assert attempts(invokers) == [1, 0]
    assert isinstance(result, Ok)
    return result.value


@pytest.mark.parametrize(("name", "empty"), [("touch", None), ("search", []), ("price_history", {})])
async def test_trouble_becomes_the_empty_value_of_the_type(name: str, empty: Any) -> None:
    assert await answer(failsafe(name), name) == empty


async def test_callers_do_not_share_the_value() -> None:
    cluster = failsafe("search")
    (await answer(cluster, "search")).append("mine")
    assert await answer(cluster, "search") == []


async def test_a_default_is_typed_by_the_contract() -> None:
    assert await answer(failsafe("count", default=-1), "count") == -1


def test_a_type_without_an_empty_value_needs_a_default_that_fits() -> None:
    with pytest.raises(ValueMappingError, match=r"count\(\) -> i64 has no empty value; failsafe needs a default"):
        failsafe("count")
    with pytest.raises(
        ValueMappingError, match=r"count\(\) -> i64 cannot return the default: expected i64, found a te"
    ):
        failsafe("count", default="none")


def test_the_check_names_each_method_that_cannot_be_given_anything() -> None:
    found = PLUGIN.check(FailsafeOptions(), CONTRACT, CONTRACT.methods)
    assert [(each.path, each.text.partition("(")[0]) for each in found] == [
        ((), "find"), ((), "find"), ((), "put"), ((), "remove"), ((), "reserve"), ((), "slow"), ((), "count"),
    ]  # fmt: skip
    (misfit,) = PLUGIN.check(FailsafeOptions(default=1), CONTRACT, [method("slow"), method("count")])
    assert misfit.path == ("default",)


async def test_answers_pass_faults_too() -> None:
    fault = Fault("demo.ProductNotFound", "no")
    invokers = [FakeInvoker(1, fault)]
    assert await run(failsafe("search"), invokers, invocation("search", signature=method("search"))) is fault


async def test_what_is_ignored_is_counted_each_time_and_logged_once_per_interval(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "polyport.cluster")
    counted: list[str] = []
    clock = FakeClock()
    cluster = failsafe("touch", clock=clock, counted=counted)
    for _ in range(3):
        await answer(cluster, "touch")
    await answer(cluster, "touch", ConnectFailed("refused"))
    clock.advance(10)
    await answer(cluster, "touch")
    assert counted == ["ignored"] * 5
    assert [record.getMessage() for record in caplog.records] == [
        "demo.Catalog.touch: ignored, 0 more since the last line: cut",
        "demo.Catalog.touch: ignored, 0 more since the last line: refused",
        "demo.Catalog.touch: ignored, 2 more since the last line: cut",
    ]


async def test_nobody_there_is_trouble_too() -> None:
    assert isinstance(await run(failsafe("touch"), [], invocation("touch", signature=method("touch"))), Ok)


async def test_another_mode_may_try_harder_before() -> None:
    context = ClusterContext(contract=CONTRACT, methods=CONTRACT.overloads("touch"))
    cluster = Failsafe(FailsafeOptions(), context, Failover(context))
    invokers = [FakeInvoker(1, ConnectFailed("refused")), FakeInvoker(2)]
    await run(cluster, invokers, invocation("touch", signature=method("touch")))
    assert attempts(invokers) == [1, 1]


async def test_without_a_contract_the_default_is_given_as_it_is() -> None:
    cluster = Failsafe(FailsafeOptions(default={"a": [1]}), ClusterContext(), Failfast())
    result = await run(cluster, [FakeInvoker(1, ConnectFailed("refused"))], invocation("$invoke"))
    assert isinstance(result, Ok)
    assert result.value == {"a": [1]}
