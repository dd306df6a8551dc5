"""Two gateways that know nothing of each other but a multicast group, on the loopback."""

from __future__ import annotations

import asyncio
import time

import pytest

from bench.ports import free_port
from gateway.config.load import load_text
from gateway.demo.catalog import Catalog as DemoCatalog
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App
from registry.multicast.registry import MulticastRegistry

PROVIDER = """
application: {{name: provider}}
listeners:
  main: {{protocol: dubbo, host: 127.0.0.1, port: 0}}
registries:
  lan: {{type: multicast, options: {{address: "224.5.6.7:{port}", interfaces: [127.0.0.1]}}}}
services:
  demo.Catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [main]
    announce: [lan]
    token: random
"""
CONSUMER = """
application: {{name: consumer}}
registries:
  lan: {{type: multicast, options: {{address: "224.5.6.7:{port}", interfaces: [127.0.0.1]}}}}
services:
  demo.Catalog:
    contract: gateway.demo.catalog:Catalog
    remote: {{registries: [lan], retries: 0}}
"""


def app(text: str, port: int) -> App:
    catalog = Catalog()
    return App(load_text(text.format(port=port), "app.yaml", catalog), catalog)


@pytest.mark.serial("within 1 s")
async def test_calls_find_their_way_whoever_starts_first() -> None:
    port = free_port()
    early = app(CONSUMER, port)
    async with early, app(PROVIDER, port) as provider, app(CONSUMER, port) as late:
        for each in (early, late):
            client = each.reference("demo.Catalog", DemoCatalog)
            async with asyncio.timeout(10):
                assert await client.count() == 3
        began = time.monotonic()
        # The token changes while calls run, and is heard of at once.
        await provider.change_token("demo.Catalog")
        assert await late.reference("demo.Catalog", DemoCatalog).count() == 3
        assert time.monotonic() - began < 1.0
        looking = MulticastRegistry(("224.5.6.7", port), interfaces=["127.0.0.1"])
        await looking.start()
        try:
            listing = await looking.listing()
        finally:
            await looking.aclose()
        (announced,) = listing.endpoints
        assert announced.address == provider.listening[0].address
        assert announced.parameters["application"] == "provider"
        assert {each.application for each in listing.consumers} == {"consumer"}
