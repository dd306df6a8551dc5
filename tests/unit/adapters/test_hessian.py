"""hessian:// put together: what its options do, asked over real connections on both drivers."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.hessian import PLUGIN
from adapters.testing import joined
from gateway.model.call import Invocation, Ok, Result
from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, Unauthenticated
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind, TypeRef
from gateway.spi.adapter import ListenerOptions, Reference
from tests.support.hessian_bytes import FAULT, VALUE, hessian_body

TEXT = TypeRef(Kind.STRING)
NUMBER = TypeRef(Kind.I32)
STORE = ServiceContract(
    "shop.Store",
    (
        MethodContract("count", (), NUMBER, "count"),
        MethodContract("text", (Param("size", NUMBER),), TEXT, "text"),
        MethodContract("price", (), TypeRef(Kind.DECIMAL), "price"),
        MethodContract("moment", (Param("value", TypeRef(Kind.DATETIME)),), TypeRef(Kind.DATETIME), "moment"),
    ),
)
KEY = ServiceKey("shop.Store")
NOON = datetime(2024, 2, 29, 12, 0, 0, 1, UTC)
DRIVERS = pytest.mark.parametrize("driver", ["httptools", "aiohttp"])


async def answer(invocation: Invocation) -> Result:
    arguments = invocation.arguments()
    values: dict[str, Any] = {"count": 3, "price": Decimal("1.20"), "moment": NOON}
    return Ok("x" * arguments[0] if invocation.method == "text" else values[invocation.method])


def options(**own: Any) -> ListenerOptions:
    return ListenerOptions("testing", "hessian", "127.0.0.1", 0, options=own)


@asynccontextmanager
async def serving(**own: Any) -> AsyncIterator[aiohttp.ClientSession]:
    server = PLUGIN.server(options(**own))
    try:
        exposures = [Exposure(KEY, STORE), Exposure(ServiceKey("any.Thing"), None)]
        endpoint, _ = await server.start(answer, exposures)
        async with aiohttp.ClientSession(f"http://{endpoint.address}", auto_decompress=False) as session:
            yield session
    finally:
        await server.aclose()


async def post(session: aiohttp.ClientSession, body: bytes, **fields: str) -> tuple[int, bytes, str]:
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    async with session.post("/shop.Store", data=body, headers=headers) as response:
        return response.status, await response.read(), response.headers.get("Content-Encoding", "")


@DRIVERS
async def test_a_call(driver: str) -> None:
    async with serving(driver=driver) as session:
        assert await post(session, hessian_body("count")) == (200, VALUE + b"\x93", "")
        status, body, _ = await post(session, hessian_body("nothing"))
        assert (status, body[:4]) == (200, FAULT)
        assert (await post(session, b"rubbish"))[0] == 400
        async with session.get("/shop.Store") as response:
            assert (response.status, "POST" in response.headers["Allow"]) == (405, True)


@DRIVERS
async def test_chunks_and_codings_of_a_request(driver: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for each in hessian_body("count"):
            yield bytes((each,))

    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    bare = machine.compress(hessian_body("count")) + machine.flush()
    async with serving(driver=driver) as session:
        async with session.post("/shop.Store", data=pieces()) as response:
            assert await response.read() == VALUE + b"\x93"
        assert (await post(session, bare, Content_Encoding="deflate"))[1] == VALUE + b"\x93"


@DRIVERS
async def test_long_answers_are_bare_deflate_for_caucho(driver: str) -> None:
    body = hessian_body("text", b"\xd4\x10\x00")
    async with serving(driver=driver) as session:
        status, found, coding = await post(session, body, Accept_Encoding="deflate")
        assert (status, coding) == (200, "deflate")
        assert zlib.decompress(found, -15) == VALUE + b"S\x10\x00" + b"x" * 4_096
        assert (await post(session, body, Accept_Encoding="gzip, deflate"))[2] == ""
    async with serving(driver=driver, compress=False) as session:
        assert (await post(session, body, Accept_Encoding="deflate"))[2] == ""


@DRIVERS
async def test_callers_show_a_password(driver: str) -> None:
    async with serving(driver=driver, credentials={"shop": "ann:secret"}) as session:
        assert (await post(session, hessian_body("count")))[0] == 401
        shown = "Basic " + b64encode(b"ann:secret").decode()
        assert (await post(session, hessian_body("count"), Authorization=shown))[0] == 200


async def test_values_for_peers_without_their_types() -> None:
    whole = b"\x4a\x00\x00\x01\x8d\xf4\xa9\x22\x00"
    async with serving(java_time="plain", decimal="text") as session:
        assert (await post(session, hessian_body("price")))[1] == VALUE + b"\x041.20"
        found = (await post(session, hessian_body("moment", whole)))[1]
        assert b"finer than milliseconds" in found
    async with serving() as session:
        assert (await post(session, hessian_body("price")))[1].startswith(VALUE + b"C\x14java.math.BigDecimal")
        assert (await post(session, hessian_body("moment", whole)))[1].startswith(VALUE + b"C\x11java.time.Instant")


async def test_limits_of_values_hold() -> None:
    async with serving(max_depth=4, max_elements=1_000) as session:
        for value, said in ((b"\x79" * 10 + b"N", b"at most 4 levels"), (b"W" + b"N" * 1_001 + b"Z", b"at most 1000 ")):
            async with session.post("/any.Thing", data=hessian_body("count", value)) as response:
                assert said in await response.read()


async def test_services_can_be_mounted_in_an_application_of_somebody_else() -> None:
    assert PLUGIN.mount is not None
    own = web.Application()
    own.add_subapp("/api/", PLUGIN.mount(options(driver="none"), answer, [Exposure(KEY, STORE)]))
    runner = web.AppRunner(own)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://{host}:{port}/api/shop.Store", data=hessian_body("count")) as response,
        ):
            assert await response.read() == VALUE + b"\x93"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("call", ["hessian2", "mixed", "hessian1"])
async def test_a_reference_says_how_calls_are_written(call: str) -> None:
    reference = Reference(KEY, STORE, parameters={"call": call, "path": "/eu/shop.Store:1.0"})
    service = ServiceKey("shop.Store", "eu", "1.0")
    async with joined(PLUGIN, answer, STORE, service=service, reference=reference) as pair:
        result = await pair.call("count")
        assert isinstance(result, Ok)
        assert result.value == 3
        assert str(pair.received[0].service) == "eu/shop.Store:1.0"


async def test_a_reference_shows_a_password_and_has_limits() -> None:
    listener = ListenerOptions("testing", "hessian", "", 0, options={"credentials": {"shop": "ann:secret"}})
    for own, error in (({}, Unauthenticated), ({"basic": "ann:secret"}, None)):
        reference = Reference(KEY, STORE, parameters={**own, "payload": 1_024})
        async with joined(PLUGIN, answer, STORE, listener=listener, reference=reference) as pair:
            if error is not None:
                with pytest.raises(error):
                    await pair.call("count")
                continue
            assert isinstance(await pair.call("text", 10), Ok)
            with pytest.raises(BadRequest, match="no such method"):
                await pair.invoker(Invocation(KEY, "nothing", ()))


def test_what_is_wrong_with_a_reference_is_said_before_it_is_used() -> None:
    found = PLUGIN.check_reference(STORE, {"headers": {"Host": "x"}})
    assert [each.path for each in found] == [("headers", "Host")]


def test_a_snippet_is_a_line_for_the_shell() -> None:
    assert PLUGIN.client_snippet("h:1", "shop.Store").startswith("polyport call hessian://h:1/shop.Store")
