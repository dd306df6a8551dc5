"""A process that is asked for its metadata, as Dubbo 3 answers it, without any Java."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.contracts.python import contract_of
from gateway.model.endpoint import ServiceKey, parse_address
from gateway.model.exposure import Exposure
from gateway.plugins.catalog import Catalog
from gateway.routing.local import LocalService
from gateway.routing.table import RoutingTable
from gateway.spi.adapter import ListenerOptions
from registry.metadata_service import MetadataInfo, MetadataService

__all__ = ["Answering", "answering"]


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
