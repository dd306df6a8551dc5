"""References of webservice:// with the WSDL of a service, against a server that zeep answers for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import zeep
from aiohttp import web
from lxml import etree

from adapters.soap import PLUGIN
from adapters.soap_wsdl import load_wsdl, wsdl_misfits
from gateway.config import examine_text
from gateway.contracts import contract_of
from gateway.contracts.module import contract_module, services_of
from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ProviderFailed
from gateway.plugins.catalog import Catalog
from gateway.spi.adapter import Reference
from tests.support.foreign_wsdl import one_operation

_NUMBER = '<xs:element name="n" type="xs:int"/>'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "shop.wsdl"
    made.write_bytes(one_operation("", _NUMBER, _NUMBER).replace(b'soapAction=""', b'soapAction="urn:do"'))
    return made


def contract_in(path: Path) -> ServiceContract:
    (service,) = load_wsdl(str(path)).services
    (made,) = services_of(contract_module([service.contract], "shop.wsdl")).values()
    return contract_of(made)


@asynccontextmanager
async def served(path: Path, seen: list[Any], status: int = 200, body: bytes | None = None) -> AsyncIterator[Endpoint]:
    """A server that gives back the number plus one."""
    operation = zeep.Client(str(path)).service._binding.get("Do")

    async def handle(request: web.Request) -> web.Response:
        number = operation.input.deserialize(etree.fromstring(await request.read()))
        seen.append((request.path, request.headers["SOAPAction"], number))
        answer = etree.tostring(operation.output.serialize(n=number + 1).content) if body is None else body
        return web.Response(body=answer, status=status, content_type="text/xml")

    application = web.Application()
    application.router.add_post("/{any:.*}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port: int = runner.addresses[0][1]
        yield Endpoint("webservice", "127.0.0.1", port, ServiceKey("com.acme.shop.v1.Shop"))
    finally:
        await runner.cleanup()


async def call(endpoint: Endpoint, wsdl: Path, **own: Any) -> Any:
    contract = contract_in(wsdl)
    client = PLUGIN.client()
    try:
        parameters = {"wsdl": load_wsdl(str(wsdl)), **own}
        invoker = client.open(endpoint, Reference(endpoint.service, contract, parameters=parameters))
        invocation = Invocation(endpoint.service, "Do", (41,), signature=contract.methods[0])
        return await invoker(invocation)
    finally:
        await client.aclose()


async def test_a_service_is_called_as_its_wsdl_says(path: Path) -> None:
    seen: list[Any] = []
    async with served(path, seen) as endpoint:
        result = await call(endpoint, path)

    assert isinstance(result, Ok)
    assert result.value == 42
    # The path is that of the address in the WSDL.
    assert seen == [("/shop", '"urn:do"', 41)]


async def test_the_option_path_stands_before_the_address(path: Path) -> None:
    seen: list[Any] = []
    async with served(path, seen) as endpoint:
        await call(endpoint, path, path="/other")

    assert [each[0] for each in seen] == ["/other"]


async def test_faults_and_nonsense_are_told_apart(path: Path) -> None:
    fault = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Server</faultcode>'
        "<faultstring>no</faultstring></e:Fault></e:Body></e:Envelope>"
    )
    async with served(path, [], 500, fault.encode()) as endpoint:
        result = await call(endpoint, path)
    assert isinstance(result, Fault)
    assert (result.type_name, result.message) == ("Server", "no")
    for body in (
        b"<a>",
        b"<!DOCTYPE a><a/>",
        b"<a/>",
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>',
    ):
        async with served(path, [], 200, body) as endpoint:
            with pytest.raises(ProviderFailed, match="does not fit its contract"):
                await call(endpoint, path)


def test_a_file_is_read_once_until_it_changes(path: Path) -> None:
    first = load_wsdl(str(path))

    assert load_wsdl(str(path)) is first
    path.write_bytes(one_operation("", _NUMBER))
    assert load_wsdl(str(path)) is not first


def test_what_does_not_go_together_is_said(path: Path) -> None:
    contract, services = contract_in(path), load_wsdl(str(path))

    def said(**options: Any) -> list[tuple[str, str]]:
        return [(".".join(map(str, each.path)), each.text) for each in wsdl_misfits(contract, options)]

    assert said(wsdl=services, wsdl_port="P", zone="Z") == []
    assert said(zone="Z") == [("zone", "without wsdl it means nothing")]
    assert said(wsdl=services, wsdl_port="Q") == [("wsdl_port", "com.acme.shop.v1.Shop has no port 'Q'; it has P")]
    other = ServiceContract("a.B", ())
    assert wsdl_misfits(other, {"wsdl": services})[0].text == "the WSDL has no a.B; it has com.acme.shop.v1.Shop"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("{{wsdl: {path}}}", None),
        ("{{wsdl: {path}, zone: '+01:00', wsdl_port: P}}", None),
        ("{{wsdl: {path}.not}}", "cannot be read: No such file or directory"),
        ("{{wsdl: {path}, zone: CET}}", "'CET' is no zone like Z or +01:00"),
        ("{{wsdl: {path}, wsdl_port: Q}}", "has no port 'Q'"),
    ],
)
def test_a_configuration_names_the_wsdl(path: Path, options: str, expected: str | None) -> None:
    remote = f"{{addresses: ['webservice://127.0.0.1:7000'], options: {options.format(path=path)}}}"
    service = f"{{contract: {path.name}, remote: {remote}}}"

    examined = examine_text(f"services: {{s: {service}}}\n", "x.yaml", Catalog([]), {}, path.parent)

    found = [each.message for each in examined.problems]
    assert len(found) == (0 if expected is None else 1)
    if expected is not None:
        assert expected in found[0]
