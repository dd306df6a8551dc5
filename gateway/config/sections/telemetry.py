"""Section `telemetry`: what this process says about itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.config.scalar import Flag, one_of
from gateway.config.sections.section import Section
from gateway.config.units import Share

__all__ = ["LogsConfig", "TelemetryConfig"]


class LogsConfig(Section):
    """The log on standard error."""

    format: Annotated[Literal["text", "json"], one_of("text", "json")] = "text"
    """`text` for people, `json` for machines (one object per line)."""

    level: Annotated[Literal["debug", "info", "warning", "error"], one_of("debug", "info", "warning", "error")] = "info"
    """The least important level that is written."""


class TelemetryConfig(Section):
    """Logs and what goes into them."""

    logs: LogsConfig = Field(default_factory=LogsConfig)
    """The log on standard error."""

    access_log: Flag = False
    """Whether every call is logged; failed ones always are."""

    explain: Share = 0.0
    """Share of the calls to services elsewhere whose way is explained in the log: what there was to choose from, what
    was chosen and why, and each attempt. Calls without an answer always say what there was to choose from."""
