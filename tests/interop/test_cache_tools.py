"""The programs that come with Redis and libmemcached, against a store that is mounted here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bench.apt import install
from tests.support.cache_gateway import CacheGateway, cache_gateway
from tests.support.memcached_server import memcached_server
from tests.support.peer_program import BUILD_TIMEOUT
from tests.support.redis_server import redis_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]


def row(wire: str, peer: str) -> pytest.MarkDecorator:
    return pytest.mark.direction("C → us", wire=wire, peer=peer, quick=True)


@pytest.fixture
async def here() -> AsyncIterator[CacheGateway]:
    async with cache_gateway() as ports:
        yield ports


async def said(command: Sequence[str | Path], given: str = "", folder: Path | None = None) -> tuple[int, str]:
    """With what a program ended, and what it printed on both of its outputs."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            printed, _ = await process.communicate(given.encode())
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, printed.decode()


SESSION = """PING
ECHO "a b"
SET store:a "1 Gr\\xc3\\xbc\\xc3\\x9fe"
GET store:a
GET store:b
SET store:a 2 NX
SET store:b 2 EX 100
TTL store:b
PERSIST store:b
TTL store:b
MGET store:a store:b store:c
APPEND store:b !
INCRBY store:n 42
DECR store:n
EXISTS store:a store:b store:c
MULTI
INCR store:n
GET store:c
EXEC
GETDEL store:n
DEL store:a store:b
KEYS store:*
SELECT 0
NOSUCH a
GET
"""


@row("redis", "redis-cli")
@pytest.mark.parametrize("options", [["-2"], ["-3"]], ids=["RESP2", "RESP3"])
async def test_a_session_of_redis_cli_reads_as_with_redis(
    options: list[str], here: CacheGateway, tmp_path: Path
) -> None:
    install("redis-cli:redis-tools")
    with redis_server(tmp_path, append=False) as real:
        command = ["redis-cli", "--no-raw", *options, "-p"]
        expected = await said([*command, str(real.port)], SESSION)
    assert expected[1].count("\n") > 25
    assert await said([*command, str(here.redis)], SESSION) == expected


@row("redis", "redis-cli")
async def test_redis_cli_calls_methods(here: CacheGateway) -> None:
    install("redis-cli:redis-tools")
    command = ["redis-cli", "-3", "--json", "-p", str(here.redis)]
    assert await said([*command, "demo.Catalog.count"]) == (0, "3\n")
    assert await said([*command, "demo.Types.echo_bool", "true"]) == (0, "true\n")
    code, found = await said([*command, "demo.Catalog.find", "1"])
    assert (code, found.startswith('{"id":1,"name":"Desk lamp"')) == (0, True), found
    # What stands in a file is an argument: the last one.
    code, found = await said([*command, "-x", "demo.Types.echo_string"], "from a file")
    assert (code, found) == (0, '"from a file"\n')
    # What it scans are the keys of mounts.
    scan = ["redis-cli", "-p", str(here.redis)]
    assert await said([*scan, "SET", "store:1", "x"]) == (0, "OK\n")
    assert await said([*scan, "--scan", "--pattern", "store:*"]) == (0, "store:1\n")
    assert await said([*scan, "--scan", "--pattern", "other:*"]) == (0, "")


@row("redis", "redis-benchmark")
async def test_redis_benchmark_finishes(here: CacheGateway) -> None:
    install("redis-benchmark:redis-tools")
    tests = "ping,set,get,incr,mset"
    command = ["redis-benchmark", "-p", str(here.redis), "-n", "1000", "-c", "8", "-r", "50", "--csv", "-t", tests]
    for more in ([], ["-P", "16"], ["-3"]):
        code, printed = await said([*command, *more])
        assert (code, "ERR" in printed) == (0, False), printed
        for name in ("PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"):
            assert f'"{name}"' in printed


@row("memcached", "libmemcached tools")
async def test_the_tools_of_libmemcached_tell_no_difference(here: CacheGateway, tmp_path: Path) -> None:
    install("memccat:libmemcached-tools")
    (tmp_path / "store:file").write_text("Grüße\nmore\n", encoding="utf-8")
    told: list[list[tuple[int, str]]] = []
    with memcached_server(tmp_path / "real") as real:
        for port in (real.port, here.memcached):
            servers = f"--servers=127.0.0.1:{port}"
            steps = [
                ["memcping", servers],
                ["memccp", servers, "--flag=5", "store:file"],
                ["memccat", servers, "store:file"],
                ["memccat", servers, "--flags", "store:file"],
                ["memcexist", servers, "store:file"],
                ["memcexist", servers, "store:nothing"],
                ["memctouch", servers, "--expire=100", "store:file"],
                ["memccp", servers, "--add", "store:file"],
                ["memccp", servers, "--replace", "store:file"],
                ["memcrm", servers, "store:file"],
                ["memcrm", servers, "store:file"],
                ["memccat", servers, "store:file"],
                ["memcflush", servers],
            ]
            told.append([await said(step, folder=tmp_path) for step in steps])
            code, printed = await said(["memcstat", servers])
            assert (code, "version: " in printed, "uptime: " in printed) == (0, True, True), printed
    assert told[1] == told[0]


@row("memcached", "libmemcached tools")
async def test_memccapable_finds_every_ability(here: CacheGateway) -> None:
    """It checks 27 of them byte by byte, on keys that begin with `test_ascii`."""
    install("memccapable:libmemcached-tools")
    code, printed = await said(["memccapable", "-h", "127.0.0.1", "-p", str(here.memcached), "-a"])
    assert (code, printed.splitlines()[-1]) == (0, "All tests passed"), printed
    assert printed.count("[pass]") == 27


@row("memcached", "libmemcached tools")
async def test_memccat_calls_a_method(here: CacheGateway) -> None:
    install("memccat:libmemcached-tools")
    command = ["memccat", f"--servers=127.0.0.1:{here.memcached}", "demo.Catalog.count()"]
    assert await said(command) == (0, "3\n")
