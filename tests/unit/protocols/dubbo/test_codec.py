"""The dubbo:// codecs against bytes put together by hand from the wire's description, not by our own encoder.

Body layout: apache/dubbo: dubbo-rpc/dubbo-rpc-dubbo/.../protocol/dubbo/DubboCodec.java (encodeRequestData,
encodeResponseData).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import pytest

from gateway.contracts import I32, I64, ServiceError, contract_of, method, service
from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    ConnectionLost,
    DeadlineExceeded,
    NoProvider,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Drain, GoodbyeHeard, ReplyReceived, Send
from protocols.dubbo.client import DubboClientWire
from protocols.dubbo.raw import DubboResult
from protocols.dubbo.server import DubboServerCodec, DubboServerWire
from protocols.reader import Limits


class Refused(ServiceError):
    """Declared by `say`."""

    reason: I32


@dataclass
class Order:
    """A struct to pass."""

    id: I64
    price: Decimal


@service("org.demo.Hello", names={"java": "org.demo.Hello"})
class Hello(Protocol):
    """The service of the examples."""

    @method(throws=(Refused,))
    async def say_hello(self, name: str) -> str: ...

    async def add(self, a: I32, b: I64 | None) -> I64: ...

    async def put(self, order: Order) -> Order: ...

    @method(oneway=True)
    async def notify(self, text: str) -> None: ...

    async def find(self, name: str) -> str | None: ...


CONTRACT = contract_of(Hello)
KEY = ServiceKey("org.demo.Hello")
PEER = Peer("dubbo", "127.0.0.1:1")
STRING = "Ljava/lang/String;"


def text(value: str) -> bytes:
    """A short ASCII Hessian string."""
    data = value.encode("ascii")
    assert len(data) < 1024
    return (bytes([len(data)]) if len(data) < 32 else bytes([0x30 + (len(data) >> 8), len(data) & 255])) + data


def attachments(values: Mapping[str, str]) -> bytes:
    return b"H" + b"".join(text(k) + text(v) for k, v in values.items()) + b"Z"


def frame(flags: int, status: int, number: int, body: bytes) -> bytes:
    return struct.pack(">HBBqi", 0xDABB, flags, status, number, len(body)) + body


def request(
    method_name: str = "sayHello",
    descriptor: str = STRING,
    arguments: bytes = text("dubbo"),
    *,
    number: int = 1,
    flags: int = 0xC2,
    version: str = "2.0.2",
    path: str = "org.demo.Hello",
    service_version: str = "0.0.0",
    more: Mapping[str, str] | None = None,
) -> bytes:
    head = b"".join(map(text, (version, path, service_version, method_name, descriptor)))
    tail = {"path": path, "interface": path, "version": service_version, "timeout": "1000"} | dict(more or {})
    return frame(flags, 0, number, head + arguments + attachments(tail))


def server(*, forwarded: bool = False, token: str = "", **limits: int) -> DubboServerCodec:
    wire = DubboServerWire([Exposure(KEY, CONTRACT, forwarded)], Limits(**limits), token)
    return wire.accept(PEER)


def received(codec: DubboServerCodec, data: bytes) -> CallReceived:
    events = codec.receive(data, 100.0)
    assert len(events) == 1
    assert isinstance(events[0], CallReceived), getattr(events[0], "error", events[0])
    return events[0]


def rejected(codec: DubboServerCodec, data: bytes) -> tuple[RpcError, bytes]:
    """Why a call is refused, at once or when its arguments are read, and the reply."""
    events = codec.receive(data, 100.0)
    assert len(events) == 1
    event = events[0]
    if isinstance(event, CallReceived):
        with pytest.raises(BadRequest) as caught:
            event.invocation.arguments()
        return caught.value, codec.reply(event.ticket, caught.value)
    assert isinstance(event, CallRejected)
    return event.error, codec.reply(event.ticket, event.error) if event.ticket is not None else b""


REPLY_ATTACHMENTS = attachments({"dubbo": "2.0.2"})


@pytest.mark.parametrize("forwarded", [False, True])
def test_request_of_the_specification_becomes_an_invocation(forwarded: bool) -> None:
    call = received(
        server(forwarded=forwarded), request(more={"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"})
    )
    invocation = call.invocation
    assert invocation.service == KEY
    assert invocation.method == "say_hello"
    assert invocation.arguments() == ("dubbo",)
    assert invocation.deadline == 101.0
    assert invocation.traceparent == "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    assert invocation.attachments == {}
    assert invocation.peer is PEER
    assert not invocation.oneway


def test_user_attachments_keep_their_case_and_the_consumer_is_read() -> None:
    call = received(server(), request(more={"User-Id": "Ann", "remote.application": "billing", "_TO": "250"}))
    assert call.invocation.attachments == {"User-Id": "Ann"}
    assert call.invocation.consumer == "billing"
    assert call.invocation.deadline == 100.25


def test_null_attachments_and_none_at_all_are_taken() -> None:
    head = b"".join(map(text, ("2.0.2", "org.demo.Hello", "0.0.0", "sayHello", STRING))) + text("x")
    for tail in (b"N", b"", b"HZ"):
        assert received(server(), frame(0xC2, 0, 1, head + tail)).invocation.arguments() == ("x",)


def test_oneway_call_has_no_ticket() -> None:
    call = received(server(), request("notify", flags=0x82))
    assert call.ticket is None
    assert call.invocation.oneway


def test_boxed_and_primitive_parameters() -> None:
    call = received(server(), request("add", "ILjava/lang/Long;", b"\x91" + b"\xe2"))
    assert call.invocation.arguments() == (1, 2)
    call = received(server(), request("add", "ILjava/lang/Long;", b"\x91" + b"N"))
    assert call.invocation.arguments() == (1, None)


def test_null_for_a_primitive_is_refused_with_its_place() -> None:
    error, reply = rejected(server(), request("add", "ILjava/lang/Long;", b"N" + b"N"))
    assert isinstance(error, BadRequest)
    assert "args[0]" in str(error)
    assert reply[3] == 40


def test_attachment_path_group_and_version_name_the_service() -> None:
    other = ServiceKey("org.demo.Hello", "blue", "1.0.0")
    wire = DubboServerWire([Exposure(KEY, CONTRACT), Exposure(other, CONTRACT)], Limits())
    codec = wire.accept(PEER)
    assert received(codec, request()).invocation.service == KEY
    more = {"group": "blue", "version": "1.0.0"}
    assert received(codec, request(number=2, service_version="1.0.0", more=more)).invocation.service == other
    error, reply = rejected(codec, request(number=3, more={"group": "green"}))
    assert isinstance(error, NoSuchService)
    assert "blue/org.demo.Hello:1.0.0" in str(error)
    assert reply[3] == 70


@pytest.mark.parametrize(
    ("data", "kind", "status", "shown"),
    [
        (request(path="org.demo.Other"), NoSuchService, 70, "org.demo.Other"),
        (request("sayGoodbye"), NoSuchMethod, 40, "sayGoodbye"),
        (request("sayHello", "II", b"\x91\x91"), NoSuchMethod, 40, "sayHello takes Ljava/lang/String;, not II"),
        (request("sayHello", "I", b"\x91"), BadRequest, 40, "args[0]"),
        (request("sayHello", "", b""), NoSuchMethod, 40, "no parameters"),
        (request("sayHello", "Ljava/lang/String", b"\x91"), BadRequest, 40, ""),
        (request("sayHello", STRING, b"\x91"), BadRequest, 40, "args[0]"),
        (request("sayHello", STRING, b""), BadRequest, 40, ""),
        (request(flags=0xC2 & ~0x1F | 0x1F), BadRequest, 40, "serialization id 31"),
        (request(flags=0xC2 & ~0x1F | 0x03), BadRequest, 40, "serialization id 3"),
        (frame(0xC2, 0, 1, b"\x05"), BadRequest, 40, ""),
    ],
)
def test_bad_call_is_rejected_and_the_connection_goes_on(
    data: bytes, kind: type[RpcError], status: int, shown: str
) -> None:
    codec = server()
    error, reply = rejected(codec, data)
    assert type(error) is kind
    assert shown in str(error)
    assert reply[:4] == bytes([0xDA, 0xBB, 0x02, status])
    assert reply[4:12] == data[4:12]
    assert codec.broken is None
    assert received(codec, request(number=9)).invocation.arguments() == ("dubbo",)


def test_left_over_bytes_behind_the_attachments_are_refused() -> None:
    good = request()
    body = good[16:] + b"\x00rest"
    error, _ = rejected(server(), frame(0xC2, 0, 1, body))
    assert "left over" in str(error)


def test_request_id_in_progress_is_not_taken_twice() -> None:
    codec = server()
    call = received(codec, request(number=-5))
    error, reply = rejected(codec, request(number=-5))
    assert "already in progress" in str(error)
    assert reply[4:12] == b"\xff" * 7 + b"\xfb"
    codec.reply(call.ticket, Ok("x"))
    received(codec, request(number=-5))


def test_token() -> None:
    codec = server(token="secret")
    assert isinstance(rejected(codec, request())[0], Unauthenticated)
    assert isinstance(rejected(codec, request(number=2, more={"token": "guess"}))[0], Unauthenticated)
    call = received(codec, request(number=3, more={"token": "secret"}))
    assert "token" not in call.invocation.attachments


def test_response_sent_to_a_server_breaks_the_connection() -> None:
    codec = server()
    assert codec.receive(frame(0x02, 20, 1, b"\x92"), 0.0) == []
    assert codec.broken is not None
    assert codec.broken.reason == "unexpected-response"


def test_messages_before_the_position_was_lost_are_all_read() -> None:
    heartbeat_answer = frame(0x22, 20, 7, b"N")
    codec = server()
    events = codec.receive(heartbeat_answer + request() + b"GET / HTTP/1.1", 0.0)
    assert [type(each) for each in events] == [CallReceived]
    assert codec.broken is not None
    assert codec.broken.reason == "bad-magic"


def test_nothing_is_read_behind_a_message_that_loses_the_position() -> None:
    codec = server()
    events = codec.receive(request() + frame(0xE2, 0, 9, bytes(51)) + request(number=2), 0.0)
    assert [type(each) for each in events] == [CallReceived]
    assert codec.broken is not None
    assert codec.broken.reason == "event-too-large"


def test_padded_names_are_not_remembered() -> None:
    wire = DubboServerWire([Exposure(KEY, CONTRACT)], Limits())
    codec = wire.accept(PEER)
    long = "x" * 1022
    for number in range(1, 4):
        more = {"path": f"{long}{number}", "interface": "org.demo.Hello"}
        assert isinstance(received(codec, request(number=number, more=more)).invocation, Invocation)
    assert not wire._targets
    received(codec, request(number=9))
    assert len(wire._targets) == 1


def test_value_whose_own_code_raises_becomes_an_error_reply() -> None:
    class Broken(list[int]):
        def __iter__(self) -> Any:
            raise ZeroDivisionError

    codec = DubboServerWire([Exposure(KEY, None)], Limits()).accept(PEER)
    event = received(codec, request())
    reply = codec.reply(event.ticket, Ok(Broken([1])))
    assert b"the answer cannot be sent: writing it raised ZeroDivisionError" in reply


def test_deep_answer_with_an_attachment_that_is_no_text_is_still_answered() -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    codec = DubboServerWire([Exposure(KEY, None)], Limits(max_depth=200)).accept(PEER)
    event = received(codec, request())
    reply = codec.reply(event.ticket, Ok(deep, {"n": 1}))
    assert reply[16] == 0x94  # a value with attachments


def test_oversized_request_gets_its_answer_before_the_connection_is_closed() -> None:
    codec = server(max_frame_bytes=1024)
    header = struct.pack(">HBBqi", 0xDABB, 0xC2, 0, 77, 1025)
    assert codec.receive(header, 0.0) == []
    assert codec.broken is not None
    farewell = codec.broken.farewell
    assert farewell[:4] == bytes([0xDA, 0xBB, 0x02, 40])
    assert farewell[4:12] == struct.pack(">q", 77)


def test_heartbeat_is_answered_by_the_codec() -> None:
    events = server().receive(bytes.fromhex("dabb e200 0000000000000007 00000001 4e"), 0.0)
    assert [event.data for event in events if isinstance(event, Send)] == [
        bytes.fromhex("dabb 2214 0000000000000007 00000001 4e")
    ]


def test_heartbeat_flood_is_answered_at_a_bounded_rate() -> None:
    codec = server()
    beat = bytes.fromhex("dabb e200 0000000000000007 00000001 4e")
    events = codec.receive(beat * 1000, 50.0)
    answered = [each for each in events if isinstance(each, Send)]
    assert 1 <= len(answered) <= 50
    refused = [each for each in events if isinstance(each, CallRejected)]
    assert len(answered) + len(refused) == 1000
    assert all(each.ticket is None and each.error.code == "overloaded" for each in refused)
    assert len(codec.receive(beat, 51.0)) == 1
    assert codec.broken is None


def test_event_with_a_body_breaks_the_connection() -> None:
    codec = server()
    codec.receive(frame(0xE2, 0, 1, bytes(51)), 0.0)
    assert codec.broken is not None


def test_echo_gives_the_argument_back_untouched() -> None:
    codec = server()
    events = codec.receive(request("$echo", "Ljava/lang/Object;", text("ping")), 0.0)
    assert isinstance(events[0], Send)
    assert events[0].data == frame(0x02, 20, 1, b"\x94" + text("ping") + REPLY_ATTACHMENTS)


def test_reply_of_the_specification() -> None:
    codec = server()
    call = received(codec, request())
    assert codec.reply(call.ticket, Ok("hi dubbo")) == bytes.fromhex(
        "dabb0214 0000000000000001 00000018 94 08 6869206475 62626f 48 05 64756262 6f 05 322e302e32 5a"
    )


@pytest.mark.parametrize(
    ("version", "with_attachments"),
    [("2.0.2", True), ("2.0.99", True), ("2.0.1", False), ("2.7.8", False), ("3.3.2", False), ("", False)],
)
def test_old_callers_get_no_attachments(version: str, with_attachments: bool) -> None:
    codec = server()
    call = received(codec, request(version=version))
    body = codec.reply(call.ticket, Ok("x", {"k": "v"}))[16:]
    expected = (
        b"\x94" + text("x") + attachments({"dubbo": "2.0.2", "k": "v"}) if with_attachments else b"\x91" + text("x")
    )
    assert body == expected


def test_null_result_has_its_own_flag() -> None:
    codec = server()
    call = received(codec, request("find"))
    assert codec.reply(call.ticket, Ok(None))[16:] == b"\x95" + REPLY_ATTACHMENTS


def test_value_that_does_not_fit_becomes_an_error_reply() -> None:
    codec = server()
    for number, value in enumerate((7, None, "x" * 2_000_000)):
        small = server(max_frame_bytes=1_000_000) if isinstance(value, str) else codec
        call = received(small, request(number=number))
        reply = small.reply(call.ticket, Ok(value))
        assert reply[3] != 20
        assert len(reply) < 1000


def test_rpc_exception_object_for_callers_that_know_it() -> None:
    codec = server()
    old, new = received(codec, request(number=1)), received(codec, request(number=2, more={"remote.application": "a"}))
    error = ConnectionLost("gone", exhausted=True)
    assert codec.reply(old.ticket, error)[3] == 80
    reply = codec.reply(new.ticket, error)
    assert reply[3] == 20
    assert reply[16] == 0x93
    assert b"org.apache.dubbo.rpc.RpcException" in reply


@pytest.mark.parametrize(
    ("error", "status"),
    [(Overloaded("x"), 100), (NoProvider("x"), 80), (BadRequest("x"), 40), (NoSuchService("x"), 70)],
)
def test_calls_that_did_not_run_get_a_status(error: RpcError, status: int) -> None:
    codec = server()
    call = received(codec, request(more={"remote.application": "a"}))
    assert codec.reply(call.ticket, error)[3] == status


def test_the_deadline_of_the_caller_itself_gets_a_status() -> None:
    codec = server()
    for is_callers, status in ((False, 20), (True, 31)):
        call = received(codec, request(more={"remote.application": "a"}))
        error = DeadlineExceeded("late")
        error.is_callers = is_callers
        assert codec.reply(call.ticket, error)[3] == status


def client_call(
    method_name: str, arguments: tuple[Any, ...], *, key: ServiceKey = KEY, token: str = "", path: str = "", **more: Any
) -> tuple[Any, int, bytes]:
    wire = DubboClientWire(Limits())
    codec = wire.connect()
    signature = CONTRACT.overloads(method_name)[0]
    binding = wire.bind(key, CONTRACT, token, "shop", path)
    invocation = Invocation(key, method_name, arguments, signature=signature, oneway=signature.oneway, **more)
    number, data = codec.call(binding, invocation, 0.5)
    return codec, number, data


@pytest.mark.parametrize("path", ["", "shop/v1/org.demo.Hello"])
def test_request_of_the_client_has_the_layout_of_the_specification(path: str) -> None:
    # As apache/dubbo: DubboCodec.encodeRequestData has the interface in front, DubboInvoker the path of the URL behind.
    _, number, data = client_call("say_hello", ("dubbo",), path=path)
    head = b"".join(map(text, ("2.0.2", "org.demo.Hello", "0.0.0", "sayHello", STRING)))
    expected = attachments(
        {
            "path": path or "org.demo.Hello",
            "interface": "org.demo.Hello",
            "remote.application": "shop",
            "timeout": "500",
        }
    )
    assert data == frame(0xC2, 0, number, head + text("dubbo") + expected)


def test_addressing_token_trace_and_user_attachments_of_the_client() -> None:
    key = ServiceKey("org.demo.Hello", "blue", "1.0.0")
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    _, _, data = client_call(
        "say_hello",
        ("x",),
        key=key,
        token="secret",
        attachments={"User-Id": "Ann"},
        consumer="billing",
        traceparent=trace,
    )
    for pair in (("version", "1.0.0"), ("group", "blue"), ("token", "secret"), ("User-Id", "Ann")):
        assert text(pair[0]) + text(pair[1]) in data
    assert text("remote.application") + text("billing") in data
    assert text("traceparent") + text(trace) in data


def test_attachments_with_names_of_the_wire_are_refused_by_name() -> None:
    with pytest.raises(ValueMappingError, match=r"^attachments\[path, token\]: dubbo:// uses attachments of this name"):
        client_call("say_hello", ("x",), attachments={"User-Id": "Ann", "token": "forged", "path": "forged"})
    codec = server()
    event = received(codec, request())
    reply = codec.reply(event.ticket, Ok("hi", {"dubbo": "9"}))
    assert b"the answer cannot be sent: attachments[dubbo]: dubbo:// uses" in reply


def test_oneway_request_of_the_client() -> None:
    _, number, data = client_call("notify", ("x",))
    assert number == -1
    assert data[2] == 0x82


def reply_to(codec: Any, number: int, body: bytes, status: int = 20, flags: int = 0x02) -> Any:
    events = codec.receive(frame(flags, status, number, body))
    assert len(events) == 1
    assert isinstance(events[0], ReplyReceived)
    assert events[0].call_id == number
    return events[0].outcome


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"\x91" + text("hi"), "hi"),
        (b"\x94" + text("hi") + REPLY_ATTACHMENTS, "hi"),
    ],
)
def test_client_reads_values(body: bytes, value: str) -> None:
    codec, number, _ = client_call("say_hello", ("x",))
    outcome = reply_to(codec, number, body)
    assert isinstance(outcome, Ok)
    assert outcome.value == value
    assert outcome.attachments == {}


def test_client_reads_null_and_attachments() -> None:
    codec, number, _ = client_call("find", ("x",))
    outcome = reply_to(codec, number, b"\x95" + attachments({"dubbo": "2.0.2", "K": "v"}))
    assert outcome.value is None
    assert outcome.attachments == {"K": "v"}


def test_client_refuses_null_where_the_contract_has_none() -> None:
    codec, number, _ = client_call("say_hello", ("x",))
    outcome = reply_to(codec, number, b"\x92")
    assert isinstance(outcome, ProviderFailed)


def throwable(name: str, fields: Mapping[str, bytes]) -> bytes:
    definition = b"C" + text(name) + bytes([0x90 + len(fields)]) + b"".join(map(text, fields))
    return definition + b"\x60" + b"".join(fields.values())


def test_client_reads_a_declared_exception() -> None:
    codec, number, _ = client_call("say_hello", ("x",))
    body = b"\x90" + throwable(
        "org.demo.Refused", {"reason": b"\x97", "cause": b"\x51\x90", "detailMessage": text("no")}
    )
    outcome = reply_to(codec, number, body)
    assert isinstance(outcome, Fault)
    assert (outcome.type_name, outcome.message, outcome.fields, outcome.declared) == (
        "org.demo.Refused",
        "no",
        {"reason": 7},
        True,
    )


def test_client_reads_an_undeclared_exception() -> None:
    codec, number, _ = client_call("say_hello", ("x",))
    outcome = reply_to(
        codec, number, b"\x90" + throwable("java.lang.IllegalStateException", {"detailMessage": text("no")})
    )
    assert isinstance(outcome, Fault)
    assert (outcome.type_name, outcome.message, outcome.declared) == ("java.lang.IllegalStateException", "no", False)


@pytest.mark.parametrize("package", ["com.alibaba.dubbo", "org.apache.dubbo"])
@pytest.mark.parametrize(
    ("code", "kind"), [(2, DeadlineExceeded), (7, Overloaded), (6, NoProvider), (0, ProviderFailed)]
)
def test_client_reads_rpc_exceptions_as_trouble(package: str, code: int, kind: type[RpcError]) -> None:
    codec, number, _ = client_call("say_hello", ("x",))
    body = b"\x90" + throwable(
        f"{package}.rpc.RpcException", {"code": bytes([0x90 + code]), "detailMessage": text("because")}
    )
    outcome = reply_to(codec, number, body)
    assert type(outcome) is kind


def forwarded_call() -> tuple[Any, int]:
    """A call sent on as the bytes it came as: the codec that waits for its reply, and its number."""
    invocation = received(server(forwarded=True), request()).invocation
    wire = DubboClientWire(Limits())
    codec = wire.connect()
    number, _ = codec.call(wire.bind(KEY, CONTRACT, "", "shop"), invocation, 0.5)
    return codec, number


def test_what_the_framework_answers_is_not_forwarded_as_an_answer() -> None:
    codec, number = forwarded_call()
    fields = {"code": b"\x92", "detailMessage": text("too late")}
    outcome = reply_to(codec, number, b"\x90" + throwable("org.apache.dubbo.rpc.RpcException", fields))
    assert type(outcome) is DeadlineExceeded


def test_what_the_service_raised_is_forwarded_as_it_is() -> None:
    codec, number = forwarded_call()
    body = b"\x90" + throwable("java.lang.IllegalStateException", {"detailMessage": text("no")})
    outcome = reply_to(codec, number, body)
    assert isinstance(outcome.raw, DubboResult)
    assert (outcome.raw.is_fault, outcome.raw.body()) == (True, body)


def test_client_reads_statuses() -> None:
    codec, number, _ = client_call("say_hello", ("x",))
    assert isinstance(reply_to(codec, number, text("pool is exhausted"), status=100), Overloaded)


def test_late_and_unknown_replies_are_reported_but_harmless() -> None:
    codec, number, _ = client_call("say_hello", ("x",))
    codec.abandon(number)
    assert isinstance(codec.receive(frame(0x02, 20, number, b"\x92"))[0], ReplyReceived)
    assert codec.broken is None


def test_reply_in_another_serialization_is_an_error_of_that_call_only() -> None:
    codec, number, _ = client_call("say_hello", ("x",))
    assert isinstance(reply_to(codec, number, b"{}", flags=0x06), ProviderFailed)
    assert codec.broken is None


@pytest.mark.parametrize(
    "body", [b"", b"\x96", b"\x8f", b"\x91", b"\x91\x05ab", b"\x94\x01a", b"\x90N", b"\x90" + text("x")]
)
def test_malformed_answers_are_errors_of_the_call(body: bytes) -> None:
    codec, number, _ = client_call("say_hello", ("x",))
    assert isinstance(reply_to(codec, number, body), ProviderFailed)


def test_client_answers_heartbeats_and_obeys_read_only() -> None:
    codec, _, _ = client_call("say_hello", ("x",))
    events = codec.receive(bytes.fromhex("dabb e200 0000000000000009 00000001 4e"))
    assert isinstance(events[0], Send)
    assert events[0].data == bytes.fromhex("dabb 2214 0000000000000009 00000001 4e")
    assert [event.active for event in codec.receive(frame(0xA2, 0, 1, b"\x01R")) if isinstance(event, Drain)] == [True]
    assert [event.active for event in codec.receive(frame(0xA2, 0, 1, b"\x01W")) if isinstance(event, Drain)] == [False]


def test_call_from_the_provider_breaks_the_connection() -> None:
    codec, _, _ = client_call("say_hello", ("x",))
    codec.receive(request())
    assert codec.broken is not None


def forward(data: bytes, **invocation: Any) -> tuple[DubboServerCodec, Any, Any, int, bytes]:
    inbound = server(forwarded=True)
    call = received(inbound, data)
    wire = DubboClientWire(Limits())
    outbound = wire.connect()
    key = ServiceKey("org.demo.Hello", "blue")
    number, sent = outbound.call(wire.bind(key, CONTRACT, "", "gw"), call.invocation.replace(**invocation), 0.25)
    return inbound, call, outbound, number, sent


def test_types_that_the_caller_guessed_are_forwarded_as_the_contract_has_them() -> None:
    *_, sent = forward(request("sayHello", "Ljava/lang/Object;", b"\x05dubbo"))
    head = b"".join(map(text, ("2.0.2", "org.demo.Hello", "0.0.0", "sayHello", STRING)))
    assert sent[16:].startswith(head + b"\x05dubbo")


def test_forwarded_call_keeps_its_arguments_byte_for_byte() -> None:
    order = throwable("org.demo.Order", {"id": b"\xe7", "price": b"N"})  # would be refused if it were read
    _, _, _, number, sent = forward(
        request("put", "Lorg/demo/Order;", order, more={"K": "v", "remote.application": "me"})
    )
    head = b"".join(map(text, ("2.0.2", "org.demo.Hello", "0.0.0", "put", "Lorg/demo/Order;")))
    expected = attachments(
        {
            "path": "org.demo.Hello",
            "interface": "org.demo.Hello",
            "group": "blue",
            "remote.application": "me",
            "timeout": "250",
            "K": "v",
        }
    )
    assert sent == frame(0xC2, 0, number, head + order + expected)


def test_forwarded_answer_keeps_its_bytes() -> None:
    inbound, call, outbound, number, _ = forward(request(number=-9))
    body = b"\x94" + b"\x91" + attachments({"dubbo": "2.0.2", "K": "v"})  # an int where the contract has a string
    outcome = reply_to(outbound, number, body)
    assert isinstance(outcome, Ok)
    assert inbound.reply(call.ticket, outcome) == frame(0x02, 20, -9, body)


def test_forwarded_exception_is_known_as_fault_without_reading_it() -> None:
    inbound, call, outbound, number, _ = forward(request())
    body = b"\x93" + throwable("com.acme.Unknown", {"detailMessage": text("no")}) + REPLY_ATTACHMENTS
    outcome = reply_to(outbound, number, body)
    assert isinstance(outcome, Fault)
    assert inbound.reply(call.ticket, outcome)[16:] == body
    assert outcome.decoded().message == "no"


def test_forwarded_answer_loses_its_attachments_for_a_caller_that_knows_none() -> None:
    inbound, call, outbound, number, _ = forward(request(version="2.0.1"))
    outcome = reply_to(outbound, number, b"\x94" + text("hi") + REPLY_ATTACHMENTS)
    assert inbound.reply(call.ticket, outcome)[16:] == b"\x91" + text("hi")


def test_forwarded_attachment_that_is_an_object_is_numbered_behind_the_arguments() -> None:
    inbound = server(forwarded=True)
    order = throwable("org.demo.Order", {"id": b"\xe7", "price": b"N"})
    head = b"".join(map(text, ("2.0.2", "org.demo.Hello", "0.0.0", "put", "Lorg/demo/Order;")))
    # The attachment is an instance of the class that the argument defined: index 0 of the message's definitions.
    tail = b"H" + text("extra") + b"\x60" + b"\xe8" + b"N" + b"Z"
    call = received(inbound, frame(0xC2, 0, 1, head + order + tail))
    wire = DubboClientWire(Limits())
    _, sent = wire.connect().call(wire.bind(KEY, CONTRACT, "", "gw"), call.invocation, 0.25)
    from protocols.hessian.reader import Reader

    reader = Reader(sent, 16 + len(head))
    assert dict(reader.read()) == {"id": 7, "price": None}
    extra = reader.read()["extra"]
    assert (extra.type_name, dict(extra)) == ("org.demo.Order", {"id": 8, "price": None})


INVOKE = "Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;"


def invoke(name: str, types: list[str], values: bytes, count: int, mode: str = "true") -> bytes:
    arguments = (
        text(name)
        + bytes([0x70 + len(types)])
        + text("[string")
        + b"".join(map(text, types))
        + bytes([0x70 + count])
        + text("[object")
        + values
    )
    return request("$invoke", INVOKE, arguments, more={"generic": mode})


def test_invoke_calls_the_real_method_with_typed_values() -> None:
    codec = server()
    order = (
        b"H" + text("id") + b"\x97" + text("price") + throwable("java.math.BigDecimal", {"value": text("1.50")}) + b"Z"
    )
    call = received(codec, invoke("put", ["org.demo.Order"], order, 1))
    assert call.invocation.method == "put"
    assert call.invocation.arguments() == (Order(7, Decimal("1.50")),)
    reply = codec.reply(call.ticket, Ok(Order(8, Decimal("2"))))
    assert text("class") + text("org.demo.Order") in reply
    assert text("id") + b"\xe8" in reply


@pytest.mark.parametrize("mode", ["nativejava", "raw.return", "bean", "gson", "protobuf-json", "NativeJava", "x" * 500])
def test_generic_modes_that_choose_a_decoder_are_not_offered(mode: str) -> None:
    error, reply = rejected(server(), invoke("sayHello", ["java.lang.String"], text("x"), 1, mode))
    assert isinstance(error, BadRequest)
    assert "not offered" in str(error)
    assert reply[3] == 40


def test_invoke_of_an_unknown_method() -> None:
    error, _ = rejected(server(), invoke("sayGoodbye", ["java.lang.String"], text("x"), 1))
    assert isinstance(error, NoSuchMethod)


def test_answer_to_a_generic_call_of_an_unknown_service_is_forwarded_as_bytes() -> None:
    near = DubboServerWire([Exposure(KEY, None, forwarded=True)], Limits()).accept(PEER)
    event = received(near, invoke("sayHello", ["java.lang.String"], text("dubbo"), 1))
    wire = DubboClientWire(Limits())
    far = wire.connect()
    number, sent = far.call(wire.bind(KEY, None, "", "gateway"), event.invocation, 1.0)
    assert text("generic") + text("true") in sent
    # Java may write a string in chunks, or a map with another type; only the same bytes are certainly the same value.
    body = b"\x91" + b"R\x00\x01aS\x00\x01b"
    outcome = reply_to(far, number, body)
    assert near.reply(event.ticket, outcome)[16:] == body


def test_forwarded_arguments_that_cannot_be_read_are_the_callers_mistake() -> None:
    # Skipping does not follow references; reading them to number an object behind them does.
    reference = b"Q\x95"
    codec = server(forwarded=True)
    event = received(codec, request(method_name="put", descriptor="Lorg/demo/Order;", arguments=reference))
    wire = DubboClientWire(Limits())
    invocation = event.invocation.replace(attachments={"n": 1})
    with pytest.raises(BadRequest, match=r"^put: "):
        wire.connect().call(wire.bind(KEY, CONTRACT, "", "gateway"), invocation, 1.0)


def test_generic_fault_is_a_generic_exception() -> None:
    codec = server()
    call = received(codec, invoke("sayHello", ["java.lang.String"], text("x"), 1))
    reply = codec.reply(call.ticket, Fault("org.demo.Refused", "no", {"reason": 1}, declared=True))
    assert b"com.alibaba.dubbo.rpc.service.GenericException" in reply
    assert text("org.demo.Refused") in reply


def test_a_goodbye_is_the_read_only_event_and_a_heartbeat_whose_answer_confirms_it() -> None:
    """The event: apache/dubbo: dubbo-remoting-api/.../exchange/Request.java, `READONLY_EVENT = "R"`; sent one way."""
    codec = server()
    beat = codec.ping()
    said = codec.goodbye()
    event, ask = said[:18], said[18:]
    assert event[:3] == bytes.fromhex("dabb a2")
    assert event[12:] == bytes.fromhex("00000002 0152")
    assert ask[:3] == bytes.fromhex("dabb e2")
    assert ask[12:] == bytes.fromhex("00000001 4e")

    def answer(asked: bytes) -> bytes:
        return bytes.fromhex("dabb 22 14") + asked[4:12] + bytes.fromhex("00000001 4e")

    assert codec.receive(answer(beat), 0.0) == []
    (heard,) = codec.receive(answer(ask), 0.0)
    assert isinstance(heard, GoodbyeHeard)
    assert codec.receive(answer(ask), 0.0) == []


def test_a_client_confirms_a_goodbye_behind_the_calls_it_made_before() -> None:
    provider = server()
    wire = DubboClientWire(Limits())
    consumer = wire.connect()
    find = next(each for each in CONTRACT.methods if each.name == "find")
    _, call = consumer.call(wire.bind(KEY, CONTRACT, "", ""), Invocation(KEY, "find", ("x",), signature=find), 1.0)
    drain, confirmation = consumer.receive(provider.goodbye())
    assert isinstance(drain, Drain)
    assert drain.active
    assert isinstance(confirmation, Send)
    received, heard = provider.receive(call + confirmation.data, 0.0)
    assert isinstance(received, CallReceived)
    assert isinstance(heard, GoodbyeHeard)
