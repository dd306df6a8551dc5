import heapq
import math

import pytest

from gateway.filters.gradient import Gradient, GradientRules, next_limit

RULES = GradientRules(
    initial=20,
    min_limit=3,
    max_limit=200,
    tolerance=0.25,
    window_s=0.1,
    measure_every_s=60.0,
    jitter=0.15,
    measure_calls=50,
    measure_s=5.0,
)


@pytest.mark.parametrize(
    ("limit", "sample_s", "expected"),
    [
        (16, 0.0125, 20),  # as fast as tolerated: the square root is the room to grow
        (16, 0.025, 8 + math.sqrt(8)),  # twice as slow: half of it, and the room
        (16, 1.0, 8 + math.sqrt(8)),  # never less than half at once
        (16, 0.001, 32 + math.sqrt(32)),  # never more than double at once
        (150, 0.001, 200),
        (3, 1.0, 3),
    ],
)
def test_the_limit_follows_the_gradient_within_its_bounds(limit: float, sample_s: float, expected: float) -> None:
    assert next_limit(limit, 0.01, sample_s, int(limit), RULES) == pytest.approx(expected)


def test_a_limit_that_is_not_used_does_not_grow_but_may_shrink() -> None:
    assert next_limit(100, 0.01, 0.01, 49, RULES) == 100
    assert next_limit(100, 0.01, 0.01, 50, RULES) > 100
    assert next_limit(100, 0.01, 0.1, 1, RULES) < 100


class Server:
    """Answers `width` calls at a time, in `work_s` each, and makes others wait in line."""

    def __init__(self, width: int, work_s: float) -> None:
        self.width = width
        self.work_s = work_s
        self.free = [0.0] * width

    def change(self, width: int, now: float) -> None:
        """Other calls can be answered at a time from now on."""
        self.width, self.free = width, [now] * width

    def answer(self, now: float) -> float:
        """When a call that comes now is answered."""
        begins = max(now, heapq.heappop(self.free))
        heapq.heappush(self.free, begins + self.work_s)
        return begins + self.work_s


def drive(gradient: Gradient, server: Server, rate: float, begin: float, end: float) -> tuple[list[float], int]:
    """Calls at a constant rate; gives what the limit was all the time, and how many were refused."""
    running: list[tuple[float, float]] = []
    limits, refused, now = [], 0, begin
    while now < end:
        while running and running[0][0] <= now:
            done, began = heapq.heappop(running)
            gradient.end(began, done, RULES, True)
        if gradient.has_room():
            gradient.begin()
            heapq.heappush(running, (server.answer(now), now))
        else:
            refused += 1
        limits.append(gradient.limit)
        now += 1 / rate
    while running:
        done, began = heapq.heappop(running)
        gradient.end(began, done, RULES, True)
    return limits, refused


def test_overload_is_refused_and_what_is_let_through_hardly_waits() -> None:
    gradient, server = Gradient(0.0, RULES, lambda: 0.5), Server(width=10, work_s=0.01)
    # 1,000 calls a second is what the server can do.
    drive(gradient, server, 500, 0, 5)
    limits, refused = drive(gradient, server, 3_000, 5, 40)
    settled = limits[len(limits) // 2 :]
    # Ten are answered at a time, so that many at least; with 25 % tolerance and the square root on top a short line.
    assert 10 <= sum(settled) / len(settled) <= 30
    assert refused / len(limits) == pytest.approx(2 / 3, abs=0.05)


def test_the_limit_comes_back_when_the_server_does() -> None:
    gradient, server = Gradient(0.0, RULES, lambda: 0.5), Server(width=50, work_s=0.01)
    drive(gradient, server, 2_000, 0, 5)
    before = gradient.limit
    server.change(5, 5)
    limits, refused = drive(gradient, server, 2_000, 5, 15)
    assert gradient.limit < before / 2
    assert refused > 0.6 * len(limits)
    server.change(50, 15)
    drive(gradient, server, 2_000, 15, 20)
    limits, refused = drive(gradient, server, 2_000, 20, 25)
    assert refused < 0.05 * len(limits)


def test_a_server_that_has_become_slower_for_good_is_found_to_be_so() -> None:
    gradient, server = Gradient(0.0, RULES, lambda: 0.5), Server(width=100, work_s=0.01)
    drive(gradient, server, 1_000, 0, 5)
    server.work_s = 0.05
    limits, _ = drive(gradient, server, 1_000, 5, 6.5)
    assert min(limits) == RULES.min_limit
    # 50 calls are in progress then, which no longer means that they wait.
    drive(gradient, server, 1_000, 6.5, 20)
    limits, refused = drive(gradient, server, 1_000, 20, 25)
    assert refused < 0.05 * len(limits)


def measured(uniform: float) -> float:
    """When the second measurement begins, where the calls take ten milliseconds each."""
    gradient, now = Gradient(0.0, RULES, lambda: uniform), 0.0
    was_measured = False
    while True:
        gradient.begin()
        gradient.end(now, now + 0.01, RULES, True)
        now += 0.01
        if gradient.is_measuring and was_measured:
            assert gradient.limit == RULES.min_limit
            return now
        was_measured = was_measured or not gradient.is_measuring


def test_the_minimum_is_measured_now_and_then_with_few_calls_at_a_random_time() -> None:
    first, second = measured(0.0), measured(1.0)
    assert first == pytest.approx(60, abs=1)
    assert second == pytest.approx(60 * 1.15, abs=1)


def test_a_measurement_ends_after_a_while_even_with_few_calls() -> None:
    gradient = Gradient(0.0, RULES, lambda: 0.0)
    for now in (1.0, 5.0):
        gradient.begin()
        gradient.end(now - 0.02, now, RULES, True)
    assert not gradient.is_measuring
    assert gradient.minimum_s == pytest.approx(0.02)


def test_calls_that_say_nothing_and_calls_from_before_a_measurement_are_no_samples() -> None:
    gradient = Gradient(100.0, RULES, lambda: 0.0)
    for _ in range(100):
        gradient.begin()
        gradient.end(99.0, 101.0, RULES, True)
        gradient.begin()
        gradient.end(100.5, 101.0, RULES, False)
    assert gradient.is_measuring
    assert gradient.running == 0
