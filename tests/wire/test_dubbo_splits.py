"""Streams of dubbo:// messages cut in every way: whole, byte by byte, in two at each place, and with rubbish behind.

The bytes are put together by hand from the description of the wire: apache/dubbo: dubbo-remoting/dubbo-remoting-api/
.../exchange/codec/ExchangeCodec.java and dubbo-rpc/dubbo-rpc-dubbo/.../protocol/dubbo/DubboCodec.java. Single messages
with every value of the corpus are cut in `tests/conformance`.
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.model.call import Invocation, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Drain, ReplyReceived, Send
from protocols.dubbo.client import DubboClientCodec, DubboClientWire
from protocols.dubbo.server import DubboServerWire
from protocols.reader import Limits
from protocols.testing import RUBBISH, AtMoment, feed, feed_rubbish
from tests.support.dubbo_bytes import EVENT, HESSIAN2, OK, REQUEST, SERVER_ERROR, frame, heartbeat, request, text

CONTRACT = contract_of(Catalog)
KEY = ServiceKey(CONTRACT.name)
LIMITS = Limits(max_frame_bytes=4_096)
WIRES = {
    "hosted": DubboServerWire([Exposure(KEY, CONTRACT)], LIMITS),
    "forwarded": DubboServerWire([Exposure(KEY, CONTRACT, forwarded=True)], LIMITS),
    "without a contract": DubboServerWire([Exposure(KEY, None, forwarded=True)], LIMITS),
}

READ_ONLY = heartbeat(3, flags=REQUEST | EVENT | HESSIAN2, body=b"\x01R")
WRITEABLE = heartbeat(4, flags=REQUEST | EVENT | HESSIAN2, body=b"\x01W")
REQUESTS = {
    "one call": [request("find", "J", b"\xe1")],
    "no arguments": [request()],
    "no body": [frame(0xC2, 8, b"")],
    "largest body": [request("find", "Ljava/lang/String;", text("x" * 3_960))],
    "negative id": [request(id=-1)],
    "oneway": [request("touch", "J", b"\xe1", flags=REQUEST | HESSIAN2)],
    "heartbeat": [heartbeat(1)],
    "events": [heartbeat(1), READ_ONLY, heartbeat(2, flags=EVENT | HESSIAN2), WRITEABLE],
    "many": [
        heartbeat(1),
        request("find", "J", b"\xe1", id=1),
        request("find", "I", b"\x91", id=2),
        request(id=3),
        frame(0xC2, 4, b""),
        request("find", "Ljava/lang/String;", text("Desk lamp"), id=5),
        request(id=3),
        READ_ONLY,
    ],
}
EVENTS = {"oneway": 1, "events": 1, "many": 7}
"""How many events the server's codec reports where it is not one for each message."""


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", REQUESTS)
def test_requests(name: str, wire: str) -> None:
    def codec() -> AtMoment:
        return AtMoment(WIRES[wire].accept(Peer("dubbo", "test")), 100.0)

    stream = b"".join(REQUESTS[name])
    events = feed(codec, stream)
    assert len(events) == EVENTS.get(name, len(REQUESTS[name]))
    assert all(isinstance(each, CallReceived | CallRejected | Send) for each in events)
    for rubbish in (RUBBISH, b"GET / HTTP/1.1\r\n\r\n", b"\xda\x00", stream[1:]):
        assert feed_rubbish(codec, stream, rubbish).reason == "bad-magic"
    assert feed_rubbish(codec, stream, frame(0xC2, 9, b"", length=4_097)).reason == "frame-too-large"
    assert feed_rubbish(codec, stream, frame(HESSIAN2, 9, b"\x92", status=OK)).reason == "unexpected-response"
    assert feed_rubbish(codec, stream, heartbeat(9, body=bytes(51))).reason == "event-too-large"


def answer(call_id: int, body: bytes, status: int = OK) -> bytes:
    return frame(HESSIAN2, call_id, body, status=status)


ATTACHMENTS = b"H\x05dubbo\x052.0.2Z"
ANSWERS = {
    "a value": [answer(1, b"\x91\xe3")],
    "a value with attachments": [answer(1, b"\x94\xe3" + ATTACHMENTS)],
    "an error": [answer(1, text("went wrong"), SERVER_ERROR)],
    "nothing": [answer(1, b"")],
    "out of order": [answer(3, b"\x91\xe3"), answer(1, b"\x91\xe1"), answer(2, b"\x91\xe2")],
    "to nobody": [answer(77, b"\x91\xe3")],
    "twice": [answer(1, b"\x91\xe3"), answer(1, b"\x91\xe3")],
    "events": [heartbeat(1), READ_ONLY, heartbeat(9, flags=EVENT | HESSIAN2), WRITEABLE],
    "many": [answer(2, b"\x94\xe2" + ATTACHMENTS), heartbeat(5), READ_ONLY, answer(1, b"\x8f"), answer(3, b"\x91N")],
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers(name: str) -> None:
    client = DubboClientWire(LIMITS)
    binding = client.bind(KEY, CONTRACT, "", "test")
    count = next(each for each in CONTRACT.methods if each.name == "count")

    def codec() -> DubboClientCodec:
        """It waits for the answers to three calls, with the ids 1, 2 and 3."""
        made = client.connect()
        for _ in range(3):
            made.call(binding, Invocation(KEY, count.name, (), signature=count), None)
        return made

    stream = b"".join(ANSWERS[name])
    events: list[Any] = feed(codec, stream)
    # Of all messages here only an event that answers one is not reported.
    assert len(events) == len(ANSWERS[name]) - (name == "events")
    assert all(isinstance(each, ReplyReceived | Send | Drain) for each in events)
    for rubbish in (RUBBISH, b"HTTP/1.1 400 Bad Request\r\n\r\n", stream[1:]):
        assert feed_rubbish(codec, stream, rubbish).reason == "bad-magic"
    assert feed_rubbish(codec, stream, answer(9, b"")[:12] + b"\xff\xff\xff\xff").reason == "frame-too-large"
    assert feed_rubbish(codec, stream, request(id=9)).reason == "unexpected-request"
    assert feed_rubbish(codec, stream, heartbeat(9, body=bytes(51))).reason == "event-too-large"
