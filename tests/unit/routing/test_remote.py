from collections.abc import Sequence
from typing import Any

import pytest

from gateway.cluster.failfast import Failfast
from gateway.cluster.failover import Failover
from gateway.model.call import Invocation, Ok
from gateway.model.errors import ConnectFailed, NoProvider
from gateway.routing.directory import Directory
from gateway.routing.remote import MethodPolicy, RemoteService
from gateway.routing.selection import ProtocolOrder, SelectionTable, Selector, ServiceSelection
from gateway.spi.cluster import Invoker
from registry.direct import DirectRegistry
from tests.support.fake_invoker import SERVICE, FakeInvoker, FirstOf, endpoint, invocation


async def directory(*invokers: FakeInvoker) -> Directory:
    by_endpoint = {each.endpoint: each for each in invokers}
    made = Directory(SERVICE, {"direct": DirectRegistry(by_endpoint)}, by_endpoint.__getitem__)
    assert await made.start(5.0)
    return made


NAME = "catalog"


def selector(*protocols: str, **consumers: ProtocolOrder) -> Selector:
    return Selector(SelectionTable({NAME: ServiceSelection(ProtocolOrder(protocols or ("dubbo",)), consumers)}))


def remote(providers: Directory, policy: MethodPolicy, *rest: Any, **more: Any) -> RemoteService:
    return RemoteService(NAME, providers, more.pop("selector", selector()), policy, *rest, **more)


async def test_a_call_reaches_a_provider_of_the_directory() -> None:
    answer = Ok(1)
    providers = await directory(FakeInvoker(1, answer))
    call = invocation()
    assert await remote(providers, MethodPolicy(Failfast(), FirstOf()))(call) is answer
    assert providers.providers.invokers[0].calls == [call]  # type: ignore[attr-defined]
    await providers.aclose()


async def test_a_method_may_have_a_policy_of_its_own() -> None:
    first, second = FakeInvoker(1, ConnectFailed("refused")), FakeInvoker(2)
    providers = await directory(first, second)
    service = remote(providers, MethodPolicy(Failover(), FirstOf()), {"put": MethodPolicy(Failfast(), FirstOf())})
    assert isinstance(await service(invocation("find")), Ok)
    with pytest.raises(ConnectFailed):
        await service(invocation("put"))
    assert [len(first.calls), len(second.calls)] == [2, 1]
    await providers.aclose()


async def test_before_anything_is_known_the_error_says_so() -> None:
    unasked = Directory(SERVICE, {"direct": DirectRegistry([])}, FakeInvoker)
    call = remote(unasked, MethodPolicy(Failover(), FirstOf()))(invocation())
    with pytest.raises(NoProvider, match="registry unknown, after rules 0"):
        await call


async def test_rules_are_applied_and_one_that_fails_fails_the_call_and_not_its_caller() -> None:
    class Last:
        def route(self, invokers: Sequence[Invoker], invocation: Invocation) -> Sequence[Invoker]:
            return invokers[-1:]

    class Broken:
        def route(self, invokers: Sequence[Invoker], invocation: Invocation) -> Sequence[Invoker]:
            raise ZeroDivisionError

    first, second = FakeInvoker(1), FakeInvoker(2)
    providers = await directory(first, second)
    policy = MethodPolicy(Failfast(), FirstOf())
    await remote(providers, policy, routers=[Last()])(invocation())
    assert [len(first.calls), len(second.calls)] == [0, 1]
    call = remote(providers, policy, routers=[Broken()])(invocation())
    with pytest.raises(ZeroDivisionError):
        await call
    await providers.aclose()


async def test_the_next_call_sees_the_new_providers() -> None:
    providers = await directory(FakeInvoker(1))
    service = remote(providers, MethodPolicy(Failfast(), FirstOf()))
    await service(invocation())
    await providers.aclose()
    with pytest.raises(NoProvider):
        await service(invocation())


def test_endpoints_of_the_fake_are_those_of_the_model() -> None:
    assert str(endpoint(1)) == "dubbo://10.0.0.1:1/demo.Catalog?interface=demo.Catalog"
