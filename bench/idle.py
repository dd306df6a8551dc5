"""What a connection costs that does nothing: many are opened, and the server's memory is compared."""

from __future__ import annotations

import resource
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from bench import probe
from bench.cases import TARGET_LOAD
from bench.frames import build_request
from bench.process import Server
from bench.request import Request
from bench.servers import (
    GRANIAN,
    JAVA,
    MEMCACHED_SERVER,
    NGINX,
    PAYLOADS,
    REDIS_SERVER,
    SPYNE,
    THRIFTPY2_THREADED,
    Lineup,
)

_WARM_CONNECTIONS = 64
_UNFIT = (JAVA, GRANIAN, NGINX, SPYNE, THRIFTPY2_THREADED, REDIS_SERVER, MEMCACHED_SERVER)
"""A heap that grows when it likes; processes of others that take fewer connections, or have a thread for each."""


@dataclass(frozen=True, slots=True)
class IdleCost:
    """Bytes for each connection; PSS is what decides, RSS counts shared pages as if they were the server's own.

    Attributes:
        opened_pss: After opening.
        opened_rss: The same, resident.
        used_pss: After one call on each: buffers and caches that a first call leaves behind are in it.
    """

    connections: int
    opened_pss: float
    opened_rss: float
    used_pss: float


def raise_file_limit(wanted: int) -> int:
    """Lets this process, and the servers it starts, open `wanted` files; gives what the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(soft, allowed)


def measure_idle(lineup: Lineup, connections: int, announce: Callable[[str], None]) -> dict[str, IdleCost]:
    """Measures every server but those of `_UNFIT`.

    Raises:
        WrongReply, OSError: a server did not answer on one of the connections.
    """
    costs: dict[str, IdleCost] = {}
    for name, server in lineup.running.items():
        if name in _UNFIT:
            continue
        announce(f"{connections} idle connections: {name}")
        costs[name] = _measure(server, build_request(PAYLOADS[name][0], TARGET_LOAD.size), connections)
    return costs


def _measure(server: Server, request: Request, count: int) -> IdleCost:
    # What the first connections bring into memory once is no cost of a connection.
    with ExitStack() as warm:
        for connection in _open(warm, server, _WARM_CONNECTIONS):
            probe.call(connection, request)
    rss, pss = server.memory()
    with ExitStack() as stack:
        opened = _open(stack, server, count)
        # Connections are accepted in order: an answer on the last one says that all of them are.
        probe.call(opened[-1], request)
        opened_rss, opened_pss = server.memory()
        for connection in opened:
            probe.call(connection, request)
        _, used_pss = server.memory()
    return IdleCost(count, (opened_pss - pss) / count, (opened_rss - rss) / count, (used_pss - pss) / count)


def _open(stack: ExitStack, server: Server, count: int) -> list[socket.socket]:
    return [stack.enter_context(probe.connect(server)) for _ in range(count)]
