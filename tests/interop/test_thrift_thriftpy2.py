"""thriftpy2 on the other side, binary and compact, in both directions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from thriftpy2.protocol import TBinaryProtocolFactory, TCompactProtocolFactory
from thriftpy2.protocol.multiplex import TMultiplexedProtocolFactory
from thriftpy2.rpc import make_client
from thriftpy2.server import TThreadedServer
from thriftpy2.thrift import TApplicationException, TProcessor
from thriftpy2.transport import TBufferedTransportFactory, TFramedTransportFactory, TServerSocket

from gateway import NoSuchMethod, connect
from gateway.demo.types import Maker, Types, TypesFailure
from tests.support.thrift_peer.gateway import thrift_gateway
from tests.support.thrift_peer.idl import parsed

pytestmark = pytest.mark.interop

PROTOCOLS = {"binary": TBinaryProtocolFactory, "compact": TCompactProtocolFactory}
TRANSPORTS = {"buffered": TBufferedTransportFactory, "framed": TFramedTransportFactory}
STYLE = pytest.mark.parametrize("style", [(each, other) for each in PROTOCOLS for other in TRANSPORTS], ids="-".join)
# Not its reader of Apache's JSON, which finds neither the end of a message on a socket that stays open nor an exception
# in a result.


def the_services(host: str, port: int, style: tuple[str, str]) -> None:
    demo, make = parsed(), (PROTOCOLS[style[0]](), TRANSPORTS[style[1]]())
    catalog = make_client(demo.Catalog, host, port, proto_factory=make[0], trans_factory=make[1])
    lamp = catalog.find(1)
    assert (lamp.name, lamp.price, lamp.stock, lamp.maker.parent.country) == (
        "Desk lamp", "49.90", {"berlin": 12, "oslo": 0}, "SE",
    )  # fmt: skip
    with pytest.raises(demo.ProductNotFound) as missing:
        catalog.find(99)
    assert (missing.value.message, missing.value.product_id) == ("no product 99", 99)
    with pytest.raises(TApplicationException) as undeclared:
        catalog.reserve(1, "berlin", -1)
    assert undeclared.value.type == TApplicationException.INTERNAL_ERROR
    catalog.touch(1)
    assert catalog.count() == 3
    catalog.close()
    named = TMultiplexedProtocolFactory(make[0], "demo.Types")
    types = make_client(demo.Types, host, port, proto_factory=named, trans_factory=make[1])
    assert types.echo_i64(-(1 << 63)) == -(1 << 63)
    assert types.echo_string("Grüße 😀") == "Grüße 😀"
    assert types.echo_bytes(b"\0\xff") == b"\0\xff"
    assert types.echo_int_map({-1: "a"}) == {-1: "a"}
    assert types.echo_nothing() is None
    types.close()


@pytest.mark.direction("Python → us", wire="thrift", peer="thriftpy2", quick=True)
@STYLE
async def test_a_stock_client_uses_the_services(style: tuple[str, str]) -> None:
    async with thrift_gateway() as (host, port):
        await asyncio.get_running_loop().run_in_executor(None, the_services, host, port, style)


class Answers:
    """What thriftpy2's server answers."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def echo(*arguments: Any) -> Any:
            return arguments[0] if arguments else None

        return echo

    def fail_declared(self, message: str) -> str:
        raise parsed().TypesFailure(message=message, code=42)

    def echo_i8(self, value: int) -> int:
        raise TApplicationException(TApplicationException.UNKNOWN_METHOD, "not here")


@contextmanager
def thriftpy2_server(style: tuple[str, str]) -> Iterator[int]:
    listening = TServerSocket("127.0.0.1", 0)
    server = TThreadedServer(
        TProcessor(parsed().Types, Answers()),
        listening,
        iprot_factory=PROTOCOLS[style[0]](),
        itrans_factory=TRANSPORTS[style[1]](),
        daemon=True,
    )
    listening.listen()
    port = listening.sock.getsockname()[1]
    listening.listen = lambda: None
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.closed = True
        listening.close()
        thread.join(5)


@pytest.mark.direction("us → Python", wire="thrift", peer="thriftpy2", quick=True)
@STYLE
async def test_our_client_uses_a_stock_server(style: tuple[str, str]) -> None:
    parameters = {"encoding": style[0], "transport": style[1], "multiplexed": False}
    with thriftpy2_server(style) as port:
        url = f"thrift://127.0.0.1:{port}/demo.Types"
        async with connect(url, Types, timeout_s=5.0, retries=0, parameters=parameters) as types:
            assert await types.echo_i64((1 << 53) + 1) == (1 << 53) + 1
            assert await types.echo_string("茶 😀") == "茶 😀"
            assert await types.echo_bytes(b"\xff") == b"\xff"
            assert await types.echo_struct(Maker("a", None, Maker("b", "DE"))) == Maker("a", None, Maker("b", "DE"))
            assert await asyncio.gather(*(types.echo_i32(each) for each in range(50))) == list(range(50))
            with pytest.raises(TypesFailure, match="why") as failed:
                await types.fail_declared("why")
            assert failed.value.code == 42
            with pytest.raises(NoSuchMethod, match="not here"):
                await types.echo_i8(1)
