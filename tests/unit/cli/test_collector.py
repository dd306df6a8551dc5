"""`gateway.cli.collector`: what serving changes in Python's garbage collector, and that it puts it back."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from gateway.cli.collector import tuned_collector


class _Node:
    def __init__(self) -> None:
        self.itself = self


def test_young_objects_are_looked_at_less_often_and_old_ones_never() -> None:
    before = gc.get_threshold()

    with tuned_collector():
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() > 0


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the collector of 3.14 works piece by piece")
def test_few_objects_are_looked_at_together_and_all_of_them_no_more_often() -> None:
    _, middle, old = gc.get_threshold()
    with tuned_collector():
        tuned = gc.get_threshold()

    # A generation is looked at when more than so many rounds of the one below are over, together with what they left.
    assert tuned[0] * (tuned[1] + 2) <= 30_000
    assert tuned[0] * (tuned[1] + 2) * (tuned[2] + 1) >= tuned[0] * (middle + 1) * (old + 1)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the collector of 3.14 works piece by piece")
def test_what_registries_name_does_not_make_it_look_at_everything() -> None:
    def count(phase: str, info: dict[str, int]) -> None:
        looked.append(info["generation"])

    looked: list[int] = []
    with tuned_collector():
        # As in a process that has little yet: whoever has much is spared for longer.
        gc.collect()
        gc.callbacks.append(count)
        # 50,000 providers, with a few more objects than each of them has.
        named = [[_Node() for _ in range(30)] for _ in range(50_000)]
        gc.callbacks.remove(count)

    assert len(named) == 50_000
    assert 1 in looked
    assert 2 not in looked


def test_cycles_are_still_found() -> None:
    with tuned_collector():
        gone = weakref.ref(_Node())
        for _ in range(gc.get_threshold()[0] * 2):
            _Node()

        assert gone() is None


def test_everything_is_put_back_after_an_error() -> None:
    before = gc.get_threshold()

    with pytest.raises(KeyError), tuned_collector():
        raise KeyError

    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
