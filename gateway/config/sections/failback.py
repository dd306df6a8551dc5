"""Section `failback`: where calls wait that got no answer, and how they are sent again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from gateway.config.scalar import Count, Name, Word, one_of
from gateway.config.sections.section import Section
from gateway.config.units import Bytes, Seconds

__all__ = ["FailbackConfig"]

_SUFFIX: Final = ".failback.db"


class FailbackConfig(Section):
    """What all references with `cluster: failback` share. Nothing is opened unless there is one."""

    store: Annotated[Literal["sqlite", "redis"], one_of("sqlite", "redis")] = "sqlite"
    """`sqlite`: a file on this machine; `redis`: streams of a Redis server that several gateways share."""

    path: Word | None = None
    """The SQLite file, from the folder of the configuration file. Default: called like the configuration file, with
    `.failback.db` in place of its ending."""

    url: Word | None = None
    """The Redis server, `redis://host:6379/0`, or `rediss://` for TLS."""

    credential: Name | None = None
    """Name of the credential that is the password of the Redis server."""

    group: Name = "polyport"
    """In Redis: gateways that share one queue have the same."""

    expires: Annotated[Seconds, Field(gt=0, le=366 * 86400)] = 86400.0
    """How long a call is sent again; after that it is dropped, counted and logged."""

    interval: Annotated[Seconds, Field(ge=0.01, le=86400)] = 5.0
    """From trouble to the next try; twice as long each further time, give or take a random part."""

    max_interval: Annotated[Seconds, Field(ge=0.01, le=86400)] = 300.0
    """The longest time from one try to the next."""

    limit: Annotated[Count, Field(ge=1, le=100_000_000)] = 100_000
    """Calls kept for one service; the oldest is dropped for a new one, and counted."""

    size: Annotated[Bytes, Field(ge=1024)] = 256 * 1024 * 1024
    """Bytes of calls kept for one service."""

    concurrency: Annotated[Count, Field(ge=1, le=10_000)] = 16
    """Calls of one service sent again at the same time."""

    rate: Annotated[Count, Field(ge=0, le=1_000_000)] = 500
    """Calls of one service sent again per second; 0 for no such limit."""

    def located(self, folder: Path, name: str) -> FailbackConfig:
        """A copy whose path is that of a file. `name`: of the configuration file in that folder."""
        path = Path(f"{Path(name).stem}{_SUFFIX}" if self.path is None else self.path).expanduser()
        return self.model_copy(update={"path": str(folder / path)})
