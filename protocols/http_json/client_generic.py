"""Calls without a contract on the calling side: values by position, each saying itself what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.jsonform.generic import read_generic, to_json_generic
from gateway.model.errors import ValueMappingError
from protocols.http_json.client_service import misfit

__all__ = ["generic_answer", "generic_arguments"]


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
