"""The requests of redis and memcached, as their specifications show such commands."""

from __future__ import annotations

import pytest

from bench.cases import Payload
from bench.request import WrongReply
from bench.text_frames import build_text_request

TEXT = b"The quick "


@pytest.mark.parametrize(
    ("payload", "frame", "reply"),
    [
        (Payload.REDIS_GET, b"*2\r\n$3\r\nGET\r\n$8\r\nbench:10\r\n", b"$10\r\nThe quick \r\n"),
        (Payload.REDIS_CALL, b"*2\r\n$15\r\nbench.Echo.echo\r\n$10\r\nThe quick \r\n", b"$10\r\nThe quick \r\n"),
        (Payload.MEMCACHED_GET, b"get bench:10\r\n", b"VALUE bench:10 0 10\r\nThe quick \r\nEND\r\n"),
    ],
)
def test_commands_and_replies(payload: Payload, frame: bytes, reply: bytes) -> None:
    request = build_text_request(payload, len(TEXT))

    assert (request.frame, request.reply) == (frame, reply)
    request.check_reply(reply)
    with pytest.raises(WrongReply):
        request.check_reply(reply.replace(b"q", b"Q"))
