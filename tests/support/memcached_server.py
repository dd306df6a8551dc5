"""A memcached of its own for a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.apt import install
from bench.ports import free_port
from bench.registries.server import Server

__all__ = ["memcached_server"]


@contextmanager
def memcached_server(folder: Path) -> Iterator[Server]:
    """A server that answers, in its text protocol too; it is gone afterwards."""
    install("memcached:memcached")
    port = free_port()
    command = ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(port), "-m", "16", "-t", "1"]
    server = Server(port, folder, command, b"version\r\n", [b"VERSION"])
    try:
        server.start()
        yield server
    finally:
        server.kill()
