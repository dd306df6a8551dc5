"""Documentation out of docstrings: the text, and what its Args or Attributes section says about single names.

Source: Google Python Style Guide, 3.8.3 Functions and Methods (the layout of `Args:`).
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["class_docstring", "split_docstring"]

_SECTION: Final = re.compile(r"(Args|Arguments|Attributes|Parameters):\s*")
_ENTRY: Final = re.compile(r"\*{0,2}(?P<name>\w+)(?:\s*\([^)]*\))?:\s*(?P<text>.*)")


def split_docstring(doc: str | None) -> tuple[str, Mapping[str, str]]:
    """The text without its Args (or Attributes) section, and what that section says by name."""
    kept: list[str] = []
    entries: dict[str, list[str]] = {}
    current: list[str] | None = None
    inside = False
    entry_indent = -1
    for line in inspect.cleandoc(doc or "").splitlines():
        indent = len(line) - len(line.lstrip())
        if inside and line.strip() and indent == 0:
            inside, current = False, None
        if not inside and _SECTION.fullmatch(line):
            inside, entry_indent = True, -1
            continue
        if not inside:
            kept.append(line)
            continue
        found = _ENTRY.fullmatch(line.strip()) if entry_indent in (-1, indent) else None
        if found is not None:
            entry_indent = indent
            current = entries.setdefault(found["name"], [])
            current.append(found["text"])
        elif current is not None and line.strip():
            current.append(line.strip())
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return text, {name: " ".join(lines).strip() for name, lines in entries.items()}


def class_docstring(cls: type[Any]) -> str | None:
    """The docstring somebody wrote for this class; not what `dataclass` makes up, nor an inherited one."""
    doc: str | None = cls.__dict__.get("__doc__")
    if doc and dataclasses.is_dataclass(cls) and doc.startswith(f"{cls.__name__}("):
        return None
    return doc
