"""Callbacks offered to a dubbo:// provider, and its calls to them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.model.call import Invocation, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, NoSuchMethod, NoSuchService, RpcError, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.contract import CallbackReceived, CalledClientCodec, CallReceived, CallRejected
from protocols.dubbo.client import DubboClientCodec, DubboClientWire
from protocols.dubbo.offers import OfferNumbers
from protocols.dubbo.server import DubboServerWire
from protocols.reader import Limits
from tests.support.callback_bytes import DESCRIPTOR, Caller, Target, changed, watch
from tests.support.dubbo_bytes import BAD_REQUEST, HEADER, HESSIAN2, OK, REQUEST, TWO_WAY, frame, replies, text
from tests.support.prices import Listener, Prices

CONTRACT, LISTENER = contract_of(Prices), contract_of(Listener)
KEY = ServiceKey("test.Prices")
METHODS = {each.name: each for each in CONTRACT.methods}


class Client:
    """A codec and what it was asked to send."""

    def __init__(self, wire: DubboClientWire | None = None) -> None:
        wire = wire or DubboClientWire(Limits())
        self.binding = wire.bind(KEY, CONTRACT, "", "app")
        self.codec: DubboClientCodec = wire.connect()
        assert isinstance(self.codec, CalledClientCodec)

    def offer(self, *values: Any, method: str = "watch") -> bytes:
        values = values if method == "unwatch" else ("desk", *values)
        return self.codec.call(self.binding, Invocation(KEY, method, values, signature=METHODS[method]), 1.0)[1]

    def called(self, data: bytes) -> CallbackReceived:
        (event,) = self.codec.receive(data)
        assert isinstance(event, CallbackReceived), getattr(event, "error", event)
        return event

    def refused(self, data: bytes) -> RpcError:
        (event,) = self.codec.receive(data)
        assert isinstance(event, CallRejected)
        (reply,) = replies(self.codec.reply(event.ticket, event.error))
        assert (reply.flags, reply.id) == (HESSIAN2, HEADER.unpack_from(data)[3])
        assert reply.status != OK
        return event.error


def test_a_callback_is_sent_as_null_and_its_number() -> None:
    client = Client()
    data = client.offer(Target(LISTENER))
    assert DESCRIPTOR.encode() + text("desk") + b"NH" in data
    assert text("sys_callback_arg-1") + text("1") in data
    again = client.offer(Target(LISTENER))
    assert text("sys_callback_arg-1") + text("1") in again
    other = client.offer(Target(LISTENER, "two"))
    assert text("sys_callback_arg-1") + text("2") in other


def test_the_provider_calls_it_by_its_number() -> None:
    client, target = Client(), Target(LISTENER)
    client.offer(target)
    event = client.called(changed("1", more={"timeout": "800", "user": "ann", "callback.x": "y"}))
    assert event.callback is target
    assert (event.invocation.method, event.invocation.arguments(), event.timeout_s) == ("ping", (), 0.8)
    assert event.invocation.attachments == {"user": "ann", "callback.x": "y"}
    (reply,) = replies(client.codec.reply(event.ticket, Ok("pong")))
    assert (reply.flags, reply.status, reply.id) == (HESSIAN2, OK, 3)
    assert reply.body[:6] == b"\x94" + text("pong")


def test_attachments_that_the_provider_sends_on_are_not_shown() -> None:
    client = Client()
    client.offer(Target(LISTENER))
    event = client.called(changed("1", more={"sys_callback_arg-1": "99", "token": "secret", "k": "v"}))
    assert event.invocation.attachments == {"k": "v"}


def test_oneway_calls_have_no_ticket() -> None:
    client = Client()
    client.offer(Target(LISTENER))
    event = client.called(changed("1", flags=REQUEST | HESSIAN2))
    assert event.ticket is None
    assert event.invocation.oneway


@pytest.mark.parametrize("instance", [None, "", "2", "-1", "1.0", "0" * 50, "x" * 10_000, "1 "])
def test_numbers_that_were_not_given_are_refused(instance: str | None) -> None:
    client = Client()
    client.offer(Target(LISTENER))
    error = client.refused(changed(instance))
    assert isinstance(error, NoSuchService)
    assert len(str(error)) < 300
    assert client.codec.broken is None


def test_a_number_is_of_one_interface_and_one_connection() -> None:
    wire = DubboClientWire(Limits())
    first, second = Client(wire), Client(wire)
    first.offer(Target(LISTENER))
    second.offer(Target(LISTENER))
    assert isinstance(first.refused(changed("1", path="test.Other")), NoSuchService)
    assert isinstance(first.refused(changed("2")), NoSuchService)
    assert isinstance(second.refused(changed("1")), NoSuchService)


def test_what_the_contract_has_not_cannot_be_called() -> None:
    client = Client()
    client.offer(Target(LISTENER))
    assert isinstance(client.refused(changed("1", method="steal")), NoSuchMethod)
    assert isinstance(client.refused(changed("1", flags=REQUEST | TWO_WAY | 31)), BadRequest)
    malformed = frame(REQUEST | TWO_WAY | HESSIAN2, 5, b"\x91\x91")
    assert isinstance(client.refused(malformed), BadRequest)
    left_over = changed("1")
    left_over = left_over[:12] + (len(left_over) - 16 + 1).to_bytes(4, "big") + left_over[16:] + b"N"
    assert isinstance(client.refused(left_over), BadRequest)


def test_a_request_id_in_use_is_refused() -> None:
    client = Client()
    client.offer(Target(LISTENER))
    event = client.called(changed("1", id=4))
    (twice,) = client.codec.receive(changed("1", id=4))
    assert isinstance(twice, CallRejected)
    (reply,) = replies(client.codec.reply(twice.ticket, twice.error))
    assert (reply.id, reply.status) == (4, BAD_REQUEST)
    client.codec.reply(event.ticket, Ok("pong"))
    client.called(changed("1", id=4))


def test_what_is_withdrawn_is_called_no_more() -> None:
    client, target = Client(), Target(LISTENER)
    client.offer(target)
    client.codec.withdraw(target)
    client.codec.withdraw(target)
    assert isinstance(client.refused(changed("1")), NoSuchService)
    assert text("sys_callback_arg-1") + text("2") in client.offer(target)


def test_only_what_is_offered_can_be_taken_back() -> None:
    client, target = Client(), Target(LISTENER)
    with pytest.raises(ValueMappingError, match=r"args\[0\]: this callback is not offered to this provider"):
        client.offer(target, method="unwatch")
    client.offer(target)
    assert text("sys_callback_arg-0") + text("1") in client.offer(target, method="unwatch")


def test_what_is_no_callback_of_the_kind_is_refused() -> None:
    with pytest.raises(ValueMappingError, match=r"args\[1\]: expected a callback test\.Listener, found str"):
        Client().offer("listener")
    with pytest.raises(ValueMappingError, match=r"args\[1\]: expected a callback test\.Listener"):
        Client().offer(Target(CONTRACT))


def test_a_call_breaks_a_connection_on_which_nothing_was_offered() -> None:
    client = Client()
    assert client.codec.receive(changed("1")) == []
    assert client.codec.broken is not None
    assert client.codec.broken.reason == "unexpected-request"


@pytest.mark.parametrize("key", ["sys_callback_arg-0", "sys_callback_arg-x", "callback.service.instid"])
def test_attachments_of_users_cannot_pretend(key: str) -> None:
    client = Client()
    call = Invocation(KEY, "watchers", (), signature=METHODS["watchers"], attachments={key: "1"})
    with pytest.raises(ValueMappingError, match="uses attachments of this name itself"):
        client.codec.call(client.binding, call, 1.0)


def test_a_forwarded_call_offers_anew_and_leaves_the_rest_as_it_is() -> None:
    server = DubboServerWire([Exposure(KEY, CONTRACT, forwarded=True)], Limits()).accept(Peer("dubbo", "x"))
    server.attach(Caller())
    (event,) = server.receive(watch({"sys_callback_arg-1": "1971489295"}), 0.0)
    assert isinstance(event, CallReceived)
    client = Client()
    client.offer(Target(LISTENER))
    _, data = client.codec.call(client.binding, event.invocation, 1.0)
    assert text("watch") + text(DESCRIPTOR) + text("desk") + b"NH" in data
    assert text("sys_callback_arg-1") + text("2") in data
    assert b"1971489295" not in data


def test_numbers_begin_again_before_they_are_no_ints() -> None:
    numbers = OfferNumbers()
    assert [numbers.next(), numbers.next()] == [1, 2]
    numbers._count = iter(range(2**31 - 3, 2**31))  # type: ignore[assignment]
    assert [numbers.next(), numbers.next(), numbers.next()] == [2**31 - 2, 2**31 - 1, 1]
