"""What a wire cannot carry, on record: the only losses the matrix accepts, and it accepts them as refusals alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["REFUSALS", "Refusal", "declared"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Values of one type that one wire refuses.

    `type`: the part before the slash in the names of the checks (`string/lone-low-surrogate`). `reason`: part of the
    text every such refusal has, which tells these values from others of the type.
    """

    wire: str
    type: str
    reason: str

    def covers(self, check: str, text: str) -> bool:
        """Whether the refusal of this check with this text is meant."""
        return check.partition("/")[0] == self.type and self.reason in text


REFUSALS: Final = (
    Refusal("dubbo", "decimal", "BigDecimal has no negative zero"),
    Refusal("hessian", "decimal", "BigDecimal has no negative zero"),
    # RFC 8259, section 8.2: what receivers make of a lone surrogate is unpredictable; UTF-8 has no form for one.
    Refusal("http", "string", "lone surrogate"),
    Refusal("http", "char", "lone surrogate"),
    # A string of Thrift is UTF-8.
    Refusal("thrift", "string", "lone surrogate"),
    Refusal("thrift", "char", "lone surrogate"),
    # XML 1.0, section 2.2: there are characters that no document contains, not even as references.
    Refusal("webservice", "string", "has no form in XML 1.0"),
)
"""At most a dozen. One that no longer happens fails the matrix too."""


def declared(wires: set[str], check: str, text: str) -> Refusal | None:
    """The entry that covers a refusal between these wires; None when it is a loss nobody agreed to."""
    return next((each for each in REFUSALS if each.wire in wires and each.covers(check, text)), None)
