"""A Redis server of its own for a test: the program that apt installs, on a free port of the loopback."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

__all__ = ["RedisServer", "redis_server"]

_ROOT: Final = Path(__file__).parents[2]
_INSTALL_S: Final = 300
_READY_S: Final = 20.0


@functools.cache
def _require_redis() -> None:
    """Installs the server; skips the test where it cannot be had (with CI=true that is a failure)."""
    log = _ROOT / ".cache" / "interop-redis.log"
    log.parent.mkdir(exist_ok=True)
    install = [_ROOT / "tests" / "interop" / "apt.sh", log, "redis-server:redis-server"]
    done = subprocess.run(install, stderr=subprocess.PIPE, text=True, timeout=_INSTALL_S, check=False)
    if done.returncode:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(done.stderr.strip())


class RedisServer:
    """`stop` and `start` it as often as wanted: with `append` it keeps what it was given. `more`: further arguments of
    the program."""

    def __init__(self, folder: Path, *more: str, append: bool = True, password: str = "") -> None:
        _require_redis()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [
            *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""),
            *("--appendonly", "yes" if append else "no", "--appendfsync", "always", "--daemonize", "no"),
            *(("--requirepass", password) if password else ()),
            *more,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _READY_S
        while True:
            assert self._process.poll() is None, "redis-server ended"
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0) as connection:
                connection.sendall(b"PING\r\n")
                # While it reads what it kept it says LOADING.
                if connection.recv(100).startswith((b"+PONG", b"-NOAUTH")):
                    return
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """Kills it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_READY_S)
            self._process = None


@contextmanager
def redis_server(folder: Path, *more: str, append: bool = True, password: str = "") -> Iterator[RedisServer]:
    """A server that answers; it is gone afterwards."""
    server = RedisServer(folder, *more, append=append, password=password)
    server.start()
    try:
        yield server
    finally:
        server.stop()
