"""A serving process that is started, killed, paused and restarted at one address."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["Node", "polyport"]

_ROOT: Final = Path(__file__).parents[2]
_READY_S: Final = 60.0
_END_S: Final = 30.0


class Node:
    """One process at `127.0.0.1:port`, begun anew by `start` as often as it ended.

    `command`: what is run. `ready`: what a line of its output says when it answers. `log`: the file its standard error
    goes to, unless `errors_to` names a descriptor. `prepare`: run in the new process before the program.

    Its standard input stays open as long as it runs: programs that end with their input end with this process.
    """

    def __init__(
        self,
        name: str,
        port: int,
        command: Sequence[str],
        log: Path,
        *,
        ready: str = "ready",
        environ: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
        errors_to: int | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.log = log
        self._command = command
        self._ready = ready
        self._environ = {**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": str(_ROOT), **(environ or {})}
        self._prepare = prepare
        self._errors_to = errors_to
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._said = ""
        """The last line of its output."""
        self._has_said = asyncio.Event()

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Runs it until it says that it is ready. Raises `RuntimeError` when it ends before."""
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=_ROOT,
                env=self._environ,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log if self._errors_to is None else self._errors_to,
                preexec_fn=self._prepare,
            )
        self._process = process
        assert process.stdout is not None
        async with asyncio.timeout(_READY_S):
            while line := await process.stdout.readline():
                if self._ready in line.decode(errors="replace"):
                    break
            else:
                said = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.name} ended with {await process.wait()} before it was ready: {said}")
        # Otherwise it would stand still when the pipe is full.
        self._reading = asyncio.create_task(self._read(process.stdout))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            self._said = line.decode(errors="replace").strip()
            self._has_said.set()
        self._has_said.set()

    async def say(self, line: str, answer: str, within_s: float) -> None:
        """Writes a line to its standard input, and waits until it prints one that is `answer`."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        self._said = ""
        self._has_said.clear()
        process.stdin.write(f"{line}\n".encode())
        async with asyncio.timeout(within_s):
            while self._said != answer:
                await self._has_said.wait()
                self._has_said.clear()
                if self._reading is None or self._reading.done():
                    raise RuntimeError(f"{self.name} ended instead of saying {answer}")

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to it, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def ended(self) -> int:
        """Its exit code, as soon as it has ended; it is killed when that takes too long."""
        process = self._process
        if process is None:
            return 0
        try:
            async with asyncio.timeout(_END_S):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            code = -1
        if self._reading is not None:
            await self._reading
            self._reading = None
        return code

    async def kill(self) -> None:
        """Ends it as `kill -9` does."""
        self.send(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """Ends it as an operator does; gives its exit code."""
        self.send(signal.SIGTERM)
        return await self.ended()

    async def close(self) -> None:
        """Ends it, whatever state it is in."""
        self.send(signal.SIGCONT)
        await self.kill()


def polyport(*arguments: str) -> list[str]:
    """The command that runs `polyport` from this tree."""
    return [sys.executable, "-m", "gateway.cli.main", *arguments]
