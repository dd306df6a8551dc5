"""Requests that two readers could understand differently (RFC 9112, section 11; request smuggling), refused."""

from __future__ import annotations

import pytest

from protocols.testing import chunkings
from tests.support.http_peer import HOST, HttpPeer, get, post

SMUGGLED = post(b"smuggled", target=b"/smuggled")


def with_fields(*fields: bytes, body: bytes = b"abcde") -> bytes:
    return b"POST /echo HTTP/1.1\r\n" + HOST + b"".join(each + b"\r\n" for each in fields) + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked"
ZERO = b"0\r\n\r\n"
FRAMING = {
    "length and chunked": with_fields(b"Content-Length: 5", CHUNKED, body=ZERO),
    "chunked and length": with_fields(CHUNKED, b"Content-Length: 5", body=ZERO),
    "two lengths": with_fields(b"Content-Length: 5", b"Content-Length: 6"),
    "one length twice": with_fields(b"Content-Length: 5", b"Content-Length: 5"),
    "length as a list": with_fields(b"Content-Length: 5, 5"),
    "length with a plus": with_fields(b"Content-Length: +5"),
    "length with a minus": with_fields(b"Content-Length: -5"),
    "length in hexadecimal": with_fields(b"Content-Length: 0x5"),
    "length with an underscore": with_fields(b"Content-Length: 1_0"),
    "length with a blank behind": with_fields(b"Content-Length: 5 "),
    "length with a tab behind": with_fields(b"Content-Length: 5\t"),
    "length with a blank inside": with_fields(b"Content-Length: 5 5"),
    "length with a fraction": with_fields(b"Content-Length: 5.0"),
    "length in other digits": with_fields("Content-Length: \u0665".encode()),
    "length in superscript": with_fields(b"Content-Length: \xb2"),
    "empty length": with_fields(b"Content-Length:"),
    "length beyond 64 bits": with_fields(b"Content-Length: 18446744073709551621"),
    "empty transfer coding": with_fields(b"Transfer-Encoding:"),
    "unknown transfer coding": with_fields(b"Transfer-Encoding: xchunked", body=ZERO),
    "identity": with_fields(b"Transfer-Encoding: identity"),
    "chunked is not the last": with_fields(b"Transfer-Encoding: chunked, gzip", body=ZERO),
    "chunked twice": with_fields(b"Transfer-Encoding: chunked, chunked", body=ZERO),
    "chunked in two fields": with_fields(CHUNKED, CHUNKED, body=ZERO),
    "chunked and identity": with_fields(CHUNKED, b"Transfer-Encoding: identity", body=ZERO),
    "chunked behind a vertical tab": with_fields(b"Transfer-Encoding: \x0bchunked", body=ZERO),
    "chunked with a parameter": with_fields(b"Transfer-Encoding: chunked;a=b", body=ZERO),
    "chunked in quotes": with_fields(b'Transfer-Encoding: "chunked"', body=ZERO),
    "chunked in HTTP/1.0": b"POST /echo HTTP/1.0\r\n" + CHUNKED + b"\r\n\r\n" + ZERO,
    "blank before the colon of a length": with_fields(b"Content-Length : 5"),
    "blank before the colon of a coding": with_fields(b"Transfer-Encoding : chunked", body=ZERO),
}
LINES = {
    "bare LF behind the first line": b"GET /document HTTP/1.1\nHost: a\r\n\r\n",
    "bare LF everywhere": b"GET /document HTTP/1.1\nHost: a\n\n",
    "bare LF behind a field": b"GET /document HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "bare LF at the end": b"GET /document HTTP/1.1\r\nHost: a\r\n\n",
    "bare LF behind the last field": b"GET /document HTTP/1.1\r\nHost: a\n\r\n",
    "CR alone in the first line": b"GET /document HTTP/1.1\rHost: a\r\n\r\n",
    "CR alone in a value": get(b"/document", b"X: a\rb"),
    "CR alone before a line end": get(b"/document", b"X: a\r"),
    "NUL in a value": get(b"/document", b"X: a\0b"),
    "NUL in a name": get(b"/document", b"X\0: b"),
    "NUL in the target": get(b"/doc\0ument"),
    "control character in a value": get(b"/document", b"X: a\x01b"),
    "DEL in a value": get(b"/document", b"X: a\x7fb"),
    "blank before a colon": get(b"/document", b"X : b"),
    "tab before a colon": get(b"/document", b"X\t: b"),
    "folded field": get(b"/document", b"X: a", b" b"),
    "folded with a tab": get(b"/document", b"X: a", b"\tb"),
    "blank before the first field": b"GET /document HTTP/1.1\r\n Host: a\r\n\r\n",
    "field without a colon": get(b"/document", b"X"),
    "field without a name": get(b"/document", b": b"),
    "name that is no token": get(b"/document", b"X(y): b"),
    "name that is not ASCII": get(b"/document", b"X\xe4: b"),
    "two blanks behind the method": get(b" /document"),
    "two blanks behind the target": get(b"/document "),
    "blank behind the version": get(version=b"1.1 "),
    "blank in the target": get(b"/docu ment"),
    "target beyond ASCII": get(b"/d\xc3\xb6cument"),
    "lower-case protocol": b"GET /document http/1.1\r\nHost: a\r\n\r\n",
    "another protocol's name": b"GET /document RTSP/1.0\r\nHost: a\r\n\r\n",
    "fragment": get(b"/document#part"),
    "target without a slash": get(b"document"),
    "asterisk with GET": get(b"*"),
    "absolute target without a host": get(b"http:///document"),
    "absolute target with a user": get(b"http://me@a/document"),
    "absolute target of another scheme": get(b"ftp://a/document"),
    "no host": b"GET /document HTTP/1.1\r\n\r\n",
    "two hosts": get(b"/document", b"Host: b"),
    "two hosts in HTTP/1.0": get(b"/document", b"Host: b", version=b"1.0"),
    "host with a path": b"GET /document HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "host with a user": b"GET /document HTTP/1.1\r\nHost: me@a\r\n\r\n",
    "two hosts in one field": b"GET /document HTTP/1.1\r\nHost: a, b\r\n\r\n",
}
CHUNKS = {
    "size with a plus": b"+3\r\nabc\r\n0\r\n\r\n",
    "size in C's hexadecimal": b"0x3\r\nabc\r\n0\r\n\r\n",
    "size with a blank behind": b"3 \r\nabc\r\n0\r\n\r\n",
    "size with a blank before": b" 3\r\nabc\r\n0\r\n\r\n",
    "size with an underscore": b"0_3\r\nabc\r\n0\r\n\r\n",
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "no hexadecimal size": b"g\r\nabc\r\n0\r\n\r\n",
    "size beyond 64 bits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "bare LF behind the size": b"3\nabc\r\n0\r\n\r\n",
    "CR alone behind the size": b"3\rabc\r\n0\r\n\r\n",
    "bare LF behind the chunk": b"3\r\nabc\n0\r\n\r\n",
    "nothing behind the chunk": b"3\r\nabc0\r\n\r\n",
    "chunk longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "extension without a name": b"3;\r\nabc\r\n0\r\n\r\n",
    "control character in an extension": b"3;a\x01\r\nabc\r\n0\r\n\r\n",
    "line end in a quoted extension": b'3;a="b\r\n"\r\nabc\r\n0\r\n\r\n',
    "bare LF in an extension": b"3;a\nabc\r\n0\r\n\r\n",
    "bare LF behind the last chunk": b"3\r\nabc\r\n0\n\n",
    "length in the trailers": b"3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n",
    "coding in the trailers": b"3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "malformed trailer": b"3\r\nabc\r\n0\r\nA : b\r\n\r\n",
    "folded trailer": b"3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n",
}
REFUSED = FRAMING | LINES | {name: with_fields(CHUNKED, body=body) for name, body in CHUNKS.items()}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_ambiguous_requests_are_refused_and_nothing_behind_them_is_read(data: bytes) -> None:
    for pieces in ([post(b"before") + data + SMUGGLED], [post(b"before"), *(bytes([each]) for each in data), SMUGGLED]):
        peer = HttpPeer().send(*pieces)
        assert peer.statuses == [200, 400]
        assert [each.keep for each in peer.answers] == [True, False]
        assert [each.path for each in peer.binding.requests] == ["/echo"]
        assert peer.codec.broken is not None
        assert peer.codec.broken.reason in {
            "bad-chunk", "bad-framing", "bad-headers", "bad-host", "bad-request-line", "bad-target",
        }  # fmt: skip


ACCEPTED = {
    "no blank behind the colon": with_fields(b"Content-Length:5"),
    "length with zeros before it": with_fields(b"Content-Length: 005"),
    "length in other letters": with_fields(b"CONTENT-length: 5"),
    "chunked in other letters": with_fields(b"transfer-encoding: CHUNKED", body=b"5\r\nabcde\r\n0\r\n\r\n"),
    "chunked with a blank behind": with_fields(b"Transfer-Encoding: chunked ", body=b"5\r\nabcde\r\n0\r\n\r\n"),
    "size with zeros before it": with_fields(CHUNKED, body=b"0005\r\nabcde\r\n0000\r\n\r\n"),
    "extensions": with_fields(CHUNKED, body=b'5;a;b=c; d="e\\"f" ; g\r\nabcde\r\n0;h=i\r\n\r\n'),
    "trailers": with_fields(CHUNKED, body=b"5\r\nabcde\r\n0\r\nDigest: x\r\nOther: y\r\n\r\n"),
    "several chunks": with_fields(CHUNKED, body=b"1\r\na\r\n3\r\nbcd\r\n1\r\ne\r\n0\r\n\r\n"),
    "empty line before": b"\r\n" + post(b"abcde"),
    "byte beyond ASCII in a value": post(b"abcde", b"X: \xff"),
    "tab in a value": post(b"abcde", b"X: a\tb"),
    "absolute target": post(b"abcde", target=b"http://b:80/echo"),
    "upgrade": post(b"abcde", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAA"),
    "host with a port": b"POST /echo HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 5\r\n\r\nabcde",
    "empty host": b"POST /echo HTTP/1.1\r\nHost:\r\nContent-Length: 5\r\n\r\nabcde",
    "no host in HTTP/1.0": b"POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nabcde",
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_unusual_requests_that_have_one_meaning_are_taken(data: bytes) -> None:
    for name, pieces in chunkings(data + post(b"after")):
        peer = HttpPeer().send(*pieces)
        assert [(each.status, each.body) for each in peer.answers] == [(200, b"abcde"), (200, b"after")], name
        assert [each.path for each in peer.binding.requests] == ["/echo", "/echo"]


def test_transfer_codings_that_are_not_offered() -> None:
    peer = HttpPeer().send(with_fields(b"Transfer-Encoding: gzip, chunked", body=ZERO))
    assert peer.statuses == [501]
    assert peer.codec.broken is not None


FOREIGN = {
    "a TLS ClientHello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "redis (RESP)": b"*1\r\n$4\r\nPING\r\n",
    "dubbo": b"\xda\xbb\xc2\x00" + bytes(12),
    "Java RMI": b"JRMI\x00\x02K",
    "Thrift binary": b"\x80\x01\x00\x01\x00\x00\x00\x04ping",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "text": b"set key 0 0 5\r\nvalue\r\n",
    "unknown bytes": b"\x00" * 64,
}
NOT_HTTP = {
    "tab behind the method": b"GET\t/document HTTP/1.1\r\nHost: a\r\n\r\n",
    "ICE": b"SOURCE /document ICE/1.0\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize(("name", "data"), FOREIGN.items(), ids=FOREIGN.keys())
def test_other_protocols_are_named_and_get_no_answer(name: str, data: bytes) -> None:
    for _, pieces in chunkings(data):
        peer = HttpPeer().send(*pieces)
        assert peer.codec.broken is not None
        assert peer.codec.broken.reason == "not-http"
        assert peer.received == b""
    peer = HttpPeer().send(data)
    assert str(peer.codec.broken) == f"a request must begin with a method; the peer sent what looks like {name}"


@pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP.keys())
def test_what_no_http_client_sends_ends_the_connection_after_the_answers_before_it(data: bytes) -> None:
    peer = HttpPeer().send(post(b"before") + data + SMUGGLED)
    assert peer.statuses == [200]
    assert peer.codec.broken is not None
    assert peer.codec.broken.reason == "not-http"


@pytest.mark.parametrize("byte", [b"\x00", b"\xff", b"*", b"[", b"<", b"A", b" ", b"\n", b"\r", b"0"])
def test_endless_bytes_are_refused_early(byte: bytes) -> None:
    peer = HttpPeer().send(byte * 64)
    assert peer.codec.broken is not None


@pytest.mark.parametrize(
    "data",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /document\r\n",
        get(version=b"0.9"),
        get(version=b"2.0"),
        get(version=b"1.2"),
    ],
)
def test_other_versions(data: bytes) -> None:
    for _, pieces in chunkings(data):
        peer = HttpPeer().send(*pieces)
        assert peer.statuses == [505]
        assert not peer.answers[0].keep
        assert peer.codec.broken is not None
        assert peer.codec.broken.reason == "http-version"
