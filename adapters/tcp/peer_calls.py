"""Calls that a server makes to the peer of one of its connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from adapters.tcp.driver import ReplySlot, hand_over
from adapters.tcp.timers import TimerWheel
from gateway.model.call import Invocation, Ok, Result
from gateway.model.errors import (
    BadRequest,
    ConnectionLost,
    DeadlineExceeded,
    LocalWireError,
    Overloaded,
    Retry,
    ValueMappingError,
)
from protocols.contract import CallingServerCodec, ReplyReceived

__all__ = ["PeerCalls"]

_ONEWAY_DONE: Final = Ok(None)


class PeerCalls:
    """The calls of one connection that wait for the peer's answer.

    `send`: takes bytes for the peer. `max_calls`: that may wait at the same time.
    """

    def __init__(
        self,
        codec: CallingServerCodec,
        peer: str,
        loop: asyncio.AbstractEventLoop,
        wheel: TimerWheel,
        send: Callable[[bytes], None],
        max_calls: int,
    ) -> None:
        self._codec = codec
        self._peer = peer
        self._loop = loop
        self._wheel = wheel
        self._send = send
        self._max_calls = max_calls
        self._pending: dict[int, ReplySlot] = {}

    def __len__(self) -> int:
        """Calls that wait."""
        return len(self._pending)

    async def call(self, binding: Any, invocation: Invocation) -> Result:
        """Sends one call and waits for its answer until its deadline, or as long as the codec says where it has none.

        Raises:
            RpcError: as `Invoker.__call__`.
        """
        now = monotonic()
        limit = self._codec.call_timeout_s if invocation.deadline is None else invocation.deadline - now
        if limit <= 0:
            raise DeadlineExceeded("the deadline had passed before the call was sent", retry=Retry.SAFE)
        if len(self._pending) >= self._max_calls:
            raise Overloaded(f"{self._peer} has {self._max_calls} calls waiting on one connection")
        try:
            call_id, data = self._codec.call(binding, invocation, limit)
        except (ValueMappingError, LocalWireError) as exc:
            raise BadRequest(f"{invocation.method}: {exc}") from exc
        try:
            self._send(data)
        except BaseException:
            if not invocation.oneway:
                # The codec waits for an answer from now on, which nobody will give.
                self._codec.abandon(call_id)
            raise
        if invocation.oneway:
            return _ONEWAY_DONE
        slot = ReplySlot(self._loop, call_id, limit, self._expired)
        slot.bucket = self._wheel.add(slot, now + limit)
        self._pending[call_id] = slot
        try:
            result: Result = await slot
            return result
        finally:
            if not slot.done:
                slot.done = True
                if slot.bucket is not None:
                    slot.bucket.discard(slot)
                    slot.bucket = None
                self._abandon(slot)

    def received(self, event: ReplyReceived) -> None:
        """Hands an answer to whoever waits for it, if anybody does."""
        slot = self._pending.pop(event.call_id, None)
        if slot is not None:
            hand_over(slot, event.outcome)

    def fail(self, why: str) -> None:
        """There will be no more answers."""
        pending, self._pending = self._pending, {}
        for slot in pending.values():
            hand_over(slot, ConnectionLost(why))

    def _expired(self, slot: ReplySlot) -> None:
        self._abandon(slot)
        slot.fail(DeadlineExceeded(f"{self._peer} did not answer within {slot.limit:.3g} s"))

    def _abandon(self, slot: ReplySlot) -> None:
        if self._pending.pop(slot.call_id, None) is not None:
            self._codec.abandon(slot.call_id)
