"""Part `ejection` of a remote: when a provider is left alone for a while."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.scalar import Count, Flag
from gateway.config.sections.section import Section
from gateway.config.units import Seconds, Share

__all__ = ["EjectionConfig"]


class EjectionConfig(Section):
    """Providers that give trouble where they should give answers are not chosen for a while (outlier ejection)."""

    enabled: Flag = True
    """Whether any provider is ever ejected."""

    failures: Annotated[Count, Field(ge=0, le=1_000_000)] = 5
    """Attempts without an answer, one after the other, that eject a provider; 0 for no such rule."""

    share: Share = 0.4
    """Share of attempts without an answer that ejects a provider; 0% for no such rule."""

    calls: Annotated[Count, Field(ge=1, le=1_000_000)] = 10
    """Attempts within `window` before their share counts."""

    window: Annotated[Seconds, Field(gt=0, le=3600)] = 10.0
    """How far back attempts count."""

    time: Annotated[Seconds, Field(gt=0, le=86400)] = 5.0
    """How long a provider is left alone the first time; each further time in a row so much longer."""

    max_time: Annotated[Seconds, Field(gt=0, le=86400)] = 300.0
    """The longest it is left alone."""

    panic: Share = 0.5
    """When fewer than this share of the providers would be left, all are used as if none were ejected."""
