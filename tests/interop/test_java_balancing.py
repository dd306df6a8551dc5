"""Adaptive load balancing together with Dubbo 3: who asks whom, and what is answered."""

from __future__ import annotations

from typing import Any

import pytest

from gateway import connect
from gateway.demo.types import Types
from gateway.telemetry.load_report import parse_report
from protocols.hessian.text import decode_text
from tests.support.java_peer import BUILD_TIMEOUT, Peers, Provider
from tests.support.relay import relaying
from tests.support.running import hosting, running

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]


@pytest.mark.direction("us → Java", wire="dubbo", peer="Dubbo 3.3", quick=True)
async def test_dubbo_providers_tell_our_balancer_their_load(peers: Peers) -> None:
    other = Provider("33")
    try:
        urls = [f"dubbo://{peers.provider('33')}", f"dubbo://{other.address}"]
        client = connect(urls, Types, balance="adaptive", timeout_s=10.0)
        async with client as types:
            for _ in range(20):
                assert await types.echo_bool(True) is True
            invokers: Any = client._opened.directory.providers.invokers  # type: ignore[union-attr]
            known: list[Any] = [each for one in invokers for each in one.load.observers]
            assert [each.reported for each in known] == [True, True]
    finally:
        peers.dismiss(other)


@pytest.mark.direction("Java → us", wire="dubbo", peer="Dubbo 3.3", quick=True)
async def test_our_providers_tell_a_dubbo_consumer_their_load(peers: Peers) -> None:
    text = hosting("gateway.demo.types:Types", "gateway.demo.types:DemoTypes")
    async with (
        running(text) as one,
        running(text) as other,
        relaying(one.listening[0].address) as first,
        relaying(other.listening[0].address) as second,
    ):
        addresses = f"dubbo://{first.address},dubbo://{second.address}"
        report = await peers.consumer("33").run("types", addresses, "loadbalance=adaptive")
        report.check()
        for relay in (first, second):
            assert b"lb_adaptive\x08mem,load" in relay.sent
            told = text_behind(relay.received, b"lb_adaptive")
            assert parse_report(told) is not None, told


def text_behind(data: bytes, key: bytes) -> str:
    """The Hessian string that follows a key."""
    start = data.index(key) + len(key)
    text, _ = decode_text(bytes(data), start)
    return text
