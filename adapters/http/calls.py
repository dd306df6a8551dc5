"""Runs the calls of HTTP requests: all calls of one request at the same time, each within its deadline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Hashable, Sequence
from time import monotonic
from typing import Any, Final

from adapters.failure import failure_of
from adapters.refusals import Refusals
from adapters.tcp.driver import CallDriver
from gateway.model.call import Invocation
from gateway.model.errors import Overloaded, RpcError
from gateway.spi.adapter import ListenerOptions
from gateway.spi.handler import Handler
from protocols.contract import Outcome

__all__ = ["CallRunner"]

_GRACE_S: Final = 1.0
"""How long calls may go on after their caller went away, where nobody but us would notice that."""


class _Call:
    """One call in progress, and whose it is."""

    __slots__ = ("connection", "group", "index", "timer")

    def __init__(self, connection: Hashable, group: _Group | None, index: int) -> None:
        self.connection: Final = connection
        self.group: Final = group
        self.index: Final = index
        self.timer: asyncio.TimerHandle | None = None


class _Group:
    """The calls of one request that somebody waits for."""

    __slots__ = ("done", "drivers", "left", "outcomes")

    def __init__(self, size: int, done: asyncio.Future[None]) -> None:
        self.outcomes: Final[list[Outcome | None]] = [None] * size
        self.drivers: Final[list[CallDriver]] = []
        self.left = 0
        self.done: Final = done

    def settle(self, index: int, outcome: Outcome) -> None:
        self.outcomes[index] = outcome
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(None)

    def cancel(self) -> None:
        for driver in self.drivers:
            driver.cancel()


class CallRunner:
    """The calls of one listener or mounted application, within `max_calls` and `max_calls_per_connection`."""

    def __init__(self, handler: Handler, options: ListenerOptions, refusals: Refusals) -> None:
        self._handler = handler
        self._options = options
        self._refusals = refusals
        self._running: set[CallDriver] = set()
        self._per_connection: dict[Hashable, int] = {}
        self._closing = False
        self._idle = asyncio.Event()

    @property
    def running(self) -> int:
        """Calls in progress."""
        return len(self._running)

    def running_of(self, connection: Hashable) -> int:
        """Calls in progress that came on one connection."""
        return self._per_connection.get(connection, 0)

    async def run(
        self, invocations: Sequence[Invocation], connection: Hashable, peer: str, gone: Callable[[], bool]
    ) -> Sequence[Outcome | None]:
        """What became of each call; None for oneway ones, which go on by themselves.

        `connection`: whatever stands for the caller's connection. `gone`: whether the caller went away; its calls are
        cancelled a second later at most. Cancelling `run` cancels them at once.
        """
        loop = asyncio.get_running_loop()
        group = _Group(len(invocations), loop.create_future())
        group.left = sum(not invocation.oneway for invocation in invocations)
        for index, invocation in enumerate(invocations):
            self._start(loop, _Call(connection, None if invocation.oneway else group, index), invocation, peer)
        if not group.left:
            return group.outcomes
        try:
            while not group.done.done():
                await asyncio.wait([group.done], timeout=_GRACE_S)
                if not group.done.done() and gone():
                    group.cancel()
        except asyncio.CancelledError:
            group.cancel()
            raise
        return group.outcomes

    def _start(self, loop: asyncio.AbstractEventLoop, call: _Call, invocation: Invocation, peer: str) -> None:
        options = self._options
        refusal = ""
        if self._closing:
            refusal = "this listener is closing"
        elif (
            len(self._running) >= options.max_calls
            or self.running_of(call.connection) >= options.max_calls_per_connection
        ):
            refusal = "too many calls in progress here"
        if refusal:
            self._refusals.count("too-many-calls", peer, refusal)
            self._settle(call, Overloaded(refusal))
            return
        try:
            coroutine = self._handler(invocation)
        except Exception as exc:
            # A filter may be a plain function, and raise before there is a coroutine.
            self._settle(call, failure_of(exc, self._closing))
            return
        driver = CallDriver(loop, coroutine, self._done, call)
        self._running.add(driver)
        self._per_connection[call.connection] = self.running_of(call.connection) + 1
        if call.group is not None:
            call.group.drivers.append(driver)
        if invocation.deadline is not None:
            call.timer = loop.call_later(max(0.0, invocation.deadline - monotonic()), driver.expire)
        driver.start()

    def _done(self, driver: CallDriver, result: Any, error: BaseException | None) -> None:
        call: _Call = driver.tag
        if call.timer is not None:
            call.timer.cancel()
        self._running.discard(driver)
        left = self._per_connection[call.connection] - 1
        if left:
            self._per_connection[call.connection] = left
        else:
            del self._per_connection[call.connection]
        if not self._running:
            self._idle.set()
        outcome: Outcome = result
        if error is not None:
            outcome = failure_of(error, self._closing)
        self._settle(call, outcome)

    def _settle(self, call: _Call, outcome: Outcome | RpcError) -> None:
        if call.group is not None:
            call.group.settle(call.index, outcome)

    async def until_idle(self, deadline: float) -> None:
        """Waits until no call runs, or until `deadline` (monotonic)."""
        if self._running:
            self._idle.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, deadline - monotonic())):
                    await self._idle.wait()

    def close(self) -> None:
        """Takes no more calls and cancels those that run; their callers are told."""
        self._closing = True
        for driver in tuple(self._running):
            driver.cancel()
