"""Which calls are looked at more closely."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["sampled"]


def sampled(share: float, uniform: Callable[[], float] = random.random) -> Callable[[], bool] | None:
    """A function that is true for this share of its calls (0 to 1); None where it would never be."""
    if not share:
        return None
    return lambda: uniform() < share
