"""Tasks that belong to one call."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

__all__ = ["Children"]

_K = TypeVar("_K")
_T = TypeVar("_T")

_END_S: Final = 5.0
"""How long cancelled tasks may take to end before the call goes on without them. They end at once unless a filter of
somebody else holds them."""


class Children(Generic[_K, _T]):
    """What runs at the same time on behalf of one call: `async with`, and nothing of it outlives the block.

    However the block ends, by an answer, an error or because the caller has hung up, what still runs is cancelled and
    awaited. What becomes of that is nobody's concern any more.
    """

    __slots__ = ("_finished", "_running", "_stopped")

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[_T], _K] = {}
        self._finished: list[tuple[_K, asyncio.Task[_T]]] = []
        self._stopped: list[asyncio.Task[_T]] = []

    def __len__(self) -> int:
        return len(self._running) + len(self._finished)

    def start(self, key: _K, work: Coroutine[Any, Any, _T]) -> None:
        """Runs `work` from now on. `key`: what `next` calls it."""
        self._running[asyncio.create_task(work, name=f"part of a call: {key}")] = key

    def stop(self, key: _K) -> None:
        """Cancels what is called so; `next` does not give it any more."""
        for task, each in list(self._running.items()):
            if each == key:
                del self._running[task]
                self._stopped.append(task)
                task.cancel()
        self._finished = [pair for pair in self._finished if pair[0] != key]

    async def next(self) -> tuple[_K, asyncio.Task[_T]]:
        """Waits until one has finished. Several that finish together are given in the order in which they began."""
        if not self._finished:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            done = [task for task in self._running if task.done()]
            self._finished = [(self._running.pop(task), task) for task in done]
        return self._finished.pop(0)

    async def __aenter__(self) -> Children[_K, _T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, task in self._finished:
            _forget(task)
        running = [*self._running, *self._stopped]
        self._running, self._stopped = {}, []
        for task in running:
            task.cancel()
            task.add_done_callback(_forget)
        if running:
            await asyncio.wait(running, timeout=_END_S)


def _forget(task: asyncio.Task[Any]) -> None:
    """Takes note of an outcome, which asyncio would log otherwise."""
    if not task.cancelled():
        task.exception()
