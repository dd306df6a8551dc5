"""Calls providers over short connections, one for each call, in a bounded pool of threads."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Protocol

from adapters.blocking.exchange import Exchange, ShortClientCodec
from adapters.blocking.handover import Handover
from adapters.blocking.pool import Pool
from adapters.blocking.slots import Slots
from adapters.http.provider_health import ProviderHealth
from adapters.os_error import reason_of
from adapters.tcp.driver import ReplySlot, hand_over
from gateway.model.call import Invocation, Result
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    DeadlineExceeded,
    LocalWireError,
    Retry,
    RpcError,
    ValueMappingError,
)
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Invoker, Load
from protocols.contract import Outcome

__all__ = ["BlockingClient", "ShortClientWire", "ShortOptions"]

_CLOSE_S: Final = 1.0
_LATE_S: Final = 0.05
"""So much later than its deadline a call is given up whose thread says nothing."""
_CLOSED: Final = "the client was closed before the answer came"
_CANCELLED: Final = "the call was cancelled"


class ShortClientWire(Protocol):
    """Makes a codec for each call, and compiles what a reference needs for its calls."""

    def bind(self, service: ServiceKey, contract: ServiceContract | None, token: str, application: str) -> Any:
        """As `ClientWire.bind`."""
        ...

    def connect(self) -> ShortClientCodec:
        """A codec for one call."""
        ...


@dataclass(frozen=True, slots=True)
class ShortOptions:
    """How one reference connects.

    `connect_timeout_s`: the longest that a connection may take. `max_connections`: calls under way to one provider at
    the same time. References share it; of different numbers the largest counts.
    """

    connect_timeout_s: float = 3.0
    max_connections: int = 64


class _Provider:
    """An address, whether it can be reached, and the calls to it."""

    __slots__ = ("health", "is_numeric", "running", "slots", "users")

    def __init__(self, endpoint: Endpoint, options: ShortOptions) -> None:
        connect_s = options.connect_timeout_s

        async def attempt() -> None:
            try:
                async with asyncio.timeout(connect_s):
                    _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
            except TimeoutError:
                raise ConnectFailed(f"{endpoint.address}: no connection within {connect_s:g} s") from None
            except OSError as exc:
                raise ConnectFailed(f"{endpoint.address}: {reason_of(exc)}") from exc
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

        self.health: Final = ProviderHealth(endpoint.address, attempt)
        self.is_numeric: Final = _is_numeric(endpoint.host)
        # Without a bound of its own one silent provider would soon have every thread.
        self.slots: Final = Slots(options.max_connections, f"connections that may lead to {endpoint.address}")
        self.users = 0
        self.running: Final[set[Exchange]] = set()


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class BlockingClient:
    """A `gateway.spi.adapter.ClientAdapter` for wires whose connections carry one call; belongs to one event loop.

    `wire_for` and `options_for` say which wire and which connection options a reference wants. `threads`: calls that
    may be under way at the same time, to all providers together.
    """

    def __init__(
        self,
        wire_for: Callable[[Reference], ShortClientWire],
        options_for: Callable[[Reference], ShortOptions],
        name: str,
        threads: int,
    ) -> None:
        self._wire_for = wire_for
        self._options_for = options_for
        self._pool = Pool(threads, name)
        self._slots = Slots(threads, "connections that may be open at the same time")
        self._providers: dict[tuple[str, int], _Provider] = {}
        self._hand_over: Handover | None = None
        self._moved = asyncio.Event()
        self._closed = False

    @property
    def running(self) -> int:
        """Calls under way now."""
        return self._slots.taken

    def open(self, endpoint: Endpoint, reference: Reference) -> Invoker:
        """See `ClientAdapter.open`. Must be called from the event loop."""
        if self._hand_over is None:
            self._hand_over = Handover(asyncio.get_running_loop())
        wire, options = self._wire_for(reference), self._options_for(reference)
        binding = wire.bind(endpoint.service, reference.contract, reference.token, reference.application)
        key = (endpoint.host, endpoint.port)
        provider = self._providers.get(key)
        if provider is None:
            provider = self._providers[key] = _Provider(endpoint, options)
        provider.slots.widen(options.max_connections)
        provider.users += 1
        return _ShortInvoker(self, endpoint, reference, wire, binding, options, provider)

    async def call(
        self, provider: _Provider, endpoint: Endpoint, wire: ShortClientWire, binding: Any,
        invocation: Invocation, options: ShortOptions, expires: float, limit_s: float,
    ) -> Result:  # fmt: skip
        """One call until `expires` (monotonic); `limit_s` is the timeout, for messages.

        Raises:
            RpcError: as `Invoker.__call__`.
        """
        self._ensure_open(endpoint)
        provider.health.ensure_worth_trying()
        await self._take_slots(provider, expires)
        loop = asyncio.get_running_loop()
        try:
            self._ensure_open(endpoint)
            codec = wire.connect()
            try:
                # What the provider is told is what is left now.
                call_id, data = codec.call(binding, invocation, max(0.001, expires - monotonic()))
            except (ValueMappingError, LocalWireError) as exc:
                raise BadRequest(f"{invocation.method}: {exc}") from exc
            waiting = ReplySlot(loop, call_id, limit_s, lambda slot: None)
            exchange = Exchange(
                endpoint.host,
                endpoint.port,
                codec,
                data,
                oneway=invocation.oneway,
                expires=expires,
                limit_s=limit_s,
                connect_s=options.connect_timeout_s,
                done=lambda exchange, outcome: self._done(provider, waiting, exchange, outcome),
            )
            self._pool.submit(exchange.run)
            provider.running.add(exchange)
        except BaseException:
            self._give_slots_back(provider)
            raise
        try:
            result: Result
            if provider.is_numeric:
                result = await waiting
            else:
                # A resolver keeps to no deadline, and nothing wakes a thread that waits for it.
                async with asyncio.timeout(max(0.0, expires - monotonic()) + _LATE_S):
                    result = await waiting
        except asyncio.CancelledError:
            exchange.stop(_CANCELLED)
            raise
        except TimeoutError:
            exchange.stop(_CANCELLED)
            retry = Retry.SAFE if exchange.is_resolving else None
            raise DeadlineExceeded(f"{endpoint.address} did not answer within {limit_s:.3g} s", retry=retry) from None
        return result

    async def _take_slots(self, provider: _Provider, expires: float) -> None:
        if provider.slots.is_free:
            provider.slots.take()
        else:
            await provider.slots.wait(expires)
        if self._slots.is_free:
            self._slots.take()
            return
        try:
            await self._slots.wait(expires)
        except BaseException:
            provider.slots.give_back()
            raise

    def _give_slots_back(self, provider: _Provider) -> None:
        provider.slots.give_back()
        self._slots.give_back()

    def _ensure_open(self, endpoint: Endpoint) -> None:
        if self._closed:
            raise ConnectFailed(f"{endpoint.address}: the client is closed")

    def _done(self, provider: _Provider, waiting: ReplySlot, exchange: Exchange, outcome: Outcome) -> None:
        """On the thread that ran it."""
        assert self._hand_over is not None
        self._hand_over(self._finish, provider, waiting, exchange, outcome)

    def _finish(self, provider: _Provider, waiting: ReplySlot, exchange: Exchange, outcome: Outcome) -> None:
        provider.running.discard(exchange)
        self._give_slots_back(provider)
        self._moved.set()
        if exchange.connect_failure is not None:
            provider.health.failed(*exchange.connect_failure)
        elif not isinstance(outcome, RpcError) and not provider.health.available:
            provider.health.answered()
        hand_over(waiting, outcome)

    async def release(self, endpoint: Endpoint, provider: _Provider) -> None:
        """Gives a provider back; its last user waits for the calls to it."""
        provider.users -= 1
        if provider.users:
            return
        if self._providers.get((endpoint.host, endpoint.port)) is provider:
            del self._providers[endpoint.host, endpoint.port]
        while provider.running:
            self._moved.clear()
            await self._moved.wait()
        await provider.health.aclose()

    async def aclose(self) -> None:
        """Ends every call; may be called more than once."""
        self._closed = True
        providers = tuple(self._providers.values())
        self._providers.clear()
        for provider in providers:
            for exchange in tuple(provider.running):
                exchange.stop(_CLOSED)
        await asyncio.to_thread(self._pool.close, _CLOSE_S)
        # What the threads handed over is given to the callers before they are told that everything is closed.
        await asyncio.sleep(0)
        await asyncio.gather(*(each.health.aclose() for each in providers))


class _ShortInvoker:
    """One provider of one reference."""

    __slots__ = (
        "_binding", "_client", "_closed", "_options", "_provider", "_reference", "_wire", "endpoint", "load",
    )  # fmt: skip

    def __init__(
        self,
        client: BlockingClient,
        endpoint: Endpoint,
        reference: Reference,
        wire: ShortClientWire,
        binding: Any,
        options: ShortOptions,
        provider: _Provider,
    ) -> None:
        self._client = client
        self._reference = reference
        self._wire = wire
        self._binding = binding
        self._options = options
        self._provider = provider
        self._closed = False
        self.endpoint = endpoint
        self.load = Load(endpoint.weight)

    @property
    def available(self) -> bool:
        """Whether the provider could be reached the last time, or was never tried."""
        return self._provider.health.available

    async def __call__(self, invocation: Invocation) -> Result:
        """See `Invoker.__call__`."""
        expires, limit_s = self._reference.time_of(invocation, monotonic())
        if limit_s <= 0:
            raise DeadlineExceeded("the deadline had passed before the call was sent", retry=Retry.SAFE)
        return await self._client.call(
            self._provider, self.endpoint, self._wire, self._binding, invocation, self._options, expires, limit_s
        )

    async def aclose(self) -> None:
        """See `Invoker.aclose`."""
        if not self._closed:
            self._closed = True
            await self._client.release(self.endpoint, self._provider)
