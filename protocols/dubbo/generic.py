"""Dubbo's generic calls: `$invoke` with a method name, Java type names and values that carry their structure.

What values look like is the matter of `protocols.dubbo.realize` (towards the contract) and
`protocols.dubbo.generalize` (away from it); both are offered here with what else a generic call needs.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-api/src/main/java/org/apache/dubbo/rpc/filter/GenericFilter.java.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import BadRequest, NoSuchMethod, ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.dubbo.generalize import generalize
from protocols.dubbo.realize import realize
from protocols.hessian.errors import shorten
from protocols.java import canonical_type_name, method_name, type_name

__all__ = ["find_method", "generalize", "generalize_arguments", "realize", "realize_result"]

_ANY: Final = TypeRef(Kind.ANY)
_UNKNOWN: Final = ServiceContract("", ())
_SHOWN_METHODS: Final = 12


def find_method(
    contract: ServiceContract, name: str, types: Sequence[str] | None, argument_count: int
) -> MethodContract:
    """The method that a `$invoke` means.

    `name`: the Java method name; blanks around it do not count. `types`: Java type names (`int`, `java.util.List`,
    `demo.Product[]`), or None, which will do for a method without overloads.

    Raises:
        NoSuchMethod: none has this name, or these types; the text lists what exists.
        BadRequest: as many arguments as types or parameters were expected, or the types are needed.
    """
    name = name.strip()
    if types is not None and len(types) != argument_count:
        raise BadRequest(
            f"{shorten(name)}: expected as many arguments as types, found {argument_count} and {len(types)}"
        )
    named = [method for method in contract.methods if method_name(method) == name]
    if not named:
        raise NoSuchMethod(f"{contract.name} has no method {shorten(name)}, only {_names(contract)}")
    overloads = " or ".join(f"{name}({', '.join(_types(method, contract))})" for method in named)
    if types is None:
        if len(named) > 1:
            raise BadRequest(f"{name} is overloaded, so its parameter types are needed: {overloads}")
        if len(named[0].params) != argument_count:
            raise BadRequest(f"expected the arguments of {overloads}, found {argument_count}")
        return named[0]
    wanted = [canonical_type_name(each) for each in types]
    for method in named:
        if _types(method, contract) == wanted:
            return method
    shown = shorten(", ".join(wanted))
    raise NoSuchMethod(f"{contract.name} has no method {name}({shown}), only {overloads}")


def generalize_arguments(
    values: Sequence[Any], method: MethodContract | None = None, contract: ServiceContract | None = None
) -> list[Any]:
    """The arguments of an outgoing `$invoke`.

    Without a contract they pass as they are given, except that a `Record` becomes a map with its class.

    Raises:
        ValueMappingError: one has no generic form, or does not fit its parameter; the path begins with `args[i]`.
    """
    types = [_ANY] * len(values) if method is None else [param.type for param in method.params]
    if len(types) != len(values):
        raise ValueMappingError(f"expected {len(types)} arguments, found {len(values)}", "args")
    generic = []
    for at, (value, ref) in enumerate(zip(values, types, strict=True)):
        try:
            generic.append(generalize(value, ref, contract or _UNKNOWN))
        except ValueMappingError as exc:
            raise exc.within(f"args[{at}]") from None
    return generic


def realize_result(value: Any, method: MethodContract | None = None, contract: ServiceContract | None = None) -> Any:
    """The value of the answer to a `$invoke`; as it came where there is no contract.

    Raises:
        ValueMappingError: it does not fit the method; the path begins with `result`.
    """
    if method is None or contract is None:
        return value
    try:
        return realize(value, method.returns, contract)
    except ValueMappingError as exc:
        raise exc.within("result") from None


def _types(method: MethodContract, contract: ServiceContract) -> list[str]:
    return [type_name(param.type, contract) for param in method.params]


def _names(contract: ServiceContract) -> str:
    names = list(dict.fromkeys(map(method_name, contract.methods)))
    more = f" and {len(names) - _SHOWN_METHODS} more" if len(names) > _SHOWN_METHODS else ""
    return ", ".join(names[:_SHOWN_METHODS]) + more
