"""Clients changed: other options, no contract, blocking, answers collected later."""

from __future__ import annotations

import asyncio
from typing import assert_type

import pytest

from gateway.contracts.stub import CallOptions
from gateway.model.call import Invocation, Ok, Result
from gateway.model.errors import ConnectionLost, Overloaded
from gateway.runtime.proxy import GenericProxy, calling, futures, wrap_sync
from gateway.runtime.started import StartedCalls
from tests.support.answering import KEY, Answering, Orders, client


async def test_calling_changes_a_copy() -> None:
    handler = Answering()
    proxy = client(handler, consumer="shop")
    attachments = {"user": "ann"}
    changed = calling(proxy, attachments=attachments, deadline_s=1.0)
    assert_type(changed, Orders)
    attachments["user"] = "bob"
    await changed.find(1)
    await proxy.find(1)
    assert [each.attachments for each in handler.asked] == [{"user": "ann"}, {}]
    assert [each.consumer for each in handler.asked] == ["shop", "shop"]
    assert handler.asked[1].deadline is None


def test_calling_refuses_what_is_no_client_or_no_option() -> None:
    with pytest.raises(TypeError, match="int is no client made by connect or by the reference of an app"):
        calling(7, deadline_s=1.0)
    with pytest.raises(TypeError, match="timeout"):
        calling(client(Answering()), timeout=1.0)  # type: ignore[call-arg]


async def test_generic_proxy_makes_an_invoke() -> None:
    handler = Answering()
    proxy = GenericProxy(KEY, handler, CallOptions(attachments={"a": "b"}))
    assert await proxy.invoke("find", 7, types=["long"]) == "found"
    assert await calling(proxy, consumer="shop").invoke("count") == "found"
    assert [each.arguments() for each in handler.asked] == [("find", ["long"], [7]), ("count", None, [])]
    assert [each.method for each in handler.asked] == ["$invoke", "$invoke"]
    assert handler.asked[1].consumer == "shop"
    assert handler.asked[1].attachments == {"a": "b"}


def test_blocking_twin_runs_every_method_and_keeps_its_options() -> None:
    handler = Answering()
    blocking = wrap_sync(client(handler), asyncio.run, asyncio.run)
    assert blocking.find(1, note="a") == "found"
    assert calling(blocking, attachments={"a": "b"}).find_named("x") == "found"
    assert handler.asked[1].attachments == {"a": "b"}
    assert repr(blocking) == "<blocking <client of blue/test.Orders>>"
    with pytest.raises(TypeError, match="missing the argument"):
        blocking.find()
    generic = wrap_sync(GenericProxy(KEY, handler, CallOptions()), asyncio.run, asyncio.run)
    assert generic.invoke("find", 7) == "found"


class Holding:
    """A handler that answers when it is told to."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, invocation: Invocation) -> Result:
        self.entered.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return Ok("found")


async def test_a_started_call_runs_before_anybody_waits_for_it() -> None:
    holding, started = Holding(), StartedCalls()
    orders = futures(client(holding, started.start))
    call = orders.find(1)
    await holding.entered.wait()
    assert not call.done()
    holding.release.set()
    assert await call == "found"
    assert len(started) == 0
    assert repr(orders) == "<starting <client of blue/test.Orders>>"


async def test_started_calls_raise_when_they_are_collected() -> None:
    call = futures(client(Answering(Overloaded("busy")), StartedCalls().start)).find(1)
    with pytest.raises(Overloaded, match="busy"):
        await call


async def test_wrong_arguments_of_a_started_call_are_errors_at_once() -> None:
    with pytest.raises(TypeError, match="missing the argument"):
        futures(client(Answering(), StartedCalls().start)).find()


async def test_cancelling_the_future_cancels_the_call() -> None:
    holding, started = Holding(), StartedCalls()
    call = futures(client(holding, started.start)).find(1)
    await holding.entered.wait()
    assert call.cancel()
    await holding.cancelled.wait()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_options_apply_to_started_calls_in_either_order() -> None:
    handler, started = Answering(), StartedCalls()
    orders = client(handler, started.start)
    assert await futures(calling(orders, attachments={"a": "b"})).find(1) == "found"
    assert await calling(futures(orders), attachments={"c": "d"}).find(1) == "found"
    assert [dict(each.attachments) for each in handler.asked] == [{"a": "b"}, {"c": "d"}]
    assert await futures(futures(orders)).find(1) == "found"


async def test_started_calls_without_a_contract() -> None:
    handler = Answering()
    proxy = GenericProxy(KEY, handler, CallOptions(), StartedCalls().start)
    assert await futures(proxy).invoke("find", 7) == "found"


async def test_ending_started_calls_fails_them_and_nobody_else() -> None:
    holding, started = Holding(), StartedCalls()
    call = futures(client(holding, started.start)).find(1)
    await holding.entered.wait()
    await started.aclose()
    assert holding.cancelled.is_set()
    with pytest.raises(ConnectionLost, match="client was closed"):
        await call
    await started.aclose()


def test_futures_need_a_client_that_ends_them() -> None:
    with pytest.raises(TypeError, match="Answering is no client"):
        futures(Answering())
    with pytest.raises(TypeError, match="belongs to no client"):
        futures(client(Answering()))
