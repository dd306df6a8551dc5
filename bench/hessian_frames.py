"""The requests of hessian:// that are sent, put together by hand from the specification.

Source: Hessian 2.0 Web Services Protocol and Hessian 1.0.2 specification, http://hessian.caucho.com/doc.
"""

from __future__ import annotations

import struct

from bench.cases import Payload
from bench.http_frames import SERVICE, post_head, split_reply
from bench.request import Request, WrongReply

_VALUE = b"H\x02\x00R"
_METHOD = b"echoPojo"


def build_hessian_request(payload: Payload, value: bytes) -> Request:
    """A call with one argument, of which `value` is the encoding; the reply is in Hessian 2 in any case."""
    if payload is Payload.HESSIAN:
        body = b"H\x02\x00C" + bytes((len(_METHOD),)) + _METHOD + b"\x91" + value
    else:
        body = b"c\x02\x00" + old_text(b"m", _METHOD) + value + b"z"
    frame = post_head(f"/{SERVICE}", "x-application/hessian", len(body)) + body

    def check(reply: bytes) -> None:
        # Fields may stand in another order, so the value is judged by its length.
        found = split_reply(reply)
        least = 0.98 if payload is Payload.HESSIAN else 0.6
        if not found.startswith(_VALUE) or not least * len(value) - 16 < len(found) < len(value) * 1.02 + 16:
            raise WrongReply(f"expected a value of about {len(value)} bytes, found {found[:300]!r}")

    return Request(frame, payload, check)


def encode_old_pojo(size: int) -> bytes:
    """A `bench.Pojo` in Hessian 1, a map with the name of a class, whose note fills what is left of `size` bytes."""
    fields: dict[bytes, bytes] = {
        b"id": struct.pack(">cq", b"L", 4_611_686_018_427_387_905),
        b"name": old_text(b"S", b"Ada"),
        b"email": old_text(b"S", b"a@b.cd"),
        b"age": struct.pack(">ci", b"I", 36),
        b"score": struct.pack(">cd", b"D", 0.1),
        b"active": b"T",
        b"visits": struct.pack(">cq", b"L", 2**33),
        b"city": old_text(b"S", b"Bern"),
        b"tags": b"Vl\x00\x00\x00\x00z",
    }
    entries = b"".join(old_text(b"S", name) + value for name, value in fields.items()) + old_text(b"S", b"note")
    fixed = b"M" + old_text(b"t", b"bench.Pojo") + entries
    return fixed + old_text(b"S", b"x" * max(size - len(fixed), 0)) + b"z"


def old_text(tag: bytes, text: bytes) -> bytes:
    """A short text of Hessian 1 behind its tag."""
    return tag + len(text).to_bytes(2, "big") + text
