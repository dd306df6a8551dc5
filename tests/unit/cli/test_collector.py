"""`gateway.cli.collector`: what serving changes in Python's garbage collector, and that it puts it back."""

from __future__ import annotations

import gc
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
        assert gc.get_threshold()[1:] == before[1:]
        assert gc.get_freeze_count() > 0


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
