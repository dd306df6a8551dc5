"""A bounded number of places, waited for in order and no longer than until a given moment."""

from __future__ import annotations

import asyncio
from time import monotonic

from gateway.model.errors import Overloaded

__all__ = ["Slots"]


class Slots:
    """`most` places; `what` says which, for messages. Belongs to one event loop."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._taken = 0
        self._waiting: dict[asyncio.Future[None], None] = {}
        """In order; whoever gives up leaves without looking at the others."""

    @property
    def taken(self) -> int:
        """Places taken now."""
        return self._taken

    @property
    def is_free(self) -> bool:
        """Whether one can be taken without waiting."""
        return self._taken < self._most

    def widen(self, most: int) -> None:
        """There are so many places from now on, unless there are more already."""
        more, self._most = most - self._most, max(most, self._most)
        for _ in range(more):
            self._taken += 1
            self.give_back()

    def take(self) -> None:
        """Takes a place that is free."""
        self._taken += 1

    async def wait(self, until: float) -> None:
        """Takes a place as soon as one is free.

        Raises:
            Overloaded: none was free until then (monotonic).
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = None
        try:
            async with asyncio.timeout(max(0.0, until - monotonic())):
                await future
        except BaseException as exc:
            if future.done() and not future.cancelled():
                # It got its place in the same moment.
                self.give_back()
            else:
                future.cancel()
                self._waiting.pop(future, None)
            if isinstance(exc, TimeoutError):
                raise Overloaded(f"all {self._most} {self._what} are in use", unasked=True) from None
            raise

    def give_back(self) -> None:
        """A place is free again: whoever waits longest gets it."""
        while self._waiting:
            future = next(iter(self._waiting))
            del self._waiting[future]
            if not future.done():
                future.set_result(None)
                return
        self._taken -= 1
