"""For whom a connection is, from what each wire says; and how a port waits for what is not said yet."""

from __future__ import annotations

import asyncio
import select
import socket

import pytest

from adapters.shared_port.verdict import Recognizers, Undecided
from adapters.shared_port.watcher import Watcher
from gateway.model.recognition import Recognition, Recognizer

NO, MORE, MAYBE, YES = Recognition.NO, Recognition.MORE, Recognition.MAYBE, Recognition.YES


def saying(*answers: Recognition) -> list[Recognizer]:
    def one(answer: Recognition) -> Recognizer:
        return lambda data: answer if data[:1] == b"x" else NO

    return [one(each) for each in answers]


@pytest.mark.parametrize(
    ("answers", "preferred", "whole", "expected"),
    [
        ((NO, YES, MORE), None, False, 1),
        ((MAYBE, YES), 0, False, 1),
        ((NO, NO), None, False, Undecided.UNKNOWN),
        ((NO, MORE), None, False, Undecided.WAIT),
        ((MAYBE, MORE), None, False, Undecided.WAIT),
        ((MAYBE, MORE), None, True, 0),
        ((NO, MORE), None, True, Undecided.UNKNOWN),
        ((MAYBE, NO), None, False, 0),
        ((MAYBE, MAYBE), None, False, Undecided.AMBIGUOUS),
        ((MAYBE, MAYBE), 1, False, 1),
        ((MAYBE, MAYBE, NO), 2, False, Undecided.AMBIGUOUS),
        ((), None, False, Undecided.UNKNOWN),
    ],
)
def test_a_yes_decides_then_the_only_maybe_then_the_preference(
    answers: tuple[Recognition, ...], preferred: int | None, whole: bool, expected: int | Undecided
) -> None:
    assert Recognizers(saying(*answers), preferred).decide(b"x", is_all=whole) == expected


def test_who_says_no_to_the_first_byte_is_not_asked_again() -> None:
    asked = []

    def picky(data: bytes) -> Recognition:
        asked.append(data)
        return MORE if data[0] == 0x78 else NO

    made = Recognizers([picky], None)
    asked.clear()
    assert made.decide(b"yx", is_all=False) is Undecided.UNKNOWN
    assert asked == []
    assert made.decide(b"xy", is_all=False) is Undecided.WAIT
    assert asked == [b"xy"]


@pytest.mark.parametrize("has_epoll", [True, False])
async def test_a_socket_is_watched_until_it_is_forgotten(has_epoll: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_epoll:
        monkeypatch.delattr(select, "epoll", raising=False)
    ready: list[str] = []
    watcher: Watcher[str] = Watcher(asyncio.get_running_loop(), ready.append)
    ours, theirs = socket.socketpair()
    other, gone = socket.socketpair()
    watcher.watch(ours, "ours")
    watcher.watch(other, "other")
    await turns()
    assert ready == []
    theirs.send(b"x")
    await turns()
    assert set(ready) == {"ours"}
    watcher.forget(ours)
    gone.close()
    await turns()
    ready.clear()
    await turns()
    assert set(ready) == {"other"}
    watcher.forget(other)
    watcher.close()
    watcher.close()
    ready.clear()
    theirs.send(b"x")
    await turns()
    assert ready == []
    for each in (ours, theirs, other):
        each.close()


async def turns() -> None:
    """Lets the loop look at its descriptors, and at those of what it watches."""
    for _ in range(5):
        await asyncio.sleep(0.001)
