"""The contract built by hand and the one with type hints are the same."""

import dataclasses
import enum
import inspect

import pytest

from gateway.contracts import contract_of
from gateway.demo import catalog, types
from gateway.model.contract import EnumType, MethodContract, NamedType, StructType
from protocols import java
from protocols.corpus import contract as twins
from protocols.corpus.contract import CONTRACT

TWIN = contract_of(types.Types)


@pytest.mark.parametrize("method", CONTRACT.methods, ids=lambda method: method.attribute)
def test_methods_agree(method: MethodContract) -> None:
    (twin,) = TWIN.overloads(method.name)
    assert dataclasses.replace(twin, doc="") == method


@pytest.mark.parametrize("named", CONTRACT.types.values(), ids=lambda named: named.name)
def test_types_agree(named: NamedType) -> None:
    twin = TWIN.types[named.name]
    if isinstance(named, EnumType):
        assert isinstance(twin, EnumType)
        assert dataclasses.replace(twin, python_class=named.python_class, doc="") == named
    else:
        assert isinstance(twin, StructType)
        fields = tuple(dataclasses.replace(each, doc="") for each in twin.fields)
        assert dataclasses.replace(twin, python_class=named.python_class, doc="", fields=fields) == named


def test_nothing_is_missing() -> None:
    assert [each.name for each in TWIN.methods] == [each.name for each in CONTRACT.methods]
    assert TWIN.types.keys() == CONTRACT.types.keys()
    assert TWIN.name == CONTRACT.name


@pytest.mark.parametrize("name", ["Maker", "Point", "Everything", "TypesFailure"])
def test_classes_agree(name: str) -> None:
    ours, theirs = getattr(twins, name), getattr(types, name, None) or getattr(catalog, name)
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
    for left, right in zip(dataclasses.fields(ours), dataclasses.fields(theirs), strict=True):
        assert (left.name, left.default) == (right.name, right.default)
    assert ours.__hash__ is None or theirs.__hash__ is not None
    assert (ours.__hash__ is None) == (theirs.__hash__ is None)


def test_enums_agree() -> None:
    def members(cls: type[enum.Enum]) -> list[tuple[str, object]]:
        return [(each.name, each.value) for each in cls]

    assert members(twins.Status) == members(catalog.Status)


def test_java_can_carry_it() -> None:
    assert java.check_contract(CONTRACT) == []
