"""Section `consumers`: which protocol each consumer uses."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from gateway.config.scalar import Name
from gateway.config.sections.section import Section

__all__ = ["ConsumedServiceConfig", "ConsumerConfig"]


class ConsumedServiceConfig(Section):
    """How one consumer uses one service."""

    protocol: Name
    """Protocol towards the provider."""


class ConsumerConfig(Section):
    """What applies to one consumer; consumers are known by their application name."""

    protocol: Name | None = None
    """Protocol towards providers of services not named below. Default: what each service says."""

    services: Mapping[Name, ConsumedServiceConfig] = Field(default_factory=dict)
    """Exceptions, by service."""
