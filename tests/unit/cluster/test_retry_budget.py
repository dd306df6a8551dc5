from gateway.cluster.retry_budget import RetryBudget
from tests.support.fake_clock import FakeClock


def test_repetitions_are_bounded_by_a_tenth_of_the_calls_once_the_burst_is_spent() -> None:
    budget = RetryBudget(0.1, floor_per_s=0.0, burst=10.0, clock=FakeClock())
    allowed = 0
    for _ in range(1_000):
        budget.deposit()
        allowed += budget.withdraw()
    # 10 from the burst and a tenth of 1,000, give or take the token not yet full.
    assert 108 <= allowed <= 110


def test_the_floor_lets_a_reference_with_few_calls_repeat() -> None:
    clock = FakeClock()
    budget = RetryBudget(0.1, floor_per_s=0.5, burst=1.0, clock=clock)
    assert budget.withdraw()
    assert not budget.withdraw()
    clock.advance(1.9)
    assert not budget.withdraw()
    clock.advance(0.2)
    assert budget.withdraw()


def test_quiet_times_and_successful_calls_save_up_no_more_than_the_burst() -> None:
    clock = FakeClock()
    budget = RetryBudget(0.1, floor_per_s=1.0, burst=3.0, clock=clock)
    for _ in range(1_000):
        budget.deposit()
    clock.advance(3_600)
    assert [budget.withdraw() for _ in range(4)] == [True, True, True, False]
