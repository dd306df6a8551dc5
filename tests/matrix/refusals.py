"""What a wire cannot carry, on record: the only losses the matrix accepts, and it accepts them as refusals alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["REFUSALS", "Refusal", "declared"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Values that one wire refuses.

    `values`: which ones, for people. `types`: the parts before the slash in the names of the checks that have some
    (`string/lone-low-surrogate`). `reason`: part of the text every such refusal has, which tells these values from
    others.
    """

    wire: str
    values: str
    types: tuple[str, ...]
    reason: str

    def covers(self, check: str, text: str) -> bool:
        """Whether the refusal of this check with this text is meant."""
        return check.partition("/")[0] in self.types and self.reason in text


_SURROGATES: Final = "texts with a lone surrogate"
_WITHIN: Final = ("argument-within", "result-within")

REFUSALS: Final = (
    Refusal("dubbo", "a decimal that is a negative zero", ("decimal",), "BigDecimal has no negative zero"),
    Refusal("hessian", "a decimal that is a negative zero", ("decimal",), "BigDecimal has no negative zero"),
    # RFC 8259, section 8.2: what receivers make of a lone surrogate is unpredictable; UTF-8 has no form for one.
    Refusal("http", _SURROGATES, ("string", "char", *_WITHIN), "lone surrogate"),
    # Alone a text goes as it is, in lists, maps and structs it is part of JSON: on redis:// in arguments alone.
    Refusal("redis", f"{_SURROGATES} within an argument", ("argument-within",), "lone surrogate"),
    Refusal("memcached", f"{_SURROGATES} within a value", _WITHIN, "lone surrogate"),
    # A string of Thrift is UTF-8.
    Refusal("thrift", _SURROGATES, ("string", "char", *_WITHIN), "lone surrogate"),
    # XML 1.0, section 2.2: there are characters that no document contains, not even as references.
    Refusal("webservice", "texts with a character that XML lacks", ("string", *_WITHIN), "has no form in XML 1.0"),
)
"""At most a dozen. One that no longer happens fails the matrix too."""


def declared(wires: set[str], check: str, text: str) -> Refusal | None:
    """The entry that covers a refusal between these wires; None when it is a loss nobody agreed to."""
    return next((each for each in REFUSALS if each.wire in wires and each.covers(check, text)), None)
