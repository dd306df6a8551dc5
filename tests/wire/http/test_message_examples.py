"""Messages printed in RFC 9112 and RFC 9110, and our answers to the byte."""

from __future__ import annotations

from protocols.testing import chunkings
from tests.support.http_peer import HttpPeer, post

DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
"""The example of RFC 9110, section 5.6.7."""


def date() -> bytes:
    return DATE


def test_request_of_rfc_9112_section_2_1() -> None:
    data = (
        b"GET /hello.txt HTTP/1.1\r\n"
        b"User-Agent: curl/7.64.1\r\n"
        b"Host: www.example.com\r\n"
        b"Accept-Language: en, mi\r\n"
        b"\r\n"
    )
    for _, pieces in chunkings(data):
        peer = HttpPeer().send(*pieces)
        (request,) = peer.binding.requests
        assert (request.method, request.path, request.query, request.body) == ("GET", "/hello.txt", "", b"")
        assert request.headers.pairs == (
            ("User-Agent", "curl/7.64.1"),
            ("Host", "www.example.com"),
            ("Accept-Language", "en, mi"),
        )


def test_origin_form_of_rfc_9112_section_3_2_1() -> None:
    peer = HttpPeer().send(b"GET /where?q=now HTTP/1.1\r\nHost: www.example.org\r\n\r\n")
    (request,) = peer.binding.requests
    assert (request.path, request.query) == ("/where", "q=now")


def test_absolute_form_of_rfc_9112_section_3_2_2() -> None:
    peer = HttpPeer().send(
        b"GET http://www.example.org/pub/WWW/TheProject.html HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
        b"GET http://www.example.org HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
        b"GET http://www.example.org?q=1 HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
    )
    found = [(each.path, each.query) for each in peer.binding.requests]
    assert found == [("/pub/WWW/TheProject.html", ""), ("/", ""), ("/", "q=1")]


def test_authority_form_of_rfc_9112_section_3_2_3() -> None:
    peer = HttpPeer().send(b"CONNECT www.example.com:80 HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
    (answer,) = peer.answers
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
    assert not answer.keep


def test_asterisk_form_of_rfc_9112_section_3_2_4() -> None:
    peer = HttpPeer().send(b"OPTIONS * HTTP/1.1\r\nHost: www.example.org:8001\r\n\r\n" + post(b"after"))
    asterisk, after = peer.answers
    assert (asterisk.status, asterisk.headers["allow"]) == (204, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
    assert after.body == b"after"


def test_expectation_of_rfc_9110_section_10_1_1() -> None:
    peer = HttpPeer().send(
        b"PUT /somewhere/fun HTTP/1.1\r\n"
        b"Host: origin.example.com\r\n"
        b"Content-Type: video/h264\r\n"
        b"Content-Length: 5\r\n"
        b"Expect: 100-continue\r\n"
        b"\r\n"
    )
    assert peer.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.send(b"video")
    assert peer.statuses == [100, 200]
    assert peer.binding.requests[0].headers.pairs == (("Host", "origin.example.com"), ("Content-Type", "video/h264"))


def test_answer_to_the_byte() -> None:
    peer = HttpPeer(date=date).send(post(b"Hello World!"))
    assert peer.received == (
        b"HTTP/1.1 200 OK\r\n"
        b"Content-Type: text/plain\r\n"
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        b"Content-Length: 12\r\n"
        b"\r\n"
        b"Hello World!"
    )


def test_last_answer_to_the_byte() -> None:
    peer = HttpPeer(date=date).send(post(b"Hello World!", b"Connection: close"))
    assert peer.received == (
        b"HTTP/1.1 200 OK\r\n"
        b"Content-Type: text/plain\r\n"
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        b"Content-Length: 12\r\n"
        b"Connection: close\r\n"
        b"\r\n"
        b"Hello World!"
    )


def test_refusal_to_the_byte() -> None:
    peer = HttpPeer(date=date).send(b"GET /document HTTP/1.1\r\n\r\n")
    assert peer.received == (
        b"HTTP/1.1 400 Bad Request\r\n"
        b"Content-Type: text/plain\r\n"
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        b"Content-Length: 40\r\n"
        b"Connection: close\r\n"
        b"\r\n"
        b"an HTTP/1.1 request without a Host field"
    )
