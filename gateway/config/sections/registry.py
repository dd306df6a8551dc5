"""Section `registries`: where providers are announced and found."""

from __future__ import annotations

from pydantic import Field

from gateway.config.scalar import Name
from gateway.config.sections.section import Options, Section

__all__ = ["RegistryConfig"]


class RegistryConfig(Section):
    """One registry."""

    type: Name
    """Name of the registry plug-in; `embedded` lives in this process."""

    options: Options = Field(default_factory=dict)
    """What only this kind of registry knows."""
