"""Small commands that ask for much: memory, time, and replies that no limit of one message holds."""

from __future__ import annotations

import pytest

from gateway.model.call import Invocation, Ok
from protocols.contract import CallReceived, Outcome
from protocols.redis.command import Refused
from protocols.redis.glob import Glob
from tests.support.text_codecs import FRAME_BYTES, redis_codec, run, steps

LARGE = b"x" * (FRAME_BYTES // 4)


def command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(each), each) for each in words)


def large(call: CallReceived) -> Outcome:
    return Ok(LARGE)


@pytest.mark.parametrize("words", [(b"MGET", *[b"store:a"] * 5), (b"MGET", *[b"store:a"] * 1_000)])
def test_values_of_many_keys_are_held_within_the_limit_of_a_message(words: tuple[bytes, ...]) -> None:
    made: list[Invocation] = []

    def answer(call: CallReceived) -> Outcome:
        made.append(call.invocation)
        return Ok(LARGE)

    assert run(redis_codec(), command(*words), answer).startswith(b"-RPCERR provider-failed")
    assert len(made) <= 256


def test_few_values_are_given() -> None:
    assert run(redis_codec(), command(b"MGET", *[b"store:a"] * 3), large).count(LARGE) == 3


def test_calls_of_one_command_are_made_some_at_a_time_and_all_of_them() -> None:
    made = 0

    def answer(call: CallReceived) -> Outcome:
        nonlocal made
        made += 1
        return Ok(None)

    codec = redis_codec()
    first, *_ = steps(codec, command(b"MGET", *[b"store:%d" % each for each in range(1_000)]))
    assert len(first) == 256
    assert run(redis_codec(), command(b"DEL", *[b"store:%d" % each for each in range(1_000)]), answer) == b":1000\r\n"
    assert made == 1_000


def test_the_replies_of_a_batch_are_held_within_the_limit_of_a_message() -> None:
    reply = run(redis_codec(), b"MULTI\r\n" + b"GET store:a\r\n" * 100 + b"PING\r\nEXEC\r\n", large)
    assert reply.count(LARGE) == 3
    assert reply.count(b"-RPCERR provider-failed/never the answer cannot be sent: the replies of the batch") == 98
    assert len(reply) < FRAME_BYTES + 100 * 200


def test_arguments_without_bytes_count_in_a_batch() -> None:
    codec = redis_codec()
    empty = command(b"DEL", *[b""] * 20_000)
    replies = run(codec, b"MULTI\r\n" + empty * 10 + b"EXEC\r\n", large)
    assert b"-ERR more than 10000 commands in a batch, or 1048576 bytes" in replies
    assert replies.endswith(b"-EXECABORT Transaction discarded because of previous errors.\r\n")


@pytest.mark.parametrize("words", [(b"COMMAND", b"INFO"), (b"COMMAND", b"DOCS"), (b"CONFIG", b"GET")])
def test_what_is_asked_about_the_listener_is_not_asked_without_end(words: tuple[bytes, ...]) -> None:
    asked = [b"client", b"CLIENT"] * 1_000
    assert run(redis_codec(), command(*words, *asked), large) == b"-ERR more than 256 names or patterns\r\n"


def test_more_arguments_than_a_command_can_have_lose_the_connection() -> None:
    codec = redis_codec()
    assert codec.receive(b"*65537\r\n", 0.0) == []
    assert codec.broken is not None
    assert codec.broken.farewell == b"-ERR Protocol error: invalid multibulk length\r\n"


@pytest.mark.parametrize("pattern", [b"a" * 1_025, b"?" * 65, b"[a]" * 65])
def test_patterns_have_a_longest_form(pattern: bytes) -> None:
    with pytest.raises(Refused, match="the pattern"):
        Glob(pattern)


@pytest.mark.parametrize(
    "pattern", [b"*a" * 511 + b"b", b"*" + b"a" * 1_000 + b"b", b"*" + b"?" * 60 + b"b*", b"*[ab]" * 64 + b"c"]
)
def test_a_pattern_with_many_stars_takes_no_time_on_a_long_key(pattern: bytes) -> None:
    # A search that begins anew at every place takes some 10^9 steps here.
    assert not Glob(pattern).matches(b"a" * 1_000_000)


def test_a_reply_has_the_version_of_resp_that_was_chosen_before_its_command() -> None:
    codec = redis_codec()
    ((get, *_),) = steps(codec, b"GET store:a\r\nHELLO 3\r\n")
    assert isinstance(get, CallReceived)
    assert codec.reply(get.ticket, Ok(None)).startswith(b"$-1\r\n%7\r\n")


@pytest.mark.parametrize("words", [b"COMMAND", b"COMMAND DOCS", b"CONFIG GET *", b"CLIENT REPLY OFF"])
def test_what_takes_time_or_has_no_reply_does_not_stand_in_a_batch(words: bytes) -> None:
    replies = run(redis_codec(), b"MULTI\r\n" + words + b"\r\nEXEC\r\n", large)
    assert replies.splitlines() == [
        b"+OK",
        b"-ERR Command not allowed inside a transaction",
        b"-EXECABORT Transaction discarded because of previous errors.",
    ]
