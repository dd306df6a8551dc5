"""What callers get from modes that answer in place of a provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from gateway.jsonform import compile_reader
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind
from gateway.spi.plugin import Misfit

__all__ = ["default_answer", "default_misfits"]

_EMPTY: Final[dict[Kind, Any]] = {Kind.LIST: [], Kind.SET: [], Kind.MAP: {}}


def default_answer(method: MethodContract, contract: ServiceContract, default: Any, mode: str) -> Callable[[], Any]:
    """Makes the value callers get, anew each time: a caller in this process may change it.

    `default`: the JSON of it; None for nothing where the type allows null or the method returns nothing, and for an
    empty list, set or map. `mode`: for messages.

    Raises:
        ValueMappingError: the method cannot return it, or has no empty value.
    """
    ref = method.returns
    if default is None:
        if ref.nullable or ref.kind in (Kind.NULL, Kind.ANY):
            return lambda: None
        default = _EMPTY.get(ref.kind)
        if default is None:
            raise ValueMappingError(f"{method.signature} has no empty value; {mode} needs a default for it")
    read = compile_reader(ref, contract)
    try:
        read(default)
    except ValueMappingError as exc:
        raise ValueMappingError(f"{method.signature} cannot return the default: {exc}") from None
    return lambda: read(default)


def default_misfits(
    contract: ServiceContract, methods: Sequence[MethodContract], default: Any, mode: str
) -> Sequence[Misfit]:
    """What `default_answer` says against the option `default`, for each method."""
    found = []
    for method in methods:
        try:
            default_answer(method, contract, default, mode)
        except ValueMappingError as exc:
            found.append(Misfit(("default",) if default is not None else (), str(exc)))
    return found
