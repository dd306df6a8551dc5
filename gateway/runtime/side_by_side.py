"""Several steps at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable

__all__ = ["side_by_side"]


async def side_by_side(steps: Iterable[Awaitable[object]]) -> None:
    """Waits for all of them, and raises then what the first of those that failed has raised."""
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
