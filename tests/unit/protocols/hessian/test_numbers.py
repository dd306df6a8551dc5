"""Numbers: the shortest form of each. The edges of every form stand in the specification's tables."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.hessian.errors import HessianError
from protocols.hessian.numbers import decode_count, decode_int, encode_double, encode_int, encode_long
from protocols.hessian.reader import Reader


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (-16, "80"),
        (47, "bf"),
        (48, "c830"),
        (-17, "c7ef"),
        (-2048, "c000"),
        (2047, "cfff"),
        (2048, "d40800"),
        (-2049, "d3f7ff"),
        (-262144, "d00000"),
        (262143, "d7ffff"),
        (262144, "4900040000"),
        (-262145, "49fffbffff"),
        (2**31 - 1, "497fffffff"),
        (-(2**31), "4980000000"),
    ],
)
def test_int_takes_the_shortest_form(value: int, encoded: str) -> None:
    assert encode_int(value).hex() == encoded
    assert decode_int(bytes.fromhex(encoded), 0) == (value, len(encoded) // 2)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (-8, "d8"),
        (15, "ef"),
        (16, "f810"),
        (-9, "f7f7"),
        (-2048, "f000"),
        (2047, "ffff"),
        (2048, "3c0800"),
        (-262144, "380000"),
        (262143, "3fffff"),
        (262144, "5900040000"),
        (-(2**31), "5980000000"),
        (2**31, "4c0000000080000000"),
        (-(2**63), "4c8000000000000000"),
    ],
)
def test_long_takes_the_shortest_form(value: int, encoded: str) -> None:
    assert encode_long(value).hex() == encoded


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0.0, "5b"),
        (1.0, "5c"),
        (-1.0, "5dff"),
        (127.0, "5d7f"),
        (-128.0, "5d80"),
        (-129.0, "5eff7f"),
        (32767.0, "5e7fff"),
        (-32768.0, "5e8000"),
        (12.25, "5f00002fda"),
        (1.1, "5f0000044c"),
        (2147483.647, "5f7fffffff"),
        (-2147483.648, "5f80000000"),
        (0.0001, "443f1a36e2eb1c432d"),
        (-0.0, "448000000000000000"),
        (math.inf, "447ff0000000000000"),
        (-math.inf, "44fff0000000000000"),
        (5e-324, "440000000000000001"),
    ],
)
def test_double_takes_the_shortest_exact_form(value: float, encoded: str) -> None:
    assert encode_double(value).hex() == encoded


@given(st.integers(-(2**31), 2**31 - 1))
def test_every_int_comes_back(value: int) -> None:
    assert decode_int(encode_int(value), 0) == (value, len(encode_int(value)))
    assert Reader(encode_int(value)).read() == value


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_long_comes_back(value: int) -> None:
    assert Reader(encode_long(value)).read() == value


@given(st.floats() | st.integers(-(2**31), 2**31 - 1).map(lambda mills: mills * 0.001))
def test_every_double_comes_back_to_the_bit(value: float) -> None:
    found = Reader(encode_double(value)).read()
    assert struct.pack(">d", found) == struct.pack(">d", value)


@pytest.mark.parametrize("data", ["e0", "4c0000000000000001", "5b", "0161", "4e"])
def test_other_values_are_no_int(data: str) -> None:
    with pytest.raises(HessianError, match="expected int"):
        decode_int(bytes.fromhex(data), 0)


@pytest.mark.parametrize("data", ["497fffffff", "8f", "9361", "cfff"])
def test_a_count_beyond_the_data_is_refused(data: str) -> None:
    with pytest.raises(HessianError, match="expected elements within"):
        decode_count(bytes.fromhex(data), 0, "elements")


def test_a_count_that_the_data_can_hold_is_accepted() -> None:
    assert decode_count(b"\x93abc", 0, "elements") == (3, 1)
