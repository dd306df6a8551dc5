"""Rows R1 to R6, and of G2 to G10 what is special where a connection carries one call. See README.md."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import monotonic, perf_counter_ns
from typing import Any

import pytest

from protocols.replay import ReplayGuard
from protocols.rmi.frame import read_head, split
from protocols.rmi.signature import BadSignature, Seals
from tests.support import rmi_bytes
from tests.support.abuse import REPEATS, Abuse, Attacker, abused
from tests.support.dialect import RMI, RMI_SECRET, RMI_SIGNED, Dialect
from tests.support.rmi_bytes import RmiAnswer, call, frame, said, signed

FEW = 20
"""Repeats of attacks that wait for a limit."""
OTHER = "another one of more than sixteen bytes"
REFUSED, UNAUTHENTICATED, MALFORMED, TOO_LARGE = 3, 1, 2, 3

limits = pytest.mark.parametrize


@pytest.fixture
def dialect() -> Dialect:
    """The wire under attack."""
    return RMI


async def asked(attacker: Attacker, data: bytes) -> RmiAnswer:
    """Sends, half-closes, and reads the one answer up to the end of the connection."""
    await attacker.send(data)
    attacker.finish()
    answer: RmiAnswer = await attacker.reply()
    await attacker.refused()
    return answer


# Transport


@limits("abuse", ["frame_time: 200ms"], indirect=True)
async def test_g2_slow_loris_at_the_end_of_a_large_call(abuse: Abuse) -> None:
    data = call("echo_bytes", bytes(200_000))

    async def attack(attacker: Attacker) -> None:
        ended = asyncio.create_task(attacker.end())
        started = monotonic()
        await attacker.send(data[: len(data) - 100])
        for byte in data[-100:-1]:
            if ended.done():
                break
            await attacker.send(bytes((byte,)))
            await asyncio.sleep(0.01)
        assert await ended == b""
        assert monotonic() - started >= 0.2

    await abuse(attack, reason="frame-timeout", times=FEW, at_once=FEW)


@limits("abuse", ["frame_time: 300ms"], indirect=True)
async def test_g3_reads_no_reply(abuse: Abuse) -> None:
    # More than the kernel takes for a peer that does not read.
    data = call("echo_bytes", bytes(5 << 20))

    async def attack(attacker: Attacker) -> None:
        before = abuse.gateway.refused.get("slow-reader", 0)
        await attacker.send(data)
        await abuse.gateway.until(lambda: abuse.gateway.refused.get("slow-reader", 0) > before, "it to be dropped")

    await abuse(attack, reason="slow-reader", times=3)


async def test_g7_what_stands_behind_a_call(abuse: Abuse, dialect: Dialect) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(dialect.echo("whole") * 100)
        attacker.finish()
        assert dialect.is_echo(await attacker.reply(), "whole")
        await attacker.refused()

    await abuse(attack, reason="trailing-bytes")


async def test_g10_a_mebibyte_of_the_first_byte(abuse: Abuse) -> None:
    data = b"P" * (1 << 20)

    async def attack(attacker: Attacker) -> None:
        sending = asyncio.create_task(attacker.send(data))
        await attacker.refused()
        await sending

    await abuse(attack, reason="bad-magic", times=max(FEW, REPEATS // 10))


async def test_lengths_beyond_the_limit_are_refused_by_the_head(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        answer = await asked(attacker, frame(b"", length=(1 << 32) - 1) + bytes(1000))
        assert (answer.kind, answer.reason) == (REFUSED, TOO_LARGE)

    await abuse(attack, reason="frame-too-large")


# R1: code


class Runs:
    """Asks for a call when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


CODE = {
    "os.system": (os.system, "touch {}"),
    "os.mkdir": (os.mkdir, "{}"),
    "eval": (eval, "__import__('os').mkdir('{}')"),
    "exec": (exec, "__import__('os').mkdir('{}')"),
    "open": (open, "{}", "w"),
    "getattr": (getattr, os, "system"),
}


@pytest.mark.parametrize("place", ["argument", "attachment", "key", "whole call", "method name"])
@pytest.mark.parametrize("name", CODE)
async def test_r1_code_is_refused_and_never_runs(abuse: Abuse, name: str, place: str, tmp_path: Path) -> None:
    victim = tmp_path / "made"
    function, *arguments = CODE[name]
    if function is getattr:
        evil: Any = b"c__builtin__\ngetattr\n(cos\nos\nX\x06\0\0\0systemtR."
    else:
        filled = [each.format(victim) for each in arguments if isinstance(each, str)]
        made = Runs(function, *filled)
        evil = pickle.dumps(
            {
                "argument": {"service": "demo.Types", "method": "echo_any", "args": [made]},
                "attachment": {"service": "demo.Catalog", "method": "count", "attachments": {"a": made}},
                "key": {"service": "demo.Types", "method": "echo_any", "args": [{(1, made): 1}]},
                "whole call": made,
                "method name": {"service": "demo.Catalog", "method": made},
            }[place],
            4,
        )

    async def attack(attacker: Attacker) -> None:
        answer = await asked(attacker, frame(evil))
        assert answer.reply["error"] == "bad-request"
        assert "may not stand in a pickle here" in answer.reply["message"]

    await abuse(attack, reason="bad-request", times=max(FEW, REPEATS // 10))
    assert not victim.exists()


# R2: classes


MAKER = (
    b"cdemo\nMaker\n)\x81}(X\x04\0\0\0nameX\x01\0\0\0mX\x04\0\0\0evilX\x01\0\0\0xX\x09\0\0\0__class__X\x02\0\0\0osub"
)


async def test_r2_only_declared_fields_of_an_allowed_class(abuse: Abuse) -> None:
    payload = (
        b"}(X\x07\0\0\0serviceX\x0a\0\0\0demo.TypesX\x06\0\0\0methodX\x0b\0\0\0echo_structX\x04\0\0\0args]" + MAKER
    )

    async def attack(attacker: Attacker) -> None:
        answer = await asked(attacker, frame(payload + b"au."))
        assert answer.reply["ok"] == {"__class__": "demo.Maker", "name": "m", "country": None, "parent": None}

    await abuse(attack, reason=None)


SWAPS = {
    "another class of the contract": b"cdemo\nPoint\n)\x81}b",
    "state twice": MAKER + b"}b",
    "state of something else": MAKER[:-3] + b"K\x01ub",
    "wrong type of a field": b"cdemo\nMaker\n)\x81}X\x04\0\0\0nameK\x01sb",
    "class itself": b"cdemo\nMaker\n",
    "class of the gateway": b"cgateway.model.errors\nRpcError\n)\x81}b",
    "class that Python has": b"ccollections\nCounter\n)R",
}


@pytest.mark.parametrize("name", SWAPS)
async def test_r2_swaps_are_refused(abuse: Abuse, name: str) -> None:
    head = b"}(X\x07\0\0\0serviceX\x0a\0\0\0demo.TypesX\x06\0\0\0methodX\x0b\0\0\0echo_structX\x04\0\0\0args]"

    async def attack(attacker: Attacker) -> None:
        answer = await asked(attacker, frame(head + SWAPS[name] + b"au."))
        assert answer.reply["error"] == "bad-request"

    await abuse(attack, reason="bad-request")


# R3: bombs


def doubled(levels: int) -> bytes:
    return b")\x94" + b"".join(b"h" + bytes((at,)) + b"\x86\x94" for at in range(levels))


def argument(value: bytes, method: str = "echo_any") -> bytes:
    """A call whose argument is written by hand."""
    name = method.encode()
    return (
        b"\x80\x04}(X\x07\0\0\0serviceX\x0a\0\0\0demo.TypesX\x06\0\0\0methodX"
        + len(name).to_bytes(4, "little")
        + name
        + b"X\x04\0\0\0args]"
        + value
        + b"au."
    )


MILLION = 1_000_000
BOMBS = {
    "30 levels of doubled tuples": argument(doubled(30)),
    "60 levels of doubled tuples as a key": argument(b"}" + doubled(60) + b"Ns"),
    "text of 2^63": argument(b"\x8d" + (1 << 63).to_bytes(8, "little")),
    "integer of 2 GB": argument(b"\x8b\xff\xff\xff\x7f"),
    "nested a million times": argument(b"]" * MILLION + b"a" * (MILLION - 1)),
    "a million marks": argument(b"(" * MILLION),
    "a million tuples in tuples": argument(b"N" + b"\x85" * MILLION),
    "a million remembered": argument(b"N" + b"\x94" * MILLION),
    "a million sets": argument(b"](" + b"\x8f" * MILLION + b"e"),
    "a million dicts": argument(b"](" + b"}" * MILLION + b"e"),
    "frame that lies": b"\x80\x04\x95" + (1 << 40).to_bytes(8, "little") + b"N.",
    "digits": argument(b"I" + b"9" * MILLION + b"\n"),
    "decimal of a megabyte": argument(
        b"cdecimal\nDecimal\nX" + MILLION.to_bytes(4, "little") + b"1" * MILLION + b"\x85R"
    ),
    "key twice": argument(b"}(K\x01NK\x01Nu"),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_r3_bombs(abuse: Abuse, name: str) -> None:
    data = frame(BOMBS[name])

    async def attack(attacker: Attacker) -> None:
        answer = await asked(attacker, data)
        assert answer.reply["error"] == "bad-request"
        assert len(answer.reply["message"]) < 300

    await abuse(attack, reason="bad-request", times=FEW)


# R4: opcodes


OPCODES = {
    "persistent id": b"P1\n.",
    "binary persistent id": b"K\x01Q.",
    "extension": b"\x82\x01.",
    "buffer": b"\x97.",
    "protocol 0": pickle.dumps({"service": "demo.Catalog", "method": "count"}, 0),
    "unknown": b"\xff.",
    "no stop": b"}",
    "nothing": b"",
    "two values": b"}}.",
    "something behind": said() + b"N.",
    "dup": b"}2.",
    "instance": b"(ios\nsystem\n.",
    "protocol 6": b"\x80\x06}.",
}


@pytest.mark.parametrize("name", OPCODES)
async def test_r4_opcodes(abuse: Abuse, name: str) -> None:
    async def attack(attacker: Attacker) -> None:
        assert (await asked(attacker, frame(OPCODES[name]))).reply["error"] == "bad-request"

    await abuse(attack, reason="bad-request")


# R5: signatures


@pytest.fixture
async def abuse_signed(records: list[logging.LogRecord], _secret: None) -> AsyncIterator[Abuse]:
    """A gateway whose callers must sign."""
    async with abused(records, RMI_SIGNED) as made:
        yield made


EVIL = b"cos\nsystem\nX\x04\0\0\0true\x85R."
"""What must not be decoded: then it would be refused as something else."""


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


BADLY_SIGNED: dict[str, tuple[Callable[[], bytes], str]] = {
    "not at all": (lambda: frame(EVIL), "not-signed"),
    "with another secret": (lambda: signed(EVIL, OTHER), "signature"),
    "with an unknown key": (lambda: signed(EVIL, RMI_SECRET, "nobody"), "signature"),
    "with a key id that is no text": (lambda: signed(EVIL, RMI_SECRET, "k")[:36] + b"\xff" + bytes(300), "malformed"),
    "with a changed payload": (lambda: flipped(signed(said(), RMI_SECRET), -5), "signature"),
    "with a changed time": (lambda: flipped(signed(EVIL, RMI_SECRET), 19), "signature"),
    "with a changed nonce": (lambda: flipped(signed(EVIL, RMI_SECRET), 20), "signature"),
    "with a changed signature": (lambda: flipped(signed(EVIL, RMI_SECRET), 40), "signature"),
    "as a reply": (lambda: signed(EVIL, RMI_SECRET)[:5] + b"\x02" + signed(EVIL, RMI_SECRET)[6:], "unexpected-frame"),
    "too long ago": (lambda: signed(EVIL, RMI_SECRET, made_ms=now_ms() - 6_000), "clock-skew"),
    "in the future": (lambda: signed(EVIL, RMI_SECRET, made_ms=now_ms() + 7_000), "clock-skew"),
    "at the end of time": (lambda: signed(EVIL, RMI_SECRET, made_ms=(1 << 64) - 1), "clock-skew"),
    "of another payload": (lambda: signed(said(), RMI_SECRET)[:71] + said("find", 1), "signature"),
}


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYPORT_HOSTILE_KEY", RMI_SECRET)


@pytest.mark.parametrize("how", BADLY_SIGNED)
async def test_r5_badly_signed(abuse_signed: Abuse, how: str) -> None:
    make, reason = BADLY_SIGNED[how]

    async def attack(attacker: Attacker) -> None:
        answer = await asked(attacker, make())
        expected = UNAUTHENTICATED if reason not in ("malformed", "unexpected-frame") else MALFORMED
        assert (answer.kind, answer.reason, answer.reply) == (REFUSED, expected, {})

    await abuse_signed(attack, reason=reason)


async def test_r5_a_replay_is_refused(abuse_signed: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        data = signed(said(), RMI_SECRET)
        first = abuse_signed.gateway.attacker()
        assert (await asked(first, data)).reply == {"ok": 3}
        first.close()
        answer = await asked(attacker, data)
        assert (answer.kind, answer.reason) == (REFUSED, UNAUTHENTICATED)

    await abuse_signed(attack, reason="replayed")


async def test_r5_a_truncated_call_with_a_good_signature_waits_and_ends(abuse_signed: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(signed(said("find", 1), RMI_SECRET)[:-3])
        await abuse_signed.gateway.until(lambda: abuse_signed.gateway.pending(attacker) > 0, "the bytes to arrive")
        attacker.finish()
        await attacker.refused()

    await abuse_signed(attack, reason="truncated")


async def test_r5_code_with_a_good_signature_is_still_refused(abuse_signed: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        answer = await asked(attacker, signed(EVIL, RMI_SECRET))
        assert answer.reply["error"] == "bad-request"

    await abuse_signed(attack, reason="bad-request")


def test_r5_signatures_are_compared_in_constant_time(dialect: Dialect) -> None:
    """Where a signature differs, and whether its key is known, makes no difference in time that could be measured."""
    guard = ReplayGuard()
    seals = Seals({"key": RMI_SECRET}, 5.0, guard)

    def time_of(data: bytes) -> float:
        head = read_head(data, 1 << 20)
        assert head is not None
        whole, best = split(data, head), float("inf")
        for _ in range(200):
            began = perf_counter_ns()
            with contextlib.suppress(BadSignature):
                seals.open(whole, now_ms(), 0.0)
            best = min(best, perf_counter_ns() - began)
        return best

    good = signed(bytes(100_000), RMI_SECRET)
    times = [time_of(flipped(good, at)) for at in (39, 55, 70)]
    times.append(time_of(signed(bytes(100_000), RMI_SECRET, "nob")))
    assert max(times) < min(times) * 1.5, times


# R6: many short connections


async def test_r6_thousands_of_short_connections(abuse: Abuse, dialect: Dialect) -> None:
    """As fast as this machine makes them, several times as many as a backlog holds; the ends wait at the clients."""
    calls = max(2_000, min(REPEATS * 10, 50_000))
    port, data = abuse.gateway.port, dialect.count

    def call_away(count: int) -> int:
        good = 0
        for _ in range(count):
            with socket.create_connection(("127.0.0.1", port), 5) as sock:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                found = b""
                while more := sock.recv(4096):
                    found += more
            answer = rmi_bytes.first_answer(found)
            good += answer is not None and dialect.is_count(answer[0])
        return good

    async with abuse.canary.watching():
        found = await asyncio.gather(*(asyncio.to_thread(call_away, calls // 8) for _ in range(8)))
    assert sum(found) == calls // 8 * 8
    assert abuse.gateway.refused == {}
    await abuse.gateway.until(lambda: not abuse.gateway.peers, "connections to end")
    listening = f":{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        ends = [line.split() for line in table][1:]
    # TIME_WAIT is 06 (Linux: include/net/tcp_states.h); the listener's own side is the first address.
    assert sum(each[1].endswith(listening) and each[3] == "06" for each in ends) < calls / 20


async def test_r6_a_flood_that_is_not_accepted_in_time_is_bounded_and_passes(abuse: Abuse, dialect: Dialect) -> None:
    async with abuse.canary.watching():
        for _ in range(5):
            crowd = [abuse.gateway.attacker() for _ in range(500)]
            await asyncio.gather(*(asked(each, dialect.count) for each in crowd))
            for each in crowd:
                each.close()
    await abuse.gateway.until(lambda: not abuse.gateway.peers, "connections to end")
