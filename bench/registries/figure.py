"""What a registry must reach, and what it did reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "AGAIN_S",
    "BYTES",
    "FIRST_LOAD_S",
    "QUICK_MARGIN",
    "SEEN_S",
    "STALL_S",
    "Figure",
]

FIRST_LOAD_S: Final = {"zookeeper": 5.0, "redis": 3.0, "simple": 3.0}
"""Until all of a thousand services with fifty providers each are known."""
AGAIN_S: Final = 10.0
"""Until a registry that came back empty has five thousand own registrations."""
STALL_S: Final = 0.05
"""In which nothing else is done, at most."""
SEEN_S: Final = 0.2
"""Until a subscriber sees that a provider has come or gone, where the registry says so by itself (p99)."""
BYTES: Final = 1_024
"""Of memory for a provider that is known."""
QUICK_MARGIN: Final = 1.3
"""Of times in the short form, which runs on machines that do other things as well."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`found`: less than `wanted` is needed. None where it could not be measured; `remark` then says why."""

    what: str
    found: float | None
    wanted: float
    unit: str
    remark: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether it is what is wanted."""
        return self.found is not None and self.found < self.wanted

    def __str__(self) -> str:
        mark = "ok  " if self.is_reached else "MISS"
        found = "not measured" if self.found is None else f"{self.found:.3g} {self.unit}"
        remark = f" ({self.remark})" if self.remark else ""
        return f"{mark} {self.what}: {found}, wanted < {self.wanted:.4g} {self.unit}{remark}"
