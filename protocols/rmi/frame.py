"""The one frame that a connection of rmi:// carries in each direction.

| offset | bytes | what |
| --- | --- | --- |
| 0 | 4 | `PRMI` |
| 4 | 1 | version, 1 |
| 5 | 1 | kind: 1 call, 2 reply, 3 refusal |
| 6 | 1 | length of the key id, 0 to 64; 0 says that the frame is not signed |
| 7 | 1 | reason of a refusal (`Reason`), otherwise 0 |
| 8 | 4 | length of the payload |
| 12 | 8 | when it was made: milliseconds since 1970 by the sender's clock; 0 where it is not signed |
| 20 | 16 | nonce: of a call random, of a reply that of its call; zeros where it is not signed |
| 36 | k | key id, UTF-8 |
| 36 + k | 32 or 0 | signature: HMAC-SHA256 of all bytes before it and the payload behind it |
| … | n | payload, one pickle; of a refusal none |

Numbers are unsigned and big-endian. Like the other modules of the plain client (`adapters.rmi_client`) this one uses
the standard library alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

__all__ = ["HEAD_BYTES", "MAGIC", "MAX_KEY_ID_BYTES", "NONCE_BYTES", "SIGNATURE_BYTES", "BadFrame", "Frame", "Head",
           "Kind", "Reason", "frame_bytes", "read_head", "split", "write_head"]  # fmt: skip

MAGIC: Final = b"PRMI"
VERSION: Final = 1
NONCE_BYTES: Final = 16
SIGNATURE_BYTES: Final = 32
MAX_KEY_ID_BYTES: Final = 64
_HEAD: Final = Struct(">4sBBBBIQ16s")
HEAD_BYTES: Final = _HEAD.size
"""Of the part before the key id."""
_NO_NONCE: Final = bytes(NONCE_BYTES)


class Kind(IntEnum):
    """What a frame is."""

    CALL = 1
    REPLY = 2
    REFUSAL = 3
    """The call was not even read. It is not signed: nothing but its reason may be believed."""


class Reason(IntEnum):
    """Why a call was not read."""

    NONE = 0
    UNAUTHENTICATED = 1
    """No signature where one is asked for, an unknown key, a wrong signature, a clock too far off, a nonce again."""
    MALFORMED = 2
    """No frame of this version, or not one that a caller sends."""
    TOO_LARGE = 3
    """The payload is longer than the listener takes."""
    BUSY = 4
    """Well signed, but whether it was taken before cannot be told now. One that is made later may be taken."""


# Calling an enum class takes as long as reading the rest of a head.
_KINDS: Final = {each.value: each for each in Kind}
_REASONS: Final = {each.value: each for each in Reason}


class BadFrame(ValueError):
    """Bytes that begin no frame. `reason`: what a refusal says; `code`: a short stable word for logs."""

    def __init__(self, message: str, reason: Reason = Reason.MALFORMED, code: str = "malformed") -> None:
        super().__init__(message)
        self.reason = reason
        self.code = code


class Head(NamedTuple):
    """The fixed part of a frame."""

    kind: Kind
    key_id_bytes: int
    reason: Reason
    payload_bytes: int
    made_ms: int
    nonce: bytes

    @property
    def prefix_bytes(self) -> int:
        """Length of everything before the payload."""
        return HEAD_BYTES + self.key_id_bytes + (SIGNATURE_BYTES if self.key_id_bytes else 0)

    @property
    def total_bytes(self) -> int:
        """Length of the whole frame."""
        return self.prefix_bytes + self.payload_bytes


class Frame(NamedTuple):
    """A complete frame, not yet verified.

    `data`: ends with the payload, which begins at `payload_at`. `signed`: the bytes that the signature is of, in two
    parts.
    """

    head: Head
    key_id: str
    signature: bytes
    data: bytes
    payload_at: int
    signed: tuple[memoryview, memoryview]


def write_head(
    kind: Kind,
    payload_bytes: int,
    *,
    key_id: bytes = b"",
    reason: Reason = Reason.NONE,
    made_ms: int = 0,
    nonce: bytes = _NO_NONCE,
) -> bytes:
    """Everything of a frame before its signature, or before its payload where it is not signed."""
    return _HEAD.pack(MAGIC, VERSION, kind, len(key_id), reason, payload_bytes, made_ms, nonce) + key_id


def read_head(data: bytes | bytearray | memoryview, max_payload_bytes: int) -> Head | None:
    """The head of the frame that begins so; None while it is not complete.

    Raises:
        BadFrame: this is no frame, or one with a longer payload. Said as soon as it can be known.
    """
    seen = bytes(data[: len(MAGIC)])
    if not MAGIC.startswith(seen):
        raise BadFrame("the bytes begin no frame", code="bad-magic")
    if len(data) < HEAD_BYTES:
        return None
    _, version, kind, key_id_bytes, reason, payload_bytes, made_ms, nonce = _HEAD.unpack_from(data)
    if version != VERSION:
        raise BadFrame(f"version {version} of the frame is not known here", code="version")
    if kind not in _KINDS or reason not in _REASONS:
        raise BadFrame(f"a frame of kind {kind} with reason {reason}")
    if key_id_bytes > MAX_KEY_ID_BYTES:
        raise BadFrame(f"a key id of {key_id_bytes} bytes; at most {MAX_KEY_ID_BYTES} are taken")
    if payload_bytes > max_payload_bytes:
        text = f"a payload of {payload_bytes} bytes; at most {max_payload_bytes} are taken"
        raise BadFrame(text, Reason.TOO_LARGE, "frame-too-large")
    return Head(_KINDS[kind], key_id_bytes, _REASONS[reason], payload_bytes, made_ms, nonce)


def split(data: bytes, head: Head) -> Frame:
    """The parts of a complete frame; `data` is at least `head.total_bytes` long. Copies only what is too long.

    Raises:
        BadFrame: the key id is no text.
    """
    at = head.prefix_bytes
    if len(data) > at + head.payload_bytes:
        data = data[: at + head.payload_bytes]
    view = memoryview(data)
    if not head.key_id_bytes:
        return Frame(head, "", b"", data, at, (view[:at], view[at:]))
    key_end = HEAD_BYTES + head.key_id_bytes
    try:
        key_id = str(view[HEAD_BYTES:key_end], "utf-8")
    except UnicodeDecodeError:
        raise BadFrame("a key id that is no UTF-8") from None
    return Frame(head, key_id, bytes(view[key_end:at]), data, at, (view[:key_end], view[at:]))


def frame_bytes(head: bytes, signature: bytes, payload: Iterable[bytes]) -> bytes:
    """A whole frame from its parts; the payload's pieces are joined here and nowhere else."""
    return b"".join((head, signature, *payload))
