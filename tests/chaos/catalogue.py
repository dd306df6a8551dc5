"""All rows, in the order of the table."""

from __future__ import annotations

from typing import Final

from tests.chaos.row import Row
from tests.chaos.rows import (
    bad_answers,
    bad_handlers,
    clock,
    descriptors,
    full_store,
    half_open,
    java_consumers,
    java_providers,
    killed,
    overload,
    rolling_restart,
    stuck_log,
)

__all__ = ["ROWS"]

ROWS: Final[tuple[Row, ...]] = (
    *killed.ROWS,
    *rolling_restart.ROWS,
    *half_open.ROWS,
    *bad_answers.ROWS,
    *overload.ROWS,
    *descriptors.ROWS,
    *stuck_log.ROWS,
    *full_store.ROWS,
    *clock.ROWS,
    *bad_handlers.ROWS,
    *java_consumers.ROWS,
    *java_providers.ROWS,
)
