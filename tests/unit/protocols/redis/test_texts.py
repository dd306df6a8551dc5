"""Lines of text, and patterns for keys."""

from __future__ import annotations

from time import thread_time

import pytest

from protocols.redis.glob import Glob
from protocols.redis.inline import split_arguments


@pytest.mark.parametrize(
    ("line", "words"),
    [
        # redis/redis src/sds.c, comment of sdssplitargs and its tests.
        (b'foo bar "newline are supported\\n" and "\\xff\\x00otherstuff"',
         [b"foo", b"bar", b"newline are supported\n", b"and", b"\xff\x00otherstuff"]),
        (b"", []),
        (b"  a\tb ", [b"a", b"b"]),
        (b'""', [b""]),
        (b"''", [b""]),
        (b"'it\\'s' 'a\\n'", [b"it's", b"a\\n"]),
        (b'"a"b', None),
        (b"'a", None),
        (b'"\\', None),
        (b'"\\xZZ"', [b"xZZ"]),
        (b'a"b c"', [b"ab c"]),
    ],
)  # fmt: skip
def test_lines_are_split_as_by_redis(line: bytes, words: list[bytes] | None) -> None:
    assert split_arguments(line) == words


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        # https://redis.io/docs/latest/commands/keys/
        (b"h?llo", b"hello", True), (b"h?llo", b"hllo", False), (b"h*llo", b"hllo", True), (b"h*llo", b"heeello", True),
        (b"h[ae]llo", b"hallo", True), (b"h[ae]llo", b"hillo", False), (b"h[^e]llo", b"hallo", True),
        (b"h[^e]llo", b"hello", False), (b"h[a-b]llo", b"hbllo", True), (b"h[b-a]llo", b"hallo", True),
        (b"h[a-b]llo", b"hcllo", False), (b"a\\*", b"a*", True), (b"a\\*", b"ab", False), (b"*", b"", True),
        (b"", b"", True), (b"", b"a", False), (b"a*b*c", b"aXbYc", True), (b"a*b*c", b"aXbY", False),
        (b"a**", b"a", True),
        (b"[", b"[", False), (b"[abc", b"b", True), (b"\\", b"\\", True), (b"*a", b"baaa", True),
    ],
)  # fmt: skip
def test_patterns_match_as_in_redis(pattern: bytes, key: bytes, expected: bool) -> None:
    assert Glob(pattern).matches(key) is expected


def test_a_pattern_says_how_what_matches_begins() -> None:
    assert Glob(b"a\\*bc?e").beginning == b"a*bc"


def test_many_stars_take_no_time() -> None:
    started = thread_time()
    assert not Glob(b"*a" * 500 + b"b").matches(b"a" * 2_000)
    assert thread_time() - started < 5.0
