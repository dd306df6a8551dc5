"""A token that comes with the registry: who goes around the registry does not know it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from gateway import connect
from gateway.demo.catalog import Catalog
from gateway.model.errors import RpcError, Unauthenticated
from gateway.runtime.app import App
from tests.support.running import running

PROTOCOLS = pytest.mark.parametrize("protocol", ["dubbo", "http"])
VIA = {
    "north": "registries: [north]",
    "south": "registries: [south]",
    "both": "registries: [north, south]",
    "around": 'addresses: ["{address}"]',
    "told": 'addresses: ["{address}"], token: shown',
}
KNOWS = {"north", "south", "both"}

PROVIDER = """
application: {{name: provider, drain: 1s}}
listeners:
  main: {{protocol: {protocol}, port: {port}{listener}}}
registries:
  north: {{type: embedded}}
  south: {{type: embedded}}
services:
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [main]
    announce: [north, south]
    token: {token}
{more}
credentials:
  shown: {{env: CATALOG_TOKEN}}
"""
CONSUMER = """  {name}:
    contract: gateway.demo.catalog:Catalog
    group: {name}
    listeners: [main]
    remote: {{{how}, group: "", protocol: {protocol}}}
"""


def text(protocol: str, *, token: str = "random", port: int = 0, more: str = "", listener: str = "") -> str:
    return PROVIDER.format(protocol=protocol, token=token, port=port, more=more, listener=listener)


def consumers(protocol: str, port: int) -> str:
    address = f"{protocol}://127.0.0.1:{port}"
    return "".join(
        CONSUMER.format(name=name, how=how.format(address=address), protocol=protocol) for name, how in VIA.items()
    )


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that stays bound here, without listening, so that nobody else gets it."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def announced(app: App) -> set[str]:
    return {each.endpoint.parameters["token"] for each in app._announced}


@PROTOCOLS
@pytest.mark.parametrize("token", ["random", "shown"])
async def test_who_asks_a_registry_knows_the_token_and_who_goes_around_does_not(
    protocol: str, token: str, free_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # One that is written must have a form as a bearer token too.
    monkeypatch.setenv("CATALOG_TOKEN", "s3cret/=&%" if protocol == "http" else "s3 cret/ü&=%")
    caplog.set_level(logging.DEBUG, "polyport")
    config = text(protocol, token=token, port=free_port, more=consumers(protocol, free_port))
    async with running(config) as app:
        (secret,) = announced(app)
        for name in VIA:
            client = app.reference(name, Catalog)
            if name in KNOWS or (name, token) == ("told", "shown"):
                assert await client.count() == 3
            else:
                with pytest.raises(Unauthenticated, match="token"):
                    await client.count()
        assert app.refusals()[protocol, "token"] == (2 if token == "random" else 1)
        # The callers behind the gateway's own listener show none to it, and none of theirs goes on to the next.
        async with connect(f"{protocol}://{app.listening[0].address}", Catalog, group="north") as client:
            assert await client.count() == 3
        shown = repr(app._announced) + "".join(str(each.endpoint) for each in app._announced)
        assert secret not in shown
        assert "token=***" in shown
    assert secret not in caplog.text


@PROTOCOLS
async def test_a_random_token_is_a_new_one_at_each_start(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOG_TOKEN", "x")
    seen = set()
    for _ in range(2):
        async with running(text(protocol).replace("credentials:\n  shown: {env: CATALOG_TOKEN}\n", "")) as app:
            seen |= announced(app)
    assert len(seen) == 2


@PROTOCOLS
async def test_a_client_that_is_told_the_token_is_let_in(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOG_TOKEN", "s3cret")
    async with running(text(protocol, token="shown")) as app:
        url = f"{protocol}://{app.listening[0].address}"
        async with connect(url, Catalog, token="s3cret") as client:
            assert await client.count() == 3
        async with connect(f"{url}/demo.Catalog?token=s3cret", Catalog) as client:
            assert await client.count() == 3
        for wrong in ("", "other"):
            async with connect(url, Catalog, token=wrong) as client:
                with pytest.raises(Unauthenticated):
                    await client.count()
        # An attachment of that name is no token.
        async with connect(url, Catalog, attachments={"token": "s3cret"}) as client:
            with pytest.raises(RpcError) as caught:
                await client.count()
            assert "s3cret" not in str(caught.value)


@PROTOCOLS
async def test_a_token_changes_while_calls_run(protocol: str, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOG_TOKEN", "first")
    config = text(protocol, token="shown", port=free_port, more=consumers(protocol, free_port))
    async with running(config) as app:
        told, north = app.reference("told", Catalog), app.reference("north", Catalog)
        assert (await told.count(), await north.count()) == (3, 3)
        await app.change_token("catalog", "second")
        assert announced(app) == {"second"}
        # For a while both are taken.
        assert (await told.count(), await north.count()) == (3, 3)
        await app.change_token("catalog", keep_s=0)
        with pytest.raises(Unauthenticated):
            await told.count()
        assert await north.count() == 3
        with pytest.raises(LookupError, match="asks for no token"):
            await app.change_token("north")


@pytest.mark.parametrize("driver", ["httptools", "aiohttp"])
async def test_http_without_the_token_is_401_with_a_challenge(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOG_TOKEN", "s3cret")
    async with running(text("http", token="shown", listener=f", options: {{driver: {driver}}}")) as app:
        base = f"http://{app.listening[0].address}"

        def post(path: str, body: bytes, **headers: str) -> tuple[int, str | None, bytes]:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            request = Request(base + path, body, {"Content-Type": "application/json", **fields})
            try:
                with urlopen(request, timeout=5) as answer:
                    return answer.status, None, answer.read()
            except HTTPError as error:
                return error.code, error.headers["WWW-Authenticate"], error.read()

        call = asyncio.to_thread
        status, challenge, body = await call(post, "/demo.Catalog/count", b"{not read")
        assert (status, challenge) == (401, 'Polyport-Token realm="polyport"')
        assert b"urn:polyport:error:unauthenticated" in body
        assert (await call(post, "/demo.Catalog/count", b"", Polyport_Token="s3cret"))[0] == 200
        assert (await call(post, "/demo.Catalog/count", b"", Polyport_Token="s%33cret"))[0] == 200
        rpc = b'{"jsonrpc": "2.0", "id": 1, "method": "count"}'
        assert b"-32010" in (await call(post, "/demo.Catalog", rpc))[2]
        assert b'"result":3' in (await call(post, "/demo.Catalog", rpc, Polyport_Token="s3cret"))[2]
        assert app.troubles()["http", "unauthenticated"] == app.refusals()["http", "token"] == 2
