"""The values every wire is tested with, as data.

A wire passes a case when the value arrives equal (`protocols.testing.equal`), or when the wire refuses it with the
path of the value and says so in its list of declared refusals. Use it through `protocols.testing`.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from gateway.model.generic import Long
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import (
    CONTRACT,
    Everything,
    Maker,
    Point,
    Status,
    map_of,
    of,
    set_of,
)

__all__ = ["CORPUS", "KEYS", "LUMEN", "Case"]


@dataclass(frozen=True, slots=True)
class Case:
    """One value that must survive.

    `name`: unique and stable (`i64/2^53+1`); lists of declared refusals use it. `method`: the method of `CONTRACT`
    that gives the value back, by attribute; empty in `KEYS`, for which there is none. `type`: of the value.
    `large`: from about 150 kB on; a test that feeds byte by byte may leave it out.
    """

    name: str
    method: str
    type: TypeRef
    value: Any
    large: bool = False

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the method is called with."""
        return () if self.type.kind is Kind.NULL else (self.value,)


_UTC: Final = dt.UTC
_MEBI: Final = 1 << 20

# Where encodings change their form: signs, bytes, 2^53 of a double, the compact forms of Hessian and Thrift.
_BITS: Final = (0, 3, 4, 6, 7, 8, 11, 13, 15, 16, 18, 20, 21, 24, 27, 31, 32, 53)
_INTEGERS: Final = sorted({sign * (1 << bits) + step for bits in _BITS for sign in (1, -1) for step in (-1, 0, 1)})


def _fitting(bits: int) -> list[int]:
    return [each for each in _INTEGERS if -(1 << bits - 1) <= each < 1 << bits - 1]


def _edges(kind: Kind, bits: int) -> Iterator[tuple[str, Any]]:
    yield from {"0": 0, "1": 1, "-1": -1}.items()
    yield "min", -(1 << bits - 1)
    yield "max", (1 << bits - 1) - 1
    if kind is Kind.I64:
        yield from {"2^31": 1 << 31, "-2^31-1": -(1 << 31) - 1, "2^32": 1 << 32}.items()
        yield from {"2^53-1": (1 << 53) - 1, "2^53": 1 << 53, "2^53+1": (1 << 53) + 1}.items()
        yield "-2^53-1", -(1 << 53) - 1


_DOUBLES: Final[Mapping[str, float]] = {
    "0.0": 0.0,
    "-0.0": -0.0,
    "1.0": 1.0,
    "-1.0": -1.0,
    "0.1": 0.1,
    "0.001": 0.001,
    "12.25": 12.25,
    "127.0": 127.0,
    "-128.0": -128.0,
    "128.0": 128.0,
    "-32768.0": -32768.0,
    "32768.0": 32768.0,
    "2147483.647": 2147483.647,
    "2^31": 2147483648.0,
    "2^53-1": 9007199254740991.0,
    "1e300": 1e300,
    "max": sys.float_info.max,
    "smallest-normal": sys.float_info.min,
    "smallest": 5e-324,
    "infinity": float("inf"),
    "-infinity": float("-inf"),
    "nan": float("nan"),
}

# Singles, written as the doubles that equal them.
_SINGLES: Final[Mapping[str, float]] = {
    "0.0": 0.0,
    "-0.0": -0.0,
    "1.5": 1.5,
    "-3.0": -3.0,
    "nearest-to-0.1": 0.10000000149011612,
    "2^24": 16777216.0,
    "max": 3.4028234663852886e38,
    "smallest": 1.401298464324817e-45,
    "infinity": float("inf"),
    "-infinity": float("-inf"),
    "nan": float("nan"),
}

_BIGINTS: Final[Mapping[str, int]] = {
    "0": 0,
    "-1": -1,
    "127": 127,
    "128": 128,
    "2^31": 1 << 31,
    "2^63-1": (1 << 63) - 1,
    "2^63": 1 << 63,
    "-2^63-1": -(1 << 63) - 1,
    "2^64": 1 << 64,
    "200-digits": int("7" * 200),
    "-200-digits": -int("31" * 100),
}

_DECIMALS: Final = (
    "0", "0.00", "0E-20", "0E+3", "1", "-1", "1.10", "-1.1", "1E+10", "1E-10", "100", "19.90",
    "123456789012345678901234567890.123456789", "-9.99E-300", "1.0E+300", "-0",
)  # fmt: skip

_TEXTS: Final[Mapping[str, str]] = {
    "empty": "",
    "ascii": "Hello, wire",
    "space": " ",
    "nul": "\0",
    "nul-inside": "a\0b",
    "controls": "".join(map(chr, range(0x20))) + "\x7f",
    "line-ends": "a\r\nb\nc\rd\u0085e\u2028f",
    "quotes": "\"'`\\<>&;,=%{}[]",
    "latin": "Grüße, señor",
    "utf-8-edges": "\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff",
    "bom": "\ufeffx\ufffe",
    "emoji": "😀👩‍👩‍👧‍👦🇩🇪",
    "combining": "e\u0301 é",
    "right-to-left": "שלום عليكم",
    "chinese": "商品目录",
    "number": "12345678901234567890",
    "null-word": "null",
    "lone-high-surrogate": "a\ud83db",
    "lone-low-surrogate": "a\ude00b",
    "reversed-surrogates": "\ude00\ud83d",
    "surrogate-last": "x\ud800",
}

# Text that every wire can carry: containers are about their elements' number and order, not about characters.
_PLAIN: Final = tuple(
    _TEXTS[name] for name in ("empty", "ascii", "quotes", "latin", "emoji", "combining", "chinese", "number")
)

_LENGTHS: Final = (31, 32, 255, 256, 1023, 1024, 32767, 32768, 32769, 65535, 65536)


def _large_texts() -> Iterator[tuple[str, str]]:
    yield "1MiB", "x" * _MEBI
    # One unit in front moves every surrogate pair across the power-of-two boundaries that chunked forms use.
    yield "emoji-across-chunks", "x" + "😀" * 60_000
    yield "bmp", "".join(chr(each) for each in range(0x10000) if not 0xD800 <= each < 0xE000)
    yield "supplementary", "".join(map(chr, range(0x10000, 0x110000, 17)))


_INSTANTS: Final[Mapping[str, dt.datetime]] = {
    "epoch": dt.datetime(1970, 1, 1, tzinfo=_UTC),
    "now-ish": dt.datetime(2026, 8, 14, 9, 26, 53, tzinfo=_UTC),
    "milliseconds": dt.datetime(2026, 8, 14, 9, 26, 53, 589_000, tzinfo=_UTC),
    "before-epoch": dt.datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=_UTC),
    "leap-day": dt.datetime(2024, 2, 29, 12, tzinfo=_UTC),
    "whole-minute": dt.datetime(1998, 5, 8, 9, 51, tzinfo=_UTC),
    "after-2038": dt.datetime(2106, 2, 7, 6, 28, 16, tzinfo=_UTC),
    "year-1": dt.datetime(1, 1, 1, tzinfo=_UTC),
    "year-9999": dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=_UTC),
}

_FINE_INSTANTS: Final[Mapping[str, dt.datetime]] = {
    "microseconds": dt.datetime(2026, 8, 14, 9, 26, 53, 589_793, tzinfo=_UTC),
    "one-microsecond": dt.datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=_UTC),
    "microsecond-before-epoch": dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=_UTC),
    "last": dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=_UTC),
}

_DURATIONS: Final[Mapping[str, dt.timedelta]] = {
    "0": dt.timedelta(),
    "1us": dt.timedelta(microseconds=1),
    "-1us": dt.timedelta(microseconds=-1),
    "1.5s": dt.timedelta(seconds=1.5),
    "-1.5s": dt.timedelta(seconds=-1.5),
    "day": dt.timedelta(days=1),
    "year": dt.timedelta(days=365, hours=5, minutes=48, seconds=46, microseconds=80),
    "max": dt.timedelta.max,
    "min": dt.timedelta.min,
}

_GROUP: Final = Maker("Northwind Group", "SE")
LUMEN: Final = Maker("Lumen 💡", "DE", Maker("Lumen Holding", None, _GROUP))
"""A struct in a struct in a struct."""

_FULL: Final = Everything(
    bool_=True,
    boxed_bool=False,
    i8=-128,
    i16=-32768,
    i32=-(1 << 31),
    i64=-(1 << 63),
    boxed_i8=127,
    boxed_i16=32767,
    boxed_i32=(1 << 31) - 1,
    boxed_i64=(1 << 63) - 1,
    f32=1.5,
    f64=0.1,
    boxed_f32=-0.0,
    boxed_f64=float("inf"),
    bigint=1 << 200,
    decimal=Decimal("19.90"),
    character="€",
    boxed_char="\uffff",
    string="text 😀",
    bytes_=bytes(range(256)),
    date=dt.date(2026, 8, 14),
    time=dt.time(9, 26, 53, 589_793),
    datetime=_FINE_INSTANTS["microseconds"],
    java_date=_INSTANTS["milliseconds"],
    local_datetime=dt.datetime(2026, 3, 29, 2, 30),
    duration=_DURATIONS["year"],
    uuid=UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    int_list=[1, 2, 3],
    long_list=[1 << 40],
    string_list=["", "a"],
    nested_list=[[], ["x"]],
    string_set={"a", "b"},
    long_set={1, 1 << 40},
    string_map={"a": 1},
    int_map={-1: "minus"},
    enum_map={Status.PREORDER: "soon"},
    struct_map={Point(1, -2): "here"},
    nested_map={"makers": [LUMEN]},
    int_array=[7],
    long_array=[1 << 33],
    double_array=[0.5],
    string_array=["s"],
    maker_array=[_GROUP],
    enumeration=Status.DISCONTINUED,
    struct=LUMEN,
    any="anything",
)


def _cases(type_name: str, values: Mapping[str, Any]) -> Iterator[Case]:
    (method,) = CONTRACT.overloads(f"echo_{type_name}")
    ref = method.returns
    for name, value in values.items():
        yield Case(f"{type_name}/{name}", method.attribute, ref, value)


def _scalar_cases() -> Iterator[Case]:
    yield from _cases("bool", {"true": True, "false": False})
    yield from _cases("boxed_bool", {"null": None, "true": True, "false": False})
    for kind, bits in ((Kind.I8, 8), (Kind.I16, 16), (Kind.I32, 32), (Kind.I64, 64)):
        edges = dict(_edges(kind, bits))
        yield from _cases(kind.value, edges)
        yield from _cases(f"boxed_{kind.value}", {"null": None, **edges})
    yield from _cases("f32", _SINGLES)
    yield from _cases("f64", _DOUBLES)
    yield from _cases("boxed_f32", {"null": None, "nan": float("nan"), "1.5": 1.5})
    yield from _cases("boxed_f64", {"null": None, "nan": float("nan"), "0.1": 0.1})
    yield from _cases("bigint", _BIGINTS)
    yield from _cases("decimal", {text: Decimal(text) for text in _DECIMALS})
    characters = {"letter": "a", "nul": "\0", "latin": "é", "euro": "€", "last": "\uffff", "surrogate": "\ud800"}
    yield from _cases("char", characters)
    yield from _cases("boxed_char", {"null": None, "letter": "a", "nul": "\0"})
    yield from _cases("string", _TEXTS)
    yield from _cases("string", {f"{length}-units": "é" * length for length in _LENGTHS})
    yield from (replace(each, large=True) for each in _cases("string", dict(_large_texts())))
    yield from _cases("nullable", {"null": None, "empty": "", "text": "text"})
    yield from _cases("bytes", {"empty": b"", "zero": b"\0", "all": bytes(range(256)), "text": b"text"})
    yield from _cases("bytes", {f"{length}-bytes": b"\xa5" * length for length in (15, 16, *_LENGTHS)})
    yield from (replace(each, large=True) for each in _cases("bytes", {"1MiB": bytes(range(256)) * 4096}))
    yield from _cases("uuid", {"nil": UUID(int=0), "max": UUID(int=(1 << 128) - 1), "one": _FULL.uuid})


def _temporal_cases() -> Iterator[Case]:
    days = {"epoch": dt.date(1970, 1, 1), "day": dt.date(2026, 8, 14), "leap-day": dt.date(2024, 2, 29)}
    yield from _cases("date", {**days, "first": dt.date.min, "last": dt.date.max})
    times = {"midnight": dt.time(), "minute": dt.time(9, 26), "second": dt.time(9, 26, 53), "last": dt.time.max}
    yield from _cases("time", {**times, "microsecond": dt.time(0, 0, 0, 1), "millisecond": dt.time(1, 2, 3, 4000)})
    yield from _cases("datetime", {**_INSTANTS, **_FINE_INSTANTS})
    yield from _cases("java_date", _INSTANTS)
    naive = {name: value.replace(tzinfo=None) for name, value in {**_INSTANTS, **_FINE_INSTANTS}.items()}
    # In central Europe the clocks skip this half hour: no zone of the machine may get hold of it.
    yield from _cases("local_datetime", {**naive, "skipped-hour": dt.datetime(2026, 3, 29, 2, 30)})
    yield from _cases("duration", _DURATIONS)


def _container_cases() -> Iterator[Case]:
    for name, bits in (("int", 32), ("long", 64)):
        lists = {"empty": [], "one": [0], "boundaries": _fitting(bits), "thousand": list(range(1000))}
        yield from _cases(f"{name}_list", lists)
        yield from _cases(f"{name}_array", lists)
    yield from _cases("string_list", {"empty": [], "empty-text": [""], "texts": list(_PLAIN)})
    yield from _cases("nested_list", {"empty": [], "empties": [[], [], []], "ragged": [["a"], [], ["b", "c"]]})
    yield from _cases("string_set", {"empty": set(), "empty-text": {""}, "texts": set(_PLAIN)})
    yield from _cases("long_set", {"empty": set(), "boundaries": set(_fitting(64))})
    keys = {text: index for index, text in enumerate(_PLAIN)}
    yield from _cases("string_map", {"empty": {}, "one": {"a": 1}, "empty-key": {"": 0}, "texts": keys})
    yield from _cases("int_map", {"empty": {}, "boundaries": {each: str(each) for each in _fitting(32)}})
    yield from _cases("enum_map", {"empty": {}, "all": {each: each.name.lower() for each in Status}})
    points = {Point(0, 0): "origin", Point(-(1 << 31), (1 << 31) - 1): "corner", Point(1, 0): "", Point(0, 1): "y"}
    yield from _cases("struct_map", {"empty": {}, "points": points})
    makers = {"none": [], "one": [LUMEN], "shared": [_GROUP, _GROUP, LUMEN]}
    yield from _cases("nested_map", {"empty": {}, "makers": makers})
    yield from _cases("double_array", {"empty": [], "all": list(_DOUBLES.values())})
    yield from _cases("string_array", {"empty": [], "texts": list(_PLAIN)})
    yield from _cases("maker_array", {"empty": [], "makers": [_GROUP, LUMEN]})


def _named_cases() -> Iterator[Case]:
    yield from _cases("enum", {each.name: each for each in Status})
    structs = {"defaults": Maker("m"), "empty-text": Maker(""), "filled": Maker("m", "DE"), "nested": LUMEN}
    yield from _cases("struct", structs)
    yield from _cases("everything", {"defaults": Everything(), "full": _FULL})


def _any_cases() -> Iterator[Case]:
    plain = {
        "null": None,
        "true": True,
        "int": 7,
        "long": Long(7),
        "long-beyond-32-bits": Long(1 << 40),
        "double": 0.5,
        "text": "text 😀",
        "bytes": b"\0\xff",
        "decimal": Decimal("1.10"),
        "instant": _FINE_INSTANTS["microseconds"],
        "list": [1, "a", None, [True, 2.5]],
        "map": {"a": 1, "b": [None], "c": {}},
        "map-with-integer-keys": {1: "one", -1: "minus one"},
        "struct": LUMEN,
        "enum": Status.PREORDER,
    }
    yield from _cases("any", plain)
    yield from _cases("nothing", {"null": None})


CORPUS: Final[tuple[Case, ...]] = (
    *_scalar_cases(),
    *_temporal_cases(),
    *_container_cases(),
    *_named_cases(),
    *_any_cases(),
)
"""Every value that must survive a wire."""


def _keys() -> Iterator[Case]:
    numbers = TypeRef(Kind.LIST, (of(Kind.I32),), hints=(("python", "tuple"),))
    names = TypeRef(Kind.SET, (of(Kind.STRING),), hints=(("python", "frozenset"),))
    keys: Mapping[str, tuple[TypeRef, Sequence[Any]]] = {
        "bool": (of(Kind.BOOL), [True, False]),
        "i64": (of(Kind.I64), [0, 1 << 53, -(1 << 63)]),
        "decimal": (of(Kind.DECIMAL), [Decimal("1.10"), Decimal("2")]),
        "char": (of(Kind.CHAR), ["a", "é"]),
        "bytes": (of(Kind.BYTES), [b"", b"\0"]),
        "date": (of(Kind.DATE), [dt.date(2026, 8, 14)]),
        "datetime": (of(Kind.DATETIME), [_FINE_INSTANTS["microseconds"]]),
        "duration": (of(Kind.DURATION), [dt.timedelta(seconds=-1)]),
        "uuid": (of(Kind.UUID), [_FULL.uuid]),
        "list": (numbers, [(), (1, 2)]),
        "list-of-lists": (TypeRef(Kind.LIST, (numbers,), hints=(("python", "tuple"),)), [((1,), ())]),
        "set": (names, [frozenset(), frozenset({"a", "b"})]),
        "nullable": (of(Kind.STRING, nullable=True), [None, ""]),
    }
    for name, (ref, values) in keys.items():
        yield Case(f"key/{name}", "", map_of(ref, of(Kind.I32)), {value: index for index, value in enumerate(values)})
        yield Case(f"element/{name}", "", set_of(ref), set(values))


KEYS: Final[tuple[Case, ...]] = tuple(_keys())
"""Map keys and set elements of every hashable type; no method of `CONTRACT` takes them."""
