"""The HTTP peers among themselves: what fails elsewhere and passes here is not their fault."""

from __future__ import annotations

import pytest

from tests.support.go_peer import go_checks, require_go
from tests.support.java_peer import Peers, java_checks, require_java
from tests.support.node_peer import node_checks, require_node
from tests.support.peer_program import BUILD_TIMEOUT

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

EVERYTHING = "basic,values,errors,headers,concurrent"


def control(peer: str, direction: str) -> pytest.MarkDecorator:
    return pytest.mark.direction(f"{direction} (control)", wire="http", peer=peer, quick=True)


@control("fetch", "Node → Node")
async def test_fetch_uses_a_node_service(peers: Peers) -> None:
    (await node_checks("fetch_client.mjs", f"http://{peers.node_service()}", EVERYTHING)).check()


@control("go", "Go → Node")
async def test_go_uses_a_node_service(peers: Peers) -> None:
    require_go()
    (await go_checks(f"http://{peers.node_service()}", EVERYTHING)).check()


@control("httpclient", "Java → Node")
async def test_java_uses_a_node_service(peers: Peers) -> None:
    require_java()
    (await java_checks("http", "app.HttpClientPeer", f"http://{peers.node_service()}", EVERYTHING)).check()


@control("jayson", "Node → Node")
async def test_jayson_uses_a_node_service(peers: Peers) -> None:
    require_node()
    (await node_checks("jayson_client.mjs", f"http://{peers.node_service()}", "/jsonrpc,/demo.Catalog")).check()


@control("jsonrpc4j", "Java → Java")
async def test_jsonrpc4j_uses_jsonrpc4j(peers: Peers) -> None:
    require_java()
    (await java_checks("http", "app.JsonRpcPeer", f"http://{peers.json_rpc_service()}", "java")).check()


@control("dubbo http", "Java → Java")
async def test_dubbo_uses_dubbo_over_http(peers: Peers) -> None:
    provider = peers.provider("27-http", "protocol=http")
    (await peers.consumer("27-http").run("json,json-generic", f"http://{provider}", "warehouse=north")).check()
