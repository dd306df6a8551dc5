from __future__ import annotations

import asyncio
from contextlib import aclosing

from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.runtime.named_registry import NamedRegistry, name_in
from registry.embedded import EmbeddedRegistry

CONTRACT = ServiceContract("demo.Catalog", (), names={"java": "com.acme.Catalog"})

HERE, THERE = ServiceKey("demo.Catalog", "*"), ServiceKey("com.acme.Catalog", "*")


async def test_a_service_is_found_under_its_other_name_and_shown_under_its_own() -> None:
    behind = EmbeddedRegistry()
    named = NamedRegistry(behind, HERE, THERE)
    await behind.register(Endpoint("dubbo", "10.0.0.1", 1, ServiceKey("com.acme.Catalog", "blue")))
    await named.register(Endpoint("dubbo", "10.0.0.1", 2, ServiceKey("demo.Catalog", "red")))
    assert [str(each.service) for each in behind.hub.endpoints(THERE)] == [
        "blue/com.acme.Catalog",
        "red/com.acme.Catalog",
    ]
    async with asyncio.timeout(5), aclosing(named.watch(HERE)) as snapshots:
        snapshot = await anext(snapshots)
        assert snapshot.service == HERE
        assert [str(each.service) for each in snapshot.endpoints] == ["blue/demo.Catalog", "red/demo.Catalog"]
        await named.unregister(Endpoint("dubbo", "10.0.0.1", 2, ServiceKey("demo.Catalog", "red")))
        snapshot = await anext(snapshots)
        assert {str(service) for *_, service in snapshot.withdrawn} == {"red/demo.Catalog"}


def test_only_registries_with_names_of_their_own_call_a_service_otherwise() -> None:
    key = ServiceKey("demo.Catalog", "blue", "1.0")
    assert name_in("", key, CONTRACT) == key
    assert name_in("java", key, None) == key
    assert name_in("java", key, CONTRACT) == ServiceKey("com.acme.Catalog", "blue", "1.0")
    # Somebody wrote the interface down: that is what it is called.
    assert name_in("java", ServiceKey("com.else.Catalog"), CONTRACT) == ServiceKey("com.else.Catalog")
