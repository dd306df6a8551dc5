"""A listener that answers through aiohttp, with the limits every listener has."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final, cast

from aiohttp import web

from adapters.http.calls import CallRunner
from adapters.http.connection import GuardedConnection, SiteState
from adapters.http.site import HttpSite
from adapters.refusals import Refusals
from adapters.tcp.acceptor import Acceptor
from adapters.tcp.patience import QUIET_S, until_left
from gateway.model.endpoint import Endpoint
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions
from gateway.spi.handler import Handler
from protocols.http.binding import HttpBinding
from protocols.http.head import ALLOWED_METHODS
from protocols.http.limits import HttpLimits
from protocols.http.message import HttpResponse

__all__ = ["AiohttpServer", "NoServer"]

_ALLOW: Final = ("Allow", ", ".join(ALLOWED_METHODS))
_CANCEL_S: Final = 1.0
"""How long cancelled handlers may take to clean up."""


class AiohttpServer:
    """One listener (`gateway.spi.adapter.ServerAdapter`) over the binding that `make_binding` builds.

    `make_binding(exposures)` is called once, when the listener starts, and may raise `ContractError`.
    `limits`: of messages; those on bodies follow `ListenerOptions.max_frame_bytes` when it is not given.
    `compress`: code long answers of text as gzip for peers that take it. `quiet_s`: how long a peer must have been
    quiet, in a drain, before its connection is closed.
    """

    def __init__(
        self,
        options: ListenerOptions,
        make_binding: Callable[[Sequence[Exposure]], HttpBinding],
        limits: HttpLimits | None = None,
        *,
        compress: bool = True,
        quiet_s: float = QUIET_S,
    ) -> None:
        self._options = options
        self._make_binding = make_binding
        self._limits = limits or HttpLimits(options.max_frame_bytes, options.max_frame_bytes)
        self._compress = compress
        self._quiet_s = quiet_s
        self._refusals = Refusals(options)
        self._state: SiteState | None = None
        self._acceptor: Acceptor[GuardedConnection] | None = None
        self._closed = False

    @property
    def refused(self) -> dict[str, int]:
        """How often something was refused, by reason code."""
        return dict(self._refusals.counts)

    @property
    def connections(self) -> int:
        """Connections open now."""
        return len(self._state.connected.connections) if self._state else 0

    async def start(self, handler: Handler, exposures: Sequence[Exposure]) -> Sequence[Endpoint]:
        """Listens on every address the host name stands for; see `ServerAdapter.start`."""
        options = self._options
        binding = self._make_binding(exposures)
        runner = CallRunner(handler, options, self._refusals)
        site = HttpSite(
            binding, runner, options, self._refusals, self._limits, compress=self._compress, host_inflates=False
        )
        # The calls of a caller who went away are cancelled.
        server = web.Server(_Handling(site, binding).handle, handler_cancellation=True)
        loop = asyncio.get_running_loop()
        state = SiteState(options, self._limits, binding, server, runner, self._refusals, loop, quiet_s=self._quiet_s)
        acceptor = Acceptor(
            options,
            self._refusals,
            loop,
            state.connected,
            lambda host, peer: GuardedConnection(state, host, peer),
            lambda connection, now: connection.check(now),
        )
        port = await acceptor.listen()
        if self._closed:
            acceptor.close()
            raise RuntimeError(f"listener {options.name} was closed while it started")
        self._state, self._acceptor = state, acceptor
        acceptor.start()
        return [Endpoint(options.protocol, options.host, port, exposure.service) for exposure in exposures]

    def adopt(self, sock: socket.socket, host: str, peer: str) -> None:
        """See `Adopts.adopt`."""
        if self._acceptor is None:
            sock.close()
        else:
            self._acceptor.adopt(sock, host, peer)

    async def drain(self, deadline: float) -> None:
        """Stops accepting, says `Connection: close` with every answer, and goes on answering until `deadline` at most.

        Before that a connection is closed when its peer has left it, or was quiet for so long that no request can be on
        its way.
        """
        state = self._state
        if state is None:
            return
        if not state.draining:
            state.draining = True
            state.draining_since = monotonic()
            if self._acceptor is not None:
                self._acceptor.drain()
        await until_left(state.left_at, state.moved, deadline)
        await state.runner.until_idle(deadline)
        for connection in tuple(state.connected.connections):
            connection.close_if_idle()

    async def aclose(self) -> None:
        """See `ServerAdapter.aclose`; may be called more than once."""
        self._closed = True
        state, self._state = self._state, None
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            acceptor.close()
        if state is None:
            return
        state.draining = True
        state.runner.close()
        deadline = monotonic() + _CANCEL_S
        await state.runner.until_idle(deadline)
        await _until_answered(state, deadline)
        await asyncio.gather(*(connection.aclose() for connection in tuple(state.connected.connections)))


class NoServer:
    """A listener that does not listen: what it shows is mounted in somebody's own application."""

    def __init__(self, options: ListenerOptions) -> None:
        self._options = options

    async def start(self, handler: Handler, exposures: Sequence[Exposure]) -> Sequence[Endpoint]:
        """Does nothing; there are no endpoints."""
        return []

    async def drain(self, deadline: float) -> None:
        """Nothing to wait for."""

    async def aclose(self) -> None:
        """Nothing to close."""


class _Handling:
    """Answers what the guard let through, and what it asks to have answered in place of a request."""

    def __init__(self, site: HttpSite, binding: HttpBinding) -> None:
        self._site = site
        self._binding = binding

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        stand_in = cast("GuardedConnection", request.protocol).stand_in
        if stand_in is None:
            return await self._site.handle(request)
        if stand_in.status == 204:
            answer = HttpResponse(204, (_ALLOW,))
        else:
            refusal = self._binding.encode_refusal(stand_in.status, stand_in.reason)
            headers = (*refusal.headers, _ALLOW) if stand_in.status == 405 else refusal.headers
            answer = HttpResponse(stand_in.status, headers, refusal.body)
        response = self._site.respond(answer, request)
        if stand_in.closes:
            response.force_close()
        return response


async def _until_answered(state: SiteState, deadline: float) -> None:
    """Waits until every request has its answer, or until `deadline` (monotonic)."""
    if state.busy:
        state.idle.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, deadline - monotonic())):
                await state.idle.wait()
