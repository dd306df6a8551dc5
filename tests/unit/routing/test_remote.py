import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.cluster.context import ClusterContext
from gateway.cluster.failfast import Failfast
from gateway.cluster.failover import Failover
from gateway.model.call import Invocation, Ok
from gateway.model.errors import ConnectFailed, NoProvider
from gateway.model.explanation import Explanation
from gateway.routing.directory import Directory
from gateway.routing.remote import MethodPolicy, RemoteService
from gateway.routing.selection import ProtocolOrder, SelectionTable, Selector, ServiceSelection
from gateway.spi.cluster import Invoker
from gateway.telemetry.counters import Counters
from registry.direct import DirectRegistry
from registry.embedded import EmbeddedHub, EmbeddedRegistry
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


DUBBO = ProtocolOrder(("dubbo", "http"), written=True)
HTTP = ProtocolOrder(("http", "dubbo"), written=True)


def for_billing(order: ProtocolOrder) -> ProtocolOrder:
    return replace(order, consumer="billing")


def both() -> tuple[FakeInvoker, FakeInvoker]:
    return FakeInvoker(endpoint(1, protocol="dubbo")), FakeInvoker(endpoint(2, protocol="http"))


def selecting(default: ProtocolOrder, **consumers: ProtocolOrder) -> SelectionTable:
    return SelectionTable({NAME: ServiceSelection(default, consumers)})


POLICY = MethodPolicy(Failover(), FirstOf())


async def test_each_consumer_is_sent_over_its_own_protocol_and_nobody_over_another() -> None:
    dubbo, http = both()
    providers = await directory(dubbo, http)
    service = remote(providers, POLICY, selector=Selector(selecting(DUBBO, billing=for_billing(HTTP))))
    for consumer in ("", "billing", "somebody", "billing", "Billing"):
        await service(invocation(consumer=consumer))
    assert [call.consumer for call in dubbo.calls] == ["", "somebody", "Billing"]
    assert [call.consumer for call in http.calls] == ["billing", "billing"]
    await providers.aclose()


async def test_a_provider_that_is_away_is_no_reason_for_another_protocol() -> None:
    dubbo, http = both()
    http.available = False
    failing = FakeInvoker(endpoint(3, protocol="http"), ConnectFailed("refused"))
    providers = await directory(dubbo, http, failing)
    service = remote(providers, MethodPolicy(Failfast(), FirstOf()), selector=Selector(selecting(HTTP)))
    with pytest.raises(ConnectFailed):
        await service(invocation())
    assert dubbo.calls == []
    await providers.aclose()


async def test_without_providers_of_the_first_choice_the_next_is_taken_said_once_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dubbo, http = both()
    source = EmbeddedRegistry(EmbeddedHub())
    by_endpoint = {each.endpoint: each for each in (dubbo, http)}
    providers = Directory(SERVICE, {"it": source}, by_endpoint.__getitem__, protocols=["dubbo", "http"])
    await source.register(dubbo.endpoint)
    assert await providers.start(5.0)
    counters = Counters()
    table = selecting(DUBBO, billing=for_billing(HTTP))
    service = remote(providers, POLICY, selector=Selector(table), counters=counters)

    async def announced(change: Any, count: int) -> None:
        await change
        while len(providers.providers.invokers) != count:
            await asyncio.sleep(0)

    for _ in range(3):
        await service(invocation(consumer="billing"))
        await service(invocation(consumer="else"))
    assert len(dubbo.calls) == 6
    assert counters.snapshot() == {("http", "fallback"): 3}
    line = "demo.Catalog for consumer billing: no provider over http, going on over dubbo"
    assert [each.getMessage().partition(" (")[0] for each in caplog.records] == [line]

    await announced(source.register(http.endpoint), 2)
    await service(invocation(consumer="billing"))
    assert len(http.calls) == 1
    await announced(source.unregister(http.endpoint), 1)
    await service(invocation(consumer="billing"))
    assert len(dubbo.calls) == 7
    assert len(caplog.records) == 2
    await providers.aclose()


async def test_where_falling_back_is_forbidden_the_error_counts_by_protocol() -> None:
    dubbo, _ = both()
    providers = await directory(dubbo)
    only = ProtocolOrder(("http",), "billing", written=True)
    service = remote(providers, POLICY, selector=Selector(selecting(DUBBO, billing=only)))
    expected = r"no provider for demo\.Catalog\.find: registry 1, protocol http 0 \(consumer billing\), after rules 0"
    with pytest.raises(NoProvider, match=expected):
        await service(invocation(consumer="billing"))
    await service(invocation())
    await providers.aclose()


async def test_a_swap_loses_no_call_and_those_in_flight_end_where_they_began() -> None:
    answering = asyncio.Event()

    async def slowly(_: Invocation) -> Ok:
        await answering.wait()
        return Ok("dubbo")

    # The last answer repeats: the first call waits, the others are answered at once.
    dubbo = FakeInvoker(endpoint(1), slowly, Ok("dubbo"))
    http = FakeInvoker(endpoint(2, protocol="http"), Ok("http"))
    by_endpoint = {each.endpoint: each for each in (dubbo, http)}
    table, other = selecting(ProtocolOrder(("dubbo",))), selecting(ProtocolOrder(("http",)))
    providers = Directory(SERVICE, {"it": DirectRegistry(by_endpoint)}, by_endpoint.__getitem__, protocols=["dubbo"])
    assert await providers.start(5.0)
    selector = Selector(table)
    service = remote(providers, POLICY, selector=selector)

    first = asyncio.create_task(service(invocation()))
    while not dubbo.calls:
        await asyncio.sleep(0)

    answers: list[Any] = []

    async def caller() -> None:
        for _ in range(50):
            answer = await service(invocation())
            assert isinstance(answer, Ok)
            answers.append(answer.value)
            await asyncio.sleep(0)

    async def swapper() -> None:
        for turn in range(40):
            selector.swap(other if turn % 2 == 0 else table)
            await asyncio.sleep(0)

    await asyncio.gather(*(caller() for _ in range(20)), swapper())
    assert len(answers) == 1_000
    assert set(answers) == {"dubbo", "http"}
    assert (dubbo.closed, http.closed) == (0, 0)

    selector.swap(other)
    answering.set()
    ended = await first
    assert isinstance(ended, Ok)
    assert ended.value == "dubbo"
    ended = await service(invocation())
    assert isinstance(ended, Ok)
    assert ended.value == "http"
    await providers.aclose()


async def test_all_attempts_of_a_call_take_the_protocol_it_began_with() -> None:
    selector = Selector(selecting(DUBBO))

    async def swapped_meanwhile(_: Invocation) -> Ok:
        selector.swap(selecting(HTTP))
        raise ConnectFailed("refused")

    failing, second = FakeInvoker(endpoint(1), swapped_meanwhile), FakeInvoker(endpoint(2))
    http = FakeInvoker(endpoint(3, protocol="http"))
    providers = await directory(failing, second, http)
    service = remote(providers, POLICY, selector=selector)
    await service(invocation())
    assert [len(each.calls) for each in (failing, second, http)] == [1, 1, 0]
    await service(invocation())
    assert len(http.calls) == 1
    await providers.aclose()


def test_endpoints_of_the_fake_are_those_of_the_model() -> None:
    assert str(endpoint(1)) == "dubbo://10.0.0.1:1/demo.Catalog?interface=demo.Catalog"


async def test_a_call_that_asks_is_explained() -> None:
    providers = await directory(FakeInvoker(1, Ok(1)), FakeInvoker(2))
    explanation = Explanation()

    await remote(providers, MethodPolicy(Failover(), FirstOf(), "first"))(invocation(explanation=explanation))

    assert explanation.lines()[0] == "registry 2, after rules 2, healthy 2, available 2"
    assert [(each.choice, each.outcome) for each in explanation.attempts] == [("first: the first", "ok")]
    await providers.aclose()


async def test_sampled_calls_are_explained_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "polyport.explain")
    providers = await directory(FakeInvoker(1, Ok(1)), FakeInvoker(2))
    draws = iter([True, False])
    service = remote(providers, MethodPolicy(Failover(), FirstOf(), "first"), sampled=lambda: next(draws))

    await service(invocation())
    await service(invocation())

    (line,) = (record.getMessage() for record in caplog.records)
    assert re.fullmatch(
        r"demo\.Catalog\.find: registry 2, after rules 2, healthy 2, available 2; "
        r"attempt 1: dubbo://10\.0\.0\.1:1 \(first: the first\) at [\d.]+ ms: ok after [\d.]+ ms",
        line,
    )
    await providers.aclose()


async def test_every_error_says_what_there_was_to_choose_from() -> None:
    providers = await directory(FakeInvoker(1, ConnectFailed("refused")), FakeInvoker(2))

    for cluster in (Failfast(), Failover(ClusterContext(retries=0))):
        with pytest.raises(ConnectFailed) as caught:
            await remote(providers, MethodPolicy(cluster, FirstOf()))(invocation())
        assert caught.value.explanation is not None
        assert caught.value.explanation() == ("registry 2, after rules 2, healthy 2, available 2, choice the first")
    await providers.aclose()


async def test_what_a_balancer_wants_to_know_travels_with_the_call_and_not_back_to_the_caller() -> None:
    provider = FakeInvoker(1, Ok(1, {"load": "7", "mine": "x"}), Ok(2))
    providers = await directory(provider)
    policy = MethodPolicy(Failfast(), FirstOf(), attachments={"load": "?"})
    service = remote(providers, policy)
    result = await service(invocation(attachments={"tag": "a"}))
    assert provider.calls[0].attachments == {"tag": "a", "load": "?"}
    assert isinstance(result, Ok)
    assert (result.value, result.attachments) == (1, {"mine": "x"})
    assert (await service(invocation())).attachments == {}
    await providers.aclose()
