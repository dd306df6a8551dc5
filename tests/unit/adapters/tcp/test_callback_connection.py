"""Connections over which callbacks are offered, towards a provider that behaves as a test likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.dubbo import PLUGIN
from adapters.tcp.callback_connection import CallbackConnection
from adapters.tcp.client import TcpClient
from gateway.contracts import contract_of
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    NoSuchService,
    Overloaded,
)
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Invoker
from tests.support.callback_bytes import Target, changed
from tests.support.calling_provider import CallingProvider, calling_provider
from tests.support.dubbo_bytes import CALL, HESSIAN2, OK, frame, text
from tests.support.prices import Listener, Prices

CONTRACT, LISTENER = contract_of(Prices), contract_of(Listener)
METHODS = {each.name: each for each in CONTRACT.methods}
KEY = ServiceKey("test.Prices")
BUSY, TIMED_OUT, NOT_FOUND = 100, 31, 70


class Holding(Target):
    """Answers when it is told to."""

    def __init__(self, key: str = "one") -> None:
        super().__init__(LISTENER, key)
        self.release = asyncio.Event()
        self.cancelled = 0

    async def call(self, invocation: Invocation) -> Result:
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Ok("released")


def target(key: str = "one", answer: Result | Exception = Ok("pong"), origin: object = None) -> Target:  # noqa: B008
    made = Target(LISTENER, key, origin)
    made.answer = answer
    return made


class Consumer:
    """An invoker and what it is connected with."""

    def __init__(self, client: TcpClient, invoker: Invoker) -> None:
        self.client = client
        self.invoker = invoker

    async def watch(self, listener: Any, **more: Any) -> Result:
        return await self.invoker(Invocation(KEY, "watch", ("desk", listener), signature=METHODS["watch"], **more))

    async def unwatch(self, listener: Any) -> Result:
        return await self.invoker(Invocation(KEY, "unwatch", (listener,), signature=METHODS["unwatch"]))

    @property
    def connections(self) -> list[CallbackConnection]:
        return [each for each in self.client.connections if isinstance(each, CallbackConnection)]


@asynccontextmanager
async def consuming(port: int, timeout_s: float = 5.0, **parameters: Any) -> AsyncIterator[Consumer]:
    client = PLUGIN.client()
    assert isinstance(client, TcpClient)
    reference = Reference(KEY, CONTRACT, timeout_s=timeout_s, parameters=parameters)
    try:
        yield Consumer(client, client.open(Endpoint("dubbo", "127.0.0.1", port, KEY), reference))
    finally:
        await client.aclose()


@pytest.fixture
async def provider() -> AsyncIterator[CallingProvider]:
    async with asyncio.timeout(20), calling_provider() as made:
        yield made


async def test_what_was_offered_is_called_and_answers(provider: CallingProvider) -> None:
    listener = target()
    async with consuming(provider.port) as consumer:
        assert (await consumer.watch(listener)).value == "ok"  # type: ignore[union-attr]
        visit = await provider.visit()
        visit.call("1", 11)
        answer = await visit.answer()
        assert (answer.flags, answer.status, answer.id) == (HESSIAN2, OK, 11)
        assert text("pong") in answer.body
    assert listener.calls[0].peer is not None
    assert listener.calls[0].peer.address == f"127.0.0.1:{provider.port}"


@pytest.mark.parametrize("instance", ["2", "-1", "", "1 ", "9" * 40])
async def test_a_forged_number_is_answered_and_disturbs_nobody(provider: CallingProvider, instance: str) -> None:
    async with consuming(provider.port) as consumer:
        await consumer.watch(target())
        visit = await provider.visit()
        visit.call(instance, 11)
        answer = await visit.answer()
        assert (answer.status, answer.id) == (NOT_FOUND, 11)
        visit.call("1", 12)
        assert (await visit.answer()).status == OK


async def test_a_flood_of_calls_is_answered_with_busy(provider: CallingProvider) -> None:
    listener = Holding()
    async with consuming(provider.port, callback_calls=3) as consumer:
        await consumer.watch(listener)
        visit = await provider.visit()
        visit.send(b"".join(changed("1", id=number) for number in range(100)))
        refused = [await visit.answer() for _ in range(97)]
        assert {each.status for each in refused} == {BUSY}
        assert [each.id for each in refused] == list(range(3, 100))
        listener.release.set()
        assert sorted([(await visit.answer()).id for _ in range(3)]) == [0, 1, 2]


async def test_a_listener_that_hangs_is_cancelled_when_the_provider_stops_waiting(provider: CallingProvider) -> None:
    listener = Holding()
    async with consuming(provider.port) as consumer:
        await consumer.watch(listener)
        visit = await provider.visit()
        visit.call("1", 11, timeout_ms=50)
        answer = await visit.answer()
        assert (answer.status, answer.id) == (TIMED_OUT, 11)
        assert listener.cancelled == 1


async def test_a_provider_that_leaves_is_not_looked_for_again(provider: CallingProvider) -> None:
    listener, waiting = Holding(), target("two")
    async with consuming(provider.port, callbacks=2) as consumer:
        await consumer.watch(listener)
        await consumer.watch(waiting)
        visit = await provider.visit()
        visit.call("1", 11)
        visit.call("9", 12)
        await visit.answer()
        (connection,) = consumer.connections
        visit.leave()
        while not listener.losses:
            await asyncio.sleep(0.005)
        assert listener.cancelled == 1
        assert [each.partition(" ")[0] for each in (*listener.losses, *waiting.losses)] == [connection.address] * 2
        assert consumer.connections == []
        assert (connection.gone, connection.connects) == (True, 1)
        # Offered again, over a new one.
        await consumer.watch(waiting)
        assert len(provider.visits) == 2


async def test_a_call_that_loses_its_connection_says_so_and_nobody_else(provider: CallingProvider) -> None:
    provider.silent = True
    listener = target()
    async with consuming(provider.port) as consumer:
        watching = asyncio.create_task(consumer.watch(listener))
        visit = await provider.visit()
        await visit.requests.get()
        visit.leave()
        with pytest.raises(ConnectionLost):
            await watching
        assert listener.losses == []
        assert consumer.connections == []


async def test_the_last_callback_that_is_withdrawn_closes_the_connection(provider: CallingProvider) -> None:
    first, second = target(), target("two")
    async with consuming(provider.port, callbacks=2) as consumer:
        await consumer.watch(first)
        await consumer.watch(second)
        visit = await provider.visit()
        first.end()
        visit.call("1", 11)
        assert (await visit.answer()).status == NOT_FOUND
        second.end()
        await visit.ended.wait()
        assert (first.losses, second.losses) == ([], [])


async def test_one_that_comes_from_elsewhere_and_is_gone_there_is_withdrawn(provider: CallingProvider) -> None:
    async with consuming(provider.port) as consumer:
        await consumer.watch(target(answer=NoSuchService("taken back")))
        visit = await provider.visit()
        visit.call("1", 11)
        assert (await visit.answer()).status == NOT_FOUND
        await visit.ended.wait()


async def test_taking_one_back_is_answered_although_it_is_called_meanwhile(provider: CallingProvider) -> None:
    provider.silent = True
    async with consuming(provider.port) as consumer:
        listener = target(answer=NoSuchService("taken back"))
        watching = asyncio.create_task(consumer.watch(listener))
        visit = await provider.visit()
        visit.send(frame(HESSIAN2, (await visit.requests.get()).id, b"\x91" + text("ok"), status=OK))
        await watching
        taking = asyncio.create_task(consumer.unwatch(listener))
        request = await visit.requests.get()
        visit.call("1", 11)
        assert (await visit.answer()).status == NOT_FOUND
        visit.send(frame(HESSIAN2, request.id, b"\x91T", status=OK))
        assert (await taking).value is True  # type: ignore[union-attr]
        await visit.ended.wait()


async def test_callbacks_of_another_origin_have_another_connection(provider: CallingProvider) -> None:
    one, two = object(), object()
    async with consuming(provider.port, callbacks=10) as consumer:
        for key, origin in (("a", one), ("b", one), ("c", two), ("d", None)):
            await consumer.watch(target(key, origin=origin))
        assert len(provider.visits) == 3
        assert len(consumer.connections) == 3


async def test_connections_are_as_many_as_callbacks_need_and_may_have(provider: CallingProvider) -> None:
    async with consuming(provider.port, callbacks=2, callback_connections=2) as consumer:
        kept = [target(str(number)) for number in range(4)]
        for each in (*kept, *kept):
            await consumer.watch(each)
        assert len(provider.visits) == 2
        with pytest.raises(Overloaded, match="over 2 connections"):
            await consumer.watch(target("5"))
        await consumer.unwatch(kept[0])
        await consumer.watch(target("5"))
        with pytest.raises(BadRequest, match="not offered to this provider"):
            await consumer.unwatch(kept[0])


async def test_what_a_call_offered_stays_only_if_it_may_be_called(provider: CallingProvider) -> None:
    provider.silent = True
    async with consuming(provider.port, timeout_s=0.05) as consumer:
        late = target("late")
        with pytest.raises(DeadlineExceeded):
            await consumer.watch(late)
        (await provider.visit()).call("1", 11)
        assert (await provider.visits[0].answer()).status == OK
        cancelled = asyncio.create_task(consumer.watch(target("cancelled")))
        visit = await provider.visit(2)
        await visit.requests.get()
        cancelled.cancel()
        await visit.ended.wait()
        assert len(consumer.connections) == 1


async def test_what_nobody_can_be_told_of_is_not_kept() -> None:
    async with calling_provider() as provider:
        port = provider.port
    async with consuming(port) as consumer:
        listener = target()
        with pytest.raises(ConnectFailed):
            await consumer.watch(listener)
        assert consumer.connections == []
        assert listener.losses == []


async def test_a_fault_takes_back_what_was_offered(provider: CallingProvider) -> None:
    provider.silent = True
    async with consuming(provider.port) as consumer:
        watching = asyncio.create_task(consumer.watch(target()))
        visit = await provider.visit()
        request = await visit.requests.get()
        assert request.flags == CALL
        thrown = b"\x90C" + text("java.lang.RuntimeException") + b"\x91" + text("detailMessage") + b"`" + text("no")
        visit.send(frame(HESSIAN2, request.id, thrown, status=OK))
        assert isinstance(await watching, Fault)
        await visit.ended.wait()


@pytest.mark.parametrize("fault_first", [True, False])
async def test_a_fault_leaves_what_another_call_offered_too(provider: CallingProvider, fault_first: bool) -> None:
    provider.silent = True
    listener = target()
    async with consuming(provider.port) as consumer:
        calls = [asyncio.create_task(consumer.watch(listener)) for _ in range(2)]
        visit = await provider.visit()
        requests = [await visit.requests.get() for _ in calls]
        thrown = b"\x90C" + text("java.lang.RuntimeException") + b"\x91" + text("detailMessage") + b"`" + text("no")
        answers = [thrown, b"\x91" + text("ok")]
        for request, answer in zip(requests, answers if fault_first else answers[::-1], strict=True):
            visit.send(frame(HESSIAN2, request.id, answer, status=OK))
        outcomes = [type(await each) for each in calls]
        assert sorted(outcomes, key=str) == sorted([Fault, Ok], key=str)
        visit.call("1", 11)
        assert text("pong") in (await visit.answer()).body
    assert len(listener.losses) == 1


async def test_a_client_that_is_closed_lets_its_callbacks_go(provider: CallingProvider) -> None:
    listener = Holding()
    async with consuming(provider.port) as consumer:
        await consumer.watch(listener)
        visit = await provider.visit()
        visit.call("1", 11)
        visit.call("9", 12)
        await visit.answer()
    assert listener.cancelled == 1
    assert len(listener.losses) == 1


async def test_calls_without_callbacks_do_not_share_the_connection(provider: CallingProvider) -> None:
    async with consuming(provider.port) as consumer:
        await consumer.watch(target())
        announce = METHODS["watchers"]
        with pytest.raises(Exception, match="does not fit"):  # it answers with a text, whatever it is asked
            await consumer.invoker(Invocation(KEY, "watchers", (), signature=announce))
        assert len(provider.visits) == 2
        # Nothing was offered over that one.
        (await provider.visit(2)).call("1", 11)
        await provider.visits[1].ended.wait()
