"""ZooKeeper servers of its own for a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.ports import free_port
from bench.registries.zookeeper_server import ZookeeperServer

__all__ = ["ZookeeperServer", "zookeeper_ensemble", "zookeeper_server"]


@contextmanager
def zookeeper_server(folder: Path) -> Iterator[ZookeeperServer]:
    """A server that answers; it is gone afterwards."""
    server = ZookeeperServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def zookeeper_ensemble(folder: Path, size: int = 3) -> Iterator[list[ZookeeperServer]]:
    """Servers that are one; all are gone afterwards."""
    ports = [free_port() for _ in range(2 * size)]
    peers = [f"server.{n + 1}=127.0.0.1:{ports[2 * n]}:{ports[2 * n + 1]}" for n in range(size)]
    servers = [ZookeeperServer(folder / str(n + 1), identity=n + 1, peers=peers) for n in range(size)]
    try:
        for each in servers:
            each.launch()
        for each in servers:
            each.await_ready()
        yield servers
    finally:
        for each in servers:
            each.kill()
