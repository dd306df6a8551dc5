from gateway.telemetry.once_per import OncePer
from tests.support.fake_clock import FakeClock


def test_one_of_a_key_passes_per_interval_and_knows_how_many_were_held_back() -> None:
    clock = FakeClock()
    lines = OncePer(10.0, clock=clock)
    assert [lines.admit("a") for _ in range(4)] == [0, None, None, None]
    assert lines.admit("b") == 0
    clock.advance(9.9)
    assert lines.admit("a") is None
    clock.advance(0.1)
    assert [lines.admit("a"), lines.admit("a")] == [4, None]
    clock.advance(100)
    assert lines.admit("a") == 1


def test_an_interval_of_zero_holds_nothing_back() -> None:
    lines = OncePer(0.0, clock=FakeClock())
    assert [lines.admit("a") for _ in range(3)] == [0, 0, 0]


def test_the_number_of_keys_is_bounded_and_the_oldest_is_forgotten_first() -> None:
    clock = FakeClock()
    lines = OncePer(10.0, max_keys=2, clock=clock)
    for key in ("a", "b", "c"):
        assert lines.admit(key) == 0
        clock.advance(1)
    assert lines.admit("b") is None
    assert lines.admit("c") is None
    assert lines.admit("a") == 0
    assert lines.admit("b") == 0
