"""How fast this machine computes, beside the one on which figures were set.

Ratios of two servers need none of this. What is bounded in seconds does where a machine is shared: a neighbour takes
half of a processor away, and nothing that can be asked here says so.
"""

from __future__ import annotations

from time import process_time
from typing import Final

__all__ = ["measure_pace"]

_ITERATIONS: Final = 200_000
_REFERENCE_S: Final = 0.013
"""What they take with CPython 3.11 on a quiet machine of two processors, on which the figures were set."""
_ROUNDS: Final = 5


def measure_pace() -> float:
    """How many times longer than there the same takes here and now; at least 1. Computes for a tenth of a second."""
    took = sorted(_round() for _ in range(_ROUNDS))
    return max(1.0, took[_ROUNDS // 2] / _REFERENCE_S)


def _round() -> float:
    began = process_time()
    total = 0
    for number in range(_ITERATIONS):
        total += number & 3
    return process_time() - began
