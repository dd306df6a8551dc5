"""Caucho's own client and servlet, and Dubbo 2.7's hessian://, against our hessian:// in both directions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway import DeadlineExceeded, RemoteError, RpcError, calling, connect
from gateway.demo.catalog import Catalog, OutOfStock, ProductNotFound
from gateway.demo.types import Types, TypesFailure
from tests.support.demo_gateway import hosted
from tests.support.http_gateway import DRIVERS, LISTENER, serving
from tests.support.java_corpus import corpus_invoker, echo_corpus
from tests.support.java_peer import Peers, Provider, java_checks, library_file, require_java
from tests.support.peer_program import BUILD_TIMEOUT
from tests.support.running import running

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

DEBIAN_JAR = Path("/usr/share/java/hessian-4.0.38.jar")
PATIENT: dict[str, Any] = {"timeout_s": 10.0, "retries": 0}
ENVELOPES = ("mixed", "hessian2", "hessian1")

each_driver = pytest.mark.parametrize("driver", DRIVERS)
each_envelope = pytest.mark.parametrize("envelope", ENVELOPES)

NOT_WRITTEN_BY_CAUCHO = {"date", "time", "datetime", "local_datetime", "duration"}
"""Types of the corpus whose values the peer's own codec cannot write (`HessianPeer codec`)."""
AS_WELL = {"everything/full", "any/instant"}
"""Values that contain some of them."""
LOST_DECIMALS = {"any/decimal"}


async def _uses_us(peer: str, driver: str, scenarios: str) -> None:
    require_java()
    async with serving(driver, protocol="hessian") as address:
        report = await java_checks(peer, "app.HessianPeer", f"http://{address}", scenarios)
    report.check()


@pytest.mark.skipif(not DEBIAN_JAR.exists(), reason="there is no libhessian-java; with CI=true the build has failed")
def test_caucho_4_0_38_is_the_one_that_debian_built() -> None:
    require_java()
    assert library_file("hessian-4038", "hessian") == DEBIAN_JAR


@pytest.mark.direction("Java → us", wire="hessian", peer="hessian-4038", quick=True)
@each_driver
async def test_caucho_4_0_38_uses_a_python_service(driver: str) -> None:
    await _uses_us("hessian-4038", driver, "codec,mixed,hessian2,hessian1,overloads,chunked,attribute")


@pytest.mark.direction("Java → us", wire="hessian", peer="hessian-4066", quick=True)
@each_driver
async def test_caucho_4_0_66_uses_a_python_service(driver: str) -> None:
    await _uses_us("hessian-4066", driver, "codec,mixed,hessian2,hessian1,overloads,chunked,attribute")


@pytest.mark.direction("Java → us", wire="hessian", peer="hessian-4066")
async def test_caucho_shows_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    require_java()
    monkeypatch.setenv("HESSIAN_SECRET", "shop:secret")
    credentials = "credentials:\n  shop: {env: HESSIAN_SECRET}"
    async with serving(protocol="hessian", options="credentials: [shop]", more=credentials) as address:
        report = await java_checks("hessian-4066", "app.HessianPeer", f"http://{address}", "refused,password")
    report.check()


async def _called_by_us(address: str, envelope: str, lost: set[str]) -> None:
    """The corpus, the exceptions and the overloads of a service in Java."""
    parameters = {"call": envelope}
    async with corpus_invoker(address, "hessian", **parameters) as invoker:
        differing = {case.name async for case, differs in echo_corpus(invoker) if differs is not None}
    kinds = {name.partition("/")[0] for name in differing}
    assert {name for name in differing if name.partition("/")[0] not in lost and name not in lost} == set()
    assert kinds >= {each for each in lost if "/" not in each}
    async with connect(f"hessian://{address}", Catalog, parameters=parameters, **PATIENT) as catalog:
        assert await catalog.count() >= 3
        assert (await catalog.search("no such product")) == []
        with pytest.raises(OutOfStock) as empty:
            await catalog.reserve(1, "north", 1_000_000)
        assert (empty.value.warehouse, empty.value.missing) == ("north", 999_990)
        with pytest.raises(ProductNotFound, match="no product -5") as missing:
            await catalog.find(-5)
        assert missing.value.product_id == -5
        assert await catalog.remove(-5) is False
        assert await catalog.slow(10) == "slept 10 ms"
        with pytest.raises(DeadlineExceeded):
            await calling(catalog, deadline_s=0.2).slow(3_000)
    async with connect(f"hessian://{address}", Types, parameters=parameters, **PATIENT) as types:
        with pytest.raises(TypesFailure, match=r"^why 茶$") as declared:
            await types.fail_declared("why 茶")
        assert declared.value.code == 42
        with pytest.raises(RemoteError, match="because") as undeclared:
            await types.fail_undeclared("because")
        assert undeclared.value.type_name == "java.lang.IllegalStateException"


@pytest.mark.direction("us → Java", wire="hessian", peer="hessian-4066", quick=True)
@each_envelope
async def test_caucho_4_0_66_serves_us(envelope: str, peers: Peers) -> None:
    address = peers.hessian_service("hessian-4066")
    await _called_by_us(address, envelope, NOT_WRITTEN_BY_CAUCHO | AS_WELL)


@pytest.mark.direction("us → Java", wire="hessian", peer="hessian-4038", quick=True)
@each_envelope
async def test_caucho_4_0_38_serves_us(envelope: str, peers: Peers) -> None:
    address = peers.hessian_service("hessian-4038")
    await _called_by_us(address, envelope, NOT_WRITTEN_BY_CAUCHO | AS_WELL | LOST_DECIMALS | {"decimal"})


@pytest.mark.direction("us → Java", wire="hessian", peer="dubbo hessian", quick=True)
@each_envelope
async def test_dubbo_serves_us(envelope: str, peers: Peers) -> None:
    """It writes java.time as handles of its own; decimals are Caucho 4.0.51's."""
    address = peers.provider("27-hessian", "protocol=hessian")
    await _called_by_us(address, envelope, LOST_DECIMALS | {"decimal", "everything/full"})


@pytest.mark.direction("us → Java", wire="hessian", peer="dubbo hessian")
async def test_attachments_reach_a_provider_of_dubbo(peers: Peers) -> None:
    parameters = {"dubbo_fields": True}
    address = peers.provider("27-hessian", "protocol=hessian")
    async with connect(f"hessian://{address}", Types, parameters=parameters, **PATIENT) as types:
        assert await calling(types, attachments={"user": "ann"}).echo_attachments("user") == "ann"


@pytest.mark.direction("Java → us", wire="hessian", peer="dubbo hessian", quick=True)
@each_driver
async def test_dubbo_uses_a_python_service(driver: str, peers: Peers) -> None:
    async with serving(driver, protocol="hessian") as address:
        options = "warehouse=berlin&decimals=lost"
        report = await peers.consumer("27-hessian").run(
            "json,json-generic,attachments-fields", f"hessian://{address}", options
        )
        report.check()
        report = await peers.consumer("27-hessian").run(
            "json", f"hessian://{address}", f"{options}&hessian2.request=true"
        )
    report.check()


@pytest.mark.direction("us → Java", wire="hessian", peer="dubbo hessian")
async def test_providers_that_were_all_gone_are_found_again(peers: Peers) -> None:
    """With nobody to ask for addresses, and without a restart of whoever calls."""
    first = [Provider("27-hessian", "protocol=hessian") for _ in range(2)]
    addresses = [each.address for each in first]
    remote = _remote(*addresses).replace(f"listeners: [{LISTENER}]", "listeners: []")
    try:
        async with running(f"application: {{name: caller}}\nservices:{remote}") as app:
            catalog = app.reference("catalog", Catalog)
            try:
                assert [await catalog.count() for _ in range(4)] == [3, 3, 3, 3]
            finally:
                for each in first:
                    each.close()
            for _ in range(20):
                with pytest.raises(RpcError):
                    await catalog.count()
            for address in addresses:
                peers.dismiss(Provider("27-hessian", "protocol=hessian", int(address.rpartition(":")[2])))
            async with asyncio.timeout(30):
                in_a_row = 0
                while in_a_row < 20:
                    try:
                        assert await catalog.count() == 3
                        in_a_row += 1
                    except RpcError:
                        in_a_row = 0
                        await asyncio.sleep(0.05)
    finally:
        for each in first:
            each.close()


@pytest.mark.direction("Java → us", wire="hessian", peer="dubbo hessian")
async def test_dubbo_finds_a_restarted_gateway_again(peers: Peers) -> None:
    consumer = peers.consumer("27-hessian")
    text = f"""
listeners:
  web: {{protocol: hessian, port: PORT}}
services:{hosted(listener="web", announce="[]", callbacks=False)}
"""
    async with running(text.replace("PORT", "0")) as app:
        address = app.listening[0].address
        async with consumer.start("reconnect", f"hessian://{address}"):
            await consumer.wait_for("restart now")
            await app.stop()
            async with running(text.replace("PORT", address.rpartition(":")[2])):
                consumer.say("restarted")
                report = await consumer.finish()
    report.check()


def _remote(*addresses: str) -> str:
    return "".join(
        f"""
  {module}:
    contract: gateway.demo.{module}:{contract}
    listeners: [{LISTENER}]
    remote:
      addresses: {[f"hessian://{address}" for address in addresses]}
      timeout: 10s
      retries: 0
      options: {{dubbo_fields: true}}"""
        for module, contract in (("catalog", "Catalog"), ("types", "Types"))
    )


@pytest.mark.direction("Java → gateway → Java", wire="hessian", peer="dubbo hessian", quick=True)
async def test_dubbo_uses_dubbo_through_the_gateway(peers: Peers) -> None:
    behind = peers.provider("27-hessian", "protocol=hessian")
    async with serving(services=_remote(behind), protocol="hessian") as address:
        options = "warehouse=north&decimals=lost"
        report = await peers.consumer("27-hessian").run("json,attachments-fields", f"hessian://{address}", options)
    report.check()
