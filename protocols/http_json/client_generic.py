"""Calls without a contract on the calling side: values by position, each saying itself what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.jsonform.generic import read_generic, to_json_generic
from gateway.model.call import Invocation
from gateway.model.errors import ValueMappingError
from protocols.http_json.client_service import misfit

__all__ = ["generic_answer", "generic_arguments", "generic_call"]

_INVOKE: Final = "$invoke"
_INVOKE_ARGUMENTS: Final = 3


def generic_call(invocation: Invocation) -> tuple[str, Sequence[Any]]:
    """Method and argument values of a call without a contract.

    Clients without a contract call `$invoke` with name, types and values, as Dubbo has it. Types are names in the
    provider's language that help it to choose an overload; here it chooses by the values.

    Raises:
        BadRequest: the call is raw and does not fit its wire.
        ValueMappingError: `$invoke` with anything else.
    """
    arguments = invocation.arguments()
    if invocation.method != _INVOKE:
        return invocation.method, arguments
    if len(arguments) != _INVOKE_ARGUMENTS:
        raise ValueMappingError(f"{_INVOKE} takes a name, types and values, not {len(arguments)} arguments", "args")
    name, _, values = arguments
    if not isinstance(name, str):
        raise ValueMappingError("expected the name of a method", "args[0]")
    if not isinstance(values, list | tuple):
        raise ValueMappingError("expected a list of values", "args[2]")
    return name, values


def generic_arguments(arguments: Sequence[Any]) -> list[Any]:
    """The arguments as JSON values. Raises ValueMappingError with the place of what has no form."""
    written: list[Any] = []
    for value in arguments:
        try:
            written.append(to_json_generic(value))
        except ValueMappingError as exc:
            raise exc.within(f"args[{len(written)}]") from None
    return written


def generic_answer(value: Any) -> Any:
    """The answer that a JSON value stands for. Raises ProviderFailed, which is never repeated."""
    try:
        return read_generic(value)
    except ValueMappingError as exc:
        raise misfit(exc.within("result"), "a generic call") from exc
