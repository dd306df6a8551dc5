"""What a wire cannot carry, on record: the only losses the matrix accepts, and it accepts them as refusals alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["REFUSALS", "Refusal", "declared"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """`check`: as `Check.name`; `reason`: part of the text the refusal must have."""

    wire: str
    check: str
    reason: str


REFUSALS: Final = (Refusal("dubbo", "decimal/-0", "BigDecimal has no negative zero"),)
"""At most a dozen. One that no longer happens fails the matrix too."""


def declared(wires: set[str], check: str, text: str) -> Refusal | None:
    """The entry that covers a refusal between these wires; None when it is a loss nobody agreed to."""
    for each in REFUSALS:
        if each.wire in wires and each.check == check and each.reason in text:
            return each
    return None
