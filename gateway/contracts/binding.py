"""Arguments bound to parameters: the overload that fits, in contract order, defaults filled in."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.contracts.values import Checker, compile_check
from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.errors import BadRequest, ValueMappingError
from gateway.model.typeref import TypeRef

__all__ = ["Convert", "bind_arguments", "check_value", "compile_arguments"]

Convert = Callable[[Any, TypeRef, ServiceContract], Any]
"""Turns a caller's value into the contract value of a type; raises `ValueMappingError` when it has none."""


def check_value(value: Any, ref: TypeRef, contract: ServiceContract) -> Any:
    """The conversion for callers in Python. See `gateway.contracts.values`."""
    return compile_check(ref, contract)(value)


def compile_arguments(method: MethodContract, checker: Checker) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """A function that checks a complete set of arguments, in contract order, as `gateway.contracts.values` tells.

    For a local service that is called from Python, where no wire checks anything. The function raises
    `ValueMappingError` with a path like `args[0].price`.
    """
    checks = tuple(checker.compile(param.type) for param in method.params)

    def check_arguments(values: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(values) != len(checks):
            raise BadRequest(f"{method.signature} takes {len(checks)} arguments, {len(values)} were given")
        checked: list[Any] = []
        for index, (check, value) in enumerate(zip(checks, values, strict=True)):
            try:
                checked.append(check(value))
            except ValueMappingError as exc:
                raise exc.within(f"args[{index}]") from None
        return tuple(checked)

    return check_arguments


def bind_arguments(
    methods: MethodContract | Sequence[MethodContract],
    positional: Sequence[Any],
    named: Mapping[str, Any],
    contract: ServiceContract,
    *,
    convert: Convert = check_value,
) -> tuple[MethodContract, tuple[Any, ...]]:
    """Picks the overload and gives its arguments, converted.

    First by count and names: overloads that need no default win over those that do. Then by types: the arguments must
    fit exactly one of what is left.

    Args:
        methods: One method, or all overloads of one name.
        positional: Values for the first parameters.
        named: Values by parameter name.
        contract: Where the methods come from.
        convert: `check_value` for values of Python callers, a reader of `gateway.jsonform` for parsed JSON.

    Raises:
        BadRequest: no overload takes so many or such names, or several fit; names the candidates.
        ValueMappingError: there is one candidate and a value does not fit it; `path` starts with `args[i]`.
    """
    overloads = (methods,) if isinstance(methods, MethodContract) else tuple(methods)
    if not overloads:
        raise BadRequest("there is no such method")
    placed: list[tuple[MethodContract, list[Any]]] = []
    reasons: list[str] = []
    for each in overloads:
        try:
            placed.append((each, _place(each, positional, named)))
        except BadRequest as exc:
            reasons.append(str(exc))
    if not placed:
        if len(overloads) == 1:
            raise BadRequest(reasons[0])
        raise BadRequest(_no_overload(overloads, reasons))
    given = len(positional) + len(named)
    exact = [pair for pair in placed if len(pair[0].params) == given] or placed
    if len(exact) == 1:
        method, values = exact[0]
        return method, _convert(method, values, contract, convert)
    return _fitting(exact, contract, convert)


def _fitting(
    candidates: Sequence[tuple[MethodContract, list[Any]]], contract: ServiceContract, convert: Convert
) -> tuple[MethodContract, tuple[Any, ...]]:
    fitting: list[tuple[MethodContract, tuple[Any, ...]]] = []
    reasons: list[str] = []
    for method, values in candidates:
        try:
            fitting.append((method, _convert(method, values, contract, convert)))
        except ValueMappingError as exc:
            reasons.append(f"{method.signature}: {exc}")
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise BadRequest(_no_overload([method for method, _ in candidates], reasons))
    listed = ", ".join(method.signature for method, _ in fitting)
    raise BadRequest(f"the arguments fit {len(fitting)} overloads: {listed}; call one of them by its own name")


def _place(method: MethodContract, positional: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
    """A value per parameter; `MISSING` where the default is wanted."""
    params = method.params
    if len(positional) > len(params):
        raise BadRequest(f"{method.signature} takes {len(params)} arguments, {len(positional)} were given")
    values = [*positional, *[MISSING] * (len(params) - len(positional))]
    index_of = {param.name: index for index, param in enumerate(params)}
    for name, value in named.items():
        index = index_of.get(name)
        if index is None:
            close = difflib.get_close_matches(name, index_of, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise BadRequest(f"{method.signature} has no parameter {name!r}{hint}")
        if values[index] is not MISSING:
            raise BadRequest(f"{method.signature} got its parameter {name!r} twice")
        values[index] = value
    for param, value in zip(params, values, strict=True):
        if value is MISSING and param.default is MISSING:
            raise BadRequest(f"{method.signature} needs its parameter {param.name!r}")
    return values


def _convert(
    method: MethodContract, values: Sequence[Any], contract: ServiceContract, convert: Convert
) -> tuple[Any, ...]:
    converted: list[Any] = []
    for index, (param, value) in enumerate(zip(method.params, values, strict=True)):
        if value is MISSING:
            converted.append(param.default)
            continue
        try:
            converted.append(convert(value, param.type, contract))
        except ValueMappingError as exc:
            raise exc.within(f"args[{index}]") from None
    return tuple(converted)


def _no_overload(overloads: Sequence[MethodContract], reasons: Sequence[str]) -> str:
    return f"no overload of {overloads[0].name} takes these arguments: {'; '.join(reasons)}"
