from __future__ import annotations

from bench.cluster.world import UNNOTICED, World


def test_events_happen_in_the_order_of_their_times_and_of_their_asking():
    world, seen = World(begin=0.0), []
    world.at(2.0, seen.append, "second")
    world.at(1.0, seen.append, "first")
    world.at(2.0, seen.append, "third")

    while world.advance(10.0):
        pass

    assert seen == ["first", "second", "third"]
    assert world.now == 10.0


def test_time_stops_at_an_event_and_goes_no_further_than_the_limit():
    world = World(begin=0.0)
    world.at(5.0, lambda: None)

    assert not world.advance(4.0)
    assert world.now == 4.0
    assert world.advance(6.0)
    assert world.now == 5.0


def test_what_nobody_notices_does_not_stop_time():
    world, seen = World(begin=0.0), []
    world.at(1.0, lambda: UNNOTICED)
    world.at(2.0, seen.append, "noticed")

    assert world.advance(10.0)
    assert (world.now, seen) == (2.0, ["noticed"])


def test_without_events_and_without_a_limit_the_clock_stands_still():
    world = World(begin=7.0)

    assert not world.advance(float("inf"))
    assert world.now == 7.0
