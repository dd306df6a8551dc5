"""What becomes of a connection that gets no new calls: those in progress may still be answered, then it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from adapters.tcp.driver import ReplySlot, hand_over
from gateway.model.errors import ConnectionLost
from protocols.contract import ClientCodec, ReplyReceived, Send

__all__ = ["RetiredConnection"]


class RetiredConnection(asyncio.Protocol):
    """Takes over a transport and the calls that wait for their replies on it.

    `on_idle`: is told when no call waits here any more; the transport is closed by then. `on_late`: when a reply came
    that nobody waited for.
    """

    def __init__(
        self,
        address: str,
        codec: ClientCodec,
        transport: asyncio.Transport,
        pending: dict[int, ReplySlot],
        on_idle: Callable[[RetiredConnection], None],
        on_late: Callable[[], None],
    ) -> None:
        self._address = address
        self._codec = codec
        self._transport = transport
        self._pending = pending
        self._on_idle = on_idle
        self._on_late = on_late
        transport.set_protocol(self)

    @property
    def in_flight(self) -> int:
        """Calls waiting for a reply."""
        return len(self._pending)

    def data_received(self, data: bytes) -> None:
        """Hands replies to their callers."""
        for event in self._codec.receive(data):
            if type(event) is ReplyReceived:
                slot = self._pending.pop(event.call_id, None)
                if slot is None:
                    self._on_late()
                else:
                    hand_over(slot, event.outcome)
            elif type(event) is Send:
                self._transport.write(event.data)
        if self._codec.broken is not None:
            self._transport.abort()
        else:
            self.close_if_idle()

    def abandon(self, slot: ReplySlot) -> bool:
        """Nobody waits for this reply any more. False when it was none of this connection."""
        if self._pending.get(slot.call_id) is not slot:
            return False
        del self._pending[slot.call_id]
        self._codec.abandon(slot.call_id)
        self.close_if_idle()
        return True

    def close_if_idle(self) -> None:
        """Closes, unless a call waits. What a silent peer has not taken is dropped: it would be kept for ever."""
        if self._pending:
            return
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()
        self._on_idle(self)

    def close(self, why: str) -> None:
        """Closes at once; calls in progress fail with `ConnectionLost`."""
        pending, self._pending = self._pending, {}
        for slot in pending.values():
            hand_over(slot, ConnectionLost(why))
        self.close_if_idle()

    def eof_received(self) -> bool:
        """A provider that sends no more cannot answer either."""
        self._transport.abort()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Calls without a reply fail."""
        if self._pending:
            reason = "" if exc is None else f": {exc}"
            self.close(f"{self._address} closed the connection before it answered{reason}")
