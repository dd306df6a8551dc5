"""Both halves of memcached:// in memory: splits, order, calls by key and by block, answers kept, passwords.

What memcached itself says to a line is compared in tests/interop/test_memcached_lines.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    ContractError,
    LocalWireError,
    NoProvider,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
)
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Drain, ReplyReceived, Send
from protocols.memcached.client import ClientStyle, MemcachedClientCodec, MemcachedClientWire
from protocols.memcached.server import MemcachedServerCodec, MemcachedServerWire, ServerStyle
from protocols.memcached.word import read_expiry
from protocols.testing import CONTRACT, AtMoment, feed

KEY = ServiceKey(CONTRACT.name)
CATALOG = ServiceKey("demo.Catalog")
PEER = Peer("memcached", "10.0.0.1:1")
METHODS = {each.attribute: each for each in CONTRACT.methods}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def wire(clock: Callable[[], float] | None = None, **style: Any) -> MemcachedServerWire:
    exposures = [Exposure(KEY, CONTRACT), Exposure(CATALOG, contract_of(Catalog))]
    return MemcachedServerWire(exposures, ServerStyle(**style), clock or Clock(), lambda: 1e9)


def server(**style: Any) -> MemcachedServerCodec:
    return wire(**style).accept(PEER)


def client(**style: Any) -> tuple[MemcachedClientCodec, Any]:
    made = MemcachedClientWire(ClientStyle(**style), lambda: "0123456789abcdef")
    return made.connect(), made.bind(KEY, CONTRACT, "secret", "app")


def called(codec: MemcachedClientCodec, binding: Any, method: str, *arguments: Any, **more: Any) -> tuple[int, bytes]:
    signature = METHODS[method]
    return codec.call(binding, Invocation(KEY, signature.name, arguments, signature=signature, **more), None)


def said(codec: MemcachedServerCodec, data: bytes) -> bytes:
    """What is answered without a call, or is refused."""
    answers = b""
    for event in codec.receive(data, 1.0):
        if isinstance(event, Send):
            answers += event.data
        elif isinstance(event, CallRejected) and event.ticket is not None:
            answers += codec.reply(event.ticket, event.error)
    return answers


def calls(codec: MemcachedServerCodec, data: bytes) -> list[CallReceived]:
    return [each for each in codec.receive(data, 1.0) if isinstance(each, CallReceived)]


def block(data: bytes, *, method: str = "echo_string", id: str = "1", more: str = "") -> bytes:
    return f"set demo.Types.{method}#{id} 0 0 {len(data)}{more}\r\n".encode() + data + b"\r\n"


def fetch(method: str = "echo_string", id: str = "1") -> bytes:
    return f"get demo.Types.{method}#{id}\r\n".encode()


def test_calls_arrive_however_they_are_cut() -> None:
    codec, binding = client()
    data = b"".join(called(codec, binding, "echo_string", text)[1] for text in ("a", "b\r\nget c\r\n" * 9, "茶"))
    data += b'get demo.Types.echo_string_map({"k":1}) x\n mn\r\nmg a v\r\nset a 0 0 9\r\n'
    data += b"quit\r\nabc\r\nget demo.Types.echo_i32(7)\r\nquit\r\nversion\r\n"
    made = wire()
    events = feed(lambda: AtMoment(made.accept(PEER)), data)
    found = [each.invocation.arguments() for each in events if isinstance(each, CallReceived)]
    assert found == [("a",), ("b\r\nget c\r\n" * 9,), ("茶",), ({"k": 1},), (7,)]


def test_answers_arrive_however_they_are_cut() -> None:
    codec, binding = client()
    side, data = server(), b""
    for value in ("a", "\r\nEND\r\n", "茶" * 40):
        (call,) = calls(side, called(codec, binding, "echo_string", value)[1])
        data += side.reply(call.ticket, Ok(value, {"k": "v"} if value == "a" else {}))
    (call,) = calls(side, called(codec, binding, "fail_declared", "x")[1])
    data += side.reply(call.ticket, Fault("demo.TypesFailure", "no\r\n", {"code": 1}, declared=True))
    (call,) = calls(side, called(codec, binding, "echo_string", "")[1])
    data += side.reply(call.ticket, NoProvider("nobody", exhausted=True, retry=Retry.NEVER))

    def waiting() -> MemcachedClientCodec:
        codec, binding = client()
        for method in ("echo_string", "echo_string", "echo_string", "fail_declared", "echo_string"):
            called(codec, binding, method, "")
        return codec

    events = feed(waiting, data)
    outcomes = [each.outcome for each in events]
    assert [each.value for each in outcomes[:3]] == ["a", "\r\nEND\r\n", "茶" * 40]
    assert dict(outcomes[0].attachments) == {"k": "v"}
    assert (outcomes[3].type_name, outcomes[3].message, outcomes[3].fields) == (
        "demo.TypesFailure", "no\r\n", {"code": 1, "culprit": None},
    )  # fmt: skip
    assert (type(outcomes[4]), outcomes[4].retry, outcomes[4].exhausted) == (NoProvider, Retry.NEVER, True)
    assert [each.call_id for each in events] == [1, 2, 3, 4, 5]


def test_answers_leave_in_the_order_of_their_commands() -> None:
    side = server()
    first, second, third = calls(
        side, b"get demo.Types.echo_i32(1)\r\nget demo.Types.echo_i32(2)\r\nversion\r\nget demo.Types.echo_i32(3)\r\n"
    )
    assert side.reply(third.ticket, Ok(3)) == side.reply(second.ticket, Ok(2)) == b""
    assert side.held_bytes > 0
    answers = side.reply(first.ticket, Ok(1))
    lines = [line for line in answers.split(b"\r\n") if line and line != b"END"]
    assert [line[:10] for line in lines] == [
        b"VALUE demo",
        b"1",
        b"VALUE demo",
        b"2",
        b"VERSION 1.",
        b"VALUE demo",
        b"3",
    ]
    assert side.held_bytes == 0


def test_keys_of_one_get_are_called_together_and_answered_in_their_order() -> None:
    side = server()
    keys = [b"demo.Types.echo_i32(%d)" % number for number in (1, 2)]
    first, second = calls(side, b"get %b nothing %b\r\n" % tuple(keys))
    assert side.reply(second.ticket, Ok(2)) == b""
    expected = b"VALUE %b 0 1\r\n1\r\nVALUE %b 0 1\r\n2\r\nEND\r\n" % tuple(keys)
    assert side.reply(first.ticket, Ok(1)) == expected


def test_the_first_trouble_of_several_keys_stands_in_place_of_the_end() -> None:
    side = server()
    keys = [b"demo.Types.echo_i32(%d)" % number for number in (1, 2, 3)]
    first, second, third = calls(side, b"get %b %b %b\r\n" % tuple(keys))
    side.reply(third.ticket, Overloaded("later"))
    side.reply(second.ticket, NoProvider("nobody"))
    answer = side.reply(first.ticket, Ok(1))
    assert answer == b"VALUE %b 0 1\r\n1\r\nSERVER_ERROR RPCERR no-provider nobody\r\n" % keys[0]


@pytest.mark.parametrize(
    ("key", "arguments"),
    [
        (b"demo.Types.echo_i32(1)", (1,)),
        (b"demo.Types.echo_i32(%31)", (1,)),
        (b"demo.Types.echo_nothing()", ()),
        (b'demo.Types.echo_string("a)(#%25%20%22b%5c%22")'.replace(b"%22b%5c%22", b""), ("a)(#% ",)),
        (b'demo.Types.echo_string("%C3%A9%00")'.replace(b"%00", b"%5Cu0000"), ("é\0",)),
        ('demo.Types.echo_string("é")'.encode(), ("é",)),
        (b"demo.Types.echo_int_list([1,2])", ([1, 2],)),
        (b"demo.Types.echoInt(1)".replace(b"echoInt", b"echoI32"), (1,)),
    ],
)
def test_a_key_is_a_call(key: bytes, arguments: tuple[Any, ...]) -> None:
    (call,) = calls(server(), b"get %b\r\n" % key)
    assert call.invocation.arguments() == arguments


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (b"demo.Types.missing()", b"SERVER_ERROR RPCERR no-such-method demo.Types has no method 'missing'\r\n"),
        (b"demo.Other.find(1)", b"SERVER_ERROR RPCERR no-such-service there is no service 'demo.Other' here\r\n"),
        (b"demo.Catalog.find(1", b"END\r\n"),
        (b"nothing", b"END\r\n"),
        (b"demo.Types.echo_i32#9", b"END\r\n"),
    ],
)
def test_a_key_of_nothing(key: bytes, line: bytes) -> None:
    assert said(server(), b"get %b\r\n" % key) == line


@pytest.mark.parametrize("arguments", [b"", b"1,2", b"x", b"[", b'"a"', b"99999999999", b"%FF"])
def test_arguments_that_cannot_be_read_are_refused_when_they_are_asked_for(arguments: bytes) -> None:
    (call,) = calls(server(), b"get demo.Types.echo_i32(%b)\r\n" % arguments)
    with pytest.raises(BadRequest):
        call.invocation.arguments()


FORMS = {
    "text": ("echo_string", "a\0b", 0, b"a\0b"),
    "number": ("echo_i64", -5, 0, b"-5"),
    "bytes": ("echo_bytes", b"\r\n", 131072, b"\r\n"),
    "JSON": ("echo_int_list", [1, 2], 65536, b"[1,2]"),
    "null": ("echo_nullable", None, 65536, b"null"),
    "nothing": ("echo_nothing", None, 65536, b"null"),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("named", [True, False], ids=["flags", "none"])
def test_flags_name_the_format_of_a_value(name: str, named: bool) -> None:
    method, value, flags, data = FORMS[name]
    side = server(names_formats=named)
    argument = {
        "echo_string": '"x"',
        "echo_i64": "1",
        "echo_bytes": '""',
        "echo_int_list": "[]",
        "echo_nullable": "null",
    }
    key = f"demo.Types.{method}({argument.get(method, '')})".encode()
    (call,) = calls(side, b"get %b\r\n" % key)
    expected = b"VALUE %b %d %d\r\n%b\r\nEND\r\n" % (key, flags if named else 0, len(data), data)
    assert side.reply(call.ticket, Ok(value)) == expected


def test_a_call_in_a_block_is_answered_when_it_ends_and_its_answer_is_fetched_once() -> None:
    side = server()
    data = b'{"args": ["a"], "attachments": {"user": "ann"}, "timeout": 2000, "consumer": "shop", "token": "t"}'
    (call,) = calls(side, block(data))
    invocation = call.invocation
    assert (invocation.arguments(), dict(invocation.attachments)) == (("a",), {"user": "ann"})
    assert (invocation.deadline, invocation.consumer, invocation.token) == (3.0, "shop", "t")
    assert side.reply(call.ticket, Ok("b", {"not": "asked for"})) == b"STORED\r\n"
    assert said(side, fetch()) == b"VALUE demo.Types.echo_string#1 0 1\r\nb\r\nEND\r\n"
    assert said(side, fetch()) == b"END\r\n"


@pytest.mark.parametrize(
    ("data", "arguments"),
    [
        (b'{"args": {"value": "a"}}', ("a",)),
        (b'{\n  "args": ["a"]\n}\n', ("a",)),
        (b'{"sizes": [3]}\na\0\n', ("a\0\n",)),
        (b'{"sizes": [3]}\n\xed\xa0\x80', ("\ud800",)),
        (b'{"sizes": [0]}\n', ("",)),
        (b'{"sizes": [null]}', (None,)),
    ],
)
def test_blocks_are_json_or_a_line_of_json_with_bytes_behind_it(data: bytes, arguments: tuple[Any, ...]) -> None:
    method = "echo_nullable" if arguments == (None,) else "echo_string"
    (call,) = calls(server(), block(data, method=method))
    assert call.invocation.arguments() == arguments


def test_a_get_on_the_same_connection_waits_for_a_call_that_is_not_answered() -> None:
    side = server()
    (call,) = calls(side, block(b'{"args": ["a"]}', more=" noreply") + fetch() + b"version\r\n")
    answer = side.reply(call.ticket, Fault("demo.TypesFailure", "no", {"code": 7}, declared=True))
    assert answer == (
        b'SERVER_ERROR FAULT demo.TypesFailure {"message":"no","code":7,"culprit":null}\r\nVERSION 1.6.18\r\n'
    )
    assert said(side, fetch()) == b"END\r\n"


def test_a_get_behind_a_set_that_is_answered_has_its_answer_as_well() -> None:
    side = server()
    (call,) = calls(side, block(b'{"args": ["a"]}') + fetch() + b"get x demo.Types.echo_string#1\r\n")
    assert side.reply(call.ticket, Ok("b")) == (b"STORED\r\nVALUE demo.Types.echo_string#1 0 1\r\nb\r\nEND\r\nEND\r\n")
    assert side.held_bytes == 0


def test_trouble_of_a_set_is_its_answer_and_then_there_is_nothing_to_fetch() -> None:
    side = server()
    (call,) = calls(side, block(b'{"args": ["a"]}'))
    assert side.reply(call.ticket, Overloaded("later")) == b"SERVER_ERROR RPCERR overloaded later\r\n"
    assert said(side, fetch()) == b"END\r\n"


def test_oneway_calls_are_stored_at_once_and_have_no_answer() -> None:
    side = server()
    events = side.receive(block(b'{"args": ["a"], "oneway": true}'), 1.0)
    (call,) = (each for each in events if isinstance(each, CallReceived))
    assert [each.data for each in events if isinstance(each, Send)] == [b"STORED\r\n"]
    assert call.ticket is None
    assert call.invocation.oneway


def test_answers_are_kept_for_the_machine_that_called_and_not_for_long() -> None:
    clock = Clock()
    made = wire(clock, answer_s=60.0, max_answers=2)
    side = made.accept(PEER)
    for id in ("1", "2", "3"):
        (call,) = calls(side, block(b'{"args": ["a"]}', id=id))
        side.reply(call.ticket, Ok(id))
    elsewhere, beside = made.accept(Peer("memcached", "10.0.0.2:1")), made.accept(Peer("memcached", "10.0.0.1:9"))
    assert said(beside, fetch(id="1")) == b"END\r\n"
    assert said(elsewhere, fetch(id="2")) == b"END\r\n"
    assert b"\r\n2\r\n" in said(beside, fetch(id="2"))
    clock.now += 60.0
    assert beside.receive(fetch(id="3"), clock.now)[0].data == b"END\r\n"  # type: ignore[union-attr]


def test_answers_take_no_more_bytes_than_they_may() -> None:
    made = wire(answer_bytes=1_000)
    side = made.accept(PEER)
    for id in ("1", "2"):
        (call,) = calls(side, block(b'{"args": ["a"]}', id=id))
        side.reply(call.ticket, Ok("x" * 600))
    assert said(side, fetch(id="1")) == b"END\r\n"
    assert said(side, b"delete demo.Types.echo_string#2\r\n" + fetch(id="2")) == b"DELETED\r\nEND\r\n"


def test_an_answer_that_cannot_be_written_is_an_error_with_its_place() -> None:
    side = server()
    (call,) = calls(side, b"get demo.Types.echo_string_list([])\r\n")
    answer = side.reply(call.ticket, Ok(["a", "\ud800"]))
    assert answer.startswith(b"SERVER_ERROR RPCERR provider-failed/never the answer cannot be sent: result[1]: ")


def test_nobody_is_served_before_they_have_said_who_they_are() -> None:
    side = server(users={"shop": "se cret", "bill": "penny"})
    assert said(side, b"get a\r\nversion\r\n") == b"CLIENT_ERROR unauthenticated\r\n" * 2
    assert said(side, b"set x 0 0 3\r\nshop\r\n") == b"CLIENT_ERROR bad data chunk\r\nCLIENT_ERROR unauthenticated\r\n"
    assert said(side, b"set x 0 0 4\r\nshop\r\n") == b"CLIENT_ERROR bad authentication token format\r\n"
    assert said(side, b"set x 0 0 10\r\nbill wrong\r\n") == b"CLIENT_ERROR authentication failure\r\n"
    assert said(side, b"set x 0 0 10\r\nnone penny\r\n") == b"CLIENT_ERROR authentication failure\r\n"
    assert said(side, b"set x 0 0 10\r\nbill penny\r\nversion\r\n") == b"STORED\r\nVERSION 1.6.18\r\n"
    (call,) = calls(side, b"get demo.Types.echo_i32(1)\r\n")
    assert call.invocation.consumer == "bill"


def test_our_client_says_who_it_is_first() -> None:
    codec, binding = client(user="bill", password="penny")
    side = server(users={"bill": "penny"})
    data = called(codec, binding, "echo_string", "a")[1] + called(codec, binding, "echo_string", "b")[1]
    events = side.receive(data, 1.0)
    answers = b"".join(each.data for each in events if isinstance(each, Send))
    for each in events:
        if isinstance(each, CallReceived):
            answers += side.reply(each.ticket, Ok(each.invocation.arguments()[0]))
    assert [each.outcome.value for each in codec.receive(answers)] == ["a", "b"]  # type: ignore[union-attr]


def test_a_password_that_is_not_taken_breaks_the_connection() -> None:
    codec, binding = client(user="bill", password="wrong")
    called(codec, binding, "echo_string", "a")
    codec.receive(b"CLIENT_ERROR authentication failure\r\n")
    assert codec.broken is not None
    assert codec.broken.reason == "unauthenticated"


ANSWERS: dict[bytes, type[RpcError] | str] = {
    b"END\r\n": "may be no gateway",
    b"ERROR\r\n": "answered 'ERROR'",
    b"SERVER_ERROR out of memory\r\n": "out of memory",
    b"SERVER_ERROR RPCERR no-such-code x\r\n": "no-such-code",
    b"SERVER_ERROR FAULT demo.TypesFailure\r\n": "no JSON",
    b"SERVER_ERROR FAULT demo.TypesFailure []\r\n": "no JSON object",
    b'SERVER_ERROR FAULT demo.TypesFailure {"code":"x"}\r\n': "code",
    b"VALUE k 65536 4\r\nnull\r\nEND\r\n": "null where string is required",
    b"VALUE k 0 1\r\n\xff\r\nEND\r\n": "no UTF-8",
    b"VALUE k 196608 3\r\n{}\n\r\nEND\r\n": "does not say its flags",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_none_is_trouble_of_its_call_alone(answer: bytes) -> None:
    codec, binding = client()
    called(codec, binding, "echo_string", "a")
    (event,) = codec.receive(answer)
    assert isinstance(event, ReplyReceived)
    assert isinstance(event.outcome, ProviderFailed)
    assert str(ANSWERS[answer]) in str(event.outcome)
    assert codec.broken is None


@pytest.mark.parametrize(
    "answer",
    [
        b"VALUE k 0 1\r\nabEND\r\n\r\n",
        b"VALUE k 0 99999999999\r\n",
        b"VALUE k 0 -1\r\n",
        b"VALUE k x 1\r\n",
        b"VALUE k\r\n",
        b"END\r\nEND\r\n",
    ],
)
def test_an_answer_without_a_place_breaks_the_connection(answer: bytes) -> None:
    codec, binding = client()
    called(codec, binding, "echo_string", "a")
    codec.receive(answer)
    assert codec.broken is not None


def test_a_listener_that_stops_says_so_to_our_client() -> None:
    codec, binding = client()
    side = server()
    (call,) = calls(side, called(codec, binding, "echo_string", "a")[1])
    assert side.goodbye() == b""
    events = codec.receive(side.reply(call.ticket, Ok("b")))
    assert [type(each) for each in events] == [ReplyReceived, Drain]


def test_what_is_too_large_is_not_sent() -> None:
    codec, binding = client(max_value_bytes=100)
    with pytest.raises(LocalWireError, match="exceeds 100"):
        called(codec, binding, "echo_string", "x" * 100)
    assert called(codec, binding, "echo_string", "x")[0] == 1


def test_a_name_that_fits_in_no_key_is_refused_at_once() -> None:
    made = MemcachedClientWire(ClientStyle())
    with pytest.raises(ContractError, match="too long for a key"):
        made.bind(ServiceKey("x" * 250), CONTRACT, "", "")


@pytest.mark.parametrize(
    ("number", "seconds"),
    [
        (0, None),
        (1, 1.0),
        (2_592_000, 2_592_000.0),
        (1_000_000_060, 60.0),
        (2_592_001, -1.0),
        (-5, -1.0),
        (1 << 62, 1e10),
    ],
)
def test_expiry_times_are_seconds_up_to_a_month_and_moments_beyond(number: int, seconds: float | None) -> None:
    assert read_expiry(number, 1e9) == seconds
