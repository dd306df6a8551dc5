"""Both clients against servers that mean them ill."""

from __future__ import annotations

import pytest

from gateway.contracts import contract_of
from gateway.demo.store import Store
from gateway.model.call import NO_ATTACHMENTS, Invocation
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ProviderFailed, Unauthenticated
from protocols.contract import ClientCodec, ReplyReceived
from protocols.memcached.client import ClientStyle, MemcachedClientWire
from protocols.reader import Limits
from protocols.redis.client import RedisClientWire, RedisStyle

KEY, CONTRACT = ServiceKey("demo.Store"), contract_of(Store)
MIB = 1 << 20


def calling(wire: str, calls: int = 1) -> ClientCodec:
    """A connection with so many calls that wait."""
    made = (
        RedisClientWire(Limits(max_frame_bytes=MIB), RedisStyle())
        if wire == "redis"
        else MemcachedClientWire(ClientStyle(max_value_bytes=MIB))
    )
    codec, binding = made.connect(), made.bind(KEY, CONTRACT, "", "")
    signature = next(each for each in CONTRACT.methods if each.attribute == "keys")
    for _ in range(calls):
        codec.call(binding, Invocation(KEY, "keys", ("*",), signature, None, NO_ATTACHMENTS), None)
    return codec


@pytest.mark.parametrize(("wire", "first"), [("redis", b"-"), ("memcached", b"SERVER_ERROR ")])
def test_a_long_line_byte_by_byte_is_looked_through_once(wire: str, first: bytes) -> None:
    # Looked through anew with each byte, this takes ten times as long.
    codec = calling(wire)
    codec.receive(first)
    for _ in range(MIB // 4):
        assert not codec.receive(b"x")
    assert codec.broken is None


@pytest.mark.parametrize("wire", ["redis", "memcached"])
def test_a_line_without_an_end_breaks_the_connection(wire: str) -> None:
    codec = calling(wire)
    for _ in range(20):
        codec.receive(b"-" + b"x" * (MIB // 10))
        if codec.broken is not None:
            return
    raise AssertionError("it goes on")


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        ("redis", b"-NOAUTH HELLO must be called with the client already authenticated\r\n"),
        ("redis", b"-WRONGPASS invalid username-password pair or user is disabled.\r\n-NOAUTH x\r\n"),
        ("memcached", b"CLIENT_ERROR bad authentication token format\r\nCLIENT_ERROR unauthenticated\r\n"),
        ("memcached", b"CLIENT_ERROR unauthenticated\r\n"),
    ],
)
def test_every_call_of_a_stranger_is_told_so(wire: str, said: bytes) -> None:
    codec = calling(wire, 3)
    events = codec.receive(said)
    assert [type(each.outcome) for each in events if isinstance(each, ReplyReceived)] == [Unauthenticated] * 3
    assert codec.broken is not None
    assert codec.broken.reason == "unauthenticated"


@pytest.mark.parametrize("item", [b"(" + b"9" * 5_000 + b"\r\n", b"$1\r\n\xff\r\n", b"*1\r\n:1\r\n", b"_\r\n"])
def test_attachments_of_an_answer_that_are_no_texts_fail_the_call_alone(item: bytes) -> None:
    codec = calling("redis")
    (answer,) = codec.receive(b"+OK\r\n+OK\r\n|1\r\n+key\r\n" + item + b"*0\r\n")
    assert isinstance(answer, ReplyReceived)
    assert isinstance(answer.outcome, ProviderFailed)
    assert codec.broken is None
