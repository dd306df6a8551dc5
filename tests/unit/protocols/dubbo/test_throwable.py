"""Exceptions on dubbo://. Bytes and stack traces come from hessian-lite, codes and classes from Dubbo's sources."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.model.call import Fault
from gateway.model.errors import (
    RPC_ERRORS,
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.generic import Long, Record, TypedList
from gateway.model.typeref import Kind
from protocols.dubbo.throwable import fault_from_throwable, generic_exception, throwable_of_error, throwable_of_fault
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer
from tests.support.hessian_lite import HESSIAN_LITE_3, HESSIAN_LITE_4, load_samples
from tests.support.shop_contract import SHOP, TYPES, ProductNotFound, plain, ref, struct

RPC = "org.apache.dubbo.rpc.RpcException"


def encode(value: Any) -> bytes:
    writer = Writer()
    writer.write(value)
    return writer.finish()


def recorded(name: str) -> Any:
    """A throwable as hessian-lite wrote it."""
    (sample,) = [each for each in load_samples(HESSIAN_LITE_3) if each.name == name]
    assert sample.data is not None
    return Reader(sample.data).read()


def test_an_unknown_exception_becomes_the_runtime_exception_that_java_writes() -> None:
    (golden,) = [each for each in load_samples(HESSIAN_LITE_4) if each.name == "throwable/golden"]
    assert encode(throwable_of_fault(Fault("java.lang.RuntimeException", "boom"), None)) == golden.data


@pytest.mark.parametrize(
    ("type_name", "message", "java_class", "text"),
    [
        ("ValueError", "no good", "java.lang.RuntimeException", "ValueError: no good"),
        ("ValueError", None, "java.lang.RuntimeException", "ValueError"),
        ("java.lang.IllegalStateException", "shut", "java.lang.IllegalStateException", "shut"),
        ("java.lang.NullPointerException", None, "java.lang.NullPointerException", None),
        # Refused by the class check of Dubbo 3.2 and later.
        ("java.sql.SQLException", "down", "java.lang.RuntimeException", "java.sql.SQLException: down"),
        ("com.acme.Trouble", "x", "java.lang.RuntimeException", "com.acme.Trouble: x"),
        (
            "java.lang.IllegalStateException\n",
            "x",
            "java.lang.RuntimeException",
            "java.lang.IllegalStateException\\n: x",
        ),
    ],
)
def test_undeclared_faults(type_name: str, message: str | None, java_class: str, text: str | None) -> None:
    throwable = throwable_of_fault(Fault(type_name, message), SHOP)
    assert throwable.type_name == java_class
    assert throwable["detailMessage"] == text
    assert throwable["cause"] is throwable


def test_a_declared_fault_becomes_its_class() -> None:
    fault = Fault("shop.ProductNotFound", "no 7", {"product_id": 7}, declared=True)
    exception = throwable_of_fault(fault, SHOP)
    assert type(exception) is ProductNotFound
    assert (str(exception), exception.product_id, exception.hint) == ("no 7", 7, None)


def test_a_declared_fault_without_a_required_field_is_refused() -> None:
    with pytest.raises(ValueMappingError, match=r"^shop\.ProductNotFound\.product_id: expected i64, found nothing$"):
        throwable_of_fault(Fault("shop.ProductNotFound", None, declared=True), SHOP)


def test_a_declared_fault_of_another_contract_is_text() -> None:
    throwable = throwable_of_fault(Fault("other.Gone", "x", declared=True), SHOP)
    assert (throwable.type_name, throwable["detailMessage"]) == ("java.lang.RuntimeException", "other.Gone: x")


def test_generic_callers_get_class_and_text() -> None:
    fault = Fault("shop.ProductNotFound", "no 7", {"product_id": 7}, declared=True)
    contract = replace(
        SHOP, types=TYPES | {"shop.ProductNotFound": replace(TYPES["shop.ProductNotFound"], names={"java": "x.Gone"})}
    )
    record = generic_exception(fault, contract)
    assert record.type_name == "com.alibaba.dubbo.rpc.service.GenericException"
    assert record["exceptionClass"] == "x.Gone"
    assert record["exceptionMessage"] == "no 7"
    assert record["detailMessage"] == "x.Gone: no 7"
    assert {"cause", "stackTrace", "suppressedExceptions"} < record.keys()


def test_a_generic_exception_of_an_undeclared_fault_has_a_class_java_can_load() -> None:
    record = generic_exception(Fault("ValueError", "no good", stack=("at a.B.c(D.java:1)",)), None)
    assert record["exceptionClass"] == "java.lang.RuntimeException"
    assert record["exceptionMessage"] == "ValueError: no good"
    assert record["detailMessage"] == "java.lang.RuntimeException: ValueError: no good\nat a.B.c(D.java:1)"


def test_java_exceptions_become_faults() -> None:
    fault = fault_from_throwable(recorded("throwable/golden"), None, {"k": "v"})
    assert (fault.type_name, fault.message, fault.declared) == ("java.lang.RuntimeException", "boom", False)
    assert (fault.stack, fault.attachments) == ((), {"k": "v"})
    assert fault_from_throwable(recorded("throwable/no-message"), SHOP).message is None
    assert fault_from_throwable(recorded("throwable/error"), None).type_name == "java.lang.StackOverflowError"


def test_stack_traces_read_as_java_prints_them() -> None:
    assert fault_from_throwable(recorded("throwable/stack"), None).stack == (
        "at t.Caller.call0(Caller.java:10)",
        "at t.Caller.call1(Unknown Source)",
    )
    fault = fault_from_throwable(recorded("throwable/cause"), None)
    assert fault.message == "outer"
    assert fault.stack == (
        "at t.Caller.call0(Caller.java:10)",
        "Caused by: java.lang.IllegalArgumentException: inner",
        "at t.Caller.call0(Caller.java:10)",
    )


@pytest.mark.parametrize(
    ("file", "line", "source"), [("A.java", -2, "Native Method"), ("A.java", -1, "A.java"), (None, 5, "Unknown Source")]
)
def test_stack_elements_without_a_position(file: str | None, line: int, source: str) -> None:
    element = {"declaringClass": "a.A", "methodName": "m", "fileName": file, "lineNumber": line}
    stack = TypedList("[java.lang.StackTraceElement", [Record("java.lang.StackTraceElement", element)])
    assert fault_from_throwable(Record("x.E", {"stackTrace": stack}), None).stack == (f"at a.A.m({source})",)


def test_hostile_stack_traces_end() -> None:
    element = Record("java.lang.StackTraceElement", {"declaringClass": "a\nb", "methodName": 5})
    one, two = Record("x.One", {"stackTrace": [element] * 5_000}), Record("x.Two", {"stackTrace": "none"})
    one["cause"], two["cause"] = two, one
    stack = fault_from_throwable(two, None).stack
    assert len(stack) < 2_100
    assert not any("\n" in line for line in stack)
    chain: Record | None = None
    for at in range(1_000):
        chain = Record(f"x.E{at}", {"cause": chain, "detailMessage": "m"})
    assert len(fault_from_throwable(chain, None).stack) == 15


def test_an_exception_of_the_contract_is_declared() -> None:
    fault = fault_from_throwable(ProductNotFound("no 7", product_id=7), SHOP)
    assert (fault.type_name, fault.message, fault.declared) == ("shop.ProductNotFound", "no 7", True)
    assert fault.fields == {"product_id": 7, "hint": None}
    assert fault_from_throwable(ProductNotFound(product_id=7), SHOP).message is None


def test_an_untyped_object_of_a_declared_class_is_declared_too() -> None:
    record = Record("shop.ProductNotFound", {"productId": Long(7), "hint": "look", "detailMessage": "no 7"})
    record["cause"] = record
    record["stackTrace"] = TypedList("[java.lang.StackTraceElement")
    fault = fault_from_throwable(record, SHOP)
    assert (fault.type_name, fault.message, fault.declared) == ("shop.ProductNotFound", "no 7", True)
    assert fault.fields == {"product_id": 7, "hint": "look"}
    with pytest.raises(ValueMappingError, match="product_id"):
        fault_from_throwable(Record("shop.ProductNotFound", {"detailMessage": None}), SHOP)


@pytest.mark.parametrize("package", ["com.alibaba.dubbo", "org.apache.dubbo"])
def test_generic_exceptions_say_what_was_raised(package: str) -> None:
    name = f"{package}.rpc.service.GenericException"
    values = {"exceptionClass": "a.B", "exceptionMessage": "text", "detailMessage": "a.B: text\n..."}
    fault = fault_from_throwable(Record(name, values), SHOP)
    assert (fault.type_name, fault.message, fault.declared) == ("a.B", "text", False)
    assert fault_from_throwable(Record(name, {"exceptionMessage": "text"}), SHOP).type_name == name


def test_a_generic_exception_is_declared_only_where_no_field_is_missing() -> None:
    name = "com.alibaba.dubbo.rpc.service.GenericException"
    gone = Record(name, {"exceptionClass": "shop.ProductNotFound", "exceptionMessage": "no 7"})
    fault = fault_from_throwable(gone, SHOP)
    assert (fault.type_name, fault.message, fault.declared) == ("shop.ProductNotFound", "no 7", False)
    hint = plain("hint", ref(Kind.STRING, nullable=True))
    bare = struct("shop.ProductNotFound", ProductNotFound, hint, is_exception=True)
    fault = fault_from_throwable(gone, replace(SHOP, types={bare.name: bare}))
    assert (fault.type_name, fault.message, fault.declared) == ("shop.ProductNotFound", "no 7", True)
    assert fault.fields == {"hint": None}


@pytest.mark.parametrize("value", [None, "text", {"detailMessage": "x"}, [], 5])
def test_what_is_no_exception_is_refused(value: Any) -> None:
    with pytest.raises(ValueMappingError, match=r"^expected an exception, found "):
        fault_from_throwable(value, SHOP)


# org.apache.dubbo.rpc.RpcException: the constants
CODES = {
    0: ProviderFailed,  # UNKNOWN_EXCEPTION
    1: ConnectionLost,  # NETWORK_EXCEPTION
    2: DeadlineExceeded,  # TIMEOUT_EXCEPTION
    3: ProviderFailed,  # BIZ_EXCEPTION
    4: Forbidden,  # FORBIDDEN_EXCEPTION
    5: BadRequest,  # SERIALIZATION_EXCEPTION
    6: NoProvider,  # NO_INVOKER_AVAILABLE_AFTER_FILTER
    7: Overloaded,  # LIMIT_EXCEEDED_EXCEPTION
    8: DeadlineExceeded,  # TIMEOUT_TERMINATE
    9: ProviderFailed,  # REGISTRY_EXCEPTION
    10: NoProvider,  # ROUTER_CACHE_NOT_BUILD
    11: NoSuchMethod,  # METHOD_NOT_FOUND
    12: BadRequest,  # VALIDATION_EXCEPTION
    13: Unauthenticated,  # AUTHORIZATION_EXCEPTION
    14: ProviderFailed,
    None: ProviderFailed,
    "2": ProviderFailed,
}


@pytest.mark.parametrize("name", [RPC, "com.alibaba.dubbo.rpc.RpcException"])
@pytest.mark.parametrize(("code", "expected"), CODES.items(), ids=str)
def test_codes_of_rpc_exceptions(name: str, code: Any, expected: type[RpcError]) -> None:
    with pytest.raises(RpcError, match=r"^went wrong$") as caught:
        fault_from_throwable(Record(name, {"code": code, "detailMessage": "went wrong"}), SHOP)
    assert type(caught.value) is expected
    with pytest.raises(RpcError, match=r"^the provider answered with RpcException code "):
        fault_from_throwable(Record(name, {"code": code, "detailMessage": None}), SHOP)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Invalid token! Forbid invoke remote service interface demo.Catalog", Unauthenticated),
        ("No such method nope in class interface demo.Catalog", NoSuchMethod),
    ],
)
def test_what_filters_say_with_code_0(text: str, expected: type[RpcError]) -> None:
    with pytest.raises(expected):
        fault_from_throwable(Record(RPC, {"code": 0, "detailMessage": text}), None)


def test_long_texts_are_cut() -> None:
    with pytest.raises(ProviderFailed) as caught:
        fault_from_throwable(Record(RPC, {"code": 0, "detailMessage": "x" * 1_000_000}), None)
    assert len(str(caught.value)) < 2_100


def test_an_rpc_exception_inside_a_generic_exception_is_an_error() -> None:
    values = {"exceptionClass": RPC, "exceptionMessage": "Invalid token! x"}
    with pytest.raises(Unauthenticated):
        fault_from_throwable(Record("com.alibaba.dubbo.rpc.service.GenericException", values), None)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectFailed("x"), 1),
        (ConnectionLost("x"), 1),
        (DeadlineExceeded("x"), 2),
        (Forbidden("x"), 4),
        (BadRequest("x"), 5),
        (NoProvider("x"), 6),
        (Overloaded("x"), 7),
        (NoSuchMethod("x"), 11),
        (Unauthenticated("x"), 13),
        (NoSuchService("x"), 0),
        (ProviderFailed("x"), 0),
        (DeadlineExceeded("x", exhausted=True), 2),
        (RpcError("x"), 0),
    ],
    ids=repr,
)
def test_errors_become_rpc_exceptions_and_come_back(error: RpcError, code: int) -> None:
    record = throwable_of_error(error)
    assert (record.type_name, record["code"]) == (RPC, code)
    again = Reader(encode(record)).read()
    with pytest.raises(RpcError) as caught:
        fault_from_throwable(again, None)
    if type(error) is not RpcError:
        assert type(caught.value) is type(error)
        assert (str(caught.value), caught.value.exhausted) == ("x", error.exhausted)


def test_every_error_of_the_tree_has_a_way_there_and_back() -> None:
    for error in RPC_ERRORS.values():
        with pytest.raises(error):
            fault_from_throwable(throwable_of_error(error("x")), None)
