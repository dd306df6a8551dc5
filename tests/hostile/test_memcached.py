"""Rows M1 to M8: hostile memcached:// commands. What is owed for each stands in README.md."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable

import pytest

from tests.support.abuse import Abuse, Attacker
from tests.support.dialect import MEMCACHED, Dialect
from tests.support.memcached_bytes import get_call, run_call, stored

FEW = 20
COUNT = MEMCACHED.count
MIB = 1 << 20
BAD_FORMAT = b"CLIENT_ERROR bad command line format"
KEY = "store:" + "k" * 244


@pytest.fixture
def dialect() -> Dialect:
    """The wire under attack."""
    return MEMCACHED


def said(data: bytes, *lines: bytes) -> Callable[[Attacker], Awaitable[None]]:
    """An attack with bytes that are answered by these lines, or what begins with them; then the connection goes on."""

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data + COUNT)
        for line in lines:
            answer = await attacker.reply()
            found = answer.line if answer.data is None else answer.line + b"\r\n" + answer.data
            assert found.startswith(line), (line, found[:200])
            assert len(found) < 2_500
        assert MEMCACHED.is_count(await attacker.reply())

    return attack


def cut_off(data: bytes, *lines: bytes) -> Callable[[Attacker], Awaitable[None]]:
    """An attack after whose bytes the other side closes; `lines`: what it says before."""

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        for line in lines:
            assert (await attacker.reply()).line == line
        await attacker.refused()

    return attack


KEYS = {
    "of 250 bytes": (KEY, b"END"),
    "of 251 bytes": (KEY + "k", BAD_FORMAT),
    "of 251 bytes in UTF-8": ("é" * 125 + "k", BAD_FORMAT),
    "of 250 bytes in UTF-8": ("é" * 125, b"END"),
    "with NUL": ("a\0b", BAD_FORMAT),
    "with CR": ("a\rb", BAD_FORMAT),
    "with other control bytes": ("a\x01\x1b\x7f", b"END"),
}


@pytest.mark.parametrize("name", KEYS)
async def test_m1_key(abuse: Abuse, name: str) -> None:
    key, line = KEYS[name]
    await abuse(said(f"get {key}\r\n".encode(), line), reason=None)


@pytest.mark.parametrize("size", [b"-1", b"2147483648", b"abc", b"1e3", b"99999999999999999999999", b"+", b"0x10"])
async def test_m2_size_that_cannot_be(abuse: Abuse, size: bytes) -> None:
    await abuse(said(b"set store:a 0 0 %b\r\n" % size, BAD_FORMAT), reason=None)


@pytest.mark.parametrize("verb", ["set", "ms"])
@pytest.mark.parametrize("quiet", [False, True], ids=["answered", "noreply"])
async def test_m2_block_that_is_too_large_is_swallowed(abuse: Abuse, verb: str, quiet: bool) -> None:
    inside = b"get store:a\r\n" * ((8 * MIB + 26) // 13)
    line = b"ms store:a %d\r\n" % len(inside) if verb == "ms" else b"set store:a 0 0 %d" % len(inside)
    if verb == "set":
        line += b" noreply\r\n" if quiet else b"\r\n"
    lines = [] if quiet and verb == "set" else [b"SERVER_ERROR object too large for cache"]
    await abuse(said(line + inside + b"\r\n", *lines), reason=None, times=3)


async def test_m2_block_that_is_announced_and_does_not_come(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(b"set store:a 0 0 8388608\r\n" + bytes(1000))
        attacker.finish()
        await attacker.end()

    await abuse(attack, reason="truncated", times=FEW)


@pytest.mark.parametrize("close", [b"x\r", b"\n\n", b"\0\0", b"\r\r"])
async def test_m3_block_without_its_end(abuse: Abuse, close: bytes) -> None:
    # Two bytes are taken for its end whatever they are; then there are lines again.
    await abuse(said(b"set store:a 0 0 2\r\nhi%bmn\r\n" % close, b"CLIENT_ERROR bad data chunk", b"MN"), reason=None)


async def test_m4_lines_that_end_with_lf_alone(abuse: Abuse) -> None:
    await abuse(
        said(b"set store:a 0 0 2\nhi\r\nget store:a\n\n\r\n", b"STORED", b"VALUE", b"ERROR", b"ERROR"), reason=None
    )


LONG = {
    "word": (b"x" * 4_096, "bad-magic"),
    "command": (b"set " + b"x" * 4_096, "line-too-long"),
    "spaces": (b" " * 4_096, "bad-magic"),
    "key of a get": (b"get " + b"x" * MIB, "line-too-long"),
    "numbers": (b"incr a " + b"1" * 4_096, "line-too-long"),
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("ended", [True, False], ids=["ended", "without end"])
async def test_m5_line_that_is_too_long(abuse: Abuse, name: str, ended: bool) -> None:
    data, reason = LONG[name]
    lines = [b"CLIENT_ERROR line too long"] if reason == "line-too-long" else []
    await abuse(cut_off(data + (b"\r\n" if ended else b""), *lines), reason=reason, times=FEW)


async def test_m5_get_of_too_many_keys(abuse: Abuse) -> None:
    await abuse(said(b"get" + b" a" * 10_000 + b"\r\n", b"CLIENT_ERROR more than 1000 keys"), reason=None, times=FEW)


MALFORMED = {
    "set without a size": (b"set store:a 0 noreply\r\n", b"ERROR"),
    "set with a bad size": (b"set store:a 0 0 x noreply\r\nmn\r\n", b"MN"),
    "delete with a time": (b"delete store:a 5 noreply\r\nmn\r\n", b"MN"),
    "incr with a bad delta": (b"incr store:a x noreply\r\nmn\r\n", b"MN"),
    "noreply alone": (b"noreply\r\n", b"ERROR"),
    "get": (b"get noreply\r\n", b"END"),
    "twice": (b"set store:a 0 0 2 noreply noreply\r\n", b"ERROR"),
    "what is refused": (b"flush_all noreply\r\nmn\r\n", b"MN"),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_m6_noreply_on_a_malformed_line(abuse: Abuse, name: str) -> None:
    data, line = MALFORMED[name]
    await abuse(said(data, line), reason=None)


async def test_m7_commands_inside_of_data_are_data(abuse: Abuse) -> None:
    inside = b"x\r\nget store:b\r\nset store:c 0 0 1\r\nquit\r\nEND\r\n"
    data = stored("set", "store:a", inside) + b"get store:a\r\nget store:c\r\n"
    await abuse(said(data, b"STORED", b"VALUE store:a 0 %d\r\n%b" % (len(inside), inside), b"END"), reason=None)


async def test_m7_line_ends_in_answers_and_errors_do_not_end_lines(abuse: Abuse) -> None:
    text = "a\r\nEND\r\nget b"
    data = run_call("demo.Types.fail_declared", text.encode(), id=1)
    data += run_call("demo.Types.echo_string", text.encode(), id=2)
    data += b"get demo.Other%0D%0A.count()\r\n"
    lines = [b"SERVER_ERROR FAULT demo.TypesFailure ", b"VALUE demo.Types.echo_string#2 0 13\r\n" + text.encode()]
    await abuse(said(data, *lines, b"SERVER_ERROR RPCERR no-such-service there is no service"), reason=None)


@pytest.mark.parametrize("word", [b"shutdown", b"cache_memlimit 1", b"slabs reassign 1 2", b"watch", b"lru_crawler"])
async def test_m8_words_of_administration(abuse: Abuse, word: bytes) -> None:
    await abuse(said(word + b"\r\n", b"ERROR"), reason=None)


async def test_m8_flush_all_without_a_mount_for_it(abuse: Abuse) -> None:
    await abuse(said(b"flush_all\r\n", b"CLIENT_ERROR flush_all not allowed"), reason=None)


async def test_m8_there_is_no_datagram_socket(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
            datagram.connect(("127.0.0.1", abuse.gateway.port))
            datagram.send(b"\0\1\0\0\0\1\0\0stats\r\n")
            with pytest.raises(ConnectionRefusedError):
                datagram.send(b"\0\1\0\0\0\1\0\0stats\r\n")

    await abuse(attack, reason=None, times=FEW)


async def test_m8_flood_of_stats_behind_a_slow_call(abuse: Abuse) -> None:
    # Each takes a hundred times its size while it waits; what is behind a mebibyte of them is read later.
    async def attack(attacker: Attacker) -> None:
        await attacker.send(get_call("demo.Catalog.slow", "200") + b"stats\r\n" * 3_000 + b"quit\r\n")
        assert (await attacker.end()).count(b"END\r\n") == 3_001

    await abuse(attack, reason=None, times=3)


BLOCKS = {
    "no JSON": (b"{", "is JSON, or a line of JSON"),
    "no object": (b"[]", "JSON object"),
    "unknown member": (b'{"arguments": []}', "no member 'arguments'"),
    "size beyond the block": (b'{"sizes": [9]}\nabc', "size of argument 0"),
    "size below zero": (b'{"sizes": [-1]}\nabc', "size of argument 0"),
    "size of 2^63": (b'{"sizes": [9223372036854775808]}\nabc', "size of argument 0"),
    "bytes left over": (b'{"sizes": [1]}\nabc', "behind the last argument"),
    "million sizes": (b'{"sizes": [%b]}\n' % b",".join([b"0"] * 100_000), "at most 255"),
    "nested": (b'{"args": ' + b"[" * 100_000, "JSON"),
    "attachments of numbers": (b'{"attachments": {"a": 1}}', "texts"),
    "timeout without end": (b'{"timeout": 1e400}', ""),
    "text as a flag": (b'{"oneway": "yes"}', "oneway"),
}


@pytest.mark.parametrize("name", BLOCKS)
async def test_block_of_a_call_that_cannot_be_read(abuse: Abuse, name: str) -> None:
    block, why = BLOCKS[name]

    async def attack(attacker: Attacker) -> None:
        key = "demo.Types.echo_string#1"
        await attacker.send(stored("set", key, block) + f"get {key}\r\n".encode() + COUNT)
        answer = await attacker.reply()
        assert answer.line.startswith(b"SERVER_ERROR RPCERR bad-request ")
        assert why in answer.line.decode()
        # Whoever asks all the same is told once more.
        assert (await attacker.reply()).line == answer.line
        assert MEMCACHED.is_count(await attacker.reply())

    await abuse(attack, reason="bad-request", times=FEW)
