"""Hands work from threads to the event loop, many pieces at once."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Handover"]

_LOG: Final = logging.getLogger("polyport.blocking")


class Handover:
    """Calls functions on the loop's thread, in the order they were handed over.

    Waking a loop is a system call, so it is woken once for everything that comes until it wakes.
    """

    __slots__ = ("_lock", "_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._waiting: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def __call__(self, function: Callable[..., None], *arguments: Any) -> None:
        """`function(*arguments)` on the loop's thread. From any thread; does nothing once the loop is closed."""
        with self._lock:
            self._waiting.append((function, arguments))
            if len(self._waiting) > 1:
                return
        try:
            self._loop.call_soon_threadsafe(self._run)
        except RuntimeError:
            self._waiting.clear()

    def _run(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for function, arguments in waiting:
            try:
                function(*arguments)
            except Exception:
                # It must not keep the others from their turn.
                _LOG.exception("a piece of work from a thread failed")
