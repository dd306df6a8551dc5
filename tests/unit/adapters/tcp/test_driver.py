"""CallDriver runs coroutines as a Task would, without being one until it must."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from adapters.tcp.driver import CallDriver, ReplySlot
from gateway.model.errors import DeadlineExceeded


class Outcome:
    """Collects what a driver reports, and lets a test wait for it."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.reports: list[tuple[Any, BaseException | None]] = []

    def __call__(self, driver: CallDriver, result: Any, error: BaseException | None) -> None:
        self.reports.append((result, error))
        self.arrived.set()

    async def wait(self) -> tuple[Any, BaseException | None]:
        async with asyncio.timeout(5):
            await self.arrived.wait()
        assert len(self.reports) == 1
        return self.reports[0]


async def drive(coroutine: Coroutine[Any, Any, Any]) -> tuple[CallDriver, Outcome]:
    """Starts a driver from a loop callback, as `data_received` does."""
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    driver = CallDriver(loop, coroutine, outcome, None)
    started = asyncio.Event()

    def start() -> None:
        driver.start()
        started.set()

    loop.call_soon(start)
    await started.wait()
    return driver, outcome


def slot() -> ReplySlot:
    return ReplySlot(asyncio.get_running_loop(), 1, 1.0, lambda each: each.fail(DeadlineExceeded("expired")))


async def test_coroutine_that_never_waits_is_done_when_start_returns() -> None:
    async def work() -> int:
        return 7

    driver, outcome = await drive(work())
    assert outcome.reports == [(7, None)]
    assert driver.done()


async def test_exception_is_reported_as_error() -> None:
    error = ValueError("no")

    async def work() -> None:
        raise error

    _, outcome = await drive(work())
    assert outcome.reports == [(None, error)]


async def test_reply_slot_resumes_the_coroutine_at_once() -> None:
    reply = slot()

    async def work() -> Any:
        return await reply

    _, outcome = await drive(work())
    assert outcome.reports == []
    asyncio.get_running_loop().call_soon(reply.resolve, "answer")
    assert await outcome.wait() == ("answer", None)


async def test_failed_slot_raises_in_the_coroutine() -> None:
    reply = slot()
    error = DeadlineExceeded("late")

    async def work() -> Any:
        return await reply

    _, outcome = await drive(work())
    asyncio.get_running_loop().call_soon(reply.fail, error)
    assert await outcome.wait() == (None, error)


async def test_slot_resolved_before_it_is_awaited() -> None:
    reply = slot()
    reply.resolve(3)

    async def work() -> Any:
        return await reply

    _, outcome = await drive(work())
    assert outcome.reports == [(3, None)]


async def test_slot_works_in_an_ordinary_task_too() -> None:
    reply = slot()

    async def work() -> Any:
        return await reply

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    reply.resolve("here")
    assert await task == "here"


async def test_waits_of_every_kind_in_turn() -> None:
    first, second = slot(), slot()
    event = asyncio.Event()

    async def work() -> list[Any]:
        seen = [await first]
        await asyncio.sleep(0)
        await event.wait()
        seen.append(await second)
        return seen

    _, outcome = await drive(work())
    loop = asyncio.get_running_loop()
    loop.call_soon(first.resolve, 1)
    loop.call_soon(event.set)
    for _ in range(5):
        await asyncio.sleep(0)
    loop.call_soon(second.resolve, 2)
    assert await outcome.wait() == ([1, 2], None)


async def test_current_task_is_one_object_from_first_to_last() -> None:
    reply = slot()
    seen: list[Any] = []

    async def work() -> None:
        seen.append(asyncio.current_task())
        await reply
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())

    driver, outcome = await drive(work())
    asyncio.get_running_loop().call_soon(reply.resolve, None)
    await outcome.wait()
    assert seen == [driver] * 3


async def test_timeout_block_ends_a_slow_wait() -> None:
    async def work() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"
        return "not reached"

    _, outcome = await drive(work())
    assert await outcome.wait() == ("timed out", None)


async def test_timeout_block_ends_a_wait_for_a_slot() -> None:
    reply = slot()

    async def work() -> str:
        try:
            async with asyncio.timeout(0.01):
                await reply
        except TimeoutError:
            return "timed out"
        return "not reached"

    _, outcome = await drive(work())
    assert await outcome.wait() == ("timed out", None)


async def test_task_group_in_service_code() -> None:
    async def part(value: int) -> int:
        await asyncio.sleep(0)
        return value

    async def work() -> int:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part(value)) for value in (1, 2, 3)]
        return sum(task.result() for task in tasks)

    _, outcome = await drive(work())
    assert await outcome.wait() == (6, None)


async def test_task_group_failure_cancels_and_is_raised() -> None:
    async def fails() -> None:
        raise LookupError("part")

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            await asyncio.Event().wait()

    _, outcome = await drive(work())
    _, error = await outcome.wait()
    assert isinstance(error, ExceptionGroup)
    assert isinstance(error.exceptions[0], LookupError)


@pytest.mark.parametrize("kind", ["slot", "event"])
async def test_cancel_reaches_the_coroutine(kind: str) -> None:
    cleaned = asyncio.Event()
    wait: Any = slot() if kind == "slot" else asyncio.Event().wait()

    async def work() -> None:
        try:
            await wait
        finally:
            cleaned.set()

    driver, outcome = await drive(work())
    assert driver.cancel()
    _, error = await outcome.wait()
    assert isinstance(error, asyncio.CancelledError)
    assert cleaned.is_set()
    assert not driver.cancel()


async def test_expire_becomes_deadline_exceeded() -> None:
    reply = slot()

    async def work() -> Any:
        return await reply

    driver, outcome = await drive(work())
    driver.expire()
    _, error = await outcome.wait()
    assert isinstance(error, DeadlineExceeded)


async def test_answer_that_beats_the_cancellation_counts() -> None:
    async def work() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "finished all the same"
        return "not reached"

    driver, outcome = await drive(work())
    driver.cancel()
    assert await outcome.wait() == ("finished all the same", None)


async def test_context_variables_of_a_call_do_not_leak() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="outside")
    seen: list[str] = []

    async def work() -> None:
        variable.set("inside")
        await asyncio.sleep(0)
        seen.append(variable.get())

    _, outcome = await drive(work())
    await outcome.wait()
    assert seen == ["inside"]
    assert variable.get() == "outside"


async def test_reply_delivered_from_inside_a_task_is_not_run_there() -> None:
    reply = slot()
    seen: list[Any] = []

    async def work() -> None:
        await reply
        seen.append(asyncio.current_task())

    driver, outcome = await drive(work())
    reply.resolve(None)
    assert outcome.reports == []
    await outcome.wait()
    assert seen == [driver]


@pytest.mark.parametrize("cleanup", ["sleep", "slot"])
async def test_cleanup_after_a_cancellation_is_not_cancelled_again(cleanup: str) -> None:
    reply, second = slot(), slot()
    log: list[str] = []

    async def work() -> None:
        try:
            await reply
        finally:
            log.append("cleaning")
            await (asyncio.sleep(0) if cleanup == "sleep" else second)
            log.append("clean")

    driver, outcome = await drive(work())
    driver.cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    second.resolve(None)
    _, error = await outcome.wait()
    assert isinstance(error, asyncio.CancelledError)
    assert log == ["cleaning", "clean"]


async def test_cancellations_before_the_first_is_delivered_are_one() -> None:
    reply = slot()
    log: list[str] = []

    async def work() -> str:
        try:
            await reply
        except asyncio.CancelledError:
            log.append("cancelled")
        await asyncio.sleep(0)
        return "went on"

    driver, outcome = await drive(work())
    driver.cancel()
    driver.cancel()
    assert driver.cancelling() == 2
    assert await outcome.wait() == ("went on", None)
    assert log == ["cancelled"]


async def start_and(act: Callable[[CallDriver], object], coroutine: Coroutine[Any, Any, Any]) -> Outcome:
    """Does `act` right after the first step, before the loop does anything else."""
    outcome = Outcome()
    loop = asyncio.get_running_loop()

    def start() -> None:
        driver = CallDriver(loop, coroutine, outcome, None)
        driver.start()
        act(driver)

    loop.call_soon(start)
    return outcome


async def test_cancel_before_the_rest_has_a_running_task_reaches_the_coroutine() -> None:
    log: list[str] = []

    async def work() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.append("cancelled")
            await asyncio.sleep(0)
        return "finished all the same"

    outcome = await start_and(CallDriver.cancel, work())
    assert await outcome.wait() == ("finished all the same", None)
    assert log == ["cancelled"]


async def test_cancel_before_the_rest_has_a_running_task_reaches_what_is_awaited() -> None:
    children: list[asyncio.Task[Any]] = []

    async def work() -> None:
        children.append(asyncio.create_task(asyncio.Event().wait()))
        await children[0]

    outcome = await start_and(CallDriver.cancel, work())
    _, error = await outcome.wait()
    assert isinstance(error, asyncio.CancelledError)
    assert children[0].cancelled()


@pytest.mark.parametrize("kind", ["slot", "event"])
async def test_coroutine_that_cancels_itself_is_cancelled_at_its_next_wait(kind: str) -> None:
    log: list[str] = []
    wait: Any = slot() if kind == "slot" else asyncio.Event().wait()

    async def work() -> None:
        current = asyncio.current_task()
        assert current is not None
        current.cancel()
        log.append("before")
        await wait
        log.append("after")

    _, outcome = await drive(work())
    _, error = await outcome.wait()
    assert isinstance(error, asyncio.CancelledError)
    assert log == ["before"]
    if kind == "event":
        wait.close()


async def test_cancellation_taken_back_before_the_next_wait_counts_no_more() -> None:
    async def work() -> str:
        current = asyncio.current_task()
        assert current is not None
        current.cancel()
        assert current.uncancel() == 0
        await asyncio.sleep(0)
        return "went on"

    _, outcome = await drive(work())
    assert await outcome.wait() == ("went on", None)


async def test_cancelled_between_reply_and_resumption_ends_once() -> None:
    reply = slot()

    async def work() -> Any:
        return await reply

    driver, outcome = await drive(work())
    # From inside a Task the reply is handed over a turn later; the cancellation comes first.
    reply.resolve("answer")
    driver.cancel()
    _, error = await outcome.wait()
    assert isinstance(error, asyncio.CancelledError)
    assert driver.done()


async def test_cancelled_before_its_first_step_never_runs() -> None:
    ran: list[str] = []

    async def work() -> None:
        ran.append("ran")

    outcome = Outcome()
    driver = CallDriver(asyncio.get_running_loop(), work(), outcome, None)
    assert not driver.start()  # from inside a Task it starts a turn later
    driver.cancel()
    _, error = await outcome.wait()
    assert isinstance(error, asyncio.CancelledError)
    assert ran == []


async def test_nested_timeouts_where_the_outer_one_fires() -> None:
    reply = slot()

    async def work() -> str:
        try:
            async with asyncio.timeout(0.01):
                try:
                    async with asyncio.timeout(60):
                        await reply
                except TimeoutError:
                    return "the inner one fired"
        except TimeoutError:
            await asyncio.sleep(0)
            return "the outer one fired"
        return "not reached"

    _, outcome = await drive(work())
    assert await outcome.wait() == ("the outer one fired", None)


async def test_loop_that_is_torn_down_ends_the_coroutine() -> None:
    log: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("closed")

    before = asyncio.all_tasks()
    _, outcome = await drive(work())
    await asyncio.sleep(0)
    # What asyncio.run does at its end: it knows the Tasks, not the drivers.
    for task in asyncio.all_tasks() - before:
        task.cancel()
    _, error = await outcome.wait()
    assert isinstance(error, asyncio.CancelledError)
    assert log == ["closed"]


async def test_expire_of_a_call_that_is_done_does_nothing() -> None:
    async def work() -> int:
        return 1

    driver, outcome = await drive(work())
    driver.expire()
    assert outcome.reports == [(1, None)]


async def test_what_it_waits_for_can_be_asked_as_anyio_does() -> None:
    reply = slot()
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        await reply
        await future

    driver, outcome = await drive(work())
    seen = [driver._fut_waiter]
    reply.resolve(None)
    for _ in range(3):
        await asyncio.sleep(0)
    seen.append(driver._fut_waiter)
    assert seen == [None, future]
    future.set_result(None)
    assert await outcome.wait() == (None, None)


class Argument:
    """Stands in for megabytes."""


@pytest.mark.parametrize("ending", ["answer", "error", "chained error", "cancel", "expire"])
@pytest.mark.parametrize("kind", ["slot", "event", "slot then event"])
async def test_call_that_ended_is_freed_without_the_garbage_collector(kind: str, ending: str) -> None:
    alive: list[weakref.ref[Argument]] = []
    reply = slot()
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait_for(argument: Argument) -> None:
        if kind != "event":
            await reply
        if kind != "slot":
            await future

    async def work() -> None:
        argument = Argument()
        alive.append(weakref.ref(argument))
        try:
            await wait_for(argument)
        except LookupError as error:
            raise DeadlineExceeded("behind it is another") from error

    def end(driver: CallDriver) -> None:
        error = {"error": DeadlineExceeded("late"), "chained error": LookupError("inner")}.get(ending)
        if ending in ("cancel", "expire"):
            driver.cancel() if ending == "cancel" else driver.expire()
        elif kind == "slot":
            reply.fail(error) if error else reply.resolve(None)
        else:
            reply.resolve(None)
            future.set_exception(error) if error else future.set_result(None)

    gc.collect()
    gc.disable()
    try:
        driver, outcome = await drive(work())
        asyncio.get_running_loop().call_soon(end, driver)
        await outcome.wait()
        del driver
        outcome.reports.clear()
        for _ in range(5):
            await asyncio.sleep(0)
        assert [each() for each in alive] == [None]
    finally:
        gc.enable()


async def test_failed_wait_in_an_ordinary_task_is_freed_too() -> None:
    reply = slot()
    alive: list[weakref.ref[Argument]] = []

    async def work() -> None:
        argument = Argument()
        alive.append(weakref.ref(argument))
        try:
            await reply
        except DeadlineExceeded:
            return

    gc.collect()
    gc.disable()
    try:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        reply.fail(DeadlineExceeded("late"))
        await task
        assert [each() for each in alive] == [None]
    finally:
        gc.enable()


async def test_error_that_its_maker_keeps_can_be_raised_again() -> None:
    error = DeadlineExceeded("kept")

    async def work() -> None:
        raise error

    for _ in range(2):
        _, outcome = await drive(work())
        assert outcome.reports == [(None, error)]
