"""Callbacks of the peer of a dubbo:// server: found in its calls, called on its connection."""

from __future__ import annotations

import gc
from decimal import Decimal
from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.model.call import Invocation, Ok, Peer
from gateway.model.callback import Callback
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, ConnectionLost, NoSuchService, Overloaded, Retry, RpcError
from gateway.model.exposure import Exposure
from protocols.contract import CallingServerCodec, CallReceived, CallRejected, ReplyReceived
from protocols.dubbo.peer_callbacks import CallbackOptions
from protocols.dubbo.server import DubboServerCodec, DubboServerWire
from protocols.reader import Limits
from tests.support.callback_bytes import Caller, value, watch
from tests.support.dubbo_bytes import CALL, HEADER, HESSIAN2, OK, REQUEST, frame, request, text
from tests.support.prices import Listener, Price, Prices

CONTRACT, LISTENER = contract_of(Prices), contract_of(Listener)
OPTIONS = CallbackOptions(limit=2, timeout_s=3.0, application="shop")
PING = next(each for each in LISTENER.methods if each.name == "ping")
CLOSED = next(each for each in LISTENER.methods if each.name == "closed")
CHANGED = next(each for each in LISTENER.methods if each.name == "changed")
KEY = ServiceKey("test.Listener")


class Server:
    """A codec with something to call through."""

    def __init__(self, *, forwarded: bool = False, contract: Any = CONTRACT, group: str = "") -> None:
        exposure = Exposure(ServiceKey("test.Prices", group), contract, forwarded)
        self.codec: DubboServerCodec = DubboServerWire([exposure], Limits(), callbacks=OPTIONS).accept(
            Peer("dubbo", "x")
        )
        self.caller = Caller()
        assert isinstance(self.codec, CallingServerCodec)
        self.codec.attach(self.caller)

    def call(self, data: bytes) -> CallReceived:
        (event,) = self.codec.receive(data, 0.0)
        assert isinstance(event, CallReceived), getattr(event, "error", event)
        return event

    def refused(self, data: bytes) -> RpcError:
        (event,) = self.codec.receive(data, 0.0)
        assert isinstance(event, CallRejected)
        return event.error

    def callback(self, data: bytes, position: int = 1) -> Callback:
        found = self.call(data).invocation.arguments()[position]
        assert isinstance(found, Callback)
        return found

    async def send(self, callback: Callback, method: Any, *values: Any, timeout_s: float = 2.5) -> tuple[int, bytes]:
        """What calling the callback sends."""
        self.caller.answer = Ok(None)
        await callback(Invocation(KEY, method.name, values, signature=method, oneway=method.oneway))
        binding, invocation = self.caller.calls[-1]
        return self.codec.call(binding, invocation, timeout_s)


@pytest.mark.parametrize("forwarded", [False, True])
def test_an_argument_that_stands_as_null_is_a_callback(forwarded: bool) -> None:
    call = Server(forwarded=forwarded).call(watch({"sys_callback_arg-1": "1971489295"}))
    sku, callback = call.invocation.arguments()
    assert sku == "desk"
    assert isinstance(callback, Callback)
    assert callback.contract is LISTENER
    assert call.invocation.attachments == {}


async def test_a_call_of_it_is_a_request_with_its_number() -> None:
    server = Server(group="blue")
    callback = server.callback(watch({"sys_callback_arg-1": "1971489295"}, group="blue"))
    call_id, data = await server.send(callback, PING)
    magic, flags, status, sent_id, length = HEADER.unpack_from(data)
    assert (magic, flags, status, sent_id, length) == (0xDABB, CALL, 0, call_id, len(data) - 16)
    head = b"".join(map(text, ("2.0.2", "test.Listener", "0.0.0", "ping", "")))
    entries = {
        "path": "test.Listener",
        "interface": "test.Listener",
        "group": "blue",
        "callback.service.instid": "1971489295",
        "remote.application": "shop",
        "timeout": "2500",
    }
    assert data[16:] == head + b"H" + b"".join(text(key) + text(each) for key, each in entries.items()) + b"Z"


async def test_arguments_and_answers_of_a_callback_are_typed() -> None:
    server = Server()
    callback = server.callback(watch({"sys_callback_arg-1": "5"}))
    call_id, data = await server.send(callback, CHANGED, Price("desk", Decimal("1.50")))
    assert text("changed") + text("Ltest/Price;") in data
    (reply,) = server.codec.receive(frame(HESSIAN2, call_id, value(7), status=OK), 0.0)
    assert isinstance(reply, ReplyReceived)
    assert reply.call_id == call_id
    assert isinstance(reply.outcome, Ok)
    assert reply.outcome.value == 7


async def test_a_oneway_call_of_it_wants_no_answer() -> None:
    server = Server()
    call_id, data = await server.send(server.callback(watch({"sys_callback_arg-1": "5"})), CLOSED, "late")
    assert call_id == -1
    assert data[2] == REQUEST | HESSIAN2


def test_the_same_number_is_the_same_callback() -> None:
    server = Server()
    first = server.callback(watch({"sys_callback_arg-1": "5"}, id=1))
    assert server.callback(watch({"sys_callback_arg-1": "5"}, id=2)) is first
    assert server.callback(watch({"sys_callback_arg-1": "6"}, id=3)).key != first.key
    assert Server().callback(watch({"sys_callback_arg-1": "5"})).key != first.key


def test_callbacks_count_as_long_as_somebody_holds_them() -> None:
    server = Server()
    first = server.callback(watch({"sys_callback_arg-1": "1"}, id=1))
    second = server.callback(watch({"sys_callback_arg-1": "2"}, id=2))
    refused = server.refused(watch({"sys_callback_arg-1": "3"}, id=3))
    assert isinstance(refused, Overloaded)
    assert str(refused) == "a connection may have 2 callbacks test.Listener"
    del second
    gc.collect()
    third = server.callback(watch({"sys_callback_arg-1": "3"}, id=4))
    assert third.key != first.key


async def test_one_that_is_taken_back_is_told_apart_and_cannot_be_called() -> None:
    server = Server()
    first = server.callback(watch({"sys_callback_arg-1": "1"}, id=1))
    taken = server.callback(watch({"sys_callback_arg-0": "1"}, method="unwatch", id=2), 0)
    assert taken is first
    with pytest.raises(NoSuchService, match=r"test\.Listener was taken back"):
        await first(Invocation(KEY, "ping", (), signature=PING))
    assert server.caller.calls == []
    assert server.callback(watch({"sys_callback_arg-1": "1"}, id=3)) is not first
    unknown = server.callback(watch({"sys_callback_arg-0": "77"}, method="unwatch", id=4), 0)
    assert unknown.key not in (first.key, taken.key)


async def test_one_that_its_owner_knows_no_more_is_not_called_again() -> None:
    server = Server()
    callback = server.callback(watch({"sys_callback_arg-1": "1"}))
    server.caller.answer = NoSuchService("Not found exported service: test.Listener.1")
    for _ in range(2):
        with pytest.raises(NoSuchService):
            await callback(Invocation(KEY, "ping", (), signature=PING))
    assert len(server.caller.calls) == 1


async def test_after_the_connection_it_cannot_be_called() -> None:
    server = Server()
    callback = server.callback(watch({"sys_callback_arg-1": "1"}))
    server.codec.detach("somebody closed the connection")
    with pytest.raises(ConnectionLost, match="somebody closed the connection") as caught:
        await callback(Invocation(KEY, "ping", (), signature=PING))
    assert caught.value.retry is Retry.NEVER


def test_whoever_loses_it_sends_the_peer_away() -> None:
    server = Server()
    callback = server.callback(watch({"sys_callback_arg-1": "1"}))
    callback.lost("a provider is gone")
    assert server.caller.dismissed == 1


@pytest.mark.parametrize("said", [{}, {"sys_callback_arg-0": "1"}, {"sys_callback_arg-1": "x"}])
def test_a_callback_needs_a_number(said: dict[str, str]) -> None:
    refused = Server().refused(watch(said))
    assert isinstance(refused, BadRequest)
    assert str(refused).startswith("args[1]: expected a callback test.Listener")


def test_a_null_that_was_meant_as_a_callback_is_not_passed_on() -> None:
    refused = Server(contract=None, forwarded=True).refused(watch({"sys_callback_arg-1": "1"}))
    assert isinstance(refused, BadRequest)
    assert str(refused) == "args[1] is a callback, and this method has none there"


def test_what_is_said_of_other_arguments_means_nothing() -> None:
    data = request(
        "watchers", path="test.Prices", more={"sys_callback_arg-1": "1", "sys_callback_arg-x": "y", "k": "v"}
    )
    assert Server().call(data).invocation.attachments == {"k": "v"}


async def test_late_answers_are_dropped_and_others_break_the_connection() -> None:
    server = Server()
    callback = server.callback(watch({"sys_callback_arg-1": "1"}))
    call_id, _ = await server.send(callback, PING)
    server.codec.abandon(call_id)
    late = frame(HESSIAN2, call_id, value(1), status=OK)
    (reply,) = server.codec.receive(late, 0.0)
    assert isinstance(reply, ReplyReceived)
    assert server.codec.broken is None
    assert server.codec.receive(late, 0.0) == []
    assert server.codec.broken is not None
    assert server.codec.broken.reason == "unexpected-response"


def test_without_anything_to_call_through_callbacks_are_refused() -> None:
    codec = DubboServerWire([Exposure(ServiceKey("test.Prices"), CONTRACT)], Limits()).accept(Peer("dubbo", "x"))
    (event,) = codec.receive(watch({"sys_callback_arg-1": "1"}), 0.0)
    assert isinstance(event, CallRejected)
    assert str(event.error) == "callbacks are not taken here"
