import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.cluster.context import ClusterContext
from gateway.cluster.failfast import Failfast
from gateway.cluster.failover import Failover
from gateway.cluster.mergeable import PLUGIN, Mergeable, MergeableOptions
from gateway.contracts.python import contract_of
from gateway.demo.catalog import Catalog
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ConnectFailed, NoProvider, ProviderFailed, Retry
from gateway.model.typeref import Kind, TypeRef
from gateway.spi.cluster import Cluster
from tests.support.cluster_calls import Held, attempts, run
from tests.support.fake_invoker import FakeInvoker, endpoint, invocation

NAMES = MethodContract("names", (), TypeRef(Kind.LIST, (TypeRef(Kind.STRING),)), "names")
TOUCH = MethodContract("touch", (), TypeRef(Kind.NULL), "touch", oneway=True)
CONTRACT = ServiceContract("demo.Catalog", (NAMES, TOUCH))


def of(group: str, port: int, *script: Any) -> FakeInvoker:
    return FakeInvoker(endpoint(port, ServiceKey("demo.Catalog", group)), *script)


def mergeable(*groups: str, inner: Cluster | None = None, **options: Any) -> Mergeable:
    methods = CONTRACT.methods if options.get("merger", "auto") in ("auto", "list") else ()
    methods = methods if options.get("merger") != "list" else (NAMES,)
    return Mergeable(MergeableOptions(**options), inner or Failfast(), groups, CONTRACT, methods)


async def merged(cluster: Mergeable, invokers: Sequence[FakeInvoker]) -> Any:
    result = await run(cluster, invokers, invocation("names", signature=NAMES))
    assert isinstance(result, Ok)
    return result.value


async def test_one_provider_of_each_group_is_called_and_the_answers_become_one() -> None:
    invokers = [of("a", 1, Ok(["x"])), of("b", 2, Ok(["y"])), of("a", 3, Ok(["z"]))]
    assert await merged(mergeable(), invokers) == ["x", "y"]
    assert attempts(invokers) == [1, 1, 0]


async def test_answers_are_merged_in_the_order_that_is_written_not_in_that_of_their_arrival() -> None:
    slow = Held(Ok(["b"]))
    invokers = [of("a", 1, Ok(["a"])), of("b", 2, slow), of("c", 3, Ok(["c"]))]
    call = asyncio.create_task(merged(mergeable("b", "a"), invokers))
    await slow.begun.wait()
    slow.release.set()
    assert await call == ["b", "a"]
    assert attempts(invokers) == [1, 1, 0]


async def test_groups_are_called_at_the_same_time() -> None:
    held = [Held(Ok([str(number)])) for number in range(3)]
    invokers = [of(f"g{port}", port, each) for port, each in enumerate(held)]
    call = asyncio.create_task(merged(mergeable(), invokers))
    for each in held:
        await each.begun.wait()
    for each in reversed(held):
        each.release.set()
    assert await call == ["0", "1", "2"]


async def test_the_answer_of_a_single_group_is_passed_on_as_it_came() -> None:
    class Raw:
        wire = "dubbo"
        is_fault = False

        def decode(self) -> Result:
            raise AssertionError("nobody needs the value")

    answer = Ok(None, raw=Raw())
    assert await run(mergeable(), [of("a", 1, answer)], invocation("names", signature=NAMES)) is answer


async def test_a_raw_answer_that_does_not_fit_is_no_answer() -> None:
    class Raw:
        wire = "dubbo"
        is_fault = False

        def decode(self) -> Result:
            raise ProviderFailed("result: expected a list")

    invokers = [of("a", 1, Ok(["x"])), of("b", 2, Ok(None, raw=Raw()))]
    with pytest.raises(ProviderFailed, match="group 'b' provider-failed: result: expected a list"):
        await merged(mergeable(), invokers)
    assert await merged(mergeable(on_failure="skip"), invokers) == ["x"]


async def test_within_a_group_another_mode_makes_the_call() -> None:
    invokers = [of("a", 1, ConnectFailed("refused")), of("a", 2, Ok(["x"])), of("b", 3, Ok(["y"]))]
    assert await merged(mergeable(inner=Failover()), invokers) == ["x", "y"]
    assert attempts(invokers) == [1, 1, 1]


async def test_a_group_that_fails_fails_the_call_and_ends_the_others() -> None:
    slow = Held()
    invokers = [of("a", 1, slow), of("b", 2, ConnectFailed("refused"))]
    with pytest.raises(ConnectFailed) as caught:
        await merged(mergeable(), invokers)
    assert slow.cancelled
    assert str(caught.value) == ("demo.Catalog.names was not answered by all: group 'b' connect-failed: refused")
    # The other group may have carried it out.
    assert caught.value.retry is Retry.IF_IDEMPOTENT
    assert caught.value.exhausted
    assert caught.value.explanation is not None


async def test_a_group_that_fails_may_be_skipped() -> None:
    fault = Fault("demo.Refused", "no")
    invokers = [of("a", 1, fault), of("b", 2, ConnectFailed("refused")), of("c", 3, Ok(["x"]))]
    assert await merged(mergeable(on_failure="skip"), invokers) == ["x"]


@pytest.mark.parametrize("on_failure", ["fail", "skip"])
async def test_when_no_group_answers_a_fault_says_more_than_trouble(on_failure: str) -> None:
    fault = Fault("demo.Refused", "no")
    skip = mergeable(on_failure=on_failure)
    invokers = [of("a", 1, fault), of("b", 2, fault)]
    assert await run(skip, invokers, invocation("names", signature=NAMES)) is fault
    with pytest.raises(ConnectFailed, match="not answered by all: group 'a'"):
        await merged(skip, [of("a", 1, ConnectFailed("refused")), of("b", 2, ConnectFailed("refused"))])


async def test_a_group_that_is_asked_for_and_has_no_provider_is_missing() -> None:
    invokers = [of("a", 1, Ok(["x"]))]
    with pytest.raises(NoProvider, match=r"no provider of group 'b', 'c' for demo\.Catalog\.names: registry 1"):
        await merged(mergeable("a", "b", "c"), invokers)
    assert attempts(invokers) == [0]
    assert await merged(mergeable("a", "b", "c", on_failure="skip"), invokers) == ["x"]
    for cluster in (mergeable("b"), mergeable("b", on_failure="skip"), mergeable()):
        with pytest.raises(NoProvider):
            await merged(cluster, [])


async def test_first_calls_one_group_the_first_with_somebody_to_offer() -> None:
    invokers = [of("a", 1, Ok(["x"])), of("b", 2, Ok(["y"])), of("b", 3, Ok(["z"]))]
    assert await merged(mergeable(merger="first"), invokers) == ["x"]
    invokers[0].available = False
    assert await merged(mergeable(merger="first"), invokers) == ["y"]
    assert await merged(mergeable("b", "a", merger="first"), invokers) == ["y"]
    assert attempts(invokers) == [1, 2, 0]
    for each in invokers:
        each.available = False
    assert await merged(mergeable(merger="first"), invokers) == ["x"]


async def test_a_oneway_call_is_sent_to_each_group() -> None:
    invokers = [of("a", 1), of("b", 2)]
    result = await run(mergeable(), invokers, invocation("touch", signature=TOUCH, oneway=True))
    assert isinstance(result, Ok)
    assert attempts(invokers) == [1, 1]


async def test_a_caller_that_hangs_up_ends_the_calls_of_all_groups() -> None:
    held = [Held(), Held()]
    invokers = [of(f"g{port}", port, each) for port, each in enumerate(held)]
    call = asyncio.create_task(run(mergeable(), invokers, invocation("names", signature=NAMES)))
    for each in held:
        await each.begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert all(each.cancelled for each in held)
    assert [each.load.active for each in invokers] == [0, 0]


async def test_a_service_without_a_contract_is_merged_by_what_comes() -> None:
    cluster = Mergeable(MergeableOptions(), Failfast())
    result = await run(cluster, [of("a", 1, Ok([1])), of("b", 2, Ok(["x"]))], invocation("$invoke"))
    assert isinstance(result, Ok)
    assert result.value == [1, "x"]


def test_the_check_says_which_methods_cannot_be_merged() -> None:
    contract = contract_of(Catalog)
    (search,) = contract.overloads("search")
    (count,) = contract.overloads("count")
    assert PLUGIN.check(MergeableOptions(), contract, [search]) == []
    assert PLUGIN.check(MergeableOptions(merger="first"), contract, contract.methods) == ()
    assert PLUGIN.check(MergeableOptions(merger="sum"), contract, [count]) == []
    (misfit,) = PLUGIN.check(MergeableOptions(), contract, [search, count])
    assert (misfit.path, misfit.text.partition(":")[0]) == ((), "count() -> i64")
    (misfit,) = PLUGIN.check(MergeableOptions(merger="tests.nowhere:merge"), contract, contract.methods)
    assert misfit.path == ("merger",)
    assert "no module" in misfit.text


@pytest.mark.parametrize(("group", "wanted"), [("*", False), ("a,b", True), ("", False)])
async def test_groups_with_a_name_must_be_there(group: str, wanted: bool) -> None:
    context = ClusterContext(
        service=ServiceKey("demo.Catalog", group), contract=CONTRACT, methods=(NAMES,), mode=lambda _: Failfast()
    )
    cluster = PLUGIN.build(MergeableOptions(), context)
    call: Invocation = invocation("names", signature=NAMES)
    if wanted:
        with pytest.raises(NoProvider, match="group 'b'"):
            await run(cluster, [of("a", 1, Ok(["x"]))], call)
    else:
        assert isinstance(await run(cluster, [of("a", 1, Ok(["x"]))], call), Ok)
