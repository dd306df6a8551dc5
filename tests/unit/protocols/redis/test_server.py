"""The server's half of a connection: order, batches, what stands beside calls, and forms of answers."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog, Maker
from gateway.model.call import Fault, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import Overloaded
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Outcome, Send
from protocols.reader import Limits
from protocols.redis.server import RedisServerCodec, RedisServerWire
from protocols.testing import CONTRACT
from tests.support.redis_bytes import command

PING, PONG = command("PING"), b"+PONG\r\n"
COUNT = command("demo.Catalog.count")


@pytest.fixture(scope="module")
def wire() -> RedisServerWire:
    exposures = [Exposure(ServiceKey(each.name), each) for each in (contract_of(Catalog), CONTRACT)]
    return RedisServerWire(exposures, Limits(), {}, lambda: 0.0)


@pytest.fixture
def codec(wire: RedisServerWire) -> RedisServerCodec:
    return wire.accept(Peer("redis", "somebody"))


def heard(codec: RedisServerCodec, *words: bytes | str) -> CallReceived:
    """The call in a command."""
    (event,) = codec.receive(command(*words), 10.0)
    assert isinstance(event, CallReceived)
    return event


def said(codec: RedisServerCodec, data: bytes) -> bytes:
    """What is answered without a call."""
    return b"".join([each.data for each in codec.receive(data, 10.0) if isinstance(each, Send)])


def test_answers_leave_in_order_and_together(codec: RedisServerCodec) -> None:
    calls = [each for each in codec.receive(COUNT + PING + COUNT + PING, 0.0) if isinstance(each, CallReceived)]
    first, second = calls
    assert codec.reply(second.ticket, Ok(2)) == b""
    assert codec.held_bytes > 0
    assert codec.reply(first.ticket, Ok(1)) == b":1\r\n" + PONG + b":2\r\n" + PONG
    assert codec.held_bytes == 0


def test_a_batch_runs_one_command_after_the_other(codec: RedisServerCodec) -> None:
    assert said(codec, command("MULTI") + COUNT + COUNT + PING) == b"+OK\r\n" + b"+QUEUED\r\n" * 3
    first = heard(codec, "EXEC")
    assert codec.reply(first.ticket, Ok(1)) == b""
    (second,) = codec.due()
    assert isinstance(second, CallReceived)
    assert codec.reply(second.ticket, Overloaded("full")) == b"*3\r\n:1\r\n-RPCERR overloaded full\r\n" + PONG
    assert codec.due() == []


def test_commands_behind_a_batch_need_not_wait_for_it_to_begin(codec: RedisServerCodec) -> None:
    said(codec, command("MULTI") + COUNT)
    events = [each for each in codec.receive(command("EXEC") + COUNT, 0.0) if isinstance(each, CallReceived)]
    assert codec.reply(events[1].ticket, Ok(2)) == b""
    assert codec.reply(events[0].ticket, Ok(1)) == b"*1\r\n:1\r\n:2\r\n"


def test_what_stands_beside_a_call_is_taken_apart(codec: RedisServerCodec) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    beside = (
        "timeout",
        "500ms",
        "consumer",
        "shop",
        "token",
        "t",
        "traceparent",
        trace,
        "@user",
        "ann",
        "@timeout",
        "x",
    )
    call = heard(codec, "WITH", *beside, "--", "demo.Catalog.find_by_name", "a").invocation
    assert call.arguments() == ("a",)
    assert (call.deadline, call.consumer, call.token, call.traceparent) == (10.5, "shop", "t", trace)
    assert dict(call.attachments) == {"user": "ann", "timeout": "x"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("WITH", "timeout", "1", "demo.Catalog.count"), "WITH ends in --"),
        (("WITH", "tiemout", "1", "--", "demo.Catalog.count"), "WITH knows no 'tiemout'"),
        (("WITH", "timeout", "soon", "--", "demo.Catalog.count"), "WITH timeout"),
        (("WITH", "timeout", "-1s", "--", "demo.Catalog.count"), "not below zero"),
        (("WITH", "reply", "xml", "--", "demo.Catalog.count"), "either typed or json"),
        (("WITH", "null", "x", "--", "demo.Catalog.count"), "positions"),
        (("WITH", "@a", b"\xff", "--", "demo.Catalog.count"), "UTF-8"),
    ],
)
def test_what_does_not_fit_beside_a_call_is_refused(
    codec: RedisServerCodec, words: tuple[bytes | str, ...], why: str
) -> None:
    events = codec.receive(command(*words), 0.0)
    replies = [each.data for each in events if isinstance(each, Send)]
    replies += [codec.reply(each.ticket, each.error) for each in events if isinstance(each, CallRejected)]
    (reply,) = replies
    assert reply.startswith(b"-RPCERR bad-request ")
    assert why in reply.decode()


def test_nulls_are_named_by_position(codec: RedisServerCodec) -> None:
    call = heard(codec, "WITH", "null", "0", "--", f"{CONTRACT.name}.echo_nullable", "").invocation
    assert call.arguments() == (None,)


def test_who_does_not_wait_is_answered_at_once(codec: RedisServerCodec) -> None:
    call, sent = codec.receive(command("WITH", "oneway", "yes", "--", "demo.Catalog.count"), 0.0)
    assert isinstance(call, CallReceived)
    assert call.ticket is None
    assert call.invocation.oneway
    assert isinstance(sent, Send)
    assert sent.data == b"+OK\r\n"


def test_the_name_of_a_connection_is_that_of_the_consumer(codec: RedisServerCodec) -> None:
    said(codec, command("CLIENT", "SETNAME", "shop"))
    assert heard(codec, "demo.Catalog.count").invocation.consumer == "shop"
    assert heard(codec, "WITH", "consumer", "other", "--", "demo.Catalog.count").invocation.consumer == "other"


def test_it_has_the_name_from_the_command_on_that_gave_it(codec: RedisServerCodec) -> None:
    named = [COUNT]
    for name in ("shop", "cart"):
        named += [command("CLIENT", "SETNAME", name), COUNT]
    heard = codec.receive(b"".join(named), 0.0)
    calls = [each.invocation.consumer for each in heard if isinstance(each, CallReceived)]
    assert calls == ["", "shop", "cart"]


ANSWERS: dict[str, tuple[str, Any, bytes, bytes]] = {
    "bool": ("echo_bool", True, b"#t\r\n", b":1\r\n"),
    "i64": ("echo_i64", -5, b":-5\r\n", b":-5\r\n"),
    "f64": ("echo_f64", 1.5, b",1.5\r\n", b"$3\r\n1.5\r\n"),
    "infinity": ("echo_f64", float("inf"), b",inf\r\n", b"$3\r\ninf\r\n"),
    "bigint": ("echo_bigint", 2**70, b"(1180591620717411303424\r\n", b"$22\r\n1180591620717411303424\r\n"),
    "string": ("echo_string", "é", b"$2\r\n\xc3\xa9\r\n", b"$2\r\n\xc3\xa9\r\n"),
    "list": ("echo_string_list", ["a"], b"*1\r\n$1\r\na\r\n", b"*1\r\n$1\r\na\r\n"),
    "any text": ("echo_any", "a", b"=5\r\ntxt:a\r\n", b"$1\r\na\r\n"),
    "any map": ("echo_any", {"a": 1}, b"%1\r\n=5\r\ntxt:a\r\n:1\r\n", b"*2\r\n$1\r\na\r\n:1\r\n"),
    "any null": ("echo_any", None, b"_\r\n", b"$-1\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_have_the_types_of_resp_3_or_the_forms_of_resp_2(codec: RedisServerCodec, name: str) -> None:
    method, value, third, second = ANSWERS[name]
    words = (f"{CONTRACT.name}.{method}", "0")
    assert codec.reply(heard(codec, *words).ticket, Ok(value)) == second
    said(codec, command("HELLO", "3"))
    assert codec.reply(heard(codec, *words).ticket, Ok(value)) == third


def outcome_of(codec: RedisServerCodec, outcome: Outcome, *words: str) -> bytes:
    event = heard(codec, *words)
    return codec.reply(event.ticket, outcome)


def test_an_answer_can_be_json(codec: RedisServerCodec) -> None:
    said(codec, command("HELLO", "3"))
    reply = outcome_of(codec, Ok([]), "WITH", "reply", "json", "--", "demo.Catalog.search", "x")
    assert reply == b"$2\r\n[]\r\n"


def test_an_exception_is_one_line(codec: RedisServerCodec) -> None:
    fault = Fault("demo.ProductNotFound", "no\r\nproduct", {"product_id": 9}, declared=True)
    reply = outcome_of(codec, fault, "demo.Catalog.price_history", "9")
    assert reply == b'-FAULT demo.ProductNotFound {"message":"no\\r\\nproduct","product_id":9}\r\n'


def test_attachments_of_an_answer_are_for_who_understands_them(codec: RedisServerCodec) -> None:
    said(codec, command("HELLO", "3"))
    assert outcome_of(codec, Ok(3, {"a": "b"}), "demo.Catalog.count") == b":3\r\n"
    said(codec, command("CLIENT", "CAPA", "polyport"))
    assert outcome_of(codec, Ok(3, {"a": "b"}), "demo.Catalog.count") == b"|1\r\n$1\r\na\r\n$1\r\nb\r\n:3\r\n"


def test_a_value_that_does_not_fit_is_an_error_with_its_place(codec: RedisServerCodec) -> None:
    reply = outcome_of(codec, Ok([Maker("a", "b")]), "demo.Catalog.search", "x")
    assert reply.startswith(
        b"-RPCERR provider-failed/never the answer cannot be sent: result[0]: expected demo.Product"
    )


def test_an_unknown_method_is_rejected_and_counted(codec: RedisServerCodec) -> None:
    (event,) = codec.receive(command("demo.Catalog.nothing"), 0.0)
    assert isinstance(event, CallRejected)
    assert codec.reply(event.ticket, event.error).startswith(b"-RPCERR no-such-method ")
