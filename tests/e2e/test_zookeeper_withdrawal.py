"""A provider that stops, found in ZooKeeper, which cannot tell that from one that is lost."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from gateway.config.load import load_text
from gateway.model.errors import RpcError
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App
from tests.support.doubling_service import Doubling
from tests.support.zookeeper_server import zookeeper_server

PROVIDER = """
application: {{name: provider, drain: 5s}}
listeners: {{wire: {{protocol: {protocol}, host: 127.0.0.1, port: 0}}}}
registries: {{zoo: {{type: zookeeper, options: {{address: "{address}"}}}}}}
services:
  doubling:
    contract: tests.support.doubling_service:Doubling
    implementation: tests.support.doubling_service:Double
    listeners: [wire]
    announce: [zoo]
"""
CONSUMER = """
application: {{name: consumer, last_known: "off"}}
registries: {{zoo: {{type: zookeeper, options: {{address: "{address}"}}}}}}
services:
  doubling: {{contract: "tests.support.doubling_service:Doubling", remote: {{registries: [zoo], timeout: 10s}}}}
"""


def app(text: str, **values: str) -> App:
    catalog = Catalog()
    return App(load_text(text.format(**values), "test.yaml", catalog), catalog)


async def answered(doubling: Doubling) -> None:
    """Waits until a call is."""
    async with asyncio.timeout(10):
        while True:
            try:
                assert await doubling.twice(21) == 42
            except RpcError:
                await asyncio.sleep(0.01)
            else:
                return


@pytest.mark.parametrize("protocol", ["dubbo", "http"])
async def test_the_last_provider_that_stops_is_called_no_more_although_it_is_kept(
    protocol: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with zookeeper_server(tmp_path) as server:
        async with app(CONSUMER, address=server.address) as consumer:
            doubling = consumer.reference("doubling", Doubling)
            async with app(PROVIDER, protocol=protocol, address=server.address):
                await answered(doubling)
            began = time.monotonic()
            for _ in range(100):
                with pytest.raises(RpcError):
                    await doubling.twice(21)
            assert time.monotonic() - began < 2.0
            assert "they are kept for now" in caplog.text
            # Whoever comes is called at once.
            async with app(PROVIDER, protocol=protocol, address=server.address):
                await answered(doubling)
