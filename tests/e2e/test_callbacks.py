"""Callbacks over dubbo:// on loopback: services call objects of their callers, directly and through a gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from gateway import (
    BadRequest,
    ConnectionLost,
    ContractError,
    DeadlineExceeded,
    NoSuchService,
    Overloaded,
    RemoteError,
    calling,
    connect,
    connect_sync,
    offering,
    withdraw,
)
from gateway.demo.reports import Report, Reports, ReportUnwanted
from gateway.model.errors import ConfigError
from gateway.runtime.app import App
from tests.support.prices import Listener, Listening, Price, Prices, Rejected, Watching
from tests.support.running import hosting, running

PATIENCE_S = 10
HOSTED = hosting("tests.support.prices:Prices", "tests.support.prices:Watching")
ONE = Decimal(1)


def hosted(callbacks: int = 1, timeout: str = "1s") -> str:
    options = f", options: {{callbacks: {callbacks}, callback_timeout: {timeout}}}"
    return hosting("tests.support.prices:Prices", "tests.support.prices:Watching", listener=options)


def bridged(address: str, contract: str = "contract: tests.support.prices:Prices") -> str:
    return f"""
application: {{name: between, drain: 2s}}
listeners: {{dubbo: {{protocol: dubbo, port: 0}}}}
services:
  bridged:
    {contract}
    listeners: [dubbo]
    remote: {{addresses: ["dubbo://{address}"], timeout: 5s, retries: 0}}
"""


def url(app: App) -> str:
    return f"dubbo://{app.listening[0].address}"


@asynccontextmanager
async def client(app: App, **settings: Any) -> AsyncIterator[Prices]:
    async with asyncio.timeout(PATIENCE_S), connect(url(app), Prices, **{"timeout_s": 5.0, **settings}) as prices:
        yield prices


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Watching.instances.clear()


@pytest.fixture(params=["direct", "bridged"])
async def app(request: pytest.FixtureRequest) -> AsyncIterator[App]:
    """A provider, or a gateway in front of one."""
    async with running(HOSTED) as provider:
        if request.param == "direct":
            yield provider
        else:
            async with running(bridged(provider.listening[0].address)) as between:
                yield between


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_listener_is_called_during_and_after_the_call(app: App) -> None:
    listener = Listening("ann")
    async with client(app) as prices:
        assert await prices.watch("desk", listener) == "ann"
        assert await prices.announce("desk", Decimal("49.90")) == [1]
        assert await prices.announce("chair", ONE) == []
        assert await prices.announce("desk", ONE) == [2]
    assert listener.told == [Price("desk", Decimal("49.90")), Price("desk", ONE)]


async def test_a_service_may_call_what_it_only_needs_during_the_call(app: App) -> None:
    async with client(app) as prices:
        for _ in range(3):
            assert await prices.count_down(Listening(), 4) == 1 + 2 + 3 + 4


async def test_what_a_listener_raises_arrives_as_such(app: App) -> None:
    async with client(app) as prices:
        await prices.watch("desk", Listening(rejects="desk"))
        with pytest.raises(Rejected, match="not this") as caught:
            await prices.announce("desk", ONE)
        assert caught.value.sku == "desk"


async def test_oneway_calls_reach_a_listener(app: App) -> None:
    listener = Listening()
    async with client(app) as prices:
        await prices.watch("desk", listener)
        (provider,) = Watching.instances
        await provider.listeners[0][1].closed("weekend")
        assert await listener.reasons.get() == "weekend"


async def test_several_listeners_of_one_client_are_told_apart(app: App) -> None:
    first, second = Listening("first"), Listening("second")
    async with client(app) as prices:
        assert await prices.watch("desk", first) == "first"
        assert await prices.watch("desk", second) == "second"
        assert await prices.watch("chair", first) == "first"
        assert await prices.announce("desk", ONE) == [1, 1]
        assert await prices.announce("chair", ONE) == [2]


async def test_a_listener_that_is_taken_back_is_recognised_and_called_no_more(app: App) -> None:
    listener, other = Listening(), Listening()
    async with client(app) as prices:
        await prices.watch("desk", listener)
        await prices.watch("desk", other)
        (provider,) = Watching.instances
        kept = provider.listeners[0][1]
        assert await prices.unwatch(listener) is True
        assert await prices.announce("desk", ONE) == [1]
        assert (len(listener.told), len(other.told)) == (0, 1)
        with pytest.raises(NoSuchService, match="taken back"):
            await kept.ping()
        with pytest.raises(BadRequest, match="not offered to this provider"):
            await prices.unwatch(listener)
        assert await prices.watch("desk", listener) == "one"


async def test_providers_find_that_the_caller_is_gone(app: App) -> None:
    listener = Listening()
    listener.release.clear()
    async with client(app) as prices:
        await prices.watch("desk", listener)
        (provider,) = Watching.instances
        kept = provider.listeners[0][1]
        pending = asyncio.create_task(calling(kept, deadline_s=PATIENCE_S).changed(Price("desk", ONE)))
        await listener.entered.wait()
    assert listener.cancelled.is_set()
    with pytest.raises(ConnectionLost):
        await pending
    with pytest.raises(ConnectionLost):
        await kept.ping()


async def test_callers_notice_when_the_provider_is_gone() -> None:
    listener, lost = Listening(), asyncio.Queue[str]()
    async with running(HOSTED) as provider:
        address = provider.listening[0].address
        async with running(bridged(address)) as between, client(between) as far, client(provider) as near:
            await near.watch("desk", offering(listener, lost=lost.put_nowait))
            await far.watch("desk", offering(listener, lost=lost.put_nowait))
            await provider.stop()
            assert address in await lost.get()
            assert between.listening[0].address in await lost.get()
            async with running(hosting(*HOSTED_AT, port=int(address.rpartition(":")[2]))):
                await until_watching(far, listener)
                await far.announce("desk", ONE)
    assert listener.told == [Price("desk", ONE)]


HOSTED_AT = ("tests.support.prices:Prices", "tests.support.prices:Watching")


async def until_watching(prices: Prices, listener: Listener) -> None:
    """Offers it again until that works: nobody else does."""
    while True:
        try:
            await prices.watch("desk", listener)
        except Exception:
            await asyncio.sleep(0.01)
        else:
            return


async def test_what_is_withdrawn_is_called_no_more(app: App) -> None:
    lost: list[str] = []
    watching = offering(Listening(), lost=lost.append)
    async with client(app) as prices:
        await prices.watch("desk", watching)
        (provider,) = Watching.instances
        withdraw(watching)
        with pytest.raises((ConnectionLost, NoSuchService)):
            await for_ever(provider.listeners[0][1].ping)
        withdraw(watching)
    assert lost == []


async def for_ever(call: Callable[[], Awaitable[Any]]) -> None:
    """Makes the call until it raises."""
    while True:
        await call()


async def test_a_call_that_raises_takes_its_listener_back(app: App) -> None:
    async with client(app) as prices:
        for _ in range(3):
            with pytest.raises(RemoteError, match="no"):
                await prices.refuse(Listening())
        assert await prices.watch("desk", Listening()) == "one"


async def test_a_provider_takes_so_many_listeners_on_a_connection() -> None:
    async with running(hosted(callbacks=2)) as provider:
        async with client(provider, parameters={"callbacks": 3}, retries=0) as prices:
            listeners = [Listening(), Listening()]
            for listener in listeners:
                await prices.watch("desk", listener)
            with pytest.raises(Overloaded, match=r"may have 2 callbacks test\.Listener"):
                await prices.watch("desk", Listening())
            # One that was offered already is no further one.
            await prices.watch("chair", listeners[0])
            await prices.unwatch(listeners[0])
            await prices.watch("desk", Listening())
        async with client(provider, parameters={"callbacks": 2, "callback_connections": 2}) as prices:
            kept = [Listening() for _ in range(4)]
            for listener in kept:
                await prices.watch("lamp", listener)
            assert await prices.announce("lamp", ONE) == [1] * 4
            with pytest.raises(Overloaded, match="over 2 connections"):
                await prices.watch("lamp", Listening())


async def test_a_listener_that_hangs_costs_the_provider_its_timeout() -> None:
    listener = Listening()
    async with running(hosted(timeout="50ms")) as provider, client(provider) as prices:
        await prices.watch("desk", listener)
        listener.release.clear()
        with pytest.raises(DeadlineExceeded):
            await prices.announce("desk", ONE)
        await listener.cancelled.wait()
        listener.release.set()
        assert await prices.announce("desk", ONE) == [1]
        (watching,) = Watching.instances
        listener.release.clear()
        with pytest.raises(DeadlineExceeded):
            await calling(watching.listeners[0][1], deadline_s=0.02).changed(Price("desk", ONE))


async def test_a_provider_in_its_drain_still_gets_the_answers_of_listeners() -> None:
    listener = Listening()
    listener.release.clear()
    async with running(HOSTED) as provider, client(provider) as prices:
        await prices.watch("desk", listener)
        (watching,) = Watching.instances
        pending = asyncio.create_task(calling(watching.listeners[0][1], deadline_s=5).changed(Price("desk", ONE)))
        await listener.entered.wait()
        stopping = asyncio.create_task(provider.stop())
        await asyncio.sleep(0)
        listener.release.set()
        assert await pending == 1
        await stopping


async def test_a_caller_of_this_process_is_called_back() -> None:
    listener = Listening("here")
    async with running(HOSTED) as provider:
        prices = provider.reference("hosted", Prices)
        assert await prices.watch("desk", listener) == "here"
        assert await prices.announce("desk", ONE) == [1]
        assert await prices.unwatch(listener) is True


async def test_blocking_clients_are_called_back_in_their_own_thread() -> None:
    listener = Listening("blocking")
    async with running(HOSTED) as provider:

        def use() -> tuple[str, list[int]]:
            with connect_sync(url(provider), Prices, timeout_s=5.0) as prices:
                return prices.watch("desk", listener), prices.announce("desk", ONE)

        assert await asyncio.to_thread(use) == ("blocking", [1])


async def test_what_is_no_listener_is_refused_before_anything_is_sent(app: App) -> None:
    nothing: Any = None
    number: Any = 7
    async with client(app) as prices:
        with pytest.raises(BadRequest, match=r"args\[1\].*found None"):
            await prices.watch("desk", nothing)
        with pytest.raises(BadRequest, match=r"args\[1\].*does not implement test\.Listener"):
            await prices.watch("desk", number)
    with pytest.raises(TypeError, match="only what offering"):
        withdraw(Listening())


async def test_a_service_without_a_contract_does_not_pass_a_null_where_a_callback_was_meant() -> None:
    async with running(HOSTED) as provider:
        generic = "generic: true\n    interface: test.Prices"
        async with running(bridged(provider.listening[0].address, generic)) as between, client(between) as prices:
            with pytest.raises(BadRequest, match=r"args\[1\] is a callback"):
                await prices.watch("desk", Listening())
            assert await prices.watchers() == 0


async def test_wires_that_carry_no_callbacks_say_so() -> None:
    with pytest.raises(ContractError, match=r"watch\(listener\): a callback; over http:// a service cannot call"):
        await connect("http://127.0.0.1:1", Prices).open()
    with pytest.raises(ConfigError, match=r"'http' cannot carry test\.Prices: unwatch\(listener\)"):
        async with running(HOSTED.replace("protocol: dubbo", "protocol: http")):
            pass


class Reader:
    """Keeps the reports it is told of."""

    def __init__(self, unwanted: str = "") -> None:
        self.reports: asyncio.Queue[Report] = asyncio.Queue()
        self.pages = 0
        self._unwanted = unwanted

    async def progressed(self, ticket: str, page: int) -> int:
        if ticket == self._unwanted:
            raise ReportUnwanted("not this one", ticket=ticket)
        self.pages += 1
        return self.pages

    async def finished(self, report: Report) -> None:
        self.reports.put_nowait(report)


LONG = hosting("gateway.demo.reports:Reports", "gateway.demo.reports:DemoReports", more="options: {page_ms: 20}")


async def test_a_result_that_came_too_late_for_the_call_comes_by_callback() -> None:
    reader = Reader()
    async with (
        asyncio.timeout(PATIENCE_S),
        running(LONG) as app,
        connect(url(app), Reports, timeout_s=0.1, retries=0) as reports,
    ):
        with pytest.raises(DeadlineExceeded):
            await reports.build("t-1", "Sales", 20, reader)
        assert reader.reports.empty()
        assert await reader.reports.get() == Report("t-1", "Sales", 20)
        # The same ticket orders nothing twice.
        assert await reports.build("t-1", "Sales", 20, reader) == Report("t-1", "Sales", 20)
        assert reader.pages == 20


async def test_a_repeated_order_takes_part_in_the_work() -> None:
    first, second = Reader(), Reader()
    async with asyncio.timeout(PATIENCE_S), running(LONG) as app:
        async with connect(url(app), Reports, timeout_s=0.1, retries=0) as hurried:
            with pytest.raises(DeadlineExceeded):
                await hurried.build("t-2", "Sales", 20, first)
        async with connect(url(app), Reports, timeout_s=PATIENCE_S) as patient:
            assert await patient.build("t-2", "Sales", 20, second) == Report("t-2", "Sales", 20)
            assert await second.reports.get() == Report("t-2", "Sales", 20)
            assert first.reports.empty()
            with pytest.raises(ReportUnwanted) as caught:
                await patient.build("t-3", "Sales", 3, Reader(unwanted="t-3"))
            assert caught.value.ticket == "t-3"


@pytest.mark.parametrize("patience", [{"timeout_s": 0.1}, {"timeout_s": 5.0, "deadline_s": 0.1}])
@pytest.mark.serial("a call reaches its provider within 0.1 s")
async def test_a_result_comes_through_a_gateway_after_the_call_was_given_up(patience: dict[str, float]) -> None:
    reader = Reader()
    between = bridged("{}", "contract: gateway.demo.reports:Reports")
    async with asyncio.timeout(PATIENCE_S), running(LONG) as app:
        address = app.listening[0].address
        async with (
            running(between.replace("dubbo://{}", f"dubbo://{address}")) as gateway,
            connect(url(gateway), Reports, retries=0, **patience) as reports,
        ):
            with pytest.raises(DeadlineExceeded):
                await reports.build("t-4", "Sales", 20, reader)
            assert await reader.reports.get() == Report("t-4", "Sales", 20)


async def test_a_call_that_is_cancelled_takes_its_listener_back() -> None:
    listener = Listening()
    listener.release.clear()
    async with running(HOSTED) as provider, client(provider) as prices:
        counting = asyncio.create_task(prices.count_down(listener, 3))
        await listener.entered.wait()
        counting.cancel()
        await listener.cancelled.wait()
        assert await prices.watch("desk", Listening()) == "one"
