from __future__ import annotations

import pytest

from gateway.model.call import Ok
from protocols.contract import CallReceived, Send
from tests.support.text_codecs import redis_codec, run, steps


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        # As Redis 7.0.15 answers them.
        (b"EXPIRE store:a 9223372036854775807", b"-ERR invalid expire time in 'expire' command\r\n"),
        (b"EXPIRE store:a -9223372036854775808", b"-ERR invalid expire time in 'expire' command\r\n"),
        (b"SET store:a 1 EX 9223372036854775807", b"-ERR invalid expire time in 'set' command\r\n"),
        (b"SET store:a 1 PX 9223372036854775808", b"-ERR value is not an integer or out of range\r\n"),
        (b"PEXPIRE store:a 9223372036854775807", b"-ERR invalid expire time in 'pexpire' command\r\n"),
        (b"SET store:a 1 EX 0", b"-ERR invalid expire time in 'set' command\r\n"),
        # Which a timedelta is too small for.
        (
            b"EXPIRE store:a 922337203685477",
            b"-RPCERR bad-request expire: ttl: 922337203685477 seconds are too many\r\n",
        ),
    ],
)
def test_times_that_cannot_be(command: bytes, reply: bytes) -> None:
    assert run(redis_codec(), command + b"\r\n", lambda call: Ok(True)) == reply


def test_replies_of_a_batch_have_the_version_of_resp_that_it_chooses() -> None:
    sent = run(redis_codec(), b"MULTI\r\nGET store:a\r\nHELLO 3\r\nGET store:a\r\nEXEC\r\n", lambda call: Ok(None))
    assert b"*3\r\n$-1\r\n%7\r\n" in sent
    assert sent.endswith(b"*0\r\n_\r\n")


def test_a_data_command_is_not_called_oneway() -> None:
    # INCR adds, and where that gave nothing makes the key or adds again: it would add twice here.
    refused, called, generally = (
        [event for events in steps(redis_codec(), b"WITH oneway yes -- %b\r\n" % command) for event in events]
        for command in (b"INCR store:a", b"demo.Store.clear", b"CALL demo.Store clear")
    )
    (said,) = refused
    assert isinstance(said, Send)
    assert said.data.startswith(b"-ERR WITH oneway cannot stand before incr")
    for events in (called, generally):
        call, said = events
        assert isinstance(call, CallReceived)
        assert call.ticket is None
        assert isinstance(said, Send)
        assert said.data == b"+OK\r\n"
