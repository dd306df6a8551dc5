from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog, Product
from gateway.demo.store import Store
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, ContractError, NoSuchMethod, NoSuchService
from gateway.model.exposure import Exposure
from protocols.overloads import ArgumentError
from protocols.texts.service import TextDirectory
from protocols.texts.value import Form

CATALOG, STORE = contract_of(Catalog), contract_of(Store)


def directory(*keys: str) -> TextDirectory:
    contracts = {"demo.Catalog": CATALOG, "demo.Store": STORE}
    parsed = [ServiceKey.parse(each) for each in keys]
    return TextDirectory([Exposure(each, contracts[each.interface]) for each in parsed])


@pytest.mark.parametrize(
    ("name", "service"),
    [
        (b"demo.Catalog.find", "demo.Catalog"),
        (b"demo.Catalog.find_by_name", "demo.Catalog"),
        (b"demo.Catalog.priceHistory", "demo.Catalog"),
        (b"blue/demo.Catalog:1.0.price_history", "blue/demo.Catalog:1.0"),
        (b"demo.Store.get", "demo.Store"),
    ],
)
def test_methods_are_found_by_every_name_they_have(name: bytes, service: str) -> None:
    found = directory("demo.Catalog", "blue/demo.Catalog:1.0", "demo.Store").find(name)

    assert str(found.exposure.service) == service


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (b"demo.Catalog.nope", NoSuchMethod, "demo.Catalog has no method 'nope'"),
        (b"demo.Nope.find", NoSuchService, "there is no service 'demo.Nope' here"),
        (b"find", NoSuchService, "there is no service 'find' here"),
        (b"x" * 100 + b".find", NoSuchService, "there is no service of 100 bytes here"),
        (b"demo.Store.\xff", NoSuchMethod, "no method '\ufffd'"),
    ],
)
def test_what_is_not_there_is_named(name: bytes, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        directory("demo.Catalog", "demo.Store").find(name)


@pytest.mark.parametrize("name", [b"DEMO.CATALOG.FIND", b"demo.catalog.priceHistory", b"Demo.Store.GET"])
def test_case_matters_nothing_where_it_is_asked_so(name: bytes) -> None:
    found = directory("demo.Catalog", "demo.Store")

    assert found.find_in_any_case(name).group.name.lower() == name.rpartition(b".")[2].decode().lower()
    with pytest.raises(NoSuchService):
        found.find(name)
    with pytest.raises(NoSuchService, match=r"'DEMO\.NOPE'"):
        found.find_in_any_case(b"DEMO.NOPE.GET")
    with pytest.raises(NoSuchMethod, match=r"demo\.Store has no method 'NOPE'"):
        found.find_in_any_case(b"DEMO.STORE.NOPE")


def test_names_that_differ_in_case_alone_are_found_as_they_are_written() -> None:
    found = TextDirectory([Exposure(ServiceKey.parse(each), CATALOG) for each in ("demo.Catalog", "demo.CATALOG")])

    assert str(found.find_in_any_case(b"demo.CATALOG.find").exposure.service) == "demo.CATALOG"
    with pytest.raises(NoSuchService):
        found.find_in_any_case(b"DEMO.catalog.find")


@pytest.mark.parametrize(
    ("items", "attribute", "arguments"),
    [([b"42"], "find", (42,)), ([b"Desk lamp"], "find_by_name", ("Desk lamp",))],
)
def test_overloads_are_told_apart_by_what_can_be_read(items: list[bytes], attribute: str, arguments: Any) -> None:
    method, read = directory("demo.Catalog").find(b"demo.Catalog.find").group.read_positional(items)

    assert (method.signature.attribute, read) == (attribute, arguments)


def test_arguments_at_the_end_may_be_left_out() -> None:
    group = directory("demo.Catalog").find(b"demo.Catalog.search").group

    assert group.read_positional([b"lamp"])[1] == ("lamp", 10, None)
    assert group.read_positional([b"lamp", b"3", b'["office"]'])[1] == ("lamp", 3, {"office"})


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "search needs at least 1 arguments, not 0"),
        ([b"a", b"1", b"[]", b"x"], "search takes 3 arguments, not 4"),
        ([b"a", b"x"], "search: limit: expected an integer"),
        ([b"a", b"1", b"[3]"], r"search: tags\[0\]: expected string"),
    ],
)
def test_arguments_that_do_not_fit_are_named(items: list[bytes], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        directory("demo.Catalog").find(b"demo.Catalog.search").group.read_positional(items)


def test_the_place_of_a_bad_argument_is_known() -> None:
    with pytest.raises(ArgumentError) as caught:
        directory("demo.Catalog").find(b"demo.Catalog.put").group.read_positional([b'{"id": "x"}'])

    assert caught.value.path == "args[0].id"


def test_results_are_bytes_too() -> None:
    service = directory("demo.Catalog", "demo.Store").services
    (_, catalog), (_, store) = service
    find, get, count = (
        catalog.groups["find"].candidates[0], store.groups["get"].candidates[0], catalog.groups["count"].candidates[0]
    )  # fmt: skip

    assert (find.result_form, get.result_form, count.result_form) == (Form.JSON, Form.RAW, Form.TEXT)
    assert count.write_result(3) == b"3"
    assert get.write_result(None) is None
    assert get.write_result(b"\0\xff") == b"\0\xff"
    with pytest.raises(Exception, match=r"result\.price"):
        find.write_result(Product(1, "x", Decimal("NaN"), [], None))  # type: ignore[arg-type]


def test_services_without_a_contract_are_refused() -> None:
    with pytest.raises(ContractError, match=r"demo\.Any: .* no service without a contract"):
        TextDirectory([Exposure(ServiceKey("demo.Any"), None)])
