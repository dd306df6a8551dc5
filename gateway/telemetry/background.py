"""A log handler that never makes its caller wait."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from typing import Final, TextIO

__all__ = ["BackgroundHandler"]

_MAX_WAITING: Final = 10_000
_CLOSE_S: Final = 2.0


class BackgroundHandler(logging.Handler):
    """Writes lines to a stream from a thread of its own.

    Lines that find the queue full, or that the stream does not take (`OSError`), are dropped and counted; as soon as
    writing works again one line says how many. The stream is not closed. `max_waiting`: lines in the queue.
    """

    def __init__(self, stream: TextIO, max_waiting: int = _MAX_WAITING) -> None:
        super().__init__()
        # Each counter is written by one side only: by whoever holds this handler's lock, and by the thread.
        self._refused = 0
        self._failed = 0
        self._reported = 0
        self._ended = False
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(max_waiting)
        self._writer = threading.Thread(target=self._write_all, name="polyport-logs", daemon=True)
        self._writer.start()

    @property
    def dropped(self) -> int:
        """Lines lost so far."""
        return self._refused + self._failed

    def emit(self, record: logging.LogRecord) -> None:
        """Formats the record here, so that its arguments may change afterwards; the thread writes it."""
        try:
            line = self.format(record)
        except Exception:
            # logging's own rule: a line that cannot be formatted is reported, and never harms who logged it.
            self.handleError(record)
            return
        if self._ended:
            self._refused += 1
            return
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._refused += 1

    def close(self) -> None:
        """Writes what is left, for at most a few seconds, and ends the thread. What is logged later is lost."""
        super().close()
        if self._ended:
            return
        self._ended = True
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=_CLOSE_S)
        self._writer.join(_CLOSE_S)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            dropped = self.dropped
            if dropped > self._reported:
                line = f"{line}\n{self._loss(dropped - self._reported)}"
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
                self._reported = dropped
            except (OSError, ValueError):
                # ValueError: the stream was closed, or cannot encode the line.
                self._failed += 1

    def _loss(self, lines: int) -> str:
        text = f"{lines} log lines were lost"
        return self.format(logging.makeLogRecord({"name": "polyport", "levelname": "WARNING", "msg": text}))
