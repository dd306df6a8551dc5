"""An asyncio event loop that lives in a `World`: nothing waits, the clock jumps to whatever is next.

The seam is the selector. Where a real loop asks the kernel which sockets have something and sleeps until then, this one
asks the world, which moves its clock on to the next event or to the loop's next timer, whichever comes first.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from bench.cluster.virtual_time import virtual_time
from bench.cluster.world import World

__all__ = ["NothingToCome", "VirtualLoop", "run_in"]

_T = TypeVar("_T")


class NothingToCome(RuntimeError):
    """All tasks wait, there is no timer, and nothing is going to happen: they would wait for ever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Timers, tasks and futures as ever; no sockets, and no threads, since time does not wait for them."""

    def __init__(self, world: World) -> None:
        self.world = world
        super().__init__(_Selector(world))

    def time(self) -> float:
        """Seconds, on the world's clock."""
        return self.world.now


def run_in(world: World, main: Coroutine[Any, Any, _T], seed: int = 0) -> _T:
    """Runs `main` on a loop of its own, in which every clock is the world's and all luck follows from `seed`.

    Tasks that are left are cancelled.

    Raises:
        NothingToCome: `main` waits for something that cannot happen any more.
    """
    with virtual_time(world, seed), asyncio.Runner(loop_factory=lambda: VirtualLoop(world)) as runner:
        return runner.run(main)


class _Selector(selectors.BaseSelector):
    """What the world has to say, instead of sockets."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        # The loop registers the pipe by which it wakes itself up; nobody else has sockets here.
        descriptor = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = self._keys[descriptor] = selectors.SelectorKey(fileobj, descriptor, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        limit = float("inf") if timeout is None else self._world.now + timeout
        if not self._world.advance(limit) and timeout is None:
            raise NothingToCome("all tasks wait, and nothing is going to happen")
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys
