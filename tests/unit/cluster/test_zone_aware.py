import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.cluster.available import Available
from gateway.cluster.broadcast import Broadcast
from gateway.cluster.context import ClusterContext, RegistryPlace
from gateway.cluster.failfast import Failfast
from gateway.cluster.failover import Failover
from gateway.cluster.failsafe import Failsafe, FailsafeOptions
from gateway.cluster.forking import Forking, ForkingOptions
from gateway.cluster.once import once
from gateway.cluster.zone_aware import FORCE, ZONE, ZoneAware, ZoneAwareOptions
from gateway.model.errors import ConnectFailed, NoProvider
from gateway.spi.cluster import Cluster
from tests.support.cluster_calls import IDEMPOTENT, attempts, run
from tests.support.fake_invoker import FakeInvoker, invocation

PLACES = {"east": RegistryPlace("east"), "west": RegistryPlace("west")}


def named_by(registry: str, port: int, *script: Any, available: bool = True) -> FakeInvoker:
    made = FakeInvoker(port, *script, available=available)
    made.load.registry = registry
    return made


def two_each() -> list[FakeInvoker]:
    return [named_by("east", 1), named_by("east", 2), named_by("west", 3), named_by("west", 4)]


def zone_aware(
    places: Mapping[str, RegistryPlace] = PLACES, inner: Cluster | None = None, seed: int = 1, **options: Any
) -> ZoneAware:
    return ZoneAware(ZoneAwareOptions(**options), places, inner or Failover(), random.Random(seed).random)


async def called(cluster: ZoneAware, invokers: list[FakeInvoker], **attachments: Any) -> list[int]:
    before = attempts(invokers)
    await run(cluster, invokers, invocation(signature=IDEMPOTENT, attachments=attachments))
    return [after - earlier for after, earlier in zip(attempts(invokers), before, strict=True)]


async def test_calls_go_to_the_registry_of_their_zone() -> None:
    invokers = two_each()
    assert await called(zone_aware(zone="west"), invokers) == [0, 0, 1, 0]
    assert await called(zone_aware(zone="west"), invokers, **{ZONE: "east"}) == [1, 0, 0, 0]


async def test_a_preferred_registry_comes_before_that_of_the_zone() -> None:
    places = {**PLACES, "east": RegistryPlace("east", preferred=True)}
    assert await called(zone_aware(places, zone="west"), two_each()) == [1, 0, 0, 0]


@pytest.mark.parametrize("trouble", ["away", "ejected"])
async def test_when_nobody_of_the_zone_is_there_another_zone_gets_the_call(trouble: str) -> None:
    invokers = two_each()
    for each in invokers[2:]:
        each.available, each.load.ejected = trouble != "away", trouble == "ejected"
    assert await called(zone_aware(zone="west"), invokers) == [1, 0, 0, 0]
    assert await called(zone_aware(zone="nowhere"), invokers) == [1, 0, 0, 0]
    for each in invokers[:2]:
        each.available = False
    assert sum(await called(zone_aware(zone="west"), invokers)) == 1


async def test_a_call_whose_zone_breaks_down_goes_on_in_another() -> None:
    invokers = [
        named_by("east", 1),
        named_by("west", 2, ConnectFailed("refused")),
        named_by("west", 3, ConnectFailed("refused")),
    ]
    assert await called(zone_aware(zone="west"), invokers) == [1, 1, 1]
    with pytest.raises(ConnectFailed):
        await called(zone_aware(zone="west", inner=Failfast()), invokers)


async def test_a_call_does_not_use_up_its_attempts_in_a_zone_that_breaks_down() -> None:
    west = [named_by("west", port, ConnectFailed("refused")) for port in (2, 3, 4, 5)]
    invokers = [named_by("east", 1), *west]
    assert sum(await called(zone_aware(zone="west"), invokers)) == 3
    assert attempts(invokers)[0] == 1
    # With nobody elsewhere the others of the zone are tried.
    before = sum(attempts(west))
    with pytest.raises(ConnectFailed, match="3 attempts"):
        await called(zone_aware(zone="west"), west)
    assert sum(attempts(west)) == before + 3


@pytest.mark.parametrize("by", ["option", "attachment"])
async def test_a_forced_zone_is_not_left(by: str) -> None:
    options = {"zone": "west", "force": True} if by == "option" else {}
    attachments = {} if by == "option" else {ZONE: "west", FORCE: "true"}
    places = {**PLACES, "east": RegistryPlace("east", preferred=True)}
    cluster = zone_aware(places, **options)
    invokers = two_each()
    assert await called(cluster, invokers, **attachments) == [0, 0, 1, 0]
    for each in invokers[2:]:
        each.available = False
    assert sum((await called(cluster, invokers, **attachments))[2:]) == 1
    with pytest.raises(NoProvider, match=r"no provider for demo\.Catalog\.find in zone 'west': registry 2"):
        await called(cluster, invokers[:2], **attachments)


async def test_one_attempt_stays_in_a_forced_zone_whatever_modes_stand_around_it() -> None:
    again = once(Failsafe(FailsafeOptions(), ClusterContext(), zone_aware(zone="west", force=True)))
    invokers = [named_by("east", 1), named_by("west", 2, ConnectFailed("refused"))]
    with pytest.raises(ConnectFailed):
        await run(again, invokers, invocation(signature=IDEMPOTENT))
    assert attempts(invokers) == [0, 1]
    assert isinstance(once(Failover()), Failfast)


async def test_force_without_a_zone_means_nothing() -> None:
    assert sum(await called(zone_aware(force=True), two_each())) == 1


async def test_without_a_zone_registries_get_their_weight() -> None:
    places = {"east": RegistryPlace(weight=300), "west": RegistryPlace(weight=100), "north": RegistryPlace(weight=0)}
    invokers = [named_by("north", 1), named_by("east", 2), named_by("west", 3)]
    cluster = zone_aware(places, seed=7)
    for _ in range(4_000):
        await called(cluster, invokers)
    north, east, west = attempts(invokers)
    # Binomial with p = 3/4: 3,000 and a standard deviation of 27; five of them.
    assert abs(east - 3_000) < 137
    assert (north, east + west) == (0, 4_000)
    invokers[1].available = invokers[2].available = False
    assert await called(cluster, invokers) == [1, 0, 0]


async def test_registries_nobody_described_are_like_any_other() -> None:
    invokers = [named_by("east", 1), named_by("unheard", 2)]
    picked = Counter[int]()
    cluster = zone_aware({}, seed=3)
    for _ in range(200):
        picked.update({(await called(cluster, invokers)).index(1): 1})
    assert all(60 < picked[index] < 140 for index in (0, 1))


async def test_a_single_registry_leaves_everything_to_the_inner_mode() -> None:
    invokers = [named_by("east", 1), named_by("east", 2)]
    assert await called(zone_aware(zone="west"), invokers) == [1, 0]
    with pytest.raises(NoProvider):
        await called(zone_aware(), [])


async def test_modes_that_call_several_see_one_registry_first() -> None:
    invokers = two_each()
    assert await called(zone_aware(zone="west", inner=Broadcast()), invokers) == [0, 0, 1, 1]
    assert await called(zone_aware(zone="west", inner=Available()), invokers) == [0, 0, 1, 0]
    forking = Forking(ForkingOptions(forks=3), ClusterContext())
    assert await called(zone_aware(zone="west", inner=forking), invokers) == [1, 0, 1, 1]


async def test_a_call_that_fails_is_explained_with_all_registries() -> None:
    invokers = [named_by("east", 1, ConnectFailed("refused")), named_by("west", 2, ConnectFailed("refused"))]
    with pytest.raises(ConnectFailed, match=r"3 attempts .*\[registry 2, after rules 2") as caught:
        await called(zone_aware(zone="west"), invokers)
    assert caught.value.exhausted
