"""Calls providers over HTTP/1.1: any `HttpClientBinding` on pooled connections, one pool per provider and options."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from adapters.http.provider import HttpProvider, Sending
from adapters.http.provider_options import ProviderOptions
from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import Endpoint
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    ContractError,
    DeadlineExceeded,
    LocalWireError,
    Retry,
    RpcError,
    ValueMappingError,
)
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Invoker, Load
from protocols.http.binding import HttpClientBinding
from protocols.http.message import HttpRequest, HttpResponse

__all__ = ["HttpClient"]

_LOG: Final = logging.getLogger("polyport.client")
_ONEWAY_DONE: Final = Ok(None)
_Key = tuple[str, int, ProviderOptions]


class HttpClient:
    """A `gateway.spi.adapter.ClientAdapter` over HTTP; belongs to one event loop.

    `binding_for` and `options_for` say which binding and which connection options a reference wants at a provider.
    References that want the same options share the connections to an address.
    """

    def __init__(
        self,
        binding_for: Callable[[Reference], HttpClientBinding],
        options_for: Callable[[Endpoint, Reference], ProviderOptions] = lambda _endpoint, _reference: ProviderOptions(),
    ) -> None:
        self._binding_for = binding_for
        self._options_for = options_for
        self._shared: dict[_Key, tuple[HttpProvider, int]] = {}
        self._providers: set[HttpProvider] = set()
        self._attempts: set[_Attempt] = set()
        self._oneway: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._trust: dict[str, ssl.SSLContext] = {}

    def open(self, endpoint: Endpoint, reference: Reference) -> Invoker:
        """See `ClientAdapter.open`. Must be called from the event loop. Certificates to trust are read once."""
        options = self._options_for(endpoint, reference)
        binding = self._binding_for(reference)
        bound = binding.bind(endpoint, endpoint.service, reference.contract, reference.token, reference.application)
        key = None
        if reference.connections > 0:
            provider = self._provider(endpoint, options)
        else:
            key = (endpoint.host, endpoint.port, options)
            provider, users = self._shared.get(key) or (self._provider(endpoint, options), 0)
            self._shared[key] = (provider, users + 1)
        return _HttpInvoker(self, endpoint, reference, binding, bound, provider, key)

    def _provider(self, endpoint: Endpoint, options: ProviderOptions) -> HttpProvider:
        tls = None
        if options.tls:
            tls = self._trust.get(options.ca_file)
            if tls is None:
                # Reading certificates takes some hundredths of a second: not once per provider.
                try:
                    tls = ssl.create_default_context(cafile=options.ca_file or None)
                except OSError as exc:
                    raise ContractError(f"{options.ca_file}: no certificates: {exc.strerror or exc}") from exc
                self._trust[options.ca_file] = tls
        provider = HttpProvider(endpoint.host, endpoint.port, options, tls)
        self._providers.add(provider)
        return provider

    async def exchange(
        self, provider: HttpProvider, request: HttpRequest, expires: float, limit: float
    ) -> HttpResponse:
        """One request and its response until `expires` (monotonic); `limit` is the timeout, for messages.

        Raises:
            RpcError: as `Invoker.__call__`.
        """
        return await self._run(provider, request, _Attempt(Sending(), expires, limit))

    async def send(self, provider: HttpProvider, request: HttpRequest, expires: float, limit: float) -> None:
        """Sends one request whose answer nobody waits for: returns as soon as a connection has it.

        The answer is read until `expires` all the same, because the connection is of no use before; what it says is
        only logged.

        Raises:
            RpcError: it could not be sent.
        """
        attempt = _Attempt(Sending(asyncio.Event()), expires, limit)
        task = asyncio.get_running_loop().create_task(self._send(provider, request, attempt))
        self._oneway.add(task)
        task.add_done_callback(self._sent)
        begun = attempt.sending.begun
        assert begun is not None
        # The task sets it in any case.
        await begun.wait()
        if not attempt.sending.began and attempt.error is not None:
            raise attempt.error

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._oneway.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("a oneway call went wrong", exc_info=error)

    async def _send(self, provider: HttpProvider, request: HttpRequest, attempt: _Attempt) -> None:
        try:
            response = await self._run(provider, request, attempt)
        except RpcError as exc:
            attempt.error = exc
            _LOG.debug("a oneway call has no answer: %s", exc, extra={"peer": provider.address})
        else:
            if response.status >= 400:
                text = "%s answered a oneway call with status %d"
                _LOG.warning(text, provider.address, response.status, extra={"peer": provider.address})
        finally:
            if attempt.sending.begun is not None:
                attempt.sending.begun.set()

    async def _run(self, provider: HttpProvider, request: HttpRequest, attempt: _Attempt) -> HttpResponse:
        self._attempts.add(attempt)
        try:
            async with attempt.timeout:
                return await provider.exchange(request, attempt.sending)
        except TimeoutError as exc:
            if not (attempt.sending.began or attempt.closing):
                provider.timed_out()
            raise attempt.failure(provider.address) from exc
        except LocalWireError as exc:
            raise BadRequest(str(exc)) from exc
        finally:
            self._attempts.discard(attempt)
            if not self._attempts:
                self._idle.set()

    async def release(self, provider: HttpProvider, key: _Key | None) -> None:
        """Gives a provider back; its last user closes the connections to it."""
        if key is not None:
            shared, users = self._shared.get(key, (None, 0))
            if shared is not provider:
                return
            if users > 1:
                self._shared[key] = (provider, users - 1)
                return
            del self._shared[key]
        try:
            await provider.finish()
        finally:
            self._providers.discard(provider)
            await provider.aclose()

    async def aclose(self) -> None:
        """Closes every connection; may be called more than once."""
        providers = tuple(self._providers)
        self._providers.clear()
        self._shared.clear()
        # Whoever is told below must not call again here.
        for provider in providers:
            provider.stop()
        for attempt in tuple(self._attempts):
            attempt.end()
        while self._attempts:
            self._idle.clear()
            await self._idle.wait()
        if self._oneway:
            await asyncio.wait(tuple(self._oneway))
        await asyncio.gather(*(provider.aclose() for provider in providers))


class _Attempt:
    """One exchange in progress."""

    __slots__ = ("closing", "error", "limit", "sending", "timeout")

    def __init__(self, sending: Sending, expires: float, limit: float) -> None:
        self.sending = sending
        self.limit = limit
        self.closing = False
        self.error: RpcError | None = None
        loop = asyncio.get_running_loop()
        self.timeout = asyncio.timeout_at(loop.time() + expires - monotonic())

    def end(self) -> None:
        """Ends it as if its time were over."""
        if not self.timeout.expired():
            self.closing = True
            self.timeout.reschedule(0.0)

    def failure(self, address: str) -> RpcError:
        """Why there is no answer."""
        if self.closing:
            text = f"{address}: the client was closed before the answer came"
            return ConnectionLost(text) if self.sending.began else ConnectFailed(text)
        if not self.sending.began:
            return DeadlineExceeded(f"no connection to {address} in time", retry=Retry.SAFE)
        return DeadlineExceeded(f"{address} did not answer within {self.limit:.3g} s")


class _HttpInvoker:
    """One provider of one reference."""

    __slots__ = (
        "_binding", "_bound", "_client", "_closed", "_key", "_provider", "_reference",
        "endpoint", "load",
    )  # fmt: skip

    def __init__(
        self,
        client: HttpClient,
        endpoint: Endpoint,
        reference: Reference,
        binding: HttpClientBinding,
        bound: Any,
        provider: HttpProvider,
        key: _Key | None,
    ) -> None:
        self._client = client
        self._reference = reference
        self._binding = binding
        self._bound = bound
        self._provider = provider
        self._key = key
        self._closed = False
        self.endpoint = endpoint
        self.load = Load(endpoint.weight)

    @property
    def available(self) -> bool:
        """Whether the provider could be reached the last time, or was never tried."""
        return self._provider.health.available

    async def __call__(self, invocation: Invocation) -> Result:
        """See `Invoker.__call__`."""
        expires, limit = self._reference.time_of(invocation, monotonic())
        if limit <= 0:
            raise DeadlineExceeded("the deadline had passed before the call was sent", retry=Retry.SAFE)
        try:
            request, ticket = self._binding.encode_call(self._bound, invocation, limit)
        except (ValueMappingError, LocalWireError) as exc:
            raise BadRequest(f"{invocation.method}: {exc}") from exc
        if invocation.oneway:
            await self._client.send(self._provider, request, expires, limit)
            return _ONEWAY_DONE
        response = await self._client.exchange(self._provider, request, expires, limit)
        outcome = self._binding.decode_reply(self._bound, ticket, response)
        if isinstance(outcome, RpcError):
            raise outcome
        return outcome

    async def aclose(self) -> None:
        """See `Invoker.aclose`."""
        if not self._closed:
            self._closed = True
            await self._client.release(self._provider, self._key)
