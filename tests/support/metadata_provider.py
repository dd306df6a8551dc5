"""A process that is asked for its metadata, as Dubbo 3 answers it, without any Java; and one that answers anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.contracts.python import contract_of
from gateway.model.endpoint import ServiceKey, parse_address
from gateway.model.exposure import Exposure
from gateway.plugins.catalog import Catalog
from gateway.routing.local import LocalService
from gateway.routing.table import RoutingTable
from gateway.spi.adapter import ListenerOptions
from registry.metadata_service import MetadataInfo, MetadataService
from tests.support.dubbo_bytes import HEADER, HESSIAN2, OK, definition, frame, integer, text

__all__ = ["NONSENSE", "Answering", "answering", "babbling"]

_INFO: Final = definition("org.apache.dubbo.metadata.MetadataInfo", "app", "revision", "services")
_SERVICE: Final = definition(
    "org.apache.dubbo.metadata.MetadataInfo$ServiceInfo",
    *("name", "group", "version", "protocol", "port", "path", "params"),
)
_NOTHING: Final = b"N"


def _value(value: bytes, *definitions: bytes) -> bytes:
    return b"\x91" + b"".join(definitions) + value


def _info(services: bytes) -> bytes:
    """A MetadataInfo, the first class of the message and its first object."""
    return b"\x60" + text("shop") + text("r1") + services


def _service(params: bytes, name: bytes = text("demo.Catalog"), port: bytes = integer(20880)) -> bytes:
    """A ServiceInfo, the second class."""
    return b"\x61" + name + _NOTHING + _NOTHING + text("dubbo") + port + text("demo.Catalog") + params


NONSENSE: Final = {
    "null": b"\x92",
    "text": _value(text("hello")),
    "number": _value(integer(7)),
    "list": _value(b"\x78"),
    "map": _value(b"H" + text("services") + b"HZ" + b"Z"),
    "fault": b"\x90" + text("no"),
    "unknown kind of answer": b"\x9f" + _NOTHING,
    "nothing": b"",
    "another class": _value(b"\x60" + _NOTHING, definition("java.lang.ProcessBuilder", "command")),
    "services that are text": _value(_info(text("services")), _INFO),
    "itself as its services": _value(_info(b"Q\x90"), _INFO),
    "itself as a service": _value(_info(b"H" + text("a") + b"Q\x90" + b"Z"), _INFO),
    "services in services": _value(_info(b"H" + text("a") + b"Q\x91" + b"Z"), _INFO),
    "parameters in themselves": _value(
        _info(b"H" + text("a") + _service(b"H" + text("b") + b"Q\x93" + b"Z") + b"Z"), _INFO, _SERVICE
    ),
    "a reference to nothing": _value(_info(b"Q\xd7\xff\xff"), _INFO),
    "numbers as parameters": _value(
        _info(b"H" + text("a") + _service(b"H" + text("b") + integer(1) + b"Z") + b"Z"), _INFO, _SERVICE
    ),
    "a name that is a list": _value(_info(b"H" + text("a") + _service(_NOTHING, b"\x78") + b"Z"), _INFO, _SERVICE),
    "a deep list": _value(b"\x79" * 100_000),
    "a list of a billion": _value(b"X" + integer(1_000_000_000)),
    "a wide map": _value(_info(b"H" + (b"\x01a" + _NOTHING) * 300_000 + b"Z"), _INFO),
    "more than is taken": _value(b"\x92" * 2_000_000),
}
"""Bodies of answers to `getMetadataInfo` that are none."""


class Answering:
    """Answers `MetadataService`. `asked`: the revisions, in the order of the calls. `port`: where."""

    def __init__(self, **known: MetadataInfo) -> None:
        self.known = known
        self.asked: list[str] = []
        self.port = 0

    async def getMetadataInfo(self, revision: str) -> MetadataInfo | None:
        self.asked.append(revision)
        return self.known.get(revision)


@asynccontextmanager
async def answering(application: str, port: int = 0, **known: MetadataInfo) -> AsyncIterator[Answering]:
    """One at 127.0.0.1 that knows these revisions."""
    made = Answering(**known)
    contract = contract_of(MetadataService)
    key = ServiceKey(contract.name, application, "1.0.0")
    options = ListenerOptions(
        name="metadata", protocol="dubbo", host="127.0.0.1", port=port, max_write_buffer_bytes=16_777_216
    )
    server = Catalog([]).protocol("dubbo").server(options)
    bound, *_ = await server.start(RoutingTable({key: LocalService(contract, made)}), [Exposure(key, contract)])
    made.port = parse_address(bound.address)[1]
    try:
        yield made
    finally:
        await server.aclose()


@asynccontextmanager
async def babbling(body: bytes | None) -> AsyncIterator[int]:
    """The port of one that answers every call with this body; with None it closes the connection instead."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                _, _, _, id, length = HEADER.unpack(await reader.readexactly(HEADER.size))
                await reader.readexactly(length)
                if body is None:
                    return
                writer.write(frame(HESSIAN2, id, body, status=OK))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
