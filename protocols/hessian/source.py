"""Builds functions from source text, for code that is faster written out per type than looped over.

The text is made of this package's own templates; whatever comes from a contract (classes, defaults, names of
attributes) enters as an object bound to a generated name, never as text, and nothing a peer sent enters at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Source"]


class Source:
    """The text of one function, and the objects it uses."""

    __slots__ = ("_function", "_lines", "_names")

    def __init__(self, signature: str) -> None:
        """`signature` is that of the function: `read(reader)`."""
        self._function = signature.partition("(")[0]
        self._lines = [f"def {signature}:"]
        self._names: dict[str, Any] = {}

    def bind(self, name: str, value: Any) -> str:
        """Makes `value` known as `name`, or as a name derived from it where that is taken; returns the name."""
        free, count = name, 1
        while free == self._function or (free in self._names and self._names[free] is not value):
            count += 1
            free = f"{name}_{count}"
        self._names[free] = value
        return free

    def add(self, depth: int, text: str) -> None:
        """Appends lines, `depth` levels inside the function."""
        self._lines.extend("    " * depth + line for line in text.strip("\n").splitlines())

    def build(self, title: str) -> Callable[..., Any]:
        """Compiles the function. `title` stands for the file name in tracebacks."""
        code = compile("\n".join(self._lines), f"<hessian {title}>", "exec")
        exec(code, self._names)
        function: Callable[..., Any] = self._names.pop(self._function)
        return function

    @property
    def text(self) -> str:
        """What was added so far."""
        return "\n".join(self._lines)
