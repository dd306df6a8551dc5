"""Programs in other languages, written from docs/rmi.md, and our rmi://."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.demo.catalog import Catalog, ProductNotFound
from gateway.model.errors import Overloaded
from gateway.runtime.connect import connect
from tests.support.demo_gateway import hosted
from tests.support.go_peer import go_rmi_checks, require_go_rmi
from tests.support.java_peer import java_checks, require_java
from tests.support.peer_program import BUILD_TIMEOUT, PeerServer, Report, run_checks
from tests.support.running import running

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

SECRET = "a secret of more than sixteen bytes"
KEY = "shop"
PYTHON = [sys.executable, "-I", str(Path(__file__).parent / "python" / "rmi_peer.py")]


@asynccontextmanager
async def serving(signed: bool, monkeypatch: pytest.MonkeyPatch, services: str = "") -> AsyncIterator[str]:
    """The address of a gateway with the demo services."""
    monkeypatch.setenv("INTEROP_SECRET", SECRET)
    text = f"""
application: {{name: interop}}
listeners:
  rmi: {{protocol: rmi, port: 0, options: {{{f"secrets: [{KEY}]" if signed else ""}}}}}
registries:
  local: {{type: embedded}}
credentials:
  {KEY}: {{env: INTEROP_SECRET}}
services:{services or hosted(listener="rmi", callbacks=False)}
"""
    async with running(text) as app:
        yield app.listening[0].address


async def java(address: str, secret: str) -> Report:
    require_java()
    return await java_checks("rmi", "app.RmiPeer", address, secret, KEY)


async def go(address: str, secret: str) -> Report:
    require_go_rmi()
    return await go_rmi_checks(address, secret, KEY)


async def python(address: str, secret: str) -> Report:
    return await run_checks([*PYTHON, "call", address.rpartition(":")[2], secret, KEY])


def row(text: str, peer: str) -> pytest.MarkDecorator:
    return pytest.mark.direction(text, wire="rmi", peer=peer, quick=True)


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "open"])
@pytest.mark.parametrize(
    "client",
    [
        pytest.param(java, marks=row("Java → us", "razorvine pickle")),
        pytest.param(go, marks=row("Go → us", "og-rek")),
        pytest.param(python, marks=row("Python → us", "plain python")),
    ],
)
async def test_a_client_written_from_the_document_uses_both_services(
    client: Callable[[str, str], Awaitable[Report]], signed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(signed, monkeypatch) as address:
        report = await client(address, SECRET if signed else "")
    report.check()


PROVIDER = """
  catalog:
    contract: gateway.demo.catalog:Catalog
    listeners: [rmi]
    remote:
      addresses: ["rmi://{address}"]
      timeout: 10s
      retries: 0
      options: {{{options}}}"""


@row("us → Python", "plain python")
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "open"])
async def test_a_provider_written_from_the_document_is_called(signed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = PeerServer([*PYTHON, "serve", SECRET if signed else "", KEY])
    options = f"secret: {KEY}, key: {KEY}" if signed else ""
    services = PROVIDER.format(address=provider.address, options=options)
    try:
        async with (
            serving(False, monkeypatch, services) as address,
            connect(f"rmi://{address}", Catalog, timeout_s=10.0, retries=0) as catalog,
        ):
            assert await catalog.count() == 7
            with pytest.raises(ProductNotFound, match="not here") as raised:
                await catalog.find(42)
            assert raised.value.product_id == 42
            assert await catalog.slow(1) == "deadline True"
            with pytest.raises(Overloaded, match="plain") as busy:
                await catalog.remove(1)
            assert busy.value.exhausted
    finally:
        provider.close()
