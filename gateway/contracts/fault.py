"""Exceptions of service code as faults, and faults as exceptions.

| raised by the method | fault | raised at the caller |
| --- | --- | --- |
| an exception class of the contract | its contract name and fields, declared | the same class |
| a subclass of one, unknown to the contract | the nearest base the method declares, else knows | that class |
| `RemoteError` (the method called another service) | its class name and text, undeclared | `RemoteError` |
| anything else | class name and text, undeclared | `RemoteError` |

A stack trace is not part of a fault made here: it would show the inside of this process to callers.
"""

from __future__ import annotations

from typing import Any

from gateway.model.call import Fault
from gateway.model.contract import MISSING, MethodContract, ServiceContract, StructType
from gateway.model.errors import ProviderFailed
from gateway.model.fault import RemoteError, ServiceError
from gateway.model.instance import new_exception

__all__ = ["exception_of", "fault_of"]


def fault_of(exc: BaseException, method: MethodContract | None, contract: ServiceContract | None) -> Fault:
    """What callers learn about an exception that a method raised.

    An exception of the contract counts as declared also where another method declares it: every door knows its class.
    `method` and `contract` are None for a service without a contract; then nothing is declared.
    """
    if isinstance(exc, RemoteError):
        return Fault(exc.type_name, exc.message)
    struct = _declared(type(exc), method, contract) if contract is not None else None
    if struct is None:
        return Fault(type(exc).__name__, _text(exc))
    values: dict[str, Any] = {}
    for field in struct.fields:
        value = getattr(exc, field.attribute, MISSING)
        values[field.name] = field.absent() if value is MISSING else value
    if any(value is MISSING for value in values.values()):
        # Its own __init__ left a field out: what would arrive is not the declared exception.
        return Fault(type(exc).__name__, _text(exc))
    return Fault(struct.name, _text(exc), values, declared=True)


def exception_of(fault: Fault, contract: ServiceContract | None) -> ServiceError:
    """The exception a caller in Python gets for a fault; it is built without running any code of its class.

    Raises:
        ProviderFailed: the fault is declared, but lacks a field that has no default.
    """
    fault = fault.decoded()
    struct = contract.types.get(fault.type_name) if fault.declared and contract is not None else None
    if not isinstance(struct, StructType) or not struct.is_exception:
        return RemoteError(fault.type_name, fault.message, fault.stack)
    values: dict[str, Any] = {}
    for field in struct.fields:
        value = fault.fields.get(field.name, MISSING)
        if value is MISSING:
            value = field.absent()
        if value is MISSING:
            raise ProviderFailed(f"the exception {struct.name} arrived without its field {field.name!r}")
        values[field.attribute] = value
    exception: ServiceError = new_exception(struct, fault.message, values)
    return exception


def _declared(cls: type[BaseException], method: MethodContract | None, contract: ServiceContract) -> StructType | None:
    """The contract's exception that stands for a class: the class itself, else its nearest base."""
    known = [
        each
        for base in cls.__mro__
        for each in contract.types.values()
        if isinstance(each, StructType) and each.is_exception and each.python_class is base
    ]
    if method is not None and known and known[0].python_class is not cls:
        names = {each.name for each in method.throws}
        known = [each for each in known if each.name in names] or known
    return known[0] if known else None


def _text(exc: BaseException) -> str | None:
    if isinstance(exc, ServiceError):
        return exc.message
    try:
        return str(exc) or None
    except Exception:  # a __str__ of the service that fails must not hide that the method failed
        return None
