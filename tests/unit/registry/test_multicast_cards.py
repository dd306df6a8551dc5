"""With several network cards, in a network namespace that has them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from gateway.model.endpoint import Endpoint, ServiceKey
from registry.multicast.card import system_cards
from registry.multicast.registry import MulticastRegistry
from tests.support.network_namespace import OwnNetwork, in_own_network

SERVICE = ServiceKey("demo.Catalog")
CARDS = {"one": ["10.1.0.1/24", "fd01::1/64"], "two": ["10.2.0.1/24", "fd02::1/64"]}


async def is_seen(registry: MulticastRegistry, endpoint: Endpoint, within_s: float = 5.0) -> bool:
    try:
        async with asyncio.timeout(within_s), aclosing(registry.watch(SERVICE)) as snapshots:
            async for snapshot in snapshots:
                if endpoint.identity in {each.identity for each in snapshot.endpoints}:
                    return True
    except TimeoutError:
        pass
    return False


async def check_cards(group: str, hosts: tuple[str, str]) -> None:
    """A provider on one card is seen by who listens on that one, and by who listens on all."""
    everywhere = MulticastRegistry((group, 1234))
    first = MulticastRegistry((group, 1234), interfaces=[hosts[0]])
    second = MulticastRegistry((group, 1234), interfaces=[hosts[1]])
    members = (everywhere, first, second)
    for each in members:
        await each.start()
    try:
        assert [card.name for card in everywhere._group.cards] == ["one", "two"]
        mine = Endpoint("dubbo", hosts[0], 1, SERVICE)
        await first.register(mine)
        assert await is_seen(everywhere, mine)
        if "." in group:  # Of IPv6 Linux compares the group, and not the card.
            assert not await is_seen(second, mine, 0.3)
        of_all = Endpoint("dubbo", hosts[1], 2, SERVICE)
        await everywhere.register(of_all)
        assert await is_seen(first, of_all)
        assert await is_seen(second, of_all)
        findings = await everywhere.diagnose()
        assert [each.is_well for each in findings] == [True] * 5
        assert findings[-1].detail == f"from {hosts[0]}"
    finally:
        for each in members:
            await each.aclose()


def test_every_card_is_used_unless_some_are_named() -> None:
    in_own_network(CARDS, lambda _: check_cards("224.5.6.7", ("10.1.0.1", "10.2.0.1")))


def test_ipv6_with_every_card() -> None:
    in_own_network(CARDS, lambda _: check_cards("ff15::1234", ("fd01::1", "fd02::1")))


def test_a_link_local_address_of_ipv6_will_do() -> None:
    async def check(_: OwnNetwork) -> None:
        async with asyncio.timeout(5):
            while not (found := [each for each in system_cards(6) if each.name == "one"]):
                await asyncio.sleep(0.05)
        card = found[0]
        assert card.address.startswith("fe80::")
        assert card.address.endswith("%one")
        one = MulticastRegistry(("ff02::1234", 1234), interfaces=[card.address])
        two = MulticastRegistry(("ff02::1234", 1234))
        for each in (one, two):
            await each.start()
        try:
            mine = Endpoint("dubbo", "fe80::1", 1, SERVICE)
            await one.register(mine)
            assert await is_seen(two, mine)
        finally:
            await one.aclose()
            await two.aclose()

    in_own_network({"one": []}, check)


def test_cards_that_come_and_go_are_followed() -> None:
    async def check(network: OwnNetwork) -> None:
        # Started before the network was there, as at boot.
        registry = MulticastRegistry(("224.5.6.7", 1234), session_s=1.0)
        await registry.start()
        mine = Endpoint("dubbo", "10.1.0.1", 1, SERVICE)
        await registry.register(mine)
        try:
            assert [each.name for each in registry._group.cards] == ["lo"]
            for name, host in (("one", "10.1.0.1"), ("two", "10.2.0.1")):
                network.plug(name, f"{host}/24")
                await check_is_seen_on(host, mine)
            assert [each.name for each in registry._group.cards] == ["one", "two"]
            network.unplug("one")
            async with asyncio.timeout(5):
                while [each.name for each in registry._group.cards] != ["two"]:
                    await asyncio.sleep(0.05)
            network.unplug("two")
            network.plug("one", "10.1.0.1/24")
            await check_is_seen_on("10.1.0.1", mine)
        finally:
            await registry.aclose()

    in_own_network({}, check)


async def check_is_seen_on(host: str, endpoint: Endpoint) -> None:
    peer = MulticastRegistry(("224.5.6.7", 1234), interfaces=[host])
    await peer.start()
    try:
        assert await is_seen(peer, endpoint)
    finally:
        await peer.aclose()
