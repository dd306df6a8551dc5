import pytest

from gateway.config.sections.ejection import EjectionConfig
from gateway.model.errors import BadRequest, ConnectFailed, DeadlineExceeded, Retry, RpcError
from gateway.routing.health import Health, healthy_part
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, endpoint

WALL_S = 1_800_000_000.0
REFUSED = ConnectFailed("refused")


class Provider:
    """One provider under the eyes of a health, and what happens to it."""

    def __init__(self, health: Health, port: int = 1, *, is_new: bool = False, **parameters: str) -> None:
        self.invoker = FakeInvoker(endpoint(port, parameters=parameters))
        self.load = self.invoker.load
        self._health = health
        health.welcome(self.invoker, is_new)

    def answers(self, times: int = 1) -> None:
        for _ in range(times):
            self.load.answered += 1
            if self.load.on_trial:
                self._health.answered(self.load)

    def fails(self, times: int = 1, error: RpcError = REFUSED, after_s: float = 0.1) -> None:
        for _ in range(times):
            self._health.failed(self.load, error, after_s)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def health_of(clock: FakeClock, warmup_s: float = 0.0, wall_s: float = WALL_S, **rules: object) -> Health:
    ejection = EjectionConfig.model_validate(rules)
    return Health(ejection, warmup_s, clock=clock, wall=lambda: wall_s)


def milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def test_a_provider_that_was_always_there_gets_its_whole_weight(clock: FakeClock) -> None:
    assert Provider(health_of(clock, warmup_s=60)).load.weight == 100


def test_a_provider_that_joins_gets_more_and_more_of_its_weight(clock: FakeClock) -> None:
    health = health_of(clock, warmup_s=60)
    provider = Provider(health, is_new=True)

    weights = [provider.load.weight]
    for _ in range(4):
        clock.advance(15)
        health.tick()
        weights.append(provider.load.weight)

    assert weights == pytest.approx([5, 25, 50, 75, 100])
    assert health.tick() is None


def test_a_provider_that_says_when_it_started_is_believed_at_the_first_snapshot_too(clock: FakeClock) -> None:
    provider = Provider(health_of(clock, warmup_s=60), timestamp=milliseconds(WALL_S - 30))

    assert provider.load.weight == pytest.approx(50)


def test_a_provider_that_started_long_ago_is_warm_even_when_it_is_new_here(clock: FakeClock) -> None:
    provider = Provider(health_of(clock, warmup_s=60), is_new=True, timestamp=milliseconds(WALL_S - 3600))

    assert provider.load.weight == 100


def test_a_provider_with_a_clock_ahead_of_ours_warms_up_all_the_same(clock: FakeClock) -> None:
    health = health_of(clock, warmup_s=60)
    provider = Provider(health, timestamp=milliseconds(WALL_S + 3600))
    assert provider.load.weight == pytest.approx(5)

    clock.advance(60)
    health.tick()

    assert provider.load.weight == 100


def test_the_warmup_that_a_provider_announces_counts_more_than_that_of_the_reference(clock: FakeClock) -> None:
    health = health_of(clock, warmup_s=60)

    assert Provider(health, is_new=True, warmup="0").load.weight == 100
    slow = Provider(health, port=2, timestamp=milliseconds(WALL_S - 60), warmup=milliseconds(600))
    assert slow.load.weight == pytest.approx(10)


def test_a_weight_set_while_warming_up_keeps_the_share(clock: FakeClock) -> None:
    health = health_of(clock, warmup_s=60)
    provider = Provider(health, is_new=True)
    clock.advance(30)
    health.tick()

    provider.load.set_weight(200)

    assert provider.load.weight == pytest.approx(100)


def test_failures_in_a_row_eject_and_an_answer_between_them_does_not(clock: FakeClock) -> None:
    health = health_of(clock, failures=3, share=0.0)
    provider = Provider(health)

    provider.fails(2)
    provider.answers()
    provider.fails(2)
    assert not provider.load.ejected

    provider.fails()
    assert provider.load.ejected


def test_a_share_of_failures_ejects_once_there_were_enough_calls(clock: FakeClock) -> None:
    health = health_of(clock, failures=0, share=0.5, calls=10)
    provider = Provider(health)

    for _ in range(4):
        provider.fails()
        provider.answers()
    assert not provider.load.ejected

    provider.fails(2)
    assert provider.load.ejected


def test_failures_of_long_ago_do_not_count(clock: FakeClock) -> None:
    health = health_of(clock, failures=0, share=0.5, calls=4, window=10.0)
    provider = Provider(health)

    provider.fails(3)
    clock.advance(11)
    provider.fails(3)

    assert not provider.load.ejected


def test_a_refused_call_says_nothing_against_the_provider(clock: FakeClock) -> None:
    provider = Provider(health_of(clock, failures=1))

    provider.fails(5, BadRequest("args[0]: expected i64"))

    assert not provider.load.ejected


def test_callers_that_hardly_wait_do_not_take_a_provider_away_from_the_others(clock: FakeClock) -> None:
    provider = Provider(health_of(clock, failures=1))
    provider.load.ewma_s = 0.05

    provider.fails(5, DeadlineExceeded("too late"), after_s=0.1)
    provider.fails(5, DeadlineExceeded("too late already", retry=Retry.SAFE), after_s=1.0)
    assert not provider.load.ejected

    provider.fails(1, DeadlineExceeded("silent"), after_s=1.0)
    assert provider.load.ejected


def test_ejection_can_be_turned_off(clock: FakeClock) -> None:
    assert Provider(health_of(clock, enabled=False)).load.watch is None


def test_an_ejected_provider_is_tried_after_a_while_and_gets_its_share_back_when_it_answers(clock: FakeClock) -> None:
    health = health_of(clock, failures=1, time=5.0)
    provider = Provider(health)
    changes: list[bool] = []
    health.on_change(lambda: changes.append(provider.load.ejected))

    provider.fails()
    assert provider.load.ejected
    clock.advance(4.9)
    assert health.tick() is not None
    assert provider.load.ejected

    clock.advance(0.1)
    health.tick()
    assert not provider.load.ejected
    assert changes == [True, False]
    assert provider.load.weight == pytest.approx(5)
    clock.advance(60)
    health.tick()
    assert provider.load.weight == pytest.approx(5), "nobody has asked it yet"

    provider.answers()
    clock.advance(2.5)
    health.tick()
    assert provider.load.weight == pytest.approx(50)
    clock.advance(2.5)
    assert health.tick() is None
    assert provider.load.weight == 100


def test_a_failed_trial_ejects_for_longer_and_at_most_so_long(clock: FakeClock) -> None:
    health = health_of(clock, failures=3, time=5.0, max_time=12.0)
    provider = Provider(health)
    provider.fails(3)
    durations = []
    for _ in range(3):
        began = clock()
        while provider.load.ejected:
            clock.advance(0.5)
            health.tick()
        durations.append(clock() - began)
        provider.fails()

    assert durations == [5.0, 10.0, 12.0]


def test_an_ejection_long_after_the_last_counts_as_the_first(clock: FakeClock) -> None:
    health = health_of(clock, failures=1, time=5.0)
    provider = Provider(health)
    for _ in range(2):
        provider.fails()
        clock.advance(5)
        health.tick()
        assert not provider.load.ejected
        provider.answers()
        clock.advance(60)
        health.tick()


def test_late_failures_of_an_ejected_provider_do_not_prolong_it(clock: FakeClock) -> None:
    health = health_of(clock, failures=1, time=5.0)
    provider = Provider(health)
    provider.fails(4)

    clock.advance(5)
    health.tick()

    assert not provider.load.ejected


def test_a_dismissed_provider_is_not_watched_any_more(clock: FakeClock) -> None:
    health = health_of(clock, warmup_s=60, failures=1)
    provider = Provider(health, is_new=True)

    health.dismiss(provider.invoker)

    assert health.tick() is None
    provider.fails(3)
    assert not provider.load.ejected
    assert provider.load.watch is None


@pytest.mark.parametrize(("ejected", "left"), [(0, 4), (1, 3), (2, 2), (3, 4), (4, 4)])
def test_with_too_few_left_all_are_used(ejected: int, left: int) -> None:
    invokers = [FakeInvoker(port) for port in range(1, 5)]
    for invoker in invokers[:ejected]:
        invoker.load.ejected = True

    healthy = healthy_part(invokers, panic=0.5)

    assert len(healthy) == left
    assert left == 4 or not any(each.load.ejected for each in healthy)
