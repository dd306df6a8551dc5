"""A reference put together: what the client adapter is told, and which policy a method's calls follow."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from gateway.filters.circuit_breaker import CircuitBreaker, CircuitBreakerOptions
from gateway.filters.rate_limit import RateLimit, RateLimitOptions
from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import Endpoint
from gateway.model.errors import ConnectFailed, ConnectionLost, Overloaded
from gateway.plugins.catalog import Catalog
from gateway.routing.selection import ProtocolOrder, SelectionTable, Selector, ServiceSelection
from gateway.runtime.reference import MethodSettings, OpenReference, ReferenceSettings, open_reference
from gateway.spi.adapter import Reference
from gateway.spi.filter_ability import AttemptFilter
from gateway.spi.handler import Handler
from registry.direct import DirectRegistry
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import SERVICE, FakeInvoker, endpoint, invocation

WAIT_S = 5.0


class FakeClient:
    """A client adapter whose invokers follow a script each."""

    def __init__(self, *script: Any) -> None:
        self._script = script
        self.opened: list[tuple[Endpoint, Reference]] = []
        self.invokers: list[FakeInvoker] = []

    def open(self, at: Endpoint, reference: Reference) -> FakeInvoker:
        self.opened.append((at, reference))
        self.invokers.append(FakeInvoker(at, *self._script))
        return self.invokers[-1]

    async def aclose(self) -> None:
        """Nothing is connected."""


async def opened(
    client: FakeClient, *endpoints: Endpoint, protocols: tuple[str, ...] = ("dubbo",), **settings: Any
) -> OpenReference:
    def adapter(protocol: str) -> FakeClient:
        assert protocol in {each.protocol for each in endpoints}
        return client

    reference = open_reference(
        "catalog",
        ReferenceSettings(SERVICE, None, **settings),
        Selector(SelectionTable({"catalog": ServiceSelection(ProtocolOrder(protocols))})),
        {"direct": DirectRegistry(endpoints)},
        adapter,
        Catalog([]),
    )
    assert await reference.directory.start(WAIT_S)
    return reference


async def test_adapter_is_told_what_the_settings_say() -> None:
    client = FakeClient()
    reference = await opened(
        client,
        endpoint(1),
        application="shop",
        timeout_s=2.0,
        token="secret",
        connections=3,
        methods={"find": MethodSettings(timeout_s=0.5), "count": MethodSettings(retries=0)},
        parameters={"dubbo": {"heartbeat": 9.0}, "pipe": {"threads": 1}},
    )
    ((at, told),) = client.opened
    assert at == endpoint(1)
    assert (told.service, told.contract, told.application) == (SERVICE, None, "shop")
    assert (told.timeout_s, dict(told.method_timeouts_s)) == (2.0, {"find": 0.5})
    assert (told.token, told.connections, dict(told.parameters)) == ("secret", 3, {"heartbeat": 9.0})
    await reference.directory.aclose()


async def attempts(method: str, **settings: Any) -> int:
    """How often a call of `method` is made when it may have run each time."""
    client = FakeClient(ConnectionLost("cut"))
    reference = await opened(client, endpoint(1), endpoint(2), **settings)
    with pytest.raises(ConnectionLost):
        await reference.handler(invocation(method))
    await reference.directory.aclose()
    return sum(len(each.calls) for each in client.invokers)


@pytest.mark.parametrize(
    ("settings", "find", "count"),
    [
        # Dubbo's two retries are assumed, so a call that may have run is not repeated; written ones are meant.
        ({}, 1, 1),
        ({"retries": 2}, 3, 3),
        ({"retries": 0}, 1, 1),
        ({"retries": 2, "methods": {"find": MethodSettings(retries=0)}}, 1, 3),
        ({"retries": 2, "methods": {"find": MethodSettings(timeout_s=9.0)}}, 3, 3),
        ({"methods": {"find": MethodSettings(retries=1)}}, 2, 1),
        ({"retries": 2, "cluster": "failfast"}, 1, 1),
        ({"retries": 2, "cluster": "failfast", "methods": {"find": MethodSettings(cluster="failover")}}, 3, 1),
    ],
)
async def test_method_takes_from_the_reference_what_it_does_not_say_itself(
    settings: dict[str, Any], find: int, count: int
) -> None:
    assert await attempts("find", **settings) == find
    assert await attempts("count", **settings) == count


@pytest.mark.parametrize("what", ["cluster", "balance"])
async def test_name_that_does_not_exist_is_refused(what: str) -> None:
    with pytest.raises(LookupError, match=f"there is no {what} 'x'"):
        await opened(FakeClient(), endpoint(1), **{what: "x"})
    with pytest.raises(LookupError, match=f"there is no {what} 'x'"):
        await opened(FakeClient(), endpoint(1), methods={"find": MethodSettings(**{what: "x"})})


async def test_only_providers_of_the_protocol_are_opened() -> None:
    client = FakeClient()
    reference = await opened(client, endpoint(1), endpoint(2, protocol="pipe"), protocols=("pipe",))
    assert [at.protocol for at, _ in client.opened] == ["pipe"]
    await reference.directory.aclose()


async def test_filters_stand_around_every_attempt() -> None:
    passed: list[str] = []

    async def outer(call: Invocation, handler: Handler) -> Result:
        passed.append("outer")
        return await handler(call.replace(consumer="outer"))

    async def inner(call: Invocation, handler: Handler) -> Result:
        passed.append(f"inner of {call.consumer}")
        return await handler(call)

    client = FakeClient(ConnectionLost("cut"), Ok("found"))
    reference = await opened(client, endpoint(1), retries=2, filters=[outer, inner])
    answer = await reference.handler(invocation())
    assert isinstance(answer, Ok)
    assert answer.value == "found"
    assert passed == ["outer", "inner of outer"] * 2
    (invoker,) = client.invokers
    (shown,) = reference.directory.providers.invokers
    assert (shown.endpoint, shown.load, shown.available) == (invoker.endpoint, invoker.load, True)
    invoker.available = False
    assert not shown.available
    await reference.directory.aclose()
    assert invoker.closed == 1


class Gate:
    """A filter that knows where it stands, and shuts at one provider."""

    def __init__(self, *shut: int) -> None:
        self.shut = shut
        self.passed: list[int] = []

    def __call__(self, call: Invocation, handler: Handler) -> Any:
        raise AssertionError("around attempts it is asked for a filter of the provider")

    def at(self, where: Endpoint) -> AttemptFilter:
        gate = self

        class Shut:
            @property
            def available(self) -> bool:
                return where.port not in gate.shut

            def __call__(self, call: Invocation, handler: Handler) -> Any:
                gate.passed.append(where.port)
                return handler(call)

        return Shut()


async def test_a_filter_that_asks_for_it_stands_around_each_provider_and_takes_one_out_of_the_choice() -> None:
    gate, client = Gate(2), FakeClient(Ok("found"))
    reference = await opened(client, endpoint(1), endpoint(2), endpoint(3), filters=[gate])
    shown = {each.endpoint.port: each for each in reference.directory.providers.invokers}
    assert {port: each.available for port, each in shown.items()} == {1: True, 2: False, 3: True}
    for _ in range(50):
        await reference.handler(invocation())
    assert set(gate.passed) == {1, 3}
    gate.shut = (1, 2, 3)
    # Nobody is available, so somebody is asked all the same.
    await reference.handler(invocation())
    await reference.directory.aclose()


async def test_an_open_circuit_moves_calls_to_other_providers_and_a_probe_brings_them_back() -> None:
    clock = FakeClock()
    options = CircuitBreakerOptions(per=("provider",), consecutive=2)
    down, calls = {1}, Counter[int]()

    async def answer(at: int) -> Result:
        calls[at] += 1
        if at in down:
            raise ConnectFailed("down")
        return Ok(at)

    class Client(FakeClient):
        def open(self, at: Endpoint, reference: Reference) -> FakeInvoker:
            return FakeInvoker(at, lambda _: answer(at.port))

    breaker = CircuitBreaker(options, clock)
    reference = await opened(Client(), endpoint(1), endpoint(2), filters=[breaker])
    for _ in range(40):
        assert await reference.handler(invocation())
    assert calls[1] == 2
    clock.advance(5)
    for _ in range(40):
        await reference.handler(invocation())
    assert calls[1] == 3
    down.clear()
    clock.advance(10)
    for _ in range(40):
        await reference.handler(invocation())
    assert calls[1] > 10
    assert breaker.refusals == {}
    await reference.directory.aclose()


async def test_what_a_limit_refuses_here_does_not_eject_the_providers_it_was_for() -> None:
    client = FakeClient()
    limit = RateLimit(RateLimitOptions(rate=1, burst=1), FakeClock())
    reference = await opened(client, endpoint(1), endpoint(2), filters=[limit], cluster="failfast")
    await reference.handler(invocation())
    for _ in range(40):
        with pytest.raises(Overloaded):
            await reference.handler(invocation())
    assert [each.load.ejected for each in client.invokers] == [False, False]
    await reference.directory.aclose()
