"""What independent readers find in the bytes of each wire, and what must stand there.

A wire may not carry a value as one opaque piece where it has a form for it. Each file beside this one reads the
messages of a wire with a library or literal bytes that share nothing with the codecs, and lists for every name of
`SAMPLES` what an argument and a result look like in it, and for `FAULT` what the exception's fields look like.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from gateway.model.call import Fault
from protocols.testing import Maker, Status

__all__ = ["FAULT", "SAMPLES", "Native", "Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """A value, and the method of `demo.Types` (by attribute) that gives it back."""

    method: str
    value: Any


@dataclass(frozen=True, slots=True)
class Native:
    """One wire.

    Attributes:
        argument: Reads the only argument of a call from what the caller sent; fails where it is of another form.
        result: Reads the result from what the caller received.
        exception: Reads what stands for the fields of an exception.
        samples: By name of a sample what `argument` and `result` give, where that is the same.
        arguments: What `argument` gives where it differs.
        fields: What `exception` gives for `FAULT`.
    """

    argument: Callable[[bytes, str], Any]
    result: Callable[[bytes], Any]
    exception: Callable[[bytes], Any]
    samples: Mapping[str, Any]
    fields: Any
    arguments: Mapping[str, Any]


_MAKER: Final = Maker("Zwölf", "DE", Maker("Mutter"))

SAMPLES: Final[Mapping[str, Sample]] = {
    "struct": Sample("echo_struct", _MAKER),
    "map": Sample("echo_string_map", {"alpha": 1 << 40}),
    "list": Sample("echo_nested_list", [["x"], []]),
    "set": Sample("echo_string_set", {"one"}),
    "enum": Sample("echo_enum", Status.PREORDER),
    "decimal": Sample("echo_decimal", Decimal("19.90")),
    "instant": Sample("echo_datetime", dt.datetime(2026, 8, 14, 9, 26, 53, 589_793, tzinfo=dt.UTC)),
    "bytes": Sample("echo_bytes", b"\0\xffab"),
    "bool": Sample("echo_bool", True),
    "double": Sample("echo_f64", 0.5),
    "null": Sample("echo_boxed_i64", None),
}
FAULT: Final = Fault("demo.TypesFailure", "broken", {"code": -7, "culprit": _MAKER}, declared=True)
"""Of the method `fail_declared`."""
