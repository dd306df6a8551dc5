"""Implementations checked against their contract, and bound to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gateway.contracts.call import Call
from gateway.contracts.hint import resolve_hint
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import ContractError

__all__ = ["LocalMethod", "bind_implementation", "check_implementation"]


@dataclass(frozen=True, slots=True)
class LocalMethod:
    """One method of an implementation, ready to be run.

    `function`: takes the arguments in contract order, by position; may be `def` or `async def`.
    `call_parameter`: name of the parameter that wants the `Call`, None when there is none; it is passed by name.
    """

    contract: MethodContract
    function: Callable[..., Any]
    call_parameter: str | None


def check_implementation(contract: ServiceContract, implementation: object) -> None:
    """Whether an object can serve a contract.

    Raises:
        ContractError: methods are missing, not callable, or do not take the contract's parameters by position;
            names all of them.
    """
    bind_implementation(contract, implementation)


def bind_implementation(contract: ServiceContract, implementation: object) -> Mapping[str, LocalMethod]:
    """The methods of an implementation by `MethodContract.attribute`.

    Raises:
        ContractError: as `check_implementation`.
    """
    kind = type(implementation).__qualname__
    if isinstance(implementation, type):
        raise ContractError(f"{implementation.__qualname__} is a class; {contract.name} is served by an instance of it")
    problems: list[str] = []
    bound: dict[str, LocalMethod] = {}
    for method in contract.methods:
        function = getattr(implementation, method.attribute, None)
        if function is None:
            problems.append(f"{kind}.{method.attribute}: it is missing; {method.signature}")
        elif not callable(function):
            problems.append(f"{kind}.{method.attribute}: it is not callable; {method.signature}")
        else:
            try:
                call_parameter = _check_signature(method, function)
            except ContractError as exc:
                problems.append(f"{kind}.{method.attribute}: {exc}; {method.signature}")
            else:
                bound[method.attribute] = LocalMethod(method, function, call_parameter)
    if problems:
        listed = "\n".join(f"  {each}" for each in problems)
        raise ContractError(f"{type(implementation).__module__}.{kind} does not implement {contract.name}:\n{listed}")
    return MappingProxyType(bound)


def _check_signature(method: MethodContract, function: Callable[..., Any]) -> str | None:
    """The name of the `Call` parameter. Raises `ContractError` with the reason when the function does not fit."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ContractError("a generator gives a stream; return a list")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # Functions of extension modules may not tell; then nothing can be checked.
        return None
    call_parameter = None
    for index, each in enumerate(signature.parameters.values()):
        if not _wants_call(each, function):
            continue
        if call_parameter is not None:
            raise ContractError(f"both {call_parameter} and {each.name} want the Call")
        if each.kind is inspect.Parameter.POSITIONAL_ONLY or (
            each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and index < len(method.params)
        ):
            raise ContractError(f"the Call parameter {each.name} stands before an argument; make it keyword-only")
        call_parameter = each.name
    extra = {} if call_parameter is None else {call_parameter: None}
    try:
        signature.bind(*(param.name for param in method.params), **extra)
    except TypeError as exc:
        raise ContractError(f"it does not take {len(method.params)} arguments by position ({exc})") from None
    return call_parameter


def _wants_call(parameter: inspect.Parameter, function: Callable[..., Any]) -> bool:
    hint = parameter.annotation
    if isinstance(hint, str):
        plain = inspect.unwrap(getattr(function, "__func__", function))
        try:
            hint = resolve_hint(hint, object, getattr(plain, "__globals__", {}))
        except Exception:  # an implementation's hints are its own affair; they may not even be importable at run time
            return False
    return hint is Call
