"""Calls that run although nobody awaits them yet."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from time import monotonic
from typing import Any, Final

from gateway.model.errors import ConnectionLost

__all__ = ["StartedCalls", "start_threadsafe"]

_LOG: Final = logging.getLogger("polyport.client")
_CLOSED: Final = "the client was closed during the call"
_END_S: Final = 5.0
"""How long cancelled calls may take to end."""


class StartedCalls:
    """The started calls of one client or app, which ends them with itself. Belongs to one event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ending = False

    def __len__(self) -> int:
        """Calls in progress."""
        return len(self._tasks)

    def start(self, call: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        """Lets the call run from the next turn of the loop on. Cancelling the future cancels the call."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        task = loop.create_task(call)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, future))
        future.add_done_callback(lambda _: task.cancel())
        return future

    def _ended(self, future: asyncio.Future[Any], task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if future.done():
            return
        if not task.cancelled():
            if error is None:
                future.set_result(task.result())
            else:
                future.set_exception(error)
        elif self._ending:
            # Whoever waits for the future was not cancelled, and must not look as if.
            future.set_exception(ConnectionLost(_CLOSED))
        else:
            future.cancel()

    async def aclose(self) -> None:
        """Cancels what still runs and waits until it has ended; their futures fail with `ConnectionLost`.

        A call that will not end, because somebody's filter or service holds on to it, is left behind after a while.
        """
        self._ending = True
        ends = monotonic() + _END_S
        try:
            while self._tasks and (left_s := ends - monotonic()) > 0:
                for task in tuple(self._tasks):
                    task.cancel()
                await asyncio.wait(tuple(self._tasks), timeout=left_s)
            if self._tasks:
                _LOG.warning("%d started calls do not end although they were cancelled", len(self._tasks))
        finally:
            self._ending = False


def start_threadsafe(
    loop: asyncio.AbstractEventLoop, started: StartedCalls, call: Coroutine[Any, Any, Any]
) -> Future[Any]:
    """Starts a call on a loop that runs in another thread. Cancelling the future, from any thread, cancels the call."""
    future: Future[Any] = Future()

    def begin() -> None:
        # Not `set_running_or_notify_cancel`: a future that says it is running cannot be cancelled any more.
        if future.cancelled():
            call.close()
            return
        inner = started.start(call)
        inner.add_done_callback(finish)
        future.add_done_callback(lambda _: _soon(loop, inner.cancel))

    def finish(inner: asyncio.Future[Any]) -> None:
        error = ConnectionLost(_CLOSED) if inner.cancelled() else inner.exception()
        if not future.set_running_or_notify_cancel():
            return
        if error is None:
            future.set_result(inner.result())
        else:
            future.set_exception(error)

    loop.call_soon_threadsafe(begin)
    return future


def _soon(loop: asyncio.AbstractEventLoop, act: Callable[[], Any]) -> None:
    # The loop may have ended between; what was to be cancelled has ended with it.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(act)
