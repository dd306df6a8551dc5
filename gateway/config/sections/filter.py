"""Section `filters`: named filters, each one object for all that name it."""

from __future__ import annotations

from pydantic import Field

from gateway.config.scalar import Name
from gateway.config.sections.section import Options, Section

__all__ = ["FilterConfig"]


class FilterConfig(Section):
    """One filter with its options: the same object wherever it is named, so that a limit is one limit."""

    type: Name
    """Name of the filter plug-in."""

    options: Options = Field(default_factory=dict)
    """What only this filter knows."""
