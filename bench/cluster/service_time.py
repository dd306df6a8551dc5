"""How long a provider works at one call."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["Kind", "ServiceTime"]

Kind = Literal["constant", "exponential", "lognormal", "pareto"]

_SIGMA: Final = 0.8
"""Of the lognormal's logarithm: the 99th percentile is about five times the mean."""
_SHAPE: Final = 2.2
"""Of the Pareto distribution: the mean and (just) the variance are finite, and the tail is long."""


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """A distribution with this mean, in seconds."""

    mean_s: float
    kind: Kind = "lognormal"

    def draw(self, luck: random.Random) -> float:
        """One service time, seconds."""
        return self.mean_s * _UNIT[self.kind](luck)


def _lognormal(luck: random.Random) -> float:
    return math.exp(luck.gauss(-_SIGMA * _SIGMA / 2, _SIGMA))


def _pareto(luck: random.Random) -> float:
    return luck.paretovariate(_SHAPE) * (_SHAPE - 1) / _SHAPE


_UNIT: Final[Mapping[Kind, Callable[[random.Random], float]]] = MappingProxyType(
    {
        "constant": lambda luck: 1.0,
        "exponential": lambda luck: luck.expovariate(1.0),
        "lognormal": _lognormal,
        "pareto": _pareto,
    }
)
"""With mean 1."""
