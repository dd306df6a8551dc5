"""webservice:// put together: what its options do, asked over real connections on both drivers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from time import process_time
from types import MappingProxyType
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from lxml import etree

from adapters.soap import PLUGIN
from adapters.testing import joined
from gateway.model.call import Invocation, Ok, Result
from gateway.model.contract import EnumType, Field, MethodContract, Param, ServiceContract, StructType
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ContractError, Unauthenticated
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind, TypeRef
from gateway.spi.adapter import ListenerOptions, Reference
from protocols.soap.wsdl import write_wsdl
from tests.support.soap_bytes import envelope, text_of

TEXT = TypeRef(Kind.STRING)
NUMBER = TypeRef(Kind.I32)
STORE = ServiceContract(
    "shop.Store",
    (
        MethodContract("count", (), NUMBER, "count"),
        MethodContract("text", (Param("size", NUMBER),), TEXT, "text"),
    ),
)
KEY = ServiceKey("shop.Store")
DRIVERS = pytest.mark.parametrize("driver", ["httptools", "aiohttp"])
COUNT = envelope('<count xmlns="http://shop/"/>')
XML = {"Content-Type": "text/xml"}


async def answer(invocation: Invocation) -> Result:
    arguments = invocation.arguments()
    return Ok("x" * arguments[0] if invocation.method == "text" else 3)


@asynccontextmanager
async def serving(namespace: str = "", **own: Any) -> AsyncIterator[aiohttp.ClientSession]:
    server = PLUGIN.server(ListenerOptions("testing", "webservice", "127.0.0.1", 0, options=own))
    try:
        said = MappingProxyType({"namespace": namespace} if namespace else {})
        (endpoint,) = await server.start(answer, [Exposure(KEY, STORE, options=said)])
        async with aiohttp.ClientSession(f"http://{endpoint.address}") as session:
            yield session
    finally:
        await server.aclose()


async def post(session: aiohttp.ClientSession, body: bytes, **fields: str) -> tuple[int, bytes]:
    async with session.post("/shop.Store", data=body, headers=XML | fields) as response:
        return response.status, await response.read()


async def get(session: aiohttp.ClientSession, path: str, **fields: str) -> tuple[int, bytes]:
    async with session.get(path, headers=fields) as response:
        return response.status, await response.read()


@DRIVERS
async def test_a_call_and_a_wsdl(driver: str) -> None:
    async with serving(driver=driver) as session:
        status, body = await post(session, COUNT)
        assert (status, text_of(body)) == (200, "3")
        status, body = await get(session, "/shop.Store?wsdl")
        assert status == 200
        (address, _) = etree.fromstring(body).iter("{*}address")
        assert address.get("location") == f"{session._base_url}/shop.Store"
        assert (await get(session, "/shop.Store"))[0] == 200
        assert (await get(session, "/nothing?wsdl"))[0] == 404


@DRIVERS
async def test_calls_need_credentials_and_descriptions_do_not(driver: str) -> None:
    async with serving(driver=driver, credentials={"shop": "ann:secret"}) as session:
        status, body = await post(session, COUNT)
        assert status == 401
        assert b"<faultcode>soap:Client</faultcode>" in body
        shown = "Basic " + b64encode(b"ann:secret").decode()
        assert (await post(session, COUNT, Authorization=shown))[0] == 200
        assert (await get(session, "/shop.Store?wsdl"))[0] == 200


async def test_a_service_has_the_namespace_it_says() -> None:
    async with serving("urn:store") as session:
        assert (await post(session, COUNT))[0] == 500
        assert (await post(session, COUNT.replace(b"http://shop/", b"urn:store")))[0] == 200
        assert b'targetNamespace="urn:store"' in (await get(session, "/shop.Store?wsdl"))[1]


@pytest.mark.parametrize(("networks", "believed"), [(["127.0.0.0/8"], True), (["10.0.0.0/8"], False), ([], False)])
async def test_a_proxy_is_believed_when_it_is_trusted(networks: list[str], believed: bool) -> None:
    parse = PLUGIN.listener_options["trusted_proxies"].parse
    assert parse is not None
    async with serving(trusted_proxies=tuple(map(parse, networks))) as session:
        _, body = await get(session, "/shop.Store?wsdl", **{"X-Forwarded-Host": "api.example"})
        assert (b"http://api.example/shop.Store" in body) is believed


async def test_limits_are_options() -> None:
    long = envelope('<text xmlns="http://shop/"><size>5</size></text>', header="<a/>" * 1_000)
    async with serving(max_elements=1_000) as session:
        assert b"more than 1000 elements" in (await post(session, long))[1]
    async with serving() as session:
        assert text_of((await post(session, long))[1]) == "xxxxx"


async def test_a_mounted_service_answers_as_a_listener_does() -> None:
    assert PLUGIN.mount is not None
    options = ListenerOptions("testing", "webservice", "127.0.0.1", 0, options={"driver": "none"})
    application = web.Application()
    application.add_subapp("/soap", PLUGIN.mount(options, answer, [Exposure(KEY, STORE)]))
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{address}/soap/shop.Store", data=COUNT, headers=XML) as response,
        ):
            assert text_of(await response.read()) == "3"
    finally:
        await runner.cleanup()


async def test_a_caller_shows_a_password() -> None:
    listener = ListenerOptions("testing", "webservice", "", 0, options={"credentials": {"shop": "ann:secret"}})
    for basic, allowed in (("ann:secret", True), ("ann:wrong", False)):
        reference = Reference(KEY, STORE, parameters={"basic": basic})
        async with joined(PLUGIN, answer, STORE, listener=listener, reference=reference) as pair:
            if allowed:
                result = await pair.call("count")
                assert isinstance(result, Ok)
                assert result.value == 3
            else:
                with pytest.raises(Unauthenticated):
                    await pair.call("count")


@pytest.mark.parametrize("text", ["shop", "shop/", "a b:c", "http://a b/", "1:x"])
def test_a_namespace_is_an_absolute_uri(text: str) -> None:
    parse = PLUGIN.service_options["namespace"].parse
    assert parse is not None
    with pytest.raises(ValueError, match="no absolute URI"):
        parse(text)
    assert parse("http://shop.example/a?b=c#d") == "http://shop.example/a?b=c#d"
    assert parse("urn:shop") == "urn:shop"


async def test_a_service_without_a_contract_is_refused() -> None:
    server = PLUGIN.server(ListenerOptions("testing", "webservice", "127.0.0.1", 0))
    with pytest.raises(ContractError):
        await server.start(answer, [Exposure(KEY, None)])
    await server.aclose()


def test_a_wsdl_of_a_hundred_methods_and_two_hundred_types_takes_no_time() -> None:
    """50 ms; the best of several, because others may use the machine."""
    structs = {}
    for number in range(199):
        name = f"shop.T{number}"
        fields = tuple(Field(f"f{each}", TypeRef(Kind.LIST, (TEXT,)), f"f{each}") for each in range(10))
        structs[name] = StructType(name, object, fields)
    constants = tuple(f"C{number}" for number in range(20))
    enum = EnumType("shop.E", Enum("E", constants), constants)
    methods = tuple(
        MethodContract(
            f"m{number}",
            tuple(Param(f"p{each}", TypeRef(Kind.STRUCT, name=f"shop.T{number + each}")) for each in range(5)),
            TypeRef(Kind.MAP, (TEXT, TypeRef(Kind.STRUCT, name=f"shop.T{number}"))),
            f"m{number}",
        )
        for number in range(100)
    )
    contract = ServiceContract("shop.Large", methods, types=structs | {"shop.E": enum})
    times = []
    for _ in range(7):
        began = process_time()
        text = write_wsdl(contract, "http://shop/")
        times.append(process_time() - began)
    assert text.count("<wsdl:operation") == 300
    assert min(times) < 0.05, times
