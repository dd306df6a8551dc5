"""How fast calls are resent."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gateway.failback.pace import Pace, Pacing


def pace(uniform: float = 1.0, **settings: Any) -> Pace:
    return Pace(
        Pacing(**{"interval_s": 5.0, "max_interval_s": 60.0, "concurrency": 8, "rate": 0, **settings}), lambda: uniform
    )


def test_it_begins_with_one_call_and_each_answer_lets_one_more_be_under_way() -> None:
    made = pace()
    seen = [made.room(0, 0.0)]
    for _ in range(10):
        made.answered()
        seen.append(made.room(0, 0.0))
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8]
    assert (made.room(3, 0.0), made.room(9, 0.0)) == (5, -1)
    assert made.wait_s(8, 0.0) == math.inf


def test_trouble_brings_it_back_to_one_call_after_a_pause_that_grows_and_ends_with_an_answer() -> None:
    made = pace()
    for _ in range(8):
        made.answered()
    now, pauses = 100.0, []
    for _ in range(6):
        made.failed(now, now)
        assert made.room(0, now) == 0
        pauses.append(made.wait_s(0, now))
        now += pauses[-1]
        assert made.room(0, now) == 1
    # Never longer than half a minute: whether it is over must be noticed.
    assert pauses == [5.0, 10.0, 20.0, 30.0, 30.0, 30.0]
    made.answered()
    assert made.room(0, now) == 2
    made.failed(now, now)
    assert made.wait_s(0, now) == 5.0


def test_calls_that_fail_together_count_once() -> None:
    made = pace()
    made.failed(99.0, 100.0)
    made.failed(99.5, 100.1)
    made.failed(99.9, 100.2)
    assert made.wait_s(0, 100.0) == 5.0


def test_an_answer_ends_the_pause() -> None:
    made = pace()
    made.failed(0.0, 0.0)
    made.answered()
    assert made.room(0, 0.0) == 2


@pytest.mark.parametrize(("uniform", "share"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
def test_delays_double_up_to_the_longest_and_no_two_are_alike(uniform: float, share: float) -> None:
    made = pace(uniform)
    delays = [made.delay_s(attempts) for attempts in (0, 1, 2, 3, 4, 5, 1_000_000)]
    assert delays == [each * share for each in (5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0)]


def test_no_more_calls_are_started_in_a_second_than_the_rate_allows() -> None:
    made = pace(rate=100, concurrency=1_000)
    for _ in range(1_000):
        made.answered()
    started, now = 0, 0.0
    while now < 10.0:
        count = made.room(0, now)
        made.started(count, now)
        started += count
        wait = made.wait_s(0, now)
        assert 0 < wait <= 0.011
        now += wait
    assert 1_000 <= started <= 1_012


def test_a_rate_below_one_still_resends() -> None:
    made = pace(rate=0.5)
    assert made.room(0, 0.0) == 1
    made.started(1, 0.0)
    assert (made.room(0, 0.0), made.wait_s(0, 0.0)) == (0, 2.0)
    assert made.room(0, 2.0) == 1
