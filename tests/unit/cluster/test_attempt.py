import asyncio

import pytest

from gateway.cluster.attempt import attempt
from gateway.model.call import Invocation, Ok, Result
from gateway.model.errors import ConnectFailed, DeadlineExceeded, RpcError
from gateway.spi.cluster import Load
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, invocation


class Taking:
    """Answers after some time on the fake clock, with a result or an error."""

    def __init__(self, clock: FakeClock, seconds: float, outcome: Result | Exception) -> None:
        self.clock = clock
        self.seconds = seconds
        self.outcome = outcome

    async def __call__(self, invocation: Invocation) -> Result:
        self.clock.advance(self.seconds)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


async def test_a_call_in_progress_counts_as_active_however_it_ends() -> None:
    seen: list[int] = []

    async def look(_: Invocation) -> Result:
        seen.append(invoker.load.active)
        return Ok(None)

    invoker = FakeInvoker(1, look, ConnectFailed("refused"))
    await attempt(invoker, invocation())
    assert (seen, invoker.load.active) == ([1], 0)
    with pytest.raises(ConnectFailed):
        await attempt(invoker, invocation())
    assert invoker.load.active == 0


async def test_a_cancelled_call_is_no_longer_active() -> None:
    started = asyncio.Event()

    async def forever(_: Invocation) -> Result:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    invoker = FakeInvoker(1, forever)
    task = asyncio.create_task(attempt(invoker, invocation()))
    await started.wait()
    assert invoker.load.active == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert invoker.load.active == 0


async def test_the_first_answer_sets_the_average_and_later_ones_move_it_by_an_eighth() -> None:
    clock = FakeClock()
    invoker = FakeInvoker(1, Taking(clock, 0.8, Ok(1)), Taking(clock, 1.6, Ok(1)))
    await attempt(invoker, invocation(), clock)
    assert invoker.load.ewma_s == pytest.approx(0.8)
    await attempt(invoker, invocation(), clock)
    assert invoker.load.ewma_s == pytest.approx(0.9)


async def test_trouble_does_not_move_the_average() -> None:
    clock = FakeClock()
    quick, slow = ConnectFailed("refused"), DeadlineExceeded("no answer")
    invoker = FakeInvoker(1, Taking(clock, 0.8, Ok(1)), Taking(clock, 0.001, quick), Taking(clock, 1.6, slow))
    await attempt(invoker, invocation(), clock)
    with pytest.raises(ConnectFailed):
        await attempt(invoker, invocation(), clock)
    with pytest.raises(DeadlineExceeded):
        await attempt(invoker, invocation(), clock)
    assert invoker.load.ewma_s == pytest.approx(0.8)
    assert (invoker.load.answered, invoker.load.failed) == (1, 2)


class Diary:
    """Follows the attempts at a provider (`LoadObserver`), and watches over it (`LoadWatch`)."""

    def __init__(self) -> None:
        self.lines: list[object] = []

    def began(self, now: float) -> None:
        self.lines.append(("began", now))

    def ended(self, began: float, now: float, outcome: Result | BaseException) -> None:
        self.lines.append((type(outcome).__name__, now - began))

    def failed(self, load: Load, error: RpcError, elapsed_s: float) -> None:
        self.lines.append(("failed", type(error).__name__, elapsed_s))

    def answered(self, load: Load) -> None:
        self.lines.append("answered on trial")


async def test_observers_and_watch_hear_of_beginning_and_end() -> None:
    clock = FakeClock(0.0)
    invoker = FakeInvoker(1, Taking(clock, 2.0, Ok(1)), Taking(clock, 3.0, ConnectFailed("refused")), Ok(2))
    diary = invoker.load.watch = Diary()
    assert invoker.load.observe("me", lambda: diary) is invoker.load.observe("me", Diary)

    await attempt(invoker, invocation(), clock)
    with pytest.raises(ConnectFailed):
        await attempt(invoker, invocation(), clock)
    invoker.load.on_trial = True
    await attempt(invoker, invocation(), clock)

    assert diary.lines == [
        *(("began", 0.0), ("Ok", 2.0)),
        *(("began", 2.0), ("ConnectFailed", 3.0), ("failed", "ConnectFailed", 3.0)),
        *(("began", 5.0), ("Ok", 0.0), "answered on trial"),
    ]
