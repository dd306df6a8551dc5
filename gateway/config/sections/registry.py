"""Section `registries`: where providers are announced and found."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.scalar import Count, Flag, Name, Text
from gateway.config.sections.section import Options, Section

__all__ = ["RegistryConfig"]


class RegistryConfig(Section):
    """One registry."""

    type: Name
    """Name of the registry plug-in; `embedded` lives in this process."""

    zone: Text = ""
    """Zone of the providers it names, for cluster mode `zone_aware`."""

    weight: Annotated[Count, Field(ge=0, le=1_000_000)] = 100
    """Its share of the calls that no zone decides; 0 is only for when nobody else is there."""

    preferred: Flag = False
    """Whether its providers come before all others."""

    options: Options = Field(default_factory=dict)
    """What only this kind of registry knows."""
