"""Calls as texts that outlive the process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

import pytest

from gateway.contracts import I64, contract_of, method, service
from gateway.failback.record import CallForm, Unreadable
from gateway.model.call import Invocation
from gateway.model.contract import MethodContract, ServiceContract, StructType
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest
from gateway.model.generic import BigInt, Long, Record
from gateway.spi.failback import CALL_ID, StoredCall, StoreError
from protocols.testing import CONTRACT as CORPUS_CONTRACT
from protocols.testing import CORPUS, Case, difference

SERVICE = ServiceKey("test.Orders", "blue", "1.0")


@dataclass
class Line:
    sku: str
    price: Decimal


@service("test.Orders")
class Orders(Protocol):
    async def place(self, customer: str, lines: list[Line]) -> I64: ...

    @method(name="place")
    async def place_again(self, number: I64) -> None: ...

    @method(oneway=True)
    async def note(self, what: Any) -> None: ...


CONTRACT = contract_of(Orders)
PLACE, AGAIN, NOTE = CONTRACT.methods


def kept(body: bytes) -> StoredCall:
    return StoredCall("id-1", "orders", 0.0, 1.0, 0.0, body, "")


def call(signature: MethodContract | None, *arguments: Any, **more: Any) -> Invocation:
    name = signature.name if signature is not None else "$invoke"
    return Invocation(SERVICE, more.pop("method", name), arguments, signature=signature, **more)


def test_a_call_is_made_again_as_it_was() -> None:
    form = CallForm(CONTRACT)
    lines = [Line("lamp", Decimal("49.90"))]
    body, _ = form.write(
        call(
            PLACE,
            "Änn",
            lines,
            attachments={"user": "ann", "n": 7, "polyport-explain": "true", CALL_ID: "id-1"},
            traceparent="00-aa-bb-01",
            consumer="shop",
            deadline=5.0,
        )
    )

    again = form.read(kept(body))

    assert (again.service, again.method, again.signature) == (SERVICE, "place", PLACE)
    assert again.arguments() == ("Änn", lines)
    assert again.arguments()[1][0].price.as_tuple() == Decimal("49.90").as_tuple()
    assert dict(again.attachments) == {"user": "ann", "n": 7, CALL_ID: "id-1"}
    assert (again.traceparent, again.consumer, again.oneway, again.deadline) == ("00-aa-bb-01", "shop", False, None)
    # Data that anybody may read, and nothing that could be run.
    assert json.loads(body)["arguments"] == ["Änn", [{"sku": "lamp", "price": "49.90"}]]


def test_overloads_and_oneway_calls_are_told_apart() -> None:
    form = CallForm(CONTRACT)
    again = form.read(kept(form.write(call(AGAIN, 7))[0]))
    note = form.read(kept(form.write(call(NOTE, Record("a.B", {"x": 1}), oneway=True))[0]))

    assert (again.signature, again.arguments()) == (AGAIN, (7,))
    assert (note.signature, note.oneway) == (NOTE, True)
    assert note.arguments() == (Record("a.B", {"x": 1}),)


def test_generic_calls_keep_what_no_contract_says() -> None:
    arguments = ("find", ["long"], [Long(7), BigInt(8), Record("demo.Product", {"id": Long(1)}), 1.0, b"x"])
    for form in (CallForm(None), CallForm(CONTRACT)):
        again = form.read(kept(form.write(call(None, *arguments))[0]))

        assert (again.method, again.signature) == ("$invoke", None)
        assert again.arguments() == arguments
        values = again.arguments()[2]
        assert [type(each) for each in values] == [Long, BigInt, Record, float, bytes]


@pytest.mark.parametrize("case", [case for case in CORPUS if not case.large], ids=lambda case: case.name)
def test_every_value_is_kept_as_it_is_or_refused(case: Case) -> None:
    form = CallForm(CORPUS_CONTRACT)
    (signature,) = (each for each in CORPUS_CONTRACT.methods if each.attribute == case.method)
    made = Invocation(SERVICE, signature.name, case.arguments, signature=signature)
    if "surrogate" in case.name:
        with pytest.raises(StoreError, match="the lone surrogate"):
            form.write(made)
    else:
        assert difference(case.arguments, form.read(kept(form.write(made)[0])).arguments()) is None


def test_what_has_no_lossless_form_is_refused_with_its_place() -> None:
    form = CallForm(CONTRACT)
    with pytest.raises(StoreError, match=r"place: args\[0\]: the lone surrogate"):
        form.write(call(PLACE, "\ud800", []))
    with pytest.raises(StoreError, match=r"note: args\[0\]: object is no class of the contract"):
        form.write(call(NOTE, object()))
    with pytest.raises(StoreError, match=r"\$invoke: args\[2\]\[0\]: object is no class of the contract"):
        form.write(call(None, "find", [], [object()]))
    with pytest.raises(StoreError, match="find came without a contract, and only generic calls can be kept then"):
        form.write(call(None, 1, method="find"))


def test_what_would_be_too_much_to_read_is_not_written() -> None:
    with pytest.raises(StoreError, match="too many values for one message"):
        CallForm(CONTRACT).write(call(NOTE, [[] for _ in range(200_000)]))


def test_arguments_that_do_not_fit_are_the_callers_fault() -> None:
    class Bytes:
        wire = "dubbo"

        def decode(self) -> tuple[Any, ...]:
            raise BadRequest("args[0]: expected string")

    raw = Invocation(SERVICE, "place", None, signature=PLACE, raw=Bytes())
    with pytest.raises(BadRequest):
        CallForm(CONTRACT).write(raw)


def test_secrets_are_not_kept() -> None:
    attachments = {"token": "hunter2", "Authorization": "Bearer hunter2", "user": "ann"}
    body, _ = CallForm(CONTRACT).write(call(AGAIN, 1, attachments=attachments))

    assert b"hunter2" not in body
    assert json.loads(body)["attachments"] == {"user": "ann"}


def test_digests_are_equal_for_equal_calls_alone() -> None:
    form = CallForm(CONTRACT)

    def digest(*arguments: Any, **more: Any) -> str:
        return form.write(call(AGAIN, *arguments, **more))[1]

    assert digest(1) == digest(1, attachments={"a": "b"}, traceparent="x", consumer="me")
    assert digest(1) != digest(2)
    assert digest(1) != form.write(Invocation(ServiceKey("test.Orders"), "place", (1,), signature=AGAIN))[1]


def changed(*methods: MethodContract) -> ServiceContract:
    return replace(CONTRACT, methods=tuple(methods))


@pytest.mark.parametrize(
    ("contract", "why"),
    [
        (changed(AGAIN, NOTE), r"test\.Orders has no method place\(string, list<\S+Line>\) any more"),
        (changed(replace(PLACE, params=PLACE.params[:1])), r"has no method place\(string, list<\S+Line>\) any more"),
        (None, "was called by a contract, and there is none any more"),
    ],
)
def test_a_contract_that_lost_the_method_is_named(contract: ServiceContract | None, why: str) -> None:
    body, _ = CallForm(CONTRACT).write(call(PLACE, "ann", []))
    with pytest.raises(Unreadable, match=why):
        CallForm(contract).read(kept(body))


def test_a_struct_that_has_changed_is_named_with_its_place() -> None:
    body, _ = CallForm(CONTRACT).write(call(PLACE, "ann", [Line("lamp", Decimal(1))]))
    ((name, struct),) = CONTRACT.types.items()
    assert isinstance(struct, StructType)
    renamed = replace(struct, fields=(struct.fields[0], replace(struct.fields[1], name="amount")))
    with pytest.raises(Unreadable, match=r"place no longer fits: args\[1\]\[0\]: the field 'amount' of test\.Line"):
        CallForm(replace(CONTRACT, types={name: renamed})).read(kept(body))


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"{}", b'{"format":2}', b'{"format":1}', b'{"format":1,"method":7}']
)
def test_a_damaged_record_is_unreadable_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(Unreadable):
        CallForm(CONTRACT).read(kept(body))


def test_no_change_of_a_record_gets_out_as_something_else() -> None:
    body, _ = CallForm(CONTRACT).write(call(PLACE, "ann", [Line("lamp", Decimal("1.5"))], attachments={"a": "b"}))
    document = json.loads(body)

    def variants() -> Sequence[bytes]:
        values: Sequence[Any] = (None, 1, "x", [], {}, [[1]], {"$type": "list"})
        found = [{**document, key: value} for key in document for value in values]
        found += [{name: each for name, each in document.items() if name != key} for key in document]
        return [*(json.dumps(each).encode() for each in found), *(body[:end] for end in range(len(body)))]

    read = 0
    for variant in variants():
        try:
            CallForm(CONTRACT).read(kept(variant))
            read += 1
        except Unreadable:
            continue
    assert read < 30
