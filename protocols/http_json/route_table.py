"""Which target a request's verb and path mean: literal segments go before parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Generic, TypeVar
from urllib.parse import unquote_to_bytes

from protocols.http_json.route import PathParam

__all__ = ["RouteConflict", "RouteTable", "split_path"]

T = TypeVar("T")

_MAX_SEGMENTS: Final = 64


class RouteConflict(Exception):
    """Two targets ask for the same requests. `owner`: who has them already."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner: Final = owner


class _Node(Generic[T]):
    __slots__ = ("literals", "param", "verbs")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.param: _Node[T] | None = None
        self.verbs: dict[str, tuple[T, str]] = {}


class RouteTable(Generic[T]):
    """Targets by verb and path. Filled once; a look-up costs no more than the table has entries of that length."""

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, verb: str, segments: Sequence[str | PathParam], target: T, owner: str) -> None:
        """Adds a target. `owner`: how a conflict names it.

        Raises:
            RouteConflict: these requests have a target already.
        """
        node = self._root
        for segment in segments:
            if isinstance(segment, str):
                node = node.literals.setdefault(segment, _Node())
            else:
                if node.param is None:
                    node.param = _Node()
                node = node.param
        if verb in node.verbs:
            raise RouteConflict(node.verbs[verb][1])
        node.verbs[verb] = (target, owner)

    def find(self, verb: str, segments: Sequence[str]) -> tuple[T, list[str]] | None:
        """The target, and the segments that are parameters, in the order of the path."""
        for node, captured in self._nodes(self._root, segments, 0):
            if (found := node.verbs.get(verb)) is not None:
                return found[0], captured
        return None

    def allowed(self, segments: Sequence[str]) -> tuple[str, ...]:
        """The verbs that this path has targets for; empty when the path means nothing."""
        return tuple(sorted({verb for node, _ in self._nodes(self._root, segments, 0) for verb in node.verbs}))

    def _nodes(self, node: _Node[T], segments: Sequence[str], index: int) -> Iterator[tuple[_Node[T], list[str]]]:
        if index == len(segments):
            if node.verbs:
                yield node, []
            return
        segment = segments[index]
        literal = node.literals.get(segment)
        if literal is not None:
            yield from self._nodes(literal, segments, index + 1)
        if node.param is not None and segment:
            for found, captured in self._nodes(node.param, segments, index + 1):
                yield found, [segment, *captured]


def split_path(path: str) -> list[str] | None:
    """The segments of a path, percent-decoded one by one; None for what no target can have."""
    if not path.startswith("/") or path.count("/") > _MAX_SEGMENTS:
        return None
    if "%" not in path and path.isascii():
        return path[1:].split("/")
    try:
        return [unquote_to_bytes(each.encode("latin-1")).decode() for each in path[1:].split("/")]
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None
