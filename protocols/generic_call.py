"""Calls without a contract, as their callers make them: by name, or by Dubbo's `$invoke`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.model.call import Invocation
from gateway.model.errors import ValueMappingError

__all__ = ["generic_call"]

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
