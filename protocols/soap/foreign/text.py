"""The words of a description: what its authors wrote for people."""

from __future__ import annotations

from typing import Final

from protocols.soap.foreign.description import WSDL, XS
from protocols.soap.tree import Node

__all__ = ["documentation"]

_TAGS: Final = (f"{XS}annotation/{XS}documentation", f"{WSDL}documentation")
_MAX_TEXT: Final = 2_000


def documentation(node: Node) -> str:
    """The documentation of an element in one paragraph, empty for none."""
    words: list[str] = []
    for tag in _TAGS:
        for each in node.findall(tag):
            words += "".join(each.itertext()).split()
    text = " ".join(words)
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 2]} …"
