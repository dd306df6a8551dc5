"""Hessian as others than Java speak it: hessian.js for Node, python-hessian."""

from __future__ import annotations

from typing import Any

import pytest

from gateway import RemoteError, connect
from gateway.demo.types import Types
from tests.support.http_gateway import DRIVERS, serving
from tests.support.java_corpus import corpus_invoker, echo_corpus
from tests.support.java_peer import Peers
from tests.support.node_peer import node_checks, require_node
from tests.support.peer_program import BUILD_TIMEOUT
from tests.support.python_peer import python_checks

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

PATIENT: dict[str, Any] = {"timeout_s": 10.0, "retries": 0}

each_driver = pytest.mark.parametrize("driver", DRIVERS)

LOST_BY_NODE = {
    # Keys of an object in JavaScript are texts.
    "int_map/boundaries",
    "enum_map/all",
    "struct_map/points",
    "any/map-with-integer-keys",
    "everything/full",
}
LOST_BY_NODE_IN_2 = LOST_BY_NODE | {
    # Its decoder gives a number or, where that is not exact, a text; of which type it was it does not say in Hessian 2.
    *(f"{kind}/{name}" for kind in ("i64", "boxed_i64") for name in ("min", "max", "2^53", "2^53+1", "-2^53-1")),
    *(f"{kind}/boundaries" for kind in ("long_list", "long_array", "long_set")),
    *("f32/max", "f64/1e300", "f64/max", "double_array/all", "uuid/one", "any/long"),
    # NaN is written as null.
    *(f"{kind}/nan" for kind in ("f32", "f64", "boxed_f32", "boxed_f64")),
}
"""Values of the corpus that hessian.js itself does not write back as it read them."""


@pytest.mark.direction("Node → us", wire="hessian", peer="hessian.js", quick=True)
@each_driver
async def test_hessian_js_uses_a_python_service(driver: str) -> None:
    require_node()
    async with serving(driver, protocol="hessian") as address:
        report = await node_checks("hessian_client.mjs", f"http://{address}", "2,mixed,1")
    report.check()


async def test_what_hessian_js_loses_it_loses_alone() -> None:
    """The reason for `LOST_BY_NODE`."""
    require_node()
    report = await node_checks("hessian_codec.mjs")
    report.check()


@pytest.mark.direction("us → Node", wire="hessian", peer="hessian.js", quick=True)
@pytest.mark.parametrize(
    ("envelope", "lost"),
    [("hessian2", LOST_BY_NODE_IN_2), ("mixed", LOST_BY_NODE), ("hessian1", LOST_BY_NODE)],
    ids=["hessian2", "mixed", "hessian1"],
)
async def test_hessian_js_serves_us(envelope: str, lost: set[str], peers: Peers) -> None:
    address = peers.hessian_in_node()
    async with corpus_invoker(address, "hessian", call=envelope) as invoker:
        differing = {case.name async for case, differs in echo_corpus(invoker) if differs is not None}
    assert differing == lost
    async with connect(f"hessian://{address}", Types, parameters={"call": envelope}, **PATIENT) as types:
        with pytest.raises(RemoteError, match="because") as raised:
            await types.fail_undeclared("because")
        assert raised.value.type_name == "ServiceException"


@pytest.mark.direction("Python → us", wire="hessian", peer="python-hessian", quick=True)
@each_driver
async def test_python_hessian_uses_a_python_service(driver: str) -> None:
    async with serving(driver, protocol="hessian") as address:
        report = await python_checks("hessian_client.py", f"http://{address}", "1,2")
    report.check()
