"""Section `ports`: where several listeners are reached on one port, each by its wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.scalar import Name, Port, Word
from gateway.config.sections.listener import ConnectionLimits
from gateway.config.sections.section import Section
from gateway.spi.adapter import ListenerOptions

__all__ = ["SHARED", "PortConfig"]

SHARED = "shared"
"""What logs say is spoken there before it is known."""


class PortConfig(Section):
    """One address for several listeners. What a caller speaks shows in its first bytes."""

    host: Word = "127.0.0.1"
    """Address to listen on; `0.0.0.0` or `::` for all."""

    port: Port
    """Port to listen on; 0 lets the system choose."""

    listeners: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Names from `listeners`, each of another protocol. Those that write no port of their own have none."""

    text: Name | None = None
    """Which of these listeners gets lines of text that may be meant for several, as `get x` for redis and memcached.
    Default: such connections are closed."""

    limits: ConnectionLimits = Field(default_factory=ConnectionLimits)
    """Bounds of connections that are not recognised yet, which must be within first_byte, and of those on which several
    listeners answer, as those over HTTP do. On all others those of the listeners hold, as always."""

    def listener_options(self, name: str, application: str) -> ListenerOptions:
        """The same for what accepts there."""
        limits = self.limits
        return ListenerOptions(
            name=name,
            protocol=SHARED,
            host=self.host,
            port=self.port,
            application=application,
            max_connections=limits.connections,
            max_connections_per_address=limits.connections_per_address,
            max_calls_per_connection=limits.calls_per_connection,
            max_write_buffer_bytes=limits.write_buffer,
            first_byte_timeout_s=limits.first_byte,
            frame_timeout_s=limits.frame_time,
            idle_timeout_s=limits.idle,
        )
