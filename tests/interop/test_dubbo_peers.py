"""dubbo:// as others than Java speak it: dubbo-go and, for Node, dubbo2.js."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from gateway import RemoteError, RpcError, calling, connect
from gateway.demo.catalog import Catalog, ProductNotFound
from gateway.demo.types import Types
from protocols.hessian.reader import Reader
from protocols.hessian.typed import compile_reader, compile_writer
from protocols.hessian.writer import Writer
from protocols.testing import CONTRACT, CORPUS, Case, difference
from tests.support.demo_gateway import gateway, hosted, remote
from tests.support.go_peer import dubbo_go_checks, dubbo_go_recodes, dubbo_go_server, require_dubbo_go
from tests.support.java_corpus import corpus_invoker, echo_corpus
from tests.support.java_peer import Peers, require_java
from tests.support.node_peer import node_checks, require_node
from tests.support.peer_program import BUILD_TIMEOUT
from tests.support.relay import Relay, relaying
from tests.support.zookeeper_server import zookeeper_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

HEARTBEAT_REQUEST: Final = b"\xda\xbb\xe2\x00"
HEARTBEAT_REPLY: Final = b"\xda\xbb\x22\x14"
PATIENT: Final[dict[str, Any]] = {"timeout_s": 10.0, "retries": 0}

LOST_BY_ITS_CODEC: Final = {
    # A Decimal of gost has 81 digits and no exponent.
    *(f"decimal/{name}" for name in ("0E-20", "0E+3", "1E+10", "-9.99E-300", "1.0E+300")),
    # Texts are UTF-8 in Go, which has no half of a pair.
    "char/surrogate",
    *(f"string/{name}" for name in ("lone-high-surrogate", "lone-low-surrogate", "reversed-surrogates")),
    "string/surrogate-last",
}
"""Values of the corpus that dubbo-go-hessian2 does not write as it read them."""
LOST_BY_CHANCE: Final = {"nested_map/makers"}
"""dubbo-go-hessian2 counts no empty list when it writes, so references behind one name another value; where in a map
the empty list stands is chance in Go."""
TOO_LONG_FOR_IT: Final = {"string/1MiB", "bytes/1MiB"}
"""Longer than a message to dubbo-go may be, unless `max-msg-len` says otherwise."""
MAX_MESSAGE_BYTES: Final = 1_024_000
NULL_TO_IT: Final = {
    *(f"boxed_{kind}/null" for kind in ("bool", "i8", "i16", "i32", "i64", "f32", "f64", "char")),
    "nullable/null",
    "any/null",
}
"""A provider in dubbo-go is given a pointer in the place of a null, and answers with no value at all when it gives that
back; its own consumer cannot read such an answer either."""


def row(text: str, peer: str, quick: bool = False) -> pytest.MarkDecorator:
    return pytest.mark.direction(text, wire="dubbo", peer=peer, quick=quick)


async def until_two_heartbeats(relay: Relay) -> None:
    async with asyncio.timeout(30):
        while relay.received.count(HEARTBEAT_REPLY) < 2:
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def go_provider() -> Iterator[str]:
    """Its address."""
    require_dubbo_go()
    provider = dubbo_go_server()
    yield provider.address
    provider.close()


@row("Node → us", "dubbo2.js", quick=True)
async def test_dubbo2_js_uses_a_python_service() -> None:
    require_node()
    async with gateway(hosted()) as app:
        report = await node_checks("dubbo_client.mjs", "direct", app.listening[0].address)
    report.check()


@row("Node → us", "dubbo2.js")
async def test_dubbo2_js_keeps_an_idle_connection() -> None:
    require_node()
    async with gateway(hosted()) as app, relaying(app.listening[0].address) as relay:
        report = await node_checks(
            "dubbo_client.mjs", "idle", relay.address, while_idle=lambda: until_two_heartbeats(relay)
        )
        assert relay.connections == 1
        assert HEARTBEAT_REQUEST in relay.sent
    report.check()


@row("Node → us, found in ZooKeeper", "dubbo2.js", quick=True)
async def test_dubbo2_js_finds_a_python_service_in_zookeeper(tmp_path: Path) -> None:
    require_node()
    require_java()
    with zookeeper_server(tmp_path) as server:
        shared = f"  shared: {{type: zookeeper, options: {{address: '{server.address}'}}}}"
        async with gateway(hosted(announce="[shared]"), registries=shared):
            report = await node_checks("dubbo_client.mjs", "registry", server.address)
    report.check()


@row("Go → us", "dubbo-go", quick=True)
async def test_dubbo_go_uses_a_python_service() -> None:
    require_dubbo_go()
    async with gateway(hosted()) as app:
        report = await dubbo_go_checks("consume", app.listening[0].address)
    report.check()


@row("Go → gateway → us", "dubbo-go", quick=True)
async def test_dubbo_go_uses_a_python_service_through_the_gateway() -> None:
    require_dubbo_go()
    async with gateway(hosted() + remote("bridged", "registries: [local]")) as app:
        report = await dubbo_go_checks("consume", app.listening[0].address, "bridged")
    report.check()


@row("Go → gateway → Java 3.3", "dubbo-go", quick=True)
async def test_dubbo_go_uses_java_through_the_gateway(peers: Peers) -> None:
    """Java finds methods by the types that a call names, of which dubbo-go guesses some."""
    require_dubbo_go()
    async with gateway(remote("bridged", f"addresses: ['dubbo://{peers.provider('33')}']")) as app:
        report = await dubbo_go_checks("types", app.listening[0].address, "bridged")
    report.check()


@row("Go → us", "dubbo-go")
async def test_dubbo_go_keeps_an_idle_connection() -> None:
    require_dubbo_go()
    async with gateway(hosted()) as app, relaying(app.listening[0].address) as relay:
        report = await dubbo_go_checks("idle", relay.address, while_idle=lambda: until_two_heartbeats(relay))
        assert relay.connections == 1
        assert HEARTBEAT_REQUEST in relay.sent
    report.check()


@row("Go → us, found in ZooKeeper", "dubbo-go", quick=True)
async def test_dubbo_go_finds_a_python_service_in_zookeeper(tmp_path: Path) -> None:
    require_dubbo_go()
    require_java()
    with zookeeper_server(tmp_path) as server:
        shared = f"  shared: {{type: zookeeper, options: {{address: '{server.address}'}}}}"
        async with gateway(hosted(announce="[shared]"), registries=shared):
            report = await dubbo_go_checks("registry", server.address)
    report.check()


@row("us → Go", "dubbo-go", quick=True)
async def test_a_typed_client_uses_a_dubbo_go_provider(go_provider: str) -> None:
    async with connect(f"dubbo://{go_provider}", Catalog, **PATIENT) as catalog:
        assert await catalog.count() == 7
        found = await catalog.find(7)
        assert (found.name, str(found.price), found.stock) == ("Teekanne 茶 😀", "49.90", {"berlin": 12, "oslo": 0})
        assert found.maker is not None
        assert (found.maker.country, found.maker.parent and found.maker.parent.country) == (None, "DE")
        assert found.created_at.isoformat() == "2026-01-02T08:30:00.123456+00:00"
        assert found.updated_at is not None
        assert found.updated_at.isoformat() == "2023-11-14T22:13:20.123000+00:00"
        assert await catalog.put(found) == 7
        assert await catalog.find_by_name(found.name) == found
        assert await catalog.search("x", 2, {"go"}) == [found, found]
        with pytest.raises(ProductNotFound, match="no product 42") as missing:
            await catalog.find(42)
        assert missing.value.product_id == 42
        assert await catalog.slow(1) == "slept 1 ms"
        # It knows no code for a method that it has not: what it says is an exception of the service.
        with pytest.raises(RemoteError, match="cannot find method"):
            await catalog.reserve(1, "x", 1)


@row("us → Go", "dubbo-go")
async def test_attachments_and_exceptions_pass_to_a_dubbo_go_provider(go_provider: str) -> None:
    async with connect(f"dubbo://{go_provider}", Types, **PATIENT) as types:
        back: dict[str, str] = {}
        attached = calling(types, attachments={"trace": "茶-42"}, reply_attachments=back)
        assert await attached.echo_attachments("trace") == "茶-42"
        # Its provider sends back what it was sent.
        assert back["trace"] == "茶-42"
        assert await types.echo_nothing() is None
        with pytest.raises(RemoteError, match="because") as raised:
            await types.fail_undeclared("because")
        assert raised.value.type_name == "java.lang.Throwable"


@row("us → Go", "dubbo-go")
async def test_every_value_comes_back_from_dubbo_go_but_what_it_loses(go_provider: str) -> None:
    async with corpus_invoker(go_provider) as invoker:
        differing = {case.name async for case, differs in echo_corpus(invoker) if differs is not None}
    assert differing - LOST_BY_CHANCE == LOST_BY_ITS_CODEC | TOO_LONG_FOR_IT | NULL_TO_IT


@row("us → Go", "dubbo-go")
async def test_what_comes_back_differing_is_lost_by_dubbo_go_alone(go_provider: str) -> None:
    cases = {case.name: case for case in CORPUS}
    lost = [cases[name] for name in sorted(LOST_BY_ITS_CODEC)]
    recoded = dubbo_go_recodes([as_hessian(case) for case in lost])
    for case, data in zip(lost, recoded, strict=True):
        assert data is None or differs_from(case, data), case.name
    maker = b"C\x0ademo.Maker\x93\x04name\x07country\x06parent\x60\x01aNN"
    # The second list holds the same maker twice; as Hessian counts, the maker is number 3, and 2 is the list itself.
    (twice,) = dubbo_go_recodes([b"\x7a\x78\x7a" + maker + b"Q\x93"])
    assert twice is not None
    assert twice.endswith(b"NNQ\x92")
    assert all(len(as_hessian(cases[name])) > MAX_MESSAGE_BYTES for name in TOO_LONG_FOR_IT)
    (await dubbo_go_checks("nulls", go_provider)).check()


@row("us → Go", "dubbo-go")
async def test_a_quiet_connection_to_a_dubbo_go_provider_is_kept(go_provider: str) -> None:
    async with (
        relaying(go_provider) as relay,
        connect(f"dubbo://{relay.address}", Catalog, parameters={"heartbeat": 0.3}, **PATIENT) as catalog,
    ):
        assert await catalog.count() == 7
        await until_two_heartbeats(relay)
        assert await catalog.count() == 7
        assert relay.connections == 1


def as_hessian(case: Case) -> bytes:
    writer = Writer()
    method = next(each for each in CONTRACT.methods if each.attribute == case.method)
    compile_writer(method.params[0].type, CONTRACT)(writer, case.value)
    return bytes(writer.out)


def differs_from(case: Case, data: bytes) -> bool:
    method = next(each for each in CONTRACT.methods if each.attribute == case.method)
    try:
        return difference(case.value, compile_reader(method.returns, CONTRACT)(Reader(data))) is not None
    except RpcError:
        return True
