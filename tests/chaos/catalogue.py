"""All rows, in the order of the table."""

from __future__ import annotations

from typing import Final

from tests.chaos.row import Row
from tests.chaos.rows import (
    bad_answers,
    bad_handlers,
    clock,
    cold_start,
    descriptors,
    full_store,
    half_open,
    hashing,
    java_consumers,
    java_providers,
    killed,
    modes,
    multicast,
    outlier,
    overload,
    paused,
    registries,
    registry_content,
    registry_ensemble,
    registry_partitions,
    registry_push,
    registry_sessions,
    registry_split,
    retry_storm,
    rolling_restart,
    slow_network,
    stuck_log,
)

__all__ = ["ROWS"]

ROWS: Final[tuple[Row, ...]] = (
    *killed.ROWS,
    *rolling_restart.ROWS,
    *half_open.ROWS,
    *slow_network.ROWS,
    *paused.ROWS,
    *bad_answers.ROWS,
    *outlier.ROWS,
    *retry_storm.ROWS,
    *modes.ROWS,
    *hashing.ROWS,
    *cold_start.ROWS,
    *overload.ROWS,
    *descriptors.ROWS,
    *stuck_log.ROWS,
    *full_store.ROWS,
    *clock.ROWS,
    *bad_handlers.ROWS,
    *registries.ROWS,
    *registry_sessions.ROWS,
    *registry_partitions.ROWS,
    *registry_content.ROWS,
    *registry_push.ROWS,
    *registry_split.ROWS,
    *registry_ensemble.ROWS,
    *multicast.ROWS,
    *java_consumers.ROWS,
    *java_providers.ROWS,
)
