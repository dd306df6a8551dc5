"""Proxies: arguments as Python takes them, results and trouble as callers see them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.model.call import Fault, Invocation, Result
from gateway.model.errors import DeadlineExceeded, Overloaded
from gateway.model.fault import RemoteError
from tests.support.answering import KEY, Answering, Missing, Orders, client


@pytest.mark.parametrize(
    ("call", "values"),
    [
        (lambda c: c.find(1), (1, "none")),
        (lambda c: c.find(1, "a"), (1, "a")),
        (lambda c: c.find(1, note="a"), (1, "a")),
        (lambda c: c.find(note="a", number=1), (1, "a")),
    ],
)
async def test_arguments_are_bound_in_contract_order(call: Callable[[Orders], Any], values: tuple[Any, ...]) -> None:
    handler = Answering()
    assert await call(client(handler)) == "found"
    assert handler.asked[0].arguments() == values


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda c: c.find(), "find() is missing the argument 'number'"),
        (lambda c: c.find(1, 2, 3), "find() takes 2 arguments but 3 were given"),
        (lambda c: c.find(1, number=2), "find() got multiple values for argument 'number'"),
        (lambda c: c.find(1, colour=2), "find() got an unexpected argument 'colour'"),
    ],
)
def test_wrong_arguments_are_type_errors_before_anything_is_awaited(call: Callable[[Any], Any], text: str) -> None:
    handler = Answering()
    with pytest.raises(TypeError) as caught:
        call(client(handler))
    assert str(caught.value) == text
    assert handler.asked == []


async def test_invocation_carries_what_the_options_say() -> None:
    handler = Answering()
    before = time.monotonic()
    proxy = client(handler, attachments={"a": "b"}, deadline_s=5.0, consumer="shop", traceparent="00-x")
    await proxy.find_named("x")
    (asked,) = handler.asked
    assert (asked.service, asked.method, asked.consumer, asked.traceparent) == (KEY, "find", "shop", "00-x")
    assert asked.signature is contract_of(Orders).methods[1]
    assert asked.attachments == {"a": "b"}
    assert asked.deadline is not None
    assert before + 5.0 <= asked.deadline <= time.monotonic() + 5.0
    assert asked.peer is None
    assert not asked.oneway


async def test_fault_is_raised_as_the_exception_it_stands_for() -> None:
    (missing,) = contract_of(Orders).methods[0].throws
    declared = Fault(missing.name, "none", {"number": 7}, declared=True)
    with pytest.raises(Missing, match="none") as caught:
        await client(Answering(declared)).find(1)
    assert caught.value.number == 7
    with pytest.raises(RemoteError) as other:
        await client(Answering(Fault("KeyError", "x"))).find(1)
    assert other.value.type_name == "KeyError"


async def test_trouble_passes_as_it_is() -> None:
    error = Overloaded("busy")
    with pytest.raises(Overloaded) as caught:
        await client(Answering(error)).find(1)
    assert caught.value is error


async def test_reply_attachments_are_replaced_by_each_answer_faults_included() -> None:
    handler = Answering()
    received: dict[str, Any] = {"old": "x"}
    proxy = client(handler, reply_attachments=received)
    await proxy.find(1)
    assert received == {"by": "one"}
    handler.answer = Fault("KeyError", None, attachments={"why": "x"})
    with pytest.raises(RemoteError):
        await proxy.find(1)
    assert received == {"why": "x"}


async def test_oneway_call_tells_nothing_of_what_became_of_it() -> None:
    handler = Answering(Fault("KeyError", "x"))
    assert await client(handler).touch(1) is None  # type: ignore[func-returns-value]
    assert handler.asked[0].oneway


async def test_deadline_ends_a_call_that_no_wire_watches() -> None:
    ended = asyncio.Event()

    async def forever(_: Invocation) -> Result:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    with pytest.raises(DeadlineExceeded, match=r"find: no answer within 0\.01 s"):
        await client(forever, deadline_s=0.01).find(1)
    assert ended.is_set()


async def test_timeout_of_somebody_else_is_not_taken_for_the_deadline() -> None:
    with pytest.raises(TimeoutError, match=r"^of a filter$"):
        await client(Answering(TimeoutError("of a filter")), deadline_s=30.0).find(1)


def test_proxy_describes_itself() -> None:
    proxy = client(Answering())
    assert repr(proxy) == "<client of blue/test.Orders>"
    assert proxy.__doc__ == "Orders of a shop."
    assert proxy.find.__doc__ == "One order."
    assert not hasattr(proxy, "__dict__")
