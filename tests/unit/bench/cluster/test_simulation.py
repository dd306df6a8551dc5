from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cluster.events import Crash, Fail, Pause, Restart, Slow, Weigh
from bench.cluster.scenario import Group, Scenario, Traffic
from bench.cluster.service_time import ServiceTime
from bench.cluster.simulation import Outcome, simulate
from gateway.plugins.catalog import Catalog

CATALOG = Catalog()
ROOT = Path(__file__).parents[4]
SCENARIO = Scenario(
    "small",
    "A bit of everything",
    [Group("nodes", 4, cold=3.0, cold_s=1.0), Group("others", 4)],
    Traffic(((0, 200),)),
    [],
    events=[Slow("nodes", 1, 2, 50.0, count=1), Restart("others", 1, 1.0, graceful=False), Fail("nodes", 3, 4, 0.5)],
    duration_s=6,
    gateways=2,
    timeout_s=0.2,
    warmup_s=1.0,
)


def run(scenario: Scenario, cluster: str = "failover", balancer: str = "random", seed: int = 1) -> Outcome:
    return simulate(scenario, cluster, balancer, seed, CATALOG)


def fingerprint(outcome: Outcome) -> str:
    record = outcome.record
    return repr((record.attempts, record.latencies, record.lost, record.errors, record.doubled, dict(outcome.counts)))


def test_the_same_seed_gives_the_same_run_to_the_last_digit():
    assert fingerprint(run(SCENARIO)) == fingerprint(run(SCENARIO))


def test_another_seed_gives_another_run():
    assert fingerprint(run(SCENARIO)) != fingerprint(run(SCENARIO, seed=2))


def test_another_process_with_other_hashes_comes_to_the_same():
    code = (
        "import sys; sys.path.insert(0, 'tests/unit/bench/cluster')\n"
        "from test_simulation import SCENARIO, fingerprint, run\n"
        "print(fingerprint(run(SCENARIO)))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=100
    )

    assert found.stdout.strip() == fingerprint(run(SCENARIO))


@pytest.mark.parametrize("balancer", CATALOG.names("balance"))
def test_every_balancer_there_is_can_be_simulated(balancer):
    record = run(SCENARIO, balancer=balancer).record

    assert record.calls > 1_000
    assert record.unfinished == 0
    assert sum(map(len, record.latencies)) + sum(record.lost) == record.calls


def test_traffic_does_not_depend_on_what_the_balancer_draws():
    outcomes = [run(SCENARIO, balancer=balancer) for balancer in CATALOG.names("balance")]

    assert len({tuple(outcome.record.began) for outcome in outcomes}) == 1


def test_a_queue_without_luck_takes_as_long_as_it_must():
    # One worker, ten milliseconds each, and no call meets another: the answer takes service and wire.
    scenario = replace(
        SCENARIO,
        groups=[Group("one", 1, ServiceTime(0.01, "constant"), workers=1, rtt_s=0.002)],
        traffic=Traffic(((0, 1),)),
        events=(),
        duration_s=30,
    )

    times = run(scenario).record.times(range(60))

    assert times
    assert times[0] == pytest.approx(0.012)


def test_a_queue_of_random_calls_waits_as_theory_says():
    # M/M/1 with utilisation 0.5: the mean time to the answer is service / (1 - utilisation).
    scenario = replace(
        SCENARIO,
        groups=[Group("one", 1, ServiceTime(0.01, "exponential"), workers=1, queue=1_000, rtt_s=0.0)],
        traffic=Traffic(((0, 50),)),
        events=(),
        duration_s=200,
        timeout_s=5.0,
    )
    record = run(scenario).record

    times = record.times(range(record.buckets))

    assert sum(times) / len(times) == pytest.approx(0.02, rel=0.1)


def test_calls_that_no_node_answers_end_at_their_time_limit():
    scenario = replace(SCENARIO, events=[Pause("nodes", 1, 3), Pause("others", 1, 3)], traffic=Traffic(((0, 50),)))

    record = run(scenario, cluster="failfast").record

    assert set(record.errors) == {"deadline-exceeded"}
    assert record.unfinished == 0


def test_killed_nodes_cost_only_the_calls_they_had():
    # 200 calls a second that take 100 ms are twenty at a time, ten of them at the nodes that are killed.
    slow = ServiceTime(0.1, "constant")
    scenario = replace(
        SCENARIO,
        groups=[Group("nodes", 4, slow), Group("others", 4, slow)],
        events=[Crash("nodes", 1, 3), Weigh("others", 1, 50)],
    )

    record = run(scenario, cluster="failfast").record

    assert 0 < record.errors["connection-lost"] < 30
    assert set(record.errors) <= {"connection-lost", "connect-failed"}


def test_every_hop_of_a_chain_passes_every_call_on():
    scenario = replace(SCENARIO, events=(), hops=4, relays=2, duration_s=2)

    record = run(scenario).record

    assert [sum(hop) for hop in record.relayed] == [record.calls] * 3
    assert sum(map(sum, record.attempts)) == record.calls
