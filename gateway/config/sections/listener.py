"""Section `listeners`: where calls come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from gateway.config.scalar import Count, Name, Port, Word
from gateway.config.secret import Secret
from gateway.config.sections.section import Options, Section
from gateway.config.units import Bytes, Seconds
from gateway.spi.adapter import ListenerOptions
from gateway.spi.plugin import ProtocolPlugin

__all__ = ["ConnectionLimits", "LimitsConfig", "ListenerConfig"]


class ConnectionLimits(Section):
    """How many connections there may be, and how long each may take."""

    connections: Annotated[Count, Field(ge=1, le=1_000_000)] = 10_000
    """Open connections over all addresses."""

    connections_per_address: Annotated[Count, Field(ge=1, le=1_000_000)] = 5_000
    """Open connections from one address."""

    calls_per_connection: Annotated[Count, Field(ge=1, le=1_000_000)] = 1_000
    """Calls in progress on one connection."""

    write_buffer: Annotated[Bytes, Field(ge=1024, le=1024**3)] = 1_048_576
    """Unsent bytes to one peer before reading from it stops; at eight times that it is dropped."""

    first_byte: Annotated[Seconds, Field(gt=0, le=86400)] = 60.0
    """From connect until something is received."""

    frame_time: Annotated[Seconds, Field(gt=0, le=86400)] = 30.0
    """From the first to the last byte of one message."""

    idle: Annotated[Seconds, Field(gt=0, le=604800)] = 180.0
    """Without a byte received, and without a call in progress."""


class LimitsConfig(ConnectionLimits):
    """What a listener takes before it says "busy" or closes a connection."""

    calls: Annotated[Count, Field(ge=1, le=1_000_000)] = 10_000
    """Calls in progress on this listener."""

    frame: Annotated[Bytes, Field(ge=1024, le=1024**3)] = 8_388_608
    """Size of one message, checked before anything is allocated."""


class ListenerConfig(Section):
    """One address on which one protocol is spoken."""

    protocol: Name
    """Name of the protocol plug-in."""

    host: Word = "127.0.0.1"
    """Address to listen on; `0.0.0.0` or `::` for all."""

    port: Port | None = None
    """Port to listen on; 0 lets the system choose. Default: what the field expects for the protocol, and none at all
    for a listener that is named under `ports`."""

    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    """Bounds of this listener."""

    options: Options = Field(default_factory=dict)
    """What only this protocol knows."""

    filters: tuple[Name, ...] = ()
    """Filters for every call that comes in here: names from `filters`, or types of filters that need no options."""

    def port_taken(self, plugin: ProtocolPlugin, *, is_shared: bool = False) -> int | None:
        """The port it will listen on, 0 for one that the system chooses; None when it takes no address.

        `is_shared`: it is reached on a port that it shares with others, so that it takes one of its own only if it says
        so.
        """
        if not plugin.listens(self.options) or (is_shared and self.port is None):
            return None
        return plugin.default_port if self.port is None else self.port

    def listener_options(self, name: str, application: str, default_port: int) -> ListenerOptions:
        """The same for the adapter. `default_port`: of the protocol, where this listener names none."""
        limits = self.limits
        return ListenerOptions(
            name=name,
            protocol=self.protocol,
            host=self.host,
            port=default_port if self.port is None else self.port,
            application=application,
            max_connections=limits.connections,
            max_connections_per_address=limits.connections_per_address,
            max_calls_per_connection=limits.calls_per_connection,
            max_calls=limits.calls,
            max_frame_bytes=limits.frame,
            max_write_buffer_bytes=limits.write_buffer,
            first_byte_timeout_s=limits.first_byte,
            frame_timeout_s=limits.frame_time,
            idle_timeout_s=limits.idle,
            options=revealed(self.options),
        )


def revealed(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as an adapter gets them: a secret becomes its text, also inside a mapping of secrets."""
    return {key: _revealed(value) for key, value in options.items()}


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    return revealed(value) if isinstance(value, Mapping) else value
