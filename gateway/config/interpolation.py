"""`${env:NAME}` and `${env:NAME:-default}` inside the text of any value.

`$${` stands for a literal `${`. The result is never read as YAML again, so a variable cannot add keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["interpolate"]

_REFERENCE: Final = re.compile(r"\$(\$\{)|\$\{([^}]*)(\}?)")
_VARIABLE: Final = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?\Z", re.DOTALL)


def interpolate(text: str, environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with all references replaced, and one message for each that could not be.

    A set but empty variable counts as set.
    """
    problems: list[str] = []

    def replace(found: re.Match[str]) -> str:
        literal, inside, closed = found.groups()
        if literal:
            return "${"
        if not closed:
            problems.append(f"'${{{inside}' is not closed with '}}'")
            return ""
        variable = _VARIABLE.match(inside)
        if variable is None:
            problems.append(
                f"'${{{inside}}}' is not understood, write ${{env:NAME}} or ${{env:NAME:-default}}"
                " (and $${ for a literal ${)"
            )
            return ""
        name, default = variable.groups()
        value: str | None = environ.get(name, default)
        if value is None:
            problems.append(f"environment variable {name} is not set, and ${{env:{name}}} gives no default")
            return ""
        return value

    return _REFERENCE.sub(replace, text), problems
