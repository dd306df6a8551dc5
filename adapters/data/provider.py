"""One server of data: the calls to it, how many there may be at once, and whether it can be reached."""

from __future__ import annotations

import asyncio
import contextlib
import select
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any, Final, Protocol

from adapters.http.provider_health import ProviderHealth
from adapters.os_error import reason_of
from gateway.model.call import Invocation, Result
from gateway.model.endpoint import Endpoint, format_address
from gateway.model.errors import ConnectFailed, DeadlineExceeded, Retry
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Load
from protocols.data.binding import DataBinding

__all__ = ["DataInvoker", "DataServer", "is_quiet", "reaching"]


class DataServer(Protocol):
    """What an invoker needs of a server."""

    @property
    def health(self) -> ProviderHealth:
        """Whether it can be reached."""
        ...

    async def run(self, verb: str, written: Mapping[str, Any], expires: float, limit_s: float) -> Any:
        """One command until `expires` (monotonic); gives its answer as `protocols.data.answers` takes it.

        `limit_s`: how long that is, for messages.

        Raises:
            RpcError: there is no answer.
        """
        ...


def is_quiet(sock: Any) -> bool:
    """Whether nothing can be read: on an idle connection that is the end of the stream, or what nobody asked for.

    The system is asked, since the event loop may not have looked yet.
    """
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)


def reaching(host: str, port: int, connect_s: float) -> Callable[[], Awaitable[None]]:
    """A trial for `ProviderHealth`: makes a connection and closes it."""
    address = format_address(host, port)

    async def attempt() -> None:
        try:
            async with asyncio.timeout(connect_s):
                _, writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            raise ConnectFailed(f"{address}: no connection within {connect_s:g} s") from None
        except OSError as exc:
            raise ConnectFailed(f"{address}: {reason_of(exc)}") from exc
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    return attempt


class DataInvoker:
    """One server of one reference; a `gateway.spi.cluster.Invoker`."""

    def __init__(
        self,
        server: DataServer,
        endpoint: Endpoint,
        reference: Reference,
        binding: DataBinding,
        release: Callable[[], Awaitable[None]],
    ) -> None:
        self._server = server
        self._reference = reference
        self._binding = binding
        self._release = release
        self._running = 0
        self._drained: asyncio.Event | None = None
        self._closed = False
        self.endpoint: Final = endpoint
        self.load: Final = Load(endpoint.weight)

    @property
    def available(self) -> bool:
        """Whether the server could be reached the last time, or was never tried."""
        return self._server.health.available

    async def __call__(self, invocation: Invocation) -> Result:
        """See `Invoker.__call__`."""
        expires, limit_s = self._reference.time_of(invocation, monotonic())
        if limit_s <= 0:
            raise DeadlineExceeded("the deadline had passed before the call was sent", retry=Retry.SAFE)
        method = self._binding.method(invocation.method, invocation.signature)
        arguments = invocation.arguments()
        written = method.write(arguments)
        self._running += 1
        try:
            answer = await self._server.run(method.verb, written, expires, limit_s)
        finally:
            self._running -= 1
            if self._drained is not None and not self._running:
                self._drained.set()
        return method.read(answer, arguments, written)

    async def aclose(self) -> None:
        """See `Invoker.aclose`."""
        if not self._closed:
            self._closed = True
            if self._running:
                self._drained = asyncio.Event()
                await self._drained.wait()
            await self._release()
