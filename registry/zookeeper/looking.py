"""Looks at things in ZooKeeper when they may have changed: a moment later, all that came meanwhile together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer
from registry.zookeeper.session import Session

__all__ = ["Looking", "complain"]

_LOG: Final = logging.getLogger("polyport.registry.zookeeper")
_REST_S: Final = 0.05
"""Between two looks: a service whose providers come and go all the time costs no more than that."""
_AGAIN_S: Final = 1.0


class Looking:
    """Belongs to one event loop. Life: construct, `start`, `aclose`. `name`: for people. `look`: is given what was
    marked; what it raises is told to `say` (kind of trouble, text), and it is called again with what it left there."""

    def __init__(
        self,
        name: str,
        session: Session,
        look: Callable[[set[str]], Awaitable[None]],
        say: Callable[[str, str], None],
    ) -> None:
        self._name = name
        self._session = session
        self._look = look
        self._say = say
        self._dirty: set[str] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins; looks when something is marked."""
        self._task = asyncio.create_task(self._work(), name=f"watch {self._name} in ZooKeeper")

    def mark(self, *what: str) -> None:
        """These may have changed."""
        self._dirty.update(what)
        self._changed.set()

    async def aclose(self) -> None:
        """Ends it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _work(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            dirty, self._dirty = self._dirty, set()
            pause = _REST_S
            try:
                await self._look(dirty)
            except Exception as exc:  # Whatever is the matter, this has to go on.
                self._dirty |= dirty
                self._say(type(exc).__name__, f"cannot be read, trying again: {exc}")
                pause = _AGAIN_S
                if self._session.is_connected:
                    self._changed.set()
            await asyncio.sleep(pause)


def complain(skips: OncePer, subject: str, key: str, text: str, **extra: str) -> None:
    """Logs what is wrong with entries, not too often. `key`: the kind of trouble. `extra`: fields of the record."""
    held_back = skips.admit((subject, key))
    if held_back is not None:
        _LOG.warning(
            "registry zookeeper: %s: %s (%d more since the last line)", subject, shorten(text), held_back, extra=extra
        )
