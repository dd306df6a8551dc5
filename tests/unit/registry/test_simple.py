"""The simple registry over real sockets: servers and clients in this process, on loopback."""

from __future__ import annotations

import asyncio

import pytest

from gateway.model.consumer import Consumer
from gateway.model.endpoint import ServiceKey, parse_address
from gateway.model.errors import RegistryError
from gateway.plugins.catalog import Catalog
from gateway.runtime.registry_host import DubboRegistryHost
from gateway.spi.registry import Freshness
from gateway.spi.registry_ability import ConsumerRegistry, DiagnosableRegistry, EditableRegistry, ListedRegistry
from registry.simple.registry import SimpleRegistry
from tests.support.relay import relaying
from tests.support.simple_registry import SERVICE, provider, seeing, simple, until

LOOPBACK = "127.0.0.1:0"
SEEN_S = 0.2
"""Within so long a change is seen everywhere."""
LEASE_S = 0.9
"""Of tests that wait for the end of one."""


async def test_what_one_gateway_announces_another_sees_at_once() -> None:
    async with (
        simple(serve=LOOPBACK) as server,
        simple(server.address) as one,
        simple(server.address) as other,
        seeing(other) as seen,
        seeing(server) as here,
    ):
        await until(lambda: seen.shows() and here.shows())
        await one.register(provider(1))
        await until(lambda: seen.shows(1) and here.shows(1), SEEN_S)
        await server.register(provider(2))
        await until(lambda: seen.shows(1, 2), SEEN_S)
        await one.register(provider(1, weight=7))
        await until(lambda: {each.weight for each in seen.last.endpoints} == {7, 100}, SEEN_S)
        assert seen.withdrawn == frozenset()
        await one.unregister(provider(1))
        await until(lambda: seen.shows(2) and here.shows(2), SEEN_S)
        assert seen.withdrawn == here.withdrawn == {provider(1).identity}


async def test_groups_that_stand_for_several_and_services_of_one_interface_are_told_apart() -> None:
    red, blue = ServiceKey("demo.Catalog", "red"), ServiceKey("demo.Catalog", "blue")
    async with (
        simple(serve=LOOPBACK) as server,
        simple(server.address) as other,
        seeing(other, ServiceKey("demo.Catalog", "*")) as every,
        seeing(other, red) as reds,
    ):
        await server.register(provider(1, red))
        await server.register(provider(2, blue))
        await until(lambda: every.shows(1, 2) and reds.shows(1))
        # Watched later, from lists that are here already.
        async with seeing(other, blue) as blues:
            await until(lambda: blues.shows(2))


@pytest.mark.serial("within half a second of its lease")
async def test_a_provider_that_is_heard_of_no_more_is_gone_with_its_lease_and_has_not_withdrawn() -> None:
    async with (
        simple(serve=LOOPBACK) as server,
        relaying(server.address) as relay,
        simple(relay.address, lease_s=LEASE_S) as one,
        seeing(server) as seen,
    ):
        await one.register(provider(1))
        await until(lambda: seen.shows(1))
        relay.is_blocked = True
        relay.cut()
        began = asyncio.get_running_loop().time()
        await until(lambda: seen.shows())
        assert LEASE_S * 0.6 < asyncio.get_running_loop().time() - began < LEASE_S + 0.5
        assert seen.withdrawn == frozenset()
        relay.is_blocked = False
        await until(lambda: seen.shows(1))


async def test_a_server_that_restarts_empty_is_filled_again_and_no_list_is_empty_meanwhile() -> None:
    async with (
        simple(serve=LOOPBACK) as first,
        simple(first.address) as one,
        simple(first.address) as other,
        seeing(other) as seen,
    ):
        await one.register(provider(1))
        await one.register(provider(2))
        await until(lambda: seen.shows(1, 2))
        known = len(seen.snapshots)
        await first.aclose()
        await until(lambda: seen.shows(1, 2, freshness=Freshness.STALE), SEEN_S)
        # What changes while it is away is caught up with.
        await one.register(provider(3))
        await one.unregister(provider(2))
        async with simple(serve=first.address) as second, seeing(second) as there:
            await until(lambda: seen.shows(1, 3) and there.shows(1, 3))
            assert seen.withdrawn == {provider(2).identity}
        assert all(1 in {port.port for port in each.endpoints} for each in seen.snapshots[known:])


async def test_a_registry_that_is_away_at_the_start_is_found_later() -> None:
    async with simple(serve=LOOPBACK) as former:
        address = former.address
    async with simple(address) as one, seeing(one) as seen:
        async with asyncio.timeout(3):
            await one.register(provider(1))
        await until(lambda: bool(seen.snapshots))
        assert seen.freshness is Freshness.UNKNOWN
        with pytest.raises(RegistryError, match="no server of the registry can be asked"):
            await one.listing()
        async with simple(serve=address):
            await until(lambda: seen.shows(1))


async def test_of_two_servers_one_may_go_and_come_back_empty() -> None:
    async with simple(serve=LOOPBACK) as a, simple(serve=LOOPBACK) as b:
        both = (a.address, b.address)
        async with (
            simple(*both, lease_s=LEASE_S) as one,
            simple(*both, lease_s=LEASE_S) as other,
            seeing(other) as seen,
        ):
            await one.register(provider(1))
            await until(lambda: seen.shows(1))
            known = len(seen.snapshots)
            await a.aclose()
            await one.register(provider(2))
            await until(lambda: seen.shows(1, 2), 0.5)
            # Longer than what the lost one said counts.
            await asyncio.sleep(LEASE_S * 1.3)
            assert seen.shows(1, 2)
            async with simple(serve=a.address) as again, seeing(again) as there:
                await until(lambda: there.shows(1, 2))
                await one.unregister(provider(1))
                await until(lambda: seen.shows(2) and there.shows(2), SEEN_S)
            assert seen.withdrawn == {provider(1).identity}
            assert all(each.freshness is Freshness.FRESH and each.endpoints for each in seen.snapshots[known:])


async def test_servers_that_know_each_other_pass_on_what_they_hear_in_both_directions() -> None:
    # Only b knows a; clients reach one of them each.
    async with (
        simple(serve=LOOPBACK) as a,
        simple(a.address, serve=LOOPBACK) as b,
        simple(a.address) as one,
        simple(b.address) as other,
        seeing(one) as at_a,
        seeing(other) as at_b,
    ):
        await one.register(provider(1))
        await other.register(provider(2))
        await until(lambda: at_a.shows(1, 2) and at_b.shows(1, 2), 1.0)
        await one.unregister(provider(1))
        await until(lambda: at_b.shows(2), 0.5)
        assert at_b.withdrawn == {provider(1).identity}


async def test_what_was_withdrawn_during_a_split_does_not_return_when_it_heals() -> None:
    # Its leases are long: b would show it for a long time.
    async with (
        simple(serve=LOOPBACK) as a,
        relaying(a.address) as between,
        simple(between.address, serve=LOOPBACK) as b,
        simple(b.address, lease_s=LEASE_S) as other,
        simple(a.address, lease_s=30) as one,
        seeing(a) as at_a,
        seeing(other) as at_b,
    ):
        await one.register(provider(1))
        await one.register(provider(2))
        await until(lambda: at_b.shows(1, 2))
        between.is_blocked = True
        between.cut()
        await one.unregister(provider(1))
        await other.register(provider(3))
        await until(lambda: at_a.shows(2))
        await until(lambda: at_b.shows(1, 2, 3))
        between.is_blocked = False
        await until(lambda: at_b.shows(2, 3) and at_a.shows(2, 3))
        assert at_b.withdrawn == {provider(1).identity}
        shown = len(at_a.snapshots)
        await asyncio.sleep(0.5)
        assert all(1 not in {each.port for each in late.endpoints} for late in at_a.snapshots[shown:])
        assert at_b.shows(2, 3)


async def test_clients_beyond_a_split_are_gone_with_their_lease_and_come_back_with_the_peer() -> None:
    async with (
        simple(serve=LOOPBACK) as a,
        relaying(a.address) as between,
        simple(between.address, serve=LOOPBACK) as b,
        simple(a.address, lease_s=LEASE_S) as one,
        seeing(b) as seen,
    ):
        await one.register(provider(1))
        await until(lambda: seen.shows(1))
        between.is_blocked = True
        between.cut()
        await until(lambda: seen.shows())
        between.is_blocked = False
        await until(lambda: seen.shows(1))
        assert seen.withdrawn == frozenset()


async def test_whoever_does_not_know_the_credential_neither_writes_nor_reads(caplog: pytest.LogCaptureFixture) -> None:
    async with simple(serve=LOOPBACK, token="secret") as server, seeing(server) as seen:
        async with simple(server.address, token="wrong") as stranger, seeing(stranger) as nothing:
            async with asyncio.timeout(3):
                await stranger.register(provider(1))
            assert nothing.freshness is Freshness.UNKNOWN
            assert seen.shows()
            findings = {each.what: each for each in await stranger.diagnose()}
            finding = findings[f"server {server.address}: credential"]
            assert (finding.is_well, "token" in finding.detail, bool(finding.advice)) == (False, True, True)
        async with simple(server.address, token="secret") as friend:
            await friend.register(provider(2))
            await until(lambda: seen.shows(2))
    assert "secret" not in caplog.text


async def test_everything_can_be_listed_with_consumers_and_what_cannot_be_used() -> None:
    consumer = Consumer(SERVICE, "shop", "10.0.0.9", "dubbo")
    async with simple(serve=LOOPBACK) as server, simple(server.address) as one:
        assert isinstance(one, ConsumerRegistry)
        assert isinstance(one, ListedRegistry)
        await one.register(provider(1))
        await one.register_consumer(consumer)
        await one._put("odd", "demo.Catalog", "ftp")
        for each in (one, server):
            listing = await each.listing()
            assert [it.port for it in listing.endpoints] == [1]
            assert [it.identity for it in listing.consumers] == [consumer.identity]
            assert [(it.entry, it.reason) for it in listing.skipped] == [("ftp", "it is no URL")]
        await one.unregister_consumer(consumer)
        assert (await server.listing()).consumers == []


async def test_a_diagnosis_names_what_is_away_and_compares_the_lists() -> None:
    async with simple(serve=LOOPBACK) as a, simple(serve=LOOPBACK) as b, simple(serve=LOOPBACK) as gone:
        await gone.aclose()
        async with simple(a.address, b.address, gone.address) as one, simple(a.address) as half:
            assert isinstance(one, DiagnosableRegistry)
            await one.register(provider(1))
            findings = {each.what: each for each in await one.diagnose()}
            wrong = [each.what for each in findings.values() if not each.is_well]
            assert wrong == [f"server {gone.address}: reachable"]
            assert {f"server {a.address}: {what}" for what in ("lease", "clock", "credential")} < set(findings)
            await half.register(provider(2))
            findings = {each.what: each for each in await one.diagnose()}
            assert not findings["the same list at all servers"].is_well


async def test_a_gateway_that_leaves_withdraws_what_it_announced() -> None:
    async with simple(serve=LOOPBACK) as server, seeing(server) as seen:
        async with simple(server.address) as one:
            await one.register(provider(1))
            await until(lambda: seen.shows(1))
        await until(lambda: seen.shows(), SEEN_S)
        assert seen.withdrawn == {provider(1).identity}


async def test_a_server_that_leaves_withdraws_what_it_announced_at_its_peers() -> None:
    async with simple(serve=LOOPBACK) as a, seeing(a) as seen:
        async with simple(a.address, serve=LOOPBACK) as b:
            await b.register(provider(1))
            await until(lambda: seen.shows(1))
        await until(lambda: seen.shows(), SEEN_S)
        assert seen.withdrawn == {provider(1).identity}


async def test_the_same_list_of_servers_may_stand_at_all_of_them() -> None:
    async with simple(serve=LOOPBACK) as former, simple(serve=LOOPBACK) as latter:
        both = (former.address, latter.address)
    async with simple(*both, serve=both[0]) as a, simple(*both, serve=both[1]) as b, seeing(a) as seen:
        await b.register(provider(1))
        await until(lambda: seen.shows(1))


async def test_somebody_may_take_a_provider_back_and_one_that_lives_comes_again() -> None:
    async with (
        simple(serve=LOOPBACK) as server,
        relaying(server.address) as relay,
        seeing(server) as seen,
        simple(relay.address) as dead,
        simple(server.address, lease_s=LEASE_S) as living,
    ):
        assert isinstance(living, EditableRegistry)
        await dead.register(provider(1))
        await living.register(provider(2))
        await until(lambda: seen.shows(1, 2))
        relay.is_blocked = True
        relay.cut()
        assert await living.remove(provider(1))
        await until(lambda: seen.shows(2), SEEN_S)
        assert await server.remove(provider(2))
        await until(lambda: seen.shows(), SEEN_S)
        # With its next heartbeat.
        await until(lambda: seen.shows(2))
        assert not await living.remove(provider(1))


async def test_a_tool_asks_the_gateway_that_serves() -> None:
    async with simple(serve=LOOPBACK) as server:
        await server.register(provider(1))
        tool = SimpleRegistry(parse_address(server.address), ())
        tool.hosted_by(DubboRegistryHost(Catalog([]), "test", "tool", may_serve=False))
        await tool.start()
        assert [each.port for each in (await tool.listing()).endpoints] == [1]
        await tool.aclose()


async def test_an_address_that_is_taken_ends_the_start() -> None:
    async with simple(serve=LOOPBACK) as server:
        with pytest.raises(RegistryError, match=f"cannot serve at {server.address}: .*in use"):
            async with simple(serve=server.address):
                pass


async def test_a_registry_that_anybody_can_write_to_is_said_to_be(caplog: pytest.LogCaptureFixture) -> None:
    async with simple(serve="0.0.0.0:0", token="secret"), simple(serve=LOOPBACK):
        assert "no credential" not in caplog.text
    async with simple(serve="0.0.0.0:0"):
        assert "no credential" in caplog.text
