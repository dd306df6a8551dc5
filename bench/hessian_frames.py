"""The requests of hessian:// that are sent, put together by hand from the specification.

Source: Hessian 2.0 Web Services Protocol, http://hessian.caucho.com/doc/hessian-ws.html.
"""

from __future__ import annotations

from bench.cases import Payload
from bench.http_frames import SERVICE, post_head, split_reply
from bench.request import Request, WrongReply

_VALUE = b"H\x02\x00R"
_METHOD = b"echoPojo"


def build_hessian_request(value: bytes) -> Request:
    """A call with one argument, of which `value` is the encoding in Hessian 2."""
    body = b"H\x02\x00C" + bytes((len(_METHOD),)) + _METHOD + b"\x91" + value
    frame = post_head(f"/{SERVICE}", "x-application/hessian", len(body)) + body

    def check(reply: bytes) -> None:
        # Fields may stand in another order, so the value is judged by its length.
        found = split_reply(reply)
        if not found.startswith(_VALUE) or abs(len(found) - len(_VALUE) - len(value)) > len(value) // 50 + 16:
            raise WrongReply(f"expected a value of {len(value)} bytes, found {found[:300]!r}")

    return Request(frame, Payload.HESSIAN, check)
