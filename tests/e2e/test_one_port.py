"""Every wire on one port: each client's connection finds its listener, whatever its first bytes come in, and who speaks
nothing that is known is named and sent away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

import pymemcache
import pytest
import redis
import requests
import thriftpy2
import zeep
from thriftpy2.rpc import make_client

from adapters.http.lean import SharedServer
from adapters.shared_port.front import Front
from adapters.shared_port.verdict import Recognizers
from gateway import connect
from gateway.config.load import load, load_text
from gateway.contracts.python import contract_of
from gateway.demo.catalog import Catalog as Shop
from gateway.model.errors import ConfigError
from gateway.model.recognition import Recognition, beginning_with
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App
from gateway.runtime.start_error import StartError
from protocols.thrift.idl.writer import write_thrift
from tests.support.dialect import DUBBO, HESSIAN, HTTP, RMI, SOAP, THRIFT, Dialect
from tests.support.running import running

CONF = Path(__file__).parents[2] / "conf"
WIRES = ("dubbo", "http", "hessian", "webservice", "thrift", "rmi")
TEXT_WIRES = ("redis", "memcached")
DIALECTS = (DUBBO, HTTP, HESSIAN, SOAP, THRIFT, RMI)
TEXT = """
application: {name: one, drain: 1s}
ports:
  one: {port: 0, listeners: [dubbo, http, hessian, webservice, thrift, rmi], limits: {%s}}
listeners:
  dubbo: {protocol: dubbo, limits: {connections: 3}}
  http: {protocol: http, limits: {frame: 1KiB}, filters: [seen]}
  hessian: {protocol: hessian}
  webservice: {protocol: webservice, filters: [few]}
  thrift: {protocol: thrift, options: {default_service: demo.Catalog}}
  rmi: {protocol: rmi}
filters:
  seen: {type: access_log, options: {calls: true}}
  few: {type: access, options: {deny: {consumers: [mallory]}}}
registries:
  local: {type: embedded}
services:
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [dubbo, http, hessian, webservice, thrift, rmi]
    announce: [local]
  types:
    contract: gateway.demo.types:Types
    implementation: gateway.demo.types:DemoTypes
    listeners: [dubbo, http, hessian, webservice, thrift, rmi]
"""
CLIENT_HELLO = bytes.fromhex("16030100f4010000f00303") + bytes(range(64))
"""The beginning of one, as RFC 8446, sections 4.1.2 and 5.1, lays it out."""
LIMIT_S = 5.0
LOOPS = {"asyncio": asyncio.new_event_loop}
if find_spec("uvloop") is not None:
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop


@contextlib.asynccontextmanager
async def one_port(limits: str = "") -> AsyncIterator[tuple[App, int]]:
    async with running(TEXT % limits) as app:
        yield app, port_of(app)


def port_of(app: App) -> int:
    (port,) = app.ports
    return int(port.address.rpartition(":")[2])


def front_of(app: App) -> Front:
    ((_, front),) = app._ports._ports.values()
    assert isinstance(front, Front)
    return front


def server_of(app: App, listener: str) -> Any:
    return app._servers[[each.listener for each in app.listening].index(listener)]


async def answer(port: int, dialect: Dialect, *pieces: bytes, finish: bool = False) -> Any:
    """What comes back for the pieces, each sent when the loop had several turns to look at the one before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    received = b""
    try:
        async with asyncio.timeout(LIMIT_S):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                for _ in range(4):
                    await asyncio.sleep(0)
            if finish:
                writer.write_eof()
            while (found := dialect.first(received)) is None:
                data = await reader.read(1 << 16)
                assert data, f"closed after {received!r}"
                received += data
    finally:
        writer.close()
    return found[0]


async def closed(port: int, data: bytes, *, finish: bool = False) -> bytes:
    """What comes until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(LIMIT_S):
        with contextlib.suppress(ConnectionError):
            if data:
                writer.write(data)
            if finish:
                writer.write_eof()
            try:
                return await reader.read()
            finally:
                writer.close()
    writer.close()
    return b""


@pytest.mark.parametrize("wire", [*WIRES, *TEXT_WIRES])
async def test_our_client_of_every_wire_is_answered_on_the_port_of_the_example(wire: str) -> None:
    catalog = Catalog()
    app = App(load(CONF / "one-port.yaml", catalog, {"POLYPORT_PORT": "0"}), catalog)
    async with app:
        assert {each.address for each in app.listening} == {app.ports[0].address}
        async with connect(f"{wire}://127.0.0.1:{port_of(app)}", Shop, timeout_s=LIMIT_S) as shop:
            assert [await shop.count() for _ in range(3)] == [3, 3, 3]
            assert (await shop.find(1)).name == "Desk lamp"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
async def test_a_request_is_answered_whole_byte_by_byte_and_half_closed(dialect: Dialect) -> None:
    count = dialect.count
    async with one_port() as (app, port):
        assert dialect.is_count(await answer(port, dialect, count))
        assert dialect.is_count(await answer(port, dialect, *(count[at : at + 1] for at in range(16)), count[16:]))
        assert dialect.is_count(await answer(port, dialect, count, finish=True))
        for at in range(1, 13):
            assert dialect.is_count(await answer(port, dialect, count[:at], count[at:]))
        assert front_of(app).refused == {}
        assert front_of(app).connections == 0


async def test_wires_over_http_answer_by_turns_on_one_connection() -> None:
    async with one_port() as (app, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        turns = (HTTP, SOAP, HESSIAN, HTTP, HESSIAN, SOAP)
        writer.write(b"".join(each.count for each in turns))
        received = b""
        async with asyncio.timeout(LIMIT_S):
            for dialect in turns:
                while (found := dialect.first(received)) is None:
                    data = await reader.read(1 << 16)
                    assert data
                    received += data
                assert dialect.is_count(found[0])
                received = received[found[1] :]
        writer.close()
        assert server_of(app, "http").connections == 0


@pytest.mark.parametrize(
    ("data", "reason", "named"),
    [
        (CLIENT_HELLO, "tls", "a TLS ClientHello"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "unknown-wire", "HTTP/2"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "unknown-wire", "SSH"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "unknown-wire", "PROXY protocol"),
        (b"JRMI\x00\x02K", "unknown-wire", "Java RMI"),
        (b"\x80\x01\x00\x01\x08\x00\x00\x00\x00\x00\x00\x0a", "unknown-wire", "Thrift binary"),
        (b"\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01", "unknown-wire", "memcached (binary)"),
        (b"*1\r\n$4\r\nPING\r\n", "unknown-wire", "redis (RESP)"),
        (b"get x\r\n", "unknown-wire", "text"),
        (b"\xff" * 64, "unknown-wire", "unknown bytes"),
    ],
)
async def test_what_nobody_speaks_is_named_in_the_log_and_closed(
    data: bytes, reason: str, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with one_port() as (app, port):
        with caplog.at_level(logging.WARNING, "polyport.listener"):
            assert await closed(port, data) == b""
        assert front_of(app).refused == {reason: 1}
        (line,) = caplog.messages
        assert line.startswith(f"one: {reason} from 127.0.0.1:")
        assert named in line
        assert DUBBO.is_count(await answer(port, DUBBO, DUBBO.count))


BOTH = """
application: {name: two, drain: 1s}
ports:
  one: {port: 0, listeners: [redis, memcached, http]%s}
listeners:
  redis: {protocol: redis}
  memcached: {protocol: memcached}
  http: {protocol: http}
services:
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [redis, memcached, http]
"""
UNKNOWN_REDIS = b"-ERR"
"""How answers to commands begin that a Redis does not have (redis/redis-doc: docs/reference/protocol-spec.md)."""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"),
        (b"PING\r\n", b"+PONG\r\n"),
        (b"demo.Catalog.count\r\n", b":3\r\n"),
        (b"version\r\n", b"VERSION "),
        (b"get a demo.Catalog.count()\r\n", b"VALUE demo.Catalog.count() "),
        (b"mn\r\n", b"MN\r\n"),
        (b"GET /demo.Catalog/count HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 "),
        (b"get demo.Catalog.count()\r\n", None),
        (b"quit\r\n", None),
    ],
)
@pytest.mark.parametrize("text", ["", "redis", "memcached"])
async def test_text_is_for_whom_it_can_be_and_else_for_whom_the_configuration_says(
    data: bytes, expected: bytes | None, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    if expected is None:
        expected = {"": b"", "redis": b"+OK", "memcached": b""}[text]
        if data.startswith(b"get"):
            expected = {"": b"", "redis": UNKNOWN_REDIS, "memcached": b"VALUE demo.Catalog.count() "}[text]
    async with running(BOTH % (f", text: {text}" if text else "")) as app:
        assert (await closed(port_of(app), data, finish=True)).startswith(expected)
        ambiguous = data[:4] in (b"get ", b"quit") and b" a " not in data
        assert front_of(app).refused == ({"ambiguous-text": 1} if ambiguous and not text else {})


async def test_who_says_nothing_or_too_little_is_closed_in_time() -> None:
    async with one_port("first_byte: 200ms") as (app, port):
        started = monotonic()
        found = await asyncio.gather(closed(port, b""), closed(port, b"P"), closed(port, b"\x00"))
        assert set(found) == {b""}
        assert monotonic() - started >= 0.2
        assert front_of(app).refused == {"first-byte-timeout": 1, "frame-timeout": 2}
        # Who closes before is nobody's business, and who stops in the middle is named.
        assert await closed(port, b"", finish=True) == b""
        assert await closed(port, b"PR", finish=True) == b""
        assert front_of(app).refused == {"first-byte-timeout": 1, "frame-timeout": 2, "truncated": 1}
        assert front_of(app).connections == 0


async def test_a_slow_peer_costs_no_processor_while_it_is_waited_for() -> None:
    async with one_port() as (app, port):
        looked = 0
        front = front_of(app)
        decide = front._recognizers.decide

        class Counted:
            def decide(self, data: bytes, *, is_all: bool) -> Any:
                nonlocal looked
                looked += 1
                return decide(data, is_all=is_all)

        front._recognizers = Counted()  # type: ignore[assignment]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"P")
        for _ in range(200):
            await asyncio.sleep(0.001)
        # When it was accepted, and once more before it is waited for.
        assert looked in (1, 2)
        seen = looked
        writer.write(b"O")
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert looked == seen + 1
        writer.write(HTTP.count[2:])
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()


@pytest.mark.parametrize("loop_factory", LOOPS.values(), ids=LOOPS)
def test_connections_that_were_reset_are_forgotten(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def reset() -> None:
        async with one_port() as (app, port):
            for data in (b"", b"P", b"\x00\x00", b"get "):
                # Within one turn of the loop, so that it is all there when the connection is accepted.
                with socket.create_connection(("127.0.0.1", port)) as client:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.send(data)
            async with asyncio.timeout(LIMIT_S):
                await asyncio.sleep(0.02)
                while front_of(app).connections:
                    await asyncio.sleep(0.01)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(reset())


async def test_a_wire_that_fails_to_recognise_something_keeps_no_others_from_their_calls() -> None:
    def fail(data: bytes) -> Recognition:
        if data == b"#!":
            raise IndexError("a bug")
        return Recognition.MORE

    async with one_port() as (app, port):
        front = front_of(app)
        front._recognizers = Recognizers([fail, beginning_with(b"\xda\xbb")], None)
        front._adopters[1] = server_of(app, "dubbo").adopt
        for _ in range(2):
            assert await closed(port, b"#!") == b""
        assert DUBBO.is_count(await answer(port, DUBBO, DUBBO.count))
        assert front.refused == {"recognizer-failed": 2}


async def test_limits_on_connections_hold_before_and_behind_the_port() -> None:
    async with one_port("connections: 2") as (app, port):
        quiet = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        assert await closed(port, b"") == b""
        assert front_of(app).refused == {"too-many-connections": 1}
        for _, writer in quiet:
            writer.close()
        for reader, _ in quiet:
            await reader.read()
        open_now = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(DUBBO.count)
            await reader.readexactly(16)
            open_now.append(writer)
        assert await closed(port, DUBBO.count) == b""
        assert server_of(app, "dubbo").refused == {"too-many-connections": 1}
        for writer in open_now:
            writer.close()


async def test_each_listener_keeps_its_filters_and_the_limits_of_its_messages(
    caplog: pytest.LogCaptureFixture,
) -> None:
    large = b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\r\nContent-Type: %b\r\nContent-Length: 2000\r\n\r\n"
    async with one_port() as (_, port):
        with caplog.at_level(logging.INFO):
            await answer(port, HTTP, HTTP.count)
            await answer(port, SOAP, SOAP.count)
        # Only http has a log of all calls.
        assert len([each for each in caplog.records if each.name == "polyport.calls"]) == 1
        assert (await closed(port, large % b"application/json")).startswith(b"HTTP/1.1 413")
        # SOAP takes 8 MiB; it waits for the body.
        answered = await closed(port, large % b"text/xml" + b" " * 2000, finish=True)
        assert not answered.startswith(b"HTTP/1.1 413")


async def test_listeners_that_share_connections_have_room_there_for_all_that_they_let_through() -> None:
    text = (TEXT % "").replace("{frame: 1KiB}", "{frame: 24MiB, calls: 20000}")
    async with running(text) as app:
        (shared,) = front_of(app).together
        assert isinstance(shared, SharedServer)
        assert (shared.options.max_calls, shared.options.max_frame_bytes) == (40_000, 24 << 20)


async def test_registries_are_told_the_shared_port_with_each_protocol() -> None:
    async with one_port() as (app, port):
        announced = [each.endpoint for each in app._announced]
        assert {each.protocol for each in announced} == set(WIRES)
        assert {(each.host, each.port) for each in announced} == {("127.0.0.1", port)}


async def test_a_listener_with_a_port_of_its_own_is_on_both() -> None:
    text = (TEXT % "").replace("dubbo: {protocol: dubbo,", "dubbo: {protocol: dubbo, port: 0,")
    async with running(text) as app:
        own = int(app.listening[0].address.rpartition(":")[2])
        assert own != port_of(app)
        for port in (own, port_of(app)):
            assert DUBBO.is_count(await answer(port, DUBBO, DUBBO.count))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
async def test_a_stop_answers_calls_in_progress_and_those_that_wait_to_be_recognised(dialect: Dialect) -> None:
    async with one_port() as (app, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stopping = asyncio.create_task(app.stop())
        # The port is being left, and this one was in its queue: its call is on the way.
        writer.write(dialect.slow)
        received = b""
        async with asyncio.timeout(LIMIT_S):
            while dialect.first(received) is None:
                data = await reader.read(1 << 16)
                assert data, received
                received += data
            writer.close()
            await stopping


async def test_random_first_bytes_harm_nobody() -> None:
    seeded = random.Random(20261129)
    async with one_port("first_byte: 300ms") as (app, port):

        async def attack(number: int) -> None:
            data = seeded.randbytes(seeded.choice((1, 2, 3, 4, 8, 16, 64, 1024)))
            if number % 4 == 0:
                # What looks like text, which random bytes hardly ever do.
                data = bytes(32 + each % 95 for each in data) + b"\r\n"
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.suppress(ConnectionError):
                writer.write(data)
                await writer.drain()
            writer.close()

        for begin in range(0, 2_000, 50):
            await asyncio.gather(*(attack(begin + at) for at in range(50)))
        assert DUBBO.is_count(await answer(port, DUBBO, DUBBO.count))
        async with asyncio.timeout(LIMIT_S):
            while front_of(app).connections:
                await asyncio.sleep(0.01)
        assert sum(front_of(app).refused.values()) > 1_000


async def test_one_listener_over_http_may_have_any_driver_and_several_must_share() -> None:
    text = TEXT % ""
    aiohttp = text.replace("http: {protocol: http,", "http: {protocol: http, options: {driver: aiohttp},")
    alone = aiohttp.replace("http, hessian, webservice, thrift, rmi], limits", "http, thrift, rmi], limits")
    alone = alone.replace("hessian: {protocol: hessian}", "hessian: {protocol: hessian, port: 0}")
    alone = alone.replace("webservice: {protocol: webservice,", "webservice: {protocol: webservice, port: 0,")
    async with running(alone) as app:
        for dialect in (HTTP, DUBBO, HTTP):
            assert dialect.is_count(await answer(port_of(app), dialect, dialect.count))
    with pytest.raises(ConfigError, match=r"driver: aiohttp shares no connections, httptools does"):
        async with running(aiohttp):
            pass


async def test_what_the_loader_says_of_a_file_holds_for_a_configuration_of_a_program() -> None:
    catalog = Catalog()
    config = load_text(TEXT % "", "test.yaml", catalog)
    outside = config.ports["one"].model_copy(update={"host": "0.0.0.0"})
    with pytest.raises(ConfigError, match=r"rmi:// listens beyond loopback"):
        async with App(config.model_copy(update={"ports": {"one": outside}}), catalog):
            pass


async def test_stock_clients_find_their_wire_on_one_port(tmp_path: Path) -> None:
    """Libraries that nobody here wrote, each with its own way to begin."""
    catalog = Catalog()
    app = App(load(CONF / "one-port.yaml", catalog, {"POLYPORT_PORT": "0"}), catalog)
    contract = contract_of(Shop)
    for name, written in write_thrift([contract]).items():
        (tmp_path / name).write_text(written, "utf-8")
    async with app:
        counts = await asyncio.to_thread(_stock_counts, port_of(app), tmp_path / "demo.thrift")
    assert counts == {"redis": 3, "memcached": b"3", "thriftpy2": 3, "zeep": 3, "requests": 3}


def _stock_counts(port: int, idl: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with redis.Redis("127.0.0.1", port) as cache:
        assert cache.ping()
        found["redis"] = cache.execute_command("demo.Catalog.count")
    lines = pymemcache.Client(("127.0.0.1", port), timeout=LIMIT_S)
    # Its first line is one that Redis has as well.
    found["memcached"] = lines.get("demo.Catalog.count()")
    lines.close()
    client = make_client(thriftpy2.load(str(idl), "one_port_thrift").Catalog, "127.0.0.1", port)
    found["thriftpy2"] = client.count()
    client.close()
    with requests.Session() as session:
        # One pool of connections for JSON and SOAP.
        found["requests"] = session.get(f"http://127.0.0.1:{port}/demo.Catalog/count").json()
        wsdl = f"http://127.0.0.1:{port}/demo.Catalog?wsdl"
        found["zeep"] = zeep.Client(wsdl, transport=zeep.Transport(session=session)).service.count()
    return found


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = (TEXT % "").replace("port: 0", f"port: {taken.getsockname()[1]}")
        with pytest.raises(StartError, match=r"port one: .*in use"):
            async with running(text):
                pass
