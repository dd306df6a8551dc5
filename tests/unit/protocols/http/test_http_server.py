"""The server's codec: order of answers, limits, how connections end."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.model.call import Invocation, Ok
from gateway.model.errors import BadRequest, NoProvider
from protocols.contract import CallReceived, Outcome
from protocols.http.limits import HttpLimits
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http.server import HttpServerWire
from protocols.testing import AtMoment, chunkings, feed, feed_rubbish
from tests.support.echo_binding import DOCUMENT, EchoBinding, EchoExchange
from tests.support.http_peer import HOST, PEER, HttpPeer, chunked, echo, get, post, read_answers

SMALL = HttpLimits(
    max_body_bytes=100,
    max_inflated_bytes=200,
    max_header_bytes=300,
    max_headers=10,
    max_target_bytes=50,
    max_chunks=40,
    max_chunk_line_bytes=20,
    max_chunk_extension_bytes=30,
    max_pipelined=5,
)
EXPECT = b"Expect: 100-continue"


def test_requests_are_the_same_however_they_are_cut() -> None:
    data = (
        post(b"one", b"Polyport-Consumer: shop")
        + get(b"/document?a=b")
        + chunked(b"t", b"wo", trailers=b"A: b\r\n")
        + b"\r\n"
        + post(b"!x\ny", target=b"/batch")
        + get(b"/refused")
        + get(method=b"TRACE")
        + post(b"\xff" * 300)
    )
    wires: list[HttpServerWire] = []

    def codec() -> AtMoment:
        wires.append(HttpServerWire(EchoBinding()))
        return AtMoment(wires[-1].accept(PEER))

    events = feed(codec, data)
    assert len([each for each in events if isinstance(each, CallReceived)]) == 5
    feed_rubbish(codec, post(b"one") + post(b"two"))
    for _, pieces in chunkings(data):
        peer = HttpPeer().send(*pieces)
        assert [each.body for each in peer.answers if each.status == 200] == [
            b"one", DOCUMENT, b"two", b"y", b"\xff" * 300,
        ]  # fmt: skip


def test_what_a_binding_sees() -> None:
    peer = HttpPeer().send(
        post(
            b"abc",
            b"Content-Type: text/plain",
            b"X-Empty:",
            b"X-Two: 1",
            b"Connection: keep-alive",
            b"Keep-Alive: timeout=5",
            b"X-Two: 2 ",
            b"Expect: 100-continue",
            b"TE: trailers",
            b"Content-Encoding: identity",
            target=b"/echo/%C3%B6?q=%20",
        )
    )
    (request,) = peer.binding.requests
    assert (request.method, request.path, request.query, request.body) == ("POST", "/echo/%C3%B6", "q=%20", b"abc")
    assert request.headers.pairs == (
        ("Host", "a"),
        ("Content-Type", "text/plain"),
        ("X-Empty", ""),
        ("X-Two", "1"),
        ("X-Two", "2"),
    )
    assert request.headers.get("x-two") == "1, 2"
    assert request.peer is PEER


def test_requests_with_the_same_fields_share_one_object() -> None:
    peer = HttpPeer().send(post(b"a", b"X: 1"), post(b"bcd", b"X: 1"), post(b"a", b"X: 2"))
    first, second, third = (each.headers for each in peer.binding.requests)
    assert first is second
    assert first is not third


def test_answers_keep_the_order_of_requests() -> None:
    peer = HttpPeer(outcome=None).send(post(b"1") + post(b"2") + get() + get(b"/refused") + post(b"3"))
    assert peer.finish(1) == b""
    assert peer.finish(1) == b""
    assert [each.body for each in read_answers(peer.finish())] == [b"1", b"2", DOCUMENT, b"no", b"3"]
    assert peer.rejected == ["forbidden: no"]
    assert peer.codec.pending_bytes == 0


def test_a_hundred_requests_with_a_malformed_one_in_the_middle() -> None:
    data = b"".join(post(b"%d" % index) for index in range(50))
    for outcome in (None, echo):
        peer = HttpPeer(outcome=outcome).send(data + post(b"x", b"Bad Name: y") + data)
        while peer.waiting:
            peer.finish(len(peer.waiting) - 1)
        assert [each.body for each in peer.answers[:50]] == [b"%d" % index for index in range(50)]
        assert peer.statuses[50:] == [400]
        assert [each.keep for each in peer.answers] == [True] * 50 + [False]


def test_refused_requests_with_known_end_leave_the_connection_open() -> None:
    peer = HttpPeer().send(
        post(b"x", b"Content-Encoding: br") + get(method=b"TRACE") + get(method=b"SING") + post(b"after")
    )
    assert peer.statuses == [415, 405, 501, 200]
    assert peer.answers[1].headers["allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    assert all(each.keep for each in peer.answers)
    assert [each.partition(":")[0] for each in peer.rejected] == ["bad-request"] * 3


def test_batch_is_answered_when_every_call_has_its_outcome() -> None:
    peer = HttpPeer(outcome=None).send(post(b"a\n!b\nc", target=b"/batch") + post(b"after"))
    assert [each.arguments() for each in peer.oneway] == [(b"!b",)]
    assert peer.finish(1) == b""
    assert peer.finish(1) == b""
    assert [each.body for each in read_answers(peer.finish(0, NoProvider("none")))] == [
        b"no-provider: none\nc",
        b"after",
    ]


@pytest.mark.parametrize("before", [0, 1])
def test_request_of_oneway_calls_alone_is_answered_in_its_turn(before: int) -> None:
    peer = HttpPeer(outcome=None).send(post(b"x") * before + post(b"!a\n!b", target=b"/batch"))
    assert len(peer.oneway) == 2
    if before:
        assert peer.received == b""
        peer.finish()
    assert peer.statuses == [200] * before + [202]


@pytest.mark.parametrize(
    ("data", "keep"),
    [
        (post(b"x"), True),
        (post(b"x", b"Connection: close"), False),
        (post(b"x", b"Connection: keep-alive, CLOSE"), False),
        (post(b"x", b"Connection: x", b"Connection: close"), False),
        (get(version=b"1.0"), False),
        (get(b"/document", b"Connection: Keep-Alive", version=b"1.0"), True),
        (get(b"/document", b"Connection: keep-alive, close", version=b"1.0"), False),
    ],
)
def test_connection_is_kept_or_closed_as_asked(data: bytes, keep: bool) -> None:
    peer = HttpPeer().send(data + post(b"behind"))
    assert peer.answers[0].keep is keep
    assert peer.codec.finished is not keep
    assert len(peer.answers) == (2 if keep else 1)
    assert peer.codec.broken is None


def test_nothing_is_read_behind_the_last_request() -> None:
    peer = HttpPeer(outcome=None).send(post(b"x", b"Connection: close") + b"\xff" * 64)
    assert peer.codec.finished
    assert list(peer.codec.receive(b"more", 0.0)) == []
    assert peer.codec.broken is None
    peer.finish()
    assert [(each.body, each.keep) for each in peer.answers] == [(b"x", False)]


def test_head_has_the_length_of_the_body_it_leaves_out() -> None:
    peer = HttpPeer().send(get(method=b"HEAD"))
    assert peer.received.endswith(b"Content-Length: %d\r\n\r\n" % len(DOCUMENT))
    assert peer.binding.requests[0].method == "GET"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body_have_no_length(status: int) -> None:
    class Empty(EchoBinding):
        def decode_call(self, request: HttpRequest, now: float) -> HttpResponse:
            return HttpResponse(status)

    peer = HttpPeer(binding=Empty()).send(get() + get())
    assert peer.received.count(b"HTTP/1.1 %d " % status) == 2
    assert b"Content-Length" not in peer.received


# Limits.


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413, "body-too-large"),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n", 413, "body-too-large"),
        (chunked(b"a" * 60, b"b" * 41), 413, "body-too-large"),
        (chunked(*[b"a"] * 41), 400, "bad-chunk"),
        (chunked()[:-5] + b"7fffffffffffffff\r\n", 413, "body-too-large"),
        (post(b"x", b"X: " + b"a" * 300), 431, "headers-too-large"),
        (post(b"x", *[b"X: y"] * 11), 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 300, 431, "headers-too-large"),
        (get(b"/" + b"a" * 50), 414, "target-too-long"),
        (b"GET /" + b"a" * 200, 414, "target-too-long"),
        (chunked(b"abc", trailers=b"X: " + b"a" * 300 + b"\r\n"), 431, "headers-too-large"),
        (chunked(b"abc", trailers=b"X: y\r\n" * 11), 431, "headers-too-large"),
        (chunked()[:-5] + b"1;" + b"a" * 20, 400, "bad-chunk"),
        (chunked()[:-5] + b"1;abcdefghijkl\r\na\r\n" * 3, 400, "bad-chunk"),
    ],
)
def test_limits(data: bytes, status: int, reason: str) -> None:
    for _, pieces in chunkings(post(b"before") + data):
        peer = HttpPeer(SMALL).send(*pieces)
        assert peer.statuses == [200, status]
        assert not peer.answers[1].keep
        assert peer.codec.broken is not None
        assert peer.codec.broken.reason == reason
        assert peer.codec.pending_bytes == 0


def test_everything_at_its_limit_is_taken() -> None:
    fields = [b"X: y"] * 7 + [b"Y: " + b"a" * 200]
    peer = HttpPeer(SMALL).send(post(b"x" * 100, *fields, target=b"/" + b"a" * 49), chunked(b"a" * 100))
    assert peer.statuses == [200, 200]


def test_declared_body_is_refused_before_it_arrives_and_not_held() -> None:
    peer = HttpPeer(SMALL).send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 10_000)
    assert peer.statuses == [413]


def test_pending_bytes_count_what_is_held_of_one_message() -> None:
    codec = HttpPeer().codec
    data = post(b"abcdef")
    head = len(data) - 6
    assert codec.pending_bytes == 0
    codec.receive(data[:10], 0.0)
    assert codec.pending_bytes == 10
    codec.receive(data[10:head], 0.0)
    assert codec.pending_bytes == 1
    codec.receive(data[head : head + 3], 0.0)
    assert codec.pending_bytes == 4
    codec.receive(data[head + 3 :], 0.0)
    assert codec.pending_bytes == 0
    codec.receive(chunked(b"abc")[:-7], 0.0)
    assert codec.pending_bytes == 4


def test_more_pipelined_requests_than_allowed() -> None:
    peer = HttpPeer(SMALL, outcome=None).send(post(b"x") * 20)
    assert len(peer.waiting) == 5
    assert peer.codec.finished
    while peer.waiting:
        peer.finish()
    assert peer.statuses == [200] * 5 + [503]
    assert not peer.answers[-1].keep
    assert peer.rejected == ["overloaded: 5 requests of this connection wait for their answers"]


# Expectations.


def expecting(length: int = 3, *fields: bytes, method: bytes = b"POST", version: bytes = b"1.1") -> bytes:
    return get(b"/echo", EXPECT, b"Content-Length: %d" % length, *fields, method=method, version=version)


def test_continue_is_sent_when_the_body_is_wanted_and_waited_for() -> None:
    peer = HttpPeer().send(expecting())
    assert peer.statuses == [100]
    assert peer.send(b"abc").statuses == [100, 200]


def test_no_continue_when_the_body_came_along_or_there_is_none() -> None:
    peer = HttpPeer().send(expecting() + b"abc" + expecting(0) + expecting(3)[:-2])
    assert peer.statuses == [200, 200]


def test_continue_waits_for_the_answers_before_it() -> None:
    peer = HttpPeer(outcome=None).send(post(b"x") + expecting())
    assert peer.received == b""
    peer.finish()
    assert peer.statuses == [200, 100]
    peer.send(b"abc").finish()
    assert peer.statuses == [200, 100, 200]


def test_body_that_did_not_wait_for_the_continue_in_its_turn() -> None:
    peer = HttpPeer(outcome=None).send(post(b"x") + expecting(), b"abc")
    peer.finish(1)
    assert peer.received == b""
    peer.finish()
    assert [each.body for each in peer.answers] == [b"x", b"", b"abc"]
    assert peer.statuses == [200, 100, 200]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (expecting(method=b"TRACE"), 405),
        (expecting(101), 413),
        (get(b"/echo", b"Expect: coffee", b"Content-Length: 3", method=b"POST"), 417),
        (get(b"/echo", EXPECT, b"Expect: coffee", b"Content-Length: 3", method=b"POST"), 417),
    ],
)
def test_body_that_is_not_wanted_is_not_asked_for(data: bytes, status: int) -> None:
    peer = HttpPeer(SMALL).send(data + b"abc" if status == 417 else data)
    assert peer.statuses == [status]
    assert not peer.answers[0].keep


def test_expectation_nobody_knows_without_a_body() -> None:
    peer = HttpPeer().send(get(b"/document", b"Expect: coffee") + get())
    assert peer.statuses == [417, 200]


def test_http_1_0_expects_nothing() -> None:
    peer = HttpPeer().send(expecting(version=b"1.0"))
    assert peer.received == b""
    assert peer.send(b"abc").statuses == [200]


# Content coding.


def gzipped(body: bytes) -> bytes:
    """RFC 1952, with no time in it: the bytes are the same in every process."""
    return gzip.compress(body, mtime=0)


def bare_deflate(body: bytes) -> bytes:
    """RFC 1951 without what RFC 1950 puts around it."""
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return machine.compress(body) + machine.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzipped(b"hello")),
        (b"X-GZIP", gzipped(b"hello")),
        (b"gzip", gzipped(b"he") + gzipped(b"llo")),
        (b"deflate", zlib.compress(b"hello")),
        (b"deflate", bare_deflate(b"hello")),
        (b"identity", b"hello"),
        (b"identity, gzip", gzipped(b"hello")),
    ],
)
def test_coded_bodies(coding: bytes, body: bytes) -> None:
    peer = HttpPeer().send(post(body, b"Content-Encoding: " + coding))
    assert peer.answers[0].body == b"hello"
    assert "content-encoding" not in peer.binding.requests[0].headers


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        (b"gzip", gzipped(b"hello")[:-1], 400),
        (b"gzip", b"hello", 400),
        (b"gzip", gzipped(b"hello") + b"x", 400),
        (b"gzip", gzipped(b"") * 17, 400),
        (b"deflate", zlib.compress(b"hello") + zlib.compress(b"hello"), 400),
        (b"deflate", gzipped(b"hello"), 400),
        (b"deflate", bare_deflate(b"hello") * 2, 400),
        (b"deflate", bare_deflate(b"hello")[:-1], 400),
        (b"deflate", bare_deflate(b"a" * 201), 413),
        (b"br", b"hello", 415),
        (b"gzip, gzip", gzipped(gzipped(b"hello")), 415),
        (b"gzip", gzipped(b"a" * 201), 413),
        (b"gzip", gzipped(b"a" * 150) + gzipped(b"a" * 51), 413),
    ],
)
def test_coded_bodies_that_are_refused(coding: bytes, body: bytes, status: int) -> None:
    limits = replace(SMALL, max_body_bytes=1_000)
    peer = HttpPeer(limits).send(post(body, b"Content-Encoding: " + coding) + post(b"after"))
    assert peer.statuses == [status, 200]


def test_gzip_bomb_is_refused_while_it_inflates() -> None:
    bomb = gzip.compress(bytes(64_000_000), 9)
    assert len(bomb) < 100_000
    peer = HttpPeer().send(post(bomb, b"Content-Encoding: gzip"))
    assert peer.statuses == [413]
    assert peer.binding.requests == []


class Document(EchoBinding):
    """Answers everything with `response`."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response

    def decode_call(self, request: HttpRequest, now: float) -> HttpResponse:
        return self.response


JSON = (("Content-Type", "application/json"),)


@pytest.mark.parametrize(
    ("accepts", "coded"),
    [
        (b"gzip", True),
        (b"deflate, gzip;q=0.1", True),
        (b"GZIP", True),
        (b"*", True),
        (b"gzip;q=0", False),
        (b"*;q=0", False),
        (b"*, gzip;q=0", False),
        (b"gzip;q=2", False),
        (b"gzip;q=x", False),
        (b"br", False),
        (b"", False),
    ],
)
def test_long_answers_are_coded_for_who_takes_it(accepts: bytes, coded: bool) -> None:
    body = b"[" + b"1," * 1000 + b"1]"
    peer = HttpPeer(binding=Document(HttpResponse(200, JSON, body))).send(get(b"/", b"Accept-Encoding: " + accepts))
    (answer,) = peer.answers
    assert answer.headers["vary"] == "Accept-Encoding"
    assert ("content-encoding" in answer.headers) is coded
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert (gzip.decompress(answer.body) if coded else answer.body) == body


@pytest.mark.parametrize(
    ("response", "options"),
    [
        (HttpResponse(200, JSON, b"1" * 1024), {}),
        (HttpResponse(200, JSON, b"1" * 1025), {"compress": False}),
        (HttpResponse(200, (("Content-Type", "image/png"),), b"1" * 2000), {}),
        (HttpResponse(200, (*JSON, ("ETag", '"1"')), b"1" * 2000), {}),
        (HttpResponse(200, (*JSON, ("Content-Encoding", "br")), b"1" * 2000), {}),
    ],
)
def test_other_answers_are_sent_as_they_are(response: HttpResponse, options: dict[str, Any]) -> None:
    peer = HttpPeer(binding=Document(response), **options).send(get(b"/", b"Accept-Encoding: gzip"))
    assert peer.answers[0].body == response.body
    assert "vary" not in peer.answers[0].headers


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\0b", "a\u0100"])
def test_field_that_would_become_another_is_not_sent(value: str) -> None:
    peer = HttpPeer(binding=Document(HttpResponse(200, (("X", value),), b"secret"))).send(get() + get())
    assert [(each.status, each.body) for each in peer.answers] == [(500, b"internal error")] * 2
    assert "set-cookie" not in peer.answers[0].headers


# Ends.


def test_goodbye_to_an_idle_connection_waits_for_the_next_request() -> None:
    peer = HttpPeer()
    assert peer.codec.goodbye() == b""
    assert not peer.codec.finished
    peer.send(post(b"x") + post(b"y"), post(b"z"))
    assert [(each.body, each.keep) for each in peer.answers] == [(b"x", True), (b"y", False)]
    assert peer.codec.finished


def test_goodbye_is_said_with_the_last_answer() -> None:
    peer = HttpPeer(outcome=None).send(post(b"x") + post(b"y"))
    peer.codec.goodbye()
    peer.finish()
    assert not peer.codec.finished
    peer.finish()
    assert [(each.body, each.keep) for each in peer.answers] == [(b"x", True), (b"y", False)]
    assert peer.codec.finished


def test_goodbye_waits_for_a_request_that_has_begun() -> None:
    peer = HttpPeer(outcome=None).send(post(b"x") + post(b"yz")[:-1])
    peer.codec.goodbye()
    peer.finish()
    assert not peer.codec.finished
    peer.send(b"z").finish()
    assert [(each.body, each.keep) for each in peer.answers] == [(b"x", True), (b"yz", False)]


def test_only_a_peer_that_waits_for_an_answer_can_be_sent_something() -> None:
    peer = HttpPeer(outcome=None)
    assert peer.codec.ping() == b""
    peer.send(post(b"x"))
    assert peer.codec.ping() == b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.finish()
    assert peer.codec.ping() == b""


def test_peer_of_http_1_0_knows_no_interim_responses() -> None:
    peer = HttpPeer(outcome=None).send(post(b"x").replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert peer.codec.ping() == b""


def test_binding_that_cannot_encode_an_answer_spoils_that_one_alone() -> None:
    class Exchange(EchoExchange):
        def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
            if outcomes == [Ok(b"bad")] or (isinstance(outcomes[0], Ok) and outcomes[0].value == b"bad"):
                raise RuntimeError("a bug")
            return super().encode_reply(outcomes)

    class Binding(EchoBinding):
        def decode_call(self, request: HttpRequest, now: float) -> EchoExchange | HttpResponse:
            found = super().decode_call(request, now)
            return Exchange(found.calls) if isinstance(found, EchoExchange) else found

    peer = HttpPeer(binding=Binding(), outcome=None).send(post(b"bad") + post(b"good"))
    bad, good = peer.waiting
    with pytest.raises(RuntimeError):
        peer.codec.reply(bad.ticket, Ok(b"bad"))
    peer.received += peer.codec.reply(good.ticket, Ok(b"good"))
    peer.received += peer.codec.reply(bad.ticket, BadRequest("as the driver does then"))
    assert [(each.status, each.body) for each in peer.answers] == [(500, b"internal error"), (200, b"good")]


def test_parts_of_a_batch_are_bytes_that_are_counted_while_they_wait() -> None:
    peer = HttpPeer(outcome=None).send(post(b"a\nb\nc", target=b"/batch"))
    first, second, third = peer.waiting
    assert peer.codec.held_bytes == 0
    assert peer.codec.reply(third.ticket, Ok(b"z" * 1000)) == b""
    assert peer.codec.held_bytes == 1000
    assert peer.codec.reply(second.ticket, Ok(b"y" * 100)) == b""
    assert peer.codec.held_bytes == 1100
    peer.received += peer.codec.reply(first.ticket, Ok(b"x"))
    assert peer.codec.held_bytes == 0
    assert [each.body for each in peer.answers] == [b"x\n" + b"y" * 100 + b"\n" + b"z" * 1000]


def test_deadline_comes_from_the_moment_of_arrival() -> None:
    moments: list[float] = []

    class Binding(EchoBinding):
        def decode_call(self, request: HttpRequest, now: float) -> EchoExchange | HttpResponse:
            moments.append(now)
            return super().decode_call(request, now)

    codec = HttpServerWire(Binding()).accept(PEER)
    codec.receive(post(b"x")[:-1], 1.0)
    codec.receive(b"x", 2.0)
    assert moments == [2.0]


def test_remembered_heads_are_bounded() -> None:
    wire = HttpServerWire(EchoBinding())
    codec = wire.accept(PEER)
    for index in range(3_000):
        codec.receive(get(b"/document?%d" % index, b"X: %d" % index), 0.0)
    for memory in (wire.heads._heads, wire.heads._lines, wire.heads._blocks, wire.heads._headers):
        assert len(memory) <= 512
    codec.receive(get(b"/document?" + b"a" * 300, b"X: " + b"a" * 3_000), 0.0)
    assert max(map(len, wire.heads._heads)) <= 512
    assert max(map(len, wire.heads._lines)) < 300
    assert max(map(len, wire.heads._blocks)) < 3_000


def test_invocation_carries_the_peer() -> None:
    seen: list[Invocation] = []

    def outcome(invocation: Invocation) -> Outcome:
        seen.append(invocation)
        return echo(invocation)

    HttpPeer(outcome=outcome).send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx")
    assert [each.peer for each in seen] == [PEER]


def test_inflated_bodies_that_wait_are_bounded_together() -> None:
    limits = HttpLimits(max_inflated_bytes=100)
    large = gzip.compress(bytes(60))
    coded = post(large, b"Content-Encoding: gzip")
    peer = HttpPeer(limits, outcome=None).send(coded * 3)
    assert len(peer.waiting) == 1
    peer.finish()
    assert peer.statuses == [200, 413, 413]
    peer.send(coded)
    assert len(peer.waiting) == 1
