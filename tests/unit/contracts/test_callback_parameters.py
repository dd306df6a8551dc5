"""Parameters whose type is a service: what they are in a contract, for Java, and for wires that carry none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Protocol

import pytest

from adapters.dubbo import PLUGIN as DUBBO
from adapters.http_json import PLUGIN as HTTP
from gateway.contracts import Doc, Withdrawn, contract_of, method, service
from gateway.contracts.values import compile_check
from gateway.jsonform.reader import compile_reader
from gateway.jsonform.schema import json_schema
from gateway.jsonform.writer import compile_writer
from gateway.model.errors import ContractError, ValueMappingError
from gateway.model.typeref import SCALARS, Kind, TypeRef
from protocols.dubbo.idl import export_java
from protocols.java import check_contract, method_descriptor, source_type, type_name
from tests.support.callback_bytes import Target
from tests.support.prices import Listener, Prices

CONTRACT, LISTENER = contract_of(Prices), contract_of(Listener)
METHODS = {each.name: each for each in CONTRACT.methods}
CALLBACK = TypeRef(Kind.CALLBACK, name="test.Listener")


def test_a_service_as_the_type_of_a_parameter_is_a_callback() -> None:
    watch, unwatch = METHODS["watch"], METHODS["unwatch"]
    assert [param.type for param in watch.params] == [TypeRef(Kind.STRING), CALLBACK]
    assert (watch.callbacks, unwatch.callbacks, METHODS["announce"].callbacks) == ((1,), (0,), ())
    assert (watch.params[1].withdrawn, unwatch.params[0].withdrawn) == (False, True)
    assert watch.signature == "watch(string, test.Listener) -> string"
    assert dict(CONTRACT.callbacks) == {"test.Listener": LISTENER}
    assert "test.Price" not in CONTRACT.types
    assert Kind.CALLBACK not in SCALARS


def test_a_callback_can_be_described() -> None:
    @service("test.Described")
    class Described(Protocol):
        async def watch(self, listener: Annotated[Listener, Doc("Whom to tell.")]) -> None: ...

        async def unwatch(self, listener: Annotated[Withdrawn[Listener], Doc("Who is tired.")]) -> None: ...

    watch, unwatch = contract_of(Described).methods
    assert (watch.params[0].doc, unwatch.params[0].doc) == ("Whom to tell.", "Who is tired.")
    assert unwatch.params[0].withdrawn


def optional() -> type[Any]:
    class Wrong:
        async def m(self, listener: Listener | None) -> None: ...

    return Wrong


def listed() -> type[Any]:
    class Wrong:
        async def m(self, listeners: list[Listener]) -> None: ...

    return Wrong


def returned() -> type[Any]:
    class Wrong:
        async def m(self) -> Listener: ...

    return Wrong


def defaulted() -> type[Any]:
    class Wrong:
        async def m(self, listener: Listener = None) -> None: ...  # type: ignore[assignment]

    return Wrong


def nested() -> type[Any]:
    class Wrong:
        async def m(self, prices: Prices) -> None: ...

    return Wrong


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (optional, "Listener is a service, so this is a callback; only a whole parameter can be one"),
        (listed, "Listener is a service, so this is a callback; only a whole parameter can be one"),
        (returned, "Listener is a service, so this is a callback; only a whole parameter can be one"),
        (defaulted, "a callback is always given; it has no default"),
        (nested, "Prices cannot be a callback: it takes callbacks itself"),
    ],
)
def test_where_callbacks_cannot_be(make: Callable[[], type[Any]], text: str) -> None:
    with pytest.raises(ContractError, match=text):
        contract_of(service("test.Wrong")(make()))


@service("test.Ping")
class Ping(Protocol):
    async def play(self, other: Pong) -> None: ...


@service("test.Pong")
class Pong(Protocol):
    async def play(self, other: Ping) -> None: ...


def test_services_that_are_each_others_callbacks_are_refused() -> None:
    with pytest.raises(ContractError, match="a callback takes no callbacks itself, and Ping is one"):
        contract_of(Ping)


def test_a_value_is_an_object_that_can_be_called() -> None:
    check = compile_check(CALLBACK, CONTRACT)
    target = Target(LISTENER)
    assert check(target) is target
    for wrong in (None, 7, Target(CONTRACT)):
        with pytest.raises(ValueMappingError):
            check(wrong)


def test_json_has_no_form_for_one() -> None:
    for use in (compile_reader(CALLBACK, CONTRACT), compile_writer(CALLBACK, CONTRACT)):
        with pytest.raises(ValueMappingError, match="a callback has no form in JSON"):
            use({})
    assert json_schema(CALLBACK, CONTRACT)["not"] == {}


def test_java_sees_the_interface() -> None:
    assert type_name(CALLBACK, CONTRACT) == source_type(CALLBACK, CONTRACT) == "test.Listener"
    assert method_descriptor(METHODS["watch"], CONTRACT) == "Ljava/lang/String;Ltest/Listener;"
    assert check_contract(CONTRACT) == []
    files = export_java([CONTRACT])
    assert set(files) == {f"test/{name}.java" for name in ("Listener", "Price", "Prices", "Rejected")}
    assert "java.lang.String watch(java.lang.String sku, test.Listener listener);" in files["test/Prices.java"]
    assert "int changed(test.Price price) throws test.Rejected;" in files["test/Listener.java"]


@service("test.Odd")
class Odd(Protocol):
    @method(names={"java": "class"})
    async def told(self) -> None: ...


@service("test.Asking")
class Asking(Protocol):
    async def ask(self, odd: Odd) -> None: ...


def test_what_java_cannot_carry_of_a_callback_is_found() -> None:
    assert check_contract(contract_of(Asking)) == ["callback test.Odd.told: 'class' is not a Java identifier"]


def test_wires_carry_callbacks_or_refuse_them() -> None:
    assert DUBBO.refusals(CONTRACT) == []
    assert HTTP.refusals(CONTRACT)[0] == "watch(listener): a callback; over http:// a service cannot call its caller"
    unaware = replace(DUBBO, name="lines", callbacks=False)
    assert unaware.refusals(CONTRACT) == ["test.Listener: lines carries no callbacks"]
    assert unaware.refusals(LISTENER) == []
