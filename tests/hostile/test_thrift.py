"""Rows T1 to T8: hostile thrift:// messages. What is owed for each stands in README.md."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.abuse import Abuse, Attacker
from tests.support.dialect import THRIFT, Dialect
from tests.support.thrift_bytes import (
    CALL,
    EXCEPTION,
    I32,
    I64,
    LIST,
    MAP,
    ONEWAY,
    REPLY,
    SET,
    STRING,
    STRUCT,
    call,
    field,
    framed,
    header,
    message,
    text,
)

FEW = 20
COUNT = call("demo.Catalog:count", id=9)
MIB = 1 << 20
UNKNOWN_METHOD, INVALID_MESSAGE_TYPE, PROTOCOL_ERROR, INVALID_TRANSFORM = 1, 2, 7, 8
MOST = 0x7FFFFFFF


@pytest.fixture
def dialect() -> Dialect:
    """The wire under attack."""
    return THRIFT


def refused_call(data: bytes, error: int, *said: str, id: int = 7) -> Callable[[Attacker], Awaitable[None]]:
    """An attack with one bad call: it is answered with an error that says so, and the connection goes on."""

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        answer = await attacker.reply()
        assert (answer.kind, answer.id, answer.error) == (EXCEPTION, id, error)
        for each in said:
            assert each in answer.text, answer.text
        assert len(answer.body) < 2_500
        await attacker.send(COUNT)
        assert (await attacker.reply()).kind == REPLY

    return attack


def cut_off(data: bytes, answered: int = 0) -> Callable[[Attacker], Awaitable[None]]:
    """An attack after whose bytes the other side closes."""

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        for _ in range(answered):
            assert (await attacker.reply()).kind == REPLY
        await attacker.refused()

    return attack


@pytest.mark.parametrize("length", [0, -1, -0x80000000, MOST, 8 * MIB + 1])
@pytest.mark.parametrize("sent", [0, 100_000])
@pytest.mark.parametrize("first", [True, False], ids=["first", "behind another"])
async def test_t1_frame_of_an_impossible_length(abuse: Abuse, length: int, sent: int, first: bool) -> None:
    if first:
        await abuse(cut_off(framed(b"\x80\x01\0\1" + bytes(sent), length)), reason="bad-magic")
    else:
        await abuse(cut_off(COUNT + framed(bytes(sent), length), answered=1), reason="frame-too-large")


def counted(number: int, count: int) -> bytes:
    head = struct.pack(">bbi", STRING, STRING, count) if number == MAP else struct.pack(">bi", I32, count)
    return field(number, 1, head)


CONTAINERS = {LIST: "echo_int_list", SET: "echo_long_set", MAP: "echo_string_map"}


@pytest.mark.parametrize("number", CONTAINERS)
@pytest.mark.parametrize("count", [MOST, -1, 1_000_001, 2])
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
async def test_t2_container_of_more_elements_than_bytes(abuse: Abuse, number: int, count: int, known: bool) -> None:
    data = call(f"demo.Types:{CONTAINERS[number] if known else 'echo_nothing'}", counted(number, count))
    await abuse(refused_call(data, PROTOCOL_ERROR, "elements in"), reason="bad-request")


NESTED = {
    "known struct": ("echo_struct", field(STRUCT, 3, b"") * 100_000),
    "unknown struct": ("echo_nothing", field(STRUCT, 3, b"") * 100_000),
    "unknown list": ("echo_struct", field(LIST, 44, struct.pack(">bi", LIST, 1) * 100_000)),
    "unknown map": ("echo_struct", field(MAP, 44, struct.pack(">bbi", MAP, MAP, 1) * 100_000)),
}


@pytest.mark.parametrize("name", NESTED)
async def test_t3_nested_deeper_than_the_limit(abuse: Abuse, name: str) -> None:
    method, inside = NESTED[name]
    data = call(f"demo.Types:{method}", field(STRUCT, 1, inside))
    await abuse(refused_call(data, PROTOCOL_ERROR, "nested too deep"), reason="bad-request", times=FEW)


async def test_t3_as_deep_as_is_allowed(abuse: Abuse) -> None:
    # 62 inside of the struct of arguments and the unknown one.
    data = call("demo.Types:echo_nothing", field(STRUCT, 9, field(STRUCT, 1, b"") * 62 + bytes(63)))

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        assert (await attacker.reply()).kind == REPLY

    await abuse(attack, reason=None)


@pytest.mark.parametrize("version", [0x80020000, 0x80000000, 0xFFFF0000], ids=hex)
@pytest.mark.parametrize("first", [True, False], ids=["first", "behind another"])
async def test_t4_unknown_version(abuse: Abuse, version: int, first: bool) -> None:
    if first:
        await abuse(cut_off(framed(message("demo.Catalog:count", version=version))), reason="bad-magic")
        return
    # Behind a good one the place of the frame is known, but nobody can be answered.
    bad = COUNT + framed(message("demo.Catalog:count", version=version))
    await abuse(cut_off(bad, answered=1), reason="malformed")


@pytest.mark.parametrize("kind", [0, REPLY, EXCEPTION, 5, 77])
async def test_t4_message_that_is_no_call(abuse: Abuse, kind: int) -> None:
    data = call("demo.Catalog:count", kind=kind)
    await abuse(refused_call(data, INVALID_MESSAGE_TYPE, f"kind {kind}"), reason="bad-request")


async def test_t4_oneway_call_of_a_method_that_answers(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(call("demo.Catalog:count", kind=ONEWAY, id=1) + COUNT)
        assert (await attacker.reply()).id == 9

    await abuse(attack, reason=None)


async def test_t4_call_of_a_oneway_method_and_a_bad_oneway_call(abuse: Abuse) -> None:
    touch = call("demo.Catalog:touch", field(I64, 1, bytes(8)), kind=CALL, id=1)
    bad = call("demo.Catalog:touch", kind=ONEWAY, id=2)

    async def attack(attacker: Attacker) -> None:
        await attacker.send(touch + bad + COUNT)
        assert (await attacker.reply()).id == 9

    await abuse(attack, reason="bad-request")


BAD_FIELDS = {
    "another type": ("echo_i32", field(I64, 1, bytes(8)), "args[0]: expected i32, found i64"),
    "missing": ("echo_i32", b"", "args[0]: echo_i32 is not given its parameter 'value'"),
    "twice": ("echo_i32", field(I32, 1, bytes(4)) * 2, "args[0]: the field stands twice"),
    "inside, another type": ("echo_struct", field(STRUCT, 1, field(I32, 1, bytes(5))), "args[0].name: expected string"),
    "inside, missing": ("echo_struct", field(STRUCT, 1, b"\0"), "args[0]: the field 'name' of demo.Maker is missing"),
    "inside, twice": (
        "echo_struct",
        field(STRUCT, 1, field(STRING, 1, text("a")) * 2 + b"\0"),
        "args[0].name: the field stands twice",
    ),
    "element of another type": (
        "echo_int_list",
        field(LIST, 1, struct.pack(">bi", I64, 1) + bytes(8)),
        "args[0]: expected i32, found i64",
    ),
    "unknown constant": ("echo_enum", field(I32, 1, b"\0\0\0\7"), "no constant of the number 7"),
    "not UTF-8": ("echo_string", field(STRING, 1, text(b"\xff\xfe")), "args[0]: not UTF-8"),
    "element twice": (
        "echo_string_set",
        field(SET, 1, struct.pack(">bi", STRING, 2) + text("a") * 2),
        "args[0]: an element of set<string> stands twice",
    ),
    "left over": ("echo_nothing", b"\0more", "bytes are left over"),
    "context that is none": ("echo_nothing", field(I32, 32767, bytes(4)), "field 32767 is no map"),
}


@pytest.mark.parametrize("name", BAD_FIELDS)
async def test_t5_field_that_does_not_fit(abuse: Abuse, name: str) -> None:
    method, data, said = BAD_FIELDS[name]
    await abuse(refused_call(call(f"demo.Types:{method}", data), PROTOCOL_ERROR, said), reason="bad-request")


def compact(method: str, fields: bytes) -> bytes:
    name = f"demo.Types:{method}".encode()
    return b"\x82\x21\x07" + bytes((len(name),)) + name + fields + b"\0"


COMPACT = {
    "varint of eleven bytes": ("echo_i64", b"\x16" + b"\x80" * 10 + b"\x01"),
    "varint of 65 bits": ("echo_i64", b"\x16" + b"\xff" * 9 + b"\x02"),
    "varint of 33 bits": ("echo_i32", b"\x15" + b"\xff" * 4 + b"\x10"),
    "i16 of 17 bits": ("echo_i16", b"\x14\x80\x80\x04"),
    "string of a negative length": ("echo_string", b"\x18" + b"\xff" * 4 + b"\x0f"),
    "list of 2^31-1": ("echo_int_list", b"\x19\xf5" + b"\xff" * 4 + b"\x07"),
    "map of 2^31-1": ("echo_string_map", b"\x1b" + b"\xff" * 4 + b"\x07\x86"),
    "type that there is not": ("echo_nothing", b"\x1e"),
}


@pytest.mark.parametrize("name", COMPACT)
@pytest.mark.parametrize("frames", [True, False], ids=["framed", "buffered"])
async def test_t6_compact_numbers_that_are_none(abuse: Abuse, name: str, frames: bool) -> None:
    data = compact(*COMPACT[name])

    async def attack(attacker: Attacker) -> None:
        await attacker.send(framed(data) if frames else data)
        if not frames:
            # Where it ends cannot be known.
            await attacker.refused()
            return
        answer = await attacker.raw(4)
        (size,) = struct.unpack(">i", answer)
        answer = await attacker.raw(size)
        assert answer[:2] == b"\x82\x61"
        assert b"[bad-request]" in answer

    await abuse(attack, reason="bad-request" if frames else "malformed")


HEADERS = {
    "header longer than the frame": header(b"", words=1000),
    "header of one word, and many transforms": header(b"", head=b"\0\xff\xff\x7f"),
    "no such protocol": header(message("demo.Catalog:count"), head=b"\x05\0\0\0"),
    "header without an end": header(b"", words=0),
    "key longer than the header": header(message("demo.Catalog:count"), head=b"\0\0\x01\x01\x7f\0\0\0"),
    "key that is no text": header(message("demo.Catalog:count"), head=b"\0\0\x01\x01\x01\xff\0\0"),
    "million headers": header(message("demo.Catalog:count"), head=b"\0\0\x01\xff\xff\x3f\0\0"),
    "zlib that is none": header(message("demo.Catalog:count"), head=b"\0\x01\x01\0"),
    "bomb": header(zlib.compress(bytes(64 * MIB), 9), head=b"\0\x01\x01\0"),
    "bomb in a bomb": header(zlib.compress(zlib.compress(bytes(64 * MIB), 9), 9), head=b"\0\x02\x01\x01"),
    "cut zlib": header(zlib.compress(message("demo.Catalog:count"))[:-3], head=b"\0\x01\x01\0"),
}


@pytest.mark.parametrize("name", HEADERS)
async def test_t7_header_that_cannot_be_read(abuse: Abuse, name: str) -> None:
    await abuse(cut_off(HEADERS[name]), reason="malformed", times=FEW)


async def test_t7_transform_that_is_not_known(abuse: Abuse) -> None:
    data = header(message("demo.Catalog:count"), head=b"\0\x01\x03\0")

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        (size,) = struct.unpack(">i", await attacker.raw(4))
        answer = await attacker.raw(size)
        assert answer[:8] == b"\x0f\xff\0\0\0\0\0\7"
        assert answer[-5:] == b"\0\0\0" + bytes((INVALID_TRANSFORM, 0))

    await abuse(attack, reason="bad-request")


NAMES = {
    "no service": ("count", "does not say of which service"),
    "unknown service": ("demo.Other:count", "there is no service 'demo.Other' here"),
    "unknown method": ("demo.Catalog:missing", "demo.Catalog has no method 'missing'"),
    "separator alone": (":", "does not say of which service"),
    "empty": ("", "does not say of which service"),
    "not UTF-8": (b"\xff\xfe:count", "there is no service"),
    "control characters": ("demo\r\n\0:count", "there is no service"),
    "a mebibyte": ("x" * MIB, "of 1048576 characters"),
    "a mebibyte of a service": ("x" * MIB + ":count", "of 1048576 characters"),
}


@pytest.mark.parametrize("name", NAMES)
async def test_t8_name_that_is_not_known(abuse: Abuse, name: str) -> None:
    sent, said = NAMES[name]
    attack = refused_call(call(sent), UNKNOWN_METHOD, said)  # type: ignore[arg-type]
    known = "no-such-method" if "Catalog" in said else "no-such-service"
    await abuse(attack, reason=known, times=FEW)


def json_message(method: str, *values: Any) -> bytes:
    return json.dumps([1, f"demo.Types:{method}", CALL, 7, *values]).encode()


JSON = {
    "brackets": b"[1," + b"[" * 100_000,
    "objects": b'[1,"a",1,7,' + b'{"1":{"rec":' * 100_000,
    "no message": b"[1]",
    "another version": b'[ 2,"demo.Types:echo_nothing",1,7,{}]',
    "no name": b"[1,null,1,7,{}]",
    "NaN": b'[1,"demo.Types:echo_f64",1,7,{"1":{"dbl":NaN}}]',
    "no UTF-8": b'[1,"\xff",1,7,{}]',
    "digits without end": b'[1,"demo.Types:echo_i64",1,7,{"1":{"i64":' + b"9" * 100_000 + b"}}]",
    "commas": b"[1" + b",1" * 3_000_000 + b"]",
}


@pytest.mark.parametrize("name", JSON)
async def test_json_that_is_no_message(abuse: Abuse, name: str) -> None:
    await abuse(cut_off(JSON[name]), reason="malformed", times=FEW)


BAD_JSON = {
    "field of null": ("echo_i32", {"1": {"i32": None}}),
    "null": ("echo_i32", {"1": None}),
    "two types": ("echo_i32", {"1": {"i32": 1, "i64": 1}}),
    "unknown type": ("echo_i32", {"1": {"x": 1}}),
    "too large": ("echo_i32", {"1": {"i32": 1 << 40}}),
    "fraction": ("echo_i32", {"1": {"i32": 1.5}}),
    "count that is wrong": ("echo_int_list", {"1": {"lst": ["i32", 3, 1]}}),
    "count of a map that is wrong": ("echo_string_map", {"1": {"map": ["str", "i64", 2, {"a": 1}]}}),
    "no base64": ("echo_bytes", {"1": {"str": "?"}}),
    "name for an id": ("echo_i32", {"value": {"i32": 1}}),
}


@pytest.mark.parametrize("name", BAD_JSON)
async def test_json_whose_values_do_not_fit(abuse: Abuse, name: str) -> None:
    data = json_message(*BAD_JSON[name])

    async def attack(attacker: Attacker) -> None:
        await attacker.send(framed(data))
        (size,) = struct.unpack(">i", await attacker.raw(4))
        answer = json.loads(await attacker.raw(size))
        assert answer[:4] == [1, BAD_JSON[name][0], EXCEPTION, 7]
        assert answer[4]["2"] == {"i32": PROTOCOL_ERROR}

    await abuse(attack, reason="bad-request")
