"""Notices when another distribution has overwritten one of our packages.

`adapters` and `registry` are names other distributions use as well, and installers overwrite files without a word.
Each of the four packages says whose it is; a foreign one is reported with its path before anything is started.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

__all__ = ["DISTRIBUTION", "PACKAGES", "foreign_packages"]

DISTRIBUTION: Final = "polyport"
PACKAGES: Final = ("gateway", "protocols", "adapters", "registry")

_GUARD: Final = re.compile(r"^__distribution__(?:: [^=]+)? = [\"']([^\"']*)[\"']", re.MULTILINE)


def foreign_packages(packages: Sequence[str] = PACKAGES) -> list[str]:
    """One message per package that is missing or not ours; empty when all is well.

    Reads the files and imports nothing, because importing runs whatever is there.
    """
    return [message for name in packages if (message := _check(name)) is not None]


def _check(name: str) -> str | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return f"package {name!r} is missing; install {DISTRIBUTION} again"
    if spec.origin is None:
        places = ", ".join(spec.submodule_search_locations or ())
        return f"package {name!r} has no __init__.py ({places}); install {DISTRIBUTION} again"
    try:
        text = Path(spec.origin).read_text(encoding="utf-8", errors="replace")
    except OSError as exc:
        return f"package {name!r} cannot be read: {exc}"
    found = _GUARD.search(text)
    if found is None or found.group(1) != DISTRIBUTION:
        return (
            f"package {name!r} is not {DISTRIBUTION}'s: {spec.origin} belongs to another distribution; "
            f"uninstall that one, then install {DISTRIBUTION} again"
        )
    return None
