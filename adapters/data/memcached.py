"""Data mode of memcached://: methods are commands on a real memcached, through pymemcache in a bounded pool of threads.

Its `Client`s are kept here, not in its `PooledClient`: each call has a deadline of its own, each error must say whether
the command may have run, and a call that nobody waits for any more must give its thread back. `noreply` is never used:
every method says something.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final

from pymemcache.client.base import Client
from pymemcache.exceptions import (
    MemcacheClientError,
    MemcacheError,
    MemcacheServerError,
    MemcacheUnexpectedCloseError,
    MemcacheUnknownCommandError,
)

from adapters.blocking.handover import Handover
from adapters.blocking.pool import Pool
from adapters.blocking.slots import Slots
from adapters.data.memcached_check import bind_memcached
from adapters.data.memcached_client import BYTES, COMMANDS, Login, MemcachedConnection, authenticate
from adapters.data.options import CONNECT_TIMEOUT_S, MAX_CONNECTIONS, PAYLOAD_BYTES
from adapters.data.provider import DataInvoker, is_quiet, reaching
from adapters.http.provider_health import ProviderHealth
from adapters.os_error import reason_of
from gateway.model.endpoint import Endpoint
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    ContractError,
    DeadlineExceeded,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
)
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Invoker

__all__ = ["MemcachedDataClient"]

_LOG: Final = logging.getLogger("polyport.client")
_THREADS: Final = 64
_CLOSE_S: Final = 1.0
_LATE_S: Final = 0.05
"""So much later than its deadline a call is given up whose thread says nothing."""
_MOST_DELTA: Final = (1 << 64) - 1


class MemcachedDataClient:
    """A `gateway.spi.adapter.ClientAdapter`; belongs to one event loop. `threads`: calls under way, to all servers."""

    def __init__(self, threads: int = _THREADS) -> None:
        self._servers: dict[tuple[str, int, Login], _Server] = {}
        self._pool = Pool(threads, "memcached")
        self._slots = Slots(threads, "connections that may be open at the same time")
        self._hand_over: Handover | None = None

    def open(self, endpoint: Endpoint, reference: Reference) -> Invoker:
        """See `ClientAdapter.open`. Must be called from the event loop."""
        if self._hand_over is None:
            self._hand_over = Handover(asyncio.get_running_loop())
        own = reference.parameters
        binding = bind_memcached(reference.contract, own)
        if binding.found:
            raise ContractError(f"{endpoint.service}: " + "; ".join(text for _, text in binding.found))
        login = Login(own.get("user", ""), own.get("password", ""))
        key = (endpoint.host, endpoint.port, login)
        server = self._servers.get(key)
        if server is None:
            connect_s = own.get("connect_timeout", CONNECT_TIMEOUT_S)
            server = _Server(endpoint, login, connect_s, self._pool, self._slots, self._hand_over)
            self._servers[key] = server
        server.slots.widen(own.get("max_connections", MAX_CONNECTIONS))
        server.max_value_bytes = max(server.max_value_bytes, own.get("payload", PAYLOAD_BYTES))
        server.users += 1
        return DataInvoker(server, endpoint, reference, binding, functools.partial(self._release, key, server))

    async def _release(self, key: tuple[str, int, Login], server: _Server) -> None:
        server.users -= 1
        if not server.users:
            if self._servers.get(key) is server:
                del self._servers[key]
            await server.aclose()

    async def aclose(self) -> None:
        """See `ClientAdapter.aclose`."""
        servers, self._servers = tuple(self._servers.values()), {}
        await asyncio.gather(*(each.aclose() for each in servers))
        await asyncio.to_thread(self._pool.close, _CLOSE_S)


class _Exchange:
    """One command on one connection, on a thread. `stop` ends it from another one."""

    def __init__(self, server: _Server, verb: str, written: Mapping[str, Any], expires: float, limit_s: float) -> None:
        self._server = server
        self._verb = verb
        self._written = written
        self._expires = expires
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._stopped = False
        self.is_sent = False
        self.connect_failure: ConnectFailed | None = None

    def run(self, done: Callable[[_Exchange, Any], None]) -> None:
        """On the thread; gives the answer or an `RpcError` to `done`."""
        try:
            outcome: Any = self._run()
        except RpcError as exc:
            outcome = exc
        except Exception as exc:
            # A bug, of the client library or here: the thread goes on, and the caller must hear of it.
            _LOG.exception("a command to %s failed in an unknown way", self._server.address)
            outcome = ProviderFailed(f"{self._server.address}: {exc}")
        done(self, outcome)

    def stop(self) -> None:
        """Nobody waits any more: whatever the thread is waiting for ends."""
        with self._lock:
            self._stopped = True
            sock = None if self._client is None else self._client.sock
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _run(self) -> Any:
        server = self._server
        client = server.idle_client()
        if client is None:
            client = self._connected()
        self._begin(client)
        left = self._expires - monotonic()
        if left <= 0:
            self._keep(client)
            raise DeadlineExceeded(f"{server.address}: no time was left when it was connected", retry=Retry.SAFE)
        client.sock.settimeout(left)
        client.max_value_bytes = server.max_value_bytes
        self.is_sent = True
        try:
            answer = COMMANDS[self._verb](client, self._written)
        except (MemcacheError, OSError) as exc:
            client.close()
            raise self._error(exc) from exc
        except (ValueError, LookupError) as exc:
            # What pymemcache makes of numbers and keys that are none.
            client.close()
            raise self._foreign(str(exc)) from exc
        except BaseException:
            client.close()
            raise
        self._keep(client)
        return answer

    def _begin(self, client: Client) -> None:
        """From now on `stop` ends what the connection waits for."""
        with self._lock:
            self._client = client
            if self._stopped:
                client.close()
                raise ConnectionLost(f"{self._server.address}: nobody waited any more", retry=Retry.SAFE)

    def _keep(self, client: Client) -> None:
        with self._lock:
            # It may be another call's from here on.
            self._client = None
        self._server.keep(client)

    def _connected(self) -> Client:
        server = self._server
        left = self._expires - monotonic()
        limit_s = min(server.connect_s, left)
        client = MemcachedConnection(
            (server.host, server.port),
            serde=BYTES,
            connect_timeout=max(0.001, limit_s),
            timeout=max(0.001, left),
            no_delay=True,
            default_noreply=False,
            allow_unicode_keys=True,
        )
        until = monotonic() + limit_s
        try:
            client._connect()
            self._begin(client)
            if server.login.password:
                authenticate(client, server.login, until)
        except TimeoutError:
            client.close()
            if left < server.connect_s:
                raise DeadlineExceeded(
                    f"{server.address}: no connection within {self._limit_s:.3g} s", retry=Retry.SAFE
                ) from None
            raise self._unreachable(f"no connection within {server.connect_s:g} s") from None
        except MemcacheClientError as exc:
            client.close()
            raise Unauthenticated(f"{server.address}: the server does not take the password") from exc
        except OSError as exc:
            client.close()
            raise self._unreachable(reason_of(exc)) from exc
        except MemcacheError as exc:
            client.close()
            raise self._unreachable(f"when it was shown the password, {exc}") from exc
        return client

    def _unreachable(self, reason: str) -> ConnectFailed:
        self.connect_failure = ConnectFailed(f"{self._server.address}: {reason}")
        return self.connect_failure

    def _error(self, error: Exception) -> RpcError:
        address = self._server.address
        if isinstance(error, TimeoutError):
            return DeadlineExceeded(f"{address} did not answer within {self._limit_s:.3g} s")
        if isinstance(error, MemcacheUnexpectedCloseError | OSError):
            return ConnectionLost(f"{address}: the connection was lost before the answer came")
        said = (
            error.args[0].decode("ascii", "replace") if error.args and isinstance(error.args[0], bytes) else str(error)
        )
        if isinstance(error, MemcacheUnknownCommandError):
            return ProviderFailed(f"{address}: this memcached has no such command", retry=Retry.NEVER)
        if isinstance(error, MemcacheServerError):
            if "too large" in said:
                return BadRequest(f"{address}: {said}")
            if "out of memory" in said:
                # Nothing was stored.
                return Overloaded(f"{address}: {said}")
            # A proxy says so when the server behind it does not answer, which may have done it.
            return ProviderFailed(f"{address}: {said}")
        if isinstance(error, MemcacheClientError):
            if "unauthenticated" in said:
                return Unauthenticated(f"{address}: the server asks for a password")
            if "non-numeric" in said:
                return ProviderFailed(f"{address}: what is stored there is no number", retry=Retry.NEVER)
            return ProviderFailed(f"{address}: {said}", retry=Retry.NEVER)
        return self._foreign(said)

    def _foreign(self, said: str) -> ConnectionLost:
        return ConnectionLost(f"{self._server.address}: the answer is none of memcached's: {said}")


class _Server:
    """One memcached under one login."""

    def __init__(
        self, endpoint: Endpoint, login: Login, connect_s: float, pool: Pool, all_slots: Slots, hand_over: Handover
    ) -> None:
        self.host: Final = endpoint.host
        self.port: Final = endpoint.port
        self.address: Final = endpoint.address
        self.login: Final = login
        self.connect_s: Final = connect_s
        self.health: Final = ProviderHealth(endpoint.address, reaching(endpoint.host, endpoint.port, connect_s))
        self.slots: Final = Slots(1, f"connections that may lead to {endpoint.address}")
        self.users = 0
        self.max_value_bytes = 0
        """The most that any of them takes."""
        self._pool = pool
        self._all_slots = all_slots
        self._hand_over = hand_over
        self._idle: list[Client] = []
        self._running: dict[_Exchange, asyncio.Future[Any]] = {}
        self._closed = False

    async def run(self, verb: str, written: Mapping[str, Any], expires: float, limit_s: float) -> Any:
        """See `DataServer.run`."""
        _ensure_numbers(written)
        self._ensure_open()
        if not written.get("keys", True):
            return []
        self.health.ensure_worth_trying()
        await self._take_slots(expires)
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        exchange = _Exchange(self, verb, written, expires, limit_s)

        def done(each: _Exchange, outcome: Any) -> None:
            self._hand_over(self._finish, each, waiting, outcome)

        self._running[exchange] = waiting
        try:
            self._ensure_open()
            self._pool.submit(functools.partial(exchange.run, done))
        except BaseException:
            del self._running[exchange]
            self._give_back()
            raise
        try:
            async with asyncio.timeout(max(0.0, expires - monotonic()) + _LATE_S):
                outcome = await waiting
        except TimeoutError:
            exchange.stop()
            retry = None if exchange.is_sent else Retry.SAFE
            raise DeadlineExceeded(f"{self.address} did not answer within {limit_s:.3g} s", retry=retry) from None
        except BaseException:
            exchange.stop()
            raise
        if isinstance(outcome, RpcError):
            raise outcome
        return outcome

    def _ensure_open(self) -> None:
        if self._closed:
            raise ConnectFailed(f"{self.address}: the client is closed")

    async def _take_slots(self, expires: float) -> None:
        if self.slots.is_free:
            self.slots.take()
        else:
            await self.slots.wait(expires)
        try:
            if self._all_slots.is_free:
                self._all_slots.take()
            else:
                await self._all_slots.wait(expires)
        except BaseException:
            self.slots.give_back()
            raise

    def _give_back(self) -> None:
        self.slots.give_back()
        self._all_slots.give_back()

    def _finish(self, exchange: _Exchange, waiting: asyncio.Future[Any], outcome: Any) -> None:
        """On the loop's thread."""
        del self._running[exchange]
        self._give_back()
        if exchange.connect_failure is not None:
            self.health.failed(exchange.connect_failure)
        elif not isinstance(outcome, RpcError) and not self.health.available:
            self.health.answered()
        if not waiting.done():
            waiting.set_result(outcome)

    def idle_client(self) -> Client | None:
        """A connection that was used before and is still open. From any thread."""
        while self._idle:
            try:
                client = self._idle.pop()
            except IndexError:
                break
            if is_quiet(client.sock):
                return client
            client.close()
        return None

    def keep(self, client: Client) -> None:
        """Gives a connection back that waits for nothing. From any thread."""
        if self._closed:
            client.close()
        else:
            self._idle.append(client)

    async def aclose(self) -> None:
        """Closes every connection; calls in progress fail with `ConnectionLost`."""
        self._closed = True
        for exchange, waiting in self._running.items():
            exchange.stop()
            if not waiting.done():
                # The thread may still be connecting, which nothing ends.
                retry = None if exchange.is_sent else Retry.SAFE
                waiting.set_result(ConnectionLost(f"{self.address}: the client was closed", retry=retry))
        while self._idle:
            self._idle.pop().close()
        await self.health.aclose()


def _ensure_numbers(written: Mapping[str, Any]) -> None:
    delta = written.get("delta")
    if delta is not None and not 0 <= delta <= _MOST_DELTA:
        raise BadRequest(f"memcached adds whole numbers from 0 to {_MOST_DELTA}, and not {delta}")
