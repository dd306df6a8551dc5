"""A service whose calls last as long as a test wants; it talks to the test through files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from gateway.contracts import service

__all__ = ["Waiter", "Waiting"]

_POLL_S = 0.01


@service(name="test.Waiting")
class Waiting(Protocol):
    async def hold(self, name: str) -> str: ...


class Waiter:
    """`hold(name)` creates the file `name`.entered and answers when `name`.release exists."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    async def hold(self, name: str) -> str:
        (self._folder / f"{name}.entered").touch()
        while not (self._folder / f"{name}.release").exists():
            await asyncio.sleep(_POLL_S)
        return f"released {name}"
