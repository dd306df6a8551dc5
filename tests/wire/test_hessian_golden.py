"""Hessian 2 bytes that hessian-lite wrote: read to the values Java had, written back to the same bytes.

`GOLDEN` is the table of protocol facts, made with hessian-lite 3.2.13 on JDK 17; the recorded streams beside this
file cover every Java type (`tests/wire/hessian/README.md` says how they were made and how they describe values).
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.skip import skip
from protocols.hessian.writer import Writer
from protocols.reader import DEFAULT_LIMITS, Limits
from protocols.testing import difference
from tests.support.hessian_lite import HESSIAN_LITE_3, HESSIAN_LITE_4, Sample, load_samples

HANDLES = "com.alibaba.com.caucho.hessian.io."


def hex_of(pattern: str) -> bytes:
    """Bytes of a pattern in which `<text>` is a string with its head and everything else is hex."""
    data = bytearray()
    for part in pattern.replace(" ", "").split("<"):
        text, closed, rest = part.rpartition(">")
        if closed:
            data += bytes((len(text),)) if len(text) < 32 else bytes((0x30 + (len(text) >> 8), len(text) & 0xFF))
            data += text.encode("ascii")
        data += bytes.fromhex(rest)
    return bytes(data)


def _user() -> Record:
    user = Record("t.User")
    user["next"] = user
    user["tags"] = TypedList("java.util.ArrayList", ["p", "q"])
    user["id"] = Long(9)
    user["age"] = 7
    user["name"] = "ann"
    return user


def _error() -> Record:
    error = Record("java.lang.RuntimeException")
    error["suppressedExceptions"] = TypedList("java.util.Collections$EmptyList")
    error["stackTrace"] = TypedList("[java.lang.StackTraceElement")
    error["cause"] = error
    error["detailMessage"] = "boom"
    return error


RED, BLUE = Record("t.Color", {"name": "RED"}), Record("t.Color", {"name": "BLUE"})

GOLDEN: dict[str, tuple[list[Any], str]] = {
    "int": (
        [0, 47, 48, -16, -17, 2047, 2048, 262143, 262144, -(2**31)],
        "90 bf c830 80 c7ef cfff d40800 d7ffff 4900040000 4980000000",
    ),
    "long": (
        [Long(n) for n in (0, 15, 16, -8, -9, 2047, 2048, 262143, 262144, 2**31 - 1, 2**31, -(2**63))],
        "e0 ef f810 d8 f7f7 ffff 3c0800 3fffff 5900040000 597fffffff 4c0000000080000000 4c8000000000000000",
    ),
    "double": (
        [0.0, 1.0, -128.0, 127.0, 128.0, 32767.0, 32768.0, 0.5, 3.14159, 1e300, math.nan],
        "5b 5c 5d80 5d7f 5e0080 5e7fff 5f01f40000 5f000001f4 44400921f9f01b866e 447e37e43c8800759c 447ff8000000000000",
    ),
    "float": ([0.1, 12.25], "5f00000064 5f00002fda"),
    "string": (["", "a", "\u4f60", "\U0001f600"], "00 0161 01e4bda0 02eda0bdedb880"),
    "string with a pair inside": (["a\U0001f600b"], "04 61 eda0bd edb880 62"),
    "date": (
        [
            JavaDate(1970, 1, 1, tzinfo=UTC),
            JavaDate(1970, 1, 1, 0, 0, 0, 1_000, tzinfo=UTC),
            JavaDate(1970, 1, 1, 0, 1, tzinfo=UTC),
        ],
        "4b00000000 4a0000000000000001 4b00000001",
    ),
    "enum": ([RED, BLUE, RED], "43 <t.Color> 91 <name> 60 <RED> 60 <BLUE> 5190"),
    "decimal": ([Decimal("1.20"), Decimal(3)], "43 <java.math.BigDecimal> 91 <value> 60 <1.20> 60 <3>"),
    "array": (
        [
            TypedList("[string", ["a"]),
            TypedList("[string", ["b"]),
            TypedList("[int", [1]),
            TypedList("[object", ["x", Long(1), None]),
        ],
        "71 <[string> <a> 71 90 <b> 71 <[int> 91 73 <[object> <x> e1 4e",
    ),
    "object that contains itself": (
        [_user()],
        "43 <t.User> 95 <next> <tags> <id> <age> <name> 60 5190 72 <java.util.ArrayList> <p> <q> e9 97 <ann>",
    ),
    "ArrayList of hessian-lite 3": (
        [TypedList("java.util.ArrayList", [1]), TypedList("java.util.ArrayList", [2])],
        "71 <java.util.ArrayList> 91 71 90 92",
    ),
    "ArrayList of hessian-lite 4": ([[1], [2]], "79 91 79 92"),
    "nine elements, hessian-lite 3": (
        [TypedList("java.util.ArrayList", range(9))],
        "56 <java.util.ArrayList> 99 909192939495969798",
    ),
    "nine elements, hessian-lite 4": ([list(range(9))], "58 99 909192939495969798"),
    "LinkedHashMap": (
        [TypedMap("java.util.LinkedHashMap", {"k": 1}), TypedMap("java.util.LinkedHashMap", {"j": 2})],
        "4d <java.util.LinkedHashMap> <k> 91 5a 4d 90 <j> 92 5a",
    ),
    "HashMap": ([{"k": None}], "48 <k> 4e 5a"),
    "arguments of $invoke": (
        ["sayHello", TypedList("[string", ["java.lang.String"]), TypedList("[object", ["dubbo"])],
        "<sayHello> 71 <[string> <java.lang.String> 71 <[object> <dubbo>",
    ),
    "RuntimeException": (
        [_error()],
        "43 <java.lang.RuntimeException> 94 <suppressedExceptions> <stackTrace> <cause> <detailMessage> 60"
        "70 <java.util.Collections$EmptyList> 70 <[java.lang.StackTraceElement> 5190 <boom>",
    ),
    "LocalDateTime": (
        [datetime(2024, 1, 2, 3, 4, 5)],
        f"43 <{HANDLES}java8.LocalDateTimeHandle> 92 <time> <date> 60"
        f"43 <{HANDLES}java8.LocalTimeHandle> 94 <nano> <second> <minute> <hour> 61 90 95 94 93"
        f"43 <{HANDLES}java8.LocalDateHandle> 93 <day> <month> <year> 62 92 91 cfe8",
    ),
}


def read_all(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[Any]:
    reader = Reader(data, limits=limits)
    values = []
    while not reader.at_end:
        values.append(reader.read())
    return values


def write_all(values: list[Any], limits: Limits = DEFAULT_LIMITS) -> bytes:
    writer = Writer(limits)
    for value in values:
        writer.write(value)
    return writer.finish()


@pytest.mark.parametrize(("values", "pattern"), GOLDEN.values(), ids=GOLDEN)
def test_golden_vector_is_read(values: list[Any], pattern: str) -> None:
    assert difference(values, read_all(hex_of(pattern))) is None


@pytest.mark.parametrize(("values", "pattern"), GOLDEN.values(), ids=GOLDEN)
def test_golden_vector_is_written(values: list[Any], pattern: str) -> None:
    assert write_all(values).hex() == hex_of(pattern).hex()


SAMPLES = [(path.stem, sample) for path in (HESSIAN_LITE_3, HESSIAN_LITE_4) for sample in load_samples(path)]
WRITTEN = [pytest.param(sample, id=f"{origin}-{sample.name}") for origin, sample in SAMPLES if sample.data is not None]

DEEP = Limits(max_depth=256)

BEYOND_PYTHON = {"date/edges"}
"""Samples with a bare date beyond the years 1 to 9999, which are refused."""

WRITTEN_OTHERWISE = {
    "bigint": "Java's cached fields of BigInteger are left out",
    "bigint/200-digits": "Java's cached fields of BigInteger are left out",
    "object/all-fields": "has a BigInteger",
    "object/shadowed-field": "a field that Java writes twice under one name is written once",
    "object/seventeen-definitions": "has a field that Java writes twice",
}
"""Samples that come back in other bytes of the same meaning. Binary chunks are compared apart from this."""

UNTYPED_IN_4 = ("java.util.ArrayList", "java.util.ArrayList$SubList", "java.util.ImmutableCollections$List")


class Notation:
    """The values that a record describes, as the generic reader gives them."""

    def __init__(self, sample: Sample) -> None:
        self._hessian_lite_4 = "4.0" in sample.origin
        self._by_id: dict[int, Any] = {}

    def value(self, described: Any) -> Any:
        if isinstance(described, list):
            return [self.value(each) for each in described]
        if not isinstance(described, dict):
            return described
        if "$ref" in described:
            return self._by_id[described["$ref"]]
        for key in ("list", "map", "object"):
            if key in described:
                return self._container(key, described)
        for key, convert in SCALARS.items():
            if key in described:
                return convert(described)
        raise AssertionError(f"no such notation: {sorted(described)}")

    def _container(self, key: str, described: dict[str, Any]) -> Any:
        type_name = described.get("type", "")
        container: Any
        if key == "list":
            container = TypedList(self._list_type(type_name)) if self._list_type(type_name) else []
            self._remember(described, container)
            container.extend(self.value(described["list"]))
        elif key == "map":
            wire_type = "" if type_name in UNTYPED_MAPS else type_name
            container = TypedMap(wire_type) if wire_type else {}
            self._remember(described, container)
            pairs = [(self.value(name), self.value(item)) for name, item in described["map"]]
            try:
                container.update(pairs)
            except TypeError:
                return Pairs(pairs, wire_type)
            return container if len(container) == len(pairs) else Pairs(pairs, wire_type)
        else:
            container = Record(described["object"])
            self._remember(described, container)
            container.update({name: self.value(item) for name, item in described["fields"].items()})
        return container

    def _remember(self, described: dict[str, Any], container: Any) -> None:
        if "id" in described:
            self._by_id[described["id"]] = container

    def _list_type(self, java: str) -> str:
        if java.endswith("[]"):
            component = java.rstrip("[]")
            short = {"java.lang.String": "string", "java.lang.Object": "object", "java.util.Date": "date"}
            return "[" * java.count("[]") + short.get(component, component)
        if java.startswith("java.util.ImmutableCollections$Set"):
            return "java.util.HashSet"
        if self._hessian_lite_4 and java.startswith(UNTYPED_IN_4):
            return ""
        return java


UNTYPED_MAPS = ("java.util.HashMap", "java.util.ImmutableCollections$Map1")


def _text(described: dict[str, Any]) -> Any:
    text, simple = described["text"], described["type"].rpartition(".")[2]
    parse = {
        "UUID": UUID,
        "LocalDate": date.fromisoformat,
        "LocalTime": time.fromisoformat,
        "LocalDateTime": datetime.fromisoformat,
        "Instant": datetime.fromisoformat,
    }
    return parse[simple](text)


SCALARS = {
    "byte": lambda described: described["byte"],
    "short": lambda described: described["short"],
    "long": lambda described: Long(described["long"]),
    "float": lambda described: float(described["float"]),
    "double": lambda described: float(described["double"]) + 0.0,  # Java writes -0.0 as 0.0
    "char": lambda described: described["char"],
    "chars": lambda described: described["chars"],
    "bytes": lambda described: bytes.fromhex(described["bytes"]),
    "bigint": lambda described: _bigint(int(described["bigint"])),
    "decimal": lambda described: Decimal(described["decimal"]),
    "date": lambda described: JavaDate(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=described["date"]),
    "enum": lambda described: Record(described["enum"], {"name": described["name"]}),
    "class": lambda described: Record("java.lang.Class", {"name": described["class"]}),
    "text": _text,
}


def _bigint(value: int) -> int:
    return BigInt(value) if -(2**63) <= value < 2**63 else value


DESCRIBED_AS_WRITTEN = (
    *("null", "boolean", "int/", "long/", "double/", "string/", "char", "bytes/", "enum/", "decimal/", "bigint"),
    *("uuid", "class", "date/golden", "array/", "list/", "set/", "map/", "object/", "reference/", "call/"),
)
"""Samples whose description says what was written; the others hold classes that exist only in Java."""

WRITTEN_AS_ANOTHER_CLASS = (
    *("array/float", "object/all-", "object/seventeen-definitions", "set/enum-set", "map/date-keys"),
    *("map/not-serializable", "map/unmodifiable", "map/map-of", "list/list-of", "list/unmodifiable", "set/set-of"),
    "reference/scalars-take-slots",
)
"""Of these, samples that hessian-lite writes as something else than it had, or that hold such a class as well."""

DESCRIBED = [
    pytest.param(sample, id=f"{origin}-{sample.name}")
    for origin, sample in SAMPLES
    if sample.data is not None
    and sample.name.startswith(DESCRIBED_AS_WRITTEN)
    and not sample.name.startswith(WRITTEN_AS_ANOTHER_CLASS)
]


@pytest.mark.parametrize("sample", DESCRIBED)
def test_recorded_stream_is_read_as_java_describes_it(sample: Sample) -> None:
    assert sample.data is not None
    notation = Notation(sample)
    expected = [notation.value(each) for each in sample.values]
    found = read_all(sample.data, DEEP)
    # Identities apart, `difference` ends in cycles and is exact in everything else; dict order is not compared.
    assert difference(expected, found) is None


@pytest.mark.parametrize("sample", WRITTEN)
def test_recorded_stream_comes_back_in_the_same_bytes(sample: Sample) -> None:
    assert sample.data is not None
    if sample.name in BEYOND_PYTHON:
        with pytest.raises(HessianError, match="years 1 to 9999"):
            read_all(sample.data)
        return
    values = read_all(sample.data, DEEP)
    written = write_all(values, DEEP)
    if sample.name in WRITTEN_OTHERWISE or _has_long_binary(sample):
        # Whether the bytes mean the same: Java wrote every shared value once, so reading finds the same graph.
        assert difference(values, read_all(written, DEEP)) is None
    else:
        assert written.hex() == sample.data.hex()


def _has_long_binary(sample: Sample) -> bool:
    """hessian-lite ends binary chunks where its buffer of 4096 (line 3) or 8192 bytes (line 4) was full."""
    return sample.name.startswith("bytes/") and sample.data is not None and len(sample.data) > 4_000


@pytest.mark.parametrize("sample", WRITTEN)
def test_recorded_stream_is_skipped_value_by_value(sample: Sample) -> None:
    assert sample.data is not None
    if sample.name in BEYOND_PYTHON:
        assert skip(sample.data, 0, len(sample.values), limits=DEEP) == len(sample.data)
        return
    reader = Reader(sample.data, limits=DEEP)
    pos, classes = 0, []
    while not reader.at_end:
        reader.read()
        pos = skip(sample.data, pos, 1, classes, DEEP)
        assert pos == reader.pos
    assert skip(sample.data, 0, len(sample.values), limits=DEEP) == len(sample.data)


@pytest.mark.parametrize("sample", [each for each in WRITTEN if len(each.values[0].data) <= 1_500])
def test_recorded_stream_cut_anywhere_is_refused_or_ends_between_values(sample: Sample) -> None:
    data = sample.data
    assert data is not None
    ends = {0}
    reader = Reader(data, limits=DEEP)
    try:
        while not reader.at_end:
            reader.read()
            ends.add(reader.pos)
    except HessianError:
        assert sample.name in BEYOND_PYTHON
    for end in range(len(data)):
        if end in ends:
            assert len(read_all(data[:end], DEEP)) == sum(0 < each <= end for each in ends)
        else:
            with pytest.raises(HessianError):
                read_all(data[:end], DEEP)
        with pytest.raises(HessianError):
            skip(data[:end], 0, len(sample.values), limits=DEEP)
