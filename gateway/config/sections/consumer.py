"""Section `consumers`: which protocol each consumer uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from gateway.config.scalar import INTERPOLATED_SCHEMA, Name, describe
from gateway.config.sections.section import Section

__all__ = ["ConsumedServiceConfig", "ConsumerConfig", "Fallback"]


def _fallback(value: Any) -> Any:
    if value is False or (isinstance(value, str) and value == "false"):
        return ()
    if isinstance(value, list | tuple):
        return value
    raise ValueError(f"expected a list of protocols, or false, found {describe(value)}")


Fallback = Annotated[
    tuple[Name, ...],
    BeforeValidator(_fallback),
    WithJsonSchema({"anyOf": [{"const": False}, {"type": "array", "items": {"type": "string"}}, INTERPOLATED_SCHEMA]}),
]
"""Protocols to take, in this order, when no provider of the first choice is known; `false` forbids it."""


class ConsumedServiceConfig(Section):
    """How one consumer uses one service."""

    protocol: Name
    """Protocol towards the providers."""

    fallback: Fallback | None = None
    """What to take when no provider of that protocol is known, in this order; `false` for nothing. Default: what the
    consumer says, else the order of the service."""


class ConsumerConfig(Section):
    """What applies to one consumer; consumers are known by their application name."""

    protocol: Name | None = None
    """Protocol towards providers of services not named below. Default: what each service says."""

    fallback: Fallback | None = None
    """What to take when no provider of that protocol is known, in this order; `false` for nothing. Default: the order
    of the service."""

    services: Mapping[Name, ConsumedServiceConfig] = Field(default_factory=dict)
    """Exceptions, by service."""
