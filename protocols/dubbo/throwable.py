"""Exceptions as Java objects: what a fault or an error becomes in a dubbo:// response, and what one there means.

| fault or error | Java object |
| --- | --- |
| an exception of the contract | its Java class |
| another one with a Java class that every Dubbo consumer reads | that class |
| any other | `java.lang.RuntimeException` with the text `ValueError: text` |
| any, as the answer to a `$invoke` | `com.alibaba.dubbo.rpc.service.GenericException` |
| an error of the call machinery | `org.apache.dubbo.rpc.RpcException` with a code |

A consumer that cannot load an exception's class fails with a decoding error instead of telling its caller anything, and
Dubbo 3.2 loads only classes of its allow list and of the interface. Hence the second row.

Sources: apache/dubbo: dubbo-rpc/dubbo-rpc-api/src/main/java/org/apache/dubbo/rpc/RpcException.java and
filter/ExceptionFilter.java beside it; dubbo-common/src/main/java/org/apache/dubbo/rpc/service/GenericException.java;
dubbo-common/src/main/resources/security/serialize.allowlist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault
from gateway.model.contract import MISSING, ServiceContract, StructType
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    NoSuchMethod,
    Overloaded,
    ProviderFailed,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.generic import Record, TypedList
from gateway.model.instance import new_exception
from gateway.model.typeref import Kind, TypeRef
from protocols.dubbo.generic_scalar import mismatch
from protocols.dubbo.realize import realize
from protocols.dubbo.status import format_error, shown_text, tagged_error
from protocols.hessian.errors import shorten
from protocols.java import class_name

__all__ = ["fault_from_throwable", "generic_exception", "throwable_of_error", "throwable_of_fault"]

_RUNTIME_EXCEPTION: Final = "java.lang.RuntimeException"
_RPC_EXCEPTION: Final = "org.apache.dubbo.rpc.RpcException"
_RPC_EXCEPTIONS: Final = frozenset({_RPC_EXCEPTION, "com.alibaba.dubbo.rpc.RpcException"})
_GENERIC_EXCEPTION: Final = "com.alibaba.dubbo.rpc.service.GenericException"
_GENERIC_EXCEPTIONS: Final = frozenset({_GENERIC_EXCEPTION, "org.apache.dubbo.rpc.service.GenericException"})

_READ_BY_ALL: Final = frozenset(
    f"java.lang.{name}"
    for name in (
        "Exception",
        "IllegalAccessError",
        "IllegalAccessException",
        "IllegalArgumentException",
        "IllegalMonitorStateException",
        "IllegalStateException",
        "IllegalThreadStateException",
        "IndexOutOfBoundsException",
        "InstantiationError",
        "InstantiationException",
        "InternalError",
        "InterruptedException",
        "LinkageError",
        "NegativeArraySizeException",
        "NoClassDefFoundError",
        "NoSuchFieldError",
        "NoSuchFieldException",
        "NoSuchMethodError",
        "NoSuchMethodException",
        "NullPointerException",
        "NumberFormatException",
        "OutOfMemoryError",
        "RuntimeException",
        "SecurityException",
        "StackOverflowError",
        "StringIndexOutOfBoundsException",
        "VerifyError",
    )
)
"""The exceptions of serialize.allowlist that need no more than a message."""

_CODES: Final[Mapping[type[RpcError], int]] = {
    ConnectFailed: 1,
    ConnectionLost: 1,
    DeadlineExceeded: 2,
    Forbidden: 4,
    BadRequest: 5,
    NoProvider: 6,
    Overloaded: 7,
    NoSuchMethod: 11,
    Unauthenticated: 13,
}
"""`RpcException.code`; 0, unknown, for all others. The text says exactly what it was (`format_error`)."""

_ERRORS: Final[Mapping[int, type[RpcError]]] = {
    0: ProviderFailed,
    1: ConnectionLost,
    2: DeadlineExceeded,
    3: ProviderFailed,
    4: Forbidden,
    5: BadRequest,
    6: NoProvider,
    7: Overloaded,
    8: DeadlineExceeded,
    9: ProviderFailed,
    10: NoProvider,
    11: NoSuchMethod,
    12: BadRequest,
    13: Unauthenticated,
}
# What Dubbo's filters say with code 0: TokenFilter, and GenericFilter where a method does not exist.
_ERRORS_BY_TEXT: Final = (("Invalid token!", Unauthenticated), ("No such method ", NoSuchMethod))

_MAX_CAUSES: Final = 16
_MAX_STACK_LINES: Final = 1_000
_NATIVE_METHOD: Final = -2  # StackTraceElement.isNativeMethod


def throwable_of_fault(fault: Fault, contract: ServiceContract | None) -> Any:
    """What a decoded fault is written as: an instance of the contract's exception class, or a `Record`.

    Raises:
        ValueMappingError: the declared exception lacks a field that has no default.
    """
    struct = _declared(fault, contract)
    if struct is None:
        java_class, message = _undeclared(fault)
        return _throwable(java_class, message)
    values: dict[str, Any] = {}
    for field in struct.fields:
        value = fault.fields.get(field.name, MISSING)
        if value is MISSING and (value := field.absent()) is MISSING:
            raise ValueMappingError(f"expected {field.type}, found nothing", f"{struct.name}.{field.name}")
        values[field.attribute] = value
    return new_exception(struct, fault.message, values)


def throwable_of_error(error: RpcError) -> Record:
    """The `RpcException` for an error that no response status stands for."""
    code = next((_CODES[each] for each in type(error).__mro__ if each in _CODES), 0)
    return _throwable(_RPC_EXCEPTION, format_error(error), {"code": code})


def generic_exception(fault: Fault, contract: ServiceContract | None) -> Record:
    """The answer to a `$invoke` whose method raised: class and text as text, for callers without the class."""
    struct = _declared(fault, contract)
    java_class, message = _undeclared(fault) if struct is None else (class_name(struct), fault.message)
    lines = [java_class if message is None else f"{java_class}: {message}", *fault.stack]
    return _throwable(_GENERIC_EXCEPTION, "\n".join(lines), {"exceptionClass": java_class, "exceptionMessage": message})


def fault_from_throwable(
    value: Any, contract: ServiceContract | None, attachments: Attachments = NO_ATTACHMENTS
) -> Fault:
    """The fault that an exception in a response stands for.

    `value`: as read, an instance of a contract class or a `Record`.

    Raises:
        RpcError: it is an `RpcException`: Dubbo itself answered, not the service.
        ValueMappingError: it is no exception, or does not fit the contract's exception of its class.
    """
    if isinstance(value, Record):
        stack = tuple(_stack(value))
        name, message = value.type_name, _text(value.get("detailMessage"))
        if name in _GENERIC_EXCEPTIONS:
            name = _text(value.get("exceptionClass")) or name
            message = _text(value.get("exceptionMessage"))
            value = Record(name, {"message": message})
        if name in _RPC_EXCEPTIONS:
            raise _rpc_error(value.get("code"), message or "")
        struct = _by_class(contract, name)
        if struct is None or not _complete(struct, value):
            return Fault(name, message, stack=stack, attachments=attachments)
        assert contract is not None, "a contract has the struct"
        value = realize(value, TypeRef(Kind.EXCEPTION, name=struct.name), contract)
        return _fault(value, struct, stack, attachments)
    struct = _by_python_class(contract, type(value))
    if struct is None:
        raise mismatch("an exception", value)
    return _fault(value, struct, (), attachments)


def _throwable(java_class: str, message: str | None, fields: Mapping[str, Any] | None = None) -> Record:
    # As Java writes one without a cause: it refers to itself there. The empty lists keep their Java types.
    throwable = Record(java_class, fields or {})
    throwable["suppressedExceptions"] = TypedList("java.util.Collections$EmptyList")
    throwable["stackTrace"] = TypedList("[java.lang.StackTraceElement")
    throwable["cause"] = throwable
    throwable["detailMessage"] = message
    return throwable


def _declared(fault: Fault, contract: ServiceContract | None) -> StructType | None:
    named = contract.types.get(fault.type_name) if fault.declared and contract is not None else None
    return named if isinstance(named, StructType) and named.is_exception else None


def _undeclared(fault: Fault) -> tuple[str, str | None]:
    if fault.type_name in _READ_BY_ALL:
        return fault.type_name, fault.message
    name = shorten(fault.type_name)
    return _RUNTIME_EXCEPTION, name if fault.message is None else f"{name}: {fault.message}"


def _rpc_error(code: Any, text: str) -> RpcError:
    if (tagged := tagged_error(text)) is not None:
        return tagged
    for beginning, error in _ERRORS_BY_TEXT:
        if text.startswith(beginning):
            return error(shown_text(text))
    if not isinstance(code, int):
        code = 0
    return _ERRORS.get(code, ProviderFailed)(shown_text(text) or f"the provider answered with RpcException code {code}")


def _exceptions(contract: ServiceContract | None) -> Iterator[StructType]:
    for each in contract.types.values() if contract is not None else ():
        if isinstance(each, StructType) and each.is_exception:
            yield each


def _by_class(contract: ServiceContract | None, java_class: str) -> StructType | None:
    return next((each for each in _exceptions(contract) if class_name(each) == java_class), None)


def _by_python_class(contract: ServiceContract | None, python_class: type[Any]) -> StructType | None:
    return next((each for each in _exceptions(contract) if each.python_class is python_class), None)


def _complete(struct: StructType, value: Record) -> bool:
    """Whether the fault can be the declared one: a GenericException says the class, but none of its fields."""
    return "detailMessage" in value or all(field.optional for field in struct.fields)


def _fault(exception: Any, struct: StructType, stack: tuple[str, ...], attachments: Attachments) -> Fault:
    message = str(exception.args[0]) if exception.args else None
    fields = {field.name: getattr(exception, field.attribute) for field in struct.fields}
    return Fault(struct.name, message, fields, declared=True, stack=stack, attachments=attachments)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _stack(throwable: Record) -> Iterator[str]:
    """The stack trace as `Throwable.printStackTrace` shows it, its causes included."""
    seen: set[int] = set()
    lines = 0
    cause: Any = throwable
    while isinstance(cause, Record) and id(cause) not in seen and len(seen) < _MAX_CAUSES:
        if seen:
            text = _text(cause.get("detailMessage"))
            yield from _lines(f"Caused by: {cause.type_name}" + ("" if text is None else f": {text}"))
        seen.add(id(cause))
        elements = cause.get("stackTrace")
        for element in elements if isinstance(elements, list) else ():
            if lines == _MAX_STACK_LINES:
                return
            if isinstance(element, Record):
                lines += 1
                yield from _lines(f"at {_frame(element)}")
        cause = cause.get("cause")


def _lines(text: str) -> list[str]:
    return shown_text(text).splitlines()


def _frame(element: Record) -> str:
    where, line = _text(element.get("fileName")), element.get("lineNumber")
    if line == _NATIVE_METHOD:
        source = "Native Method"
    elif where is None:
        source = "Unknown Source"
    elif isinstance(line, int) and line >= 0:
        source = f"{where}:{line}"
    else:
        source = where
    return f"{_text(element.get('declaringClass'))}.{_text(element.get('methodName'))}({source})"
