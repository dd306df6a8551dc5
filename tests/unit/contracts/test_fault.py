from dataclasses import replace
from types import MappingProxyType

import pytest

from gateway.contracts.fault import exception_of, fault_of
from gateway.model.call import Fault
from gateway.model.contract import Field, StructType
from gateway.model.errors import ProviderFailed
from gateway.model.fault import RemoteError
from gateway.model.typeref import Kind, TypeRef
from protocols.testing import CONTRACT, FAULTS, FaultCase, Maker, TypesFailure, difference

(FAIL,) = CONTRACT.overloads("fail_declared")
(ECHO,) = CONTRACT.overloads("echo_i32")


def same_fault(left: Fault, right: Fault) -> bool:
    names = ("type_name", "message", "fields", "declared", "stack")
    return all(
        difference(getattr(left, each), getattr(right, each)) is None for each in names if each != "fields"
    ) and (difference(dict(left.fields), dict(right.fields)) is None)


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_a_declared_exception_goes_there_and_back(case: FaultCase) -> None:
    if case.exception is None:
        remote = exception_of(case.fault, CONTRACT)
        assert isinstance(remote, RemoteError)
        assert (remote.type_name, remote.message) == (case.fault.type_name, case.fault.message)
    else:
        assert same_fault(fault_of(case.exception, FAIL, CONTRACT), case.fault)
        assert difference(case.exception, exception_of(case.fault, CONTRACT)) is None


def test_an_undeclared_exception_says_class_and_text_only() -> None:
    fault = fault_of(ValueError("broken"), FAIL, CONTRACT)
    assert same_fault(fault, Fault("ValueError", "broken"))
    assert fault_of(ValueError(), FAIL, CONTRACT).message is None
    assert fault_of(KeyError("k"), None, None).message == "'k'"


def test_an_exception_of_the_contract_is_declared_for_every_method() -> None:
    assert fault_of(TypesFailure("m", code=1), ECHO, CONTRACT).declared
    assert fault_of(TypesFailure("m", code=1), None, CONTRACT).declared
    assert not fault_of(TypesFailure("m", code=1), FAIL, None).declared


def test_a_text_that_cannot_be_made_hides_nothing() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert same_fault(fault_of(Mute(1), FAIL, CONTRACT), Fault("Mute", None))


def test_a_subclass_arrives_as_what_the_contract_knows() -> None:
    class Worse(TypesFailure):
        detail: str

    fault = fault_of(Worse("m", code=3, detail="d"), FAIL, CONTRACT)
    assert same_fault(fault, Fault("demo.TypesFailure", "m", {"code": 3, "culprit": None}, declared=True))


def test_a_subclass_arrives_as_what_its_method_declares() -> None:
    class Middle(TypesFailure):
        pass

    class Worst(Middle):
        pass

    middle = replace(CONTRACT.types["demo.TypesFailure"], name="demo.Middle", python_class=Middle)
    contract = replace(CONTRACT, types=MappingProxyType({**CONTRACT.types, "demo.Middle": middle}))
    assert fault_of(Worst("m", code=1), FAIL, contract).type_name == "demo.TypesFailure"
    assert fault_of(Worst("m", code=1), ECHO, contract).type_name == "demo.Middle"
    assert fault_of(Middle("m", code=1), FAIL, contract).type_name == "demo.Middle"


def test_what_another_service_raised_keeps_its_name() -> None:
    fault = fault_of(RemoteError("java.lang.IllegalStateException", "no", ["at a"]), FAIL, CONTRACT)
    assert same_fault(fault, Fault("java.lang.IllegalStateException", "no"))


def test_a_field_that_was_never_set_becomes_its_default() -> None:
    class Careless(TypesFailure):
        def __init__(self) -> None:
            Exception.__init__(self, "m")
            self.code = 5

    careless = fault_of(Careless(), FAIL, CONTRACT)
    assert same_fault(careless, Fault("demo.TypesFailure", "m", {"code": 5, "culprit": None}, declared=True))

    class Worse(TypesFailure):
        def __init__(self) -> None:
            Exception.__init__(self, "m")

    assert same_fault(fault_of(Worse(), FAIL, CONTRACT), Fault("Worse", "m"))


def test_no_code_of_the_class_runs_at_the_caller() -> None:
    class Loud(TypesFailure):
        def __init__(self) -> None:
            raise AssertionError("ran")

        def __setattr__(self, name: str, value: object) -> None:
            raise AssertionError("ran")

    struct = CONTRACT.types["demo.TypesFailure"]
    contract = replace(CONTRACT, types={**CONTRACT.types, struct.name: replace(struct, python_class=Loud)})
    exception = exception_of(Fault("demo.TypesFailure", "m", {"code": 1}, declared=True), contract)
    assert (type(exception), exception.message, vars(exception)) == (Loud, "m", {"code": 1, "culprit": None})


def test_a_fault_is_declared_only_if_it_says_so() -> None:
    claimed = exception_of(Fault("demo.TypesFailure", "m", {"code": 1}), CONTRACT)
    assert isinstance(claimed, RemoteError)
    unknown = exception_of(Fault("demo.Other", "m", {"code": 1}, declared=True), CONTRACT)
    assert isinstance(unknown, RemoteError)
    no_exception = exception_of(Fault("demo.Maker", "m", {"name": "x"}, declared=True), CONTRACT)
    assert isinstance(no_exception, RemoteError)
    assert isinstance(exception_of(Fault("demo.TypesFailure", "m", declared=True), None), RemoteError)


def test_the_stack_of_the_provider_is_kept() -> None:
    remote = exception_of(Fault("java.lang.Error", "m", stack=("at a.b(C.java:1)",)), CONTRACT)
    assert isinstance(remote, RemoteError)
    assert remote.stack == ("at a.b(C.java:1)",)
    assert str(remote) == "java.lang.Error: m"


def test_a_declared_fault_without_its_field_is_no_exception() -> None:
    with pytest.raises(ProviderFailed, match=r"demo\.TypesFailure arrived without its field 'code'"):
        exception_of(Fault("demo.TypesFailure", "m", {"culprit": Maker("x")}, declared=True), CONTRACT)


def test_fields_are_named_by_the_contract() -> None:
    class Renamed(TypesFailure):
        class_: str = ""

    text = TypeRef(Kind.STRING)
    struct = StructType("demo.Renamed", Renamed, (Field("class", text, "class_"),), is_exception=True)
    contract = replace(CONTRACT, types={"demo.Renamed": struct})
    fault = fault_of(Renamed("m", code=1, class_="c"), None, contract)
    assert fault.fields == {"class": "c"}
    exception = exception_of(fault, contract)
    assert isinstance(exception, Renamed)
    assert exception.class_ == "c"
