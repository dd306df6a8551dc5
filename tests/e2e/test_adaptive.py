"""Adaptive load balancing over real connections: the question goes to providers, the answer to the balancer only."""

from __future__ import annotations

from typing import Any

import pytest

from gateway import connect
from gateway.balance.adaptive import Adaptive
from tests.support.probe_service import Probe, Probing
from tests.support.relay import relaying
from tests.support.running import running

PROVIDERS = """
application: {name: provider, drain: 2s}
listeners:
  one: {protocol: PROTOCOL, port: 0}
  two: {protocol: PROTOCOL, port: 0}
services:
  hosted:
    contract: tests.support.probe_service:Probe
    implementation: tests.support.probe_service:Probing
    listeners: [one, two]
"""


def machines(client: Any) -> list[Any]:
    """What the only balancer of a client knows of each provider."""
    return [each for load in loads(client) for each in load.observers]


def loads(client: Any) -> list[Any]:
    return [each.load for each in client._opened.directory.providers.invokers]


@pytest.mark.parametrize("protocol", ["dubbo", "http"])
async def test_providers_tell_their_load_and_services_do_not_hear_of_it(protocol: str) -> None:
    Probing.reset()
    async with running(PROVIDERS.replace("PROTOCOL", protocol)) as app:
        urls = [f"{protocol}://{each.address}" for each in app.listening]
        client = connect(urls, Probe, balance="adaptive")
        async with client as probe:
            for _ in range(40):
                assert (await probe.told("lb_adaptive"))[0] is None
            known = machines(client)
            assert [each.reported for each in known] == [True, True]
            assert all(each.load >= 0 for each in known)


async def test_a_gateway_in_between_asks_and_answers_for_itself_while_it_forwards_bytes() -> None:
    Probing.reset()
    async with (
        running(PROVIDERS.replace("PROTOCOL", "dubbo")) as behind,
        relaying(behind.listening[0].address) as first,
        relaying(behind.listening[1].address) as second,
    ):
        forwarding = f"""
application: {{name: gateway, drain: 2s}}
listeners:
  one: {{protocol: dubbo, port: 0}}
  two: {{protocol: dubbo, port: 0}}
services:
  far:
    contract: tests.support.probe_service:Probe
    listeners: [one, two]
    remote:
      addresses: ["dubbo://{first.address}", "dubbo://{second.address}"]
      balance: adaptive
"""
        async with running(forwarding) as gateway:
            urls = [f"dubbo://{each.address}" for each in gateway.listening]
            client = connect(urls, Probe, balance="adaptive")
            async with client as probe:
                for _ in range(20):
                    assert await probe.name() == "one"
                assert [each.reported for each in machines(client)] == [True, True]
            # The caller asks nothing now: what providers tell the gateway is the gateway's.
            async with (
                relaying(gateway.listening[0].address) as seen,
                connect(f"dubbo://{seen.address}", Probe) as probe,
            ):
                assert await probe.name() == "one"
            assert b"lb_adaptive" not in seen.received
        assert b"lb_adaptive\x08mem,load" in first.sent
        assert b"lb_adaptive" in first.received
        # Asked once per call, not once more for each gateway on the way.
        assert first.sent.count(b"lb_adaptive") + second.sent.count(b"lb_adaptive") == 21


def test_the_question_is_that_of_dubbo() -> None:
    assert dict(Adaptive.attachments) == {"lb_adaptive": "mem,load"}
