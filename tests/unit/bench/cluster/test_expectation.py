from __future__ import annotations

from array import array

import pytest

from bench.cluster.expectation import HopLoad, KeysMoved, Lost, PeakLoad, ShareOfLoad, WeightsKept
from bench.cluster.record import Record, quantile
from bench.cluster.scenario import Scenario, Traffic
from bench.cluster.simulation import Outcome


def outcome(*attempts: list[int], weights: list[int] | None = None, **changes: object) -> Outcome:
    """Providers `a` (the first) and `b` (all others), buckets of one second."""
    buckets = len(attempts[0])
    record = Record(
        1.0,
        buckets,
        attempts=[array("l", each) for each in attempts],
        began=array("l", [sum(each) for each in zip(*attempts, strict=True)]),
        lost=array("l", [0] * buckets),
        moved=array("l", [0] * buckets),
        arguments=100,
    )
    for name, value in changes.items():
        setattr(record, name, value)
    groups = {"a": [0], "b": list(range(1, len(attempts)))}
    scenario = Scenario("made", "made up", [], Traffic(((0, 1),)), [])
    return Outcome(scenario, "failover", "random", 1, record, groups, weights or [100] * len(attempts), {}, 0.0)


def test_the_share_of_a_group_is_that_of_its_nodes_beside_the_average_node():
    made = outcome([10, 0], [40, 50], [40, 50])

    assert ShareOfLoad("a", 0, 1, at_most=0.34).judge(made).reached
    assert not ShareOfLoad("a", 0, 1, at_most=0.3).judge(made).reached
    assert ShareOfLoad("a", 1, 2).judge(made).found == "0.00x"
    assert ShareOfLoad("b", 0, 2, at_least=1.3, among=("a", "b")).judge(made).reached


def test_the_peak_is_that_of_the_busiest_node_at_its_busiest():
    made = outcome([10, 10], [10, 10], [10, 70])

    assert PeakLoad("b", 2.4, 0).judge(made).found == "2.33x"
    assert not PeakLoad("b", 2.0, 0).judge(made).reached
    assert PeakLoad("b", 2.0, 0, 1).judge(made).reached
    assert PeakLoad("b", 2.0, 0, span_s=2.0).judge(made).found == "2.00x"


def test_weights_are_kept_when_no_provider_is_off_by_more_and_chance_explains_the_rest():
    assert WeightsKept(within=0.02).judge(outcome([1010], [1990], weights=[100, 200])).reached
    assert not WeightsKept(within=0.02).judge(outcome([1100], [1900], weights=[100, 200])).reached
    # Within two per cent, but over so many attempts that it is no chance.
    assert not WeightsKept(within=0.02).judge(outcome([1_010_000], [1_990_000], weights=[100, 200])).reached


def test_lost_calls_are_counted_within_the_time_they_are_asked_for():
    made = outcome([100, 100], lost=array("l", [1, 0]))

    assert not Lost().judge(made).reached
    assert Lost(at_most=0.005).judge(made).reached
    assert Lost(from_s=1).judge(made).reached


def test_a_time_without_calls_proves_nothing():
    assert not Lost(from_s=1).judge(outcome([100, 0])).reached
    assert not PeakLoad("a", 2.0, 1).judge(outcome([100, 0], [100, 0])).reached


def test_the_load_of_a_chain_is_that_of_its_busiest_hop():
    made = outcome([130], began=array("l", [100]), relayed=[array("l", [110])])

    assert HopLoad(1.3).judge(made).reached
    assert not HopLoad(1.2).judge(made).reached


def test_moved_keys_are_counted_against_those_that_have_to_move():
    assert KeysMoved(10, 1.3, 1).judge(outcome([1, 1], moved=array("l", [50, 13]))).reached
    assert not KeysMoved(10, 1.3, 1).judge(outcome([1, 1], moved=array("l", [0, 14]))).reached
    assert not KeysMoved(10, 1.3, 1).judge(outcome([1, 1])).reached


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.75, 3), (0.99, 4), (0.01, 1)])
def test_a_quantile_is_the_least_value_that_so_many_do_not_exceed(share, value):
    assert quantile([1, 2, 3, 4], share) == value
