"""Part `retry_budget` of a remote: how much load repeating may add."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.scalar import Count
from gateway.config.sections.section import Section
from gateway.config.units import Share

__all__ = ["RetryBudgetConfig"]


class RetryBudgetConfig(Section):
    """Repetitions and hedges are taken from a budget that all methods of the remote share."""

    share: Share = 0.1
    """Repetitions per call in the long run."""

    per_second: Annotated[Count, Field(ge=0, le=1_000_000)] = 1
    """Repetitions per second that are allowed however few calls there are."""

    burst: Annotated[Count, Field(ge=0, le=1_000_000)] = 50
    """What can be saved up, and is there at the start."""
