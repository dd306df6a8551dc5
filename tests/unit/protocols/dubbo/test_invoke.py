"""Calls without a stub: how they are recognised, read and written."""

from __future__ import annotations

from enum import Enum
from typing import Any, Protocol

import pytest

from gateway.contracts import I64, contract_of, service
from gateway.model.errors import BadRequest, NoSuchMethod, ValueMappingError
from gateway.model.generic import Long, Record
from protocols.dubbo.invoke import INVOKE_DESCRIPTOR, CallKind, call_kind, check_mode, read_invoke, write_invoke
from protocols.dubbo.service import ServiceBinding
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer


@service("test.Invoked")
class Invoked(Protocol):
    async def add(self, number: I64, name: str) -> str: ...

    async def ping(self) -> None: ...


BINDING = ServiceBinding(contract_of(Invoked))

# apache/dubbo: GenericService.java declares $invoke(String, String[], Object[]), EchoService.java $echo(Object).
NAME = b"\x03add"
TYPES = b"\x72\x07[string\x04long\x10java.lang.String"
VALUES = b"\x72\x07[object\xe7\x02hi"


@pytest.mark.parametrize(
    ("method", "descriptor", "kind"),
    [
        ("$invoke", INVOKE_DESCRIPTOR, CallKind.INVOKE),
        ("$invokeAsync", INVOKE_DESCRIPTOR, CallKind.INVOKE),
        ("$invoke", "J", CallKind.TYPED),
        ("$echo", "Ljava/lang/Object;", CallKind.ECHO),
        ("$echo", INVOKE_DESCRIPTOR, CallKind.TYPED),
        ("add", INVOKE_DESCRIPTOR, CallKind.TYPED),
    ],
)
def test_name_and_descriptor_say_the_kind(method: str, descriptor: str, kind: CallKind) -> None:
    assert call_kind(method, descriptor) is kind


@pytest.mark.parametrize("mode", [None, "", "true"])
def test_plain_generic_mode_is_offered(mode: str | None) -> None:
    check_mode(mode)


@pytest.mark.parametrize("mode", ["nativejava", "bean", "raw.return", "protobuf-json", "a\nb" * 100])
def test_modes_that_choose_a_decoder_are_refused(mode: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_mode(mode)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_method_and_values_of_a_call() -> None:
    method, values = read_invoke(Reader(NAME + TYPES + VALUES), BINDING)
    assert method.java_name == "add"
    assert values == (7, "hi")


def test_null_arguments_are_none_and_null_types_will_do_without_overloads() -> None:
    method, values = read_invoke(Reader(b"\x04pingNN"), BINDING)
    assert (method.java_name, values) == ("ping", ())


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (b"\x90" + TYPES + VALUES, BadRequest, "the method name must be a string"),
        (b"N" + TYPES + VALUES, BadRequest, "the method name must be a string"),
        (NAME + b"\x90" + VALUES, BadRequest, "the parameter types must be a list of strings or null"),
        (NAME + b"\x79\x90" + VALUES, BadRequest, "the parameter types must be a list of strings or null"),
        (NAME + TYPES + b"HZ", BadRequest, "the arguments must be a list or null"),
        (NAME + TYPES + b"\x79\x91", BadRequest, "as many arguments as types"),
        (b"\x03sub" + TYPES + VALUES, NoSuchMethod, "has no method sub"),
        (NAME + TYPES, HessianError, "found the end of the data"),
    ],
)
def test_malformed_call_is_refused(data: bytes, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        read_invoke(Reader(data), BINDING)


def written(name: str, types: list[str] | None, values: list[Any]) -> bytes:
    writer = Writer()
    write_invoke(writer, name, types, values)
    return bytes(writer.out)


def test_call_is_written_with_the_arrays_java_asks_for() -> None:
    assert written("add", ["long", "java.lang.String"], [Long(7), "hi"]) == NAME + TYPES + VALUES
    assert written("ping", None, []) == b"\x04pingN" + b"\x70\x07[object"


def test_values_without_a_contract_are_written_as_pojo_utils_makes_them() -> None:
    class Colour(Enum):
        RED = 1

    found = written("paint", None, [Record("demo.Pot", {"colour": Colour.RED})])
    # PojoUtils: a bean is a map with its class under the key "class", an enum the name of its constant.
    assert found == b"\x05paintN" + b"\x71\x07[objectH\x05class\x08demo.Pot\x06colour\x03REDZ"


def test_value_that_has_no_generic_form_is_named() -> None:
    with pytest.raises(ValueMappingError, match=r"^args\[1\]\[value 0\]: object has no generic form"):
        written("add", None, [1, {"a": object()}])
