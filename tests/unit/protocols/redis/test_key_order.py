"""Commands of one connection on the same keys: what waits for what."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.contracts import contract_of
from gateway.demo.store import Store
from gateway.model.call import Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, Send
from protocols.reader import Limits
from protocols.redis.server import RedisServerCodec, RedisServerWire
from protocols.texts.mount_entry import parse_entry
from tests.support.redis_bytes import command

MOUNT = {"get": "get", "set": "set", "incr": "increment", "add": "add", "delete": "delete", "keys": "keys"}


def server(mount: Mapping[str, str]) -> RedisServerCodec:
    contract = contract_of(Store)
    mounts = {"s:": {verb: parse_entry(entry) for verb, entry in mount.items()}}
    exposure = Exposure(ServiceKey(contract.name), contract, options={"mounts": mounts})
    return RedisServerWire([exposure], Limits(), {}, lambda: 0.0).accept(Peer("redis", "somebody"))


@pytest.fixture
def codec() -> RedisServerCodec:
    return server(MOUNT)


class Pipeline:
    """What is sent at once; `begun`: methods of the calls that were made, in order."""

    def __init__(self, codec: RedisServerCodec, *commands: tuple[str, ...]) -> None:
        self.codec = codec
        self.begun: list[str] = []
        self.said = b""
        self._calls: list[CallReceived] = []
        self._take(codec.receive(b"".join(command(*words) for words in commands), 0.0))

    def _take(self, events: object) -> None:
        for event in list(events):  # type: ignore[call-overload]
            if isinstance(event, CallReceived):
                self._calls.append(event)
                self.begun.append(event.invocation.method)
            elif isinstance(event, Send):
                self.said += event.data

    def arguments(self, index: int) -> tuple[object, ...]:
        """Of a call that was made."""
        return self._calls[index].invocation.arguments()

    def answer(self, index: int, value: object) -> None:
        """Answers a call that was made."""
        self.said += self.codec.reply(self._calls[index].ticket, Ok(value))
        self._take(self.codec.due())


def test_who_reads_a_key_waits_for_who_writes_it(codec: RedisServerCodec) -> None:
    pipeline = Pipeline(codec, ("SET", "s:a", "1"), ("GET", "s:a"), ("GET", "s:b"), ("get", "s:a"))
    assert pipeline.begun == ["set", "get"]
    pipeline.answer(0, None)
    assert pipeline.begun == ["set", "get", "get", "get"]
    for index, value in ((1, b"b"), (3, b"1"), (2, b"1")):
        pipeline.answer(index, value)
    assert pipeline.said == b"+OK\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n1\r\n"
    assert codec.held_bytes == 0


def test_who_writes_a_key_waits_for_all_before(codec: RedisServerCodec) -> None:
    pipeline = Pipeline(codec, ("GET", "s:a"), ("GET", "s:a"), ("INCR", "s:a"), ("INCR", "s:a"), ("GET", "s:a"))
    assert pipeline.begun == ["get", "get"]
    pipeline.answer(1, None)
    assert pipeline.begun == ["get", "get"]
    pipeline.answer(0, None)
    assert pipeline.begun == ["get", "get", "increment"]
    pipeline.answer(2, None)
    assert pipeline.begun[3:] == ["add"], "it is one command still"
    pipeline.answer(3, True)
    pipeline.answer(4, 2)
    pipeline.answer(5, b"2")
    assert pipeline.said == b"$-1\r\n$-1\r\n:1\r\n:2\r\n$1\r\n2\r\n"


def test_incr_is_one_call_of_a_method_that_takes_what_to_begin_with() -> None:
    pipeline = Pipeline(server({"incr": "count"}), ("INCRBY", "s:a", "7"), ("DECR", "s:b"))
    assert pipeline.begun == ["count", "count"]
    assert pipeline.arguments(0) == ("a", 7, 7, None)
    assert pipeline.arguments(1) == ("b", -1, -1, None)
    pipeline.answer(0, 7)
    pipeline.answer(1, -1)
    assert pipeline.said == b":7\r\n:-1\r\n"


def test_a_command_with_several_keys_waits_for_each(codec: RedisServerCodec) -> None:
    pipeline = Pipeline(codec, ("SET", "s:a", "1"), ("SET", "s:b", "1"), ("MGET", "s:a", "s:b"), ("DEL", "s:b"))
    assert pipeline.begun == ["set", "set"]
    pipeline.answer(1, None)
    assert pipeline.begun == ["set", "set"]
    pipeline.answer(0, None)
    assert pipeline.begun[2:] == ["get", "get"]
    pipeline.answer(2, b"1")
    pipeline.answer(3, b"1")
    assert pipeline.begun[4:] == ["delete"]


def test_a_command_about_all_keys_waits_for_everything_and_is_waited_for(codec: RedisServerCodec) -> None:
    pipeline = Pipeline(codec, ("SET", "s:a", "1"), ("DBSIZE",), ("GET", "s:b"), ("KEYS", "*"), ("GET", "s:c"))
    assert pipeline.begun == ["set"]
    pipeline.answer(0, None)
    assert pipeline.begun[1:] == ["keys"]
    pipeline.answer(1, ["a"])
    assert pipeline.begun[2:] == ["get"]
    pipeline.answer(2, None)
    assert pipeline.begun[3:] == ["keys"]
    pipeline.answer(3, [])
    assert pipeline.begun[4:] == ["get"]
    pipeline.answer(4, None)
    assert pipeline.said == b"+OK\r\n:1\r\n$-1\r\n*0\r\n$-1\r\n"


def test_a_batch_waits_for_its_keys_and_keeps_them(codec: RedisServerCodec) -> None:
    batch = [("MULTI",), ("SET", "s:b", "1"), ("GET", "s:a"), ("EXEC",)]
    pipeline = Pipeline(codec, ("SET", "s:a", "1"), *batch, ("GET", "s:a"), ("GET", "s:c"))
    assert pipeline.begun == ["set", "get"]
    pipeline.answer(0, None)
    assert pipeline.begun[2:] == ["set"]
    pipeline.answer(2, None)
    assert pipeline.begun[3:] == ["get"]
    pipeline.answer(3, b"1")
    assert pipeline.begun[4:] == ["get"]


def test_what_is_refused_when_its_turn_comes_lets_the_others_go_on(codec: RedisServerCodec) -> None:
    refused = [("APPEND", "s:a", "x")] * 900
    pipeline = Pipeline(codec, ("SET", "s:a", "1"), *refused)
    while codec.is_behind:
        pipeline._take(codec.receive(b"", 0.0))
    pipeline.answer(0, None)
    assert pipeline.said.count(b"\r\n") == 901
    assert pipeline.said.startswith(b"+OK\r\n-ERR what is mounted at 's:' offers no 'append'")


def test_not_too_many_wait(codec: RedisServerCodec) -> None:
    pipeline = Pipeline(codec, ("SET", "s:a", "1"), *[("GET", "s:a")] * 1_002)
    while codec.is_behind:
        pipeline._take(codec.receive(b"", 0.0))
    pipeline.answer(0, None)
    for index in range(1, 1_001):
        pipeline.answer(index, b"1")
    assert pipeline.said.endswith(b"1\r\n" + b"-RPCERR overloaded too many commands wait for their keys\r\n" * 2)
