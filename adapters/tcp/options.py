"""Options that wires over the TCP drivers have in common."""

from __future__ import annotations

from typing import Final

from adapters.tcp.provider_connection import ConnectionOptions
from adapters.tcp.server import HALF_CLOSE_GRACE_S
from gateway.spi.adapter import Reference
from gateway.spi.plugin import Option, OptionKind

__all__ = [
    "CONNECT_TIMEOUT_OPTION",
    "HALF_CLOSE_OPTION",
    "PAYLOAD_BYTES",
    "PAYLOAD_OPTION",
    "PIPELINED",
    "PIPELINED_OPTION",
    "connection_options",
]

_CONNECT_TIMEOUT_S: Final = 3.0
PAYLOAD_BYTES: Final = 8_388_608
PIPELINED: Final = 1_024

HALF_CLOSE_OPTION: Final = Option(
    OptionKind.DURATION,
    "How long calls go on after their caller closed its sending side: it may still read, or be gone.",
    HALF_CLOSE_GRACE_S,
    minimum=0,
    maximum=3600,
)
"""`half_close` of a listener whose wire has no heartbeat."""
CONNECT_TIMEOUT_OPTION: Final = Option(
    OptionKind.DURATION, "Longest time a connection may take.", _CONNECT_TIMEOUT_S, minimum=0.01, maximum=60
)
"""`connect_timeout` of a reference."""
PAYLOAD_OPTION: Final = Option(
    OptionKind.SIZE, "Largest message in either direction.", PAYLOAD_BYTES, minimum=1024, maximum=1024**3
)
"""`payload` of a reference."""
PIPELINED_OPTION: Final = Option(
    OptionKind.COUNT, "Calls that may wait for their answers on one connection.", PIPELINED, minimum=1, maximum=65_536
)
"""`pipelined` of a reference whose wire answers in order."""


def connection_options(reference: Reference, heartbeat_s: float = 0.0) -> ConnectionOptions:
    """How a reference with these options wants its connections; 0 sends no heartbeats."""
    own = reference.parameters
    return ConnectionOptions(
        connect_timeout_s=own.get("connect_timeout", _CONNECT_TIMEOUT_S),
        heartbeat_s=heartbeat_s,
        # No option: said by those who make clients for one call.
        is_logged=own.get("is_logged", True),
    )
