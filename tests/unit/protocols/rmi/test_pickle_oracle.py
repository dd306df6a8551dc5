"""CPython's pickle as the oracle: it reads what we write, and we read what it writes."""

from __future__ import annotations

import collections
import datetime as dt
import pickle
import pickletools
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.rmi.pickle_reader import read_pickle
from protocols.rmi.pickle_writer import write_pickle
from protocols.testing import difference

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(1 << 70), max_value=1 << 70),
    st.floats(),
    st.text(st.characters(exclude_categories=())),
    st.binary(max_size=300),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.timedeltas(),
    st.uuids(),
)
KEYS = st.one_of(
    st.text(max_size=5),
    st.integers(),
    st.binary(max_size=5),
    st.dates(),
    st.uuids(),
    st.tuples(st.integers(), st.text()),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.tuples(inner, inner),
        st.tuples(inner, inner, inner, inner),
        st.dictionaries(KEYS, inner, max_size=5),
        st.sets(KEYS, max_size=5),
        st.frozensets(KEYS, max_size=5),
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_cpython_reads_what_we_write_and_so_do_we(value: Any) -> None:
    data = write_pickle(value)
    assert difference(value, pickle.loads(data)) is None
    assert difference(value, read_pickle(data)) is None


@settings(max_examples=300, deadline=None)
@given(VALUES, st.integers(min_value=2, max_value=5))
def test_we_read_what_cpython_writes(value: Any, protocol: int) -> None:
    # Its own form of a UUID is an object with a state, which whoever knows that it is one resolves.
    class Pickler(pickle.Pickler):
        dispatch_table = {UUID: lambda each: (UUID, (str(each),))}  # noqa: RUF012

    pieces: list[bytes] = []
    target: Any = type("Target", (), {"write": lambda self, data: pieces.append(bytes(data))})()
    Pickler(target, protocol).dump(value)
    assert difference(value, read_pickle(b"".join(pieces))) is None


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        [1, -1, 255, 256, 65535, 65536, -(1 << 31), 1 << 31, 1 << 2000, -(1 << 2000)],
        [0.0, -0.0, float("inf"), 1e-300],
        ["", "a" * 255, "a" * 256, "ä" * 70_000, "\ud800", "a\0b"],
        [b"", b"a" * 255, b"a" * 256, b"a" * 70_000],
        list(range(3000)),
        {str(number): number for number in range(3000)},
        (1, 2, 3, 4, 5),
        {1, 2, 3},
        frozenset({"a"}),
        Decimal("-0.00"),
        dt.date(2026, 8, 14),
        dt.time(1, 2, 3, 4),
        dt.datetime(2026, 8, 14, 1, 2, 3, 4),
        dt.datetime(2026, 8, 14, 1, 2, 3, 4, dt.UTC),
        dt.datetime(2026, 8, 14, 1, 2, 3, 4, dt.timezone(dt.timedelta(hours=5, minutes=30))),
        dt.timedelta(-1, 2, 3),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_all_binary_protocols(protocol: int, value: Any) -> None:
    assert difference(value, read_pickle(pickle.dumps(value, protocol))) is None


def test_an_ordered_dict_is_a_dict() -> None:
    for protocol in (2, 4, 5):
        found = read_pickle(pickle.dumps(collections.OrderedDict(b=1, a=2), protocol))
        assert type(found) is dict
        assert list(found.items()) == [("b", 1), ("a", 2)]


def test_a_bytearray_is_bytes() -> None:
    for protocol in (2, 3, 4, 5):
        assert read_pickle(pickle.dumps(bytearray(b"abc"), protocol)) == b"abc"


def test_what_is_shared_comes_out_shared() -> None:
    inner = ["x"]
    first, second = read_pickle(pickle.dumps([inner, inner], 4))
    assert first is second


def test_the_same_value_gives_the_same_bytes_without_a_memo() -> None:
    def made() -> dict[str, Any]:
        text = "".join(["a", "b"])
        return {text: [text, text, ("ab",)], "c": {1: text}}

    data = write_pickle(made())
    assert data == write_pickle(made())
    names = {opcode.name for opcode, _, _ in pickletools.genops(data)}
    assert names.isdisjoint({"MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"})


def test_what_contains_itself_is_not_written() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match="cyclic"):
        write_pickle(value)


JAVA = {
    # net.razorvine:pickle writes longs beyond 32 bits as text, in protocol 2.
    "long": (b"\x80\x02I1099511627776\n.", 1 << 40),
    "negative long": (b"\x80\x02I-1099511627776\n.", -(1 << 40)),
    # Sets, arrays and bytes of it.
    "set": (b"\x80\x02c__builtin__\nset\n](K\x01K\x02e\x85R.", {1, 2}),
    "int[]": (b"\x80\x02carray\narray\nU\x01i](K\x01K\x02e\x86R.", [1, 2]),
    "byte[]": (b"\x80\x02c__builtin__\nbytearray\nX\x03\0\0\0a\xc3\xbfX\x07\0\0\0latin-1\x86R.", b"a\xff"),
    "BigDecimal": (b"\x80\x02cdecimal\nDecimal\nX\x04\0\0\0" + b"1.10\x85R.", Decimal("1.10")),
    "timedelta": (b"\x80\x02cdatetime\ntimedelta\nK\x01K\x02K\x03\x87R.", dt.timedelta(1, 2, 3)),
    "date": (b"\x80\x02cdatetime\ndate\nM\xea\x07K\x08K\x0e\x87R.", dt.date(2026, 8, 14)),
    "time": (b"\x80\x02cdatetime\ntime\n(K\x01K\x02K\x03K\x04tR.", dt.time(1, 2, 3, 4)),
    "datetime": (
        b"\x80\x02cdatetime\ndatetime\n(M\xea\x07K\x08K\x0eK\x01K\x02K\x03J\x40\x42\x06\x00tR.",
        dt.datetime(2026, 8, 14, 1, 2, 3, 410_176),
    ),
}
GO = {
    # og-rek: text of Python 2 is UTF-8; big integers and those of 64 bits are text.
    "string": (b"U\x03a\xc3\xa4.", "aä"),
    "long string": (b"T\x02\0\0\0" + b"\xc3\xa4.", "ä"),
    "big": (b"L1180591620717411303424L\n.", 1 << 70),
    "bool of protocol 1": (b"(I01\nI00\nt.", (True, False)),
    "slice": (b"(K\x01K\x02l.", [1, 2]),
    "map": (b"(U\x01aK\x01U\x01bK\x02d.", {"a": 1, "b": 2}),
}


@pytest.mark.parametrize("name", JAVA)
def test_reads_what_the_java_implementation_writes(name: str) -> None:
    data, value = JAVA[name]
    assert difference(value, read_pickle(data)) is None


@pytest.mark.parametrize("name", GO)
def test_reads_what_the_go_implementation_writes(name: str) -> None:
    data, value = GO[name]
    assert difference(value, read_pickle(data)) is None


@pytest.mark.parametrize("form", ["text", "state"])
def test_a_uuid_in_both_forms(form: str) -> None:
    value = UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
    data = write_pickle(value) if form == "text" else pickle.dumps(value, 4)
    found = read_pickle(data)
    if form == "state":
        assert found.title == "uuid.UUID"
        assert found.state == {"int": value.int}
    else:
        assert found == value
