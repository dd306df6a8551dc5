"""How an option says which command a method is.

    commands:
      find: get ProductNotFound=miss
      put: set(sku, product, ttl=60)
      visits: incr(key="visits:{page}")

In parentheses stand the parameters that the command takes, in the command's own order, or by name; a number or a text
in quotes stands for itself, and a text for a key may have parameters in braces. Without parentheses the parameters
of the method are those of the command, by name or in its order. Behind it stand exceptions that mean there is nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Argument", "Command", "parse_command"]

_COMMAND: Final = re.compile(
    r"""(?P<verb>[a-z]+)\s*(?:\((?P<arguments>(?:[^()"']|"[^"]*"|'[^']*')*)\))?(?P<misses>(?:\s+[^\W\d][\w.]*=miss)*)\s*"""
)
_ARGUMENT: Final = re.compile(
    r"""\s*(?:(?P<role>[a-z]+)\s*=\s*)?(?:(?P<parameter>[^\W\d]\w*)|(?P<number>-?\d{1,18})|"(?P<one>[^"]*)"|'(?P<other>[^']*)')\s*"""
)
_SEPARATOR: Final = re.compile(r"""((?:[^,"']|"[^"]*"|'[^']*')*)(?:,|$)""")


@dataclass(frozen=True, slots=True)
class Argument:
    """What fills one place of a command: a parameter of the method, or a text or number that stands for itself.

    `role`: the place by name; empty where the order says it.
    """

    role: str
    parameter: str = ""
    constant: str | int | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """One line, read. `arguments`: None where none are written. `misses`: exceptions that mean there is nothing."""

    verb: str
    arguments: tuple[Argument, ...] | None = None
    misses: tuple[str, ...] = ()


def parse_command(text: str) -> Command:
    """Reads `verb(parameter, role=parameter, role=5, role="text") Exception=miss`.

    Raises:
        ValueError: it is not written like that.
    """
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not written like 'set', 'set(key, value, ttl=60)' or 'get NotFound=miss'")
    misses = tuple(each.removesuffix("=miss") for each in found["misses"].split())
    if found["arguments"] is None:
        return Command(found["verb"], None, misses)
    inside = found["arguments"]
    parts = _SEPARATOR.findall(inside)[:-1] if inside.strip() else []
    if inside.rstrip().endswith(","):
        parts.append("")
    return Command(found["verb"], tuple(_argument(each, text) for each in parts), misses)


def _argument(part: str, text: str) -> Argument:
    found = _ARGUMENT.fullmatch(part)
    if found is None:
        raise ValueError(f"{text!r}: {part.strip()!r} is no parameter, number or text in quotes")
    role = found["role"] or ""
    if found["parameter"] is not None:
        return Argument(role, found["parameter"])
    if found["number"] is not None:
        return Argument(role, constant=int(found["number"]))
    return Argument(role, constant=found["one"] if found["one"] is not None else found["other"])
