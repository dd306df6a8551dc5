"""Rows D1 to D11: hostile dubbo:// messages. What is owed for each stands in README.md."""

from __future__ import annotations

import re
import sys

import pytest

from tests.support.abuse import Abuse, Attacker
from tests.support.dubbo_bytes import (
    BAD_REQUEST,
    CALL,
    EVENT,
    HEARTBEAT,
    HESSIAN2,
    INVOKE_TYPES,
    OK,
    REQUEST,
    TWO_WAY,
    frame,
    heartbeat,
    invoke,
    replies,
    request,
    text,
)

FEW = 20
COUNT = request(id=9)
MIB = 1 << 20


def refused_call(data: bytes, *said: str, id: int = 7) -> object:
    """An attack with one bad call: it is answered with an error that says so, and the connection goes on."""

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        reply = await attacker.reply()
        assert (reply.flags, reply.status, reply.id) == (HESSIAN2, BAD_REQUEST, id)
        for each in said:
            assert re.search(each, reply.text), reply.text
        assert len(reply.body) < 2_500
        await attacker.send(COUNT)
        assert (await attacker.reply()).status == OK

    return attack


def cut_off(data: bytes) -> object:
    """An attack whose bytes are not answered; the other side closes."""

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        await attacker.refused()

    return attack


BEGINNINGS = pytest.mark.parametrize("data", [b"\xda", COUNT[:15], COUNT[:16], COUNT[:-1]], ids=len)


@BEGINNINGS
async def test_d1_beginning_of_a_frame_then_the_end(abuse: Abuse, data: bytes) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        attacker.finish()
        await attacker.refused()

    await abuse(attack, reason="truncated")


@BEGINNINGS
@pytest.mark.parametrize("abuse", ["frame_time: 200ms"], indirect=True)
async def test_d1_beginning_of_a_frame_then_nothing(abuse: Abuse, data: bytes) -> None:
    await abuse(cut_off(data), reason="frame-timeout", times=FEW, at_once=FEW)


@pytest.mark.parametrize("rubbish", [b"\x00", b"\xda\xda", b"\xbb\xda", b"ls\r\n", bytes(64)], ids=bytes.hex)
async def test_d2_rubbish_before_a_frame(abuse: Abuse, rubbish: bytes) -> None:
    await abuse(cut_off(rubbish + COUNT), reason="bad-magic")


async def test_d2_rubbish_between_frames(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(COUNT + b"\x0d\x0a" + COUNT)
        assert (await attacker.reply()).status == OK
        await attacker.refused()

    await abuse(attack, reason="bad-magic")


LENGTHS = [0x01010101, 0x7FFFFFFF, 8 * MIB + 1]
NEGATIVE = [-1, -0x80000000]


@pytest.mark.parametrize("sent", [0, 100_000])
@pytest.mark.parametrize("length", LENGTHS)
async def test_d3_body_length_beyond_the_limit(abuse: Abuse, length: int, sent: int) -> None:
    await abuse(too_long(length, sent), reason="frame-too-large")


@pytest.mark.parametrize("sent", [0, 100_000])
@pytest.mark.parametrize("length", NEGATIVE)
async def test_d4_negative_body_length(abuse: Abuse, length: int, sent: int) -> None:
    await abuse(too_long(length, sent), reason="frame-too-large")


def too_long(length: int, sent: int) -> object:
    data = frame(CALL, 77, bytes(sent), length=length)

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        reply = await attacker.reply()
        assert (reply.status, reply.id) == (BAD_REQUEST, 77)
        assert f"body length {length}" in reply.text
        await attacker.refused()

    return attack


@pytest.mark.parametrize("flags", [REQUEST | HESSIAN2, HESSIAN2, HEARTBEAT, EVENT | HESSIAN2], ids=hex)
async def test_d3_without_anybody_to_answer(abuse: Abuse, flags: int) -> None:
    await abuse(cut_off(frame(flags, 77, b"", length=0x7FFFFFFF)), reason="frame-too-large")


LONGER = COUNT[:12] + (len(COUNT) - 16 + 5).to_bytes(4, "big") + COUNT[16:]


async def test_d5_length_larger_than_sent_then_the_end(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(LONGER)
        attacker.finish()
        await attacker.refused()

    await abuse(attack, reason="truncated")


@pytest.mark.parametrize("abuse", ["frame_time: 200ms"], indirect=True)
async def test_d5_length_larger_than_sent_then_nothing(abuse: Abuse) -> None:
    await abuse(cut_off(LONGER), reason="frame-timeout", times=FEW, at_once=FEW)


@pytest.mark.parametrize("missing", [1, 2, 30, len(COUNT) - 16])
async def test_d5_length_smaller_than_the_body(abuse: Abuse, missing: int) -> None:
    data = COUNT[:12] + (len(COUNT) - 16 - missing).to_bytes(4, "big") + COUNT[16:]

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        reply = await attacker.reply()
        assert (reply.status, reply.id) == (BAD_REQUEST, 9)
        await attacker.refused()

    await abuse(attack, reason={"bad-request": 1, "bad-magic": 1})


@pytest.mark.parametrize("rest", [b"\x00", b"N", bytes(1_000), COUNT], ids=len)
async def test_d5_bytes_left_over_inside_the_frame(abuse: Abuse, rest: bytes) -> None:
    data = frame(CALL, 7, COUNT[16:] + rest)
    await abuse(refused_call(data, rf"{len(rest)} bytes are left over"), reason="bad-request")


# 31 is nobody's; 3, 4 and 7 are Java's own serialization, 8 and 9 kryo and fst; 23 and 22 are others of Dubbo 3.
@pytest.mark.parametrize("serialization", [0x1F, 3, 4, 7, 8, 9, 12, 22, 23, 0])
@pytest.mark.parametrize("group", ["", "blind"])
async def test_d6_serialization_that_is_not_offered(abuse: Abuse, serialization: int, group: str) -> None:
    data = request(flags=REQUEST | TWO_WAY | serialization, group=group)
    loaded = set(sys.modules)
    await abuse(refused_call(data, f"serialization id {serialization} is not offered here"), reason="bad-request")
    assert set(sys.modules) == loaded


async def test_d7_request_id_in_use(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(request("slow", "J", b"\xe1", id=5) + request(id=5))
        first = await attacker.reply()
        assert (first.id, first.status) == (5, BAD_REQUEST)
        assert "request id 5 is already in progress" in first.text
        second = await attacker.reply()
        assert (second.id, second.status) == (5, OK)
        await attacker.send(request(id=5))
        assert (await attacker.reply()).status == OK

    await abuse(attack, reason="bad-request")


async def test_d7_response_sent_to_a_server(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(COUNT + frame(HESSIAN2, 9, b"\x91\x01a", status=OK) + COUNT)
        assert (await attacker.reply()).status == OK
        await attacker.refused()

    await abuse(attack, reason="unexpected-response")


async def test_d7_answer_to_a_heartbeat_nobody_sent(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(heartbeat(9, flags=EVENT | HESSIAN2) + COUNT)
        assert (await attacker.reply()).id == 9

    await abuse(attack, reason=None)


async def test_d8_heartbeat_flood(abuse: Abuse) -> None:
    flood = b"".join(heartbeat(number) for number in range(1_000))

    async def attack(attacker: Attacker) -> None:
        await attacker.send(flood + request(id=1_000))
        attacker.finish()
        found = replies(await attacker.end())
        beats, answers = found[:-1], found[-1:]
        assert [(each.flags, each.status, each.body) for each in beats] == [(EVENT | HESSIAN2, OK, b"N")] * 20
        assert [each.id for each in beats] == list(range(20))
        assert (answers[0].id, answers[0].status) == (1_000, OK)

    await abuse(attack, reason={"overloaded": 980}, times=FEW)


@pytest.mark.parametrize("body", [b"", b"N", b"\x01R", b"\x01H", bytes(50)], ids=len)
@pytest.mark.parametrize("serialization", [HESSIAN2, 31])
async def test_d8_heartbeat_with_a_short_body(abuse: Abuse, body: bytes, serialization: int) -> None:
    asked = heartbeat(9, flags=REQUEST | TWO_WAY | EVENT | serialization, body=body)

    async def attack(attacker: Attacker) -> None:
        await attacker.send(asked)
        reply = await attacker.reply()
        assert (reply.flags, reply.status, reply.id, reply.body) == (EVENT | serialization, OK, 9, b"N")

    await abuse(attack, reason=None)


@pytest.mark.parametrize("flags", [HEARTBEAT, REQUEST | EVENT | HESSIAN2, EVENT | HESSIAN2], ids=hex)
@pytest.mark.parametrize("size", [51, 100_000])
async def test_d8_heartbeat_with_a_body(abuse: Abuse, flags: int, size: int) -> None:
    data = COUNT + heartbeat(9, flags=flags, body=bytes(size)) + COUNT

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        assert (await attacker.reply()).status == OK
        await attacker.refused()

    await abuse(attack, reason="event-too-large")


@pytest.mark.parametrize("body", [b"N", b"\x01R", b"\x01W", b"\x01X"], ids=bytes.hex)
async def test_d8_event_that_wants_no_answer(abuse: Abuse, body: bytes) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(heartbeat(8, flags=REQUEST | EVENT | HESSIAN2, body=body) + COUNT)
        assert (await attacker.reply()).id == 9

    await abuse(attack, reason=None)


MODES = ["nativejava", "raw.return", "bean", "protobuf-json", "gson", "no such\nmode" + "x" * 10_000]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode[:8])
@pytest.mark.parametrize("group", ["", "blind"])
async def test_d9_generic_mode_that_is_not_offered(abuse: Abuse, mode: str, group: str) -> None:
    arguments = text("echoI32") + b"\x71" + text("[string") + text("int") + b"\x71" + text("[object") + b"\x91"
    data = request("$invoke", INVOKE_TYPES, arguments, path="demo.Types", group=group, more={"generic": mode})
    await abuse(refused_call(data, "generic mode .* is not offered here, only 'true'"), reason="bad-request")


LONG, STRING = "J", "Ljava/lang/String;"
DESCRIPTORS = {
    "one too many": (request("find", LONG + LONG, b"\xe1\xe1"), "no-such-method", r"demo\.Catalog\.find takes"),
    "one too few": (request("find"), "no-such-method", r"find takes .*J.* not no parameters"),
    "another type": (request("find", "I", b"\x91"), "no-such-method", r"find takes J or Ljava/lang/String;, not I"),
    "boxed": (request("find", "Ljava/lang/Long;", b"\xe1"), "no-such-method", r"find takes J or"),
    "unknown method": (request("steal", LONG, b"\xe1"), "no-such-method", r"demo\.Catalog has no method steal"),
    "method of Object": (request("getClass"), "no-such-method", r"has no method getClass"),
    "method of Python": (request("__init__"), "no-such-method", r"has no method __init__"),
    "10,000 parameters": (request("find", "I" * 10_000, b"\x91" * 10_000), "bad-request", r"Catalog\.find: .*255"),
    "10,000 dimensions": (request("find", "[" * 10_000 + "I", b"N"), "bad-request", r"Catalog\.find: .*dimensions"),
    "unfinished class": (request("find", "Ljava/lang/String", b"N"), "bad-request", r"Catalog\.find: malformed"),
    "void": (request("find", "V", b"N"), "no-such-method", r"find takes J or Ljava/lang/String;, not V"),
    "no descriptor": (request("find", "@", b"N"), "bad-request", r"Catalog\.find: malformed"),
    "fewer values than types": (request("find", LONG, b""), "bad-request", "expected i64"),
    "more values than types": (request("find", LONG, b"\xe1\xe1"), "bad-request", "expected attachments"),
    "generic, wrong arity": (invoke("echoI32", ["int"], b"\x91", b"\x91"), "bad-request", "as many arguments as types"),
    "generic, unknown type": (invoke("echoI32", ["demo.No"], b"\x91"), "no-such-method", r"echoI32\(demo\.No\)"),
    "generic, unknown method": (invoke("steal", ["int"], b"\x91"), "no-such-method", "no method steal"),
    "generic, name is no text": (
        request("$invoke", INVOKE_TYPES, b"\x91NN", path="demo.Types", more={"generic": "true"}),
        "bad-request",
        "method name must be a string",
    ),
    "name of 2,000 characters": (request("m" * 2_000), "bad-request", "method name of 2000 characters"),
    "path of 60,000 characters": (request(path="p" * 60_000), "bad-request", "path of 60000 characters"),
}


@pytest.mark.parametrize(("data", "reason", "said"), DESCRIPTORS.values(), ids=DESCRIPTORS)
async def test_d10_parameters_that_fit_no_method(abuse: Abuse, data: bytes, reason: str, said: str) -> None:
    await abuse(refused_call(data, said), reason=reason)


@pytest.mark.parametrize("group", ["bridged"])
async def test_d10_service_that_does_not_exist(abuse: Abuse, group: str) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(request(path="demo.Missing") + request(path="demo.Types", group="else", id=8))
        first, second = await attacker.reply(), await attacker.reply()
        assert "[no-such-service] no service demo.Missing here" in first.text
        assert "[no-such-service]" in second.text
        assert f"{group}/demo.Types" in second.text

    await abuse(attack, reason={"no-such-service": 2})


@pytest.mark.parametrize("attachments", [b"HZ", b"N", b""], ids=["empty", "null", "left out"])
async def test_d11_no_arguments(abuse: Abuse, attachments: bytes) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(request(attachments=attachments))
        assert (await attacker.reply()).body[:2] == b"\x94\xe3"

    await abuse(attack, reason=None)


NULLS = {
    "long": ("remove", LONG, "demo.Catalog", "i64"),
    "int": ("echoI32", "I", "demo.Types", "i32"),
    "boolean": ("echoBool", "Z", "demo.Types", "bool"),
    "double": ("echoF64", "D", "demo.Types", "f64"),
    "char": ("echoChar", "C", "demo.Types", "char"),
    "string": ("echoString", STRING, "demo.Types", "string"),
}


@pytest.mark.parametrize(("method", "types", "path", "expected"), NULLS.values(), ids=NULLS)
async def test_d11_null_for_what_has_none(abuse: Abuse, method: str, types: str, path: str, expected: str) -> None:
    data = request(method, types, b"N", path=path)
    await abuse(refused_call(data, rf"{method}: args\[0\]: expected {expected}, found null"), reason="bad-request")


async def test_d11_null_where_it_is_a_value(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(request("echoBoxedI64", "Ljava/lang/Long;", b"N"))
        assert (await attacker.reply()).body[:1] == b"\x95"

    await abuse(attack, reason=None)
