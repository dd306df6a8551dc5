"""Hands work from threads to the event loop, many pieces at once."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["Handover"]

_LOG: Final = logging.getLogger("polyport.blocking")


class Handover:
    """Calls functions on the loop's thread, in the order they were handed over.

    Waking a loop is a system call, so it is woken once for everything that comes until it wakes.
    """

    __slots__ = ("_is_awaited", "_is_held", "_is_woken", "_lock", "_loop", "_turn", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._waiting: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._is_woken = False
        self._is_held = False
        self._is_awaited = False
        self._turn = threading.Lock()
        """Taken but for the moment in which somebody who waits may go on."""
        self._turn.acquire()

    def __call__(self, function: Callable[..., None], *arguments: Any) -> None:
        """`function(*arguments)` on the loop's thread. From any thread; does nothing once the loop is closed."""
        with self._lock:
            self._waiting.append((function, arguments))
            if self._is_woken or self._is_held:
                return
            self._is_woken = True
        self._wake()

    @contextmanager
    def held(self) -> Iterator[None]:
        """What comes meanwhile, from any thread, is handed over at the end. For one thread, which does not nest it.

        A loop that is woken in the middle of somebody's work takes the interpreter from them at every system call.
        """
        self._is_held = True
        try:
            yield
        finally:
            with self._lock:
                self._is_held = False
                must_wake = bool(self._waiting) and not self._is_woken
                self._is_woken |= must_wake
            if must_wake:
                self._wake()

    def settle(self, most_s: float) -> None:
        """Waits until the loop has done what was handed over, but not for longer. For the thread that holds."""
        with self._lock:
            if not self._is_woken:
                return
            self._is_awaited = True
        if not self._turn.acquire(timeout=most_s):
            with self._lock:
                if not self._is_awaited:
                    self._turn.acquire()  # let go of just now
                self._is_awaited = False

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._run)
        except RuntimeError:
            self._waiting.clear()
            self._is_woken = False

    def _run(self) -> None:
        with self._lock:
            waiting, self._waiting, self._is_woken = self._waiting, [], False
        for function, arguments in waiting:
            try:
                function(*arguments)
            except Exception:
                # It must not keep the others from their turn.
                _LOG.exception("a piece of work from a thread failed")
        with self._lock:
            if self._is_awaited:
                self._is_awaited = False
                self._turn.release()
