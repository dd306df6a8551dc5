"""All that waits to be sent again from one gateway or client: the store, and a resender for each reference."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from gateway.failback.pace import Pace, Pacing
from gateway.failback.record import CallForm
from gateway.failback.resender import Resender
from gateway.model.call import Invocation
from gateway.model.contract import ServiceContract
from gateway.model.errors import RpcError
from gateway.spi.failback import CallStore, StoredCall, StoreError
from gateway.spi.handler import Handler
from gateway.telemetry.logs import shorten

__all__ = ["Outbox", "ReferenceBox"]

_LOG: Final = logging.getLogger("polyport.failback")


class ReferenceBox:
    """The part of one reference; see `gateway.spi.failback.CallRecorder`."""

    def __init__(
        self,
        reference: str,
        contract: ServiceContract | None,
        store: CallStore,
        pacing: Pacing,
        expires_s: float,
        count: Callable[[str], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.reference: Final = reference
        self._form = CallForm(contract)
        self._store = store
        self._pacing = pacing
        self._pace = Pace(pacing)
        self._expires_s = expires_s
        self._count = count
        self._wall = wall
        self._resender: Resender | None = None

    def attach(self, handler: Handler, attempt_s: float) -> None:
        """Says how calls are resent: each by one call of `handler`, which takes at most `attempt_s`."""
        self._resender = Resender(
            self.reference,
            self._form,
            self._store,
            handler,
            self._pace,
            self._count,
            attempt_s=attempt_s,
            poll_s=self._pacing.interval_s,
            wall=self._wall,
        )

    @property
    def resender(self) -> Resender:
        """What sends the calls again. Only after `attach`."""
        assert self._resender is not None, "a reference that records is attached before it is started"
        return self._resender

    async def record(self, invocation: Invocation, call_id: str, error: RpcError, expires_s: float | None) -> None:
        """See `CallRecorder.record`."""
        body, digest = self._form.write(invocation)
        now = self._wall()
        delay_s = self._pace.delay_s(0)
        call = StoredCall(
            id=call_id,
            reference=self.reference,
            created=now,
            expires=now + (self._expires_s if expires_s is None else expires_s),
            due=now + delay_s,
            body=body,
            digest=digest,
            error=shorten(f"{error.code}: {error}"),
        )
        dropped = await self._store.add(call)
        self._count("failback-recorded")
        for _ in range(dropped):
            self._count("failback-dropped")
        if dropped:
            _LOG.warning("%s: the store is full, the oldest %d calls were dropped", self.reference, dropped)
        self.resender.expect(delay_s)


class Outbox:
    """Life: construct, `box` for each reference that records, `start`, `drain`, `aclose`.

    `count`: counts something that happened to a reference. `expires_s`: how long a call is resent unless its reference
    says otherwise.
    """

    def __init__(self, store: CallStore, pacing: Pacing, expires_s: float, count: Callable[[str, str], None]) -> None:
        self._store = store
        self._pacing = pacing
        self._expires_s = expires_s
        self._count = count
        self._boxes: dict[str, ReferenceBox] = {}

    def box(self, reference: str, contract: ServiceContract | None) -> ReferenceBox:
        """The part of a reference; the same each time."""
        found = self._boxes.get(reference)
        if found is None:

            def count(reason: str) -> None:
                self._count(reference, reason)

            found = ReferenceBox(reference, contract, self._store, self._pacing, self._expires_s, count)
            self._boxes[reference] = found
        return found

    async def start(self) -> None:
        """Opens the store and begins to resend. Raises StoreError when it can never be opened."""
        await self._store.start()
        for box in self._boxes.values():
            box.resender.start()
        await self._report()

    async def _report(self) -> None:
        try:
            kept = await self._store.tally()
        except StoreError as exc:
            _LOG.warning("cannot say how many calls wait to be sent again: %s", shorten(str(exc)))
            return
        for reference, tally in kept.items():
            if reference in self._boxes:
                _LOG.info("%s: %d calls wait to be sent again, %d are dead", reference, tally.waiting, tally.dead)
            else:
                text = "%s: %d calls wait in %s, but nothing here resends them"
                _LOG.warning(text, shorten(reference), tally.waiting + tally.dead, self._store.description)

    async def drain(self, timeout_s: float) -> None:
        """Takes no further calls for resending, and waits so long for those under way."""
        ends = [asyncio.create_task(box.resender.drain()) for box in self._boxes.values()]
        if not ends:
            return
        try:
            await asyncio.wait(ends, timeout=max(0.0, timeout_s))
        finally:
            for each in ends:
                each.cancel()
            await asyncio.wait(ends)

    async def aclose(self) -> None:
        """Ends what is under way, and closes the store; until then calls can be recorded."""
        for box in self._boxes.values():
            await box.resender.aclose()
        await self._store.aclose()
