from __future__ import annotations

from registry.multicast.pace import Pace
from tests.support.fake_clock import FakeClock


def test_no_more_than_a_second_allows_go_at_once() -> None:
    clock = FakeClock()
    pace: Pace[int] = Pace(3, 0, clock)
    for each in range(5):
        assert pace.put(each)
    assert list(pace.take()) == [0, 1, 2]
    assert list(pace.take()) == []
    clock.advance(0.4)
    assert list(pace.take()) == [3]
    clock.advance(100.0)
    for each in range(10, 15):
        pace.put(each)
    assert list(pace.take()) == [4, 10, 11]


def test_what_waits_waits_once_and_no_more_than_allowed() -> None:
    pace: Pace[str] = Pace(9, 2, FakeClock())
    assert [pace.put(each) for each in ("a", "a", "b", "c", "b")] == [True, True, True, False, True]
    pace.discard("a")
    pace.discard("z")
    assert list(pace.take()) == ["b"]
