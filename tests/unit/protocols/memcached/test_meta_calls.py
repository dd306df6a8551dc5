"""Calls of any method by meta commands: what clients have that speak nothing else."""

from __future__ import annotations

import pytest

from gateway.model.call import Fault, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import NoProvider
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Send
from protocols.memcached.server import MemcachedServerCodec, MemcachedServerWire, ServerStyle
from protocols.testing import CONTRACT

ECHO = b'mg demo.Types.echo_string("a")'
BLOCK = b'{"args":["a"]}'


def server() -> MemcachedServerCodec:
    exposures = [Exposure(ServiceKey(CONTRACT.name), CONTRACT)]
    return MemcachedServerWire(exposures, ServerStyle(), lambda: 0.0, lambda: 1e9).accept(
        Peer("memcached", "1.2.3.4:5")
    )


def begun(codec: MemcachedServerCodec, data: bytes) -> CallReceived:
    (call,) = codec.receive(data, 1.0)
    assert isinstance(call, CallReceived)
    assert call.invocation.arguments() == ("a",)
    return call


def said(codec: MemcachedServerCodec, data: bytes) -> bytes:
    answers = b""
    for event in codec.receive(data, 1.0):
        if isinstance(event, Send):
            answers += event.data
        elif isinstance(event, CallRejected):
            answers += codec.reply(event.ticket, event.error)
    return answers


def store(flags: bytes = b"") -> bytes:
    return b"ms demo.Types.echo_string#1 %d%b\r\n%b\r\n" % (len(BLOCK), flags, BLOCK)


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        (b" v", b"VA 1\r\na\r\n"),
        (b"", b"HD\r\n"),
        (b" s f t c h l Ox k v", b'VA 1 s1 f0 t-1 c0 h0 l0 Ox kdemo.Types.echo_string("a")\r\na\r\n'),
        (b" q v", b"VA 1\r\na\r\n"),
    ],
)
def test_a_key_of_mg_is_a_call(flags: bytes, answer: bytes) -> None:
    codec = server()
    call = begun(codec, ECHO + flags + b"\r\n")
    assert codec.reply(call.ticket, Ok("a")) == answer


def test_a_key_in_base64_is_a_call() -> None:
    codec = server()
    call = begun(codec, b"mg ZGVtby5UeXBlcy5lY2hvX3N0cmluZygiYSIp b v\r\n")
    assert codec.reply(call.ticket, Ok("a")) == b"VA 1\r\na\r\n"


def test_a_null_is_an_answer_and_trouble_is_told() -> None:
    codec = server()
    assert codec.reply(begun(codec, ECHO + b" v f\r\n").ticket, Ok(None)) == b"VA 4 f65536\r\nnull\r\n"
    refused = codec.reply(begun(codec, ECHO + b" v q\r\n").ticket, NoProvider("gone"))
    assert refused.startswith(b"SERVER_ERROR RPCERR no-provider")
    fault = codec.reply(begun(codec, ECHO + b" v\r\n").ticket, Fault("a.B", "no", {}))
    assert fault.startswith(b"SERVER_ERROR RAISED a.B")


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (b"demo.Types.nothing()", b"SERVER_ERROR RPCERR no-such-method"),
        (b"demo.Nobody.find(1)", b"SERVER_ERROR RPCERR no-such-service"),
        (b"demo.Types.echo_string#9", b"EN\r\n"),
        (b"a#b", b"EN\r\n"),
    ],
)
def test_keys_that_are_no_call_are_answered_at_once(key: bytes, line: bytes) -> None:
    codec = server()
    answer = said(codec, b"mg %b v t\r\nmn\r\n" % key)
    assert answer.startswith(line)
    assert answer.endswith(b"\r\nMN\r\n")


def test_a_call_in_a_block_of_ms_is_fetched_by_mg_and_by_get() -> None:
    codec = server()
    call = begun(codec, store(b" c k Ox"))
    assert codec.reply(call.ticket, Ok("a")) == b"HD c0 kdemo.Types.echo_string#1 Ox\r\n"
    assert said(codec, b"mg demo.Types.echo_string#1 v f t\r\n") == b"VA 1 f0 t-1\r\na\r\n"
    assert said(codec, b"mg demo.Types.echo_string#1 v\r\n") == b"EN\r\n"
    codec.reply(begun(codec, store()).ticket, Ok("a"))
    assert said(codec, b"get demo.Types.echo_string#1\r\n").endswith(b" 0 1\r\na\r\nEND\r\n")


def test_a_quiet_call_in_a_block_says_nothing_and_mg_waits_for_it() -> None:
    codec = server()
    call = begun(codec, store(b" q"))
    assert said(codec, b"mg demo.Types.echo_string#1 v\r\n") == b""
    assert codec.reply(call.ticket, Ok("a")) == b"VA 1\r\na\r\n"


def test_an_answer_that_nobody_wants_is_deleted() -> None:
    codec = server()
    codec.reply(begun(codec, store()).ticket, Ok("a"))
    assert said(codec, b"md demo.Types.echo_string#1\r\n") == b"HD\r\n"
    assert said(codec, b"md demo.Types.echo_string#1\r\n") == b"NF\r\n"
    assert said(codec, b"mg demo.Types.echo_string#1 v\r\n") == b"EN\r\n"
