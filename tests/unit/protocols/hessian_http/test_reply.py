"""Replies as bytes. Those of Caucho were captured from its servlet, 4.0.38."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.hessian.caucho import CAUCHO
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer
from protocols.hessian_http.envelope import Envelope
from protocols.hessian_http.from_hessian1 import Layouts
from protocols.hessian_http.reply import FaultReply, encode_fault, encode_value, read_reply
from protocols.reader import DEFAULT_LIMITS


def value(envelope: Envelope, given: Any) -> bytes:
    return encode_value(envelope, lambda writer: writer.write(given), DEFAULT_LIMITS, CAUCHO)


def fault(envelope: Envelope, detail: Any = None) -> bytes:
    def write(writer: Writer) -> None:
        writer.write(detail)

    return encode_fault(envelope, "C", "m", None if detail is None else write, DEFAULT_LIMITS, CAUCHO)


def read(data: bytes) -> Any:
    return read_reply(data, Reader, Reader.read, Reader.read, DEFAULT_LIMITS, Layouts())


@pytest.mark.parametrize("envelope", [Envelope.HESSIAN_2, Envelope.MIXED])
def test_a_value_in_hessian_2(envelope: Envelope) -> None:
    assert value(envelope, None) == bytes.fromhex("480200524e")
    assert value(envelope, "w") == b"H\x02\x00R\x01w"


def test_a_value_in_hessian_1() -> None:
    assert value(Envelope.HESSIAN_1, "w") == b"r\x01\x00S\x00\x01wz"


def test_a_fault_in_hessian_2_is_a_map() -> None:
    assert fault(Envelope.MIXED) == b"H\x02\x00FH\x04code\x01C\x07message\x01m\x06detailNZ"


def test_a_fault_in_hessian_1_is_a_row_of_entries() -> None:
    texts = b"S\x00\x04codeS\x00\x01CS\x00\x07messageS\x00\x01mS\x00\x06detailN"
    assert fault(Envelope.HESSIAN_1) == b"r\x01\x00f" + texts + b"zz"


def test_the_map_of_a_fault_counts_as_a_reference_in_hessian_2_alone() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert fault(Envelope.HESSIAN_2, cycle).endswith(b"\x79\x51\x91Z")
    assert fault(Envelope.HESSIAN_1, cycle).endswith(b"Vl\x00\x00\x00\x01R\x00\x00\x00\x00zzz")


@pytest.mark.parametrize("envelope", Envelope)
def test_replies_are_read_in_either_version(envelope: Envelope) -> None:
    assert read(value(envelope, ["a", {"b": 1}])) == ["a", {"b": 1}]
    assert read(fault(envelope)) == FaultReply("C", "m", None)
    found = read(fault(envelope, ["x", 1]))
    assert found.detail == ["x", 1]
    cycle: list[Any] = []
    cycle.append(cycle)
    found = read(fault(envelope, cycle))
    assert found.detail[0] is found.detail


def test_headers_of_a_reply_are_passed_over() -> None:
    assert read(b"r\x01\x00H\x00\x01aS\x00\x01bTz") is True


@pytest.mark.parametrize(
    "data",
    [
        b"", b"H", b"H\x02\x00", b"H\x02\x00X", b"H\x02\x00R", b"H\x02\x00FN", b"H\x02\x00FH\x04code", b"r\x01\x00",
        b"r\x01\x00" + b"H\x00\x00S\x00\x00" * 65 + b"Tz", b"r\x01\x00H\x00\x01aI\x00\x00\x00\x01Tz",
        b"r\x01\x00z", b"r\x01\x00TTz", b"r\x01\x00T", b"<html>",
    ],
)  # fmt: skip
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(HessianError):
        read(data)
