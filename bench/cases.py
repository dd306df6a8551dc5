"""What is measured: payloads, connections and requests under way, and the figures a run must reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

CORPUS_SIZES = (128, 1 << 10, 16 << 10, 200 << 10)
"""Bytes of the argument's text (string) or of its encoding (POJO)."""


class Payload(StrEnum):
    """What a call carries. `BYTES` has no call around it: the raw echo. All from `ADD` on go over HTTP."""

    BYTES = "bytes"
    STRING = "string"
    POJO = "POJO"
    THRIFT = "thrift string"
    """A text in the framed binary encoding of Thrift, the same text back."""
    REDIS_GET = "redis GET"
    """A key in a command of RESP, the text stored under it back."""
    REDIS_CALL = "redis call"
    """A text as the argument of a method that is called by a command of RESP, the same text back."""
    MEMCACHED_GET = "memcached get"
    """A key, the text stored under it back."""
    ADD = "HTTP add"
    """Two numbers in a JSON object, their sum back."""
    JSON = "HTTP string"
    """A text in a JSON object, the same text back."""
    HESSIAN = "Hessian POJO"
    """An object of ten fields in a call of Hessian 2, the same object back."""
    OLD_HESSIAN = "Hessian 1 POJO"
    """The same in Hessian 1, with a reply in Hessian 2: what Java clients send unless they are told otherwise."""
    SOAP = "SOAP add"
    """Two numbers in an envelope of SOAP 1.1, their sum back."""

    @property
    def is_text(self) -> bool:
        return self in (Payload.REDIS_GET, Payload.REDIS_CALL, Payload.MEMCACHED_GET)

    @property
    def is_http(self) -> bool:
        return self in (Payload.ADD, Payload.JSON, Payload.HESSIAN, Payload.OLD_HESSIAN, Payload.SOAP)


@dataclass(frozen=True, slots=True)
class Load:
    """How hard a server is driven. Every server is measured under a load before the next load has its turn."""

    size: int
    connections: int
    outstanding: int
    """Requests under way on each connection; more than one is pipelining."""

    def __str__(self) -> str:
        return f"{format_bytes(self.size)}, {self.connections} x {self.outstanding}"


@dataclass(frozen=True, slots=True)
class Case:
    """One server answering one payload under one load."""

    server: str
    payload: Payload
    load: Load


@dataclass(frozen=True, slots=True)
class Plan:
    """Which cases are measured, how often and for how long."""

    loads: Sequence[Load]
    rounds: int
    warmup_s: float
    seconds: float
    java_warmup_s: float
    """The most for each payload: the JVM compiles while it runs, and shall not be measured before it has."""
    latency_rate: float
    """Requests a second when added latency is measured: little enough that nothing queues."""
    latency_seconds: float
    idle_connections: int
    pojo_loads: frozenset[Load]
    small_loads: frozenset[Load]
    """Of Thrift, redis and memcached."""
    margin: float
    """Part of a ratio that is enough: below 1 where rounds are too short to be exact."""


TARGET_LOAD = Load(size=128, connections=16, outstanding=1)
PIPELINED_LOAD = Load(size=128, connections=16, outstanding=16)
ECHO_RATIO = 0.22
FORWARD_RATIO = 0.28
HTTP_ADD_RATIO = 4.0
HTTP_BRIDGE_RATIO = 1.6
HESSIAN_RATIO = 1.0
SOAP_RATIO = 4.0
THRIFT_THREADED_RATIO = 0.9
THRIFT_ASYNCIO_RATIO = 2.0
REDIS_RATIO = 0.35
REDIS_PIPELINED_RATIO = 0.10
REDIS_BRIDGE_RATIO = 0.4
MEMCACHED_RATIO = 0.35
REDIS_RATIO_HELD = 0.22
REDIS_PIPELINED_RATIO_HELD = 0.065
MEMCACHED_RATIO_HELD = 0.26
THRIFT_THREADED_RATIO_HELD = 0.75
THRIFT_ASYNCIO_RATIO_HELD = 1.5
ECHO_RATIO_HELD = 0.15
FORWARD_RATIO_HELD = 0.13
HTTP_ADD_RATIO_HELD = 2.0
HTTP_BRIDGE_RATIO_HELD = 1.1
SOAP_RATIO_HELD = 3.0
"""What is held where more is wanted, with one request under way on a connection: a run fails below these. The sockets
cost most there; the raw echo itself is only some five times a bare aiohttp handler. Beside a raw echo of 3.8 us: the
cheaper sockets are, the less of it is reached."""
IDLE_BYTES = 4 << 10
ENDPOINT_BYTES = 1_024


def full_plan() -> Plan:
    """The whole matrix: about twenty minutes."""
    loads = [Load(size, conns, depth) for size in CORPUS_SIZES for conns in (1, 16, 64) for depth in (1, 16)]
    return Plan(
        loads=loads,
        pojo_loads=frozenset(loads),
        small_loads=frozenset(load for load in loads if load.size == TARGET_LOAD.size),
        rounds=5,
        warmup_s=0.2,
        seconds=0.6,
        java_warmup_s=30,
        latency_rate=500,
        latency_seconds=4,
        idle_connections=2000,
        margin=1.0,
    )


def quick_plan() -> Plan:
    """What a continuous integration run can afford: under three minutes, with a margin on ratios."""
    loads = [TARGET_LOAD, PIPELINED_LOAD]
    return Plan(
        loads=loads,
        pojo_loads=frozenset({TARGET_LOAD}),
        small_loads=frozenset({TARGET_LOAD, PIPELINED_LOAD}),
        rounds=7,
        warmup_s=0.1,
        seconds=0.5,
        java_warmup_s=12,
        latency_rate=500,
        latency_seconds=1.5,
        idle_connections=2000,
        margin=0.7,
    )


def format_bytes(count: int) -> str:
    """`128 B`, `16 KiB`."""
    return f"{count} B" if count < 1024 else f"{count >> 10} KiB"
