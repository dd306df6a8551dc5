"""Values that do not fit their type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import CONTRACT, MAKER, STATUS, Maker, Point, list_of, map_of, of, set_of

__all__ = ["MISFITS", "Misfit"]

_UTC: Final = dt.UTC


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that no writer may accept for a type: it raises `ValueMappingError` and sends nothing."""

    name: str
    type: TypeRef
    value: Any


def _misfits() -> Iterator[Misfit]:
    values: Sequence[tuple[str, TypeRef, Any]] = (
        ("bool/int", of(Kind.BOOL), 1),
        ("i8/128", of(Kind.I8), 128),
        ("i8/-129", of(Kind.I8), -129),
        ("i16/32768", of(Kind.I16), 32768),
        ("i32/2^31", of(Kind.I32), 1 << 31),
        ("i32/-2^31-1", of(Kind.I32), -(1 << 31) - 1),
        ("i64/2^63", of(Kind.I64), 1 << 63),
        ("i64/-2^63-1", of(Kind.I64), -(1 << 63) - 1),
        ("i32/bool", of(Kind.I32), True),
        ("i32/text", of(Kind.I32), "1"),
        ("i32/float", of(Kind.I32), 1.0),
        ("i64/float", of(Kind.I64), 1.5),
        ("f32/too-large", of(Kind.F32), 3.5e38),
        ("f64/text", of(Kind.F64), "1.0"),
        ("f64/bool", of(Kind.F64), True),
        ("bigint/float", of(Kind.BIGINT), 1e20),
        ("decimal/float", of(Kind.DECIMAL), 0.1),
        ("decimal/nan", of(Kind.DECIMAL), Decimal("NaN")),
        ("decimal/infinity", of(Kind.DECIMAL), Decimal("Infinity")),
        ("char/empty", of(Kind.CHAR), ""),
        ("char/two", of(Kind.CHAR), "ab"),
        ("char/emoji", of(Kind.CHAR), "😀"),
        ("string/bytes", of(Kind.STRING), b"text"),
        ("string/int", of(Kind.STRING), 1),
        ("bytes/text", of(Kind.BYTES), "text"),
        ("date/datetime", of(Kind.DATE), dt.datetime(2026, 1, 1)),
        ("time/zoned", of(Kind.TIME), dt.time(1, tzinfo=_UTC)),
        ("datetime/naive", of(Kind.DATETIME), dt.datetime(2026, 1, 1)),
        ("datetime/date", of(Kind.DATETIME), dt.date(2026, 1, 1)),
        ("local_datetime/aware", of(Kind.LOCAL_DATETIME), dt.datetime(2026, 1, 1, tzinfo=_UTC)),
        ("duration/seconds", of(Kind.DURATION), 1.5),
        ("uuid/text", of(Kind.UUID), "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        ("list/text", list_of(of(Kind.STRING)), "abc"),
        ("list/element", list_of(of(Kind.I32)), [1, "2"]),
        ("list/null-element", list_of(of(Kind.STRING)), ["a", None]),
        ("set/list", set_of(of(Kind.STRING)), ["a"]),
        ("map/list", map_of(of(Kind.STRING), of(Kind.I32)), [("a", 1)]),
        ("map/key", map_of(of(Kind.STRING), of(Kind.I32)), {1: 1}),
        ("map/value", map_of(of(Kind.STRING), of(Kind.I32)), {"a": "1"}),
        ("enum/text", STATUS, "ACTIVE"),
        ("struct/dict", MAKER, {"name": "m"}),
        ("struct/other-class", MAKER, Point(1, 2)),
        ("struct/field", MAKER, Maker(7)),  # type: ignore[arg-type]
        ("struct/null-field", MAKER, Maker(None)),  # type: ignore[arg-type]
        ("struct/nested-field", MAKER, Maker("m", None, Maker("p", 7))),  # type: ignore[arg-type]
    )
    yield from (Misfit(name, ref, value) for name, ref, value in values)
    for method in CONTRACT.methods:
        ref = method.returns
        if method.attribute.startswith("echo_") and not ref.nullable and ref.kind is not Kind.NULL:
            yield Misfit(f"{method.attribute.removeprefix('echo_')}/null", ref, None)


MISFITS: Final[tuple[Misfit, ...]] = tuple(_misfits())
"""Values that must be refused for a type before anything is sent."""
