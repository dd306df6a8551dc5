"""Names of test cases that are the same in every process: pytest-xdist wants its workers to agree on them."""

from __future__ import annotations

from typing import Any

__all__ = ["steady"]


def steady(value: Any) -> str:
    """As `repr`, and sets sorted: they are written in another order in each process."""
    if isinstance(value, set | frozenset) and value:
        members = "{" + ", ".join(sorted(map(steady, value))) + "}"
        return members if isinstance(value, set) else f"frozenset({members})"
    if type(value) is dict:
        return "{" + ", ".join(f"{steady(key)}: {steady(each)}" for key, each in value.items()) + "}"
    return repr(value)
