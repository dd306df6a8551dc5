"""Stock JSON-RPC clients against our http:// listener."""

from __future__ import annotations

import pytest

from tests.support.http_gateway import DRIVERS, LISTENER, serving
from tests.support.java_peer import Peers, java_checks, require_java
from tests.support.node_peer import node_checks, require_node
from tests.support.peer_program import BUILD_TIMEOUT

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

each_driver = pytest.mark.parametrize("driver", DRIVERS)

JAVA_NAMES = "names: java"


def remote(address: str) -> str:
    """The two demo services, passed on to a provider that knows them under Java's names."""
    return "".join(
        f"""
  {module}:
    contract: gateway.demo.{module}:{contract}
    listeners: [{LISTENER}]
    remote:
      addresses: ['http://{address}']
      timeout: 10s
      retries: 0
      options: {{style: jsonrpc, params: positional, names: java}}"""
        for module, contract in (("catalog", "Catalog"), ("types", "Types"))
    )


@pytest.mark.direction("Node → us", wire="http", peer="jayson", quick=True)
@each_driver
async def test_jayson_uses_a_python_service(driver: str) -> None:
    require_node()
    async with serving(driver) as address:
        report = await node_checks("jayson_client.mjs", f"http://{address}", "/jsonrpc,/demo.Catalog")
    report.check()


@pytest.mark.direction("Java → us", wire="http", peer="jsonrpc4j", quick=True)
@each_driver
async def test_jsonrpc4j_uses_a_python_service(driver: str) -> None:
    require_java()
    async with serving(driver) as address:
        report = await java_checks("http", "app.JsonRpcPeer", f"http://{address}", "contract")
    report.check()


@pytest.mark.direction("Java → us", wire="http", peer="jsonrpc4j")
@each_driver
async def test_typed_proxies_of_jsonrpc4j(driver: str) -> None:
    require_java()
    async with serving(driver, options=JAVA_NAMES) as address:
        report = await java_checks("http", "app.JsonRpcPeer", f"http://{address}", "java")
    report.check()


@pytest.mark.direction("Java → us", wire="http", peer="dubbo http", quick=True)
@each_driver
async def test_dubbo_uses_a_python_service_over_http(driver: str, peers: Peers) -> None:
    async with serving(driver, options=JAVA_NAMES) as address:
        report = await peers.consumer("27-http").run("json,json-generic", f"http://{address}", "warehouse=berlin")
    report.check()


@pytest.mark.direction("Java → gateway → Java", wire="http", peer="dubbo http", quick=True)
async def test_dubbo_uses_dubbo_through_the_gateway(peers: Peers) -> None:
    behind = peers.provider("27-http", "protocol=http")
    async with serving(services=remote(behind), options=JAVA_NAMES) as address:
        report = await peers.consumer("27-http").run("json,json-generic", f"http://{address}", "warehouse=north")
    report.check()
