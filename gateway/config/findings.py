"""What checking a file collects, and the view of the plug-ins it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from gateway.config.document import Document, Path
from gateway.config.scalar import Scalar, describe
from gateway.config.suggestion import suggestion
from gateway.model.errors import Problem

__all__ = ["Findings", "PluginKind", "Plugins"]

PluginKind = Literal["protocol", "registry", "cluster", "balance", "filter"]


class Plugins(Protocol):
    """The plug-ins that exist; `gateway.plugins.catalog.Catalog` is the real one."""

    def names(self, kind: PluginKind) -> Sequence[str]:
        """All names of a kind, without importing anything."""
        ...

    def load(self, kind: PluginKind, name: str) -> Any:
        """The plug-in itself. Raises GatewayError when there is none or it cannot be imported."""
        ...


class Findings:
    """Problems and warnings of one file.

    A part that was left out because it is wrong itself is known here, so that nothing is said twice.
    """

    def __init__(self, document: Document, left_out: frozenset[Path] = frozenset()) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._left_out = left_out

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> None:
        """Something that keeps the gateway from starting. A text of several lines is a heading and a list."""
        lines = message.splitlines()
        if len(lines) > 1 and lines[0].endswith(":"):
            del lines[0]
        self.problems += [self.document.problem(path, line.strip(" -"), at_key=at_key) for line in lines]

    def warning(self, path: Path, message: str) -> None:
        """Something that is probably not meant."""
        self.warnings.append(self.document.problem(path, message, at_key=True))

    def unknown(self, path: Path, kind: str, name: str, known: Iterable[str]) -> None:
        """A name that does not exist: the value at `path`, or its key where that is the name."""
        scalar = self.document.scalar(path)
        shown = repr(name) if scalar is None else describe(scalar)
        at_key = scalar is None and bool(path) and path[-1] == name
        self.problem(path, f"there is no {kind} {shown}{suggestion(name, known)}", at_key=at_key)

    def written(self, path: Path) -> bool:
        """Whether something stands at `path`, be it right or wrong. Empty lists and mappings are nothing."""
        node: Any = self.document.data
        for part in path:
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                return False
        return not node.is_null if isinstance(node, Scalar) else bool(node)

    def is_left_out(self, path: Path) -> bool:
        """Whether what stands at `path`, or something around it, was wrong and is not in the configuration."""
        return any(path[: len(part)] == part for part in self._left_out)

    def is_damaged(self, path: Path) -> bool:
        """Whether something inside `path` was left out."""
        return any(part[: len(path)] == path for part in self._left_out)

    def item(self, path: Path, index: int) -> Path:
        """Where item `index` of the configuration's list stands in the file: there may be items that were left out."""
        depth = len(path)
        for gone in sorted(part[depth] for part in self._left_out if len(part) == depth + 1 and part[:depth] == path):
            index += isinstance(gone, int) and gone <= index
        return (*path, index)

    def names(self, section: str) -> set[str]:
        """All entries of a section, including those that are wrong."""
        entries = self.document.data.get(section) if isinstance(self.document.data, Mapping) else None
        return set(entries) if isinstance(entries, Mapping) else set()
