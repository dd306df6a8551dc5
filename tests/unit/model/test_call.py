from typing import Any

import pytest

from gateway.model.call import Invocation, Peer, RawArguments
from gateway.model.contract import MethodContract
from gateway.model.endpoint import ServiceKey
from gateway.model.typeref import Kind, TypeRef

SERVICE = ServiceKey("demo.Catalog")


class Raw:
    """Arguments that count how often they are decoded."""

    wire = "dubbo"

    def __init__(self) -> None:
        self.decoded = 0

    def decode(self) -> tuple[Any, ...]:
        self.decoded += 1
        return (7,)


def full(raw: RawArguments | None = None) -> Invocation:
    return Invocation(
        SERVICE,
        "find",
        None if raw is not None else (7,),
        signature=MethodContract("find", (), TypeRef(Kind.NULL), "find"),
        raw=raw,
        attachments={"a": "b"},
        deadline=5.0,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        peer=Peer("dubbo", "10.0.0.9:1"),
        consumer="shop",
        oneway=True,
    )


def everything(invocation: Invocation) -> dict[str, Any]:
    return {name: getattr(invocation, name) for name in Invocation.__slots__}


def test_calls_are_numbered_and_a_changed_copy_is_the_same_call() -> None:
    first, second = full(), full()
    assert second.call_id > first.call_id
    assert second.replace(deadline=1.0).call_id == second.call_id


@pytest.mark.parametrize("raw", [None, Raw()])
def test_a_copy_differs_only_where_told(raw: RawArguments | None) -> None:
    original = full(raw)
    before = everything(original)
    copy = original.replace(deadline=9.0, attachments={})
    assert everything(original) == before
    assert everything(copy) == before | {"deadline": 9.0, "attachments": {}}


def test_new_arguments_take_the_place_of_the_raw_ones() -> None:
    raw = Raw()
    copy = full(raw).replace(arguments=(8,))
    assert (copy.arguments(), copy.raw, raw.decoded) == ((8,), None, 0)


def test_raw_arguments_are_decoded_once() -> None:
    raw = Raw()
    invocation = full(raw)
    assert [invocation.arguments(), invocation.arguments()] == [(7,), (7,)]
    assert raw.decoded == 1


def test_what_an_invocation_does_not_have_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        full().replace(timeout=3.0)


def test_another_method_ends_the_raw_form_which_names_the_old_one() -> None:
    raw = Raw()
    before = full(raw)
    assert before.replace(attachments={}, service=ServiceKey("demo.Other")).raw is raw
    assert raw.decoded == 0
    renamed = before.replace(method="get")
    assert (renamed.method, renamed.raw, renamed.arguments()) == ("get", None, (7,))
    assert before.replace(signature=None).raw is None
    assert before.replace(method="get", arguments=(8,)).arguments() == (8,)
    assert before.replace(method="get", raw=raw).raw is raw


class Named(Raw):
    """Arguments whose wire can say which method a `$invoke` names without reading the rest."""

    def called_method(self) -> str:
        return "put"


def test_a_generic_call_means_the_method_it_names() -> None:
    service = ServiceKey("demo.Catalog")
    assert Invocation(service, "find", ("put",)).called_method() == "find"
    assert Invocation(service, "$invoke", ("put", None, [])).called_method() == "put"
    assert Invocation(service, "$invokeAsync", ("put", None, [])).called_method() == "put"
    # Java's GenericFilter trims the name.
    assert Invocation(service, "$invoke", ("\t put\x00 ", None, [])).called_method() == "put"
    assert Invocation(service, "$invoke", ()).called_method() == "$invoke"
    assert Invocation(service, "$invoke", (7,)).called_method() == "$invoke"


def test_the_method_a_generic_call_names_is_found_without_reading_its_arguments() -> None:
    service, raw = ServiceKey("demo.Catalog"), Named()
    assert Invocation(service, "$invoke", None, raw=raw).called_method() == "put"
    assert raw.decoded == 0
    assert Invocation(service, "$invoke", ("get", None, []), raw=raw).called_method() == "get"
