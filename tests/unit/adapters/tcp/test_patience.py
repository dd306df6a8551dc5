import asyncio
import math
from time import monotonic

import pytest

from adapters.tcp import patience
from adapters.tcp.patience import LINGER_S, Lingering, close_or_abort, most_unsent, overdue, until_left
from gateway.spi.adapter import ListenerOptions

NOW = 1_000.0


def options(**own: float) -> ListenerOptions:
    limits = {"first_byte_timeout_s": 2.0, "frame_timeout_s": 3.0, "idle_timeout_s": 10.0, **own}
    return ListenerOptions("main", "netstring", "127.0.0.1", 0, **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("last_read", "last_busy", "pending_since", "reason"),
    [
        (0.0, NOW - 2, None, None),
        (0.0, NOW - 2.1, None, "first-byte-timeout"),
        (NOW - 1, NOW - 50, NOW - 3, None),
        (NOW - 1, NOW - 50, NOW - 3.1, "frame-timeout"),
        (NOW - 50, NOW - 50, NOW - 4, "frame-timeout"),
        (NOW - 10, NOW - 50, None, None),
        (NOW - 50, NOW - 10, None, None),
        (NOW - 10.1, NOW - 50, None, "idle"),
        (NOW - 50, NOW - 10.1, NOW, "idle"),
    ],
)
def test_slowness_has_one_reason(
    last_read: float, last_busy: float, pending_since: float | None, reason: str | None
) -> None:
    found = overdue(options(), NOW, last_read, last_busy, pending_since)
    assert (found and found[0]) == reason


def test_what_may_wait_grows_with_the_larger_of_both_limits() -> None:
    assert most_unsent(options(max_write_buffer_bytes=100, max_frame_bytes=399)) == 800
    assert most_unsent(options(max_write_buffer_bytes=100, max_frame_bytes=401)) == 802


def test_peer_that_takes_everything_and_stays_is_given_up_soon() -> None:
    lingering = Lingering(NOW)
    assert not lingering.is_over(0, NOW + LINGER_S, 30.0)
    assert lingering.is_over(0, NOW + LINGER_S + 0.1, 30.0)


def test_peer_that_takes_what_is_left_has_as_long_as_it_goes_on() -> None:
    lingering = Lingering(NOW)
    for step in range(5):
        assert not lingering.is_over(100 - step, NOW + step * 29.0, 30.0)
    assert not lingering.is_over(96, NOW + 4 * 29.0 + 30.0, 30.0)
    assert lingering.is_over(96, NOW + 4 * 29.0 + 30.1, 30.0)


class Wire:
    def __init__(self, takes_all: bool) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done: list[str] = []
        self._takes_all = takes_all

    def close(self) -> None:
        self.done.append("close")
        if self._takes_all:
            self.closed.set_result(None)

    def abort(self) -> None:
        self.done.append("abort")
        self.closed.set_result(None)


@pytest.mark.parametrize(("takes_all", "done"), [(True, ["close"]), (False, ["close", "abort"])])
async def test_closing_waits_for_the_peer_only_so_long(
    takes_all: bool, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_CLOSE_S", 0.01)
    wire = Wire(takes_all)
    await close_or_abort(wire, wire.closed)  # type: ignore[arg-type]
    assert wire.done == done


async def test_waiting_until_everybody_left_ends_when_nothing_is_left_to_wait_for() -> None:
    await until_left(lambda: 0.0, asyncio.Event(), monotonic() + 1_000)


async def test_waiting_until_everybody_left_ends_at_the_deadline() -> None:
    deadline = monotonic() + 0.02
    await until_left(lambda: math.inf, asyncio.Event(), deadline)
    assert monotonic() >= deadline


async def test_waiting_until_everybody_left_looks_again_when_something_moved() -> None:
    left_at, moved = math.inf, asyncio.Event()
    waiting = asyncio.create_task(until_left(lambda: left_at, moved, monotonic() + 1_000))
    await asyncio.sleep(0)
    left_at = 0.0
    moved.set()
    await waiting


async def test_waiting_until_everybody_left_goes_on_when_somebody_came_back() -> None:
    asked: list[float] = []
    began = monotonic()

    def left_at() -> float:
        asked.append(monotonic())
        return began + (0.01 if len(asked) == 1 else 0.03)

    await until_left(left_at, asyncio.Event(), began + 1_000)
    assert monotonic() >= began + 0.03
