"""Jakarta XML Web Services, of the reference implementation and of Apache CXF, against our webservice://."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

import pytest

from gateway import I32, DeadlineExceeded, RemoteError, ServiceError, calling, connect, method, service
from gateway.demo.catalog import Catalog, Maker, OutOfStock, ProductNotFound, Status
from gateway.demo.types import Types, TypesFailure
from tests.support.http_gateway import DRIVERS, serving
from tests.support.java_corpus import corpus_invoker, echo_corpus
from tests.support.java_peer import Peers, java_checks, require_java
from tests.support.peer_program import BUILD_TIMEOUT

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

PATIENT: dict[str, Any] = {"timeout_s": 10.0, "retries": 0}
PATHS = {"1.1": "", "1.2": "/1.2"}

LOST_EXPONENTS = {"decimal/0E+3", "decimal/1E+10", "decimal/1.0E+300"}
"""JAXB reads a type that is derived from xs:decimal as the number that it is, without its exponent."""
NO_XML = {
    *(f"string/{each}" for each in ("nul", "nul-inside", "controls", "utf-8-edges", "bom", "bmp", "surrogate-last")),
    *(f"string/{each}" for each in ("lone-high-surrogate", "lone-low-surrogate", "reversed-surrogates")),
}
"""Texts that XML has no form for; they are refused before anything is sent."""

each_driver = pytest.mark.parametrize("driver", DRIVERS)
each_version = pytest.mark.parametrize("soap", PATHS)


async def _uses_us(module: str, driver: str) -> None:
    require_java()
    async with serving(driver, protocol="webservice") as address:
        report = await java_checks(module, "app.SoapPeer", f"http://{address}", "1.1,1.2")
    report.check()


@pytest.mark.direction("Java → us", wire="webservice", peer="soap-ri", quick=True)
@each_driver
async def test_the_reference_implementation_uses_a_python_service(driver: str) -> None:
    await _uses_us("soap-ri", driver)


@pytest.mark.direction("Java → us", wire="webservice", peer="soap-cxf", quick=True)
@each_driver
async def test_cxf_uses_a_python_service(driver: str) -> None:
    await _uses_us("soap-cxf", driver)


@pytest.mark.direction("us → Java", wire="webservice", peer="soap-ri", quick=True)
@each_version
async def test_the_reference_implementation_serves_us(soap: str, peers: Peers) -> None:
    address, parameters = peers.soap_service(), {"version": soap}
    async with corpus_invoker(address, "webservice", **parameters, path=f"{PATHS[soap]}/demo.Types") as invoker:
        differing = {case.name async for case, differs in echo_corpus(invoker) if differs is not None}
    assert differing == LOST_EXPONENTS | NO_XML
    parameters["path"] = f"{PATHS[soap]}/demo.Catalog"
    async with connect(f"webservice://{address}", Catalog, parameters=parameters, **PATIENT) as catalog:
        kettle = await catalog.find(1)
        assert (kettle.name, kettle.price, kettle.stock) == ("Kettle", Decimal("39.90"), {"north": 10, "south": 3})
        assert kettle.created_at == dt.datetime(2024, 1, 2, 3, 4, 5, 678_901, dt.UTC)
        assert (kettle.status, kettle.maker, kettle.tags) == (Status.ACTIVE, Maker("Acme"), ["kitchen", "electric"])
        assert [each.id for each in await catalog.search("", 10, {"kitchen"})] == [1, 2]
        assert [each.id for each in await catalog.search("", 1)] == [1]
        assert await catalog.search("no such product") == []
        assert await catalog.price_history(1) == {
            dt.date(2024, 2, 29): Decimal("40.90"),
            dt.date(2025, 1, 1): Decimal("39.90"),
        }
        with pytest.raises(OutOfStock, match="north lacks") as empty:
            await catalog.reserve(1, "north", 1_000_000)
        assert (empty.value.warehouse, empty.value.missing) == ("north", 999_990)
        with pytest.raises(ProductNotFound, match=r"^no product -5$") as missing:
            await catalog.find(-5)
        assert missing.value.product_id == -5
        await catalog.touch(1)
        number = await catalog.put(replace(kettle, id=0, price=Decimal("0.10"), maker=None))
        assert (await catalog.find(number)).price == Decimal("0.10")
        assert [await catalog.remove(number), await catalog.remove(number)] == [True, False]
        assert await catalog.slow(10) == "slept 10 ms"
        with pytest.raises(DeadlineExceeded):
            await calling(catalog, deadline_s=0.2).slow(3_000)
    parameters["path"] = f"{PATHS[soap]}/demo.Types"
    async with connect(f"webservice://{address}", Types, parameters=parameters, **PATIENT) as types:
        with pytest.raises(TypesFailure, match=r"^why 茶$") as declared:
            await types.fail_declared("why 茶")
        assert (declared.value.code, declared.value.culprit) == (42, Maker("Acme"))
        with pytest.raises(RemoteError, match="because"):
            await types.fail_undeclared("because")


@dataclass
class Guest:
    name: str
    age: I32 | None = None
    tip: Decimal | None = None
    nicknames: list[str] = field(default_factory=list)


class Uninvited(ServiceError):
    guest: str


@service("greeting.Greeter")
class Greeter(Protocol):
    """What JAX-WS makes of `app.Greeter`, as one would write it down who reads its WSDL."""

    @method(throws=(Uninvited,))
    async def greet(self, guest: Guest, times: I32) -> list[Guest]: ...


@pytest.mark.direction("us → Java", wire="webservice", peer="soap-ri")
@each_version
async def test_a_service_that_has_seen_no_wsdl_is_called_by_its_names(soap: str, peers: Peers) -> None:
    parameters = {"version": soap, "form": "unqualified", "path": f"{PATHS[soap]}/greeting.Greeter"}
    ann = Guest("Ann", tip=Decimal("1.50"), nicknames=["a", ""])
    async with connect(f"webservice://{peers.soap_service()}", Greeter, parameters=parameters, **PATIENT) as greeter:
        assert await greeter.greet(ann, 2) == [ann, ann]
        assert await greeter.greet(ann, 0) == []
        with pytest.raises(Uninvited, match=r"^not Mallory$") as refused:
            await greeter.greet(Guest("Mallory"), 1)
    assert refused.value.guest == "Mallory"
