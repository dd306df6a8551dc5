"""Calls that nobody awaits yet, started from another thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest

from gateway.model.errors import ConnectionLost
from gateway.runtime.started import StartedCalls, start_threadsafe

PATIENCE_S = 10


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE_S)
    loop.close()


class Endless:
    def __init__(self) -> None:
        self.entered = threading.Event()
        self.cancelled = threading.Event()

    async def run(self) -> None:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


async def give(value: str) -> str:
    return value


async def fail() -> str:
    raise LookupError("nothing")


def test_values_and_errors_come_back_to_the_other_thread(loop: asyncio.AbstractEventLoop) -> None:
    started = StartedCalls()
    assert start_threadsafe(loop, started, give("x")).result(PATIENCE_S) == "x"
    with pytest.raises(LookupError, match="nothing"):
        start_threadsafe(loop, started, fail()).result(PATIENCE_S)


def test_cancelling_in_the_other_thread_cancels_the_call(loop: asyncio.AbstractEventLoop) -> None:
    endless = Endless()
    future = start_threadsafe(loop, StartedCalls(), endless.run())
    assert endless.entered.wait(PATIENCE_S)
    assert future.cancel()
    assert endless.cancelled.wait(PATIENCE_S)
    with pytest.raises(CancelledError):
        future.result(PATIENCE_S)


def test_a_call_cancelled_before_it_began_never_begins(loop: asyncio.AbstractEventLoop) -> None:
    held = threading.Event()
    loop.call_soon_threadsafe(held.wait)
    endless = Endless()
    future = start_threadsafe(loop, StartedCalls(), endless.run())
    assert future.cancel()
    held.set()
    assert start_threadsafe(loop, StartedCalls(), give("later")).result(PATIENCE_S) == "later"
    assert not endless.entered.is_set()


def test_what_still_runs_at_the_end_fails(loop: asyncio.AbstractEventLoop) -> None:
    started, endless = StartedCalls(), Endless()
    future = start_threadsafe(loop, started, endless.run())
    assert endless.entered.wait(PATIENCE_S)
    asyncio.run_coroutine_threadsafe(started.aclose(), loop).result(PATIENCE_S)
    assert endless.cancelled.is_set()
    with pytest.raises(ConnectionLost):
        future.result(PATIENCE_S)


class Stubborn:
    """Goes on although it is cancelled, until it may end."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.may_end = asyncio.Event()

    async def run(self) -> None:
        self.entered.set()
        while not self.may_end.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self.may_end.wait()


async def test_closing_does_not_wait_for_a_call_that_will_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.runtime.started._END_S", 0.05)
    started, stubborn = StartedCalls(), Stubborn()
    future = started.start(stubborn.run())
    await stubborn.entered.wait()
    async with asyncio.timeout(PATIENCE_S):
        await started.aclose()
    assert not future.done()
    stubborn.may_end.set()
    await future
