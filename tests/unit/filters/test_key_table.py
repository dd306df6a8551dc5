from gateway.filters.key_table import KeyTable
from tests.support.fake_clock import FakeClock


class Counted:
    def __init__(self) -> None:
        self.count = 0


def table(max_keys: int, clock: FakeClock) -> KeyTable[Counted]:
    return KeyTable(Counted, lambda state, _: not state.count, max_keys, clock)


def test_a_key_keeps_its_state() -> None:
    keys = table(2, FakeClock())
    keys.get("a").count = 7
    assert keys.get("a").count == 7
    assert keys.get("b") is not keys.get("a")
    assert keys.peek("c") is None


def test_keys_beyond_the_bound_share_one_state_and_push_nobody_out() -> None:
    clock = FakeClock()
    keys = table(2, clock)
    for name in ("a", "b"):
        keys.get(name).count = 1
    for number in range(10_000):
        clock.advance(1)
        assert keys.get(f"made up {number}") is keys.shared
    assert len(keys) == 2
    assert keys.get("a").count == keys.get("b").count == 1


def test_only_what_loses_nothing_is_forgotten_and_only_when_room_is_needed() -> None:
    clock = FakeClock()
    keys = table(2, clock)
    keys.get("busy").count = 1
    idle = keys.get("idle")
    clock.advance(100)
    assert keys.get("idle") is idle
    new = keys.get("new")
    assert new is not keys.shared
    assert keys.peek("idle") is None
    assert keys.get("busy").count == 1


def test_looking_for_room_costs_no_more_however_many_keys_come() -> None:
    clock, looks = FakeClock(), 0

    def is_idle(state: Counted, now: float) -> bool:
        nonlocal looks
        looks += 1
        return False

    keys = KeyTable(Counted, is_idle, 10, clock)
    for number in range(1_000):
        keys.get(number)
    assert looks == 10
    clock.advance(1)
    keys.get("later")
    assert looks == 20


def test_the_bound_may_grow() -> None:
    keys = table(1, FakeClock())
    keys.get("a").count = 1
    assert keys.get("b") is keys.shared
    keys.max_keys = 2
    assert keys.get("b") is not keys.shared
