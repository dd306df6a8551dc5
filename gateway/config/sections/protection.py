"""Part `protection` of a remote: what becomes of providers that a registry suddenly does not name any more."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.scalar import Flag
from gateway.config.sections.section import Section
from gateway.config.units import Seconds, Share

__all__ = ["ProtectionConfig"]


class ProtectionConfig(Section):
    """Providers that vanished without withdrawing may only have become invisible, so they are kept and tried last."""

    enabled: Flag = True
    """Whether any provider is kept that the registry does not name."""

    linger: Annotated[Seconds, Field(ge=0, le=3600)] = 5.0
    """How long a provider is kept that vanished: one that comes back meanwhile keeps its connections."""

    share: Share = 0.5
    """When more than this share of the providers is missing, or all are, the registry is doubted: they are kept for
    `grace`."""

    grace: Annotated[Seconds, Field(ge=0, le=86400)] = 60.0
    """How long they are kept then."""
