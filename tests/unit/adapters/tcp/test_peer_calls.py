"""Calls of a server to the peer of a connection: answers, timeouts, cancellation, limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest

from adapters.tcp.peer_calls import PeerCalls
from adapters.tcp.timers import TimerWheel
from gateway.model.call import Invocation, Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    ConnectionLost,
    DeadlineExceeded,
    Overloaded,
    ProviderFailed,
    Retry,
    ValueMappingError,
)
from protocols.contract import PeerCaller, ReplyReceived

KEY = ServiceKey("test.Listener")


class Codec:
    """A codec whose calls are their numbers."""

    call_timeout_s = 0.05

    def __init__(self) -> None:
        self.timeouts: list[float | None] = []
        self.abandoned: list[int] = []
        self.error: Exception | None = None

    def attach(self, caller: PeerCaller) -> None: ...

    def detach(self, why: str) -> None: ...

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        if self.error is not None:
            raise self.error
        self.timeouts.append(timeout_s)
        return (-1 if invocation.oneway else len(self.timeouts)), b"%d" % len(self.timeouts)

    def abandon(self, call_id: int) -> None:
        self.abandoned.append(call_id)


class Peer:
    def __init__(self, most: int = 10) -> None:
        self.codec = Codec()
        self.sent: list[bytes] = []
        self.wheel = TimerWheel(asyncio.get_running_loop())
        loop = asyncio.get_running_loop()
        self.calls = PeerCalls(self.codec, "10.0.0.7:1", loop, self.wheel, self.sent.append, most)

    def call(self, deadline_s: float | None = 5.0, **more: Any) -> asyncio.Task[Any]:
        deadline = None if deadline_s is None else monotonic() + deadline_s
        invocation = Invocation(KEY, "ping", (), deadline=deadline, **more)
        return asyncio.create_task(self.calls.call(None, invocation))


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer()
    async with asyncio.timeout(10):
        yield made
    made.wheel.close()


async def test_answers_find_their_calls(peer: Peer) -> None:
    first, second = peer.call(), peer.call()
    await asyncio.sleep(0)
    assert (peer.sent, len(peer.calls)) == ([b"1", b"2"], 2)
    peer.calls.received(ReplyReceived(2, Ok("two")))
    peer.calls.received(ReplyReceived(1, ProviderFailed("no")))
    peer.calls.received(ReplyReceived(3, Ok("nobody waits for it")))
    assert (await second).value == "two"
    with pytest.raises(ProviderFailed):
        await first
    assert (len(peer.calls), len(peer.wheel)) == (0, 0)


async def test_a_call_ends_at_its_deadline_or_when_the_codec_says(peer: Peer) -> None:
    for deadline_s in (None, 0.02):
        with pytest.raises(DeadlineExceeded, match=r"10\.0\.0\.7:1 did not answer within 0\.0"):
            await peer.call(deadline_s)
    assert peer.codec.abandoned == [1, 2]
    assert peer.codec.timeouts[0] == 0.05
    assert 0 < (peer.codec.timeouts[1] or 0) <= 0.02
    with pytest.raises(DeadlineExceeded) as late:
        await peer.call(-1)
    assert late.value.retry is Retry.SAFE
    assert len(peer.sent) == 2


async def test_a_cancelled_call_is_abandoned(peer: Peer) -> None:
    call = peer.call()
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert peer.codec.abandoned == [1]
    assert (len(peer.calls), len(peer.wheel)) == (0, 0)


async def test_calls_fail_when_there_will_be_no_more_answers(peer: Peer) -> None:
    calls = [peer.call(), peer.call()]
    await asyncio.sleep(0)
    peer.calls.fail("it left")
    for each in calls:
        with pytest.raises(ConnectionLost, match="it left"):
            await each
    assert len(peer.wheel) == 0


async def test_a_oneway_call_waits_for_nothing(peer: Peer) -> None:
    assert (await peer.call(oneway=True)).value is None
    assert len(peer.calls) == 0


async def test_what_cannot_be_written_is_the_callers_fault(peer: Peer) -> None:
    peer.codec.error = ValueMappingError("too odd", "args[0]")
    with pytest.raises(BadRequest, match=r"ping: args\[0\]: too odd"):
        await peer.call()


async def test_only_so_many_calls_wait() -> None:
    peer = Peer(most=1)
    first = peer.call()
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="has 1 calls waiting"):
        await peer.call()
    first.cancel()
    peer.wheel.close()


@pytest.mark.parametrize("trouble", [Overloaded("does not read"), ConnectionLost("closed")])
async def test_of_a_call_that_cannot_be_sent_nothing_is_left(trouble: Exception) -> None:
    def send(data: bytes) -> None:
        raise trouble

    codec, loop = Codec(), asyncio.get_running_loop()
    calls = PeerCalls(codec, "10.0.0.7:1", loop, TimerWheel(loop), send, 10)
    for oneway in (False, True):
        with pytest.raises(type(trouble)):
            await calls.call(None, Invocation(KEY, "ping", (), deadline=monotonic() + 5.0, oneway=oneway))
    assert (codec.abandoned, len(calls)) == ([1], 0)
