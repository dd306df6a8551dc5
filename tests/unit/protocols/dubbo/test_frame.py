"""Frames of dubbo://, cut out of any split of the stream. Bytes are those Java's ExchangeCodec writes."""

import pytest

from gateway.model.errors import RemoteWireError
from protocols.dubbo.frame import FrameSplitter, FrameTooLarge, heartbeat_reply, heartbeat_request, read_only_event

HEARTBEAT = bytes.fromhex("dabb e200 0000000000000007 00000001 4e")
HEARTBEAT_REPLY = bytes.fromhex("dabb 2214 0000000000000007 00000001 4e")
READ_ONLY = bytes.fromhex("dabb a200 0000000000000009 00000002 0152")
EMPTY = bytes.fromhex("dabb c200 ffffffffffffffff 00000000")


def test_events_have_the_bytes_java_sends() -> None:
    assert heartbeat_request(7) == HEARTBEAT
    assert heartbeat_reply(7, 2) == HEARTBEAT_REPLY
    assert read_only_event(9) == READ_ONLY


def test_heartbeat_reply_keeps_the_callers_serialization() -> None:
    assert heartbeat_reply(-2, 23)[:4] == bytes.fromhex("dabb 3714")


def split(*pieces: bytes, limit: int = 1024) -> list[bytes]:
    splitter = FrameSplitter(limit)
    frames: list[bytes] = []
    for piece in pieces:
        splitter.split(piece, frames)
    return frames


STREAM = HEARTBEAT + EMPTY + READ_ONLY + HEARTBEAT_REPLY


def test_whole_stream_in_one_piece() -> None:
    assert split(STREAM) == [HEARTBEAT, EMPTY, READ_ONLY, HEARTBEAT_REPLY]


@pytest.mark.parametrize("at", range(1, len(STREAM)))
def test_every_split_gives_the_same_frames(at: int) -> None:
    assert split(STREAM[:at], STREAM[at:]) == [HEARTBEAT, EMPTY, READ_ONLY, HEARTBEAT_REPLY]


def test_byte_by_byte() -> None:
    assert split(*(STREAM[i : i + 1] for i in range(len(STREAM)))) == [HEARTBEAT, EMPTY, READ_ONLY, HEARTBEAT_REPLY]


def test_pending_bytes_count_the_incomplete_frame() -> None:
    splitter = FrameSplitter(1024)
    frames: list[bytes] = []
    splitter.split(HEARTBEAT + READ_ONLY[:5], frames)
    assert frames == [HEARTBEAT]
    assert splitter.pending_bytes == 5
    splitter.split(READ_ONLY[5:], frames)
    assert splitter.pending_bytes == 0


def test_rubbish_behind_good_frames_is_told_after_them() -> None:
    splitter = FrameSplitter(1024)
    frames: list[bytes] = []
    with pytest.raises(RemoteWireError) as caught:
        splitter.split(HEARTBEAT + b"GET / HTTP/1.1\r\n", frames)
    assert frames == [HEARTBEAT]
    assert caught.value.reason == "bad-magic"
    assert "HTTP" in str(caught.value)


@pytest.mark.parametrize(
    ("first", "shown"),
    [(b"\x16\x03\x01\x02", "TLS"), (b"*1\r\n", "redis"), (b"GET ", "HTTP"), (b"\x00", "unknown"), (b"ls\r\n", "text")],
)
def test_wrong_first_bytes_are_refused_before_a_header_is_complete(first: bytes, shown: str) -> None:
    with pytest.raises(RemoteWireError, match=shown):
        split(first)


def test_first_magic_byte_alone_waits() -> None:
    assert split(b"\xda") == []
    with pytest.raises(RemoteWireError):
        split(b"\xda", b"\xda")


@pytest.mark.parametrize("length", ["7fffffff", "01010101", "ffffffff", "80000000", "00000401"])
def test_impossible_length_is_refused_from_the_header_alone(length: str) -> None:
    header = bytes.fromhex("dabb c200 0000000000000005") + bytes.fromhex(length)
    with pytest.raises(FrameTooLarge, match=r"is outside 0\.\.1024 bytes$") as caught:
        split(header)
    assert caught.value.reason == "frame-too-large"
    assert caught.value.header == header


def test_body_of_exactly_the_limit_is_taken() -> None:
    frame = bytes.fromhex("dabb c200 0000000000000005 00000400") + bytes(1024)
    assert split(frame) == [frame]


def test_nothing_is_allocated_for_a_declared_length() -> None:
    splitter = FrameSplitter(1 << 30)
    splitter.split(bytes.fromhex("dabb c200 0000000000000005 3fffffff") + b"x", [])
    assert splitter.pending_bytes == 17
