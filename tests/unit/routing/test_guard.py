from __future__ import annotations

import pytest

from gateway.config.sections.protection import ProtectionConfig
from gateway.model.endpoint import Endpoint
from gateway.routing.guard import Guard
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import SERVICE

LINGER_S, GRACE_S = 5.0, 60.0


def at(*ports: int) -> list[Endpoint]:
    return [Endpoint("dubbo", "10.0.0.1", port, SERVICE) for port in ports]


def ports(guard: Guard) -> list[int]:
    return [each.port for each in guard.endpoints]


def missing(guard: Guard) -> set[int]:
    return {port for _, _, port, _ in guard.missing}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def guard(clock: FakeClock) -> Guard:
    made = Guard(ProtectionConfig(linger=LINGER_S, grace=GRACE_S), clock)
    made.take(at(1, 2, 3, 4))
    return made


def test_one_that_vanishes_is_kept_for_a_moment_behind_the_others(guard: Guard, clock: FakeClock) -> None:
    guard.take(at(2, 3, 4))
    assert (ports(guard), missing(guard), guard.in_doubt) == ([2, 3, 4, 1], {1}, False)
    assert guard.next_s() == LINGER_S
    clock.advance(LINGER_S - 0.1)
    assert not guard.expire()
    clock.advance(0.2)
    assert guard.expire()
    assert (ports(guard), guard.next_s()) == ([2, 3, 4], None)


def test_one_that_withdraws_is_gone_at_once(guard: Guard) -> None:
    guard.take(at(2, 3, 4), [at(1)[0].identity])
    assert ports(guard) == [2, 3, 4]
    guard.take([], [each.identity for each in at(2, 3, 4)])
    assert ports(guard) == []


def test_an_empty_list_keeps_everybody_for_the_grace_time(guard: Guard, clock: FakeClock) -> None:
    guard.take([])
    assert (ports(guard), guard.in_doubt) == ([1, 2, 3, 4], True)
    clock.advance(GRACE_S - 0.1)
    assert not guard.expire()
    clock.advance(0.2)
    assert guard.expire()
    assert (ports(guard), guard.in_doubt) == ([], False)


def test_more_than_half_that_vanish_one_after_the_other_are_kept_too(guard: Guard, clock: FakeClock) -> None:
    for left in ([2, 3, 4], [3, 4], [4]):
        guard.take(at(*left))
        clock.advance(1.0)
    assert (sorted(ports(guard)), guard.in_doubt) == ([1, 2, 3, 4], True)
    clock.advance(GRACE_S - 4.0)
    assert not guard.expire()


def test_half_that_vanish_are_kept_for_a_moment_only(guard: Guard, clock: FakeClock) -> None:
    guard.take(at(3, 4))
    assert not guard.in_doubt
    clock.advance(LINGER_S + 0.1)
    assert guard.expire()
    assert ports(guard) == [3, 4]


def test_doubt_ends_when_they_come_back(guard: Guard, clock: FakeClock) -> None:
    guard.take([])
    clock.advance(30.0)
    guard.take(at(1, 2, 3))
    assert (sorted(ports(guard)), missing(guard), guard.in_doubt) == ([1, 2, 3], set(), False)


def test_one_that_comes_back_with_another_weight_is_as_it_says_now(guard: Guard) -> None:
    guard.take(at(2, 3, 4))
    guard.take([*at(2, 3, 4), Endpoint("dubbo", "10.0.0.1", 1, SERVICE, 7)])
    assert [each.weight for each in guard.endpoints if each.port == 1] == [7]
    assert missing(guard) == set()


def test_withdrawing_counts_for_those_that_are_kept(guard: Guard) -> None:
    guard.take([])
    guard.take([], [at(2)[0].identity])
    assert ports(guard) == [1, 3, 4]


def test_without_protection_the_registry_has_the_last_word() -> None:
    for guard in (Guard(), Guard(ProtectionConfig(enabled=False))):
        guard.take(at(1, 2))
        guard.take([])
        assert (ports(guard), guard.next_s(), guard.in_doubt) == ([], None, False)


def test_providers_that_flap_cost_no_memory(guard: Guard, clock: FakeClock) -> None:
    for turn in range(2_000):
        guard.take(at(1, 2, 3) if turn % 2 else at(1, 2, 3, 4, 5 + turn))
        clock.advance(0.1)
    assert len(guard.endpoints) <= 3 + 5
