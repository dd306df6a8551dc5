"""The request of Thrift that is sent: a framed message in the strict binary encoding, written by hand.

Source: apache/thrift: doc/specs/thrift-binary-protocol.md and thrift-rpc.md.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from bench.cases import Payload
from bench.request import Request, WrongReply

LENGTH_BYTES = 4
SEQID_OFFSET = 16
"""Where the sequence id of four bytes lies in requests and replies, behind the name of the method."""

_METHOD = b"echo"
_VERSION = 0x8001
_CALL, _REPLY = 1, 2
_STRING, _STOP = 11, 0
_ARGUMENT, _RESULT = 1, 0


def build_thrift_request(text: str) -> Request:
    """A call that gives this text back. Its sequence id is 0 and meant to be replaced."""
    frame, answer = (_frame(kind, id, text) for kind, id in ((_CALL, _ARGUMENT), (_REPLY, _RESULT)))
    return Request(frame, Payload.THRIFT, _check_answer(answer))


def _frame(kind: int, id: int, text: str) -> bytes:
    """A message whose struct has nothing but a string under `id`."""
    data = text.encode()
    message = struct.pack(f">HBBi{len(_METHOD)}si", _VERSION, 0, kind, len(_METHOD), _METHOD, 0)
    message += struct.pack(">bhi", _STRING, id, len(data)) + data + bytes([_STOP])
    return struct.pack(">i", len(message)) + message


def _check_answer(answer: bytes) -> Callable[[bytes], None]:
    def check(reply: bytes) -> None:
        if reply != answer:
            raise WrongReply(f"expected {answer[:60]!r}, found {reply[:300]!r}")

    return check
