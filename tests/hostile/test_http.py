"""Rows J1 to J9 and H10: what HTTP/JSON is attacked with, on both drivers. What is owed stands in README.md."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from time import process_time
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.abuse import REPEATS, Abuse, Attacker, Gateway, hosted
from tests.support.dialect import AIOHTTP, HTTP, Dialect
from tests.support.http_bytes import HOST, HttpAnswer, call, head, message
from tests.support.probe_service import Probing
from tests.support.raw_peer import RawListener
from tests.support.running import running

pytestmark = pytest.mark.parametrize("dialect", [HTTP, AIOHTTP], indirect=True, ids=lambda dialect: dialect.name)

SOME = max(20, REPEATS // 10)
"""Repeats of attacks that send or cost much."""
ECHO = "POST /demo.Types/echo_string HTTP/1.1"
NEXT = call()
MEBI = 1 << 20
MERSENNE = 2**61 - 1
"""Numbers that are multiples of it have one hash in Python (sys.hash_info.modulus)."""


def told(answer: HttpAnswer, *statuses: int) -> HttpAnswer:
    """A refusal in the form of this wire, with one of these statuses."""
    assert answer.status in statuses, answer
    assert answer.problem["detail"]
    return answer


async def refused(attacker: Attacker, data: bytes, *statuses: int) -> None:
    """What was sent is answered with a refusal, and nothing behind it is read."""
    sending = asyncio.create_task(attacker.send(data + NEXT))
    answer = told(await attacker.reply(), *statuses)
    assert answer.closes
    await attacker.refused()
    await sending


async def refused_alone(attacker: Attacker, data: bytes, *statuses: int) -> HttpAnswer:
    """What was sent is answered with a refusal, and the connection goes on."""
    sending = asyncio.create_task(attacker.send(data + NEXT))
    answer = told(await attacker.reply(), *statuses)
    assert not answer.closes
    assert (await attacker.reply()).json == 3
    await sending
    return answer


FRAMING = {
    "length and chunked": ("Content-Length: 5", "Transfer-Encoding: chunked"),
    "chunked and length": ("Transfer-Encoding: chunked", "Content-Length: 5"),
    "two lengths": ("Content-Length: 5", "Content-Length: 6"),
    "the same length twice": ("Content-Length: 5", "Content-Length: 5"),
    "a list of lengths": ("Content-Length: 5, 5",),
    "plus": ("Content-Length: +5",),
    "minus": ("Content-Length: -5",),
    "hexadecimal": ("Content-Length: 0x5",),
    "underscore": ("Content-Length: 1_0",),
    "blank inside": ("Content-Length: 5 5",),
    "no digits": ("Content-Length:",),
    "other digits": ("Content-Length: \xb2",),
    "too long for any number": ("Content-Length: " + "9" * 40,),
    "chunked not last": ("Transfer-Encoding: chunked, identity",),
    "chunked twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "another coding": ("Transfer-Encoding: gzip",),
    "a coding before chunked": ("Transfer-Encoding: gzip, chunked",),
    "a vertical tab": ("Transfer-Encoding: \x0bchunked",),
    "quoted": ('Transfer-Encoding: "chunked"',),
    "a name with an underscore": ("Transfer_Encoding: chunked", "Content-Length: 5", "Transfer-Encoding: chunked"),
    "in HTTP/1.0": (),
}


@pytest.mark.parametrize("name", FRAMING)
async def test_j1_says_its_length_in_two_ways_or_in_none(abuse: Abuse, name: str) -> None:
    data = head(ECHO, HOST, *FRAMING[name]) + b"0\r\n\r\n"
    if name == "in HTTP/1.0":
        data = head(ECHO.replace("1.1", "1.0"), HOST, "Transfer-Encoding: chunked") + b"0\r\n\r\n"
    await abuse(
        lambda attacker: refused(attacker, data, 400, 413, 501),
        reason=frozenset({"bad-headers", "bad-framing", "body-too-large"}),
    )


CHUNKS = {
    "no digits": b"\r\nabc\r\n0\r\n\r\n",
    "plus": b"+3\r\nabc\r\n0\r\n\r\n",
    "prefix": b"0x3\r\nabc\r\n0\r\n\r\n",
    "minus": b"-3\r\nabc\r\n0\r\n\r\n",
    "too long for any number": b"f" * 17 + b"\r\nabc",
    "longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "LF behind the size": b"3\nabc\r\n0\r\n\r\n",
    "LF behind the data": b"3\r\nabc\n0\r\n\r\n",
    "CR inside the extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "LF inside the extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "endless extension": b"3;" + b"a" * 100_000,
    "extensions without end": b"1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\na\r\n" * 1_000,
    "endless trailers": b"0\r\n" + b"a: b\r\n" * 20_000,
    "trailers that say a length": b"0\r\nContent-Length: 5\r\n\r\n",
    "trailers without a colon": b"0\r\nabc\r\n\r\n",
    "a chunk of the largest size": b"7fffffffffffffff\r\nabc",
}


@pytest.mark.parametrize("name", CHUNKS)
async def test_j1_chunks_that_are_none(abuse: Abuse, name: str) -> None:
    data = head(ECHO, HOST, "Transfer-Encoding: chunked") + CHUNKS[name]
    await abuse(
        lambda attacker: refused(attacker, data, 400, 413, 431),
        reason=frozenset({"bad-chunk", "bad-headers", "bad-framing", "body-too-large", "headers-too-large"}),
        times=SOME,
    )


LINES = {
    "LF behind the request line": b"POST /demo.Catalog/count HTTP/1.1\nHost: a\r\n\r\n",
    "LF behind a field": b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\n\r\n",
    "LF alone everywhere": b"POST /demo.Catalog/count HTTP/1.1\nHost: a\n\n",
    "CR inside the request line": b"POST /demo.Catalog/co\runt HTTP/1.1\r\nHost: a\r\n\r\n",
    "CR inside a value": b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\rb\r\n\r\n",
    "CR alone between fields": b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\rContent-Length: 3\r\n\r\n",
    "blank before the colon": b"POST /demo.Catalog/count HTTP/1.1\r\nHost : a\r\n\r\n",
    "tab before the colon": b"POST /demo.Catalog/count HTTP/1.1\r\nHost\t: a\r\n\r\n",
    "blank before the name": b"POST /demo.Catalog/count HTTP/1.1\r\n Host: a\r\n\r\n",
    "folded": b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "no colon": b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    "no name": b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "NUL in a name": b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n",
    "NUL in a value": b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
    "NUL in the target": b"POST /demo.Catalog/cou\0nt HTTP/1.1\r\nHost: a\r\n\r\n",
    "two blanks": b"POST  /demo.Catalog/count HTTP/1.1\r\nHost: a\r\n\r\n",
    "a blank in the target": b"POST /demo.Catalog/cou nt HTTP/1.1\r\nHost: a\r\n\r\n",
    "a byte above 127 in the target": b"POST /demo.Catalog/cou\xe4nt HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment": b"POST /demo.Catalog/count#a HTTP/1.1\r\nHost: a\r\n\r\n",
    "no slash": b"POST demo.Catalog/count HTTP/1.1\r\nHost: a\r\n\r\n",
    "another scheme": b"POST ftp://a/demo.Catalog/count HTTP/1.1\r\nHost: a\r\n\r\n",
    "version 2.0": b"POST /demo.Catalog/count HTTP/2.0\r\nHost: a\r\n\r\n",
    "version 1.2": b"POST /demo.Catalog/count HTTP/1.2\r\nHost: a\r\n\r\n",
    "no version": b"GET /demo.Catalog/count\r\nHost: a\r\n\r\n",
    "lower case": b"POST /demo.Catalog/count http/1.1\r\nHost: a\r\n\r\n",
    "no host": b"POST /demo.Catalog/count HTTP/1.1\r\nA: a\r\n\r\n",
    "two hosts": b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "a host that is none": b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "HTTP/2 by prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", LINES)
async def test_j2_lines_that_others_would_cut_elsewhere(abuse: Abuse, name: str) -> None:
    known = frozenset({"bad-request-line", "bad-headers", "bad-host", "bad-target", "http-version"})
    await abuse(lambda attacker: refused(attacker, LINES[name], 400, 505), reason=known)


LARGE = {
    "a value of a mebibyte": (head(ECHO, HOST, "X: " + "x" * MEBI), 431),
    "a name of a mebibyte": (head(ECHO, HOST, "x" * MEBI + ": x"), 431),
    "a value without an end": (head(ECHO, HOST)[:-2] + b"X: " + b"x" * MEBI, 431),
    "10,000 fields": (head(ECHO, HOST, *(f"X{number}: x" for number in range(10_000))), 431),
    "10,000 short fields": (head(ECHO, HOST, *["a:b"] * 10_000), 431),
    "10,000 attachments": (head(ECHO, HOST, *(f"Polyport-Attachment-{n}: x" for n in range(10_000))), 431),
    "a target of a mebibyte": (head(f"GET /{'x' * MEBI} HTTP/1.1", HOST), 414),
    "a target without an end": (b"GET /" + b"x" * MEBI, 414),
    "a query of a mebibyte": (head(f"GET /demo.Catalog/search?text={'x' * MEBI} HTTP/1.1", HOST), 414),
}


@pytest.mark.parametrize("name", LARGE)
async def test_j3_heads_without_measure(abuse: Abuse, name: str) -> None:
    data, status = LARGE[name]
    await abuse(
        lambda attacker: refused(attacker, data, status),
        reason=frozenset({"headers-too-large", "target-too-long"}),
        times=SOME,
    )


async def test_j3_as_many_attachments_as_fit_the_head(abuse: Abuse) -> None:
    """257 attachments: one more than a call may carry, on a head that is not too large."""
    fields = tuple(f"Polyport-Attachment-{number}: x" for number in range(257))
    await abuse(lambda attacker: refused_alone(attacker, call(fields=fields), 400), reason="bad-request")


BOMB = gzip.compress(bytes(16 * MEBI), 9)
assert len(BOMB) * 1_000 < 17 * MEBI
CODED = {
    "a bomb": (BOMB, "gzip", 413),
    "a bomb in a bomb": (gzip.compress(BOMB), "gzip, gzip", 415),
    "a bomb in many members": (gzip.compress(bytes(MEBI), 9) * 16, "gzip", 413),
    "empty members": (gzip.compress(b"") * 10_000, "gzip", 400),
    "not coded": (b"[1]", "gzip", 400),
    "cut off": (gzip.compress(b"[1]")[:-3], "gzip", 400),
    "something behind it": (gzip.compress(b"[1]") + b"[1]", "gzip", 400),
    "an unknown coding": (b"[1]", "br", 415),
    "a wrong checksum": (gzip.compress(b"[1]")[:-8] + bytes(8), "gzip", 400),
    "deflate that is none": (b"x\x9c\xff", "deflate", 400),
}


@pytest.mark.parametrize("name", CODED)
async def test_j4_codings_that_grow(abuse: Abuse, name: str) -> None:
    body, coding, status = CODED[name]
    data = message("/demo.Types/echo_i32", body, f"Content-Encoding: {coding}")

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        told(await attacker.reply(), status)

    await abuse(attack, reason="bad-request", times=SOME)


def number(digits: int) -> bytes:
    return b"[" + b"9" * digits + b"]"


DEEP = {
    "arrays": ("echo_any", b"[" * 100_000),
    "arrays that end": ("echo_any", b"[" * 100_000 + b"]" * 100_000),
    "objects": ("echo_any", b'{"a":' * 100_000),
    "arrays 200 deep": ("echo_any", b"[" * 200 + b"]" * 200),
    "arrays for a text": ("echo_string", b"[" * 100_000 + b"]" * 100_000),
    "structs": ("echo_struct", b'{"name":"a","parent":' * 1_000 + b"null" + b"}" * 1_000),
    "a number of 1 MiB": ("echo_i64", number(MEBI)),
    "a number of 1 MiB where it may be large": ("echo_bigint", number(MEBI)),
    "a number of 1 MiB anywhere": ("echo_any", number(MEBI)),
    "an integer of 100,000 digits": ("echo_i64", number(100_000)),
    "an integer of 100,000 digits anywhere": ("echo_any", number(100_000)),
    "1e999": ("echo_f64", b"[1e999]"),
    "1e999 for an integer": ("echo_i64", b"[1e999]"),
    "1e999999999 for a large integer": ("echo_bigint", b"[1e999999999]"),
    "1e999999999 anywhere": ("echo_any", b"[1e999999999]"),
    "1e99999999999999999999 as a decimal": ("echo_decimal", b"[1e99999999999999999999]"),
    "NaN": ("echo_f64", b"[NaN]"),
    "Infinity": ("echo_f64", b"[Infinity]"),
    "-Infinity": ("echo_f64", b"[-Infinity]"),
    "NaN as a decimal": ("echo_decimal", b'["NaN"]'),
    "a text for an integer": ("echo_i32", b'["0x10"]'),
    "blanks in an integer": ("echo_i64", b'[" 1 "]'),
    "underscores in an integer": ("echo_i64", b'["1_0"]'),
    "other digits": ("echo_i64", '["\u0661"]'.encode()),
    "half a surrogate pair": ("echo_string", b'["\\ud800"]'),
    "half a surrogate pair in bytes": ("echo_string", b'["\xed\xa0\x80"]'),
    "bad UTF-8": ("echo_string", b'["\xff\xfe"]'),
    "UTF-16": ("echo_string", '["a"]'.encode("utf-16")),
    "UTF-16 without a mark": ("echo_string", '["a"]'.encode("utf-16-le")),
    "UTF-32": ("echo_string", '["a"]'.encode("utf-32-le")),
    "a byte order mark": ("echo_string", b'\xef\xbb\xbf["a"]'),
    "a control character": ("echo_string", b'["a\nb"]'),
    "NUL": ("echo_string", b'["a\0b"]'),
    "single quotes": ("echo_string", b"['a']"),
    "a comma at the end": ("echo_string", b'["a",]'),
    "a comment": ("echo_string", b'["a"/**/]'),
    "something behind it": ("echo_string", b'["a"] []'),
    "cut off": ("echo_string", b'["a"'),
    "nothing": ("echo_string", b" "),
    "too many arguments": ("echo_string", b'["a","b"]'),
    "too few arguments": ("echo_string", b"[]"),
    "unknown argument": ("echo_string", b'{"value":"a","other":1}'),
    "a text for all arguments": ("echo_string", b'"a"'),
    "keys twice": ("echo_string", b'{"value":"a","value":"b"}'),
    "keys twice, one escaped": ("echo_string", b'{"value":"a","\\u0076alue":"b"}'),
    "keys twice in a map": ("echo_string_map", b'[{"a":1,"a":2}]'),
    "keys that become one": ("echo_int_map", b'[{"1":"a","01":"b"}]'),
    "an object without hash": ("echo_any", b'[{"$type":"set","value":[{}, {}]}]'),
    "an unknown class": ("echo_any", b'[{"$type":"os.system","value":"id"}]'),
    "a class by another name": ("echo_struct", b'[{"$type":"demo.Product","name":"a"}]'),
    "dunder": ("echo_struct", b'[{"name":"a","__class__":"b"}]'),
}
REPEATED_SELDOM = ("1 MiB", "100,000", "arrays", "objects", "structs")


@pytest.mark.parametrize("name", DEEP)
async def test_j5_j6_bodies_that_are_no_arguments(abuse: Abuse, name: str) -> None:
    method, body = DEEP[name]
    data = message(f"/demo.Types/{method}", body)
    times = SOME if any(each in name for each in REPEATED_SELDOM) else 0
    await abuse(lambda attacker: refused_alone(attacker, data, 400), reason="bad-request", times=times)


@pytest.mark.parametrize("name", ["arrays", "objects", "an integer of 100,000 digits", "NaN", "UTF-16", "cut off"])
async def test_j5_bodies_that_are_no_json_rpc(abuse: Abuse, name: str) -> None:
    data = message("/jsonrpc", DEEP[name][1])

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data + NEXT)
        answer = await attacker.reply()
        assert answer.json["error"]["code"] in (-32700, -32600), answer
        assert (await attacker.reply()).json == 3

    await abuse(attack, reason="bad-request", times=SOME)


COLLIDING = {
    "large integers": [{"$type": "bigint", "value": str(number * MERSENNE)} for number in range(20_000)],
    "decimals": [{"$type": "decimal", "value": str(number * MERSENNE)} for number in range(20_000)],
}


@pytest.mark.parametrize("name", COLLIDING)
@pytest.mark.parametrize("form", ["set", "map"])
async def test_j6_keys_with_one_hash(abuse: Abuse, name: str, form: str) -> None:
    """20,000 keys: read in linear time, or refused."""
    keys: list[Any] = COLLIDING[name] if form == "set" else [[key, 1] for key in COLLIDING[name]]
    data = message("/demo.Types/echo_any", json.dumps([{"$type": form, "value": keys}]).encode())

    async def attack(attacker: Attacker) -> None:
        started = process_time()
        await attacker.send(data)
        await attacker.reply()
        assert process_time() - started < 2.0

    await abuse(attack, reason=frozenset({"bad-request", ""}), times=2)


async def test_j6_many_keys(abuse: Abuse) -> None:
    """50,000 keys that differ in their last characters."""
    body = json.dumps([{f"{'k' * 40}{number}": number for number in range(50_000)}]).encode()

    async def attack(attacker: Attacker) -> None:
        started = process_time()
        await attacker.send(message("/demo.Types/echo_string_map", body))
        assert len((await attacker.reply()).json) == 50_000
        assert process_time() - started < 2.0

    await abuse(attack, reason=None, times=3)


EXACT = [
    ("echo_i64", "9007199254740993"),
    ("echo_i64", "-9223372036854775808"),
    ("echo_decimal", '"0.10"'),
    ("echo_decimal", '"123456789012345678901234567890.123456789"'),
    ("echo_f64", "-0.0"),
    ("echo_f64", '"NaN"'),
    ("echo_date", '"2024-02-29"'),
    ("echo_datetime", '"2024-02-29T12:30:00.123456Z"'),
    ("echo_bigint", f'"{10**1_000}"'),
]
"""What comes back as it went."""
SAME = {
    ("echo_i64", "1.0"): 1,
    ("echo_i64", "1e3"): 1000,
    ("echo_decimal", "0.10"): "0.10",
    ("echo_decimal", "12345678901234567890.123456789"): "12345678901234567890.123456789",
    ("echo_datetime", '"2024-02-29T13:30:00+01:00"'): "2024-02-29T12:30:00Z",
}
"""What comes back in the form this wire writes."""
UNLIKE = [
    ("echo_i64", '"9007199254740993"'),
    ("echo_i64", "9223372036854775808"),
    ("echo_i32", "2147483648"),
    ("echo_i32", "1.5"),
    ("echo_i32", "true"),
    ("echo_bool", "1"),
    ("echo_bool", '"true"'),
    ("echo_string", "1"),
    ("echo_string", "null"),
    ("echo_f32", "1e39"),
    ("echo_date", '"2023-02-29"'),
    ("echo_date", '"2024-02-29T00:00:00Z"'),
    ("echo_date", "19000"),
    ("echo_datetime", '"2024-02-29T25:00:00Z"'),
    ("echo_datetime", '"2024-02-29T12:30:00"'),
    ("echo_uuid", '"g0000000-0000-0000-0000-000000000000"'),
    ("echo_bytes", '"*"'),
    ("echo_bytes", '"AA"'),
    ("echo_enum", '"NOTHING"'),
    ("echo_char", '"ab"'),
    ("echo_char", '""'),
]
"""What is refused, with the place of it."""


async def test_j7_values_arrive_exactly_or_are_refused(abuse: Abuse) -> None:
    async def ask(attacker: Attacker, method: str, value: str) -> HttpAnswer:
        await attacker.send(message(f"/demo.Types/{method}", b'{"value":%b}' % value.encode()))
        answer: HttpAnswer = await attacker.reply()
        return answer

    async def attack(attacker: Attacker) -> None:
        for method, value in EXACT:
            answer = await ask(attacker, method, value)
            assert (answer.status, answer.body.decode()) == (200, value)
        for (method, value), wanted in SAME.items():
            answer = await ask(attacker, method, value)
            assert (answer.status, answer.json) == (200, wanted), value
        for method, value in UNLIKE:
            found = told(await ask(attacker, method, value), 400).problem
            assert "value" in found["detail"], found

    await abuse(attack, reason={"bad-request": len(UNLIKE)}, times=SOME)


async def test_j7_texts_of_a_query_are_as_exact(abuse: Abuse) -> None:
    def ask(query: str) -> bytes:
        return head(f"GET /demo.Types/echo_i64?value={query} HTTP/1.1", HOST)

    async def attack(attacker: Attacker) -> None:
        await attacker.send(ask("9007199254740993"))
        assert (await attacker.reply()).body == b"9007199254740993"
        for wrong in ("9223372036854775808", "1.5", "", "%31%", "%ff", "1&value=2", "1&other=2", "+1", "1_0", "%00"):
            await attacker.send(ask(wrong))
            told(await attacker.reply(), 400)

    await abuse(attack, reason={"bad-request": 10})


OTHER = {
    "XML": (message("/demo.Types/echo_i32", b"<a/>", "Content-Type: application/xml"), 415),
    "a form": (message("/demo.Types/echo_i32", b"value=1", "Content-Type: application/x-www-form-urlencoded"), 415),
    "a form in parts": (message("/demo.Types/echo_i32", b"-", "Content-Type: multipart/form-data; boundary=a"), 415),
    "a type that is none": (message("/demo.Types/echo_i32", b"[1]", "Content-Type: /"), 415),
    "latin-1": (message("/demo.Types/echo_i32", b"[1]", "Content-Type: application/json; charset=iso-8859-1"), 415),
    "UTF-7": (message("/demo.Types/echo_i32", b"[1]", "Content-Type: application/json; charset=utf-7"), 415),
    "an answer nobody has": (message("/demo.Types/echo_i32", b"[1]", "Accept: image/png"), 406),
    "a call with effects by GET": (head("GET /demo.Catalog/put?product=1 HTTP/1.1", HOST), 405),
    "PUT": (message("/demo.Types/echo_i32", b"[1]", method="PUT"), 405),
    "DELETE": (message("/demo.Types/echo_i32", b"", method="DELETE"), 405),
    "TRACE": (head("TRACE / HTTP/1.1", HOST), 405),
    "an unknown method": (head("BREW / HTTP/1.1", HOST), 501),
    "a method of another case": (message("/demo.Catalog/count", method="post"), 501),
    "no path": (message("/"), 404),
    "dots": (message("/demo.Types/../demo.Catalog/count"), 404),
    "coded dots": (message("/%2e%2e/%2e%2e/etc/passwd"), 404),
    "a path that is no UTF-8": (message("/demo.Types/%ff"), 404),
    "a path with half a code": (message("/demo.Types/%f"), 404),
    "a path with NUL": (message("/demo.Types/%00"), 404),
    "dunder": (message("/demo.Catalog/__class__"), 404),
    "private": (message("/demo.Catalog/_products"), 404),
    "a time that is none": (call(fields=("Polyport-Timeout: soon",)), 400),
    "a time before now": (call(fields=("Polyport-Timeout: -1",)), 400),
    "endless time": (call(fields=("Polyport-Timeout: inf",)), 400),
    "an attachment that is no UTF-8": (call(fields=("Polyport-Attachment-a: %ff",)), 400),
}


@pytest.mark.parametrize("name", OTHER)
async def test_j8_h10_other_types_methods_and_paths(abuse: Abuse, name: str) -> None:
    data, status = OTHER[name]

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        told(await attacker.reply(), status)
        await attacker.send(NEXT)
        assert (await attacker.reply()).json == 3

    await abuse(attack, reason=frozenset({"bad-request", "no-such-service", "no-such-method"}))


async def test_j8_head_of_a_call_with_effects(abuse: Abuse) -> None:
    data = head("HEAD /demo.Catalog/put HTTP/1.1", HOST, "Connection: close")

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        answer = await attacker.end()
        assert answer.startswith(b"HTTP/1.1 405 ")
        assert answer.endswith(b"\r\n\r\n")

    await abuse(attack, reason="bad-request")


async def test_j8_connect_is_refused_for_good(abuse: Abuse) -> None:
    data = head("CONNECT a:443 HTTP/1.1", "Host: a:443")
    await abuse(lambda attacker: refused(attacker, data, 405), reason="bad-request")


@pytest.mark.parametrize("wanted", ["websocket", "h2c", "TLS/1.2", "HTTP/3"])
async def test_j8_upgrades_are_not_taken_up(abuse: Abuse, wanted: str) -> None:
    fields = ("Connection: Upgrade, HTTP2-Settings", f"Upgrade: {wanted}", "HTTP2-Settings: AAMAAABkAAQAAP__")

    async def attack(attacker: Attacker) -> None:
        await attacker.send(message("/demo.Types/echo_i32", b"[7]", *fields) + NEXT)
        assert (await attacker.reply()).json == 7
        assert (await attacker.reply()).json == 3

    await abuse(attack, reason=None)


PROBED = """
  probe:
    contract: tests.support.probe_service:Probe
    implementation: tests.support.probe_service:Probing
    listeners: [attacked]
  far:
    generic: true
    interface: test.Probe
    remote: {{addresses: ["{far}"]}}
    group: far
    listeners: [attacked]
"""
INJECTED = "a\r\nSet-Cookie: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n\0\x7f\u2028"
CODED_INJECTED = quote(INJECTED, safe="")


async def test_j9_line_ends_that_come_back_in_fields(dialect: Dialect) -> None:
    """An attachment of an answer is text of the service, whatever is in it."""
    async with running(hosted(dialect) + PROBED.format(far="http://127.0.0.1:1")) as app:
        Probing.reset()
        attacker = Gateway(app, dialect).attacker()
        fields = (f"Polyport-Attachment-{CODED_INJECTED}: {CODED_INJECTED}",)
        await attacker.send(call("told", INJECTED, service="test.Probe", fields=fields))
        answer = await attacker.reply()
        assert answer.json[0] == INJECTED
        assert "set-cookie" not in answer.fields
        await attacker.send(call("echo_attachments", INJECTED, service="demo.Types", fields=fields) + NEXT)
        answer = await attacker.reply()
        assert answer.json == INJECTED
        assert "set-cookie" not in answer.fields
        assert (await attacker.reply()).json == 3
        attacker.close()


@pytest.mark.parametrize("where", ["method", "attachment", "consumer", "trace"])
async def test_j9_line_ends_that_go_on_to_the_far_side(dialect: Dialect, where: str) -> None:
    """What a gateway forwards over HTTP is one request with the fields a gateway sends, whatever is in its values."""
    fields = {
        "method": (),
        "attachment": (f"Polyport-Attachment-{CODED_INJECTED}: {CODED_INJECTED}",),
        "consumer": (f"Polyport-Consumer: {CODED_INJECTED}",),
        "trace": (f"traceparent: 00-{CODED_INJECTED}-00f067aa0ba902b7-01",),
    }[where]
    method = f"a{CODED_INJECTED}" if where == "method" else "name"
    with RawListener() as far:
        async with running(hosted(dialect) + PROBED.format(far=f"http://127.0.0.1:{far.port}")) as app:
            attacker = Gateway(app, dialect).attacker()
            await attacker.send(message(f"/far/test.Probe/{method}", b"[]", *fields))
            accepting = asyncio.create_task(far.accept())
            answering = asyncio.create_task(attacker.reply())
            await asyncio.wait([accepting, answering], return_when=asyncio.FIRST_COMPLETED)
            if not accepting.done():
                accepting.cancel()
                told(await answering, 400, 404)
                attacker.close()
                return
            with await accepting as peer:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += await asyncio.get_running_loop().sock_recv(peer.sock, 1 << 16)
                lines = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
                assert len(lines[0].split(" ")) == 3
                assert not any(line.lower().startswith("set-cookie") for line in lines), lines
                assert all(line.isprintable() and line.isascii() for line in lines), lines
                await peer.send(head("HTTP/1.1 200 OK", "Content-Type: application/json", "Content-Length: 3") + b'"x"')
            assert (await answering).status == 200
            attacker.close()


@pytest.mark.parametrize("abuse", ["frame: 256KiB, write_buffer: 16KiB"], indirect=True)
@pytest.mark.parametrize("group", ["", "bridged"])
async def test_g3_large_answers_behind_a_call_that_does_not_end(abuse: Abuse, dialect: Dialect, group: str) -> None:
    """Answers leave in order. Those made at once stop being made; those that arrive later are kept up to a bound."""
    dropped = bool(group) and not dialect.one_at_a_time
    # Small requests, so that all of them arrive before the first is answered.
    body = gzip.compress(json.dumps([base64.b64encode(bytes(50_000)).decode()]).encode())
    large = message(f"/{group or '.'}/demo.Types/echo_bytes".replace("/./", "/"), body, "Content-Encoding: gzip")
    asking = dialect.forever + (dialect.large(50_000, group=group) if dropped else large) * 100

    async def attack(attacker: Attacker) -> None:
        sending = asyncio.create_task(attacker.send(asking))
        if dropped:
            # A listener that waits for the first answer may ask meanwhile whether anybody is there.
            assert dialect.answers(await attacker.end()) == []
        else:
            await abuse.gateway.until(lambda: abuse.gateway.calls_of(attacker) >= 1, "the call to begin")
            attacker.reset()
        await asyncio.gather(sending, return_exceptions=True)

    await abuse(attack, reason="answers-held" if dropped else None, times=SOME)


async def test_g7_more_requests_than_may_wait(abuse: Abuse, dialect: Dialect) -> None:
    """1,000 requests behind a call that does not end: so many are taken as may wait."""

    async def attack(attacker: Attacker) -> None:
        await attacker.send(dialect.forever + NEXT * 1_000)
        await abuse.gateway.until(lambda: abuse.gateway.calls_of(attacker) == 1, "the call to begin")
        attacker.reset()

    await abuse(attack, reason=None if dialect.one_at_a_time else "overloaded", times=SOME)


async def test_h10_100_continue(abuse: Abuse) -> None:
    body = b'["later"]'
    asked = head(ECHO, HOST, f"Content-Length: {len(body)}", "Expect: 100-continue")

    async def attack(attacker: Attacker) -> None:
        await attacker.send(asked)
        assert (await attacker.reply()).status == 100
        await attacker.send(body + NEXT)
        assert (await attacker.reply()).json == "later"
        assert (await attacker.reply()).json == 3

    await abuse(attack, reason=None)


async def test_h10_100_continue_for_a_body_that_is_not_wanted(abuse: Abuse) -> None:
    asked = head(ECHO, HOST, f"Content-Length: {1 << 30}", "Expect: 100-continue")
    await abuse(lambda attacker: refused(attacker, asked, 413), reason="body-too-large")
