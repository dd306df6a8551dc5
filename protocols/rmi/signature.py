"""Signed frames: who may call, and that a call is made once.

A signature is an HMAC-SHA256 (RFC 2104) with a shared secret, over the head of a frame, its key id and its payload. The
head has a time and a nonce: a call is taken while the clocks differ by no more than the window, and each nonce once. A
reply repeats the nonce of its call and is signed with the same key, so it answers this call and no other.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from protocols.replay import Admission, ReplayGuard
from protocols.rmi.frame import SIGNATURE_BYTES, Frame, Kind, Reason, frame_bytes, write_head

__all__ = ["MIN_SECRET_BYTES", "BadSignature", "Seal", "Seals", "Start", "refusal"]

MIN_SECRET_BYTES: Final = 16
"""A shorter secret can be guessed from one recorded call."""
_NOBODY: Final = b"\0" * 32
_START_MS: Final = 200
"""As long as that a process needs at least from its start until it listens, so nobody before it has taken a call made
since; and a caller may need between making a call and being connected."""


class BadSignature(ValueError):
    """A frame that is not from whom it should be, or was perhaps taken before.

    `code`: a short stable word for logs. `reason`: what its refusal says.
    """

    def __init__(self, message: str, code: str, reason: Reason = Reason.UNAUTHENTICATED) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class Seal:
    """One key: an id that everybody may see, and the secret behind it."""

    __slots__ = ("_begun", "key_id")

    def __init__(self, key_id: str, secret: bytes) -> None:
        self.key_id: Final = key_id.encode()
        # Keyed once: hashing the padded secret again for each frame would take half of the time.
        self._begun: Final = hmac.new(secret, None, hashlib.sha256)

    def signature(self, *parts: bytes | memoryview) -> bytes:
        """The signature of these bytes, one after the other."""
        begun = self._begun.copy()
        for each in parts:
            begun.update(each)
        return begun.digest()

    def sealed(self, kind: Kind, payload: Sequence[bytes], made_ms: int, nonce: bytes) -> bytes:
        """A signed frame. `payload`: in pieces."""
        size = sum(map(len, payload))
        head = write_head(kind, size, key_id=self.key_id, made_ms=made_ms, nonce=nonce)
        return frame_bytes(head, self.signature(head, *payload), payload)

    def check_reply(self, frame: Frame, nonce: bytes) -> None:
        """That the frame is a reply to the call with this nonce, from somebody who has the key.

        Raises:
            BadSignature: it is not.
        """
        signed = hmac.compare_digest(self.signature(*frame.signed), frame.signature.ljust(SIGNATURE_BYTES, b"\0"))
        if not signed or frame.key_id.encode() != self.key_id or frame.head.nonce != nonce:
            raise BadSignature("the reply is not signed by who has the key, or belongs to another call", "signature")


class Start(NamedTuple):
    """When a listener began to remember nonces: by the clock of calls (ms since 1970), and by a monotonic one (s)."""

    wall_ms: int
    at: float


class Seals:
    """The keys a listener knows, each call's signature checked before anything else of it is looked at.

    `window_s`: how far the clocks may differ. `guard`: remembers nonces. `start`: calls that were made before are
    refused, as whoever listened before may have taken them; None where nobody did.
    """

    def __init__(
        self, secrets: Mapping[str, str], window_s: float, guard: ReplayGuard, start: Start | None = None
    ) -> None:
        self._seals = {key_id: Seal(key_id, secret.encode()) for key_id, secret in secrets.items()}
        self._nobody = Seal("", _NOBODY)
        self._window_ms = int(window_s * 1000)
        self._guard = guard
        self._start = start

    def open(self, frame: Frame, now_ms: int, now: float) -> Seal:
        """The key a call is signed with; what it says may be believed. `now_ms`: by this machine's clock; `now`: by the
        monotonic one.

        Raises:
            BadSignature: it is refused. Unknown keys take as long as wrong signatures.
        """
        head = frame.head
        if not head.key_id_bytes:
            raise BadSignature("the call is not signed", "not-signed")
        seal = self._seals.get(frame.key_id)
        expected = (seal or self._nobody).signature(*frame.signed)
        if not hmac.compare_digest(expected, frame.signature) or seal is None:
            raise BadSignature("an unknown key or a wrong signature", "signature")
        if abs(now_ms - head.made_ms) > self._window_ms:
            raise BadSignature(f"the clocks differ by {abs(now_ms - head.made_ms) / 1000:.0f} s", "clock-skew")
        start = self._start
        if start is not None:
            # Measured on the monotonic clock, as the other one may have been wrong at the start.
            if (now - start.at) * 1000 > self._window_ms:
                self._start = None  # older calls are too old by now
            elif head.made_ms < start.wall_ms - _START_MS:
                raise BadSignature("the call was made before this listener started", "made-before", Reason.BUSY)
        match self._guard.admit(seal.key_id + head.nonce, head.made_ms + self._window_ms, now_ms):
            case Admission.KNOWN:
                raise BadSignature("the call was made before", "replayed")
            case Admission.FULL:
                # Not "safe to repeat": whoever has recorded it may send it again when there is room.
                raise BadSignature("too many calls are remembered", "too-many-nonces", Reason.BUSY)
        return seal


def refusal(reason: Reason) -> bytes:
    """The frame that refuses a call before it was read."""
    return write_head(Kind.REFUSAL, 0, reason=reason)
