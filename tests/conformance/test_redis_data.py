"""Data commands over the demo store beside a real Redis: the same bytes to both, the same bytes back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from gateway.contracts import contract_of
from gateway.contracts.fault import fault_of
from gateway.demo.store import DemoStore, Store
from gateway.model.call import Invocation, Ok, Peer, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, Send
from protocols.reader import Limits
from protocols.redis.server import RedisServerWire
from protocols.texts.mount_entry import parse_entry
from tests.support.redis_bytes import answers, command
from tests.support.redis_server import redis_server

NOW = 1_800_000_000
MOUNT = {
    "get": "get", "set": "set", "add": "add", "replace": "replace", "append": "append", "delete": "delete",
    "incr": "increment NoNumber=miss", "expire": "expire", "ttl": "ttl NotStored=miss", "keys": "keys",
    "getset": "exchange", "getdel": "take", "flush": "clear",
}  # fmt: skip
A, B, C = "store:a", "store:b", "store:c"
FAR = str(4_000_000_000)

SCRIPTS: dict[str, list[tuple[str | bytes, ...]]] = {
    "get": [("get", A), ("set", A, "1"), ("get", A), ("GET", A), ("Get", A)],
    "bytes": [("set", A, b"\x00\r\n\xff"), ("get", A), ("strlen", A)],
    "empty": [("set", A, ""), ("get", A), ("strlen", A), ("exists", A)],
    "nx": [("set", A, "1", "nx"), ("set", A, "2", "NX"), ("get", A), ("set", B, "1", "xx"), ("set", A, "3", "xx")],
    "ex": [("set", A, "1", "ex", "100"), ("ttl", A), ("set", A, "2"), ("ttl", A), ("set", A, "3", "px", "100000")],
    "exat": [("set", A, "1", "exat", FAR), ("get", A), ("set", A, "1", "pxat", FAR + "000"), ("get", A)],
    "set get": [("set", A, "1", "get"), ("set", A, "2", "GET"), ("get", A)],
    "setnx": [("setnx", A, "1"), ("setnx", A, "2"), ("get", A)],
    "setex": [("setex", A, "100", "1"), ("ttl", A), ("psetex", B, "100000", "1"), ("ttl", B)],
    "getset": [("getset", A, "1"), ("getset", A, "2"), ("get", A)],
    "getdel": [("getdel", A), ("set", A, "1"), ("getdel", A), ("get", A)],
    "getex": [("getex", A), ("set", A, "1"), ("getex", A, "ex", "100"), ("ttl", A), ("getex", A, "persist"), ("ttl", A),
              ("getex", A, "what"), ("getex", A, "ex", "0")],
    "mget": [("mget", A, B), ("mset", A, "1", B, "2"), ("mget", A, B, C, A), ("mset", A, "1", A, "2"), ("get", A)],
    "del": [("del", A), ("mset", A, "1", B, "2"), ("del", A, B, C), ("exists", A, B), ("unlink", A)],
    "del twice": [("set", A, "1"), ("del", A, A)],
    "exists": [("exists", A), ("set", A, "1"), ("exists", A, A, B), ("touch", A, B)],
    "incr": [("incr", A), ("incr", A), ("incrby", A, "40"), ("decr", A), ("decrby", A, "50"), ("get", A)],
    "incrby first": [("incrby", A, "-7"), ("get", A), ("decrby", B, "3"), ("get", B)],
    "append": [("append", A, "ab"), ("append", A, "cd"), ("get", A), ("append", A, "")],
    "expire": [("expire", A, "100"), ("set", A, "1"), ("expire", A, "100"), ("ttl", A), ("persist", A), ("ttl", A),
               ("persist", A), ("persist", B), ("pexpire", A, "100000"), ("ttl", A)],
    "expire at": [("set", A, "1"), ("expireat", A, FAR), ("pexpireat", A, FAR + "000"), ("exists", A)],
    "expire over": [("set", A, "1"), ("expire", A, "-1"), ("get", A), ("set", A, "1"),
                    ("expireat", A, "1"), ("get", A)],
    "ttl": [("ttl", A), ("pttl", A), ("set", A, "1"), ("ttl", A), ("pttl", A)],
    "keys": [("mset", A, "1"), ("keys", "store:*"), ("keys", "*"), ("keys", "s*:[ab]"), ("keys", "nothing*"),
             ("keys", "store:?"), ("keys", "store:[^a]"), ("keys", "store:\\a")],
    "scan": [("set", A, "1"), ("scan", "0"), ("scan", "0", "match", "store:*", "count", "10"),
             ("scan", "0", "match", "x*"), ("scan", "0", "type", "string"), ("scan", "0", "type", "list")],
    "dbsize": [("dbsize",), ("mset", A, "1", B, "2"), ("dbsize",), ("flushdb",), ("dbsize",), ("flushall", "async")],
    "type": [("type", A), ("set", A, "1"), ("type", A)],
    "hash": [("set", A, "1"), ("hgetall", A), ("hget", A, "x")],
    "batch": [("multi",), ("set", A, "1"), ("incr", A), ("get", A), ("del", A), ("get", A), ("exec",)],
    "batch of errors": [("multi",), ("set", A, "1", "ex", "0"), ("set", A, "2"), ("get", A), ("exec",)],
    "resp 3": [("hello", "3"), ("get", A), ("mget", A, B), ("set", A, "1", "xx"), ("getdel", A), ("multi",), ("get", A),
               ("exec",)],
    "silent": [("client", "reply", "off"), ("set", A, "1"), ("get", A), ("client", "reply", "on"), ("get", A)],
    "silent once": [("client", "reply", "skip"), ("set", A, "1"), ("get", A)],
}  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Where a real one listens."""
    with redis_server(tmp_path_factory.mktemp("redis"), append=False) as made:
        parts = urlsplit(made.url)
        yield parts.hostname or "", parts.port or 0


def asked_for_real(address: tuple[str, int], data: bytes, mark: bytes) -> bytes:
    got = b""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(data)
        while not got.endswith(mark):
            more = connection.recv(65_536)
            assert more, got
            got += more
    return got


async def called(store: DemoStore, invocation: Invocation) -> Result:
    assert invocation.signature is not None
    try:
        return Ok(await getattr(store, invocation.signature.attribute)(*invocation.arguments()))
    except Exception as exc:
        return fault_of(exc, invocation.signature, contract_of(Store))


async def asked_here(data: bytes) -> bytes:
    store, contract = DemoStore(), contract_of(Store)
    mounts = {"store:": {verb: parse_entry(entry) for verb, entry in MOUNT.items()}}
    exposure = Exposure(ServiceKey(contract.name), contract, options={"mounts": mounts})
    codec = RedisServerWire([exposure], Limits(), {}, lambda: float(NOW)).accept(Peer("redis", "test"))
    said = b""
    waiting = list(codec.receive(data, 0.0))
    while waiting:
        event = waiting.pop(0)
        if isinstance(event, Send):
            said += event.data
        else:
            assert isinstance(event, CallReceived)
            said += codec.reply(event.ticket, await called(store, event.invocation))
            waiting = [*codec.due(), *waiting]
    assert codec.held_bytes == 0
    return said


@pytest.mark.parametrize("name", SCRIPTS)
async def test_data_commands_are_answered_as_by_redis(address: tuple[str, int], name: str) -> None:
    data = b"".join([command("flushall"), *(command(*words) for words in SCRIPTS[name]), command("echo", "mark")])
    mark = b"$4\r\nmark\r\n"
    ours, theirs = answers(await asked_here(data)), answers(asked_for_real(address, data, mark))
    # What HELLO says is compared elsewhere.
    assert [each for each in ours if each.kind != "%"] == [each for each in theirs if each.kind != "%"]
