"""Frames and their signatures. The expected bytes are put together here by hand, from the table in docs/rmi.md."""

from __future__ import annotations

import hashlib
import hmac
import struct

import pytest

from protocols.replay import Admission, ReplayGuard
from protocols.rmi.frame import BadFrame, Kind, Reason, frame_bytes, read_head, split, write_head
from protocols.rmi.signature import BadSignature, Seal, Seals, Start, refusal

SECRET = "0123456789abcdef"
NONCE = bytes(range(16))
NOW = 1_790_000_000_000
LIMIT = 1 << 20


def by_hand(payload: bytes, *, kind: int = 1, key: bytes = b"shop", secret: str = SECRET, made: int = NOW) -> bytes:
    head = b"PRMI\x01" + bytes((kind, len(key), 0)) + struct.pack(">IQ", len(payload), made) + NONCE + key
    return head + hmac.new(secret.encode(), head + payload, hashlib.sha256).digest() + payload


def seals(window_s: float = 30.0, most: int = 1_000, start: Start | None = None) -> Seals:
    return Seals({"shop": SECRET, "other": "f" * 16}, window_s, ReplayGuard(most), start)


def opened(data: bytes, by: Seals, now: int = NOW, at: float = 0.0) -> Seal:
    head = read_head(data, LIMIT)
    assert head is not None
    return by.open(split(data, head), now, at)


def test_a_signed_frame_has_the_bytes_of_the_document() -> None:
    assert Seal("shop", SECRET.encode()).sealed(Kind.CALL, [b"N."], NOW, NONCE) == by_hand(b"N.")


def test_the_example_of_the_document() -> None:
    # The signature by `openssl dgst -sha256 -hmac 0123456789abcdef`.
    found = Seal("shop", SECRET.encode()).sealed(Kind.CALL, [b"N."], NOW, NONCE)
    assert found.hex() == (
        "50524d490101040000000002000001a0c4506c00000102030405060708090a0b0c0d0e0f73686f70"
        "f770bef8ffd872fe04a4cc1e7bf3efd0d925436021edaead5ec05af9ebf16b454e2e"
    )


def test_a_frame_without_signature_has_the_bytes_of_the_document() -> None:
    expected = b"PRMI\x01\x01\x00\x00\x00\x00\x00\x02" + bytes(24) + b"N."
    assert frame_bytes(write_head(Kind.CALL, 2), b"", [b"N."]) == expected


def test_a_refusal_has_the_bytes_of_the_document() -> None:
    assert refusal(Reason.TOO_LARGE) == b"PRMI\x01\x03\x00\x03" + bytes(28)


def test_the_signature_says_who_called() -> None:
    assert opened(by_hand(b"N."), seals()).key_id == b"shop"


def is_taken(data: bytes) -> bool:
    try:
        head = read_head(data, LIMIT)
        # A head that announces more than there is is waited for.
        return head is not None and head.total_bytes <= len(data) and opened(data, seals()) is not None
    except (BadSignature, BadFrame):
        return False


@pytest.mark.parametrize("at", range(len(by_hand(b"N."))))
def test_r5_every_changed_bit_is_noticed(at: int) -> None:
    for bit in range(8):
        data = bytearray(by_hand(b"N."))
        data[at] ^= 1 << bit
        assert not is_taken(bytes(data))


R5 = {
    "unknown key": (by_hand(b"N.", key=b"nobody"), "signature"),
    "key of somebody else": (by_hand(b"N.", key=b"other"), "signature"),
    "other secret": (by_hand(b"N.", secret="x" * 16), "signature"),
    "no signature": (frame_bytes(write_head(Kind.CALL, 2), b"", [b"N."]), "not-signed"),
    "old": (by_hand(b"N.", made=NOW - 30_001), "clock-skew"),
    "from the future": (by_hand(b"N.", made=NOW + 30_001), "clock-skew"),
    "from the beginning of time": (by_hand(b"N.", made=0), "clock-skew"),
    "from the end of time": (by_hand(b"N.", made=(1 << 64) - 1), "clock-skew"),
}


@pytest.mark.parametrize("name", R5)
def test_r5_a_call_that_is_not_signed_well_is_refused(name: str) -> None:
    data, code = R5[name]
    with pytest.raises(BadSignature) as raised:
        opened(data, seals())
    assert raised.value.code == code


@pytest.mark.parametrize("skew_ms", [-30_000, 0, 30_000])
def test_clocks_may_differ_by_the_window(skew_ms: int) -> None:
    opened(by_hand(b"N.", made=NOW + skew_ms), seals())


@pytest.mark.parametrize("made", [NOW - 30_000, NOW, NOW + 30_000])
def test_r5_a_call_is_taken_once_as_long_as_its_age_lets_it(made: int) -> None:
    known = seals()
    data = by_hand(b"N.", made=made)
    opened(data, known, made if made < NOW else NOW)
    for now in range(max(NOW, made - 30_000), made + 30_000 + 1, 7_500):
        with pytest.raises(BadSignature) as raised:
            opened(data, known, now)
        assert raised.value.code == "replayed"
    with pytest.raises(BadSignature) as raised:
        opened(data, known, made + 30_001)
    assert raised.value.code == "clock-skew"


def test_the_same_nonce_of_another_key_is_another_call() -> None:
    known = seals()
    opened(by_hand(b"N."), known)
    opened(by_hand(b"N.", key=b"other", secret="f" * 16), known)


def test_a_wrong_signature_is_not_remembered() -> None:
    known = seals()
    with pytest.raises(BadSignature):
        opened(by_hand(b"N.", secret="x" * 16), known)
    opened(by_hand(b"N."), known)


def test_what_is_remembered_is_bounded_and_forgotten_in_time() -> None:
    guard = ReplayGuard(most=100)
    for number in range(100):
        assert guard.admit(str(number).encode(), NOW + 10_000, NOW) is Admission.NEW
    assert guard.admit(b"one more", NOW + 10_000, NOW) is Admission.FULL
    assert guard.admit(b"7", NOW + 10_000, NOW) is Admission.KNOWN
    assert len(guard) == 100
    assert guard.admit(b"one more", NOW + 40_000, NOW + 11_000) is Admission.NEW
    assert len(guard) == 1


def test_a_call_that_may_have_been_taken_before_is_refused_as_busy_and_not_as_replayed() -> None:
    known = seals(most=1)
    opened(by_hand(b"N.", key=b"other", secret="f" * 16), known)
    with pytest.raises(BadSignature) as raised:
        opened(by_hand(b"N."), known)
    assert (raised.value.code, raised.value.reason) == ("too-many-nonces", Reason.BUSY)
    with pytest.raises(BadSignature) as raised:
        opened(by_hand(b"N.", key=b"other", secret="f" * 16), known)
    assert (raised.value.code, raised.value.reason) == ("replayed", Reason.UNAUTHENTICATED)


def test_calls_made_before_the_listener_started_are_refused_as_long_as_they_are_not_too_old_anyway() -> None:
    known = seals(start=Start(NOW, 500.0))
    with pytest.raises(BadSignature) as raised:
        opened(by_hand(b"N.", made=NOW - 201), known, NOW, 500.0)
    assert (raised.value.code, raised.value.reason) == ("made-before", Reason.BUSY)
    opened(by_hand(b"N.", made=NOW - 200), known, NOW, 500.0)
    # Signed by somebody else they are strangers, whenever they were made.
    with pytest.raises(BadSignature, match="wrong signature"):
        opened(by_hand(b"N.", made=NOW - 201, secret="x" * 16), known, NOW, 500.0)


def test_a_clock_that_was_ahead_when_the_listener_started_refuses_calls_for_no_longer_than_the_window() -> None:
    known = seals(start=Start(NOW + 3_600_000, 500.0))
    with pytest.raises(BadSignature):
        opened(by_hand(b"N.", made=NOW + 1_000), known, NOW + 1_000, 501.0)
    with pytest.raises(BadSignature):
        opened(by_hand(b"N.", made=NOW + 30_000), known, NOW + 30_000, 530.0)
    opened(by_hand(b"N.", made=NOW + 30_001), known, NOW + 30_001, 530.001)


def test_a_clock_that_was_set_back_still_lets_forget() -> None:
    guard = ReplayGuard(most=2)
    assert guard.admit(b"in an hour", NOW + 3_610_000, NOW + 3_600_000) is Admission.NEW
    assert guard.admit(b"now", NOW + 10_000, NOW) is Admission.NEW
    assert guard.admit(b"later", NOW + 40_000, NOW + 30_000) is Admission.NEW
    assert guard.admit(b"now", NOW + 40_000, NOW + 30_000) is Admission.FULL


def reply(kind: int = 2, key: bytes = b"shop", secret: str = SECRET) -> bytes:
    return by_hand(b"N.", kind=kind, key=key, secret=secret)


def test_a_reply_belongs_to_its_call() -> None:
    seal = Seal("shop", SECRET.encode())
    head = read_head(reply(), LIMIT)
    assert head is not None
    seal.check_reply(split(reply(), head), NONCE)
    with pytest.raises(BadSignature):
        seal.check_reply(split(reply(), head), bytes(16))


@pytest.mark.parametrize(
    "data",
    [reply(secret="x" * 16), reply(key=b"other"), frame_bytes(write_head(Kind.REPLY, 2, nonce=NONCE), b"", [b"N."])],
)
def test_a_reply_that_somebody_else_made_is_refused(data: bytes) -> None:
    head = read_head(data, LIMIT)
    assert head is not None
    with pytest.raises(BadSignature):
        Seal("shop", SECRET.encode()).check_reply(split(data, head), NONCE)


BAD = {
    "other magic": (b"GET / HTTP/1.1", "bad-magic"),
    "first byte": (b"Q", "bad-magic"),
    "version": (b"PRMI\x02" + bytes(31), "version"),
    "kind 0": (b"PRMI\x01\x00" + bytes(30), "malformed"),
    "kind 4": (b"PRMI\x01\x04" + bytes(30), "malformed"),
    "key id of 65 bytes": (b"PRMI\x01\x01\x41" + bytes(29), "malformed"),
    "unknown reason": (b"PRMI\x01\x03\x00\x05" + bytes(28), "malformed"),
    "one byte too many": (write_head(Kind.CALL, LIMIT + 1), "frame-too-large"),
    "4 GiB": (write_head(Kind.CALL, (1 << 32) - 1), "frame-too-large"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_frame_is_refused_by_its_head(name: str) -> None:
    data, code = BAD[name]
    with pytest.raises(BadFrame) as raised:
        read_head(data, LIMIT)
    assert raised.value.code == code
    codes = {code_of(data[:size]) for size in range(len(data))}
    assert codes <= {"", code}


def code_of(data: bytes) -> str:
    try:
        assert read_head(data, LIMIT) is None
    except BadFrame as exc:
        return exc.code
    return ""
