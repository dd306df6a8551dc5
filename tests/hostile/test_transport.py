"""Rows G1 to G10: what any TCP listener is attacked with. What is owed for each stands in README.md."""

from __future__ import annotations

import asyncio
import random
from time import monotonic, process_time

import pytest

from tests.support import http_bytes, memcached_bytes, redis_bytes, rmi_bytes, thrift_bytes
from tests.support.abuse import REPEATS, Abuse, Attacker
from tests.support.dialect import (
    AIOHTTP,
    DIALECTS,
    DUBBO,
    HESSIAN,
    HTTP,
    MEMCACHED,
    REDIS,
    RMI,
    SOAP,
    THRIFT,
    Dialect,
)
from tests.support.dubbo_bytes import CALL, frame, heartbeat, request
from tests.support.hessian_bytes import hessian_body, hessian_call
from tests.support.soap_bytes import soap_call, soap_request

FEW = 20
"""Repeats of attacks that wait for a limit."""

pytestmark = pytest.mark.parametrize("dialect", [*DIALECTS, RMI], indirect=True, ids=lambda dialect: dialect.name)


@pytest.mark.parametrize("abuse", ["first_byte: 200ms"], indirect=True)
async def test_g1_connects_and_sends_nothing(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        started = monotonic()
        await attacker.refused()
        assert monotonic() - started >= 0.2

    await abuse(attack, reason="first-byte-timeout", times=FEW, at_once=FEW)


@pytest.mark.parametrize("abuse", ["frame_time: 200ms"], indirect=True)
@pytest.mark.parametrize("beginning", ["alone", "behind a request", "behind a request and what is no request"])
@pytest.mark.only_where(lambda dialect, beginning: beginning == "alone" or not dialect.one_call)
async def test_g2_slow_loris(abuse: Abuse, beginning: str) -> None:
    dialect = abuse.dialect
    first = b"" if beginning == "alone" else dialect.count
    answered = len(first) > 0
    if "no request" in beginning:
        first += dialect.aside
        answered += dialect.aside_answers

    async def attack(attacker: Attacker) -> None:
        await attacker.send(first)
        ended = asyncio.create_task(attacker.end())
        started = monotonic()
        for byte in dialect.count:
            if ended.done():
                break
            await attacker.send(bytes((byte,)))
            await asyncio.sleep(0.01)
        assert len(dialect.answers(await ended)) == answered
        assert monotonic() - started >= 0.2

    await abuse(attack, reason="frame-timeout", times=FEW, at_once=FEW)


@pytest.mark.parametrize("abuse", ["frame: 256KiB, write_buffer: 16KiB, idle: 1s"], indirect=True)
@pytest.mark.parametrize("group", ["", "bridged"])
# Where answers wait for each other as well: test_http.py. Where there is one answer: test_rmi.py.
@pytest.mark.only_where(
    lambda dialect, group: not dialect.one_call and (not group or not dialect.answers_in_order or dialect.one_at_a_time)
)
async def test_g3_reads_no_replies(abuse: Abuse, group: str) -> None:
    """Answers made at once stop being made; answers that arrive later are collected up to a bound."""
    dialect = abuse.dialect
    reason = "slow-reader" if group and not dialect.one_at_a_time else "idle"
    asking = b"".join(dialect.large(50_000, group=group, id=number) for number in range(100))

    async def attack(attacker: Attacker) -> None:
        sending = asyncio.create_task(attacker.send(asking))
        most = 0

        def dropped() -> bool:
            nonlocal most
            most = max(most, abuse.gateway.unsent(attacker))
            return abuse.gateway.refused.get(reason, 0) > attack_number[0]

        await abuse.gateway.until(dropped, "the connection to be dropped")
        attack_number[0] += 1
        assert most < 2 * 256 * 1024 + 70_000
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    attack_number = [0]
    await abuse(attack, reason=reason, times=3)


@pytest.mark.parametrize("abuse", ["connections_per_address: 60, connections: 80"], indirect=True)
# A connection of its own for each call of the canary: tests/unit/adapters/blocking/test_server.py counts the others.
@pytest.mark.only_where(lambda dialect: not dialect.one_call)
async def test_g4_idle_connections_from_one_address_and_from_all(abuse: Abuse) -> None:
    gateway = abuse.gateway

    async def crowd(source: str, count: int) -> tuple[list[Attacker], int]:
        """Those who stay connected, and how many were sent away."""
        attackers = [gateway.attacker(source) for _ in range(count)]
        await gateway.until(lambda: len(gateway.peers) + sum(gateway.refused.values()) >= wanted + count, "accepting")
        known = gateway.peers
        staying = [each for each in attackers if each.address in known]
        for each in attackers:
            if each.address not in known:
                await each.refused()
                each.close()
        return staying, count - len(staying)

    async with abuse.canary.watching():
        for turn in range(1, 4):
            wanted = len(gateway.peers) + sum(gateway.refused.values())
            first, refused_first = await crowd("127.0.0.1", 150)
            wanted = len(gateway.peers) + sum(gateway.refused.values())
            second, refused_second = await crowd("127.0.0.2", 150)
            assert len(first) + 1 == 60  # with the canary
            assert len(first) + len(second) + 1 == 80
            assert gateway.refused == {
                "too-many-connections-per-address": turn * refused_first,
                "too-many-connections": turn * refused_second,
            }
            for attacker in (*first, *second):
                attacker.close()
            await gateway.until(lambda: len(gateway.peers) == 1, "connections to end")
            newcomer = gateway.attacker("127.0.0.3")
            await newcomer.send(abuse.dialect.count)
            assert abuse.dialect.is_count(await newcomer.reply())
            newcomer.close()
            await gateway.until(lambda: len(gateway.peers) == 1, "connections to end")
    assert set(gateway.per_address) == {"127.0.0.1"}
    logged = [(each.reason, each.peer.partition(":")[0]) for each in abuse.records]  # type: ignore[attr-defined]
    assert set(logged) == {("too-many-connections-per-address", "127.0.0.1"), ("too-many-connections", "127.0.0.2")}
    assert len(logged) <= 2 * len("100")


async def test_g5_reset_in_the_middle_of_a_request(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(abuse.dialect.count[:40])
        await abuse.gateway.until(lambda: abuse.gateway.pending(attacker) == 40, "the bytes to arrive")
        attacker.reset()

    await abuse(attack, reason="truncated")


async def test_g5_end_of_stream_in_the_middle_of_a_request(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(abuse.dialect.count[:40])
        attacker.finish()
        await attacker.refused()

    await abuse(attack, reason="truncated")


@pytest.mark.parametrize("how", ["reset", "close"])
# Over a connection for one call who only closed cannot be told from who waits.
@pytest.mark.only_where(lambda dialect, how: how == "reset" or not dialect.one_call)
async def test_g5_leaves_while_its_call_runs(abuse: Abuse, how: str) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(abuse.dialect.forever)
        await abuse.gateway.until(lambda: abuse.gateway.calls_of(attacker) == 1, "the call to begin")
        getattr(attacker, how)()

    # Whether one who only closed is gone altogether, a listener finds out when it looks after its connections, or gives
    # up waiting for it where it has nothing to say.
    reason = "half-closed" if how == "close" and abuse.dialect in (THRIFT, MEMCACHED, REDIS) else None
    await abuse(attack, reason=reason, at_once=1 if how == "reset" else 50)


@pytest.mark.parametrize(
    ("asked", "group"),
    [("at once", ""), ("later", ""), ("both", ""), ("forwarded", "bridged")],
    ids=["at once", "later", "both", "forwarded"],
)
@pytest.mark.only_where(lambda dialect, asked: asked in ("at once", "later") or not dialect.one_call)
async def test_g5_half_close_still_gets_its_replies(abuse: Abuse, asked: str, group: str) -> None:
    dialect = abuse.dialect
    forwarded = [dialect.echo("far", group=group, id=number) for number in range(9)]
    requests = {
        "at once": [dialect.count],
        "later": [dialect.slow],
        "both": [dialect.slow, dialect.echo("near", id=8)],
        "forwarded": forwarded,
    }[asked]

    async def attack(attacker: Attacker) -> None:
        await attacker.send(b"".join(requests))
        attacker.finish()
        # Something else may come as well: it is how a listener finds out that a peer is gone altogether.
        answers = dialect.answers(await attacker.end())
        assert [dialect.is_ok(each) for each in answers] == [True] * len(requests)

    await abuse(attack, reason=None)


@pytest.mark.parametrize("group", ["", "bridged", "blind"])
# Without a contract the call says the types of its arguments in the form of one wire alone.
@pytest.mark.only_where(lambda dialect, group: group != "blind" or dialect.protocol == "dubbo")
async def test_g6_every_split_of_a_request(abuse: Abuse, dialect: Dialect, group: str) -> None:
    asked = dialect.echo("whole", group=group)
    places = iter([*range(1, len(asked))] * REPEATS)

    async def attack(attacker: Attacker) -> None:
        at = next(places)
        await attacker.send(asked[:at], asked[at:])
        assert dialect.is_echo(await attacker.reply(), "whole")

    await abuse(attack, reason=None, times=max(REPEATS, len(asked)))


async def test_g6_byte_by_byte(abuse: Abuse) -> None:
    asked = abuse.dialect.echo("whole")

    async def attack(attacker: Attacker) -> None:
        await attacker.send(*(bytes((byte,)) for byte in asked))
        assert abuse.dialect.is_echo(await attacker.reply(), "whole")

    await abuse(attack, reason=None, times=FEW)


BAD_HEAD = http_bytes.head("POST /demo.Types/echo_string HTTP/1.1", "Host : a", "Content-Length: 5") + b'["x"]'
TOO_LONG = http_bytes.head("POST /demo.Types/echo_string HTTP/1.1", http_bytes.HOST, f"Content-Length: {1 << 30}")
BAD_ARGUMENT = thrift_bytes.field(thrift_bytes.I32, 1, bytes(4))
BAD = {
    (DUBBO, "bad argument"): (request("echoString", "Ljava/lang/String;", b"\x91", id=50), "bad-request", 100),
    (DUBBO, "unknown method"): (request("missing", "I", b"\x91", path="demo.Types", id=50), "no-such-method", 100),
    (DUBBO, "rubbish"): (b"GET / HTTP/1.1\r\n\r\n", "bad-magic", 50),
    (DUBBO, "length"): (frame(CALL, 50, b"", length=1 << 30), "frame-too-large", 51),
    (HTTP, "bad argument"): (http_bytes.call("echo_string", 1), "bad-request", 100),
    (HTTP, "unknown method"): (http_bytes.call("echo_missing"), "no-such-method", 100),
    (HTTP, "rubbish"): (b"\x16\x03\x01", "not-http", 50),
    (HTTP, "header field"): (BAD_HEAD, "bad-headers", 51),
    (HTTP, "length"): (TOO_LONG, "body-too-large", 51),
    (HESSIAN, "bad argument"): (hessian_call("echoString", b"\x91"), "bad-request", 100),
    (HESSIAN, "unknown method"): (hessian_call("echoMissing"), "no-such-method", 100),
    (HESSIAN, "rubbish"): (b"\x16\x03\x01", "not-http", 50),
    (HESSIAN, "header field"): (BAD_HEAD, "bad-headers", 51),
    (HESSIAN, "length"): (TOO_LONG, "body-too-large", 51),
    (THRIFT, "bad argument"): (thrift_bytes.call("demo.Types:echo_string", BAD_ARGUMENT), "bad-request", 100),
    (THRIFT, "unknown method"): (thrift_bytes.call("demo.Types:missing", BAD_ARGUMENT), "no-such-method", 100),
    (THRIFT, "rubbish"): (b"GET / HTTP/1.1\r\n\r\n", "frame-too-large", 50),
    (THRIFT, "length"): (thrift_bytes.framed(b"", 1 << 30), "frame-too-large", 50),
    (MEMCACHED, "bad argument"): (memcached_bytes.run_call("demo.Types.echo_i32", b"x"), "bad-request", 100),
    (MEMCACHED, "unknown method"): (memcached_bytes.run_call("demo.Types.missing"), "no-such-method", 100),
    (MEMCACHED, "rubbish"): (b"GET / HTTP/1.1\r\n\r\n", "bad-magic", 50),
    (MEMCACHED, "length"): (b"set a 0 0 -1\r\n", None, 100),
    (REDIS, "bad argument"): (redis_bytes.command("demo.Types.echo_i32", "x"), "bad-request", 100),
    (REDIS, "unknown method"): (redis_bytes.command("demo.Types.missing", "x"), "no-such-method", 100),
    (REDIS, "rubbish"): (b"GET / HTTP/1.1\r\nHost: a\r\n", "bad-magic", 51),
    (REDIS, "length"): (b"*1\r\n$%d\r\n" % (1 << 30), "malformed", 51),
    (SOAP, "bad argument"): (soap_request(soap_call("echo_i32", "<value>x</value>"), "demo.Types"), "bad-request", 100),
    (SOAP, "unknown method"): (soap_request(soap_call("missing"), "demo.Types"), "no-such-method", 100),
    (SOAP, "rubbish"): (b"\x16\x03\x01", "not-http", 50),
    (SOAP, "header field"): (BAD_HEAD, "bad-headers", 51),
    (SOAP, "length"): (TOO_LONG, "body-too-large", 51),
}
"""One message among good ones, what is counted, and how many of the hundred are answered."""
BAD |= {(AIOHTTP, name): bad for (dialect, name), bad in BAD.items() if dialect is HTTP}


@pytest.mark.parametrize("group", ["", "bridged"])
@pytest.mark.parametrize("name", ["bad argument", "unknown method", "rubbish", "length", "header field"])
@pytest.mark.only_where(lambda dialect, name: (dialect, name) in BAD)
async def test_g7_hundred_requests_in_one_segment_with_a_bad_one_in_the_middle(
    abuse: Abuse, dialect: Dialect, group: str, name: str
) -> None:
    bad, reason, answered = BAD[dialect, name]
    good = [dialect.echo(str(number), group=group, id=number) for number in range(100)]
    asked = b"".join([*good[:50], bad, *good[51:]])
    wanted = [str(number) for number in range(answered) if number != 50]

    async def attack(attacker: Attacker) -> None:
        await attacker.send(asked)
        if answered < 100:
            # A listener that waits for the last answers may ask meanwhile whether anybody is there.
            found = dialect.answers(await attacker.end())
            assert len(found) == answered
        else:
            found = [await attacker.reply() for _ in range(answered)]
        echoed = [each for each in found if dialect.is_ok(each)]
        if group and not dialect.answers_in_order:
            echoed.sort(key=lambda each: each.id)
        elif answered > 50:
            assert not dialect.is_ok(found[50])
        assert [dialect.is_echo(each, value) for each, value in zip(echoed, wanted, strict=True)] == [True] * len(
            wanted
        )

    await abuse(attack, reason=reason, times=max(FEW, REPEATS // 10))


HELLO = bytes.fromhex("16030100c6010000c20303") + bytes(range(32))
FOREIGN = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP with a body": b"POST /demo.Types HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "dubbo": heartbeat(7),
    "TLS": HELLO,
    "redis": b"*1\r\n$4\r\nPING\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "Thrift": bytes.fromhex("80010001000000047069 6e6700000000"),
    "Java RMI": b"JRMI\x00\x02K",
    "Java serialization": bytes.fromhex("aced0005") + b"sr",
    "text": b"status -l\r\n",
    "unknown bytes": b"\x05\x01\x00",
}


def _transport(dialect: Dialect) -> str:
    return "http" if dialect.over_http else dialect.protocol


def _is_foreign(dialect: Dialect, spoken: str) -> bool:
    # A line of text may be a command.
    return not spoken.lower().startswith(_transport(dialect)) and not (
        dialect in (MEMCACHED, REDIS) and spoken == "text"
    )


@pytest.mark.parametrize("spoken", FOREIGN)
# Not its own, nor a version of it that can be answered, nor what may be a command.
@pytest.mark.only_where(lambda dialect, spoken: _is_foreign(dialect, spoken))
async def test_g8_speaks_another_protocol(abuse: Abuse, dialect: Dialect, spoken: str) -> None:
    named = spoken.partition(" with")[0]

    async def attack(attacker: Attacker) -> None:
        await attacker.send(FOREIGN[spoken])
        await attacker.refused()

    await abuse(attack, reason="not-http" if dialect.over_http else "bad-magic")
    assert named in abuse.records[0].getMessage()


async def test_g9_random_bytes(abuse: Abuse, dialect: Dialect) -> None:
    """2,000 rounds of up to 64 KiB: bare, behind a beginning that fits, in the place of a part of a good request."""
    dice = random.Random(20_260_901)
    gateway = abuse.gateway
    good = [dialect.count, dialect.echo("whole"), dialect.count + dialect.aside, dialect.slow]
    if dialect is DUBBO:
        good.append(request("echoAny", "Ljava/lang/Object;", b"H\x01a\x79\x90Z"))
    elif dialect is THRIFT:
        # Without the slow one, which with one bit more sleeps for years.
        good[-1] = thrift_bytes.header(thrift_bytes.message("demo.Catalog:count"))
    elif dialect is MEMCACHED:
        good[-1] = b"stats\r\nmn\r\nget a b\r\nms a 2 T0\r\nhi\r\nmg a v k q\r\nincr a 1\r\n"
    elif dialect is HESSIAN:
        good.append(hessian_call("echoAny", b"H\x01a\x79\x90Z"))
    elif dialect is REDIS:
        # As with Thrift; and one behind credentials, and a batch.
        good[-1] = redis_bytes.command("HELLO", "3", "AUTH", "a", "b") + redis_bytes.command("MULTI")
    elif dialect is RMI:
        good.append(rmi_bytes.call("echo_any", {"a": [1, 2.5, None, {"b"}]}))
    else:
        good += [CHUNKED, http_bytes.message("/jsonrpc", b'{"jsonrpc":"2.0","id":1,"method":"demo.Catalog.count"}')]
    slowest = 0.0
    async with abuse.canary.watching():
        for turn in range(2_000):
            noise = dice.randbytes(1 << dice.randrange(17) if dice.randrange(8) else dice.randrange(1 << 16))
            if turn % 4 == 1:
                noise = _headed(dialect, noise, dice)
            elif turn % 4 == 2:
                noise = _as_argument(dialect, noise)
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
        await gateway.until(lambda: len(gateway.peers) <= 1, "connections to end")
    assert slowest < 1.0
    assert {each.levelname for each in abuse.records} == {"WARNING"}, [each.getMessage() for each in abuse.records]
    assert gateway.calls == 0


CHUNKED = (
    http_bytes.head("POST /demo.Types/echo_string HTTP/1.1", http_bytes.HOST, "Transfer-Encoding: chunked")
    + b'7\r\n["whole\r\n2;a=b\r\n"]\r\n0\r\nTrailer: x\r\n\r\n'
)


def _headed(dialect: Dialect, noise: bytes, dice: random.Random) -> bytes:
    if dialect is DUBBO:
        return frame(dice.randrange(256), dice.getrandbits(63), noise)
    if dialect is RMI:
        return rmi_bytes.frame(noise, length=dice.choice([0, len(noise), len(noise), 1 << 31]))
    if dialect is THRIFT:
        return thrift_bytes.framed(dice.choice((b"\x80\x01\0\1", b"\x82\x21", b"\x0f\xff", b"[1,")) + noise)
    if dialect is MEMCACHED:
        return b"set demo.Types.echo_any#1 0 0 %d\r\n" % dice.choice([0, len(noise), 1 << 31]) + noise
    if dialect is REDIS:
        return (
            dice.choice((b"*3\r\n$4\r\nCALL\r\n$", b"*%d\r\n" % dice.getrandbits(8), b"*1\r\n$%d\r\n" % len(noise)))
            + noise
        )
    framing = dice.choice([f"Content-Length: {len(noise)}", "Transfer-Encoding: chunked"])
    path = "/demo.Types" if dialect is HESSIAN else "/demo.Types/echo_any"
    return http_bytes.head(f"POST {path} HTTP/1.1", http_bytes.HOST, framing) + noise


def _as_argument(dialect: Dialect, noise: bytes) -> bytes:
    if dialect is DUBBO:
        return request("echoAny", "Ljava/lang/Object;", noise)
    if dialect is RMI:
        return rmi_bytes.frame(b"\x80\x04" + noise)
    if dialect is THRIFT:
        return thrift_bytes.call("demo.Types:echo_everything", noise)
    if dialect is MEMCACHED:
        return memcached_bytes.run_call("demo.Types.echo_everything", noise)
    if dialect is REDIS:
        return redis_bytes.command("demo.Types.echo_everything", noise)
    if dialect is HESSIAN:
        return http_bytes.message("/demo.Types", hessian_body("echoAny", noise))
    return http_bytes.message("/demo.Types/echo_string", b'["' + noise + b'"]')


@pytest.mark.parametrize("byte", [0x00, 0xFF, ord("*"), ord("["), ord("<")], ids=hex)
async def test_g10_a_mebibyte_of_one_byte(abuse: Abuse, byte: int) -> None:
    data = bytes((byte,)) * (1 << 20)
    # A line of text, or a length, that does not end; on any other wire none of these begins anything.
    is_line = abuse.dialect is REDIS and byte in b"*[<"

    async def attack(attacker: Attacker) -> None:
        sending = asyncio.create_task(attacker.send(data))
        if is_line:
            assert (await attacker.end()).startswith(b"-ERR Protocol error: too big ")
        else:
            await attacker.refused()
        await sending

    reason = "not-http" if abuse.dialect.over_http else "bad-magic"
    await abuse(attack, reason="malformed" if is_line else reason, times=max(FEW, REPEATS // 10))
