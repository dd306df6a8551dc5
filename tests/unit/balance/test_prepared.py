from __future__ import annotations

from typing import Any

from gateway.balance.prepared import Prepared
from tests.support.fake_invoker import FakeInvoker


class Log:
    def __init__(self) -> None:
        self.made: list[tuple[Any, ...]] = []
        self.before: list[Any] = []
        self.dropped: list[Any] = []
        self.prepared: Prepared[str] = Prepared(self.make, self.dropped.append)

    def make(self, invokers: Any, before: str | None) -> str:
        self.made.append(invokers)
        self.before.append(before)
        return f"for {len(invokers)}"


def some(count: int) -> tuple[FakeInvoker, ...]:
    return tuple(FakeInvoker(number + 1) for number in range(count))


def test_the_second_time_is_worth_preparing() -> None:
    log = Log()
    providers = some(3)
    assert log.prepared.find(providers) is None
    assert log.prepared.find(providers) == "for 3"
    assert log.prepared.find(providers) == "for 3"
    assert len(log.made) == 1
    assert log.prepared.latest == "for 3"


def test_a_list_that_is_equal_will_do() -> None:
    log = Log()
    providers = some(3)
    for _ in range(5):
        log.prepared.find(list(providers))
    assert len(log.made) == 1


def test_what_was_used_before_is_there_to_build_on() -> None:
    log = Log()
    one, other = some(2), some(3)
    for each in (one, one, other, other):
        log.prepared.find(each)
    assert log.before == [None, "for 2"]


def test_several_lists_in_turn_are_all_kept() -> None:
    log = Log()
    lists = [some(number) for number in range(2, 6)]
    for _ in range(10):
        for each in lists:
            log.prepared.find(each)
    assert len(log.made) == 4
    assert not log.dropped


def test_more_lists_than_are_kept_drop_the_one_that_was_used_least_lately() -> None:
    log = Log()
    for number in range(2, 12):
        each = some(number)
        log.prepared.find(each)
        log.prepared.find(each)
    assert log.dropped == [f"for {number}" for number in range(2, 8)]
