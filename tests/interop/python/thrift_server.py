"""Provides demo.Catalog and demo.Types with Apache's library and generated code: `thrift_server.py GENERATED`.

Prints READY and four ports: binary and compact, each buffered and framed, and runs until its input ends.
"""

import itertools
import sys
import threading
import time
from typing import Any

sys.path.insert(0, sys.argv[1])

from demo import Catalog, Types, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAcceleratedFactory
from thrift.protocol.TCompactProtocol import TCompactProtocolFactory
from thrift.server.TServer import TThreadedServer
from thrift.TMultiplexedProcessor import TMultiplexedProcessor
from thrift.transport.TSocket import TServerSocket
from thrift.transport.TTransport import TBufferedTransportFactory, TFramedTransportFactory

PROTOCOLS = (TBinaryProtocolAcceleratedFactory(), TCompactProtocolFactory())
TRANSPORTS = (TBufferedTransportFactory(), TFramedTransportFactory())


class CatalogHandler(Catalog.Iface):
    touched = 0

    def find(self, product_id: int) -> Any:
        if product_id == 42:
            raise ttypes.ProductNotFound(message="no product 42", product_id=42)
        return ttypes.Product(
            id=product_id,
            name="Teekanne 茶 😀",
            price="49.90",
            tags=["kitchen"],
            created_at=1_767_342_600_123_456,
            updated_at=1_700_000_000_123_000,
            stock={"berlin": 12, "oslo": 0},
            status=ttypes.Status.PREORDER,
            maker=ttypes.Maker("Lumen", None, ttypes.Maker("Northwind", "SE")),
        )

    def find_by_name(self, name: str) -> Any:
        return self.find(7)

    def search(self, text: str, limit: int, tags: set[str] | None) -> list[Any]:
        found = self.find(7)
        found.name = text
        found.tags = sorted(tags or ())
        return [found] * limit

    def put(self, product: Any) -> int:
        return int(product.id)

    def remove(self, product_id: int) -> bool:
        return product_id == 7

    def price_history(self, product_id: int) -> dict[str, str]:
        return {"2026-01-02": "49.90"}

    def reserve(self, product_id: int, warehouse: str, quantity: int) -> int:
        raise ttypes.OutOfStock(message="empty", warehouse=warehouse, missing=quantity)

    def slow(self, millis: int) -> str:
        time.sleep(millis / 1000)
        return f"slept {millis} ms"

    def count(self) -> int:
        return self.touched

    def touch(self, product_id: int) -> None:
        self.touched += 1


class TypesHandler:
    """Gives back what it is given."""

    def __getattr__(self, name: str) -> Any:
        return lambda value: value

    def echo_nothing(self) -> None:
        return None

    def echo_attachments(self, key: str) -> None:
        return None

    def fail_declared(self, message: str) -> str:
        raise ttypes.TypesFailure(message=message, code=42, culprit=ttypes.Maker("Acme", "US"))

    def fail_undeclared(self, message: str) -> str:
        raise ValueError(message)


def serve() -> None:
    catalog = Catalog.Processor(CatalogHandler())
    processor = TMultiplexedProcessor()
    processor.registerProcessor("demo.Catalog", catalog)
    processor.registerProcessor("demo.Types", Types.Processor(TypesHandler()))
    processor.registerDefault(catalog)
    ports = []
    for protocol, transport in itertools.product(PROTOCOLS, TRANSPORTS):
        listening = TServerSocket("127.0.0.1", 0)
        listening.listen()
        ports.append(str(listening.handle.getsockname()[1]))
        # Listens again where it serves, which is no matter on a socket that does.
        listening.listen = lambda: None
        server = TThreadedServer(processor, listening, transport, protocol, daemon=True)
        threading.Thread(target=server.serve, daemon=True).start()
    print("READY", *ports, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve()
