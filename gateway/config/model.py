"""The whole configuration as one immutable object."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from gateway.config.scalar import Name
from gateway.config.sections.application import ApplicationConfig
from gateway.config.sections.consumer import ConsumerConfig
from gateway.config.sections.credential import CredentialConfig
from gateway.config.sections.failback import FailbackConfig
from gateway.config.sections.filter import FilterConfig
from gateway.config.sections.listener import ListenerConfig
from gateway.config.sections.port import PortConfig
from gateway.config.sections.registry import RegistryConfig
from gateway.config.sections.section import Section
from gateway.config.sections.service import ServiceConfig
from gateway.config.sections.telemetry import TelemetryConfig
from gateway.spi.plugin import ProtocolPlugin

__all__ = ["GatewayConfig"]


class GatewayConfig(Section):
    """Everything a configuration file says. Attributes are called as the YAML keys.

    Durations are `float` seconds, sizes `int` bytes. Options of plug-ins are converted as the plug-in asks, and
    credentials are read, when the file was loaded with `gateway.config.load`; nobody reads the file, a raw mapping
    or the environment afterwards.
    """

    application: ApplicationConfig = Field(default_factory=ApplicationConfig)
    """Who this process is."""

    listeners: Mapping[Name, ListenerConfig] = Field(default_factory=dict)
    """Where calls come in, by name."""

    ports: Mapping[Name, PortConfig] = Field(default_factory=dict)
    """Where several listeners are reached on one port, by name."""

    registries: Mapping[Name, RegistryConfig] = Field(default_factory=dict)
    """Where providers are announced and found, by name."""

    services: Mapping[Name, ServiceConfig] = Field(default_factory=dict)
    """What is hosted here and what is reached elsewhere; the names are used for references and on the command line."""

    consumers: Mapping[Name, ConsumerConfig] = Field(default_factory=dict)
    """Which protocol each consumer uses, by application name."""

    credentials: Mapping[Name, CredentialConfig] = Field(default_factory=dict)
    """Named secrets."""

    filters: Mapping[Name, FilterConfig] = Field(default_factory=dict)
    """Named filters."""

    failback: FailbackConfig = Field(default_factory=FailbackConfig)
    """Where calls wait that got no answer, for references with `cluster: failback`."""

    telemetry: TelemetryConfig = Field(default_factory=TelemetryConfig)
    """What this process says about itself."""

    def shared_port(self, listener: str) -> PortConfig | None:
        """The port that the listener shares with others, if it does."""
        return next((port for port in self.ports.values() if listener in port.listeners), None)

    def place(self, listener: str, plugin: ProtocolPlugin) -> tuple[str, int] | None:
        """Host and port at which a listener is reached: its own, else the shared one; None where it takes no address.

        `plugin`: of its protocol. The port is 0 where the system chooses it.
        """
        written, shared = self.listeners[listener], self.shared_port(listener)
        own = written.port_taken(plugin, is_shared=shared is not None)
        if own is not None:
            return written.host, own
        return None if shared is None else (shared.host, shared.port)
