"""mypy as a library, and the process as it was before."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from mypy import api

__all__ = ["type_check"]


def type_check(arguments: Sequence[str]) -> tuple[str, str, int]:
    """What `mypy` with these arguments prints, its errors, and its exit status.

    It is made for a process of its own: it leaves a recursion limit and thresholds of the garbage collector behind that
    other tests would meet.
    """
    recursion, thresholds = sys.getrecursionlimit(), gc.get_threshold()
    try:
        return api.run(list(arguments))
    finally:
        sys.setrecursionlimit(recursion)
        gc.set_threshold(*thresholds)
