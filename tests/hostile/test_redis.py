"""Rows X1 to X10: hostile redis:// commands. What is owed for each stands in README.md."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.support.abuse import Abuse, Attacker
from tests.support.dialect import REDIS, REDIS_GUARDED, REDIS_SECRET, Dialect
from tests.support.redis_bytes import RedisAnswer, command

FEW = 20
PING = command("PING")
PONG = RedisAnswer("+", b"PONG")
KIB = 1 << 10
MIB = 1 << 20


@pytest.fixture
def dialect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Dialect:
    """The wire under attack."""
    monkeypatch.setenv("POLYPORT_HOSTILE_REDIS", REDIS_SECRET)
    found: Dialect = getattr(request, "param", REDIS)
    return found


def protocol_error(data: bytes, said: bytes, *, before: int = 0) -> Callable[[Attacker], Awaitable[None]]:
    """An attack that ends in this protocol error and the end of the connection, behind so many answers."""

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        found = REDIS.answers(await attacker.end())
        assert found[:-1] == [PONG] * before
        assert found[-1] == RedisAnswer("-", b"ERR Protocol error: " + said)

    return attack


def answered(data: bytes, *expected: RedisAnswer | str) -> Callable[[Attacker], Awaitable[None]]:
    """An attack that gets these answers, of errors their beginning, and whose connection goes on."""

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        for each in expected:
            answer = await attacker.reply()
            if isinstance(each, str):
                assert answer.kind == "-"
                assert answer.text.startswith(each), answer.text
                assert len(answer.text) < 1_000
            else:
                assert answer == each
        await attacker.send(PING)
        assert await attacker.reply() == PONG

    return attack


@pytest.mark.parametrize("length", [b"-2", b"-10", b"abc", b"2000000000", b"", b"01", b"9" * 30, b"8388609"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "behind others"])
async def test_x1_length_of_a_string_that_is_none(abuse: Abuse, length: bytes, first: bool) -> None:
    begin = b"" if first else PING * 3
    attack = protocol_error(begin + b"*1\r\n$%b\r\n" % length, b"invalid bulk length", before=0 if first else 3)
    await abuse(attack, reason="malformed")


async def test_x2_less_than_no_words(abuse: Abuse) -> None:
    await abuse(answered(b"*-10\r\n*0\r\n*-1\r\n\r\n\n"), reason=None)


@pytest.mark.parametrize("count", [b"20000000", b"2147483648", b"65537", b"x", b"", b"9" * 30])
async def test_x3_more_words_than_there_can_be(abuse: Abuse, count: bytes) -> None:
    await abuse(protocol_error(b"*%b\r\n" % count, b"invalid multibulk length"), reason="malformed")


async def test_x3_as_many_words_as_there_can_be_take_memory_when_they_come(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(b"*65536\r\n" + b"$0\r\n\r\n" * 1_000)
        attacker.finish()
        await attacker.refused()

    await abuse(attack, reason="truncated")


async def test_x3_words_of_more_bytes_than_a_message_has(abuse: Abuse) -> None:
    data = b"*3\r\n" + b"$%d\r\n%b\r\n" % (4 * MIB, bytes(4 * MIB)) + b"$%d\r\n" % (5 * MIB)
    await abuse(protocol_error(data, b"too big request"), reason="frame-too-large", times=FEW)


@pytest.mark.parametrize(
    ("data", "found"),
    [(b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "f"), (b"*1\r\nfoo", "f"), (b"*1\r\n*1\r\n*1\r\n", "*")],
    ids=["third word", "first word", "array inside"],
)
async def test_x4_what_is_no_string_where_one_is_due(abuse: Abuse, data: bytes, found: str) -> None:
    await abuse(protocol_error(data, f"expected '$', got '{found}'".encode()), reason="malformed")


@pytest.mark.parametrize("begin", [b"*\x00", b"*1\r\n$\x00", b"ping\x00"], ids=repr)
async def test_x5_zero_and_no_end(abuse: Abuse, begin: bytes) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(begin + b"A" * (200 * KIB))
        (answer,) = REDIS.answers(await attacker.end())
        assert answer.text.startswith("ERR Protocol error: too big ")

    await abuse(attack, reason="malformed", times=FEW)


async def test_x5_zero_first(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(b"\x00" + b"A" * (200 * KIB))
        await attacker.refused()

    await abuse(attack, reason="bad-magic", times=FEW)


async def test_x6_line_of_more_than_64_kib(abuse: Abuse) -> None:
    await abuse(protocol_error(b"A" * (64 * KIB + 1), b"too big inline request"), reason="malformed", times=FEW)


@pytest.mark.parametrize("quotes", [b'"open', b"'open", b'"a"b', b'"\\'])
async def test_x6_line_with_quotes_that_do_not_match(abuse: Abuse, quotes: bytes) -> None:
    attack = protocol_error(b"ping " + quotes + b"\r\n", b"unbalanced quotes in request")
    await abuse(attack, reason="malformed")


async def test_x7_arrays_in_arrays(abuse: Abuse) -> None:
    await abuse(protocol_error(b"*1\r\n" * 10_000, b"expected '$', got '*'"), reason="malformed", times=FEW)


async def test_x7_json_in_json(abuse: Abuse) -> None:
    data = command("CALL", "demo.Types", "echo_any", b"[" * 100_000)
    await abuse(answered(data, "RPCERR bad-request"), reason=None, times=FEW)


guarded = pytest.mark.parametrize("dialect", [REDIS_GUARDED], indirect=True, ids=["guarded"])
STRANGERS = {
    "eleven words": (b"*11\r\n", b"unauthenticated multibulk length"),
    "16 KiB and one": (b"*1\r\n$16385\r\n", b"unauthenticated bulk length"),
}


@guarded
@pytest.mark.parametrize("name", STRANGERS)
async def test_x8_strangers_with_large_commands(abuse: Abuse, name: str) -> None:
    data, said = STRANGERS[name]
    await abuse(protocol_error(data, said), reason="malformed")


@guarded
@pytest.mark.parametrize(
    "words",
    [("PING",), ("demo.Catalog.count",), ("demo.Nope.nope",), ("CALL", "demo.Catalog", "count"), ("COMMAND",),
     ("WITH", "timeout", "1", "--", "PING"), ("MULTI",), ("AUTH", "wrong"), ("HELLO", "3", "AUTH", "cache", "wrong")],
    ids=" ".join,
)  # fmt: skip
async def test_x8_strangers_are_told_nothing(abuse: Abuse, words: tuple[str, ...]) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(command(*words))
        said = (await attacker.reply()).text
        assert said.startswith("WRONGPASS" if "wrong" in words else "NOAUTH Authentication required.")

    await abuse(attack, reason=None)


@guarded
async def test_x8_who_is_known_may_go_on(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(command("AUTH", "cache", REDIS_SECRET) + command("ECHO", b"x" * (20 * KIB)) + PING)
        assert (await attacker.reply()).value == b"x" * (20 * KIB)
        assert await attacker.reply() == PONG

    await abuse(attack, reason=None, times=FEW)


NOT_HERE = {
    "WATCH": (("WATCH", "x"), "ERR WATCH is not supported"),
    "SUBSCRIBE": (("SUBSCRIBE", "x"), "ERR SUBSCRIBE is not supported"),
    "PUBLISH": (("PUBLISH", "x", "y"), "ERR PUBLISH is not supported"),
    "BLPOP": (("BLPOP", "x", "0"), "ERR unknown command 'BLPOP', with args beginning with: 'x' '0' "),
    "EVAL": (("EVAL", "return 1", "0"), "ERR unknown command 'EVAL'"),
    "CONFIG SET": (("CONFIG", "SET", "save", ""), "ERR unknown subcommand 'SET'"),
    "CLIENT KILL": (("CLIENT", "KILL", "ID", "1"), "ERR CLIENT KILL is not supported"),
    "GET": (("GET", "x\r\nFLUSHALL\r\n"), "ERR no service is mounted for the key 'x  FLUSHALL"),
    "long name": (("n" * (64 * KIB),), "ERR unknown command 'nnn"),
    "line ends": (("a\r\n+OK\r\n",), "ERR unknown command 'a  +OK  '"),
}


@pytest.mark.parametrize("name", NOT_HERE)
async def test_x9_commands_that_are_not_here(abuse: Abuse, name: str) -> None:
    words, said = NOT_HERE[name]
    await abuse(answered(command(*words), said), reason=None)


async def test_x9_batch_of_too_many_commands(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(command("MULTI") + PING * 10_001 + command("EXEC"))
        found = [await attacker.reply() for _ in range(10_003)]
        assert found[10_000].text == "QUEUED"
        assert found[10_001].text.startswith("ERR more than 10000 commands")
        assert found[10_002].text.startswith("EXECABORT")

    await abuse(attack, reason=None, times=3)


@pytest.mark.parametrize(
    "data",
    [b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", command("post", "/"), b"Host: a\r\n", b"PING\r\nPOST / HTTP/1.1\r\n"],
    ids=["POST", "as words", "Host", "behind PING"],
)
async def test_x10_request_of_a_browser(abuse: Abuse, data: bytes) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        assert await attacker.end() == (b"+PONG\r\n" if data.startswith(b"PING") else b"")

    await abuse(attack, reason="bad-magic")
