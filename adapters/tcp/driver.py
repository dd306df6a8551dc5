"""Runs one call's coroutine without a Task until it really has to wait.

A `Task` per call costs more than a whole local call. So the coroutine is stepped once from where the bytes
arrived. If it ends there, that was all. If it waits for a reply of one of our own connections (`ReplySlot`), the slot
resumes it directly. Only if it waits for anything else is a Task made of the rest.

Code inside the coroutine sees one and the same object as `asyncio.current_task()` from first to last: the driver, which
can be cancelled, uncancelled and asked like a Task. `asyncio.timeout`, `TaskGroup` and libraries that compare task
identity therefore work in service code. `_enter_task` and `_leave_task` are asyncio's documented hooks for
third-party task implementations (Python documentation, "Extending").
"""

from __future__ import annotations

import asyncio
import logging
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, Final

from gateway.model.call import Result
from gateway.model.errors import DeadlineExceeded, RpcError

__all__ = ["CallDriver", "ReplySlot", "hand_over", "let_go"]

_LOG: Final = logging.getLogger("polyport.client")
_CallCoroutine = Coroutine[Any, Any, Any]
_Done = Callable[["CallDriver", Any, BaseException | None], None]
_Switch = Callable[[asyncio.AbstractEventLoop, Any], None]

# What they take is called a Task, but need only behave like one.
_enter: Final[_Switch] = _enter_task
_leave: Final[_Switch] = _leave_task


class ReplySlot:
    """Waits for one reply. Awaitable once; `resolve` and `fail` after the first are ignored.

    Inside a `CallDriver` waiting costs neither a Future nor a trip through the loop; inside an ordinary Task the
    slot makes itself a Future.
    """

    __slots__ = ("_error", "_loop", "_result", "_waiter", "bucket", "call_id", "done", "limit", "on_expire", "sent_at")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, call_id: int, limit: float, on_expire: Callable[[ReplySlot], None]
    ) -> None:
        # Asking for the running loop makes a system call, up to Python 3.11.
        self._loop = loop
        self.call_id = call_id
        """The id its reply will carry."""
        self.limit = limit
        """Seconds it may take, for messages."""
        self.on_expire = on_expire
        self.sent_at = 0.0
        """When its call was sent (monotonic), for who wants to know."""
        self.done = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._waiter: Callable[[], None] | None = None
        self.bucket: set[Any] | None = None
        """Where its timeout stands in the timer wheel."""

    def resolve(self, result: Any) -> None:
        """The reply is here."""
        if not self.done:
            self.done = True
            self._result = result
            self._wake()

    def fail(self, error: BaseException) -> None:
        """There will be no reply."""
        if not self.done:
            self.done = True
            self._error = error
            self._wake()

    def expire(self) -> None:
        """The timer wheel's call: time is up."""
        self.bucket = None
        if not self.done:
            self.on_expire(self)

    def _wake(self) -> None:
        if self.bucket is not None:
            self.bucket.discard(self)
            self.bucket = None
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter()

    def wait(self, waiter: Callable[[], None]) -> None:
        """Whom to tell. The slot must not be done yet."""
        self._waiter = waiter

    def __await__(self) -> Generator[Any, None, Any]:
        if not self.done:
            current: object = asyncio.current_task(self._loop)
            if type(current) is CallDriver:
                yield self
            else:
                future: asyncio.Future[None] = self._loop.create_future()
                self._waiter = lambda: None if future.done() else future.set_result(None)
                yield from future
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            # The error's traceback holds this frame. Holding the error in turn would keep the whole call, its
            # arguments included, until the garbage collector comes by.
            del error


class CallDriver:
    """One call in progress. `cancel` ends it; `on_done(driver, result, error)` is called exactly once, from the loop.

    An error is whatever the coroutine raised, `CancelledError` included. After `expire` it is `DeadlineExceeded`.
    """

    __slots__ = (
        "__weakref__",
        "_cancelling",
        "_context",
        "_coroutine",
        "_expired",
        "_loop",
        "_must_cancel",
        "_on_done",
        "_slot",
        "_task",
        "bucket",
        "deadline",
        "tag",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, coroutine: _CallCoroutine, on_done: _Done, tag: Any) -> None:
        self._loop = loop
        self._coroutine: _CallCoroutine | None = coroutine
        self._on_done = on_done
        self._context: Context = copy_context()
        self._task: asyncio.Task[Any] | None = None
        """Runs the rest of the coroutine, from its own first step on."""
        self._slot: ReplySlot | None = None
        self._cancelling = 0
        self._must_cancel = False
        """A cancellation was asked for where it could not be delivered; the next step or wait delivers it."""
        self._expired = False
        self.bucket: set[Any] | None = None
        """Where its deadline stands in the timer wheel."""
        self.deadline: float | None = None
        """When the caller stops waiting (monotonic), for who wants to know."""
        self.tag = tag
        """Whatever the owner wants to find again in `on_done`."""

    def start(self) -> bool:
        """Steps the coroutine once. True when it is done already (`on_done` has been called)."""
        self._step(None)
        return self._coroutine is None

    def cancel(self, msg: Any = None) -> bool:
        """Throws CancelledError into the coroutine. False when it is done already."""
        if self._coroutine is None:
            return False
        self._cancelling += 1
        slot = self._slot
        if slot is not None:
            self._slot = None
            slot.wait(_nobody)
            self._loop.call_soon(self._step, asyncio.CancelledError())
        elif self._task is not None:
            return self._task.cancel(msg)
        else:
            # It is running right now, or about to.
            self._must_cancel = True
        return True

    def cancelling(self) -> int:
        """Number of cancellation requests not taken back."""
        return self._cancelling

    def uncancel(self) -> int:
        """Takes back one cancellation request; gives how many remain."""
        if self._cancelling:
            self._cancelling -= 1
            if not self._cancelling:
                self._must_cancel = False
            if self._task is not None:
                self._task.uncancel()
        return self._cancelling

    def done(self) -> bool:
        """Whether the coroutine has ended."""
        return self._coroutine is None

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop it runs on."""
        return self._loop

    def get_coro(self) -> _CallCoroutine | None:
        """The coroutine, while it runs."""
        return self._coroutine

    def get_name(self) -> str:
        """A name for logs."""
        return f"call-{id(self):x}"

    @property
    def _fut_waiter(self) -> asyncio.Future[Any] | None:
        # Not part of any interface, but anyio asks a Task for it (and for `_must_cancel`) before it cancels it
        # (agronholm/anyio: src/anyio/_backends/_asyncio.py), and httpx and others are built on anyio.
        waiter: asyncio.Future[Any] | None = getattr(self._task, "_fut_waiter", None)
        return waiter

    def expire(self) -> None:
        """The timer wheel's call: the deadline has passed."""
        self.bucket = None
        if self._coroutine is not None:
            self._expired = True
            self.cancel()

    def _step(self, error: BaseException | None) -> None:
        coroutine = self._coroutine
        if coroutine is None:
            return
        loop = self._loop
        try:
            _enter(loop, self)
        except RuntimeError:
            # Called from inside a Task (a reply handed over by somebody's own coroutine): step outside of it.
            loop.call_soon(self._step, error)
            return
        if self._must_cancel:
            self._must_cancel = False
            error = asyncio.CancelledError()
        try:
            if error is None:
                waits_for = self._context.run(coroutine.send, None)
            else:
                waits_for = self._context.run(coroutine.throw, error)
        except StopIteration as stop:
            _leave(loop, self)
            self._finish(stop.value, None)
        except BaseException as exc:
            _leave(loop, self)
            self._finish(None, exc)
            if isinstance(exc, (KeyboardInterrupt, SystemExit)):
                raise
            let_go(exc)
        else:
            _leave(loop, self)
            if type(waits_for) is ReplySlot and not self._must_cancel:
                self._slot = waits_for
                waits_for.wait(self._resume)
            else:
                task = loop.create_task(self._rest(coroutine, waits_for), context=self._context)
                task.add_done_callback(self._task_done)

    def _resume(self) -> None:
        self._slot = None
        self._step(None)

    def _adopt(self, task: asyncio.Task[Any]) -> None:
        """The rest begins to run in `task`. Not earlier: a Task cancelled before that would never run it at all."""
        self._task = task
        if self._must_cancel:
            self._must_cancel = False
            task.cancel()

    async def _rest(self, coroutine: _CallCoroutine, waits_for: Any) -> None:
        """Runs in a Task, which gets neither the result nor the error: it would keep them longer than needed."""
        try:
            result = await _Rest(self, coroutine, waits_for)
        except GeneratorExit:
            raise
        except BaseException as exc:
            self._finish(None, exc)
            if isinstance(exc, (KeyboardInterrupt, SystemExit)):
                raise
            let_go(exc)
        else:
            self._finish(result, None)

    def _task_done(self, _: asyncio.Task[None]) -> None:
        if self._coroutine is not None:
            # Somebody who knows the Task, and not the driver, cancelled it before it began.
            self._finish(None, asyncio.CancelledError())

    def _finish(self, result: Any, error: BaseException | None) -> None:
        self._coroutine = self._task = None
        if self.bucket is not None:
            self.bucket.discard(self)
            self.bucket = None
        if self._expired and isinstance(error, asyncio.CancelledError):
            error = DeadlineExceeded("the deadline of the call has passed; it was cancelled")
        self._on_done(self, result, error)


class _Rest:
    """Drives the rest of a started coroutine inside a real Task, with the driver as `current_task()`."""

    __slots__ = ("_coroutine", "_driver", "_waits_for")

    def __init__(self, driver: CallDriver, coroutine: _CallCoroutine, waits_for: Any) -> None:
        self._driver = driver
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, None, Any]:
        driver = self._driver
        loop = driver.get_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        driver._adopt(task)
        waits_for, self._waits_for = self._waits_for, None
        while True:
            error: BaseException | None = None
            try:
                if type(waits_for) is ReplySlot:
                    yield from _slot_future(loop, waits_for)
                else:
                    yield waits_for
            except GeneratorExit:
                # The loop is being torn down: nothing can be waited for any more.
                self._coroutine.close()
                raise
            except BaseException as exc:
                error = exc
            _leave(loop, task)
            _enter(loop, driver)
            try:
                waits_for = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
            except StopIteration as stop:
                return stop.value
            finally:
                error = None
                _leave(loop, driver)
                _enter(loop, task)


def _slot_future(loop: asyncio.AbstractEventLoop, slot: ReplySlot) -> Generator[Any, None, None]:
    if slot.done:
        return
    future: asyncio.Future[None] = loop.create_future()
    slot.wait(lambda: None if future.done() else future.set_result(None))
    yield from future


def hand_over(slot: ReplySlot, outcome: Result | RpcError) -> None:
    """Gives a caller its outcome. What it does with it must reach neither the connection nor the other callers."""
    try:
        if isinstance(outcome, RpcError):
            slot.fail(outcome)
        else:
            slot.resolve(outcome)
    except Exception:
        _LOG.exception("a caller failed while it was handed its reply")


def let_go(error: BaseException) -> None:
    """Forgets where an error, and what is behind it, was raised. For when it has been dealt with.

    A traceback holds frames, and some of them hold the error: cycles that would keep the arguments of a failed call,
    perhaps megabytes, until the garbage collector comes by.
    """
    behind: BaseException | None = error
    while behind is not None and behind.__traceback__ is not None:
        behind.__traceback__ = None
        behind = behind.__cause__ or behind.__context__


def _nobody() -> None:
    """Stands in for a waiter that went away."""
