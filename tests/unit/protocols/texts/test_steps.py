"""Many small commands in one segment, for both wires: they are taken in steps, and nothing piles up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from protocols.contract import Send
from tests.support.text_codecs import memcached_codec, redis_codec, steps

FLOODS = {
    "redis, inline": (redis_codec, b"PING\n", b"+PONG\r\n"),
    "redis, usual": (redis_codec, b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"),
    "memcached": (memcached_codec, b"mn\n", b"MN\r\n"),
}
LARGE = {"redis": (redis_codec, b"COMMAND DOCS\n"), "memcached": (memcached_codec, b"stats\n")}


@pytest.mark.parametrize("name", FLOODS)
def test_many_commands_are_taken_in_steps(name: str) -> None:
    make, command, answer = FLOODS[name]
    made = steps(make(), command * 1_000)
    assert [len(each) <= 256 for each in made] == [True] * 4
    assert b"".join(each.data for events in made for each in events if isinstance(each, Send)) == answer * 1_000


@pytest.mark.parametrize("name", LARGE)
def test_no_more_large_answers_are_made_before_the_first_have_left(name: str) -> None:
    make, command = LARGE[name]
    first = make()
    (only,) = first.receive(command, 0.0)
    assert isinstance(only, Send)
    for events in steps(make(), command * 500):
        assert sum(len(each.data) for each in events if isinstance(each, Send)) <= 65_536 + 2 * len(only.data)


@pytest.mark.parametrize("make", [redis_codec, memcached_codec])
def test_half_a_command_behind_a_step_waits_for_the_rest(make: Callable[[], object]) -> None:
    codec = redis_codec() if make is redis_codec else memcached_codec()
    flood = b"PING\r\n" * 300 if make is redis_codec else b"mn\r\n" * 300
    made = steps(codec, flood + b"ge")
    assert sum(map(len, made)) == 300
    assert codec.pending_bytes == 2
    (call,) = codec.receive(b"t store:a\r\n", 0.0)
    assert type(call).__name__ == "CallReceived"
