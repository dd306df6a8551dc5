import asyncio

import pytest

from gateway.cluster.children import Children


async def gives(value: str) -> str:
    return value


async def never(ended: list[str]) -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        ended.append("cancelled")
        raise
    return ""


async def raises() -> str:
    raise ValueError("no")


async def test_what_finishes_together_is_given_in_the_order_of_its_start() -> None:
    async with Children[int, str]() as children:
        for number in (1, 2, 3):
            children.start(number, gives(str(number)))
        found = [await children.next() for _ in range(3)]
    assert [(key, task.result()) for key, task in found] == [(1, "1"), (2, "2"), (3, "3")]
    assert not children


@pytest.mark.parametrize("by", ["leaving", "error", "hang-up"])
async def test_nothing_outlives_the_block(by: str) -> None:
    ended: list[str] = []
    entered = asyncio.Event()

    async def call() -> None:
        async with Children[int, str]() as children:
            children.start(1, never(ended))
            children.start(2, never(ended))
            children.start(3, gives("done"))
            await children.next()
            entered.set()
            if by == "error":
                raise ValueError("no")
            if by == "hang-up":
                await children.next()

    task = asyncio.create_task(call())
    await entered.wait()
    if by == "hang-up":
        task.cancel()
    await asyncio.wait([task])
    assert ended == ["cancelled", "cancelled"]
    assert task.cancelled() == (by == "hang-up")


async def test_stopped_work_is_not_given_any_more_and_ends_with_the_block() -> None:
    ended: list[str] = []
    async with Children[int, str]() as children:
        children.start(1, never(ended))
        await asyncio.sleep(0)
        children.stop(1)
        assert not children
        children.start(2, gives("done"))
        assert (await children.next())[0] == 2
    assert ended == ["cancelled"]


async def test_outcomes_nobody_asked_for_are_not_reported_as_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    async with Children[int, str]() as children:
        children.start(1, gives("first"))
        children.start(2, raises())
        children.start(3, raises())
        assert (await children.next())[0] == 1
    del children
    await asyncio.sleep(0)
    assert not caplog.records
