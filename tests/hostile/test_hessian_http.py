"""Rows H1 to H10, J1 to J4, J8 and J9 over hessian://: hostile Hessian 2 and 1 inside requests, and around them.

The values of rows H1 to H9 are those that dubbo:// is attacked with. What is owed for each stands in README.md.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Awaitable, Callable

import pytest

from tests.hostile.test_hessian import REFUSED, Bad
from tests.support.abuse import REPEATS, Abuse, Attacker
from tests.support.dialect import HESSIAN
from tests.support.dubbo_bytes import text
from tests.support.hessian_bytes import FAULT, VALUE, hessian_body, hessian_call, old_body, old_text
from tests.support.http_bytes import HOST, HttpAnswer, head, message

pytestmark = pytest.mark.parametrize("dialect", [HESSIAN], indirect=True, ids=lambda dialect: dialect.name)

FEW = max(3, REPEATS // 50)
SOME = max(20, REPEATS // 10)
NEXT = hessian_call()
DEEP = 100_000
MEBI = 1 << 20
POST = "POST /demo.Types HTTP/1.1"
CATALOG = "POST /demo.Catalog HTTP/1.1"

# In Hessian 2 a text alone is refused where dubbo:// would look for attachments behind it.
VALUES = {name: bad for name, bad in REFUSED.items() if name != "h2 string"}


async def _fault(attacker: Attacker, data: bytes, said: str) -> None:
    """What was sent is answered with a fault that says so, and the connection goes on."""
    await attacker.send(data)
    answer: HttpAnswer = await attacker.reply()
    assert answer.status == 200, answer
    assert answer.body.startswith((FAULT, b"r\x01\x00f")), answer.body[:200]
    assert re.search(said, answer.body.decode("latin-1")), answer.body[:600]
    assert len(answer.body) < 2_500
    await attacker.send(NEXT)
    assert HESSIAN.is_count(await attacker.reply())


def _attack(data: bytes, said: str) -> Callable[[Attacker], Awaitable[None]]:
    return lambda attacker: _fault(attacker, data, said)


@pytest.mark.parametrize("bad", VALUES.values(), ids=VALUES)
async def test_h1_to_h9_in_hessian_2(abuse: Abuse, bad: Bad) -> None:
    data = hessian_call(bad.method, bad.value)
    times = FEW if len(data) > 10_000 else SOME
    await abuse(_attack(data, bad.said), reason="bad-request", times=times)


OLD = {
    "h2 string without data": ("echoString", b"S\xff\xffabc", "end of the data"),
    "h2 binary without data": ("echoBytes", b"B\xff\xffabc", "end of the data"),
    "h2 piece of a string without data": ("echoAny", b"s\xff\xffabc", "end of the data|next piece"),
    "h2 300,000 pieces": ("echoAny", b"s\x00\x01a" * 300_000 + b"S\x00\x00", "at most 1000000 elements"),
    "h2 a list that says more than it has": ("echoIntList", b"Vl\x7f\xff\xff\xffI\x00\x00\x00\x01", "end of the data"),
    "h2 a type without data": ("echoAny", b"Vt\x03\xffab", "end of the data"),
    "h3 lists": ("echoAny", b"V" * DEEP, "at most 64 levels"),
    "h3 maps": ("echoAny", b"MS\x00\x01a" * DEEP, "at most 64 levels"),
    "h3 maps in keys": ("echoAny", b"M" * DEEP, "at most 64 levels"),
    "h3 objects": ("echoStruct", (b"M" + old_text(b"t", "demo.Maker") + old_text(b"S", "parent")) * DEEP, "64 levels"),
    "h4 to nothing": ("echoAny", b"R\x00\x00\x00\x00", "reference to one of 0 values"),
    "h4 out of range": ("echoAny", b"VR\x7f\xff\xff\xffz", "reference to one of 1 values"),
    "h4 negative": ("echoAny", b"VR\xff\xff\xff\xffz", "reference to one of 1 values"),
    "h4 list in itself": ("echoNestedList", b"VR\x00\x00\x00\x00z", "reference to a value of another type"),
    "h5 text in int[]": ("echoIntArray", b"Vt\x00\x04[int" + old_text(b"S", "a") + b"z", r"\[0\]: expected i32"),
    "h6 gadget": (
        "echoStruct",
        b"M" + old_text(b"t", "com.sun.rowset.JdbcRowSetImpl") + old_text(b"S", "dataSource") + b"Nz",
        r"expected demo\.Maker, found an object of com\.sun\.rowset",
    ),
    "h6 name of 60,000 characters": ("echoAny", b"M" + old_text(b"t", "x" * 60_000) + b"z", "at most 1024 bytes"),
    "h6 field of 60,000 characters": (
        "echoAny",
        b"Mt\x00\x01a" + old_text(b"S", "x" * 60_000) + b"Nz",
        "names of at most 1024 bytes",
    ),
    "h7 unknown class": ("echoStruct", b"M" + old_text(b"t", "demo.Missing") + b"z", "found an object of demo.Missing"),
    "h7 a field twice": (
        "echoStruct",
        b"M" + old_text(b"t", "demo.Maker") + (old_text(b"S", "name") + old_text(b"S", "a")) * 2 + b"z",
        "different names",
    ),
    "h8 lists as keys": ("echoStringMap", b"MVzI\x00\x00\x00\x01z", "expected string"),
    "h8 a key without a value": ("echoStringMap", b"MS\x00\x01az", "expected the value of a map's entry"),
    "h9 bad UTF-8": ("echoString", b"S\x00\x02\xff\xfe", "expected"),
    "h9 four bytes": ("echoString", b"S\x00\x02\xf0\x9f\x8c\xbf", "expected"),
    "unknown tag": ("echoAny", b"\xff", "expected a Hessian 1 value"),
    "a tag of Hessian 2": ("echoAny", b"\x90", "expected a Hessian 1 value"),
    "an object of a remote without an address": ("echoAny", b"rt\x00\x01aN", "address of a remote object"),
    "2 million nulls": ("echoAny", b"V" + b"N" * 2_000_000 + b"z", "at most 1000000 elements"),
}


@pytest.mark.parametrize("version", [2, 1], ids=["mixed", "hessian1"])
@pytest.mark.parametrize("name", OLD)
async def test_h2_to_h9_in_hessian_1(abuse: Abuse, name: str, version: int) -> None:
    method, value, said = OLD[name]
    data = message("/demo.Types", old_body(method, value, version=version))
    times = FEW if len(data) > 10_000 else SOME
    await abuse(_attack(data, said), reason="bad-request", times=times)


CALLS = {
    "no argument": (hessian_body("echoString"), "no-such-method"),
    "two arguments": (hessian_body("echoString", text("a"), text("b")), "no-such-method"),
    "unknown method": (hessian_body("missing"), "no-such-method"),
    "name with control characters": (hessian_body("a\n\x1b[31m"), "no-such-method"),
    "no such overload": (hessian_body("find_date", b"\x91"), "no-such-method"),
    "a number no method has": (hessian_body("echoString__9", text("a")), "no-such-method"),
    "unknown method of Hessian 1": (old_body("missing"), "no-such-method"),
}


@pytest.mark.parametrize("name", CALLS)
async def test_h10_calls_that_mean_no_method(abuse: Abuse, name: str) -> None:
    body, reason = CALLS[name]
    await abuse(_attack(message("/demo.Types", body), r"\[no-such-method\]"), reason=reason, times=SOME)


async def test_h10_a_path_that_nothing_has(abuse: Abuse) -> None:
    data = message("/demo.Missing", hessian_body())
    await abuse(_attack(data, r"\[no-such-service\]"), reason="no-such-service", times=SOME)


async def test_h10_more_arguments_than_bytes(abuse: Abuse) -> None:
    data = message("/demo.Types", b"H\x02\x00C\x0aechoString\x49\x7f\xff\xff\xff")
    await abuse(_refusal(data, 400), reason="bad-request", times=SOME)


def _refusal(data: bytes, status: int) -> Callable[[Attacker], Awaitable[None]]:
    """A refusal in plain text, after which the connection goes on."""

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data + NEXT)
        answer: HttpAnswer = await attacker.reply()
        assert (answer.status, answer.closes) == (status, False), answer
        assert answer.body.decode().isprintable()
        assert len(answer.body) < 1_000
        if status == 405:
            assert "POST" in answer.fields["allow"]
        assert HESSIAN.is_count(await attacker.reply())

    return attack


NO_CALLS = {
    "GET": (head("GET /demo.Types HTTP/1.1", HOST), 405),
    "PUT": (message("/demo.Types", hessian_body(), method="PUT"), 405),
    "no body": (message("/demo.Types"), 400),
    "JSON": (message("/demo.Types", b'{"jsonrpc": "2.0"}'), 400),
    "XML": (message("/demo.Types", b"<burlap:call/>"), 400),
    "a beginning": (message("/demo.Types", b"H\x02\x00C"), 400),
    "a beginning of Hessian 1": (message("/demo.Types", b"c\x02\x00m\x00\x05hel"), 400),
    "an encrypted envelope": (message("/demo.Types", b"H\x02\x00E\x06Header"), 400),
    "a message of a stream": (message("/demo.Types", b"p\x02\x00\x90"), 400),
    "a name in pieces": (message("/demo.Types", b"H\x02\x00CR\x80\x00" + b"x" * 32_768 + b"\x00\x90"), 400),
    "a name of 60,000 characters": (message("/demo.Types", old_body("x" * 60_000)), 400),
    "100 headers": (message("/demo.Types", b"c\x01\x00" + b"".join(
        old_text(b"H", f"h{number}") + old_text(b"S", "x") for number in range(100)) + old_body()[3:]), 400),
    "attachments of Dubbo's without end": (
        hessian_call(fields=tuple(f"headerkey{number}: {'x' * 200}" for number in range(200))), 400),
    "a broken attachment": (hessian_call(fields=("Polyport-Attachment-a: %zz",)), 400),
    "bare deflate that is none": (
        message("/demo.Types", b"\xff" * 10, "Content-Encoding: deflate"), 400),
    "another coding": (message("/demo.Types", hessian_body(), "Content-Encoding: br"), 415),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_CALLS)
async def test_h10_and_j8_requests_that_are_no_calls(abuse: Abuse, name: str) -> None:
    data, status = NO_CALLS[name]
    await abuse(_refusal(data, status), reason="bad-request", times=SOME)


CONTENT_TYPES = [
    # What peers send: Caucho, hessian.js and Spring, older clients, nothing at all, and what has nothing to do with it.
    "x-application/hessian",
    "application/x-hessian",
    "binary/octet-stream",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "",
    "text/html",
    "application/json; charset=utf-16",
]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
async def test_h10_the_media_type_does_not_matter(abuse: Abuse, content_type: str) -> None:
    fields = (f"Content-Type: {content_type}",) if content_type else ()

    async def attack(attacker: Attacker) -> None:
        await attacker.send(hessian_call(fields=fields))
        assert HESSIAN.is_count(await attacker.reply())

    await abuse(attack, reason=None, times=SOME)


async def test_h10_expects_to_be_told_to_go_on(abuse: Abuse) -> None:
    body = hessian_body()

    async def attack(attacker: Attacker) -> None:
        await attacker.send(head(CATALOG, HOST, "Expect: 100-continue", f"Content-Length: {len(body)}"))
        assert (await attacker.reply()).status == 100
        await attacker.send(body)
        assert HESSIAN.is_count(await attacker.reply())

    await abuse(attack, reason=None, times=SOME)


FRAMING = {
    "length and chunked": ("Content-Length: 5", "Transfer-Encoding: chunked"),
    "two lengths": ("Content-Length: 5", "Content-Length: 6"),
    "plus": ("Content-Length: +5",),
    "a blank before the colon": ("Content-Length : 5",),
    "a folded field": ("X-A: b\r\n c", "Content-Length: 5"),
    "NUL": ("X-A: \0", "Content-Length: 5"),
}


@pytest.mark.parametrize("name", FRAMING)
async def test_j1_and_j2_framing(abuse: Abuse, name: str) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(head(POST, HOST, *FRAMING[name]) + b"0\r\n\r\n" + NEXT)
        answer: HttpAnswer = await attacker.reply()
        assert (answer.status, answer.closes) == (400, True)
        await attacker.refused()

    await abuse(attack, reason="bad-headers", times=SOME)


LARGE = {
    "a value of a mebibyte": (head(POST, HOST, "X: " + "x" * MEBI), 431),
    "10,000 fields": (head(POST, HOST, *(f"X{number}: x" for number in range(10_000))), 431),
    "10,000 attachments of Dubbo's": (head(POST, HOST, *(f"header{number}: x" for number in range(10_000))), 431),
    "a target of a mebibyte": (head(f"POST /{'x' * MEBI} HTTP/1.1", HOST), 414),
    "a query of a mebibyte": (head(f"POST /demo.Types?group={'x' * MEBI} HTTP/1.1", HOST), 414),
}


@pytest.mark.parametrize("name", LARGE)
async def test_j3_heads_without_measure(abuse: Abuse, name: str) -> None:
    data, status = LARGE[name]

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        answer: HttpAnswer = await attacker.reply()
        assert (answer.status, answer.closes) == (status, True)
        await attacker.refused()

    await abuse(attack, reason=frozenset({"headers-too-large", "target-too-long"}), times=FEW)


@pytest.mark.parametrize("name", ["TRACE", "DELETE", "BREW"])
async def test_j8_other_methods(abuse: Abuse, name: str) -> None:
    status = 501 if name == "BREW" else 405

    async def attack(attacker: Attacker) -> None:
        await attacker.send(head(f"{name} /demo.Types HTTP/1.1", HOST) + NEXT)
        assert (await attacker.reply()).status == status
        assert HESSIAN.is_count(await attacker.reply())

    await abuse(attack, reason="bad-request", times=SOME)


@pytest.mark.parametrize("wanted", ["websocket", "h2c"])
async def test_j8_upgrades_are_not_taken_up(abuse: Abuse, wanted: str) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(hessian_call(fields=("Connection: Upgrade", f"Upgrade: {wanted}")))
        assert HESSIAN.is_count(await attacker.reply())

    await abuse(attack, reason=None, times=SOME)


@pytest.mark.parametrize("abuse", ["frame: 64KiB"], indirect=True)
@pytest.mark.parametrize("coding", ["bare deflate", "deflate", "gzip"])
async def test_j4_bombs(abuse: Abuse, coding: str) -> None:
    plain = hessian_body("echoBytes", b"A\xff\xff" + bytes(65_535) + b"\x20")
    bare = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = {
        "bare deflate": bare.compress(plain) + bare.flush(),
        "deflate": zlib.compress(plain, 9),
        "gzip": gzip.compress(plain),
    }[coding]
    data = message("/demo.Types", packed, f"Content-Encoding: {coding.removeprefix('bare ')}")
    await abuse(_refusal(data, 413), reason="bad-request", times=SOME)


@pytest.mark.parametrize("coding", ["bare deflate", "deflate", "gzip"])
async def test_j4_what_is_no_bomb_is_read(abuse: Abuse, coding: str) -> None:
    plain = hessian_body("echoString", text("whole"))
    bare = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = {
        "bare deflate": bare.compress(plain) + bare.flush(),
        "deflate": zlib.compress(plain, 9),
        "gzip": gzip.compress(plain),
    }[coding]

    async def attack(attacker: Attacker) -> None:
        await attacker.send(message("/demo.Types", packed, f"Content-Encoding: {coding.removeprefix('bare ')}"))
        assert HESSIAN.is_echo(await attacker.reply(), "whole")

    await abuse(attack, reason=None, times=SOME)


@pytest.mark.parametrize("value", ["a%0d%0aX-Injected:%201", "%0D%0A%0D%0AHTTP/1.1%20200%20OK"])
async def test_j9_line_breaks_in_attachments_come_back_encoded(abuse: Abuse, value: str) -> None:
    """echo_attachments answers with the attachment beside the value, which is a header field again."""

    async def attack(attacker: Attacker) -> None:
        fields = (f"Polyport-Attachment-key: {value}",)
        await attacker.send(hessian_call("echoAttachments", text("key"), service="demo.Types", fields=fields))
        answer: HttpAnswer = await attacker.reply()
        assert answer.status == 200
        assert "x-injected" not in answer.fields
        assert b"\r\n" in answer.body[len(VALUE) :]

    await abuse(attack, reason=None, times=SOME)
