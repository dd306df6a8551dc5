"""netstring:// against the corpus, with the tools that Polyport gives to everybody who writes a wire."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from netstring_adapter import PLUGIN
from netstring_codec import NetstringClientWire, Netstrings, NetstringServerCodec, NetstringServerWire, netstring

from adapters.testing import joined
from gateway.jsonform.text import parse_json
from gateway.model.call import Fault, Invocation, Ok, Peer, Result
from gateway.model.contract import MISSING, MethodContract, Param, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    RPC_ERRORS,
    BadRequest,
    ContractError,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind, TypeRef
from gateway.spi.adapter import ListenerOptions, Reference
from protocols.contract import CallReceived, CallRejected, Drain, ReplyReceived, Send
from protocols.reader import Limits
from protocols.testing import (
    ATTACHMENTS,
    CONTRACT,
    CORPUS,
    FAULTS,
    KEYS,
    MISFITS,
    AtMoment,
    AttachmentsCase,
    Case,
    FaultCase,
    Misfit,
    difference,
    feed,
    feed_rubbish,
)

KEY = ServiceKey(CONTRACT.name)
METHODS = {method.attribute: method for method in CONTRACT.methods}
LIMITS = Limits(max_frame_bytes=16 << 20)
SERVER = NetstringServerWire([Exposure(KEY, CONTRACT)], LIMITS)
CLIENT = NetstringClientWire(LIMITS)
BINDING = CLIENT.bind(KEY, CONTRACT, "", "corpus")

REFUSED = {
    "char/surrogate",
    "string/lone-high-surrogate",
    "string/lone-low-surrogate",
    "string/reversed-surrogates",
    "string/surrogate-last",
}
"""What this wire cannot carry, because UTF-8 cannot; everything else must survive."""
CARRIED = [case for case in CORPUS if case.name not in REFUSED]
FIRST_OF_EACH = list({case.method: case for case in reversed(CARRIED)}.values())


def by_name(case: Any) -> str:
    name: str = case.name
    return name


def server() -> NetstringServerCodec:
    return SERVER.accept(Peer("netstring", "corpus"))


def request(case: Case) -> tuple[Any, bytes]:
    """A client codec that waits for the answer, and the bytes of the call."""
    codec = CLIENT.connect()
    method = METHODS[case.method]
    return codec, codec.call(BINDING, Invocation(KEY, method.name, case.arguments, signature=method), 1.0)[1]


def reply(case: Case) -> bytes:
    codec = server()
    (event,) = codec.receive(request(case)[1], 0.0)
    assert isinstance(event, CallReceived)
    return codec.reply(event.ticket, Ok(case.value))


def echoing(ref: TypeRef) -> ServiceContract:
    """A contract whose one method gives back a value of this type."""
    return ServiceContract(
        CONTRACT.name, (MethodContract("echo", (Param("value", ref),), ref, attribute="echo"),), CONTRACT.types
    )


# The bytes.


@pytest.mark.parametrize(
    ("data", "stream"),
    # The first is the example of the specification.
    [(b"hello world!", b"12:hello world!,"), (b"", b"0:,"), (b"a,b:", b"4:a,b:,"), ("€".encode(), b"3:\xe2\x82\xac,")],
)
def test_netstrings_are_those_of_the_specification(data: bytes, stream: bytes) -> None:
    assert netstring(data) == stream
    assert Netstrings(100).split(stream) == [data]


@pytest.mark.parametrize(
    "stream", [b"012:hello world!,", b":,", b"x:,", b"-1:,", b" 1:a,", b"1:ab", b"1000000:", b"00"]
)
def test_what_is_no_netstring_breaks_the_stream_after_what_came_before(stream: bytes) -> None:
    whole, bytewise = Netstrings(999_999), Netstrings(999_999)

    assert whole.split(b"1:a," + stream) == [b"a"]
    assert [each for byte in b"1:a," + stream for each in bytewise.split(bytes((byte,)))] == [b"a"]
    assert whole.broken is not None
    assert bytewise.broken is not None
    assert whole.broken.farewell


def test_a_length_beyond_the_limit_is_refused_before_its_bytes_come() -> None:
    stream = Netstrings(1000)
    stream.split(b"1001:")

    assert stream.broken is not None
    assert stream.broken.reason == "frame-too-large"


# The corpus.


@pytest.mark.parametrize("case", CARRIED, ids=by_name)
async def test_every_value_survives_both_ways(case: Case) -> None:
    async with joined(PLUGIN, _back, CONTRACT) as pair:
        result = await pair.call(case.method, *case.arguments)
    assert isinstance(result, Ok)
    assert difference(case.value, result.value) is None
    assert difference(case.arguments, pair.received[0].arguments()) is None


@pytest.mark.parametrize("case", [case for case in CORPUS if case.name in REFUSED], ids=by_name)
def test_what_json_cannot_hold_is_refused_with_its_place(case: Case) -> None:
    with pytest.raises(ValueMappingError) as caught:
        request(case)
    assert caught.value.path.startswith("args[0]")
    assert "surrogate" in str(caught.value)


@pytest.mark.parametrize("case", MISFITS, ids=by_name)
def test_what_does_not_fit_its_type_is_refused_before_anything_is_sent(case: Misfit) -> None:
    contract = echoing(case.type)
    binding = CLIENT.bind(KEY, contract, "", "corpus")
    with pytest.raises(ValueMappingError) as caught:
        CLIENT.connect().call(binding, Invocation(KEY, "echo", (case.value,), signature=contract.methods[0]), None)
    assert caught.value.path.startswith("args[0]")


@pytest.mark.parametrize("case", KEYS, ids=by_name)
async def test_whatever_can_be_hashed_may_be_a_key(case: Case) -> None:
    async with joined(PLUGIN, _back, echoing(case.type)) as pair:
        result = await pair.call("echo", case.value)
    assert isinstance(result, Ok)
    assert difference(case.value, result.value) is None


@pytest.mark.parametrize("case", FIRST_OF_EACH, ids=by_name)
def test_messages_may_be_cut_anywhere_and_have_rubbish_behind(case: Case) -> None:
    for make, stream in (
        (lambda: AtMoment(server()), request(case)[1]),
        (lambda: request(case)[0], reply(case)),
    ):
        feed(make, stream)
        feed_rubbish(make, stream)


@pytest.mark.parametrize("case", FAULTS, ids=by_name)
async def test_exceptions_survive(case: FaultCase) -> None:
    async def fail(_: Invocation) -> Result:
        return case.fault

    async with joined(PLUGIN, fail, CONTRACT) as pair:
        fault = await pair.call(case.method, "x")
    assert isinstance(fault, Fault)
    assert (fault.type_name, fault.message, fault.declared) == (
        case.fault.type_name,
        case.fault.message,
        case.fault.declared,
    )
    assert difference(dict(case.fault.fields), dict(fault.fields)) is None


@pytest.mark.parametrize("case", ATTACHMENTS, ids=by_name)
async def test_attachments_survive_both_ways(case: AttachmentsCase) -> None:
    async def back(invocation: Invocation) -> Result:
        return Ok("x", invocation.attachments)

    async with joined(PLUGIN, back, CONTRACT) as pair:
        result = await pair.call("echo_string", "x", attachments=case.attachments)
    assert dict(pair.received[0].attachments) == dict(case.attachments)
    assert dict(result.attachments) == dict(case.attachments)


async def test_an_attachment_that_is_no_text_is_refused_by_name() -> None:
    async with joined(PLUGIN, _nothing, CONTRACT) as pair:
        with pytest.raises((ValueMappingError, RpcError), match=r"attachments\[size\]"):
            await pair.call("echo_nothing", attachments={"size": 7})


# What travels beside the values.


async def test_deadline_trace_and_consumer_travel() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with joined(PLUGIN, _nothing, CONTRACT) as pair:
        before = time.monotonic()
        await pair.call("echo_nothing", deadline=before + 2.0, traceparent=trace, consumer="billing")
    (invocation,) = pair.received
    assert invocation.deadline is not None
    assert before < invocation.deadline <= before + 2.1
    assert (invocation.traceparent, invocation.consumer) == (trace, "billing")
    assert invocation.peer is not None
    assert invocation.peer.protocol == "netstring"


@pytest.mark.parametrize("kind", RPC_ERRORS.values(), ids=lambda kind: kind.code)
async def test_errors_keep_their_kind_and_what_they_say_about_repeating(kind: type[RpcError]) -> None:
    async def refuse(_: Invocation) -> Result:
        raise kind("because", retry=Retry.NEVER, exhausted=True)

    async with joined(PLUGIN, refuse, CONTRACT) as pair:
        with pytest.raises(kind, match="because") as caught:
            await pair.call("echo_nothing")
    assert (caught.value.retry, caught.value.exhausted) == (Retry.NEVER, True)


async def test_group_and_version_name_the_service() -> None:
    key = ServiceKey(CONTRACT.name, "blue", "1.2")
    async with joined(PLUGIN, _nothing, CONTRACT, service=key) as pair:
        await pair.call("echo_nothing")
        other = dataclasses.replace(pair.endpoint, service=KEY)
        with pytest.raises(NoSuchService, match=r"blue/demo.Types:1.2"):
            await pair.client.open(other, Reference(KEY, CONTRACT))(
                Invocation(KEY, "echo_nothing", (), signature=METHODS["echo_nothing"])
            )
    assert pair.received[0].service == key


async def test_the_token_is_asked_for() -> None:
    listener = ListenerOptions("x", "netstring", "", 0, options={"token": "open sesame"})
    async with joined(PLUGIN, _nothing, CONTRACT, listener=listener) as pair:
        with pytest.raises(Unauthenticated):
            await pair.call("echo_nothing")
    reference = Reference(KEY, CONTRACT, token="open sesame")
    async with joined(PLUGIN, _nothing, CONTRACT, listener=listener, reference=reference) as pair:
        assert isinstance(await pair.call("echo_nothing"), Ok)


async def test_a_service_without_a_contract_is_refused() -> None:
    with pytest.raises(ContractError, match=r"demo\.Types"):
        async with joined(PLUGIN, _nothing, None, service=KEY):
            pass


async def test_more_calls_than_a_connection_may_have_are_refused_at_once() -> None:
    listener = ListenerOptions("x", "netstring", "", 0, max_calls=0)
    async with joined(PLUGIN, _nothing, CONTRACT, listener=listener) as pair:
        with pytest.raises(Overloaded):
            await pair.call("echo_nothing")


async def _nothing(_: Invocation) -> Result:
    return Ok(None)


async def _back(invocation: Invocation) -> Result:
    return Ok(*invocation.arguments() or (None,))


# Calls as a stranger would write them, and what is wrong with some.


def answered(text: str) -> Any:
    """What the server says to one call that must be refused."""
    codec = server()
    (event,) = codec.receive(netstring(text.encode()), 0.0)
    assert isinstance(event, CallRejected), event
    return event.error


def test_a_call_may_leave_out_what_has_a_default() -> None:
    text = '{"id": 1, "service": "demo.Types", "method": "echo_i32", "arguments": [7], "timeout": 2.5}'
    (event,) = server().receive(netstring(text.encode()), 100.0)

    assert isinstance(event, CallReceived)
    assert event.invocation.arguments() == (7,)
    assert event.invocation.deadline == 102.5


def test_an_overloaded_method_is_named_with_its_types() -> None:
    text, number = TypeRef(Kind.STRING), TypeRef(Kind.I64)
    methods = tuple(
        MethodContract("find", (Param("value", ref, default),), number, attribute=name)
        for name, ref, default in (("find", number, 7), ("find_by_name", text, MISSING))
    )
    contract = ServiceContract("shop.Orders", methods)
    key = ServiceKey(contract.name)
    wire = NetstringServerWire([Exposure(key, contract)], LIMITS)
    client, binding = CLIENT.connect(), CLIENT.bind(key, contract, "", "corpus")
    codec = wire.accept(Peer("netstring", "corpus"))
    for method, value in zip(methods, (8, "eight"), strict=True):
        (event,) = codec.receive(client.call(binding, Invocation(key, "find", (value,), signature=method), None)[1], 0)
        assert isinstance(event, CallReceived)
        assert event.invocation.signature is method
        assert event.invocation.arguments() == (value,)
    (event,) = codec.receive(netstring(b'{"service": "shop.Orders", "method": "find(i64)"}'), 0)
    assert isinstance(event, CallReceived)
    assert (event.ticket, event.invocation.oneway, event.invocation.arguments()) == (None, True, (7,))
    (event,) = codec.receive(netstring(b'{"id": 1, "service": "shop.Orders", "method": "find"}'), 0)
    assert isinstance(event, CallRejected)
    assert str(event.error) == "shop.Orders has find(i64), find(string)"


@pytest.mark.parametrize(
    ("members", "kind", "text"),
    [
        ('"service": "demo.Nope"', NoSuchService, "here are demo.Types"),
        ('"service": []', NoSuchService, "here are demo.Types"),
        ('"service": "demo.Types", "method": "nope"', NoSuchMethod, "echo_i32"),
        ('"service": "demo.Types", "method": "echo_i32", "arguments": [1.5]', BadRequest, "args[0]"),
        ('"service": "demo.Types", "method": "echo_i32", "arguments": []', BadRequest, "0 arguments"),
        ('"service": "demo.Types", "method": "echo_i32", "arguments": [1, 2]', BadRequest, "2 arguments"),
        ('"service": "demo.Types", "method": "echo_i32", "arguments": {}', BadRequest, "an array"),
        ('"service": "demo.Types", "method": "echo_nothing", "timeout": "1"', BadRequest, "timeout"),
        ('"service": "demo.Types", "method": "echo_nothing", "timeout": -1', BadRequest, "timeout"),
        ('"service": "demo.Types", "method": "echo_nothing", "attachments": {"a": 1}', BadRequest, "attachments"),
        ('"service": "demo.Types", "method": "echo_nothing", "trace": 1', BadRequest, "trace"),
        ('"service": "demo.Types", "method": "echo_nothing", "colour": "red"', BadRequest, "colour"),
        ('"service": "demo.Types", "method": "echo_string", "arguments": ["a", "b", "c"]', BadRequest, "3 arguments"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_and_the_connection_lives(
    members: str, kind: type[RpcError], text: str
) -> None:
    error = answered(f'{{"id": 1, {members}}}')

    assert type(error) is kind
    assert text in str(error)


@pytest.mark.parametrize("text", ["7", "{", '{"id": -1}', '{"id": "a"}', '{"id": true}', '{"id": 1, "id": 2}', "\xff"])
def test_a_message_nobody_can_be_answered_breaks_the_connection(text: str) -> None:
    codec = server()

    assert codec.receive(netstring(text.encode("latin-1")), 0.0) == []
    assert codec.broken is not None
    (farewell,) = Netstrings(10_000).split(codec.broken.farewell)
    assert parse_json(farewell)["error"]["code"] == "bad-request"


def test_a_heartbeat_is_sent_back_once() -> None:
    (event,) = server().receive(b"0:,", 0.0)

    assert isinstance(event, Send)
    assert event.data == b"0:,"
    assert CLIENT.connect().receive(b"0:,") == []


def test_a_server_that_stops_says_so() -> None:
    (event,) = CLIENT.connect().receive(server().goodbye())

    assert isinstance(event, Drain)
    assert event.active


def test_a_value_that_cannot_be_written_becomes_an_error_with_its_place() -> None:
    case = next(case for case in CORPUS if case.method == "echo_i32")
    client, data = request(case)
    codec = server()
    (event,) = codec.receive(data, 0.0)
    (answer,) = client.receive(codec.reply(event.ticket, Ok("seven")))

    assert isinstance(answer, ReplyReceived)
    assert isinstance(answer.outcome, ProviderFailed)
    assert answer.outcome.retry is Retry.NEVER
    assert "result: " in str(answer.outcome)


@pytest.mark.parametrize(
    "text",
    ['{"id": 1}', '{"id": 1, "value": "x"}', '{"id": 1, "error": 5}', '{"id": 1, "error": {"code": []}}',
     '{"id": 1, "fault": {}}', '{"id": 1, "fault": {"type": 1, "message": 2, "stack": 3}}',
     '{"id": 1, "value": 1, "attachments": []}'],
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_the_providers_failure(text: str) -> None:
    case = next(case for case in CORPUS if case.method == "echo_i32")
    client, _ = request(case)
    (answer,) = client.receive(netstring(text.encode()))

    assert isinstance(answer, ReplyReceived)
    assert isinstance(answer.outcome, ProviderFailed)
    assert client.broken is None


def test_a_farewell_ends_the_clients_connection_too() -> None:
    codec, client = server(), CLIENT.connect()
    codec.receive(b"x", 0.0)
    assert codec.broken is not None
    client.receive(codec.broken.farewell)

    assert client.broken is not None
    assert "bad-request" in str(client.broken)
