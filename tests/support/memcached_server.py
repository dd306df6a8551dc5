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
def memcached_server(folder: Path, *more: str) -> Iterator[Server]:
    """A server that answers, in its text protocol too; it is gone afterwards. `more`: arguments of the program."""
    install("memcached:memcached")
    port = free_port()
    command = ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(port), "-m", "16", "-t", "1", *more]
    server = Server(port, folder, command, b"version\r\n", [b"VERSION", b"CLIENT_ERROR unauthenticated"])
    try:
        server.start()
        yield server
    finally:
        server.kill()
