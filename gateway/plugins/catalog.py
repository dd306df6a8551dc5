"""The catalogue of plug-ins: names first, imports only for what is used.

Other distributions add plug-ins with entry points in the groups of `GROUPS`:

    [project.entry-points."gateway.protocols"]
    carrier-pigeon = "pigeon.adapter:PLUGIN"

A name that exists twice is refused with both owners named, because which of the two would answer would be luck.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any, Final

from gateway.config.findings import PluginKind
from gateway.config.suggestion import suggestion
from gateway.model.errors import GatewayError
from gateway.plugins.builtin import SHARED_PORT
from gateway.plugins.registration import GROUPS, Registration, collisions, registrations
from gateway.spi.adapter import ListenerOptions
from gateway.spi.plugin import BalancerPlugin, ClusterPlugin, FilterPlugin, ProtocolPlugin, RegistryPlugin
from gateway.spi.shared_port import SharedPort

__all__ = ["GROUPS", "Catalog", "PluginError", "import_plugin"]

_TYPES: Final[Mapping[PluginKind, type]] = MappingProxyType(
    {
        "protocol": ProtocolPlugin,
        "registry": RegistryPlugin,
        "filter": FilterPlugin,
        "cluster": ClusterPlugin,
        "balance": BalancerPlugin,
    }
)


class PluginError(GatewayError, LookupError):
    """A plug-in does not exist, exists twice, cannot be imported or is not what its kind must be."""


class Catalog:
    """All plug-ins of this process.

    `entries`: entry points of any group; by default those of all installed distributions.

    Raises:
        PluginError: a name exists twice; names both owners, and all such names at once.
    """

    def __init__(self, entries: Iterable[EntryPoint] | None = None) -> None:
        found = registrations(entries)
        if twice := collisions(found):
            raise PluginError("\n".join(twice.values()))
        self._registered: dict[PluginKind, dict[str, Registration]] = {kind: {} for kind in GROUPS}
        for each in found:
            self._registered[each.kind][each.name] = each
        self._loaded: dict[tuple[PluginKind, str], Any] = {}

    def names(self, kind: PluginKind) -> Sequence[str]:
        """All names of a kind, sorted; imports nothing."""
        return sorted(self._registered[kind])

    def load(self, kind: PluginKind, name: str) -> Any:
        """The plug-in itself, imported on first use.

        Raises:
            PluginError: there is none of that name, it cannot be imported, or it is not of its kind's type.
        """
        key = (kind, name)
        if key not in self._loaded:
            registered = self._registered[kind].get(name)
            if registered is None:
                raise PluginError(f"there is no {kind} {name!r}{suggestion(name, self._registered[kind])}")
            self._loaded[key] = import_plugin(registered)
        return self._loaded[key]

    def shared_port(self, options: ListenerOptions) -> SharedPort:
        """A port on which several wires are spoken; inside of the loop it belongs to."""
        module_name, _, attribute = SHARED_PORT.partition(":")
        made: SharedPort = getattr(importlib.import_module(module_name), attribute)(options)
        return made

    def protocol(self, name: str) -> ProtocolPlugin:
        """As `load`."""
        found: ProtocolPlugin = self.load("protocol", name)
        return found

    def registry(self, name: str) -> RegistryPlugin:
        """As `load`."""
        found: RegistryPlugin = self.load("registry", name)
        return found

    def filter(self, name: str) -> FilterPlugin:
        """As `load`."""
        found: FilterPlugin = self.load("filter", name)
        return found

    def cluster(self, name: str) -> ClusterPlugin:
        """As `load`."""
        found: ClusterPlugin = self.load("cluster", name)
        return found

    def balancer(self, name: str) -> BalancerPlugin:
        """As `load`."""
        found: BalancerPlugin = self.load("balance", name)
        return found


def import_plugin(registered: Registration) -> Any:
    """Imports the plug-in behind a registration.

    Raises:
        PluginError: it cannot be imported, is not of its kind's type, or calls itself by another name.
    """
    kind, name = registered.kind, registered.name
    module_name, _, attributes = registered.target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    except (Exception, SystemExit) as exc:  # whatever foreign code raises while it is imported
        why = f"{type(exc).__name__}: {exc}"
        raise PluginError(f"{kind} {name!r} ({registered}) cannot be imported: {why}") from exc
    expected = _TYPES[kind]
    if not isinstance(found, expected):
        wanted = f"a {expected.__name__}"
        raise PluginError(f"{kind} {name!r} ({registered}) is not {wanted} but of type {type(found).__name__}")
    own = getattr(found, "name", name)
    if own != name:
        # Addresses and messages would bear one name, the configuration the other.
        raise PluginError(f"{kind} {name!r} ({registered}) calls itself {own!r}")
    return found
