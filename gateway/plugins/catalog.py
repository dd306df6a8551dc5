"""The catalogue of plug-ins: names first, imports only for what is used.

Other distributions add plug-ins with entry points in the groups of `GROUPS`:

    [project.entry-points."gateway.protocols"]
    carrier-pigeon = "pigeon.adapter:PLUGIN"

A name that exists twice is refused with both owners named, because which of the two would answer would be luck.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Final

from gateway.cluster.options import ClusterOptions
from gateway.config.findings import PluginKind
from gateway.config.suggestion import suggestion
from gateway.model.errors import GatewayError
from gateway.plugins.builtin import BUILTIN
from gateway.spi.cluster import Cluster, LoadBalancer
from gateway.spi.plugin import FilterPlugin, ProtocolPlugin, RegistryPlugin

__all__ = ["GROUPS", "Catalog", "PluginError"]

GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "protocol": "gateway.protocols",
        "registry": "gateway.registries",
        "filter": "gateway.filters",
        "cluster": "gateway.clusters",
        "balance": "gateway.balancers",
    }
)
"""Kind of plug-in to entry point group."""

_TYPES: Final[Mapping[str, type]] = MappingProxyType(
    {"protocol": ProtocolPlugin, "registry": RegistryPlugin, "filter": FilterPlugin, "cluster": type, "balance": type}
)


class PluginError(GatewayError, LookupError):
    """A plug-in does not exist, exists twice, cannot be imported or is not what its kind must be."""


class Catalog:
    """All plug-ins of this process.

    `entries`: entry points of any group; by default those of all installed distributions.

    Raises:
        PluginError: a name exists twice; names both owners.
    """

    def __init__(self, entries: Iterable[EntryPoint] | None = None) -> None:
        self._targets: dict[str, dict[str, tuple[str, str]]] = {
            kind: {name: (target, "polyport") for name, target in targets.items()} for kind, targets in BUILTIN.items()
        }
        self._loaded: dict[tuple[str, str], Any] = {}
        installed = _installed() if entries is None else list(entries)
        for kind, group in GROUPS.items():
            for entry in installed:
                if entry.group == group:
                    self._add(kind, entry)

    def names(self, kind: PluginKind) -> Sequence[str]:
        """All names of a kind, sorted; imports nothing."""
        return sorted(self._targets[kind])

    def load(self, kind: PluginKind, name: str) -> Any:
        """The plug-in itself, imported on first use.

        Raises:
            PluginError: there is none of that name, it cannot be imported, or it is not of its kind's type.
        """
        key = (kind, name)
        if key not in self._loaded:
            self._loaded[key] = self._import(kind, name)
        return self._loaded[key]

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

    def cluster(self, name: str) -> Callable[[ClusterOptions], Cluster]:
        """As `load`: the class of a fault-tolerance mode."""
        found: Callable[[ClusterOptions], Cluster] = self.load("cluster", name)
        return found

    def balancer(self, name: str) -> Callable[[], LoadBalancer]:
        """As `load`: the class of a load balancer."""
        found: Callable[[], LoadBalancer] = self.load("balance", name)
        return found

    def _add(self, kind: str, entry: EntryPoint) -> None:
        owner = entry.dist.name if entry.dist is not None else "an unknown distribution"
        known = self._targets[kind].get(entry.name)
        if known is not None:
            target, other = known
            raise PluginError(
                f"{kind} {entry.name!r} exists twice: {target} of {other} and {entry.value} of {owner}; "
                "uninstall one of the two"
            )
        self._targets[kind][entry.name] = (entry.value, owner)

    def _import(self, kind: str, name: str) -> Any:
        known = self._targets[kind].get(name)
        if known is None:
            raise PluginError(f"there is no {kind} {name!r}{suggestion(name, self._targets[kind])}")
        target, owner = known
        module_name, _, attributes = target.partition(":")
        what = f"{kind} {name!r} ({target} of {owner})"
        try:
            found: Any = importlib.import_module(module_name)
            for attribute in attributes.split("."):
                found = getattr(found, attribute)
        except Exception as exc:  # whatever foreign code raises while it is imported
            raise PluginError(f"{what} cannot be imported: {type(exc).__name__}: {exc}") from exc
        expected = _TYPES[kind]
        if not isinstance(found, expected):
            wanted = "a class" if expected is type else f"a {expected.__name__}"
            raise PluginError(f"{what} is not {wanted} but of type {type(found).__name__}")
        return found


def _installed() -> list[EntryPoint]:
    """Entry points of all installed distributions, each once: a path that is listed twice finds them twice."""
    found: dict[tuple[str, str, str, str], EntryPoint] = {}
    for group in GROUPS.values():
        for entry in entry_points(group=group):
            owner = entry.dist.name if entry.dist is not None else ""
            found.setdefault((entry.group, entry.name, entry.value, owner), entry)
    return list(found.values())
