"""The store and the resenders together: what is kept, counted and reported."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

import pytest

from gateway.failback.outbox import Outbox
from gateway.failback.pace import Pacing
from gateway.model.call import Invocation, Ok, Result
from gateway.model.errors import ConnectFailed
from gateway.spi.failback import StoredCall, StoreError
from tests.support.fake_invoker import invocation
from tests.support.memory_store import MemoryStore

REFUSED = ConnectFailed("refused")


class Scene:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.counts: Counter[tuple[str, str]] = Counter()
        self.store = MemoryStore(lambda: self.now)
        self.sent: asyncio.Queue[Invocation] = asyncio.Queue()
        pacing = Pacing(interval_s=0.01, max_interval_s=0.02, rate=0)
        self.outbox = Outbox(self.store, pacing, 60.0, self._count)

    def _count(self, reference: str, reason: str) -> None:
        self.counts[reference, reason] += 1

    async def answer(self, call: Invocation) -> Result:
        self.sent.put_nowait(call)
        return Ok(None)


def call() -> Invocation:
    return invocation("$invoke", "note", [], ["x"])


async def test_a_kept_call_is_sent_again_by_its_own_reference() -> None:
    scene = Scene()
    orders, stock = scene.outbox.box("orders", None), scene.outbox.box("stock", None)
    assert scene.outbox.box("orders", None) is orders
    for box in (orders, stock):
        box.attach(scene.answer, 1.0)
    await scene.outbox.start()

    await orders.record(call(), "id-1", REFUSED, None)
    kept = scene.store.kept["id-1"]
    assert (kept.reference, kept.error) == ("orders", "connect-failed: refused")
    assert kept.expires - kept.created == pytest.approx(60.0)
    scene.now = kept.due + 1.0
    assert (await asyncio.wait_for(scene.sent.get(), 10)).arguments() == ("note", [], ["x"])
    await scene.outbox.drain(10.0)
    await scene.outbox.aclose()

    assert scene.counts == {("orders", "failback-recorded"): 1, ("orders", "failback-delivered"): 1}
    assert scene.store.opened == 0


async def test_what_a_reference_says_about_expiry_counts_more() -> None:
    scene = Scene()
    box = scene.outbox.box("orders", None)
    box.attach(scene.answer, 1.0)
    await box.record(call(), "id-1", REFUSED, 5.0)
    assert scene.store.kept["id-1"].expires - scene.store.kept["id-1"].created == pytest.approx(5.0)


async def test_what_cannot_be_kept_is_raised_and_not_counted_as_kept() -> None:
    scene = Scene()
    box = scene.outbox.box("orders", None)
    box.attach(scene.answer, 1.0)
    scene.store.trouble = StoreError("no room")
    with pytest.raises(StoreError, match="no room"):
        await box.record(call(), "id-1", REFUSED, None)
    assert scene.counts == {}


async def test_calls_of_services_that_are_gone_are_named_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene = Scene()
    scene.outbox.box("orders", None).attach(scene.answer, 1.0)
    for name, reference in (("a", "orders"), ("b", "gone")):
        await scene.store.add(StoredCall(name, reference, 0.0, 1.0, 1e9, b"{}", ""))

    await scene.outbox.start()
    await scene.outbox.aclose()

    assert "orders: 1 calls wait to be sent again, 0 are dead" in caplog.text
    assert "gone: 1 calls wait in memory, but nothing here resends them" in caplog.text


async def test_draining_ends_when_its_time_is_over_and_closing_gives_calls_back() -> None:
    scene = Scene()

    async def forever(call: Invocation) -> Result:
        scene.sent.put_nowait(call)
        await asyncio.Event().wait()
        raise AssertionError

    box = scene.outbox.box("orders", None)
    box.attach(forever, 60.0)
    await box.record(call(), "id-1", REFUSED, None)
    scene.now = scene.store.kept["id-1"].due + 1.0
    await scene.outbox.start()
    await asyncio.wait_for(scene.sent.get(), 10)

    await scene.outbox.drain(0.01)
    assert scene.store.ended == []
    await scene.outbox.aclose()
    assert scene.store.ended == [("postpone", "id-1")]
