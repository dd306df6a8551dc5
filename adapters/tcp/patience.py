"""How long a listener waits for a peer, and how much may wait for one; the same for both kinds of connections."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from time import monotonic
from typing import Final

from gateway.spi.adapter import ListenerOptions

__all__ = [
    "CROSSING_S",
    "LINGER_S",
    "QUIET_S",
    "Lingering",
    "close_or_abort",
    "most_unsent",
    "overdue",
    "until_left",
]

_HARD_WRITE_FACTOR: Final = 8
LINGER_S: Final = 1.0
"""How long a refused peer may take to read why and to close."""
CROSSING_S: Final = 0.1
"""After the goodbye, and after whatever comes later, for calls that crossed it on the wire."""
QUIET_S: Final = 5.0
"""How long a peer that cannot confirm a goodbye must have been quiet before its connection is closed in a drain. Longer
than clients usually keep a connection that they do not use, so that they close it and nothing can be on its way."""
_CLOSE_S: Final = 1.0
"""How long closing may wait for a peer to take what is left for it."""


def most_unsent(options: ListenerOptions) -> int:
    """Bytes of answers that may wait for a peer, in its transport or in its codec; with more it is dropped."""
    return max(options.max_write_buffer_bytes * _HARD_WRITE_FACTOR, options.max_frame_bytes * 2)


def overdue(
    options: ListenerOptions, now: float, last_read: float, last_busy: float, pending_since: float | None
) -> tuple[str, str] | None:
    """Why a connection is closed for its slowness: reason code and text; None while it need not be.

    Times are monotonic. `last_read`: 0 where nothing was received yet. `last_busy`: when a call was in progress last,
    or the connection was accepted. `pending_since`: since when half a message is there, None without one.
    """
    if not last_read:
        if now - last_busy > options.first_byte_timeout_s:
            return "first-byte-timeout", f"nothing received for {options.first_byte_timeout_s:g} s"
        return None
    if pending_since is not None and now - pending_since > options.frame_timeout_s:
        return "frame-timeout", f"a message took longer than {options.frame_timeout_s:g} s"
    if now - max(last_read, last_busy) > options.idle_timeout_s:
        return "idle", f"idle for {options.idle_timeout_s:g} s"
    return None


class Lingering:
    """The time after our sending side was closed, in which the peer takes what is left and closes its own."""

    __slots__ = ("_since", "_untaken")

    def __init__(self, now: float) -> None:
        self._since = now
        self._untaken = 0
        """Bytes that were left when it was looked at last."""

    def is_over(self, untaken: int, now: float, frame_timeout_s: float) -> bool:
        """Whether the peer was told everything and does not close, or takes nothing of the `untaken` bytes left."""
        if untaken < self._untaken or (untaken and not self._untaken):
            self._since = now
        self._untaken = untaken
        return now - self._since > (frame_timeout_s if untaken else LINGER_S)


async def until_left(left_at: Callable[[], float], moved: asyncio.Event, deadline: float) -> None:
    """Waits until everything may be closed, or until `deadline`; times are monotonic.

    `left_at`: when that will be, as far as is known now; infinite while calls run. `moved`: set when it may be earlier
    than it said.
    """
    while (now := monotonic()) < deadline and (at := left_at()) > now:
        moved.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(at, deadline) - now):
                await moved.wait()


async def close_or_abort(transport: asyncio.Transport, closed: asyncio.Future[None]) -> None:
    """Closes, and drops what the peer does not take in time. `closed` is set when the connection is lost."""
    transport.close()
    await asyncio.wait([closed], timeout=_CLOSE_S)
    if not closed.done():
        transport.abort()
        await closed
