from __future__ import annotations

from protocols.memcached.turn import Turns


def test_a_command_waits_for_the_one_before_it_for_its_key() -> None:
    turns = Turns()
    first, other, second = turns.take(b"a"), turns.take(b"b"), turns.take(b"a")
    assert first is not None
    assert other is not None
    assert second is not None
    assert first.begin() is None
    assert other.begin() is None
    assert second.begin() is first


def test_nobody_waits_for_what_was_refused_but_for_what_was_before_it() -> None:
    turns = Turns()
    first, *refused, last = [turns.take(b"a") for _ in range(4)]
    assert first is not None
    assert last is not None
    assert first.begin() is None
    assert last.begin() is first
    assert len(refused) == 2


def test_what_was_refused_leaves_its_place_to_the_one_before_it() -> None:
    turns = Turns()
    first, *_ = [turns.take(b"a") for _ in range(3)]
    assert first is not None
    first.begin()
    turns.settle()
    assert turns.pending == {b"a": first}
    first.end()
    turns.take(b"a")
    turns.settle()
    assert turns.pending == {}
