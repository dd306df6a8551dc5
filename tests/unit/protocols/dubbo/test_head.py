"""The five strings a request body begins with: what they mean, and what of them is remembered."""

from __future__ import annotations

import pytest

from gateway.model.errors import BadRequest
from protocols.dubbo.head import MAX_CACHED_BYTES, RequestHeads
from protocols.hessian.text import encode_text
from protocols.reader import Limits

HEADER = bytes(16)


def body(*strings: str) -> bytes:
    return HEADER + b"".join(map(encode_text, strings))


def frame(version: str = "2.0.2", path: str = "demo.A", method: str = "find", descriptor: str = "J") -> bytes:
    return body(version, path, "1.0.0", method, descriptor)


def test_head_says_what_is_called_and_where_the_arguments_begin() -> None:
    data = frame(descriptor="J[Ljava/lang/String;[[IZ") + b"\xe0\x90"
    head = RequestHeads(Limits()).read(data)
    assert (head.path, head.version, head.method) == ("demo.A", "1.0.0", "find")
    assert head.argument_count == 4
    assert data[head.end :] == b"\xe0\x90"
    assert data[head.method_start :].startswith(b"\x04find")


def test_equal_heads_are_one_object_whatever_follows() -> None:
    heads = RequestHeads(Limits())
    first = heads.read(frame() + b"\xe1")
    assert heads.read(frame() + b"\xe2 and more") is first
    assert heads.read(frame(method="get")) is not first


def test_names_that_are_not_ascii_are_read_but_not_remembered() -> None:
    heads = RequestHeads(Limits())
    data = frame(path="demo.Käse")
    assert heads.read(data).path == "demo.Käse"
    assert heads.read(data) is not heads.read(data)


def test_long_heads_are_read_but_not_remembered() -> None:
    heads = RequestHeads(Limits())
    data = frame(path="x" * MAX_CACHED_BYTES)
    assert heads.read(data) is not heads.read(data)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"version": "." * 1_025}, "a protocol version of 1025 characters; 1024 are allowed"),
        ({"path": "x" * 1_025}, "a path of 1025 characters"),
        ({"method": "x" * 1_025}, "a method name of 1025 characters"),
        ({"descriptor": "[" * 65_536}, "a type descriptor of 65536 characters; 65535 are allowed"),
        ({"descriptor": "I" * 10_000}, r"^demo\.A\.find: type descriptor with more than 255 parameters"),
        ({"descriptor": "Q", "method": "a\nb"}, r"^demo\.A\.a\\nb: malformed type descriptor"),
    ],
)
def test_strings_that_are_too_long_are_refused(parts: dict[str, str], why: str) -> None:
    with pytest.raises(BadRequest, match=why) as caught:
        RequestHeads(Limits()).read(frame(**parts))
    assert len(str(caught.value)) < 300


def test_what_is_remembered_is_bounded() -> None:
    heads = RequestHeads(Limits())
    for number in range(5_000):
        heads.read(frame(method=f"m{number}"))
    assert len(heads._seen) <= 4_096


@pytest.mark.parametrize(
    "data",
    [
        HEADER,
        body("2.0.2", "demo.A"),
        frame()[:-1],
        HEADER + b"N" * 5,
        HEADER + b"\x90" * 5,
        HEADER + b"\x03abc" * 4 + b"\x1f",
        HEADER + b"\x33",
        HEADER + b"\x02\xc3\x28" * 5,
    ],
)
def test_body_that_does_not_begin_with_five_strings_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest, match="the request does not begin with version, path, version, method and types"):
        RequestHeads(Limits()).read(data)


@pytest.mark.parametrize("descriptor", ["X", "L", "Ljava/lang/String", "[", "JJQ"])
def test_malformed_descriptor_is_refused(descriptor: str) -> None:
    with pytest.raises(BadRequest):
        RequestHeads(Limits()).read(frame(descriptor=descriptor))


@pytest.mark.parametrize(
    ("version", "understands"),
    [
        # apache/dubbo: Version.java, isSupportResponseAttachment: 2.0.2 … 2.0.99
        ("2.0.2", True),
        ("2.0.10", True),
        ("2.0.99", True),
        ("2.0.1", False),
        ("2.0.0", False),
        ("2.8.4", False),
        ("3.0.0", False),
        ("", False),
        ("2.0.x", False),
        ("2.0.2.1.1", False),
        ("2.0.999999999", False),
    ],
)
def test_versions_that_understand_answers_with_attachments(version: str, understands: bool) -> None:
    assert RequestHeads(Limits()).read(frame(version=version)).reply_attachments is understands
