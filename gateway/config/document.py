"""A YAML file read into plain data that still knows where everything stands.

This is a strict subset of YAML 1.2: one document, mappings with text keys, lists and scalars, anchors and aliases.
Duplicate keys, tags, merge keys and aliases that refer to themselves are refused, and what aliases expand to is
bounded. Reading goes over libyaml's events instead of PyYAML's constructors, because those drop the positions,
let the last duplicate win, and recurse as deep as the file tells them to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from gateway.config.interpolation import interpolate
from gateway.config.scalar import Scalar, describe
from gateway.model.errors import ConfigError, Problem

__all__ = ["MAX_ALIAS_NODES", "MAX_DEPTH", "MAX_FILE_BYTES", "Document", "Path", "format_path", "parse_document"]

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
MAX_DEPTH: Final = 64
"""Containers inside each other."""
MAX_ALIAS_NODES: Final = 100_000
"""Nodes that all aliases of a file stand for together, each counted with everything in it."""

_TOO_DEEP: Final = f"more than {MAX_DEPTH} levels inside each other"

Path = tuple[str | int, ...]
"""From the root of the file: keys of mappings and indexes of lists."""

_LOADER: Final[type[Any]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Node:
    """One value and where it stands. Once it is closed, `size` counts it and everything in it, aliases expanded,
    and `height` the levels of that."""

    line: int
    column: int
    size: int = 1
    height: int = 1
    closed: bool = False


@dataclass(slots=True, kw_only=True)
class _ScalarNode(_Node):
    text: Scalar


@dataclass(slots=True)
class _Key:
    """A key of a mapping and where it stands."""

    name: str
    line: int
    column: int


@dataclass(slots=True)
class _MappingNode(_Node):
    """`pending`: the key whose value comes next; `latest`: the key whose value came last."""

    entries: dict[str, tuple[_Key, _Node]] = field(default_factory=dict)
    pending: _Key | None = None
    latest: _Key | None = None


@dataclass(slots=True)
class _ListNode(_Node):
    items: list[_Node] = field(default_factory=list)


class Document:
    """What a file says: `data` (mappings, lists and `Scalar`s, shared where the file uses aliases) and the positions.

    `name` is the file's name for messages.
    """

    def __init__(self, name: str, root: _Node) -> None:
        self.name = name
        self.root = root
        self.data: Any = _data_of(root)

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> Problem:
        """A problem at the value under `path`, or at its key. Where nothing is, the nearest thing around it."""
        line, column = self._locate(path, at_key)
        return Problem(self.name, line, column, format_path(path), message)

    def scalar(self, path: Path) -> Scalar | None:
        """The scalar at `path`; None when there is none."""
        length, node, _ = self._walk(path)
        return node.text if length == len(path) and isinstance(node, _ScalarNode) else None

    def shown(self, path: Path) -> str:
        """What was written at `path`, before interpolation, for messages."""
        length, node, _ = self._walk(path)
        return describe(_data_of(node)) if length == len(path) else describe(None)

    def resolvable(self, path: Path) -> Path:
        """`path` without the parts that exist only in error reports (the tags of unions); a missing last part stays."""
        kept: list[str | int] = []
        node: _Node | None = self.root
        for index, part in enumerate(path):
            child = _child(node, part)
            if child is not None:
                kept.append(part)
                node = child[1]
            elif index == len(path) - 1:
                kept.append(part)
        return tuple(kept)

    def _walk(self, path: Path) -> tuple[int, _Node, _Key | None]:
        """How many parts of `path` exist, the last node reached, and its key if it has one."""
        node, key, length = self.root, None, 0
        for part in path:
            child = _child(node, part)
            if child is None:
                break
            key, node = child
            length += 1
        return length, node, key

    def _locate(self, path: Path, at_key: bool) -> tuple[int, int]:
        length, node, key = self._walk(path)
        if key is not None and (at_key or length < len(path)):
            return key.line, key.column
        return node.line, node.column


def parse_document(text: str, name: str, environ: Mapping[str, str]) -> tuple[Document, list[Problem]]:
    """Reads the text of a file and fills in environment variables.

    The problems are those that leave a readable document: duplicate keys, tags, unset variables.

    Raises:
        ConfigError: it is not YAML, or more than one document, or beyond a limit.
    """
    reader = _Reader(name, environ)
    try:
        if len(text.encode()) > MAX_FILE_BYTES:
            raise ConfigError([Problem(name, 0, 0, "", f"larger than {MAX_FILE_BYTES // 1024 // 1024} MiB")])
        root = reader.read(text)
    except UnicodeEncodeError as exc:
        line = text.count("\n", 0, exc.start) + 1
        column = exc.start - text.rfind("\n", 0, exc.start)
        raise ConfigError([Problem(name, line, column, "", "a lone surrogate is not a character")]) from None
    except yaml.YAMLError as exc:
        raise ConfigError([_syntax_problem(exc, text, name)]) from None
    return Document(name, root), reader.problems


def format_path(path: Sequence[str | int]) -> str:
    """`services[demo.Catalog].remote.addresses[0]`: brackets around indexes and around keys that contain a dot."""
    text = ""
    for part in path:
        if isinstance(part, int) or "." in part or not part:
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


class _Reader:
    """Builds the nodes of one file from parser events, without recursion."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self._name = name
        self._environ = environ
        self._open: list[_MappingNode | _ListNode] = []
        self._anchors: dict[str, _Node] = {}
        self._alias_nodes = 0
        self._root: _Node | None = None

    def read(self, text: str) -> _Node:
        loader = _LOADER(text)
        try:
            for event in _events(loader):
                self._take(event)
        finally:
            loader.dispose()
        return self._root or _MappingNode(1, 1, closed=True)

    def _take(self, event: Any) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.DocumentStartEvent):
            if self._root is not None:
                self._refuse(line, column, "a second document; one file is one configuration")
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line, column)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", line, column)
        elif isinstance(event, yaml.MappingStartEvent):
            self._enter(_MappingNode(line, column), event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._enter(_ListNode(line, column), event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            node = self._open.pop()
            node.closed = True
            if self._open:
                _measure(self._open[-1], node)

    def _scalar(self, event: Any, line: int, column: int) -> None:
        plain = not event.style  # None or "", depending on the parser
        parent = self._open[-1] if self._open else None
        if isinstance(parent, _MappingNode) and parent.pending is None:
            self._key(parent, event.value, plain, line, column)
            self._check_tag(event.tag, line, column)
            if event.anchor is not None:
                self._refuse(line, column, "a key cannot be anchored")
            return
        self._check_tag(event.tag, line, column)
        filled, complaints = interpolate(event.value, self._environ)
        for complaint in complaints:
            self._problem(line, column, complaint)
        node = _ScalarNode(line, column, closed=True, text=Scalar(filled, plain=plain, source=event.value))
        self._anchor(event.anchor, node)
        self._place(node)

    def _key(self, parent: _MappingNode, name: str, plain: bool, line: int, column: int) -> None:
        if plain and name == "<<":
            self._problem(line, column, "merge keys are not supported; write the keys out, or alias the whole value")
        elif not name:
            self._problem(line, column, "an empty key")
        elif name in parent.entries:
            first = parent.entries[name][0]
            self._problem(line, column, f"duplicate key {describe(name)}, first written in line {first.line}")
        parent.pending = _Key(name, line, column)

    def _alias(self, anchor: str, line: int, column: int) -> None:
        parent = self._open[-1] if self._open else None
        if isinstance(parent, _MappingNode) and parent.pending is None:
            self._refuse(line, column, "an alias cannot be a key")
        target = self._anchors.get(anchor)
        if target is None:
            self._refuse(line, column, f"alias *{anchor} has no anchor &{anchor} before it")
            return
        if not target.closed:
            self._refuse(line, column, f"alias *{anchor} refers to what it is part of")
        self._alias_nodes += target.size
        if self._alias_nodes > MAX_ALIAS_NODES:
            self._refuse(line, column, f"the aliases of this file stand for more than {MAX_ALIAS_NODES} values")
        if len(self._open) + target.height > MAX_DEPTH:
            self._refuse(line, column, _TOO_DEEP)
        self._place(target)

    def _enter(self, node: _MappingNode | _ListNode, event: Any) -> None:
        parent = self._open[-1] if self._open else None
        if isinstance(parent, _MappingNode) and parent.pending is None:
            self._refuse(node.line, node.column, "a key must be text")
        if len(self._open) >= MAX_DEPTH:
            self._refuse(node.line, node.column, _TOO_DEEP)
        self._check_tag(event.tag, node.line, node.column)
        self._anchor(event.anchor, node)
        self._place(node)
        self._open.append(node)

    def _place(self, node: _Node) -> None:
        """Puts a value where the file has it. An open container is measured when it closes."""
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if node.closed:
            _measure(parent, node)
        if isinstance(parent, _ListNode):
            parent.items.append(node)
            return
        key, parent.pending = parent.pending, None
        assert key is not None, "a value without a key was refused or taken as the key"
        parent.latest = key
        # The first of two equal keys stays; the second was reported.
        parent.entries.setdefault(key.name, (key, node))

    def _anchor(self, anchor: str | None, node: _Node) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    def _check_tag(self, tag: str | None, line: int, column: int) -> None:
        if tag is not None:
            short = tag.replace("tag:yaml.org,2002:", "!!")
            self._problem(line, column, f"tag {describe(short)} is not supported; write the value without it")

    def _problem(self, line: int, column: int, message: str) -> None:
        self.problems.append(Problem(self._name, line, column, self._path(), message))

    def _refuse(self, line: int, column: int, message: str) -> None:
        """Gives up: what follows cannot be trusted to mean what it says."""
        raise ConfigError([*self.problems, Problem(self._name, line, column, self._path(), message)])

    def _path(self) -> str:
        """Where the reader stands: the open containers, and the key whose value comes next."""
        path: list[str | int] = []
        for outer in self._open:
            innermost = outer is self._open[-1]
            if isinstance(outer, _ListNode):
                path.append(len(outer.items) - (not innermost))
            else:
                key = outer.pending if innermost else outer.latest
                path += [key.name] if key is not None else []
        return format_path(path)


def _measure(parent: _Node, child: _Node) -> None:
    parent.size += child.size
    parent.height = max(parent.height, child.height + 1)


def _events(loader: Any) -> Iterator[Any]:
    while loader.check_event():
        yield loader.get_event()


def _child(node: _Node | None, part: str | int) -> tuple[_Key | None, _Node] | None:
    if isinstance(node, _MappingNode) and isinstance(part, str):
        return node.entries.get(part)
    if isinstance(node, _ListNode) and isinstance(part, int) and 0 <= part < len(node.items):
        return None, node.items[part]
    return None


def _data_of(root: _Node) -> Any:
    """Plain data; one object per node, so that what is aliased is shared and not copied. Depth is bounded."""
    made: dict[int, Any] = {}

    def build(node: _Node) -> Any:
        if isinstance(node, _ScalarNode):
            return node.text
        known = made.get(id(node))
        if known is None:
            if isinstance(node, _MappingNode):
                known = {name: build(value) for name, (_, value) in node.entries.items()}
            else:
                assert isinstance(node, _ListNode)
                known = [build(item) for item in node.items]
            made[id(node)] = known
        return known

    return build(root)


def _syntax_problem(exc: yaml.YAMLError, text: str, name: str) -> Problem:
    if isinstance(exc, yaml.MarkedYAMLError) and exc.problem_mark is not None:
        context = f" ({exc.context})" if exc.context else ""
        mark = exc.problem_mark
        return Problem(name, mark.line + 1, mark.column + 1, "", f"not valid YAML: {exc.problem}{context}")
    position = getattr(exc, "position", None)
    if isinstance(position, int):
        # libyaml counts bytes here.
        before = text.encode()[:position].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Problem(name, line, column, "", f"not valid YAML: {getattr(exc, 'reason', 'unacceptable character')}")
    return Problem(name, 0, 0, "", f"not valid YAML: {exc}")
