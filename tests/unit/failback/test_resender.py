"""Kept calls sent again, on a fake clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.failback.pace import Pace, Pacing
from gateway.failback.record import CallForm
from gateway.failback.resender import Resender
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import ConnectFailed, NoSuchMethod, Overloaded
from gateway.spi.failback import CALL_ID, StoredCall, StoreError
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import SERVICE
from tests.support.memory_store import MemoryStore

Answer = Callable[[Invocation], Awaitable[Result]]
INTERVAL_S = 5.0


class Scene:
    """A resender with everything around it. `sent`: ids in the order of their attempts."""

    def __init__(self, answer: Answer, **pacing: Any) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore(self.clock)
        self.counts: Counter[str] = Counter()
        self.sent: list[str] = []
        self.settled = asyncio.Event()
        self._answer = answer
        settings = {"interval_s": INTERVAL_S, "max_interval_s": 60.0, "concurrency": 4, "rate": 0, **pacing}
        self.resender = Resender(
            "orders",
            CallForm(None),
            self.store,
            self._send,
            Pace(Pacing(**settings), lambda: 1.0),
            self._count,
            attempt_s=30.0,
            poll_s=INTERVAL_S,
            clock=self.clock,
            wall=self.clock,
            sleep=self.clock.sleep,
        )

    def _count(self, reason: str) -> None:
        self.counts[reason] += 1
        self.settled.set()

    async def _send(self, invocation: Invocation) -> Result:
        self.sent.append(invocation.attachments[CALL_ID])
        return await self._answer(invocation)

    async def keep(self, name: str, *, expires_s: float = 3600.0, delay_s: float = 0.0, body: bytes = b"") -> None:
        now = self.clock()
        made = Invocation(SERVICE, "$invoke", ("note", [], [name]))
        text = body or CallForm(None).write(made)[0]
        await self.store.add(StoredCall(name, "orders", now, now + expires_s, now + delay_s, text, ""))

    async def until(self, reason: str, count: int) -> None:
        async with asyncio.timeout(10):
            while self.counts[reason] < count:
                self.settled.clear()
                await self.settled.wait()

    async def idle(self) -> None:
        async with asyncio.timeout(10):
            await self.clock.until_asleep()


@asynccontextmanager
async def running(answer: Answer, *names: str, **pacing: Any) -> AsyncIterator[Scene]:
    scene = Scene(answer, **pacing)
    for name in names:
        await scene.keep(name)
    scene.resender.start()
    try:
        yield scene
    finally:
        await scene.resender.aclose()


async def well(_: Invocation) -> Result:
    return Ok(None)


def raising(*script: BaseException | None) -> Answer:
    left = list(script)

    async def answer(_: Invocation) -> Result:
        error = left.pop(0) if len(left) > 1 else left[0]
        if error is not None:
            raise error
        return Ok(None)

    return answer


async def test_what_was_kept_before_is_sent_and_forgotten() -> None:
    async with running(well, "a", "b", "c") as scene:
        await scene.until("failback-delivered", 3)
        assert sorted(scene.sent) == ["a", "b", "c"]
        assert scene.store.kept == {}


async def test_a_call_is_sent_when_it_is_due_and_not_before() -> None:
    async with running(well) as scene:
        await scene.idle()
        await scene.keep("a", delay_s=3.0)
        scene.resender.expect(3.0)
        await scene.idle()
        scene.clock.advance(2.9)
        await scene.idle()
        assert scene.sent == []
        scene.clock.advance(0.2)
        await scene.until("failback-delivered", 1)


async def test_what_others_put_into_the_store_is_noticed() -> None:
    async with running(well) as scene:
        await scene.idle()
        await scene.keep("a")
        scene.clock.advance(INTERVAL_S)
        await scene.until("failback-delivered", 1)


async def test_trouble_postpones_a_call_longer_each_time_until_it_is_answered() -> None:
    refused = ConnectFailed("refused")
    async with running(raising(refused, refused, refused, None), "a") as scene:
        waited = []
        for failure in range(1, 4):
            await scene.until("failback-failed", failure)
            await scene.idle()
            assert scene.store.kept["a"].error == "connect-failed: refused"
            waited.append(scene.store.kept["a"].due - scene.clock())
            scene.clock.advance(waited[-1])
        await scene.until("failback-delivered", 1)
        assert waited == [10.0, 20.0, 40.0]
        assert scene.sent == ["a"] * 4


async def test_while_nobody_answers_one_call_at_a_time_finds_out() -> None:
    async with running(raising(Overloaded("busy")), *map(str, range(50))) as scene:
        for failure in range(1, 6):
            await scene.until("failback-failed", failure)
            await scene.idle()
            assert len(scene.sent) == failure
            scene.clock.advance(30.0)
    assert len(set(scene.sent)) >= 5


async def test_one_call_that_always_fails_does_not_keep_the_others_waiting() -> None:
    async def answer(invocation: Invocation) -> Result:
        if invocation.attachments[CALL_ID] == "poison":
            raise ConnectFailed("refused")
        return Ok(None)

    async with running(answer, "poison", *map(str, range(20))) as scene:
        await scene.until("failback-failed", 1)
        await scene.idle()
        scene.clock.advance(INTERVAL_S)
        await scene.until("failback-delivered", 20)
        assert list(scene.store.kept) == ["poison"]


async def test_no_more_calls_are_under_way_than_allowed() -> None:
    under_way = most = 0

    async def answer(_: Invocation) -> Result:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return Ok(None)

    async with running(answer, *map(str, range(100)), concurrency=4) as scene:
        await scene.until("failback-delivered", 100)
    assert most == 4
    assert max(scene.store.claims) <= 4


async def test_an_exception_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(_: Invocation) -> Result:
        return Fault("demo.Refused", "no")

    async with running(answer, "a") as scene:
        await scene.until("failback-faulted", 1)
        assert scene.counts["failback-delivered"] == 1
        assert scene.store.kept == {}
    assert "call a was answered with an exception, which nobody waits for: demo.Refused: no" in caplog.text


async def test_an_expired_call_has_one_more_attempt_and_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    async with running(raising(ConnectFailed("refused"))) as scene:
        await scene.idle()
        await scene.keep("a", expires_s=-1.0)
        scene.clock.advance(INTERVAL_S)
        await scene.until("failback-expired", 1)
        assert (scene.sent, scene.store.kept) == (["a"], {})
    assert "call a has expired and was dropped: connect-failed: refused" in caplog.text


async def test_what_can_never_succeed_is_kept_as_dead() -> None:
    async with running(raising(NoSuchMethod("no method note")), "a") as scene:
        await scene.keep("b", body=b"{damaged")
        await scene.until("failback-dead", 2)
        assert scene.store.kept["a"].error == "no-such-method: no method note"
        assert scene.store.kept["b"].error.startswith("the record is damaged")
        assert {each.dead for each in scene.store.kept.values()} == {True}


async def test_whatever_a_handler_does_wrong_the_call_waits_on(caplog: pytest.LogCaptureFixture) -> None:
    async with running(raising(ZeroDivisionError("oops"), None), "a") as scene:
        await scene.until("failback-failed", 1)
        await scene.idle()
        scene.clock.advance(60.0)
        await scene.until("failback-delivered", 1)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("trouble", [StoreError("disk I/O error"), ValueError("what is kept is no text")])
async def test_trouble_with_the_store_passes(trouble: Exception) -> None:
    async with running(well, "a") as scene:
        scene.store.trouble = trouble
        await scene.until("failback-store-trouble", 1)
        await scene.idle()
        scene.store.trouble = None
        scene.clock.advance(INTERVAL_S)
        await scene.until("failback-delivered", 1)


async def test_draining_waits_for_what_is_under_way_and_takes_nothing_new() -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def answer(_: Invocation) -> Result:
        entered.set()
        await release.wait()
        return Ok(None)

    async with running(answer, "a", "b") as scene:
        await entered.wait()
        draining = asyncio.create_task(scene.resender.drain())
        await asyncio.sleep(0)
        assert not draining.done()
        release.set()
        await draining
        assert (scene.sent, list(scene.store.kept)) == (["a"], ["b"])


async def test_closing_gives_back_what_is_under_way() -> None:
    entered = asyncio.Event()

    async def answer(_: Invocation) -> Result:
        entered.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with running(answer, "a") as scene:
        await entered.wait()
    assert scene.store.ended == [("postpone", "a")]
    assert scene.store.kept["a"].due <= scene.clock()


async def test_closing_does_not_wait_for_an_attempt_that_will_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.failback.resender._END_S", 0.05)
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def stubborn(_: Invocation) -> Result:
        entered.set()
        while not may_end.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await may_end.wait()
        return Ok(None)

    try:
        async with asyncio.timeout(5):
            async with running(stubborn, "a") as scene:
                await entered.wait()
            assert "a" in scene.store.kept
    finally:
        may_end.set()
    await scene.until("failback-delivered", 1)
