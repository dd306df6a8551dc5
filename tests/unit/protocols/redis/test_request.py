"""Commands out of a stream, however it is cut."""

from __future__ import annotations

import pytest

from gateway.model.errors import RemoteWireError
from protocols.redis.request import RequestReader
from tests.support.redis_bytes import command

SAMPLES: dict[str, tuple[bytes, list[list[bytes]]]] = {
    "one word": (command("PING"), [[b"PING"]]),
    "several": (command("SET", "a", "b") + command("GET", "a"), [[b"SET", b"a", b"b"], [b"GET", b"a"]]),
    "empty word": (command("ECHO", ""), [[b"ECHO", b""]]),
    "line ends inside": (command("ECHO", "a\r\n$1\r\nb"), [[b"ECHO", b"a\r\n$1\r\nb"]]),
    "long word": (command("ECHO", b"x" * 3_000), [[b"ECHO", b"x" * 3_000]]),
    "many words": (command(*["a"] * 100), [[b"a"] * 100]),
    "no words": (b"*0\r\n*-1\r\n" + command("PING"), [[b"PING"]]),
    "a line": (b"SET  a 'b c'\r\n", [[b"SET", b"a", b"b c"]]),
    "a line without return": (b"PING\nPING\n", [[b"PING"], [b"PING"]]),
    "both": (command("PING") + b"\r\nECHO a\r\n" + command("PING"), [[b"PING"], [b"ECHO", b"a"], [b"PING"]]),
}


def taken(reader: RequestReader) -> list[list[bytes]]:
    found = []
    while (words := reader.next()) is not None:
        if words:
            found.append(words)
    return found


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("size", [1, 2, 7, 1 << 16])
def test_commands_are_the_same_however_they_arrive(name: str, size: int) -> None:
    data, expected = SAMPLES[name]
    reader = RequestReader(1 << 20, is_limited=False)
    found = []
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
        found += taken(reader)
    assert found == expected
    assert reader.pending_bytes == 0
    assert reader.is_idle()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_short_way_leaves_to_the_other_what_is_not_usual(name: str) -> None:
    data, expected = SAMPLES[name]
    for cut in range(len(data) + 1):
        reader = RequestReader(1 << 20, is_limited=False)
        found = reader.usual(data[:cut]) + taken(reader)
        reader.feed(data[cut:])
        assert found + taken(reader) == expected


@pytest.mark.parametrize("cut", range(1, len(command("SET", "key", "value"))))
def test_what_is_held_back_of_a_command_is_counted(cut: int) -> None:
    reader = RequestReader(1 << 20, is_limited=False)
    reader.feed(command("SET", "key", "value")[:cut])
    assert taken(reader) == []
    assert reader.pending_bytes == cut


def test_commands_before_rubbish_are_taken() -> None:
    reader = RequestReader(1 << 20, is_limited=False)
    reader.feed(command("PING") + b"*1\r\n:5\r\n")
    assert reader.next() == [b"PING"]
    with pytest.raises(RemoteWireError) as raised:
        reader.next()
    assert raised.value.farewell == b"-ERR Protocol error: expected '$', got ':'\r\n"


def test_a_limit_counts_all_words_of_a_command() -> None:
    reader = RequestReader(1_000, is_limited=False)
    reader.feed(command(*["x" * 400] * 2))
    assert len(taken(reader)) == 1
    reader.feed(command(*["x" * 400] * 3))
    with pytest.raises(RemoteWireError, match="too big request"):
        reader.next()
