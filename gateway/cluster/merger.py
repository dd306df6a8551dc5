"""From the answers of several groups to one: what the mode `mergeable` merges by.

| merger | types | result |
| --- | --- | --- |
| `list` | list | all elements, group after group |
| `set` | set | the union |
| `map` | map | all entries; of a key that several groups have, that of the last group |
| `sum` | integers, floats, decimal, duration | the sum, which must fit the type |
| `auto` | list, set, map, nothing | by the return type |
| `package.module:function` | all | what the function makes of the list of values, which must fit the type |

A group's null counts as no value, but for functions, which see it. What is null everywhere is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal, Inexact, localcontext
from typing import Any, Final

from gateway.config.target import import_target
from gateway.contracts.values import compile_check
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import ContractError, ProviderFailed, Retry, ValueMappingError
from gateway.model.typeref import Kind

__all__ = ["AUTO", "FIRST", "NAMES", "Merge", "is_merger", "merger"]

Merge = Callable[[Sequence[Any]], Any]
"""The values of the groups, in the order of the groups, to one. Raises `ProviderFailed` where that cannot be done."""

AUTO: Final = "auto"
FIRST: Final = "first"
NAMES: Final = (AUTO, "list", "set", "map", "sum", FIRST)

_MAX_DIGITS: Final = 10_000
_NUMBERS: Final = frozenset(
    {Kind.I8, Kind.I16, Kind.I32, Kind.I64, Kind.BIGINT, Kind.F32, Kind.F64, Kind.DECIMAL, Kind.DURATION}
)
_FITS: Final[Mapping[str, frozenset[Kind]]] = {
    "list": frozenset({Kind.LIST}),
    "set": frozenset({Kind.SET}),
    "map": frozenset({Kind.MAP}),
    "sum": _NUMBERS,
}
_BY_KIND: Final[Mapping[Kind, str]] = {Kind.LIST: "list", Kind.SET: "set", Kind.MAP: "map"}


def is_merger(name: str) -> bool:
    """Whether it is one of `NAMES`, or may be a function (`package.module:function`)."""
    return name in NAMES or ":" in name


def merger(name: str, method: MethodContract | None, contract: ServiceContract | None) -> Merge:
    """What merges the answers of a method.

    `method`, `contract`: None for a service without one, whose values are merged by what they are.

    Raises:
        ContractError: there is no such function.
        ValueMappingError: the method's answers cannot be merged like that; says why.
    """
    function = import_target(name) if ":" in name else None
    if function is not None and not callable(function):
        raise ContractError(f"{name} is not a function")
    if method is None or contract is None:
        return _by_function(function) if function is not None else _by_value(name)
    ref = method.returns
    check = compile_check(ref, contract)
    if function is not None:
        return _checked(_by_function(function), check)
    if name == AUTO:
        if ref.kind is Kind.NULL:
            return lambda values: None
        found = _BY_KIND.get(ref.kind)
        if found is None:
            hint = "sum, first or a function" if ref.kind in _NUMBERS else "first or a function"
            raise ValueMappingError(
                f"{method.signature}: answers of this type are not merged by themselves; say {hint}"
            )
        name = found
    elif ref.kind not in _FITS[name]:
        raise ValueMappingError(f"{method.signature} cannot be merged by {name}")
    return _checked(_without_nulls(_MERGES[name]), check)


def _lists(values: Sequence[Any]) -> Any:
    return [element for each in values for element in each]


def _sets(values: Sequence[Any]) -> Any:
    return set().union(*values)


def _maps(values: Sequence[Any]) -> Any:
    return {key: value for each in values for key, value in each.items()}


def _sum(values: Sequence[Any]) -> Any:
    with localcontext() as context:
        # Decimals are exact, or the call fails.
        context.prec = _MAX_DIGITS
        context.traps[Inexact] = True
        try:
            return sum(values[1:], values[0])
        except (ArithmeticError, TypeError) as exc:
            raise ProviderFailed(f"the answers have no sum: {type(exc).__name__}", retry=Retry.NEVER) from exc


_MERGES: Final[Mapping[str, Merge]] = {"list": _lists, "set": _sets, "map": _maps, "sum": _sum}
_CLASSES: Final[Mapping[str, Any]] = {
    "list": list | tuple,
    "set": set | frozenset,
    "map": dict,
    "sum": int | float | Decimal | timedelta,
}


def _without_nulls(merge: Merge) -> Merge:
    def merged(values: Sequence[Any]) -> Any:
        present = [each for each in values if each is not None]
        return merge(present) if present else None

    return merged


def _checked(merge: Merge, check: Callable[[Any], Any]) -> Merge:
    def merged(values: Sequence[Any]) -> Any:
        try:
            return check(merge(values))
        except ValueMappingError as exc:
            raise ProviderFailed(f"the merged answers do not fit: {exc}", retry=Retry.NEVER) from exc

    return merged


def _by_function(function: Callable[[list[Any]], Any]) -> Merge:
    def merged(values: Sequence[Any]) -> Any:
        try:
            return function(list(values))
        except Exception as exc:  # somebody else's code, whose failure is that of the call
            raise ProviderFailed(f"merging the answers failed: {type(exc).__name__}: {exc}", retry=Retry.NEVER) from exc

    return merged


def _by_value(name: str) -> Merge:
    """For values without a contract: by what they are, which must be the same of all."""

    def merged(values: Sequence[Any]) -> Any:
        for known in _MERGES if name == AUTO else (name,):
            if (known != "sum" or name == "sum") and all(isinstance(each, _CLASSES[known]) for each in values):
                return _MERGES[known](values)
        found = ", ".join(sorted({type(each).__name__ for each in values}))
        raise ProviderFailed(f"answers of type {found} cannot be merged by {name}", retry=Retry.NEVER)

    return _without_nulls(merged)
