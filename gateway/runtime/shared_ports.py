"""The ports of one gateway that several listeners share, brought up and down around these."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.model.endpoint import format_address
from gateway.plugins.catalog import Catalog
from gateway.runtime.build import PlannedListener, PlannedPort
from gateway.runtime.start_error import StartError
from gateway.spi.adapter import ListenerOptions, ServerAdapter
from gateway.spi.shared_port import PortMember, SharedPort

__all__ = ["ListeningPort", "SharedPorts"]


@dataclass(frozen=True, slots=True)
class ListeningPort:
    """One port that is up and shared by several listeners. `address`: `host:port` as really bound."""

    port: str
    address: str
    listeners: tuple[str, ...]


class SharedPorts:
    """Life: `bind`, `open` once the listeners are started, `stop_accepting`, `drain` beside theirs, `aclose`, again."""

    def __init__(self) -> None:
        self._ports: dict[str, tuple[PlannedPort, SharedPort]] = {}
        self.listening: Sequence[ListeningPort] = ()

    async def bind(self, planned: Mapping[str, PlannedPort], catalog: Catalog) -> Mapping[str, ListenerOptions]:
        """Takes the addresses, and gives them by name, with the ports that the system chose.

        Raises:
            StartError: an address cannot be bound.
        """
        bound = {}
        for name, each in planned.items():
            port = catalog.shared_port(each.options)
            self._ports[name] = each, port
            try:
                bound[name] = replace(each.options, port=await port.listen())
            except OSError as exc:
                raise StartError(f"port {name}: {exc.strerror or exc}") from exc
        self.listening = tuple(
            ListeningPort(name, format_address(options.host, options.port), planned[name].listeners)
            for name, options in bound.items()
        )
        return bound

    async def open(self, listeners: Mapping[str, PlannedListener], servers: Sequence[ServerAdapter]) -> None:
        """Accepts from now on. `servers`: those of the listeners, in their order, started.

        Raises:
            StartError: a listener cannot take connections.
        """
        by_name = dict(zip(listeners, servers, strict=True))
        for name, (planned, port) in self._ports.items():
            members = [_member(each, listeners[each], by_name[each]) for each in planned.listeners]
            try:
                await port.start(members, planned.text)
            except ValueError as exc:
                raise StartError(f"port {name}: {exc}") from exc

    async def stop_accepting(self) -> None:
        """See `SharedPort.stop_accepting`."""
        await asyncio.gather(*(port.stop_accepting() for _, port in self._ports.values()))

    async def drain(self, deadline: float) -> None:
        """See `SharedPort.drain`."""
        await asyncio.gather(*(port.drain(deadline) for _, port in self._ports.values()))

    async def aclose(self) -> None:
        """See `SharedPort.aclose`."""
        ports, self._ports = self._ports, {}
        self.listening = ()
        await asyncio.gather(*(port.aclose() for _, port in ports.values()))


def _member(name: str, listener: PlannedListener, server: ServerAdapter) -> PortMember:
    plugin = listener.plugin
    # A listener whose wire cannot be recognised was not planned behind a port.
    assert plugin.recognize is not None
    return PortMember(name, plugin.name, server, plugin.recognize, plugin.sharing)
