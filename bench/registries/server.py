"""A server of others for a measurement or a test: a program on a free port of the loopback."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.process import StartFailed

__all__ = ["Server"]

_READY_S: Final = 30.0
_SAID: Final = 1_500


class Server:
    """`start` and end it as often as wanted; it must have ended when nobody needs it any more.

    `command`: the program and its arguments, run in `folder`, where its log is. `question`: what is sent to see whether
    it is ready, and `answers`: one of these is in its answer then.
    """

    def __init__(
        self, port: int, folder: Path, command: Sequence[str], question: bytes, answers: Sequence[bytes]
    ) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._folder = folder
        self._command = command
        self._question = question
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not ended by us."""
        return self._process is not None

    def start(self) -> None:
        """Until it answers. Raises StartFailed when it does not."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Without waiting: one of several may not be ready before the others."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=log, stderr=log)

    def await_ready(self) -> None:
        """Until it answers. Raises StartFailed when it does not."""
        deadline = time.monotonic() + _READY_S
        while not self._is_ready():
            if self._process is None or self._process.poll() is not None:
                raise StartFailed(f"{self._command[0]} ended: {self._said()}")
            if time.monotonic() > deadline:
                raise StartFailed(f"{self._command[0]} does not answer: {self._said()}")
            time.sleep(0.02)

    def ask(self, question: bytes) -> bytes:
        """The first part of what it answers. Raises OSError where it does not."""
        with socket.create_connection(("127.0.0.1", self.port), 1.0) as connection:
            connection.sendall(question)
            return connection.recv(8_192)

    def stop(self) -> None:
        """Ends it as an administrator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """From now on it keeps its connections and does nothing."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `pause`."""
        self._send(signal.SIGCONT)

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-_SAID:].strip()

    def _is_ready(self) -> bool:
        with suppress(OSError):
            answer = self.ask(self._question)
            return any(each in answer for each in self._answers)
        return False

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None, "it does not run"
        self._process.send_signal(number)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(how)
            self._process.wait(_READY_S)
            self._process = None
