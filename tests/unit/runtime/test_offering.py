"""Objects of programs on their way to services they call."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.model.call import Invocation, Ok, Result
from gateway.model.callback import Callback
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest
from gateway.runtime.offering import offering, taking_callbacks, withdraw
from tests.support.prices import Listener, Listening, Prices

CONTRACT, LISTENER = contract_of(Prices), contract_of(Listener)
METHODS = {each.name: each for each in CONTRACT.methods}
PING = next(each for each in LISTENER.methods if each.name == "ping")


class Recording:
    """A handler that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[Invocation] = []

    async def __call__(self, invocation: Invocation) -> Result:
        self.got.append(invocation)
        return Ok("done")

    async def watch(self, listener: Any) -> Callback:
        handler = taking_callbacks(CONTRACT, self)
        await handler(Invocation(ServiceKey("test.Prices"), "watch", ("desk", listener), signature=METHODS["watch"]))
        found = self.got[-1].arguments()[1]
        assert isinstance(found, Callback)
        return found


class Holder:
    def __init__(self) -> None:
        self.withdrawn: list[Callback] = []
        self.thread: threading.Thread | None = None

    def withdraw(self, callback: Callback) -> None:
        self.withdrawn.append(callback)
        self.thread = threading.current_thread()


async def test_an_object_becomes_something_that_takes_calls() -> None:
    listener = Listening("ann")
    callback = await Recording().watch(listener)
    answer = await callback(Invocation(ServiceKey("test.Listener"), "ping", (), signature=PING))
    assert isinstance(answer, Ok)
    assert answer.value == "ann"


async def test_the_same_object_has_the_same_key_however_it_is_given() -> None:
    listener, recording = Listening(), Recording()
    keys = {(await recording.watch(each)).key for each in (listener, offering(listener), listener)}
    assert len(keys) == 1
    assert (await recording.watch(Listening())).key not in keys
    passed = await recording.watch(listener)
    assert await recording.watch(passed) is passed


async def test_calls_without_callbacks_pass_as_they_are() -> None:
    recording = Recording()
    assert taking_callbacks(LISTENER, recording) is recording
    call = Invocation(ServiceKey("test.Prices"), "watchers", (), signature=METHODS["watchers"])
    await taking_callbacks(CONTRACT, recording)(call)
    assert recording.got == [call]


async def test_what_does_not_implement_the_contract_is_refused() -> None:
    for wrong, text in ((None, "found None"), (7, "does not implement"), (Listening, "is a class")):
        with pytest.raises(BadRequest, match=rf"watch: args\[1\]: .*{text}"):
            await Recording().watch(wrong)


async def test_whoever_offers_is_told_of_a_loss(caplog: pytest.LogCaptureFixture) -> None:
    lost: list[str] = []
    (await Recording().watch(offering(Listening(), lost=lost.append))).lost("it left")
    assert lost == ["it left"]
    (await Recording().watch(Listening())).lost("nobody wants to know")
    (await Recording().watch(offering(Listening()))).lost("neither")
    with caplog.at_level(logging.ERROR):
        (await Recording().watch(offering(Listening(), lost=lambda _: 1 / 0))).lost("x")  # type: ignore[arg-type,return-value]
    assert "callback is lost failed" in caplog.text


async def test_what_is_withdrawn_ends_on_its_own_loop_wherever_it_was_offered() -> None:
    watching, holders = offering(Listening()), [Holder(), Holder()]
    offered = [await Recording().watch(watching) for _ in holders]
    for callback, holder in zip(offered, holders, strict=True):
        callback.hold(holder)
    await asyncio.to_thread(withdraw, watching)
    await asyncio.sleep(0)
    assert [each.withdrawn for each in holders] == [[callback] for callback in offered]
    assert {each.thread for each in holders} == {threading.current_thread()}
    offered[0].let_go(holders[0])
    withdraw(watching)
    await asyncio.sleep(0)
    assert len(holders[0].withdrawn) == 1


def test_only_what_was_offered_so_can_be_withdrawn() -> None:
    with pytest.raises(TypeError, match="only what offering"):
        withdraw(Listening())
    assert repr(offering(Listening())).startswith("<offering ")
