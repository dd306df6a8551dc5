"""Heads of calls."""

from __future__ import annotations

import pytest

from protocols.hessian.errors import HessianError
from protocols.hessian_http.call import begin_call, read_call
from protocols.hessian_http.envelope import Envelope

# What com.caucho:hessian 4.0.38 sends for hello("w") unless it is told otherwise.
STOCK = bytes.fromhex("6302006d000568656c6c6f530001777a")


def test_the_call_of_a_stock_java_client() -> None:
    head = read_call(STOCK)
    assert (head.envelope, head.method, head.size) == (Envelope.MIXED, "hello", None)
    assert STOCK[head.arguments :] == b"S\x00\x01wz"
    assert begin_call(Envelope.MIXED, "hello", 1) + b"S\x00\x01wz" == STOCK


@pytest.mark.parametrize(
    ("envelope", "data"),
    [
        (Envelope.HESSIAN_2, b"H\x02\x00C\x05hello\x91\x01w"),
        (Envelope.HESSIAN_1, b"c\x01\x00m\x00\x05helloS\x00\x01wz"),
    ],
)
def test_the_other_ways(envelope: Envelope, data: bytes) -> None:
    head = read_call(data)
    assert (head.envelope, head.method) == (envelope, "hello")
    assert data.startswith(begin_call(envelope, "hello", 1))
    assert head.arguments == len(begin_call(envelope, "hello", 1))


@pytest.mark.parametrize("start", [b"H\x03\x00C", b"H\x02\x01C"])
def test_versions_behind_h_do_not_matter(start: bytes) -> None:
    assert read_call(start + b"\x01a\x90").envelope is Envelope.HESSIAN_2


def test_a_version_of_zero_is_hessian_1() -> None:
    assert read_call(b"c\x00\x01m\x00\x01az").envelope is Envelope.HESSIAN_1


def test_headers_come_before_the_method() -> None:
    head = read_call(b"c\x01\x00H\x00\x04userS\x00\x03annm\x00\x01az")
    assert (head.method, head.arguments) == ("a", 20)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "end of the data"),
        (b"H\x02", "end of the data"),
        (b"H\x02\x00E", "not served"),
        (b"p\x02\x00\x90", "expected a call"),
        (b"c\x01\x00z", "name of a method"),
        (b"H\x02\x00C\x01a\x95", "as many arguments as there can be"),
        (b"H\x02\x00C\x01a\x8f", "as many arguments as there can be"),
        (b"c\x01\x00" + b"H\x00\x01aS\x00\x00" * 65 + b"m\x00\x01az", "at most 64 headers"),
        (b"c\x01\x00H\x00\x01aI\x00\x00\x00\x01m\x00\x01az", "text as the value of a header"),
    ],
)
def test_what_is_no_call_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(HessianError, match=why):
        read_call(data)
