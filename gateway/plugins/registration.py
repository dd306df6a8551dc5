"""Who registered which plug-in under which name: what ships and what other distributions add. Imports no plug-in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from types import MappingProxyType
from typing import Final

from gateway.config.findings import PluginKind
from gateway.plugins.builtin import BUILTIN
from gateway.plugins.collision import DISTRIBUTION

__all__ = ["GROUPS", "Registration", "collisions", "registrations"]

GROUPS: Final[Mapping[PluginKind, str]] = MappingProxyType(
    {
        "protocol": "gateway.protocols",
        "registry": "gateway.registries",
        "filter": "gateway.filters",
        "cluster": "gateway.clusters",
        "balance": "gateway.balancers",
    }
)
"""Kind of plug-in to entry point group."""


@dataclass(frozen=True, slots=True)
class Registration:
    """One name, and what a distribution says stands behind it.

    `target`: `module:attribute`. `distribution`: its name, empty when nobody knows. `entry`: the entry point it was
    read from; None for what ships.
    """

    kind: PluginKind
    name: str
    target: str
    distribution: str
    entry: EntryPoint | None = None

    @property
    def version(self) -> str:
        """Version of the distribution; empty when nobody knows. Reads the distribution's metadata."""
        if self.entry is not None:
            return (self.entry.dist.version or "") if self.entry.dist is not None else ""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            # Run from a folder that was never installed.
            return ""

    @property
    def owner(self) -> str:
        """Distribution and version, as messages show them."""
        return f"{self.distribution or 'an unknown distribution'} {self.version}".rstrip()

    def __str__(self) -> str:
        return f"{self.target} of {self.owner}"


def registrations(entries: Iterable[EntryPoint] | None = None) -> Sequence[Registration]:
    """Everything that is registered, what ships first; a name may stand there twice (`collisions`).

    `entries`: entry points of any group; by default those of all installed distributions.
    """
    found = [
        Registration(kind, name, target, DISTRIBUTION)
        for kind in GROUPS
        for name, target in BUILTIN.get(kind, {}).items()
    ]
    kinds = {group: kind for kind, group in GROUPS.items()}
    for entry in _installed() if entries is None else entries:
        kind = kinds.get(entry.group)
        if kind is not None:
            found.append(Registration(kind, entry.name, entry.value, _distribution(entry), entry))
    return found


def collisions(found: Iterable[Registration]) -> Mapping[tuple[PluginKind, str], str]:
    """The names that exist more than once, each with a text that names all its owners."""
    by_name: dict[tuple[PluginKind, str], list[Registration]] = {}
    for each in found:
        by_name.setdefault((each.kind, each.name), []).append(each)
    return {key: _collision(each) for key, each in by_name.items() if len(each) > 1}


def _collision(claims: Sequence[Registration]) -> str:
    often = "twice" if len(claims) == 2 else f"{len(claims)} times"
    rest = "one of the two" if len(claims) == 2 else "all but one"
    first = claims[0]
    return f"{first.kind} {first.name!r} exists {often}: {' and '.join(map(str, claims))}; uninstall {rest}"


def _distribution(entry: EntryPoint) -> str:
    return (entry.dist.name or "") if entry.dist is not None else ""


def _installed() -> Sequence[EntryPoint]:
    """Entry points of all installed distributions, each once: a path that is listed twice finds them twice."""
    found: dict[tuple[str, str, str, str], EntryPoint] = {}
    for group in GROUPS.values():
        for entry in entry_points(group=group):
            found.setdefault((entry.group, entry.name, entry.value, _distribution(entry)), entry)
    return list(found.values())
