"""Replies out of a stream; samples from redis/redis-specifications protocol/RESP3.md."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gateway.model.errors import RemoteWireError
from protocols.reader import Limits
from protocols.redis.reply import Big, ErrorReply, MapReply, Push, ReplyReader, SetReply, Simple, Verbatim

SAMPLES: dict[str, tuple[bytes, Any]] = {
    "blob": (b"$11\r\nhello world\r\n", b"hello world"),
    "empty blob": (b"$0\r\n\r\n", b""),
    "simple": (b"+hello world\r\n", Simple("hello world")),
    "error": (b"-ERR this is the error description\r\n", ErrorReply(b"ERR this is the error description")),
    "blob error": (b"!21\r\nSYNTAX invalid syntax\r\n", ErrorReply(b"SYNTAX invalid syntax")),
    "number": (b":1234\r\n", 1234),
    "negative": (b":-7\r\n", -7),
    "null": (b"_\r\n", None),
    "old null": (b"$-1\r\n", None),
    "old null array": (b"*-1\r\n", None),
    "double": (b",1.23\r\n", 1.23),
    "double without fraction": (b",10\r\n", 10.0),
    "infinity": (b",-inf\r\n", -math.inf),
    "true": (b"#t\r\n", True),
    "verbatim": (b"=15\r\ntxt:Some string\r\n", Verbatim(b"txt", b"Some string")),
    "big": (b"(3492890328409238509324850943850943825024385\r\n", Big(3492890328409238509324850943850943825024385)),
    "array": (b"*2\r\n*3\r\n:1\r\n$5\r\nhello\r\n:2\r\n#f\r\n", [[1, b"hello", 2], False]),
    "empty array": (b"*0\r\n", []),
    "map": (b"%2\r\n+first\r\n:1\r\n+second\r\n:2\r\n", MapReply([(Simple("first"), 1), (Simple("second"), 2)])),
    "map in map": (b"%1\r\n:1\r\n%1\r\n:2\r\n_\r\n", MapReply([(1, MapReply([(2, None)]))])),
    "set": (b"~2\r\n+orange\r\n:1\r\n", SetReply([Simple("orange"), 1])),
    "push": (b">2\r\n+message\r\n+hi\r\n", Push([Simple("message"), Simple("hi")])),
    "empty parts": (b"*3\r\n*0\r\n%0\r\n~0\r\n", [[], MapReply(), SetReply()]),
}


def reader() -> ReplyReader:
    return ReplyReader(Limits(max_frame_bytes=1 << 16, max_depth=8, max_elements=1_000))


def all_of(made: ReplyReader) -> None:
    while made.next() is not None:
        pass


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("size", [1, 3, 1 << 16])
def test_replies_are_the_same_however_they_arrive(name: str, size: int) -> None:
    data, expected = SAMPLES[name]
    made, found = reader(), []
    stream = data * 2 + b"+end\r\n"
    for start in range(0, len(stream), size):
        made.feed(stream[start : start + size])
        while (reply := made.next()) is not None:
            found.append(reply.value)
    assert found == [expected, expected, Simple("end")]
    assert type(found[0]) is type(expected)


def test_attributes_belong_to_the_reply_behind_them() -> None:
    made = reader()
    made.feed(b"|1\r\n+key-popularity\r\n%1\r\n$1\r\na\r\n,0.1\r\n*1\r\n|1\r\n+ttl\r\n:3600\r\n:9543892\r\n:7\r\n")
    first, second = made.next(), made.next()
    assert first is not None
    assert first.value == [9543892]
    assert first.attributes == [(Simple("key-popularity"), MapReply([(b"a", 0.1)]))]
    assert second is not None
    assert (second.value, second.attributes) == (7, [])


@pytest.mark.parametrize(
    "data",
    [
        b"?\r\n", b"\x00", b":x\r\n", b":\r\n", b"#y\r\n", b",1e\r\n", b",0x1\r\n", b"(1.5\r\n", b"_x\r\n", b"$x\r\n",
        b"$-2\r\n", b"%-1\r\n", b"*-2\r\n", b"=3\r\nabc\r\n", b"$1\r\nabc", b"$99999\r\n", b"*1001\r\n", b"*1\r\n" * 20,
        b"%400\r\n%400\r\n", b":" + b"1" * 70_000, b"$?\r\n", b"(" + b"1" * 10_001 + b"\r\n",
    ],
    ids=lambda data: repr(data[:12]),
)  # fmt: skip
def test_what_is_no_reply_or_too_large_ends_it(data: bytes) -> None:
    made = reader()
    made.feed(data)
    with pytest.raises(RemoteWireError):
        all_of(made)


def test_a_reply_is_not_kept_beyond_its_limit_while_it_arrives() -> None:
    made = reader()
    made.feed(b"*900\r\n")
    for _ in range(64):
        made.feed(b"$1000\r\n" + b"x" * 1_000 + b"\r\n")
        assert made.next() is None
    made.feed(b"$1000\r\n" + b"x" * 1_000 + b"\r\n")
    with pytest.raises(RemoteWireError, match="more than 65536 bytes"):
        all_of(made)
