"""Redis servers: the program that apt installs."""

from __future__ import annotations

from pathlib import Path

from bench.apt import install
from bench.ports import free_port
from bench.registries.server import Server

__all__ = ["RedisServer"]


class RedisServer(Server):
    """With `append` it keeps what it was given. `more`: further arguments of the program.

    Raises Unavailable where the program cannot be had.
    """

    def __init__(self, folder: Path, *more: str, append: bool = True, password: str = "") -> None:
        install("redis-server:redis-server")
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        command = [
            *("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""),
            *("--appendonly", "yes" if append else "no", "--appendfsync", "always", "--daemonize", "no"),
            *(("--requirepass", password) if password else ()),
            *more,
        ]
        # While it reads what it kept it says LOADING.
        super().__init__(port, folder, command, b"PING\r\n", [b"+PONG", b"-NOAUTH"])
