"""The short way of usual calls and answers against the way of all encodings: what both say is the same."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from gateway import F64, I8, I16, I32, I64, service
from gateway.contracts.python import contract_of
from gateway.model.call import Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived
from protocols.reader import Limits
from protocols.thrift import wire
from protocols.thrift.arguments import ThriftArguments, UsualArguments
from protocols.thrift.binary import BINARY, BinaryReader
from protocols.thrift.context import CONSUMER, DRAIN
from protocols.thrift.server import ThriftServerWire
from protocols.thrift.service import MethodForm, ServiceForm
from protocols.thrift.strict import StrictAnswer, StrictArguments

LIMITS = Limits(max_frame_bytes=1 << 16)


@service("test.Usual")
class Usual(Protocol):
    async def mixed(self, a: I64, b: str, c: bool, d: F64, e: bytes, f: I8, g: I16) -> str: ...

    async def numbers(self, a: I32, b: I32) -> I32: ...

    async def nothing(self) -> None: ...

    async def maybe(self, a: str | None, b: I32 = 7) -> str | None: ...

    async def listed(self, a: list[str]) -> list[str]: ...

    async def bool(self, a: bool) -> bool: ...

    async def i8(self) -> I8: ...

    async def i16(self) -> I16: ...

    async def i64(self) -> I64: ...

    async def f64(self) -> F64: ...

    async def bytes(self) -> bytes: ...


CONTRACT = contract_of(Usual)
METHODS = ServiceForm(CONTRACT).methods


def general(name: str) -> MethodForm:
    """A method without the short way."""
    form = ServiceForm(CONTRACT).methods[name]
    object.__setattr__(form, "usual_arguments", None)
    return form


def encoded(name: str, *values: Any) -> bytes:
    writer = BINARY.writer(LIMITS)
    METHODS[name].write_call(writer, values, {})
    return writer.done()


def said(arguments: Any) -> Any:
    try:
        return repr(arguments.decode())
    except BadRequest as exc:
        return str(exc)


CALLS = {
    "mixed": (-(1 << 63), "Grüße 😀", True, -0.0, b"\0\xff", -128, 32_767),
    "numbers": (-(1 << 31), (1 << 31) - 1),
    "nothing": (),
    "maybe": ("", 0),
}
EACH = pytest.mark.parametrize(("name", "values"), CALLS.items(), ids=CALLS)


def changed(data: bytes) -> Iterator[bytes]:
    """The bytes cut everywhere, longer, and with each byte changed in several ways."""
    yield data
    yield data + b"\0"
    for at in range(len(data)):
        yield data[:at]
        for other in (0, 1, 2, 11, 12, 13, 127, 128, 255, data[at] ^ 1):
            yield data[:at] + bytes((other,)) + data[at + 1 :]


@EACH
def test_arguments_are_read_the_short_way(name: str, values: tuple[Any, ...]) -> None:
    usual = METHODS[name].usual_arguments
    assert usual is not None
    assert usual.read(b"before" + encoded(name, *values), 6) == values


@EACH
def test_both_ways_say_the_same_whatever_arrives(name: str, values: tuple[Any, ...]) -> None:
    without, differing = general(name), 0
    for data in changed(encoded(name, *values)):
        expected = said(ThriftArguments(without, BinaryReader(data, 0, LIMITS), len(data), is_begun=False))
        assert said(UsualArguments(METHODS[name], data, 0, LIMITS)) == expected
        assert (
            said(ThriftArguments(METHODS[name], BinaryReader(data, 0, LIMITS), len(data), is_begun=False)) == expected
        )
        differing += expected != repr(values)
    assert differing


def test_an_order_of_its_own_and_a_missing_field_take_the_other_way() -> None:
    data = encoded("numbers", 1, 2)
    turned = data[7:14] + data[:7] + data[14:]
    assert METHODS["numbers"].usual_arguments.read(turned, 0) is None  # type: ignore[union-attr]
    assert said(UsualArguments(METHODS["numbers"], turned, 0, LIMITS)) == "(1, 2)"
    assert said(UsualArguments(METHODS["maybe"], b"\0", 0, LIMITS)) == "(None, 7)"


def test_what_is_no_number_or_text_has_no_short_way() -> None:
    assert METHODS["listed"].usual_arguments is None
    assert METHODS["listed"].usual_answer is None
    assert METHODS["nothing"].usual_answer is None
    listed = CONTRACT.methods[[each.name for each in CONTRACT.methods].index("listed")]
    assert StrictArguments.compile(listed) is None
    assert StrictAnswer.compile(b"listed", listed) is None


RESULTS = [
    ("mixed", ["", "Grüße 😀", "\0", 1, None, "\ud800", b"x"]),
    ("maybe", ["x", None]),
    ("numbers", [0, -(1 << 31), (1 << 31) - 1, 1 << 31, True, 1.0, None]),
    ("bool", [True, False, 1, 0, None]),
    ("i8", [-128, 127, 128, -129]),
    ("i16", [-32_768, 32_767, 32_768]),
    ("i64", [-(1 << 63), (1 << 63) - 1, 1 << 63]),
    ("f64", [0.1, -0.0, float("inf"), float("nan"), 1, True, "1"]),
    ("bytes", [b"", b"\0\xff", bytearray(b"x"), "x"]),
]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in RESULTS for value in values],
    ids=lambda each: ascii(each),
)
def test_an_answer_is_the_same_either_way(name: str, value: Any) -> None:
    method = METHODS[name]
    assert method.usual_answer is not None
    found = method.usual_answer.write(-5, value)
    writer = BINARY.writer(LIMITS)
    writer.message(method.name, wire.REPLY, -5)
    try:
        method.write_result(writer, value, {})
    except ValueMappingError:
        assert found == b""
        return
    message = writer.done()
    assert found in (b"", struct.pack(">i", len(message)) + message)


def test_usual_answers_are_written_the_short_way() -> None:
    for name, value in (("mixed", "x"), ("numbers", 1), ("bool", True), ("f64", 0.5), ("bytes", b"x")):
        answer = METHODS[name].usual_answer
        assert answer is not None
        assert answer.write(1, value)


@pytest.mark.parametrize("framed", [True, False], ids=["framed", "buffered"])
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "old"])
def test_each_head_leads_to_the_same_answer(framed: bool, strict: bool) -> None:
    body = encoded("numbers", 1, 2)
    codec = ThriftServerWire([Exposure(ServiceKey(CONTRACT.name), CONTRACT)], LIMITS).accept(Peer("thrift", "a:1"))
    head = b"\x80\x01\x00\x01" + struct.pack(">i", 7) + b"numbers" if strict else struct.pack(">i", 7) + b"numbers\x01"
    call = head + struct.pack(">i", -9) + body
    size = struct.pack(">i", len(call))
    (event,) = codec.receive(size + call if framed else call, 0.0)
    assert isinstance(event, CallReceived)
    assert event.invocation.arguments() == (1, 2)
    answer = bytes.fromhex("80010002 00000007") + b"numbers" + bytes.fromhex("fffffff7 080000 00000003 00")
    assert codec.reply(event.ticket, Ok(3)) == (struct.pack(">i", len(answer)) + answer if framed else answer)


def test_a_usual_answer_says_that_the_listener_stops_where_the_peer_understands() -> None:
    codec = ThriftServerWire([Exposure(ServiceKey(CONTRACT.name), CONTRACT)], LIMITS).accept(Peer("thrift", "a:1"))
    for pairs in ({CONSUMER: "app"}, {}):
        writer = BINARY.writer(LIMITS)
        writer.message(b"numbers", wire.CALL, 1)
        METHODS["numbers"].write_call(writer, (1, 2), pairs)
        call = writer.done()
        (event,) = codec.receive(struct.pack(">i", len(call)) + call, 0.0)
        assert isinstance(event, CallReceived)
        codec.goodbye()
        assert DRAIN.encode() in codec.reply(event.ticket, Ok(3))


@pytest.mark.parametrize("cut", [6, 11, 15, 16, 18])
def test_a_message_that_ends_in_its_head_breaks_the_connection_or_is_refused(cut: int) -> None:
    call = b"\x80\x01\x00\x01" + struct.pack(">i", 7) + b"numbers" + struct.pack(">i", 1)
    codec = ThriftServerWire([Exposure(ServiceKey(CONTRACT.name), CONTRACT)], LIMITS).accept(Peer("thrift", "a:1"))
    assert codec.receive(struct.pack(">i", cut) + call[:cut], 0.0) == []
    assert codec.broken is not None
