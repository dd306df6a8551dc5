"""Both halves of rmi:// joined in memory: splits, overloads, names and defaults, and everything that goes wrong.

Calls are pickles that CPython wrote, as a client in another program would send them.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from gateway.contracts import I32, I64, ServiceError, contract_of, method, service
from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    ContractError,
    LocalWireError,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
)
from gateway.model.exposure import Exposure
from gateway.model.generic import BigInt, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.typeref import Kind as TypeKind
from protocols.contract import CallReceived, CallRejected, ReplyReceived
from protocols.reader import Limits
from protocols.replay import ReplayGuard
from protocols.rmi.client import RmiClientCodec, RmiClientWire
from protocols.rmi.frame import Kind, Reason, frame_bytes, write_head
from protocols.rmi.mapping import check_contract
from protocols.rmi.server import RmiServerCodec, RmiServerWire
from protocols.rmi.signature import Seal, Seals, refusal
from protocols.testing import AtMoment, difference, feed, feed_rubbish
from tests.support.case_names import steady
from tests.support.shop_contract import method as plain_method
from tests.support.shop_contract import ref
from tests.support.shop_contract import service as plain_service

NOW_MS = 1_790_000_000_000
SECRET = "a secret of sixteen bytes and more"
NONCE = bytes(range(16))
LIMITS = Limits(max_frame_bytes=1 << 16)


class Refused(ServiceError):
    """Declared by `say`."""

    reason: I32


@dataclass
class Order:
    """A struct to pass."""

    id: I64
    note: str = ""


@service("org.demo.Hello")
class Hello(Protocol):
    """The service of the examples."""

    @method(throws=(Refused,))
    async def say(self, name: str, times: I32 = 1) -> str: ...

    @method(name="find")
    async def find(self, id: I64) -> Order: ...

    @method(name="find")
    async def find_by_note(self, note: str) -> Order: ...

    @method(oneway=True)
    async def touch(self, id: I64) -> None: ...

    async def wrap(self, value: Any) -> Any: ...


KEY = ServiceKey("org.demo.Hello")
CONTRACT = contract_of(Hello)
METHODS = {each.attribute: each for each in CONTRACT.methods}


def server(*, signed: bool = False, generic: bool = False) -> RmiServerWire:
    seals = Seals({"shop": SECRET}, 30.0, ReplayGuard()) if signed else None
    exposures = [Exposure(KEY, None if generic else CONTRACT), Exposure(ServiceKey(KEY.interface, "g", "1"), CONTRACT)]
    return RmiServerWire(exposures, LIMITS, seals, lambda: NOW_MS)


def client(*, signed: bool = False) -> RmiClientWire:
    seal = Seal("shop", SECRET.encode()) if signed else None
    return RmiClientWire(LIMITS, seal, lambda: NOW_MS, lambda: NONCE)


def accept(wire: RmiServerWire) -> RmiServerCodec:
    return wire.accept(Peer("rmi", "127.0.0.1:1"))


def sent(call: Any, protocol: int = 4) -> bytes:
    payload = pickle.dumps(call, protocol)
    return frame_bytes(write_head(Kind.CALL, len(payload)), b"", [payload])


def said(method: str, *args: Any, **more: Any) -> dict[str, Any]:
    return {"service": KEY.interface, "method": method, "args": args, **more}


def arrived(call: Any, wire: RmiServerWire | None = None) -> Invocation:
    (event,) = accept(wire or server()).receive(sent(call), 100.0)
    assert isinstance(event, CallReceived), event.error  # type: ignore[union-attr]
    return event.invocation


def refused(call: Any, wire: RmiServerWire | None = None) -> RpcError:
    codec = accept(wire or server())
    (event,) = codec.receive(sent(call), 100.0)
    assert isinstance(event, CallRejected)
    answer = pickle.loads(codec.reply(event.ticket, event.error)[36:])
    assert answer["error"] == event.error.code
    return event.error


def answered(outcome: Any, method: str = "say", *, signed: bool = False) -> dict[str, Any]:
    """The dict of a reply, as another program reads it."""
    codec = accept(server(signed=signed))
    (event,) = codec.receive(sent(said(method, "x" if method == "say" else 1)), 100.0)
    assert isinstance(event, CallReceived)
    found: dict[str, Any] = pickle.loads(codec.reply(event.ticket, outcome)[36:])
    return found


def call_of(codec: RmiClientCodec, wire: RmiClientWire, method: str, *args: Any, **more: Any) -> bytes:
    binding = wire.bind(KEY, CONTRACT, "", "app")
    signature = METHODS[method]
    invocation = Invocation(KEY, signature.name, args, signature=signature, **more)
    return codec.call(binding, invocation, 1.5)[1]


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_a_call_of_any_protocol_arrives(protocol: int) -> None:
    (event,) = accept(server()).receive(sent(said("say", "Ann", 2), protocol), 100.0)
    assert isinstance(event, CallReceived)
    assert event.invocation.arguments() == ("Ann", 2)
    assert event.invocation.signature is METHODS["say"]


def test_what_goes_beside_a_call_arrives() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    more = {"timeout": 1500, "trace": trace, "consumer": "shop", "token": "t", "attachments": {"a": "b", "n": 7}}
    found = arrived(said("say", "Ann", **more))
    assert found.deadline == 101.5
    assert (found.traceparent, found.consumer, found.token) == (trace, "shop", "t")
    assert dict(found.attachments) == {"a": "b", "n": 7}
    assert found.peer == Peer("rmi", "127.0.0.1:1")
    assert arrived(said("say", "Ann", trace="rubbish")).traceparent is None


def test_group_and_version_choose_the_service() -> None:
    assert arrived(said("say", "Ann", group="g", version="1")).service == ServiceKey(KEY.interface, "g", "1")
    assert arrived(said("say", "Ann", version="0.0.0")).service == KEY


def test_arguments_by_position_by_name_and_by_default() -> None:
    assert arrived(said("say", "Ann")).arguments() == ("Ann", 1)
    assert arrived(said("say", named={"times": 3, "name": "Ann"})).arguments() == ("Ann", 3)
    assert arrived(said("say", "Ann", named={"times": 3})).arguments() == ("Ann", 3)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (said("say"), "is not given its parameter 'name'"),
        (said("say", "a", 1, 2), "takes 2 arguments, not 3"),
        (said("say", "a", named={"name": "b"}), "parameter 'name' twice"),
        (said("say", "a", named={"other": "b"}), "has no parameter 'other'"),
        (said("say", "a", named={7: "b"}), "has no parameter '7'"),
        (said("say", 7), r"args\[0\]: expected string, found int"),
        (said("say", "a", 1 << 31), r"args\[1\]: 2147483648 does not fit i32"),
        (said("find", 1.5), "fit none of find"),
        ({**said("say"), "args": "abc"}, "args is a list"),
        ({**said("say"), "named": []}, "named a dict"),
        ({**said("say", "a"), "timeout": "1"}, "timeout is a number"),
        ({**said("say", "a"), "timeout": -1}, "timeout is a number"),
        ({**said("say", "a"), "timeout": True}, "timeout is a number"),
        ({**said("say", "a"), "timeout": 1 << 62}, "timeout is a number"),
        ({**said("say", "a"), "consumer": 7}, "consumer is a text"),
        ({**said("say", "a"), "consumer": "x" * 2000}, "consumer is a text"),
        ({**said("say", "a"), "attachments": []}, "attachments: expected a dict"),
        ({**said("say", "a"), "attachments": {7: "a"}}, "attachments: expected a dict"),
        ({"method": "say"}, "service is a text"),
        ({"service": "org.demo.Hello"}, "method is a text"),
        (["say"], "a call is a dict"),
        (None, "a call is a dict"),
    ],
)
def test_a_call_that_does_not_fit_is_answered(call: Any, text: str) -> None:
    error = refused(call)
    assert isinstance(error, BadRequest)
    with pytest.raises(BadRequest, match=text):
        raise error


def test_unknown_services_and_methods() -> None:
    assert isinstance(refused(said("missing")), NoSuchMethod)
    assert isinstance(refused(said("say", "x", overload="missing")), NoSuchMethod)
    assert isinstance(refused({**said("say"), "service": "org.demo.Other"}), NoSuchService)
    assert isinstance(refused(said("say", "a", group="other")), NoSuchService)
    assert len(str(refused(said("m" * 1000)))) < 300


def test_overloads_are_told_apart_by_what_fits() -> None:
    by_id, by_note = arrived(said("find", 7)), arrived(said("find", "seven"))
    assert (by_id.method, by_id.signature) == ("find", METHODS["find"])
    assert (by_note.method, by_note.signature) == ("find", METHODS["find_by_note"])
    assert arrived(said("find_by_note", "x")).signature is METHODS["find_by_note"]
    assert arrived(said("find", "x", overload="find_by_note")).signature is METHODS["find_by_note"]
    with pytest.raises(BadRequest, match="expected i64"):
        raise refused(said("find", "x", overload="find"))


def test_a_oneway_call_has_no_ticket() -> None:
    for call in (said("touch", 7), said("say", "x", oneway=True)):
        (event,) = accept(server()).receive(sent(call), 0.0)
        assert isinstance(event, CallReceived)
        assert event.ticket is None
        assert event.invocation.oneway


def test_answers_as_other_programs_read_them() -> None:
    assert answered(Ok("hello", {"a": "b"})) == {"ok": "hello", "attachments": {"a": "b"}}
    (order,) = (name for name in CONTRACT.types if name.endswith("Order"))
    (refusal_of,) = METHODS["say"].throws
    assert answered(Ok(Order(7, "n")), "find") == {"ok": {"__class__": order, "id": 7, "note": "n"}}
    assert answered(Fault(refusal_of.name, "no", {"reason": 3}, declared=True)) == {
        "fault": refusal_of.name,
        "message": "no",
        "declared": True,
        "fields": {"reason": 3},
    }
    assert answered(Fault("ValueError", None)) == {"fault": "ValueError", "message": None}
    assert answered(Overloaded("busy", retry_after_s=2.5)) == {
        "error": "overloaded",
        "message": "busy",
        "retry": "safe",
        "exhausted": False,
        "retry_after": 2.5,
    }


@pytest.mark.parametrize(
    ("outcome", "text"),
    [(Ok(7), "result: expected string, found int"), (Ok("x" * (1 << 17)), "exceeds the limit of 65536")],
)
def test_an_answer_that_cannot_be_sent_becomes_an_error(outcome: Any, text: str) -> None:
    found = answered(outcome)
    assert (found["error"], found["retry"]) == ("provider-failed", "never")
    assert text in found["message"]


def test_an_answer_of_a_class_of_the_service_itself_never_gets_into_a_pickle() -> None:
    class Sneaky(str):
        def __reduce__(self) -> Any:
            raise AssertionError("was pickled by its own code")

    assert answered(Ok(Sneaky("text"))) == {"ok": "text"}


def test_every_split_of_call_and_reply() -> None:
    call = sent(said("say", "Ann", consumer="shop"))
    (event,) = feed(lambda: AtMoment(accept(server())), call)
    assert isinstance(event, CallReceived)
    feed_rubbish(lambda: AtMoment(accept(server())), call)

    codec = accept(server(signed=True))
    first = client(signed=True)
    (event,) = codec.receive(call_of(first.connect(), first, "say", "Ann", 1), 0.0)
    assert isinstance(event, CallReceived)
    reply = codec.reply(event.ticket, Ok("hi"))

    def waiting() -> RmiClientCodec:
        made = first.connect()
        call_of(made, first, "say", "Ann", 1)
        return made

    (received,) = feed(waiting, reply)
    assert isinstance(received, ReplyReceived)
    assert isinstance(received.outcome, Ok)
    assert received.outcome.value == "hi"
    feed_rubbish(waiting, reply)


def test_a_second_call_on_a_connection_is_not_taken() -> None:
    codec = accept(server())
    data = sent(said("say", "Ann"))
    events = codec.receive(data + data, 0.0)
    assert len(events) == 1
    assert codec.broken is not None
    assert codec.broken.reason == "trailing-bytes"


@pytest.mark.parametrize("signed", [False, True])
def test_both_halves_understand_each_other(signed: bool) -> None:
    there, here = server(signed=signed), client(signed=signed)
    codec, caller = accept(there), here.connect()
    (event,) = codec.receive(call_of(caller, here, "find_by_note", "x", attachments={"a": "b"}), 100.0)
    assert isinstance(event, CallReceived)
    invocation = event.invocation
    assert invocation.signature is METHODS["find_by_note"]
    assert (invocation.arguments(), dict(invocation.attachments)) == (("x",), {"a": "b"})
    assert (invocation.deadline, invocation.consumer) == (101.5, "app")
    (reply,) = caller.receive(codec.reply(event.ticket, Ok(Order(7))))
    assert isinstance(reply, ReplyReceived)
    assert isinstance(reply.outcome, Ok)
    assert reply.outcome.value == Order(7)


@pytest.mark.parametrize(
    ("data", "reason", "farewell"),
    [
        (sent(said("say", "x")), "not-signed", Reason.UNAUTHENTICATED),
        (frame_bytes(write_head(Kind.REPLY, 2), b"", [b"N."]), "unexpected-frame", Reason.MALFORMED),
        (write_head(Kind.CALL, 1 << 20), "frame-too-large", Reason.TOO_LARGE),
        (b"PRMI\x09" + bytes(31), "version", Reason.MALFORMED),
    ],
)
def test_what_is_refused_before_it_is_read(data: bytes, reason: str, farewell: Reason) -> None:
    codec = accept(server(signed=True))
    assert codec.receive(data, 0.0) == ()
    assert codec.broken is not None
    assert (codec.broken.reason, codec.broken.farewell) == (reason, refusal(farewell))


def test_a_signed_call_to_a_listener_without_keys() -> None:
    here = client(signed=True)
    codec = accept(server())
    assert codec.receive(call_of(here.connect(), here, "say", "x", 1), 0.0) == ()
    assert codec.broken is not None
    assert codec.broken.reason == "signature"


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.UNAUTHENTICATED, Unauthenticated),
        (Reason.MALFORMED, BadRequest),
        (Reason.TOO_LARGE, BadRequest),
        (Reason.BUSY, Overloaded),
        (Reason.NONE, ProviderFailed),
    ],
)
def test_a_refusal_is_never_a_reason_to_try_again(reason: Reason, kind: type[RpcError]) -> None:
    wire = client(signed=True)
    codec = wire.connect()
    call_of(codec, wire, "say", "x", 1)
    (event,) = codec.receive(refusal(reason))
    assert isinstance(event, ReplyReceived)
    assert type(event.outcome) is kind
    assert event.outcome.retry is not Retry.SAFE


@pytest.mark.parametrize(
    "data",
    [
        frame_bytes(write_head(Kind.REPLY, 2, nonce=NONCE), b"", [b"N."]),
        Seal("shop", b"another secret of some length").sealed(Kind.REPLY, [b"N."], NOW_MS, NONCE),
        Seal("shop", SECRET.encode()).sealed(Kind.REPLY, [b"N."], NOW_MS, bytes(16)),
        Seal("shop", SECRET.encode()).sealed(Kind.CALL, [b"N."], NOW_MS, NONCE),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        write_head(Kind.REPLY, 1 << 20),
    ],
)
def test_a_reply_of_somebody_else_breaks_the_connection(data: bytes) -> None:
    wire = client(signed=True)
    codec = wire.connect()
    call_of(codec, wire, "say", "x", 1)
    assert codec.receive(data) == ()
    assert codec.broken is not None


@pytest.mark.parametrize(
    "reply",
    [
        None,
        [],
        {},
        {"ok": 7},
        {"ok": "x", "attachments": []},
        {"fault": 7},
        {"fault": "Refused", "message": 7},
        {"fault": "Refused", "fields": 7},
        {"error": "no-such-code"},
        {"error": ["unhashable"]},
    ],
)
def test_a_reply_that_does_not_fit_is_the_providers_failure(reply: Any) -> None:
    wire = client()
    codec = wire.connect()
    call_of(codec, wire, "say", "x", 1)
    payload = pickle.dumps(reply, 4)
    (event,) = codec.receive(frame_bytes(write_head(Kind.REPLY, len(payload)), b"", [payload]))
    assert isinstance(event, ReplyReceived)
    assert type(event.outcome) is ProviderFailed


def test_a_reply_with_code_in_it_is_the_providers_failure() -> None:
    wire = client()
    codec = wire.connect()
    call_of(codec, wire, "say", "x", 1)
    payload = b"cos\nsystem\n" + b"X\x04\0\0\0true" + b"\x85R."
    (event,) = codec.receive(frame_bytes(write_head(Kind.REPLY, len(payload)), b"", [payload]))
    assert isinstance(event, ReplyReceived)
    assert type(event.outcome) is ProviderFailed
    assert "may not stand" in str(event.outcome)


def test_a_call_that_is_too_large_is_not_sent() -> None:
    wire = client()
    with pytest.raises(LocalWireError, match="exceeds the limit"):
        call_of(wire.connect(), wire, "say", "x" * (1 << 17), 1)


def test_callbacks_are_refused_when_the_contract_is_checked() -> None:
    contract = plain_service("s.S", plain_method("watch", ref(TypeKind.CALLBACK, name="s.L")))
    assert "a service cannot call its caller" in check_contract(contract)[0]
    with pytest.raises(ContractError):
        client().bind(KEY, contract, "", "app")


GENERIC: Sequence[Any] = [
    Long(7),
    Long(1 << 40),
    BigInt(7),
    1 << 70,
    {Long(1): "one"},
    Pairs([([1], "list")]),
    {"__class__": "a map that says so"},
    {"__class__": 7},
    Record("a.B", {"x": 1, "y": Record("a.C")}),
    Record("a.B", {"__class__": "field"}),
    Record("$i64", {"value": "x"}),
    TypedList("[int", [1, 2]),
    TypedMap("java.util.TreeMap", {"a": 1}),
    Pairs([([1], 2)], "a.Map"),
    {"a", 1, None},
    [[], {}, set()],
]


@pytest.mark.parametrize("value", GENERIC, ids=lambda value: steady(value)[:40])
def test_values_without_a_contract_arrive_as_they_were(value: Any) -> None:
    there, here = server(generic=True), client()
    codec, caller = accept(there), here.connect()
    binding = here.bind(KEY, None, "", "app")
    (event,) = codec.receive(caller.call(binding, Invocation(KEY, "any", (value,)), None)[1], 0.0)
    assert isinstance(event, CallReceived), event.error  # type: ignore[union-attr]
    assert event.invocation.method == "any"
    assert event.invocation.signature is None
    assert difference((value,), event.invocation.arguments()) is None
    (reply,) = caller.receive(codec.reply(event.ticket, Ok(value)))
    assert isinstance(reply, ReplyReceived)
    assert isinstance(reply.outcome, Ok)
    assert difference(value, reply.outcome.value) is None


def test_a_call_without_a_contract_means_the_method_that_it_names() -> None:
    wire = client()
    binding = wire.bind(KEY, None, "", "app")
    invoke = Invocation(KEY, "$invoke", ("find", ["long"], [Long(7)]))
    (event,) = accept(server()).receive(wire.connect().call(binding, invoke, None)[1], 0.0)
    assert isinstance(event, CallReceived)
    assert event.invocation.signature is METHODS["find"]
    assert event.invocation.arguments() == (7,)


@pytest.mark.parametrize("name", [1 << 20_000, (1, (2, 3)), None, b"a"], ids=lambda name: type(name).__name__)
def test_a_name_of_an_argument_that_is_no_text(name: Any) -> None:
    with pytest.raises(BadRequest, match=f"has no parameter of class {type(name).__name__}"):
        raise refused(said("say", named={name: 1}))


def test_names_need_a_contract() -> None:
    assert isinstance(refused(said("any", named={"a": 1}), server(generic=True)), BadRequest)


@pytest.mark.parametrize(
    "value",
    [
        {"__class__": "$nothing", "value": 1},
        {"__class__": "$i64"},
        {"__class__": "$i64", "value": "7"},
        {"__class__": "$set", "value": [[{}]]},
        {"__class__": "$set", "value": [[1], (1,)]},
        {"__class__": "$map", "value": [1]},
        {"__class__": "$list", "value": {}},
        {"__class__": "$list", "class": 7, "value": []},
        {"__class__": "a.B", 7: "x"},
    ],
)
def test_forms_that_stand_for_nothing(value: Any) -> None:
    with pytest.raises(BadRequest, match=r"args\[0\]"):
        raise refused(said("wrap", value))


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(BadRequest, match="containing itself"):
        raise refused(said("wrap", value))
    deep: Any = None
    for _ in range(70):
        deep = [deep]
    with pytest.raises(BadRequest, match="nested deeper"):
        raise refused(said("wrap", deep))
