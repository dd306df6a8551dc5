"""Listeners over HTTP on the driver for TCP: one wire for itself, or several that answer on the same connections."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final

from adapters.http.date import HttpDate
from adapters.tcp.server import ListenerState, TcpServer
from gateway.model.call import Invocation, Result
from gateway.model.endpoint import Endpoint
from gateway.model.errors import Overloaded
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions, ServerAdapter
from gateway.spi.handler import Handler
from protocols.http.binding import HttpBinding
from protocols.http.limits import HttpLimits
from protocols.http.server import HttpServerWire
from protocols.http.shared import Claim, SharedHttpWire, Site

__all__ = ["LeanServer", "SharedServer"]


class LeanServer(TcpServer):
    """One listener; see `adapters.http.listener.make_server` for what it is made of."""

    def __init__(
        self,
        options: ListenerOptions,
        make_binding: Callable[[Sequence[Exposure]], HttpBinding],
        limits: HttpLimits,
        make_claim: Callable[[Sequence[Exposure]], Claim] | None,
        *,
        compress: bool,
    ) -> None:
        super().__init__(options, self._make_wire)
        self.options: Final = options
        self.protocol: Final = options.protocol
        self._make_binding = make_binding
        self._make_claim = make_claim
        self._http_limits = limits
        self._compress = compress
        self._site: Site | None = None

    def _make_wire(self, exposures: Sequence[Exposure]) -> HttpServerWire:
        wire = HttpServerWire(
            self._make_binding(exposures),
            self._http_limits,
            date=HttpDate(),
            compress=self._compress,
            protocol=self.protocol,
        )
        self._site = Site(wire, None if self._make_claim is None else self._make_claim(exposures))
        return wire

    @property
    def site(self) -> Site:
        """What answers; there is one once it was started."""
        if self._site is None:
            raise RuntimeError("a listener answers on other connections once it was started")
        return self._site

    def call(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """A call that came on a connection of others, within the limit of this listener.

        Raises:
            Overloaded: there are as many calls in progress as it takes, or it is closing.
        """
        state = self._state
        if state is None or state.calls >= state.max_calls:
            closing = state is None or state.closing
            why = "this listener is closing" if closing else "too many calls in progress here"
            if state is not None:
                state.count("too-many-calls", invocation.peer.address if invocation.peer is not None else "", why)
            raise Overloaded(why)
        return _counted(state, state.handler(invocation))


async def _counted(state: ListenerState, call: Coroutine[Any, Any, Result]) -> Result:
    state.calls += 1
    try:
        return await call
    finally:
        state.call_ended()


class SharedServer(TcpServer):
    """Answers for several listeners on connections that it adopts, each request by the one that it is for.

    Calls pass the handler of their listener, and count where its limits on calls do; so do the limits on its bodies.
    What belongs to a connection is as `options` say. `servers`: those listeners, started, and each of another protocol.
    """

    def __init__(self, options: ListenerOptions, servers: Sequence[ServerAdapter]) -> None:
        self._servers = {each.protocol: each for each in servers if isinstance(each, LeanServer)}
        if len(self._servers) != len(servers):
            raise TypeError("only listeners over HTTP on the lean driver, of several protocols, share connections")
        theirs = [each.options for each in self._servers.values()]
        # Each listener sees to its own; here is room for all that they let through.
        self.options: Final = replace(
            options,
            max_calls=sum(each.max_calls for each in theirs),
            max_frame_bytes=max(each.max_frame_bytes for each in theirs),
        )
        super().__init__(self.options, self._make_wire)

    def _make_wire(self, _: Sequence[Exposure]) -> SharedHttpWire:
        return SharedHttpWire([each.site for each in self._servers.values()])

    async def start(self, _: Handler, exposures: Sequence[Exposure]) -> Sequence[Endpoint]:
        """See `ServerAdapter.start`; the handlers are those of the listeners."""
        return await super().start(self._call, exposures)

    def _call(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        # Set by the codec, from the site that answers the request.
        assert invocation.peer is not None
        return self._servers[invocation.peer.protocol].call(invocation)
