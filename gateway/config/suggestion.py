"""What to say about a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

__all__ = ["suggestion"]

_LISTED: Final = 12


def suggestion(name: str, known: Iterable[str], listed: int = _LISTED) -> str:
    """The end of a message: `, did you mean 'x'?`, else the names there are if they are not more than `listed`."""
    names = sorted(set(known))
    folded: dict[str, str] = {}
    for each in names:
        folded.setdefault(each.casefold(), each)
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f", did you mean {folded[close[0]]!r}?"
    if not names:
        return " (there are none)"
    return f" (there are: {', '.join(names)})" if len(names) <= listed else ""
