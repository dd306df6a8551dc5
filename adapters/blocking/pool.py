"""A bounded pool of threads for work that blocks on sockets."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic
from typing import Final

__all__ = ["Pool"]

_LOG: Final = logging.getLogger("polyport.blocking")


class Pool:
    """At most `size` threads, each started when there is work and none is idle. Work waits in the order it came.

    Who submits bounds what waits. The threads end with the process; `close` ends them earlier.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        """Threads that wait for work, less the pieces of work that wait for a thread."""
        self._threads: list[threading.Thread] = []
        self._closed = False

    def submit(self, work: Callable[[], None]) -> None:
        """Runs `work`, which must not raise, on one of the threads. From any thread; dropped once it is closed."""
        with self._lock:
            if self._closed:
                return
            if self._idle > 0:
                self._idle -= 1
            elif len(self._threads) < self._size:
                thread = threading.Thread(target=self._run, name=f"{self._name}-{len(self._threads)}", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    # The system has no thread for us: those that there are do it, or the caller must know.
                    if not self._threads:
                        raise
                    self._idle -= 1
                else:
                    self._threads.append(thread)
            else:
                # Everybody is busy: the next who is done takes it before it counts itself as idle.
                self._idle -= 1
        self._work.put(work)

    def _run(self) -> None:
        while True:
            work = self._work.get()
            if work is None:
                return
            try:
                work()
            except Exception:
                _LOG.exception("work of %s failed", self._name)
            # What it holds must not live until the next work comes.
            del work
            with self._lock:
                self._idle += 1

    def close(self, wait_s: float) -> None:
        """Ends the threads after the work that waits; waits so long for them at most. Blocks."""
        with self._lock:
            self._closed = True
            threads, self._threads = self._threads, []
        for _ in threads:
            self._work.put(None)
        until = monotonic() + wait_s
        for thread in threads:
            thread.join(max(0.0, until - monotonic()))
