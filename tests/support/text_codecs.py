"""Codecs and listeners of the text wires with the demo store mounted under `store:`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from gateway.contracts import contract_of
from gateway.demo.store import Store
from gateway.model.call import Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from gateway.spi.handler import Handler
from gateway.spi.plugin import ProtocolPlugin
from protocols.contract import CallReceived, Outcome, Send, ServerEvent
from protocols.memcached.server import MemcachedServerCodec, MemcachedServerWire, ServerStyle
from protocols.reader import Limits
from protocols.redis.server import RedisServerCodec, RedisServerWire
from protocols.texts.mount_entry import parse_entry

__all__ = ["FRAME_BYTES", "listening", "memcached_codec", "redis_codec", "run", "steps"]

FRAME_BYTES: Final = 1 << 20
_MOUNTS: Final = {
    "get": "get", "gets": "entry", "set": "set", "add": "add", "append": "append", "delete": "delete",
    "incr": "increment", "expire": "expire", "ttl": "ttl NotStored=miss", "keys": "keys", "flush": "clear",
}  # fmt: skip


def _exposures() -> list[Exposure]:
    contract = contract_of(Store)
    entries = {verb: parse_entry(text) for verb, text in _MOUNTS.items()}
    return [Exposure(ServiceKey(contract.name), contract, options={"mounts": {"store:": entries}})]


def redis_codec(frame_bytes: int = FRAME_BYTES) -> RedisServerCodec:
    """A connection of a redis:// listener that asks nobody for a credential."""
    return RedisServerWire(_exposures(), Limits(max_frame_bytes=frame_bytes), clock=lambda: 1.0).accept(
        Peer("redis", "127.0.0.1:1")
    )


def memcached_codec(frame_bytes: int = FRAME_BYTES, users: dict[str, str] | None = None) -> MemcachedServerCodec:
    """A connection of a memcached:// listener; `users`: who may call, everybody without any."""
    style = ServerStyle(max_value_bytes=frame_bytes, users=users or {})
    wire = MemcachedServerWire(_exposures(), style, lambda: 0.0, lambda: 0.0)
    return wire.accept(Peer("memcached", "127.0.0.1:1"))


def steps(codec: RedisServerCodec | MemcachedServerCodec, data: bytes) -> list[list[ServerEvent]]:
    """The events of what arrived, as they come step by step."""
    made = [list(codec.receive(data, 0.0))]
    while codec.is_behind:
        made.append(list(codec.receive(b"", 0.0)))
    return made


def run(
    codec: RedisServerCodec | MemcachedServerCodec, data: bytes, answer: Callable[[CallReceived], Outcome]
) -> bytes:
    """What is sent back where each call is answered as soon as it is made."""
    sent = b""
    for events in steps(codec, data):
        waiting = events
        while waiting:
            event, *waiting = waiting
            if isinstance(event, Send):
                sent += event.data
            elif isinstance(event, CallReceived):
                if event.ticket is not None:
                    sent += codec.reply(event.ticket, answer(event))
                if isinstance(codec, RedisServerCodec):
                    waiting = [*codec.due(), *waiting]
    return sent


@asynccontextmanager
async def listening(
    plugin: ProtocolPlugin, handler: Handler, **options: Any
) -> AsyncIterator[Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]]:
    """A listener of a text wire with the store; gives what connects to it. `options`: of `ListenerOptions`."""
    assert plugin.server is not None
    server = plugin.server(ListenerOptions("testing", plugin.name, "127.0.0.1", 0, **options))
    (endpoint, *_) = await server.start(handler, _exposures())
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writers.append(writer)
        return reader, writer

    try:
        yield connect
    finally:
        for each in writers:
            each.close()
        await server.drain(0.0)
        await server.aclose()
