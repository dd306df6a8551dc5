"""Sends the kept calls of one reference again until each has its answer, or has expired.

Calls are resent oldest first, several at a time, so one may overtake another: what must run in order does not belong
into this mode. A call whose resending is refused for good (`Retry.NEVER`), or that no longer fits its contract, is kept
as dead.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.failback.pace import Pace
from gateway.failback.record import CallForm, Unreadable
from gateway.model.call import Fault, Invocation
from gateway.model.errors import DeadlineExceeded, Retry, RpcError
from gateway.spi.failback import CallStore, StoredCall, StoreError
from gateway.spi.handler import Handler
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer

__all__ = ["Resender"]

_LOG: Final = logging.getLogger("polyport.failback")
_SAME_TROUBLE_S: Final = 10.0
_END_S: Final = 5.0
"""How long cancelled calls may take to end."""
_MARGIN_S: Final = 15.0
"""By how much a lease outlives the longest attempt: time to say how it ended."""


class Resender:
    """Life: construct, `start`, `drain`, `aclose`.

    `handler`: makes one call at a provider of the reference, bounded by `attempt_s`. `count`: counts what happened, by
    reason. `poll_s`: how often the store is asked when nothing is expected of it; others may have put something there.
    `clock` is monotonic, `wall` seconds since 1970.
    """

    def __init__(
        self,
        reference: str,
        form: CallForm,
        store: CallStore,
        handler: Handler,
        pace: Pace,
        count: Callable[[str], None],
        *,
        attempt_s: float,
        poll_s: float,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._reference = reference
        self._form = form
        self._store = store
        self._handler = handler
        self._pace = pace
        self._count = count
        self._attempt_s = attempt_s
        self._poll_s = poll_s
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._look_at = -math.inf
        self._changed = asyncio.Event()
        self._running: dict[asyncio.Task[None], StoredCall] = {}
        self._loop: asyncio.Task[None] | None = None
        self._ending = False
        self._troubles = OncePer(_SAME_TROUBLE_S, clock=clock)

    def start(self) -> None:
        """Begins; what was kept before is due as the store says."""
        self._ending = False
        self._loop = asyncio.create_task(self._run(), name=f"resend {self._reference}")

    def expect(self, delay_s: float) -> None:
        """Something will be due then."""
        look_at = self._clock() + delay_s
        if look_at < self._look_at:
            self._look_at = look_at
            self._changed.set()

    async def drain(self) -> None:
        """Takes no further calls, and waits for those under way."""
        await self._end_loop()
        if self._running:
            await asyncio.wait(tuple(self._running))

    async def aclose(self) -> None:
        """Ends the calls under way; others may resend them at once."""
        await self._end_loop()
        given_up = dict(self._running)
        for task in given_up:
            task.cancel()
        if given_up:
            # Who holds on longer is left to the end of its lease.
            await asyncio.wait(given_up, timeout=_END_S)
        for task, call in given_up.items():
            if task.done() and task.cancelled():
                try:
                    await self._store.postpone(call, 0.0, call.error)
                except StoreError as exc:
                    self._warn("store", exc)

    async def _end_loop(self) -> None:
        # Not cancelled: calls it is just taking would be nobody's until their lease ends.
        self._ending = True
        self._changed.set()
        if self._loop is not None:
            await asyncio.wait((self._loop,))

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            if self._ending:
                return
            now = self._clock()
            room = self._pace.room(len(self._running), now)
            if room <= 0:
                await self._pause(self._pace.wait_s(len(self._running), now))
            elif self._look_at > now:
                await self._pause(self._look_at - now)
            else:
                try:
                    await self._take(room, now)
                except Exception as exc:  # Whatever a store does wrong, it is asked again.
                    self._unexpected(exc)

    async def _take(self, room: int, now: float) -> None:
        # Set first: what is recorded while the store is asked counts.
        self._look_at = now + self._poll_s
        try:
            calls = await self._store.claim(self._reference, room, self._attempt_s + _MARGIN_S)
        except StoreError as exc:
            self._warn("store", exc)
            return
        if len(calls) == room:
            self._look_at = -math.inf
        self._pace.started(len(calls), now)
        for call in calls:
            task = asyncio.create_task(self._resend(call), name=f"resend {self._reference} {call.id}")
            self._running[task] = call
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._changed.set()

    async def _pause(self, seconds: float) -> None:
        """Until something changes, or the time has passed."""
        waits: set[asyncio.Task[object]] = {asyncio.create_task(self._changed.wait())}
        if seconds < math.inf:
            waits.add(asyncio.ensure_future(self._sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.wait(waits)

    async def _resend(self, call: StoredCall) -> None:
        try:
            await self._settle(call, await self._outcome(call))
        except StoreError as exc:
            # Its lease ends by itself, and it is sent once more: at least once is what was promised.
            self._warn("store", exc)
        except Exception as exc:  # The same.
            self._unexpected(exc)

    async def _outcome(self, call: StoredCall) -> Fault | Exception | None:
        """The answer where it is an exception, or why there was none."""
        try:
            invocation = self._form.read(call)
        except Unreadable as exc:
            return exc
        began = self._clock()
        try:
            answer = await self._attempt(invocation)
        except RpcError as exc:
            if exc.retry is Retry.NEVER:
                self._pace.answered()
            else:
                self._pace.failed(began, self._clock())
            return exc
        except Exception as exc:  # Whatever somebody's filter or adapter does wrong, the next call is sent.
            _LOG.error("%s: resending call %s failed", self._reference, call.id, exc_info=exc)
            self._pace.failed(began, self._clock())
            return exc
        self._pace.answered()
        return answer if isinstance(answer, Fault) else None

    async def _attempt(self, invocation: Invocation) -> object:
        # Its own timeout ends it; this is for handlers that have none, because the lease does not wait for them.
        scope = asyncio.timeout(self._attempt_s)
        try:
            async with scope:
                return await self._handler(invocation)
        except TimeoutError:
            if not scope.expired():
                raise
            raise DeadlineExceeded(f"{invocation.method}: no answer within {self._attempt_s:g} s") from None

    async def _settle(self, call: StoredCall, outcome: Fault | Exception | None) -> None:
        if outcome is None or isinstance(outcome, Fault):
            await self._store.finish(call)
            self._count("failback-delivered")
            if isinstance(outcome, Fault):
                self._count("failback-faulted")
                self._say("was answered with an exception, which nobody waits for", call, _described(outcome))
        elif isinstance(outcome, Unreadable) or (isinstance(outcome, RpcError) and outcome.retry is Retry.NEVER):
            await self._store.bury(call, _described(outcome))
            self._count("failback-dead")
            self._say("is kept, but not sent again", call, _described(outcome))
        elif self._wall() >= call.expires:
            # Not before an attempt: what expired while nobody was there to send it has its chance.
            await self._store.finish(call)
            self._count("failback-expired")
            self._say("has expired and was dropped", call, _described(outcome))
        else:
            delay_s = self._pace.delay_s(call.attempts)
            await self._store.postpone(call, delay_s, _described(outcome))
            self._count("failback-failed")
            self.expect(delay_s)

    def _say(self, what: str, call: StoredCall, why: str) -> None:
        held_back = self._troubles.admit((what, why))
        if held_back is not None:
            more = f" ({held_back} more like it)" if held_back else ""
            _LOG.warning("%s: call %s %s%s: %s", self._reference, call.id, what, more, why)

    def _warn(self, what: str, exc: StoreError) -> None:
        self._count(f"failback-{what}-trouble")
        if self._troubles.admit(what) is not None:
            _LOG.error("%s: the calls that wait cannot be managed: %s", self._reference, shorten(str(exc)))

    def _unexpected(self, exc: Exception) -> None:
        self._count("failback-store-trouble")
        if self._troubles.admit(type(exc).__name__) is not None:
            _LOG.error("%s: the calls that wait cannot be managed", self._reference, exc_info=exc)


def _described(outcome: Fault | Exception) -> str:
    if isinstance(outcome, RpcError):
        return shorten(f"{outcome.code}: {outcome}")
    if not isinstance(outcome, Fault):
        return shorten(str(outcome) or type(outcome).__name__)
    try:
        decoded = outcome.decoded()
    except RpcError as exc:
        return shorten(f"{exc.code}: {exc}")
    return shorten(f"{decoded.type_name}: {decoded.message}")
