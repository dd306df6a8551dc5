"""The generic writer: forms, references, limits, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import LocalWireError, ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from protocols.hessian.java_types import definition_bytes
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer, encode_bytes, encode_date
from protocols.reader import Limits
from protocols.testing import difference


def write(*values: Any, limits: Limits | None = None) -> bytes:
    writer = Writer() if limits is None else Writer(limits)
    for value in values:
        writer.write(value)
    return writer.finish()


def hex_of(text: str) -> str:
    return text.replace(" ", "")


class Flavour(Enum):
    SWEET = "sweet"


class Level(IntEnum):
    LOW = 1


class Name(StrEnum):
    ANN = "ann"


class UserId(int):
    pass


@dataclass
class Unknown:
    x: int = 1


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, "4e"),
        (True, "54"),
        (False, "46"),
        (7, "97"),
        (2**31 - 1, "497fffffff"),
        (2**31, "4c0000000080000000"),
        (-(2**63), "4c8000000000000000"),
        (Long(7), "e7"),
        (UserId(7), "97"),
        (0.5, "5f000001f4"),
        ("a", "0161"),
        (b"a", "2161"),
        (bytearray(b"a"), "2161"),
        (JavaDate(1970, 1, 1, 0, 1, tzinfo=UTC), "4b00000001"),
        ([1, None], "7a 91 4e"),
        ((1, None), "7a 91 4e"),
        (list(range(8)), "58 98 9091929394959697"),
        ({"a": 1}, "48 0161 91 5a"),
        (TypedList("t", [1]), "71 0174 91"),
        (TypedList("t", range(8)), "56 0174 98 9091929394959697"),
        (TypedMap("t", {"a": 1}), "4d 0174 0161 91 5a"),
        (Pairs([([], 1)]), "48 78 91 5a"),
        (Pairs([([], 1)], "t"), "4d 0174 78 91 5a"),
        (Record("t", {"a": 1}), "43 0174 91 0161 60 91"),
        (Record("t"), "43 0174 90 60"),
    ],
)
def test_every_value_has_its_form(value: Any, encoded: str) -> None:
    assert write(value).hex() == hex_of(encoded)


@pytest.mark.parametrize("items", [{"a"}, frozenset({"a"})])
def test_a_set_is_a_hash_set(items: Any) -> None:
    assert write(items) == b"\x71\x11java.util.HashSet\x01a"


def test_big_integers_are_objects_of_words() -> None:
    head = definition_bytes("java.math.BigInteger", ("signum", "mag"))
    assert write(2**64) == head + b"\x60\x91\x73\x04[int\x91\x90\x90"
    assert write(BigInt(-1), BigInt(0)) == head + b"\x60\x8f\x71\x04[int\x91" + b"\x60\x90\x70\x90"


def test_uuid_and_decimal_are_objects_of_text() -> None:
    assert write(Decimal("1.20")) == definition_bytes("java.math.BigDecimal", ("value",)) + b"\x60\x041.20"
    value = UUID(int=0)
    assert write(value) == definition_bytes("java.util.UUID", ("value",)) + b"\x60\x30\x24" + str(value).encode()


def test_seventeen_classes() -> None:
    data = write(*(Record(f"t.C{number}") for number in range(17)), Record("t.C16"))
    assert data.endswith(b"O\xa0" + b"O\xa0")


def test_definitions_and_types_are_written_once() -> None:
    data = write(Record("t", {"a": 1}), Record("t", {"a": 2}), TypedList("l"), TypedMap("l"), TypedMap("m"))
    assert data.hex() == hex_of("43 0174 91 0161 60 91 60 92 70 016c 4d 90 5a 4d 016d 5a")


def test_records_with_other_fields_have_their_own_definition() -> None:
    assert write(Record("t", {"a": 1}), Record("t", {"b": 1})).hex() == hex_of(
        "43 0174 91 0161 60 91 43 0174 91 0162 61 91"
    )


def test_the_same_object_is_a_reference_and_an_equal_one_is_not() -> None:
    shared = ["s"]
    assert write([shared, shared, ["s"]]).hex() == hex_of("7b 79 0173 51 91 79 0173")
    day = date(2024, 1, 2)
    assert write([day, day]).endswith(b"\x51\x91")


def test_values_without_a_slot_are_never_references() -> None:
    text, data, moment = "text", b"data", JavaDate(1970, 1, 1, tzinfo=UTC)
    assert write([text, text, data, data, moment, moment, []]).count(b"Q") == 0
    shared: list[Any] = []
    # They do not count either: the list is in slot 1, behind the outer one.
    assert write([text, data, moment, 1, 1.5, None, shared, shared]).endswith(b"\x78\x51\x91")


def test_a_slot_is_taken_by_every_object_inside_a_value_class() -> None:
    shared: list[Any] = []
    for value, slots in ((datetime(2024, 1, 1), 3), (2**64, 2), (Decimal(1), 1), (timedelta(1), 1), (time(1), 1)):
        assert write([value, shared, shared])[-2:] == bytes((0x51, 0x90 + 1 + slots)), value


def test_equal_empty_tuples_are_not_one_value() -> None:
    assert write([(), (), frozenset(), frozenset()]).count(b"Q") == 0


def test_values_may_contain_themselves() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert write(loop).hex() == "795190"
    entries: dict[str, Any] = {}
    entries["a"] = entries
    assert write(entries).hex() == hex_of("48 0161 5190 5a")
    record = Record("t")
    record["a"] = record
    assert write(record).hex() == hex_of("43 0174 91 0161 60 5190")


def test_an_identity_is_not_used_twice() -> None:
    writer = Writer()
    for _ in range(50):
        writer.write([Decimal("1.5")])  # freed at once, were the writer not to keep it
    assert b"Q" not in writer.out


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (object(), "object has no form"),
        (Unknown(), "Unknown has no form"),
        (Flavour.SWEET, "Flavour has no form"),
        (Level.LOW, "Level has no form"),
        (Name.ANN, "Name has no form"),
        (1j, "complex has no form"),
        (iter([]), "has no form"),
        (Decimal("NaN"), "NaN"),
        (Decimal("-0"), "negative zero"),
        (Long(2**63), "64 bits"),
        (time(1, tzinfo=UTC), "without a zone"),
        (JavaDate(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC), "milliseconds"),
        (JavaDate(2024, 1, 1), "with a zone"),
    ],
)
def test_what_has_no_form_is_refused(value: Any, why: str) -> None:
    with pytest.raises(ValueMappingError, match=why):
        write(value)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ([1, [2, object()]], "[1][1]"),
        ({"a": 1, "b": object()}, "[value 1]"),
        ({object(): 1}, "[key 0]"),
        (Record("t", {"a": [object()]}), ".a[0]"),
        (TypedList("t", [Record("t", {"a": object()})]), "[0].a"),
    ],
)
def test_a_refusal_says_where(value: Any, path: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        write(value)
    assert caught.value.path == path


def test_nesting_beyond_the_limit_is_refused() -> None:
    value: list[Any] = []
    for _ in range(7):
        value = [value]
    assert write(value, limits=Limits(max_depth=8))
    with pytest.raises(ValueMappingError, match="deeper than 8"):
        write([value], limits=Limits(max_depth=8))


def test_a_message_beyond_the_limit_is_refused() -> None:
    limits = Limits(max_frame_bytes=1_000)
    assert len(write("x" * 997, limits=limits)) == 999
    with pytest.raises(LocalWireError, match="1000 bytes"):
        write("x" * 1_000, limits=limits)
    # Not only at the end: what is built until then is bounded as well.
    writer = Writer(limits)
    with pytest.raises(LocalWireError):
        writer.write([["x" * 900] for _ in range(100)])
    assert len(writer.out) < 2_500


@pytest.mark.parametrize(
    ("size", "head"),
    [(0, "20"), (15, "2f"), (16, "3410"), (1023, "37ff"), (1024, "420400"), (65535, "42ffff")],
)
def test_binary_has_the_heads_of_the_specification(size: int, head: str) -> None:
    assert encode_bytes(b"x" * size).hex() == head + "78" * size


def test_long_binary_is_cut_into_chunks() -> None:
    data = encode_bytes(b"x" * 131_071)
    assert data == b"A\xff\xff" + b"x" * 65_535 + b"A\xff\xff" + b"x" * 65_535 + b"\x21x"
    assert encode_bytes(b"x" * 131_070).startswith(b"A\xff\xff")
    assert Reader(encode_bytes(b"x" * 131_070)).read() == b"x" * 131_070


def test_a_date_in_another_zone_is_the_same_instant() -> None:
    assert encode_date(datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))).hex() == "4b00000000"
    # Year 1 begins 719,162 days before 1970.
    assert encode_date(datetime(1, 1, 1, tzinfo=UTC)) == b"K" + (-719_162 * 1_440).to_bytes(4, "big", signed=True)


SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1).map(Long),
    st.integers(-(2**63), 2**63 - 1).map(BigInt),
    st.integers(min_value=2**63),
    st.floats(),
    st.text(st.characters(categories=None, codec=None)).map(
        lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    ),
    st.binary(),
    st.decimals(allow_nan=False, allow_infinity=False).filter(lambda value: bool(value) or not value.is_signed()),
    st.uuids(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.timedeltas(),
    st.datetimes().map(lambda v: JavaDate(*v.timetuple()[:6], v.microsecond // 1_000 * 1_000, UTC)),
)
NAMES = st.text(st.characters(codec="ascii"), max_size=20)


def containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(values, max_size=10),
        st.builds(TypedList, NAMES, st.lists(values, max_size=10)),
        st.dictionaries(NAMES, values, max_size=5),
        st.builds(TypedMap, NAMES.filter(bool), st.dictionaries(st.integers(-(2**31), 2**31 - 1), values, max_size=5)),
        st.builds(Record, NAMES.map(lambda name: "t." + name), st.dictionaries(NAMES, values, max_size=5)),
    )


VALUES = st.recursive(SCALARS, containers, max_leaves=20)


@given(st.lists(VALUES, max_size=4))
def test_every_generic_value_comes_back(values: list[Any]) -> None:
    reader = Reader(write(*values))
    assert difference(values, [reader.read() for _ in values]) is None
    assert reader.at_end
