"""The scenarios that are run, and the figures that must come of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.cluster.events import Churn, Crash, Fail, Join, Leave, Pause, Restart, Slow, Weigh
from bench.cluster.expectation import (
    AnsweredInTime,
    HopLoad,
    KeysMoved,
    Lost,
    NeverTwice,
    PeakLoad,
    ShareOfLoad,
    WeightsKept,
)
from bench.cluster.scenario import Group, Scenario, Traffic
from bench.cluster.service_time import ServiceTime
from bench.cluster.simulation import name_of

__all__ = ["SCENARIOS"]

_LOOKING: Final = ("least_active", "shortest_response", "adaptive")
"""Balancers that look at how their providers do."""
_BY_WEIGHT: Final = ("random", "round_robin")
"""Balancers that go by weight alone."""
_HASHING: Final = ("consistent_hash",)
_AT_ONCE: Final = ServiceTime(1e-6, "constant")
_HEDGED: Final = {"type": "forking", "options": {"delay": "40ms"}}
_NORTHERN: Final = {"type": "zone_aware", "options": {"zone": "north"}}
_NORTHERN_NAME: Final = name_of(_NORTHERN)
_HEDGED_NAME: Final = name_of(_HEDGED)

SCENARIOS: Final[Sequence[Scenario]] = (
    Scenario(
        "weights",
        "Providers of different weight, nothing else happens",
        [Group("nodes", 6, ServiceTime(0.002), weights=(100, 200, 300))],
        Traffic(((0, 10_000),)),
        [WeightsKept(only=_BY_WEIGHT), Lost()],
        duration_s=10,
        gateways=2,
        balancers=_BY_WEIGHT,
    ),
    Scenario(
        "weights-live",
        "Half of the providers get a third of the weight through the registry, and it back",
        [Group("lowered", 10), Group("others", 10)],
        Traffic(((0, 1_000),)),
        [
            # 100 of 300 + 100, over both groups' average of 200.
            ShareOfLoad("lowered", 6, 14, at_least=0.45, at_most=0.55, only=_BY_WEIGHT),
            ShareOfLoad("lowered", 16, 24, at_least=0.95, at_most=1.05, only=_BY_WEIGHT),
            Lost(),
        ],
        events=[Weigh("others", 5, 300), Weigh("others", 15, 100)],
        duration_s=25,
    ),
    Scenario(
        "slow-node",
        "One of ten becomes a hundred times slower, and fast again",
        [Group("slow", 1), Group("others", 9)],
        Traffic(((0, 400),)),
        [
            # A gateway that counts calls in progress keeps one of them there: no less than one a second, of twenty.
            ShareOfLoad("slow", 15, 30, at_most=0.1, only=_LOOKING),
            ShareOfLoad("slow", 40, 50, at_least=0.5, only=_LOOKING),
            Lost(),
        ],
        events=[Slow("slow", 10, 30, 100.0)],
        duration_s=50,
        gateways=2,
    ),
    Scenario(
        "cold-join",
        "Twenty cold providers join twenty warm ones; at first they are ten times slower",
        [Group("warm", 20), Group("cold", 20, cold=10.0, cold_s=8.0, joins_at_s=5)],
        Traffic(((0, 1_000),)),
        [
            PeakLoad("cold", 2.0, 5, 25, span_s=1.0),
            ShareOfLoad("cold", 20, 25, at_least=0.7),
            Lost(),
        ],
        events=[Join("cold", 5)],
        duration_s=25,
        central=True,
        warmup_s=10.0,
    ),
    Scenario(
        "rolling-restart",
        "One provider after the other leaves the registry, finishes, restarts and comes back cold",
        [Group("nodes", 12, cold=5.0, cold_s=2.0)],
        Traffic(((0, 500),), idempotent=False),
        [Lost(), NeverTwice()],
        events=[Restart("nodes", 3, every_s=2.0)],
        duration_s=32,
        warmup_s=3.0,
    ),
    Scenario(
        "crashes",
        "One provider after the other is killed and started again, with calls that may be repeated",
        [Group("nodes", 12)],
        Traffic(((0, 500),)),
        [Lost()],
        events=[Restart("nodes", 3, every_s=2.0, graceful=False)],
        duration_s=32,
        warmup_s=3.0,
    ),
    Scenario(
        "crashes-once",
        "The same with calls that must not run twice: those that were under way are lost, no others",
        [Group("nodes", 12)],
        Traffic(((0, 500),), idempotent=False),
        [Lost(at_most=0.005), NeverTwice()],
        events=[Restart("nodes", 3, every_s=2.0, graceful=False)],
        duration_s=32,
        warmup_s=3.0,
    ),
    Scenario(
        "pauses",
        "Two of twelve stand still for five seconds, connected and silent",
        [Group("paused", 2), Group("others", 10)],
        Traffic(((0, 500),)),
        [Lost(), ShareOfLoad("paused", 6, 10, at_most=0.1), ShareOfLoad("paused", 30, 35, at_least=0.5)],
        events=[Pause("paused", 5, 10)],
        duration_s=35,
        timeout_s=0.3,
    ),
    Scenario(
        "errors-half",
        "Half of the providers answer every call with an error",
        [Group("failing", 10), Group("others", 10)],
        Traffic(((0, 600),)),
        [
            # Four gateways need five failures each to know ten providers, and one in eight calls meets three of those.
            Lost(at_most=0.015, until_s=6),
            Lost(at_most=0.001, from_s=6, until_s=20),
            ShareOfLoad("failing", 7, 20, at_most=0.02),
            ShareOfLoad("failing", 40, 45, at_least=0.8),
        ],
        events=[Fail("failing", 5, 20)],
        duration_s=45,
    ),
    Scenario(
        "all-ejected",
        "All providers fail for ten seconds: nobody gives them up",
        [Group("nodes", 20)],
        Traffic(((0, 500),)),
        [Lost(until_s=5), HopLoad(1.2, 5, 15), Lost(from_s=16), PeakLoad("nodes", 2.0, 16, 30, span_s=2.0)],
        events=[Fail("nodes", 5, 15)],
        duration_s=30,
    ),
    Scenario(
        "retry-storm",
        "Four hops, retries 3 at each, and all providers fail",
        [Group("nodes", 20)],
        Traffic(((0, 500),)),
        [HopLoad(1.2), HopLoad(1.2, 5, 20), Lost(from_s=26)],
        events=[Fail("nodes", 0, 25)],
        duration_s=30,
        hops=4,
        retries=3,
        gateways=4,
        relays=4,
    ),
    Scenario(
        "hot-key",
        "A third of all calls ask for one key",
        # Fifteen calls in progress at each: the one that the bound has to spare counts little beside them.
        [Group("nodes", 20, ServiceTime(0.1), workers=64)],
        Traffic(((0, 3_000),), keys=5_000, hot=0.33),
        [Lost(), PeakLoad("nodes", 1.5, 2, span_s=2.0, only=_HASHING)],
        duration_s=8,
        gateways=1,
        timeout_s=5.0,
    ),
    Scenario(
        "key-move",
        "A provider joins nine, and leaves again: how many keys move",
        # Done in no time: with calls in progress the bound on a provider's load would move keys for a moment, too.
        [Group("nodes", 9, _AT_ONCE, rtt_s=0.0), Group("new", 1, _AT_ONCE, rtt_s=0.0, joins_at_s=10)],
        Traffic(((0, 1_000),), keys=1_000),
        [KeysMoved(10, 1.3, 10, 20, only=_HASHING), KeysMoved(10, 1.3, 20, 30, only=_HASHING), Lost()],
        events=[Join("new", 10), Leave("new", 20)],
        duration_s=30,
        gateways=3,
        balancers=_HASHING,
    ),
    Scenario(
        "flash-crowd",
        "Five times as many calls as ever for five seconds, twice what the providers can do",
        [Group("nodes", 6, ServiceTime(0.02), workers=4, queue=20)],
        Traffic(((0, 500), (10, 2_500), (15, 500))),
        [
            Lost(until_s=10),
            HopLoad(1.3, 10, 15),
            Lost(at_most=0.65, from_s=10, until_s=15),
            Lost(from_s=18),
            AnsweredInTime(0.99, 0.25, 18),
        ],
        duration_s=30,
    ),
    Scenario(
        "zone-loss",
        "One of three zones goes dark, and comes back",
        [Group("north", 10), Group("south", 10), Group("east", 10)],
        Traffic(((0, 500),)),
        [
            Lost(),
            ShareOfLoad("north", 6, 15, at_most=0.05),
            ShareOfLoad("north", 35, 40, at_least=0.8, at_most=1.2, only=_BY_WEIGHT),
        ],
        events=[Crash("north", 5, 15)],
        duration_s=40,
    ),
    Scenario(
        "own-zone",
        "Gateways of the north, providers in two zones: those of the north go dark, and come back",
        [Group("north", 8, zone="north"), Group("south", 8, zone="south")],
        Traffic(((0, 500),)),
        [
            Lost(),
            ShareOfLoad("south", 0, 5, at_most=0.0, only=(_NORTHERN_NAME,)),
            ShareOfLoad("north", 6, 15, at_most=0.05),
            ShareOfLoad("south", 27, 30, at_most=0.01, only=(_NORTHERN_NAME,)),
            ShareOfLoad("south", 0, 5, at_least=0.9, at_most=1.1, only=("failover",)),
        ],
        events=[Crash("north", 5, 15)],
        duration_s=30,
        balancers=("random",),
        clusters=("failover", _NORTHERN),
    ),
    Scenario(
        "slow-tail",
        "Service times with a long tail: what asking a second provider is worth, and what it costs",
        [Group("nodes", 20, ServiceTime(0.01, "pareto"), workers=32)],
        Traffic(((0, 500),)),
        [
            Lost(),
            HopLoad(1.02, only=("failover",)),
            HopLoad(1.15, only=(_HEDGED_NAME,)),
            HopLoad(2.0, only=("forking",)),
            AnsweredInTime(0.999, 0.06, 2, only=(_HEDGED_NAME,)),
        ],
        duration_s=20,
        balancers=("random",),
        clusters=("failover", "forking", _HEDGED),
    ),
    Scenario(
        "modes",
        "One provider after the other is killed: what the modes make of it",
        [Group("nodes", 12)],
        Traffic(((0, 300),)),
        [
            Lost(only=("failover", "failsafe", "forking")),
            Lost(at_most=0.002, only=("failfast",)),
            Lost(at_most=0.005, only=("available",)),
            NeverTwice(only=("failfast", "failsafe")),
            HopLoad(1.01, only=("failover", "failfast", "failsafe", "available")),
        ],
        events=[Restart("nodes", 3, every_s=2.0, graceful=False)],
        duration_s=30,
        balancers=("random",),
        clusters=("failover", "failfast", "failsafe", "forking", "available"),
    ),
    Scenario(
        "churn",
        "A thousand providers, and something befalls one of them three times a second",
        [Group("nodes", 1_000, ServiceTime(0.02), cold=5.0, cold_s=3.0)],
        Traffic(((0, 1_500),)),
        [Lost()],
        events=[Churn("nodes", 2, 15, 3.0)],
        duration_s=20,
        gateways=3,
        warmup_s=10.0,
    ),
)
"""By default all are run, in this order."""
