"""A Redis server of its own for a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.registries.redis_server import RedisServer

__all__ = ["RedisServer", "redis_server"]


@contextmanager
def redis_server(folder: Path, *more: str, append: bool = True, password: str = "") -> Iterator[RedisServer]:
    """A server that answers; it is gone afterwards."""
    server = RedisServer(folder, *more, append=append, password=password)
    try:
        server.start()
        yield server
    finally:
        server.kill()
