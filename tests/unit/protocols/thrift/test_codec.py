"""Both halves of thrift:// in memory: splits, variants, order, oneway, names, what travels beside, and errors."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.contract import Param
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    ContractError,
    LocalWireError,
    NoSuchMethod,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    ValueMappingError,
)
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind, TypeRef
from protocols.contract import CallReceived, CallRejected, Drain, ReplyReceived
from protocols.reader import Limits
from protocols.testing import CONTRACT, KEYS, MISFITS, AtMoment, difference, feed, feed_rubbish
from protocols.thrift.client import ThriftClientCodec, ThriftClientWire, ThriftStyle
from protocols.thrift.errors import ThriftError
from protocols.thrift.forms import Forms
from protocols.thrift.server import ThriftServerCodec, ThriftServerWire
from protocols.thrift.structs import Slot, write_slot
from protocols.thrift.variant import ENCODINGS, Transport, Variant, detect
from tests.support import thrift_bytes

LIMITS = Limits(max_frame_bytes=1 << 20)
KEY = ServiceKey(CONTRACT.name)
PEER = Peer("thrift", "127.0.0.1:1")
METHODS = {each.attribute: each for each in CONTRACT.methods}
BINARY, COMPACT, JSON = ENCODINGS.values()
VARIANTS = [
    *(Variant(each, transport) for each in ENCODINGS.values() for transport in (Transport.FRAMED, Transport.BUFFERED)),
    Variant(BINARY, Transport.HEADER),
    Variant(COMPACT, Transport.HEADER),
    Variant(BINARY, Transport.DUBBO),
]
EACH = pytest.mark.parametrize("variant", VARIANTS, ids=lambda each: f"{each.encoding.name}-{each.transport.value}")


def server(**options: Any) -> ThriftServerCodec:
    exposures = [Exposure(KEY, CONTRACT), Exposure(ServiceKey("demo.Catalog"), contract_of(Catalog))]
    return ThriftServerWire(exposures, LIMITS, **options).accept(PEER)


def client(variant: Variant = VARIANTS[0], **style: Any) -> tuple[ThriftClientCodec, Any]:
    wire = ThriftClientWire(LIMITS, ThriftStyle(variant, **style))
    return wire.connect(), wire.bind(KEY, CONTRACT, "secret", "app")


def called(codec: ThriftClientCodec, binding: Any, method: str, *arguments: Any, **more: Any) -> tuple[int, bytes]:
    signature = METHODS[method]
    return codec.call(binding, Invocation(KEY, signature.name, arguments, signature=signature, **more), None)


@EACH
def test_calls_arrive_however_they_are_cut(variant: Variant) -> None:
    codec, binding = client(variant)
    data = b"".join(called(codec, binding, "echo_string", text)[1] for text in ("a", "b" * 50, "茶"))
    data += called(codec, binding, "echo_string_map", {"k": 1})[1]
    events = feed(lambda: AtMoment(server()), data)
    assert [each.invocation.arguments() for each in events] == [("a",), ("b" * 50,), ("茶",), ({"k": 1},)]


@EACH
def test_answers_arrive_however_they_are_cut(variant: Variant) -> None:
    codec, binding = client(variant)
    side = server()
    answers = b""
    for outcome in (Ok("x"), Ok("y" * 50), Fault("ValueError", "why"), Overloaded("busy")):
        (event,) = side.receive(called(codec, binding, "echo_string", "q")[1], 0.0)
        answers += side.reply(event.ticket, outcome)

    def waiting() -> ThriftClientCodec:
        made, bound = client(variant)
        for _ in range(4):
            called(made, bound, "echo_string", "q")
        return made

    found = [each.outcome for each in feed(waiting, answers)]
    assert [each.value for each in found[:2]] == ["x", "y" * 50]
    assert (found[2].type_name, found[2].message) == ("ValueError", "why") or variant.transport is Transport.DUBBO
    assert isinstance(found[3], Overloaded)


@EACH
def test_rubbish_behind_a_call_breaks_the_connection_only(variant: Variant) -> None:
    codec, binding = client(variant)
    data = called(codec, binding, "echo_string", "a")[1]
    error = feed_rubbish(lambda: AtMoment(server()), data)
    assert error.reason in {"frame-too-large", "malformed"}


def test_answers_leave_in_the_order_of_the_calls() -> None:
    codec, binding = client()
    side = server()
    data = b"".join(called(codec, binding, "echo_i32", number)[1] for number in range(4))
    events = list(side.receive(data, 0.0))
    tickets = [each.ticket for each in events if isinstance(each, CallReceived)]
    assert side.reply(tickets[2], Ok(2)) == b""
    assert side.reply(tickets[1], Ok(1)) == b""
    assert side.held_bytes > 0
    first = side.reply(tickets[0], Ok(0))
    last = side.reply(tickets[3], Ok(3))
    assert side.held_bytes == 0
    found = [each for each in codec.receive(first + last) if isinstance(each, ReplyReceived)]
    assert [(each.call_id, each.outcome.value) for each in found] == [(1, 0), (2, 1), (3, 2), (4, 3)]  # type: ignore[union-attr]


@pytest.mark.parametrize("transport", [Transport.FRAMED, Transport.BUFFERED])
def test_answers_leave_as_they_come_only_where_there_are_frames(transport: Transport) -> None:
    codec, binding = client(Variant(BINARY, transport))
    side = server(in_order=False)
    data = b"".join(called(codec, binding, "echo_i32", number)[1] for number in range(2))
    first, second = (each.ticket for each in side.receive(data, 0.0) if isinstance(each, CallReceived))
    early = side.reply(second, Ok(1))
    assert bool(early) is (transport is Transport.FRAMED)
    found = [each for each in codec.receive(early + side.reply(first, Ok(0))) if isinstance(each, ReplyReceived)]
    assert sorted(each.outcome.value for each in found) == [0, 1]  # type: ignore[union-attr]
    assert {each.call_id: each.outcome.value for each in found} == {1: 0, 2: 1}  # type: ignore[union-attr]


def test_a_oneway_call_of_a_method_has_no_ticket_whatever_its_message_says() -> None:
    side = server()
    touch = thrift_bytes.field(thrift_bytes.I64, 1, bytes(8))
    for kind in (thrift_bytes.CALL, thrift_bytes.ONEWAY):
        (event,) = side.receive(thrift_bytes.call("demo.Catalog:touch", touch, kind=kind), 0.0)
        assert isinstance(event, CallReceived)
        assert (event.ticket, event.invocation.oneway) == (None, True)
    (bad,) = side.receive(thrift_bytes.call("demo.Catalog:touch", kind=thrift_bytes.ONEWAY), 0.0)
    assert isinstance(bad, CallReceived)
    assert bad.ticket is None
    with pytest.raises(BadRequest, match="is not given its parameter"):
        bad.invocation.arguments()
    (unknown,) = side.receive(thrift_bytes.call("demo.Catalog:none", kind=thrift_bytes.ONEWAY), 0.0)
    assert isinstance(unknown, CallRejected)
    assert unknown.ticket is None


CONTEXT = thrift_bytes.field(
    thrift_bytes.MAP, 32767, bytes((thrift_bytes.STRING, thrift_bytes.STRING, 0, 0, 0, 2))
    + b"".join(map(thrift_bytes.text, ("polyport-consumer", "shop", "k", "v"))),
)  # fmt: skip
LOOKALIKE = thrift_bytes.field(thrift_bytes.MAP, 32767, b"x")
BYTES = thrift_bytes.field(thrift_bytes.STRING, 1, thrift_bytes.text(LOOKALIKE))
WRONG = thrift_bytes.field(thrift_bytes.I32, 1, bytes(4))


@pytest.mark.parametrize("fields", [(CONTEXT, BYTES), (BYTES, CONTEXT)], ids=["first", "last"])
def test_what_stands_beside_arguments_is_known_before_they_are_read(fields: tuple[bytes, ...]) -> None:
    (event,) = server().receive(thrift_bytes.call("demo.Types:echo_bytes", *fields), 0.0)
    assert isinstance(event, CallReceived)
    assert (event.invocation.consumer, event.invocation.attachments) == ("shop", {"k": "v"})
    copy = event.invocation.replace(consumer="other")
    # Bytes that look like the field are none.
    assert event.invocation.arguments() == copy.arguments() == (LOOKALIKE,)


def test_bytes_that_look_like_the_field_are_none() -> None:
    (event,) = server().receive(thrift_bytes.call("demo.Types:echo_bytes", BYTES), 0.0)
    assert isinstance(event, CallReceived)
    assert (event.invocation.consumer, event.invocation.arguments()) == ("", (LOOKALIKE,))


@pytest.mark.parametrize("fields", [(CONTEXT, WRONG), (WRONG, CONTEXT), (WRONG,)], ids=["first", "last", "none"])
def test_arguments_that_do_not_fit_are_found_by_who_reads_them(fields: tuple[bytes, ...]) -> None:
    (event,) = server().receive(thrift_bytes.call("demo.Types:echo_string", *fields), 0.0)
    assert isinstance(event, CallReceived)
    for _ in range(2):
        with pytest.raises(BadRequest, match=r"args\[0\]: expected string, found i32"):
            event.invocation.replace().arguments()


def test_bytes_behind_the_arguments_are_refused() -> None:
    data = thrift_bytes.message("demo.Types:echo_nothing") + b"more"
    (event,) = server().receive(thrift_bytes.framed(data), 0.0)
    assert isinstance(event, CallReceived)
    with pytest.raises(BadRequest, match="4 bytes are left over"):
        event.invocation.arguments()


@pytest.mark.parametrize("id", [0, -1, 7, 0x7FFFFFFF, -0x80000000])
@pytest.mark.parametrize("encoding", ["binary", "compact", "json"])
def test_the_sequence_id_comes_back(id: int, encoding: str) -> None:
    writer = ENCODINGS[encoding].writer(LIMITS)
    writer.message(b"demo.Types:echo_nothing", thrift_bytes.CALL, id)
    writer.struct()
    writer.stop()
    side = server()
    (event,) = side.receive(thrift_bytes.framed(writer.done()), 0.0)
    assert isinstance(event, CallReceived)
    reader = ENCODINGS[encoding].reader(side.reply(event.ticket, Ok(None))[4:], 0, LIMITS)
    assert reader.message() == (b"echo_nothing", thrift_bytes.REPLY, id)


OUTCOMES = [
    Ok("x", {"k": "v"}),
    Fault("demo.TypesFailure", None, {"code": 1}, declared=True),
    Fault("ValueError", "why"),
    Overloaded("busy"),
]


@EACH
@pytest.mark.parametrize("outcome", OUTCOMES, ids=["ok", "declared", "undeclared", "error"])
def test_answers_of_a_listener_that_stops_ask_our_client_to_leave(variant: Variant, outcome: Any) -> None:
    codec, binding = client(variant)
    side = server()
    if isinstance(outcome, Ok) and variant.transport is Transport.DUBBO:
        outcome = Ok("x")
    declared = isinstance(outcome, Fault) and outcome.declared
    method, arguments = ("fail_declared", ("q",)) if declared else ("echo_string", ("q",))
    for is_stopping in (False, True):
        (event,) = side.receive(called(codec, binding, method, *arguments)[1], 0.0)
        assert isinstance(event, CallReceived)
        if is_stopping:
            assert side.goodbye() == b""
        reply, *more = codec.receive(side.reply(event.ticket, outcome))
        assert isinstance(reply, ReplyReceived)
        found = reply.outcome
        assert type(found) is type(outcome)
        assert isinstance(found, RpcError) or found.attachments == outcome.attachments
        # Dubbo's framing has no place for it.
        leaves = is_stopping and variant.transport is not Transport.DUBBO
        assert [(type(each), each.active, each.leave) for each in more if isinstance(each, Drain)] == (
            [(Drain, True, True)] if leaves else []
        )


@pytest.mark.parametrize("outcome", [Ok("x"), *OUTCOMES[1:]], ids=["ok", "declared", "undeclared", "error"])
@pytest.mark.parametrize("wrapped", [thrift_bytes.framed, thrift_bytes.header], ids=["framed", "header"])
def test_answers_of_a_listener_that_stops_are_as_always_for_others(outcome: Any, wrapped: Any) -> None:
    answers = []
    name = "fail_declared" if isinstance(outcome, Fault) and outcome.declared else "echo_string"
    for is_stopping in (False, True):
        side = server()
        (event,) = side.receive(wrapped(thrift_bytes.message(f"demo.Types:{name}")), 0.0)
        assert isinstance(event, CallReceived)
        if is_stopping:
            side.goodbye()
        answers.append(side.reply(event.ticket, outcome))
    assert answers[0] == answers[1]


NAMES = ["demo.Types:count", "Types:count", "Types$Iface:count", "demo.Types$Iface:count"]


@pytest.mark.parametrize("name", [each.replace("count", "echo_nothing") for each in NAMES])
def test_a_service_has_several_names(name: str) -> None:
    (event,) = server().receive(thrift_bytes.call(name), 0.0)
    assert isinstance(event, CallReceived)
    assert event.invocation.service == KEY


def test_group_and_version_stand_in_the_name() -> None:
    keys = [ServiceKey("demo.Types", "g", "1.0"), ServiceKey("demo.Types")]
    side = ThriftServerWire([Exposure(key, CONTRACT) for key in keys], LIMITS).accept(PEER)
    for name, key in (("g/demo.Types:1.0", keys[0]), ("g/Types:1.0", keys[0]), ("Types", keys[1])):
        (event,) = side.receive(thrift_bytes.call(f"{name}:echo_nothing"), 0.0)
        assert isinstance(event, CallReceived), name
        assert event.invocation.service == key
    wire = ThriftClientWire(LIMITS, ThriftStyle(VARIANTS[0]))
    data = called(wire.connect(), wire.bind(keys[0], CONTRACT, "", ""), "echo_nothing")[1]
    assert b"g/demo.Types:1.0:echo_nothing" in data


def test_a_method_alone_is_of_the_only_service_or_of_the_default_one() -> None:
    alone = ThriftServerWire([Exposure(KEY, CONTRACT)], LIMITS).accept(PEER)
    for side in (alone, server(default=KEY)):
        (event,) = side.receive(thrift_bytes.call("echo_nothing"), 0.0)
        assert isinstance(event, CallReceived)
    (refused,) = server().receive(thrift_bytes.call("echo_nothing"), 0.0)
    assert isinstance(refused, CallRejected)
    with pytest.raises(ContractError, match="default service"):
        server(default=ServiceKey("demo.Nobody"))


# Dubbo's framing has no place for it.
@pytest.mark.parametrize("variant", VARIANTS[:-1], ids=lambda each: f"{each.encoding.name}-{each.transport.value}")
def test_what_stands_beside_a_call_arrives(variant: Variant) -> None:
    codec, binding = client(variant)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    signature = METHODS["echo_nothing"]
    more: dict[str, Any] = {"attachments": {"Key": "väl\r\n"}, "traceparent": trace, "consumer": "shop"}
    data = codec.call(binding, Invocation(KEY, signature.name, (), signature=signature, **more), 1.5)[1]
    (event,) = server().receive(data, 100.0)
    assert isinstance(event, CallReceived)
    found = event.invocation
    assert (dict(found.attachments), found.traceparent, found.consumer) == ({"Key": "väl\r\n"}, trace, "shop")
    assert (found.deadline, found.token) == (101.5, "secret")


@pytest.mark.parametrize(
    ("attachments", "problem"),
    [
        ({"polyport-timeout": "1"}, "of this name itself"),
        ({"number": 1}, "attachments are texts, not int"),
        ({"text": "\ud800"}, "lone surrogate"),
    ],
)
def test_attachments_without_a_form_are_refused_by_name(attachments: dict[str, Any], problem: str) -> None:
    codec, binding = client()
    with pytest.raises(ValueMappingError, match=problem) as raised:
        called(codec, binding, "echo_nothing", attachments=attachments)
    assert next(iter(attachments)) in raised.value.path


def test_nothing_is_sent_beside_a_call_where_the_provider_wants_none() -> None:
    codec, binding = client(context=False, service="")
    # As Apache's library writes it: version, name, sequence id, stop.
    wanted = struct.pack(">Ii", 0x80010001, 12) + b"echo_nothing" + struct.pack(">i", 1) + b"\0"
    assert called(codec, binding, "echo_nothing")[1] == struct.pack(">i", len(wanted)) + wanted
    with pytest.raises(ValueMappingError, match="takes none"):
        called(codec, binding, "echo_nothing", attachments={"a": "b"})


@pytest.mark.parametrize("transport", [Transport.DUBBO, Transport.DUBBO_27])
def test_dubbos_framing_is_as_dubbo_writes_it(transport: Transport) -> None:
    # apache/dubbo 2.6: ThriftCodec.encodeRequest: magic, length, header length, version, service, request id, message;
    # 2.7 has a path, which is the service's name too, in front of the request id, and reads one from answers.
    service, request_id = b"demo.Types$Iface", 1
    path = struct.pack(">i", len(service)) + service if transport is Transport.DUBBO_27 else b""
    body = struct.pack(">Ii", 0x80010001, 12) + b"echo_nothing" + struct.pack(">i", 1) + b"\0"
    tail = struct.pack(">bi", 1, len(service)) + service + path + struct.pack(">q", request_id)
    size = 2 + 4 + 2 + len(tail)
    frame = struct.pack(">HiH", 0xDABC, size + len(body), size) + tail + body
    wanted = struct.pack(">i", len(frame)) + frame
    codec, binding = client(Variant(BINARY, transport))
    assert called(codec, binding, "echo_nothing")[1] == wanted
    side = server()
    (event,) = side.receive(wanted, 0.0)
    assert isinstance(event, CallReceived)
    answer = side.reply(event.ticket, Ok(None))
    reply = struct.pack(">Ii", 0x80010002, 12) + b"echo_nothing" + struct.pack(">i", 1) + b"\0"
    frame = struct.pack(">HiH", 0xDABC, size + len(reply), size) + tail + reply
    assert answer == struct.pack(">i", len(frame)) + frame
    # Providers of either version answer without a path.
    without = struct.pack(">bi", 1, len(service)) + service + struct.pack(">q", request_id)
    size -= len(path)
    frame = struct.pack(">HiH", 0xDABC, size + len(reply), size) + without + reply
    (answered,) = codec.receive(struct.pack(">i", len(frame)) + frame)
    assert isinstance(answered, ReplyReceived)
    assert isinstance(answered.outcome, Ok)


@pytest.mark.parametrize("misfit", MISFITS, ids=lambda each: each.name)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_does_not_fit_is_not_written(misfit: Any, encoding: str) -> None:
    writer = ENCODINGS[encoding].writer(LIMITS)
    slot = Slot(1, "value", misfit.type, Forms(CONTRACT).compile(misfit.type), None)
    writer.struct()
    with pytest.raises(ValueMappingError):
        write_slot(slot, writer, misfit.value)


def forms_of_json(kind: TypeRef) -> bool:
    return kind.kind is Kind.MAP and kind.args[0].kind in (Kind.LIST, Kind.SET, Kind.STRUCT)


@pytest.mark.parametrize("case", KEYS, ids=lambda each: each.name)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_keys_and_elements_of_every_type(case: Any, encoding: str) -> None:
    form = Forms(CONTRACT).compile(case.type)
    writer = ENCODINGS[encoding].writer(LIMITS)
    writer.message(b"m", 1, 1)
    writer.struct()
    writer.field(form.number, 1)
    if "nullable" in case.name or (encoding == "json" and forms_of_json(case.type)):
        with pytest.raises(ValueMappingError, match=r"null has no form|as a map key"):
            form.write(writer, case.value)
        return
    form.write(writer, case.value)
    writer.stop()
    reader = ENCODINGS[encoding].reader(writer.done(), 0, LIMITS)
    reader.message()
    reader.struct()
    assert reader.field() == (form.number, 1)
    assert difference(case.value, form.read(reader)) is None
    assert reader.field() == (0, 0)


def test_a_uuid_is_text_or_a_uuid() -> None:
    (case,) = (each for each in KEYS if each.name == "key/uuid")
    value = next(iter(case.value))
    native = Forms(CONTRACT).compile(TypeRef(Kind.UUID, hints=(("thrift", "uuid"),)))
    plain = Forms(CONTRACT).compile(TypeRef(Kind.UUID))
    for encoding in ENCODINGS.values():
        for form, other in ((native, plain), (plain, native)):
            writer = encoding.writer(LIMITS)
            writer.message(b"m", 1, 1)
            writer.struct()
            writer.field(form.number, 1)
            form.write(writer, value)
            writer.stop()
            reader = encoding.reader(writer.done(), 0, LIMITS)
            reader.message()
            reader.struct()
            said, _ = reader.field()
            assert other.more[said](reader) == value


def test_null_and_defaults() -> None:
    slot = Slot(1, "x", TypeRef(Kind.STRING, nullable=True), Forms(CONTRACT).compile(TypeRef(Kind.STRING)), "default")
    assert slot.null == "null has no form here: absent means the default"
    search = next(each for each in contract_of(Catalog).methods if each.name == "search")
    assert isinstance(search.params[1], Param)
    (event,) = server().receive(
        thrift_bytes.call("Catalog:search", thrift_bytes.field(thrift_bytes.STRING, 1, thrift_bytes.text("x"))), 0.0
    )
    assert isinstance(event, CallReceived)
    assert event.invocation.arguments() == ("x", 10, None)


def application_error(kind: int, text: str) -> bytes:
    fields = (
        thrift_bytes.field(thrift_bytes.STRING, 1, thrift_bytes.text(text)),
        thrift_bytes.field(thrift_bytes.I32, 2, struct.pack(">i", kind)),
    )
    return thrift_bytes.call("echo_nothing", *fields, kind=thrift_bytes.EXCEPTION, id=1)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (1, NoSuchMethod),
        (2, BadRequest),
        (4, ProviderFailed),
        (5, ProviderFailed),
        (7, BadRequest),
    ],
)
def test_errors_of_servers_of_another_make(kind: int, expected: type[Exception]) -> None:
    codec, binding = client()
    called(codec, binding, "echo_nothing")
    (event,) = codec.receive(application_error(kind, "their words"))
    assert isinstance(event, ReplyReceived)
    assert type(event.outcome) is expected
    assert "their words" in str(event.outcome)


@pytest.mark.parametrize("kind", [6, 0], ids=["as Java, Go and Python say it", "as C++ and Node say it"])
def test_an_internal_error_of_another_make_is_the_services_exception(kind: int) -> None:
    codec, binding = client()
    called(codec, binding, "echo_nothing")
    (event,) = codec.receive(application_error(kind, "Internal error"))
    assert isinstance(event, ReplyReceived)
    assert isinstance(event.outcome, Fault)
    assert (event.outcome.type_name, event.outcome.message) == ("TApplicationException", "Internal error")


def test_an_answer_that_does_not_fit_is_nobodys_fault_but_the_providers() -> None:
    for answer in (b"", thrift_bytes.field(thrift_bytes.I64, 0, bytes(8))):
        codec, binding = client()
        called(codec, binding, "echo_i32", 1)
        (event,) = codec.receive(thrift_bytes.call("echo_i32", answer, kind=thrift_bytes.REPLY, id=1))
        assert isinstance(event, ReplyReceived)
        assert isinstance(event.outcome, ProviderFailed)
        assert event.outcome.retry is Retry.NEVER


def test_a_result_that_is_missing_is_told_as_such() -> None:
    side = server()
    (event,) = side.receive(thrift_bytes.call("Types:echo_i32", thrift_bytes.field(thrift_bytes.I32, 1, bytes(4))), 0.0)
    assert isinstance(event, CallReceived)
    answer = thrift_bytes.answers(side.reply(event.ticket, Ok(None)))[0]
    assert (answer.error, "null where i32 is required" in answer.text) == (5, True)


def test_what_is_too_large_is_not_sent() -> None:
    codec, binding = client()
    with pytest.raises(LocalWireError, match="exceeds"):
        called(codec, binding, "echo_bytes", bytes(1 << 20))
    side = server()
    (event,) = side.receive(
        thrift_bytes.call("Types:echo_bytes", thrift_bytes.field(thrift_bytes.STRING, 1, thrift_bytes.text(b""))), 0.0
    )
    assert isinstance(event, CallReceived)
    assert "exceed the limit" in thrift_bytes.answers(side.reply(event.ticket, Ok(bytes(1 << 20))))[0].text


def test_a_reply_that_nobody_waits_for_is_reported() -> None:
    codec, binding = client()
    call_id, _ = called(codec, binding, "echo_nothing")
    codec.abandon(call_id)
    (event,) = codec.receive(thrift_bytes.call("echo_nothing", kind=thrift_bytes.REPLY, id=1))
    assert isinstance(event, ReplyReceived)
    assert event.call_id == 1


def test_a_server_without_headers_may_answer_in_bare_frames() -> None:
    codec, binding = client(Variant(BINARY, Transport.HEADER))
    called(codec, binding, "echo_nothing")
    (event,) = codec.receive(thrift_bytes.call("echo_nothing", kind=thrift_bytes.REPLY, id=1))
    assert isinstance(event, ReplyReceived)
    assert isinstance(event.outcome, Ok)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x82", b"[", b"\0", b"\0\0\1\0", b"\0\0\1\0\x80"], ids=bytes.hex)
def test_too_few_bytes_tell_nothing_yet(data: bytes) -> None:
    assert detect(data, LIMITS) is None


def test_a_reader_never_reads_beyond_its_bytes() -> None:
    for encoding in (BINARY, COMPACT):
        for read in ("bool", "i8", "i16", "i32", "i64", "double", "binary", "uuid", "field", "list", "map", "message"):
            with pytest.raises(ThriftError):
                getattr(encoding.reader(b"\x0b", 1, LIMITS), read)()
