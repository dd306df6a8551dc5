"""Calls and answers that are still bytes: when they are decoded, and what they say without that."""

from __future__ import annotations

from typing import Protocol

import pytest

from gateway.contracts import I64, contract_of, service
from gateway.model.call import Fault, Ok, attachments_of
from gateway.model.errors import BadRequest, ProviderFailed
from gateway.model.generic import Long
from protocols.dubbo.head import RequestHeads
from protocols.dubbo.raw import WIRE, DubboArguments, DubboResult
from protocols.dubbo.service import MethodBinding, ServiceBinding
from protocols.hessian.text import encode_text
from protocols.reader import DEFAULT_LIMITS


@service("test.Raw")
class Raw(Protocol):
    async def add(self, number: I64, name: str) -> str: ...


CONTRACT = contract_of(Raw)
ADD = ServiceBinding(CONTRACT).of(CONTRACT.methods[0])
HEADER = bytes(16)
NAME_AND_TYPES = encode_text("add") + encode_text("JLjava/lang/String;")
VALUES = b"\xe7\x02hi"  # long 7 in one byte, "hi"
BEHIND = b"HZ"


def arguments(method: MethodBinding | None, values: bytes = VALUES) -> DubboArguments:
    before = HEADER + encode_text("2.0.2") + encode_text("test.Raw") + encode_text("0.0.0")
    frame = before + NAME_AND_TYPES + values + BEHIND
    head = RequestHeads(DEFAULT_LIMITS).read(frame)
    return DubboArguments(frame, head, len(frame) - len(BEHIND), method, DEFAULT_LIMITS)


def result(body: bytes, method: MethodBinding | None = ADD, *, generic: bool = False) -> DubboResult:
    return DubboResult(HEADER + body, body[0] - 0x90, method, generic, DEFAULT_LIMITS)


def test_arguments_are_cut_out_of_the_request_as_they_came() -> None:
    raw = arguments(ADD)
    assert raw.wire == WIRE
    assert raw.call_bytes() == NAME_AND_TYPES + VALUES
    assert raw.argument_bytes() == VALUES
    assert raw.argument_count == 2


def test_arguments_decode_by_the_contract_and_generically_without_one() -> None:
    assert arguments(ADD).decode() == (7, "hi")
    number, name = arguments(None).decode()
    assert (type(number), number, name) == (Long, 7, "hi")


@pytest.mark.parametrize("values", [b"\xe7\x90", b"\xe7", b"\xe7\x03hi"])
def test_arguments_that_do_not_fit_are_the_callers_mistake(values: bytes) -> None:
    with pytest.raises(BadRequest, match=r"^add: args\[1\]"):
        arguments(ADD, values).decode()


def test_bytes_that_are_no_values_are_the_callers_mistake_without_a_contract_too() -> None:
    with pytest.raises(BadRequest, match=r"^add: "):
        arguments(None, b"\xe7Q\x95").decode()


def test_values_of_a_generic_call_are_made_contract_values() -> None:
    raw = arguments(ADD)
    raw.generic_values = (7, "hi")
    assert raw.decode() == (7, "hi")
    raw.generic_values = ({}, "hi")
    with pytest.raises(BadRequest, match=r"^add: args\[0\]"):
        raw.decode()


@pytest.mark.parametrize(
    ("flag", "is_fault", "has_attachments"),
    [(0, True, False), (1, False, False), (2, False, False), (3, True, True), (4, False, True), (5, False, True)],
)
def test_flag_says_what_is_known_without_decoding(flag: int, is_fault: bool, has_attachments: bool) -> None:
    raw = result(bytes([0x90 + flag]) + b"garbage that nobody reads")
    assert raw.is_fault is is_fault
    assert raw.has_attachments is has_attachments
    assert isinstance(raw.wrap(), Fault if is_fault else Ok)
    assert raw.body() == bytes([0x90 + flag]) + b"garbage that nobody reads"


def test_value_and_attachments_are_decoded_when_they_are_asked_for() -> None:
    answer = result(b"\x94\x02hi" + b"H\x05dubbo\x052.0.2\x01k\x01vZ").wrap()
    assert isinstance(answer, Ok)
    assert answer.value == "hi"
    assert answer.attachments == {"k": "v"}


@pytest.mark.parametrize("body", [b"\x91", b"\x91\x90", b"\x92", b"\x94\x02hiH", b"\x94\x02hi\x90"])
def test_answer_that_does_not_fit_is_the_providers_failure(body: bytes) -> None:
    answer = result(body).wrap()
    assert isinstance(answer, Ok)
    with pytest.raises(ProviderFailed, match="the answer to add does not fit its contract"):
        _ = answer.value


def test_exception_that_cannot_be_read_is_the_providers_failure() -> None:
    fault = result(b"\x90").wrap()
    assert isinstance(fault, Fault)
    with pytest.raises(ProviderFailed):
        fault.decoded()


def test_the_name_in_a_generic_call_is_read_alone() -> None:
    # Behind the name stands what nothing could read.
    assert arguments(None, b"\x03put" + b"\x45").called_method() == "put"
    assert arguments(None, b"S\x00\x03put").called_method() == "put"


@pytest.mark.parametrize("values", [b"", b"N", b"\x90", b"HZ", b"\x05put"])
def test_a_generic_call_that_names_nothing_is_refused(values: bytes) -> None:
    with pytest.raises(BadRequest, match=r"^\$invoke"):
        arguments(None, values).called_method()


def test_leading_arguments_are_read_without_those_behind() -> None:
    # The second argument is cut short; nobody looks at it.
    assert arguments(ADD, b"\xe7\x03h").decode_leading(1) == (7,)
    assert arguments(None).decode_leading(1) == (7,)
    assert arguments(None).decode_leading(9) == (7, "hi")
    with pytest.raises(BadRequest, match=r"^add: args\[0\]"):
        arguments(ADD, b"\x02hi\x02hi").decode_leading(1)


def test_attachments_of_an_answer_are_read_and_replaced_while_it_stays_bytes() -> None:
    raw = result(b"\x94\x02hi" + b"H\x05dubbo\x052.0.2\x01a\x01bZ")
    assert raw.attachments() == {"a": "b"}
    changed = raw.with_attachments({"load": "12"})
    assert changed.body() == b"\x94\x02hi" + b"H\x04load\x0212\x05dubbo\x052.0.2Z"
    assert changed.attachments() == {"load": "12"}
    answer = changed.decode()
    assert isinstance(answer, Ok)
    assert (answer.value, answer.attachments) == ("hi", {"load": "12"})
    assert raw.with_attachments({}).body() == b"\x94\x02hi" + b"H\x05dubbo\x052.0.2Z"


@pytest.mark.parametrize("kind", [b"\x90\x02hi", b"\x91\x02hi", b"\x92"])
def test_an_answer_without_attachments_gets_some(kind: bytes) -> None:
    raw = result(kind, None)
    assert raw.attachments() == {}
    changed = raw.with_attachments({"a": "b"})
    assert changed.body() == bytes((kind[0] + 3,)) + kind[1:] + b"H\x01a\x01b\x05dubbo\x052.0.2Z"
    assert changed.is_fault == raw.is_fault
    wrapped = changed.wrap()
    assert attachments_of(wrapped) == {"a": "b"}
    assert wrapped.with_attachments({}).raw is not None


@pytest.mark.parametrize("body", [b"\x94\x09hi", b"\x94\x02hiH\x01a", b"\x94\x02hi"])
def test_a_malformed_answer_is_the_providers_failure(body: bytes) -> None:
    with pytest.raises(ProviderFailed, match="malformed"):
        result(body).attachments()
