"""Section `application`: who this process is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.scalar import Name, Text
from gateway.config.sections.section import Section
from gateway.config.units import Seconds

__all__ = ["ApplicationConfig"]


class ApplicationConfig(Section):
    """Name and life cycle of this process."""

    name: Name = "polyport"
    """Name as peers and registries see it."""

    drain: Annotated[Seconds, Field(ge=0, le=3600)] = 10.0
    """How long calls in progress may take to finish when the process is asked to stop."""

    host: Text = ""
    """Address under which others reach this process, announced for listeners on all addresses and for consumers.
    Default: the environment variable `POLYPORT_HOST` or `DUBBO_IP_TO_REGISTRY`, else that of the way out of this
    machine."""

    last_known: Text = ""
    """File that keeps what registries named last, for starts at which they cannot be asked; `off` keeps none. Default:
    `polyport/<name>.last-known.json` in `$XDG_STATE_HOME` or `~/.local/state`, where there are such registries."""

    registry_wait: Annotated[Seconds, Field(ge=0, le=600)] = 3.0
    """How long the start waits for the first word of the registries; afterwards it goes on without."""
