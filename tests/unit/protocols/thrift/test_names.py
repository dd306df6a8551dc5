"""How contracts are called in Thrift, and the numbers of their fields."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Protocol

import pytest

from gateway.contracts import I32, I64, ServiceError, contract_of, method, service
from gateway.contracts.declaration import struct
from gateway.demo.catalog import Catalog
from gateway.demo.reports import Reports
from gateway.model.contract import ServiceContract
from protocols.thrift import names
from protocols.thrift.mapping import check_contract


def methods(contract: ServiceContract) -> dict[str, str]:
    return {each.attribute: names.method_name(contract, each) for each in contract.methods}


def ids(contract: ServiceContract, name: str) -> dict[str, int]:
    definition: Any = contract.types[name]
    return dict(zip([each.name for each in definition.fields], names.field_ids(definition), strict=True))


def test_the_demo_catalog_is_called_as_its_idl_says() -> None:
    contract = contract_of(Catalog)
    assert names.service_name(contract) == "Catalog"
    # Overloads have the names they have in Python.
    assert [methods(contract)[each] for each in ("find", "find_by_name", "count")] == ["find", "find_by_name", "count"]
    assert ids(contract, "demo.Maker") == {"name": 1, "country": 2, "parent": 3}
    assert ids(contract, "demo.OutOfStock") == {"warehouse": 2, "missing": 3}
    assert names.type_name(contract.types["demo.OutOfStock"]) == "OutOfStock"
    reserve = next(each for each in contract.methods if each.attribute == "reserve")
    assert (names.param_ids(reserve), names.throws_ids(reserve)) == ((1, 2, 3), (1, 2))
    assert names.throws_names(reserve) == ("error1", "error2")
    assert names.enum_values(contract.types["demo.Status"]) == {"ACTIVE": 0, "PREORDER": 1, "DISCONTINUED": 2}  # type: ignore[arg-type]
    assert check_contract(contract) == []


class Level(Enum):
    LOW = 10
    HIGH = 20


class Odd(Enum):
    ONE = 1
    TEXT = "text"


@struct(names={"thrift": "Failed(message=4)"})
class Failure(ServiceError):
    code: I32
    why: str = field(metadata={"names": {"thrift": "7:reason"}})
    more: str


@struct(names={"thrift": "Silent(message=0)"})
class Quiet(ServiceError):
    code: I32


@dataclass
class Order:
    id: I64
    text: str = field(metadata={"names": {"thrift": "9:label"}})
    level: Level
    odd: Odd = field(metadata={"names": {"thrift": "5:"}})


@service("shop.Orders", names={"thrift": "OrderService"})
class Orders(Protocol):
    @method(names={"thrift": "submit(3, 8) throws(2, 9)"}, throws=(Failure, Quiet))
    async def put(self, order: Order, note: str) -> I64: ...

    @method(names={"thrift": "(4)"})
    async def drop(self, id: I64) -> None: ...


def test_a_contract_says_names_and_numbers_itself() -> None:
    contract = contract_of(Orders)
    assert names.service_name(contract) == "OrderService"
    assert methods(contract) == {"put": "submit", "drop": "drop"}
    put, drop = contract.methods
    assert (names.param_ids(put), names.throws_ids(put), names.param_ids(drop)) == ((3, 8), (2, 9), (4,))
    assert ids(contract, "shop.Order") == {"id": 1, "text": 9, "level": 10, "odd": 5}
    assert ids(contract, "shop.Failure") == {"code": 1, "why": 7, "more": 8}
    failure: Any = contract.types["shop.Failure"]
    assert (names.type_name(failure), names.message_id(failure)) == ("Failed", 4)
    assert names.field_name(failure.fields[1]) == "reason"
    assert names.message_id(contract.types["shop.Quiet"]) == 0  # type: ignore[arg-type]
    assert ids(contract, "shop.Quiet") == {"code": 1}
    assert names.enum_values(contract.types["shop.Level"]) == {"LOW": 10, "HIGH": 20}  # type: ignore[arg-type]
    assert names.enum_values(contract.types["shop.Odd"]) == {"ONE": 0, "TEXT": 1}  # type: ignore[arg-type]
    assert check_contract(contract) == []


@dataclass
class Thing:
    first: I32
    second: I32


@service("a.Told")
class Told(Protocol):
    async def other(self) -> None: ...

    async def tell(self, thing: Thing, number: I32) -> None: ...


def refused(said: str, of_field: str) -> list[str]:
    contract = contract_of(Told)
    other, tell = contract.methods
    thing: Any = contract.types["a.Thing"]
    first, second = thing.fields
    if said:
        tell = replace(tell, names={"thrift": said})
    if of_field:
        thing = replace(thing, fields=(first, replace(second, names={"thrift": of_field})))
    return check_contract(replace(contract, methods=(other, tell), types={"a.Thing": thing}))


@pytest.mark.parametrize(
    ("said", "of_field", "problem"),
    [
        ("tell(1)", "", "1 numbers for 2 params"),
        ("tell(1, 1)", "", "two fields have one number"),
        ("tell(0, 1)", "", "0 is no number for a field"),
        ("tell(1, 32767)", "", "32767 is no number for a field"),
        ("other", "", "Thrift calls it other, as other"),
        ("no name", "", "is no name for Thrift"),
        ("", "1:", "two fields have one number"),
        ("", "first", "two fields are called first"),
        ("", "99999:x", "99999 is no number"),
    ],
)
def test_names_and_numbers_that_cannot_be_are_told(said: str, of_field: str, problem: str) -> None:
    (found,) = refused(said, of_field)
    assert problem in found


def test_callbacks_are_not_carried() -> None:
    assert all("a callback" in each for each in check_contract(contract_of(Reports)))
    assert check_contract(contract_of(Reports))
