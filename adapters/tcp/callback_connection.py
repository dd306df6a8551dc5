"""A connection over which callbacks are offered to a provider, and on which the provider calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from time import monotonic
from typing import Any, Final

from adapters.failure import failure_of
from adapters.tcp.driver import CallDriver, let_go
from adapters.tcp.provider_connection import ConnectionOptions, ProviderConnection
from adapters.tcp.timers import TimerWheel
from gateway.model.call import Peer
from gateway.model.callback import Callback
from gateway.model.errors import NoSuchService, Overloaded
from protocols.contract import CallbackReceived, CalledClientCodec, CallRejected, ClientEvent, ClientWire, Outcome

__all__ = ["CallbackConnection"]


class CallbackConnection(ProviderConnection):
    """Lasts as long as something is offered over it, and is not made anew when it breaks: the provider has forgotten
    what was offered, and only its owner can offer it again.

    Whatever is offered has the same `origin`, so that the connection can be closed when that is gone; for the provider
    this is the only sign. `on_gone` is called once, when it is closed or lost.
    """

    def __init__(
        self,
        wire: ClientWire,
        protocol: str,
        host: str,
        port: int,
        options: ConnectionOptions,
        wheel: TimerWheel,
        origin: object,
        on_gone: Callable[[CallbackConnection], None],
    ) -> None:
        super().__init__(wire, host, port, options, wheel)
        self.origin: Final = origin
        self._protocol = protocol
        self._on_gone = on_gone
        self._offered: dict[tuple[str, Hashable], Callback] = {}
        self._asking: Counter[tuple[str, Hashable]] = Counter()
        """Calls that offer it and wait for their answer. Whoever made them is told by that what becomes of it."""
        self._kept: set[tuple[str, Hashable]] = set()
        """What the provider has taken, as far as anybody knows."""
        self._running: set[CallDriver] = set()
        self.gone = False
        """Nothing can be offered over it any more."""

    def room_for(self, callbacks: Sequence[Callback]) -> bool:
        """Whether these can be offered here besides what is offered already."""
        if self.gone or not self.available:
            return False
        counts: dict[str, int] = {}
        for name, _ in {*self._offered, *map(_name, callbacks)}:
            counts[name] = counts.get(name, 0) + 1
        return max(counts.values(), default=0) <= self._options.callbacks

    def offers(self, callback: Callback) -> bool:
        """Whether this one is offered here."""
        return _name(callback) in self._offered

    def offer(self, callbacks: Sequence[Callback]) -> None:
        """A call offers these; `settle` says what came of it."""
        for each in callbacks:
            name = _name(each)
            self._asking[name] += 1
            if name not in self._offered:
                self._offered[name] = each
                each.hold(self)

    def settle(self, callbacks: Sequence[Callback], kept: bool) -> None:
        """The call that offered these has ended. `kept`: they stay until they are withdrawn or the connection is gone.

        Otherwise those stay that were taken before, or that another call still offers.
        """
        for each in callbacks:
            name = _name(each)
            self._asking[name] -= 1
            if kept and name in self._offered:
                self._kept.add(name)
            if not self._asking[name]:
                del self._asking[name]
                if name not in self._kept:
                    self.withdraw(each)

    @property
    def _called_codec(self) -> CalledClientCodec | None:
        codec: object = self._codec
        return codec if isinstance(codec, CalledClientCodec) else None

    def withdraw(self, callback: Callback) -> None:
        """See `CallbackHolder.withdraw`. Closes the connection with the last of them, once no call waits any more."""
        held = self._offered.pop(_name(callback), None)
        if held is None:
            return
        self._kept.discard(_name(callback))
        held.let_go(self)
        if (codec := self._called_codec) is not None:
            codec.withdraw(held)
        self.close_if_unused()

    def close_if_unused(self) -> None:
        """Closes at once, unless something is offered or a call waits for its answer."""
        if self._offered or self._pending or self.gone:
            return
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        transport = self._transport
        if transport is None:
            self._end()
            return
        self._flush()
        if transport.get_write_buffer_size():
            transport.abort()
        else:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody will be called here any more; the owners of what was offered are told."""
        super().connection_lost(exc)
        for driver in tuple(self._running):
            driver.cancel()
        self._end(f"{self.address} closed the connection{'' if exc is None else f': {exc}'}")

    def _end(self, why: str = "") -> None:
        if self.gone:
            return
        self.gone = True
        offered, self._offered = self._offered, {}
        self._on_gone(self)
        for name, callback in offered.items():
            callback.let_go(self)
            if name in self._kept:
                callback.lost(why or f"{self.address}: the connection is closed")

    async def aclose(self) -> None:
        """See `ProviderConnection.aclose`."""
        await super().aclose()
        self._end()

    def _wants_connection(self) -> bool:
        return False

    def _heal(self) -> None:
        """It is not made anew."""

    def _called(self, event: ClientEvent) -> None:
        if type(event) is CallRejected:
            self._answer(event.ticket, event.error)
            let_go(event.error)
        elif type(event) is CallbackReceived:
            self._call(event)

    def _call(self, event: CallbackReceived) -> None:
        if len(self._running) >= self._options.callback_calls:
            self._answer(event.ticket, Overloaded("too many calls in progress here"))
            return
        deadline = None if event.timeout_s is None else monotonic() + event.timeout_s
        invocation = event.invocation.replace(peer=Peer(self._protocol, self.address), deadline=deadline)
        driver = CallDriver(self._loop, event.callback(invocation), self._call_done, event)
        if driver.start():
            return
        self._running.add(driver)
        if deadline is not None:
            driver.bucket = self._wheel.add(driver, deadline)

    def _call_done(self, driver: CallDriver, result: Any, error: BaseException | None) -> None:
        self._running.discard(driver)
        event: CallbackReceived = driver.tag
        self._answer(event.ticket, result if error is None else failure_of(error, self._closed))
        if isinstance(error, NoSuchService):
            # It came from elsewhere, and is known there no more.
            self.withdraw(event.callback)

    def _answer(self, ticket: Any, outcome: Outcome) -> None:
        codec, transport = self._called_codec, self._transport
        if ticket is None or transport is None or codec is None:
            return
        self._send(codec.reply(ticket, outcome))
        if transport.get_write_buffer_size() > self._options.max_write_buffer_bytes:
            transport.abort()


def _name(callback: Callback) -> tuple[str, Hashable]:
    return callback.contract.name, callback.key
