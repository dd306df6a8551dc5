"""Frames of rmi:// put together by hand from docs/rmi.md, with payloads that CPython's pickle wrote, and answers taken
apart with it: they come from a gateway of this test run. Nothing here comes from the code under test."""

from __future__ import annotations

import hashlib
import hmac
import os
import pickle
import struct
import time
from dataclasses import dataclass
from typing import Any

__all__ = ["HEAD_BYTES", "RmiAnswer", "call", "first_answer", "frame", "said", "signed"]

HEAD_BYTES = 36


@dataclass(frozen=True)
class RmiAnswer:
    """One frame that came back. `reply`: the dict of a reply, empty for a refusal. `reason`: of a refusal."""

    kind: int
    reason: int
    reply: dict[str, Any]


def frame(payload: bytes, *, kind: int = 1, length: int | None = None) -> bytes:
    """A frame without a signature. `length`: what it says of its payload."""
    return (
        b"PRMI\x01"
        + bytes((kind, 0, 0))
        + struct.pack(">I", len(payload) if length is None else length)
        + bytes(24)
        + payload
    )


def signed(payload: bytes, secret: str, key: str = "key", *, nonce: bytes = b"", made_ms: int | None = None) -> bytes:
    """A call with a signature; of this moment and with a new nonce unless said otherwise."""
    made_ms = time.time_ns() // 1_000_000 if made_ms is None else made_ms
    name = key.encode()
    head = (
        b"PRMI\x01\x01"
        + bytes((len(name), 0))
        + struct.pack(">IQ", len(payload), made_ms)
        + (nonce or os.urandom(16))
        + name
    )
    return head + hmac.new(secret.encode(), head + payload, hashlib.sha256).digest() + payload


def said(method: str = "count", *arguments: Any, group: str = "", **more: Any) -> bytes:
    """The payload of a call; of demo.Catalog for methods without `echo` in their name."""
    service = "demo.Types" if method.startswith("echo") else "demo.Catalog"
    return pickle.dumps({"service": service, "method": method, "args": arguments, "group": group, **more}, 4)


def call(method: str = "count", *arguments: Any, group: str = "", **more: Any) -> bytes:
    """A call without a signature."""
    return frame(said(method, *arguments, group=group, **more))


def first_answer(data: bytes) -> tuple[RmiAnswer, int] | None:
    """The first frame in `data` and where it ends; None while it is not complete."""
    if len(data) < HEAD_BYTES:
        return None
    assert data[:5] == b"PRMI\x01", data[:80]
    (size,) = struct.unpack_from(">I", data, 8)
    start = HEAD_BYTES + data[6] + (32 if data[6] else 0)
    if len(data) < start + size:
        return None
    return RmiAnswer(data[5], data[7], pickle.loads(data[start : start + size]) if size else {}), start + size
