"""The HTTP/1.1 requests that are sent, written by hand (RFC 9112) and not with the product's codec."""

from __future__ import annotations

import json
import re
from typing import Any

from bench.cases import Payload
from bench.request import Request, WrongReply

SERVICE = "bench.Echo"

_TEXT = "The quick brown fox jumps over the lazy dog, and the gateway answers. "
_STATUS_OK = b"HTTP/1.1 200 "
_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*([0-9]+)")


def build_http_request(payload: Payload, size: int) -> Request:
    """The request for `ADD`, whose size is fixed, or for `JSON` with a text of `size` characters."""
    if payload is Payload.ADD:
        return _post(payload, "add", {"a": 1234, "b": 5678}, 6912)
    text = (_TEXT * (size // len(_TEXT) + 1))[:size]
    return _post(payload, "echo", {"text": text}, text)


def body_bytes(head: bytes) -> int:
    """The length of the body behind this head of a reply."""
    found = _LENGTH.search(head)
    if found is None:
        raise WrongReply(f"a reply without Content-Length: {head[:300]!r}")
    return int(found[1])


def post_head(path: str, content_type: str, length: int) -> bytes:
    """What stands in front of a body of so many bytes."""
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: bench",
        "User-Agent: loadgen",
        "Accept: */*",
        f"Content-Type: {content_type}",
        f"Content-Length: {length}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def split_reply(reply: bytes) -> bytes:
    """The body of a reply, which must be a good one."""
    _, _, found = reply.partition(b"\r\n\r\n")
    if not reply.startswith(_STATUS_OK):
        raise WrongReply(f"{reply[:40]!r} … {found[:300]!r}")
    return found


def _post(payload: Payload, method: str, arguments: dict[str, Any], answer: Any) -> Request:
    body = json.dumps(arguments, separators=(",", ":")).encode()
    frame = post_head(f"/{SERVICE}/{method}", "application/json", len(body)) + body

    def check(reply: bytes) -> None:
        found = split_reply(reply)
        if json.loads(found) != answer:
            raise WrongReply(f"expected {answer!r}, found {found[:300]!r}")

    return Request(frame, payload, check)
