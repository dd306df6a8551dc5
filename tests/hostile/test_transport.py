"""Rows G1 to G10: what any TCP listener is attacked with. What is owed for each stands in README.md."""

from __future__ import annotations

import asyncio
import random
from time import monotonic, process_time

import pytest

from tests.support.abuse import REPEATS, Abuse, Attacker
from tests.support.dubbo_bytes import (
    BAD_REQUEST,
    CALL,
    OK,
    REQUEST,
    frame,
    heartbeat,
    integer,
    replies,
    request,
    text,
)

FEW = 20
"""Repeats of attacks that wait for a limit."""

COUNT = request()
SLOW = request("slow", "J", b"\xe0")
FOREVER = request("slow", "J", b"L" + (1 << 40).to_bytes(8, "big"))


@pytest.mark.parametrize("abuse", ["first_byte: 200ms"], indirect=True)
async def test_g1_connects_and_sends_nothing(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        started = monotonic()
        await attacker.refused()
        assert monotonic() - started >= 0.2

    await abuse(attack, reason="first-byte-timeout", times=FEW, at_once=FEW)


@pytest.mark.parametrize("abuse", ["frame_time: 200ms"], indirect=True)
@pytest.mark.parametrize(
    "beginning",
    [b"", COUNT, COUNT + heartbeat(1)],
    ids=["alone", "behind a request", "behind a request and a heartbeat"],
)
async def test_g2_slow_loris(abuse: Abuse, beginning: bytes) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(beginning)
        ended = asyncio.create_task(attacker.end())
        started = monotonic()
        for byte in COUNT:
            if ended.done():
                break
            await attacker.send(bytes((byte,)))
            await asyncio.sleep(0.01)
        assert len(replies(await ended)) == beginning.count(b"\xda\xbb")
        assert monotonic() - started >= 0.2

    await abuse(attack, reason="frame-timeout", times=FEW, at_once=FEW)


@pytest.mark.parametrize("abuse", ["frame: 256KiB, write_buffer: 16KiB, idle: 300ms"], indirect=True)
@pytest.mark.parametrize(("group", "reason"), [("", "idle"), ("bridged", "slow-reader")])
async def test_g3_reads_no_replies(abuse: Abuse, group: str, reason: str) -> None:
    """Answers made at once stop being made; answers that arrive later are collected up to a bound."""
    payload = b"B" + (50_000).to_bytes(2, "big") + bytes(50_000)
    asking = b"".join(request("echoBytes", "[B", payload, group=group, id=number) for number in range(100))

    async def attack(attacker: Attacker) -> None:
        sending = asyncio.create_task(attacker.send(asking))
        sizes = [0]
        while abuse.gateway.state.refused.get(reason, 0) <= attack_number[0]:
            sizes += [
                each._transport.get_write_buffer_size()
                for each in abuse.gateway.state.connections
                if each._peer == attacker.address and each._transport is not None
            ]
            await asyncio.sleep(0.002)
        attack_number[0] += 1
        assert max(sizes) < 2 * 256 * 1024 + 60_000
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    attack_number = [0]
    await abuse(attack, reason=reason, times=3)


@pytest.mark.parametrize("abuse", ["connections_per_address: 60, connections: 80"], indirect=True)
async def test_g4_idle_connections_from_one_address_and_from_all(abuse: Abuse) -> None:
    gateway = abuse.gateway

    async def crowd(source: str, count: int) -> tuple[list[Attacker], int]:
        """Those who stay connected, and how many were sent away."""
        attackers = [gateway.attacker(source) for _ in range(count)]
        await gateway.until(
            lambda: len(gateway.state.connections) + sum(gateway.state.refused.values()) >= wanted + count, "accepting"
        )
        known = {each._peer for each in gateway.state.connections}
        staying = [each for each in attackers if each.address in known]
        for each in attackers:
            if each.address not in known:
                await each.refused()
                each.close()
        return staying, count - len(staying)

    async with abuse.canary.watching():
        for turn in range(1, 4):
            wanted = len(gateway.state.connections) + sum(gateway.state.refused.values())
            first, refused_first = await crowd("127.0.0.1", 150)
            wanted = len(gateway.state.connections) + sum(gateway.state.refused.values())
            second, refused_second = await crowd("127.0.0.2", 150)
            assert len(first) + 1 == 60  # with the canary
            assert len(first) + len(second) + 1 == 80
            assert gateway.state.refused == {
                "too-many-connections-per-address": turn * refused_first,
                "too-many-connections": turn * refused_second,
            }
            for attacker in (*first, *second):
                attacker.close()
            await gateway.until(lambda: len(gateway.state.connections) == 1, "connections to end")
            newcomer = gateway.attacker("127.0.0.3")
            await newcomer.send(COUNT)
            assert (await newcomer.reply()).status == OK
            newcomer.close()
            await gateway.until(lambda: len(gateway.state.connections) == 1, "connections to end")
    assert set(gateway.state.connected.per_address) == {"127.0.0.1"}
    logged = [(each.reason, each.peer.partition(":")[0]) for each in abuse.records]  # type: ignore[attr-defined]
    assert set(logged) == {("too-many-connections-per-address", "127.0.0.1"), ("too-many-connections", "127.0.0.2")}
    assert len(logged) <= 2 * len("100")


async def test_g5_reset_in_the_middle_of_a_request(abuse: Abuse) -> None:
    def pending(attacker: Attacker) -> int:
        connection = abuse.gateway.connection(attacker)
        return connection._codec.pending_bytes if connection is not None else 0

    async def attack(attacker: Attacker) -> None:
        await attacker.send(COUNT[:40])
        await abuse.gateway.until(lambda: pending(attacker) == 40, "the bytes to arrive")
        attacker.reset()

    await abuse(attack, reason="truncated")


async def test_g5_end_of_stream_in_the_middle_of_a_request(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(COUNT[:40])
        attacker.finish()
        await attacker.refused()

    await abuse(attack, reason="truncated")


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_g5_leaves_while_its_call_runs(abuse: Abuse, how: str) -> None:
    def calls_of(attacker: Attacker) -> int:
        connection = abuse.gateway.connection(attacker)
        return len(connection._running or ()) if connection is not None else 0

    async def attack(attacker: Attacker) -> None:
        await attacker.send(FOREVER)
        await abuse.gateway.until(lambda: calls_of(attacker) == 1, "the call to begin")
        getattr(attacker, how)()

    await abuse(attack, reason=None)


FORWARDED = [request("echoI32", "I", b"\x91", group="bridged", id=number) for number in range(9)]


@pytest.mark.parametrize(
    ("asked", "group"),
    [([COUNT], ""), ([SLOW], ""), ([SLOW, request(id=8)], ""), (FORWARDED, "bridged")],
    ids=["at once", "later", "both", "forwarded"],
)
async def test_g5_half_close_still_gets_its_replies(abuse: Abuse, asked: list[bytes], group: str) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(b"".join(asked))
        attacker.finish()
        # A heartbeat may come as well: it is how a listener finds out that a peer is gone altogether.
        answers = [each for each in replies(await attacker.end()) if not each.flags & REQUEST]
        assert [each.status for each in answers] == [OK] * len(asked)

    await abuse(attack, reason=None)


@pytest.mark.parametrize("group", ["", "bridged", "blind"])
async def test_g6_every_split_of_a_request(abuse: Abuse, group: str) -> None:
    asked = request("echoString", "Ljava/lang/String;", text("whole"), group=group, id=-3)
    places = iter([*range(1, len(asked))] * REPEATS)

    async def attack(attacker: Attacker) -> None:
        at = next(places)
        await attacker.send(asked[:at], asked[at:])
        reply = await attacker.reply()
        assert (reply.status, reply.id, reply.body[:7]) == (OK, -3, b"\x94\x05whole")

    await abuse(attack, reason=None, times=max(REPEATS, len(asked)))


async def test_g6_byte_by_byte(abuse: Abuse) -> None:
    asked = request("echoString", "Ljava/lang/String;", text("whole"))

    async def attack(attacker: Attacker) -> None:
        await attacker.send(*(bytes((byte,)) for byte in asked))
        assert (await attacker.reply()).body[:7] == b"\x94\x05whole"

    await abuse(attack, reason=None, times=FEW)


@pytest.mark.parametrize("group", ["", "bridged"])
@pytest.mark.parametrize(
    ("bad", "reason", "answered"),
    [
        (request("echoI32", "I", text("one"), id=50), "bad-request", 100),
        (request("missing", "I", b"\x91", path="demo.Types", id=50), "no-such-method", 100),
        (b"GET / HTTP/1.1\r\n\r\n", "bad-magic", 50),
        (frame(CALL, 50, b"", length=1 << 30), "frame-too-large", 51),
    ],
    ids=["bad argument", "unknown method", "rubbish", "length"],
)
async def test_g7_hundred_requests_in_one_segment_with_a_bad_one_in_the_middle(
    abuse: Abuse, group: str, bad: bytes, reason: str, answered: int
) -> None:
    good = [request("echoI32", "I", integer(number), group=group, id=number) for number in range(100)]
    asked = b"".join([*good[:50], bad, *good[51:]])

    async def attack(attacker: Attacker) -> None:
        await attacker.send(asked)
        found = [await attacker.reply() for _ in range(answered)]
        if answered < 100:
            await attacker.refused()
        assert sorted(each.id for each in found) == list(range(answered))
        if not group:
            assert [each.id for each in found] == list(range(answered))
        for each in found:
            assert each.status == (BAD_REQUEST if each.id == 50 else OK)

    await abuse(attack, reason=reason, times=max(FEW, REPEATS // 10))


HELLO = bytes.fromhex("16030100c6010000c20303") + bytes(range(32))


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP"),
        (b"POST /demo.Types HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "HTTP"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2"),
        (HELLO, "TLS"),
        (b"*1\r\n$4\r\nPING\r\n", "redis"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
        (bytes.fromhex("80010001000000047069 6e6700000000"), "Thrift"),
        (b"JRMI\x00\x02K", "Java RMI"),
        (bytes.fromhex("aced0005") + b"sr", "Java serialization"),
        (b"status -l\r\n", "text"),
        (b"\x05\x01\x00", "unknown bytes"),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else "",
)
async def test_g8_speaks_another_protocol(abuse: Abuse, data: bytes, named: str) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        await attacker.refused()

    await abuse(attack, reason="bad-magic")
    assert named in abuse.records[0].getMessage()


async def test_g9_random_bytes(abuse: Abuse) -> None:
    """2,000 rounds of up to 64 KiB: bare, behind a header that fits, and in the place of a part of a good request."""
    dice = random.Random(20_260_901)
    gateway = abuse.gateway
    good = [COUNT, request("echoAny", "Ljava/lang/Object;", b"H\x01a\x79\x90Z"), heartbeat(3), SLOW]
    slowest = 0.0
    async with abuse.canary.watching():
        for turn in range(2_000):
            noise = dice.randbytes(1 << dice.randrange(17) if dice.randrange(8) else dice.randrange(1 << 16))
            if turn % 4 == 1:
                noise = frame(dice.randrange(256), dice.getrandbits(63), noise)
            elif turn % 4 == 2:
                noise = request("echoAny", "Ljava/lang/Object;", noise)
            elif turn % 4 == 3:
                data = bytearray(dice.choice(good))
                for _ in range(dice.randint(1, 8)):
                    data[dice.randrange(len(data))] = dice.randrange(256)
                noise = bytes(data)
            attacker = gateway.attacker()
            started = process_time()
            await attacker.send(noise)
            attacker.finish()
            await attacker.end()
            slowest = max(slowest, process_time() - started)
            attacker.close()
        await gateway.until(lambda: len(gateway.state.connections) == 1, "connections to end")
    assert slowest < 1.0
    assert {each.levelname for each in abuse.records} == {"WARNING"}, [each.getMessage() for each in abuse.records]
    assert gateway.state.calls == 0


@pytest.mark.parametrize("byte", [0x00, 0xFF, ord("*"), ord("["), ord("<")], ids=hex)
async def test_g10_a_mebibyte_of_one_byte(abuse: Abuse, byte: int) -> None:
    data = bytes((byte,)) * (1 << 20)

    async def attack(attacker: Attacker) -> None:
        sending = asyncio.create_task(attacker.send(data))
        await attacker.refused()
        await sending

    await abuse(attack, reason="bad-magic", times=max(FEW, REPEATS // 10))
