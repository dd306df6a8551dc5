"""Data mode of redis://: methods are commands on a real Redis, through redis.asyncio.

Connections are taken from the client library one by one, since each call has a deadline of its own and each error must
say whether the command may have run: a pool of the library knows neither.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final, NamedTuple

from redis import exceptions
from redis._parsers.base import AsyncBaseParser
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry as LibraryRetry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from adapters.blocking.slots import Slots
from adapters.data.options import CONNECT_TIMEOUT_S, MAX_CONNECTIONS, PAYLOAD_BYTES
from adapters.data.provider import DataInvoker, is_quiet, reaching
from adapters.data.redis_check import bind_redis
from adapters.http.provider_health import ProviderHealth
from gateway.model.endpoint import Endpoint
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    ContractError,
    DeadlineExceeded,
    Forbidden,
    Overloaded,
    ProviderFailed,
    RemoteWireError,
    Retry,
    RpcError,
    Unauthenticated,
)
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Invoker
from protocols.data.redis import settled, written_commands
from protocols.reader import Limits
from protocols.redis.reply import ErrorReply, ReplyReader, Simple

__all__ = ["RedisDataClient"]

_NOT_RUN: Final = ("LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN", "CLUSTERDOWN", "OOM")
"""Beginnings of errors after which nothing was done, and which pass."""
_ELSEWHERE: Final = ("READONLY", "MOVED", "ASK", "MISCONF", "NOREPLICAS")
"""Beginnings of errors after which nothing was done, and which another server may not have (redis/redis: src/server.c,
processCommand)."""
_CROWDED: Final = "max number of clients reached"
"""Sent to a connection when it is accepted, whatever it asks for; then it is closed."""
_WRONG_VALUE: Final = "WRONGTYPE"


class _Login(NamedTuple):
    username: str
    password: str
    database: int


_Key = tuple[str, int, _Login, int]
"""Host, port, login, and how large an answer may be."""


class _Parser(AsyncBaseParser):
    """The library's parser for our own reader of replies, which has limits.

    hiredis makes a list as long as a server says before anything of it is there: to let go of one with a billion places
    keeps the process busy for ten seconds.
    """

    limits = Limits()

    def __init__(self, socket_read_size: int) -> None:
        super().__init__(socket_read_size)
        self._replies = ReplyReader(self.limits)
        self._connected = False

    def on_connect(self, connection: Any) -> None:
        """The library's hook: a stream to read from."""
        self._stream = connection._reader
        self._replies = ReplyReader(self.limits)
        self._connected = True

    def on_disconnect(self) -> None:
        """The library's hook."""
        self._connected = False

    async def can_read(self) -> bool:
        """Whether more came than was asked for, as far as it was taken from the system, or the stream has ended."""
        stream: Any = self._stream
        return not self._replies.is_empty or stream is None or stream.at_eof() or bool(stream._buffer)

    async def can_read_destructive(self) -> bool:
        """As `can_read`."""
        return await self.can_read()

    async def read_response(self, disable_decoding: bool = False) -> Any:
        """The next reply; errors are returned, not raised, as the library wants it."""
        if not self._connected or self._stream is None:
            raise exceptions.ConnectionError("the connection is closed")
        try:
            while (reply := self._replies.next()) is None:
                data = await self._stream.read(self._read_size)
                if not data:
                    raise exceptions.ConnectionError("the server closed the connection")
                self._replies.feed(data)
        except RemoteWireError as exc:
            raise InvalidResponse(str(exc)) from exc
        found = self._plain(reply.value)
        if isinstance(found, exceptions.ConnectionError):
            # Errors that end a connection, such as LOADING and NOAUTH.
            raise found
        return found

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Simple):
            return value.encode()
        if isinstance(value, ErrorReply):
            return self.parse_error(value.decode("utf-8", "replace"))  # type: ignore[no-untyped-call]
        return [self._plain(each) for each in value] if isinstance(value, list) else value


class RedisDataClient:
    """A `gateway.spi.adapter.ClientAdapter`; belongs to one event loop."""

    def __init__(self) -> None:
        self._servers: dict[_Key, _Server] = {}

    def open(self, endpoint: Endpoint, reference: Reference) -> Invoker:
        """See `ClientAdapter.open`."""
        own = reference.parameters
        binding = bind_redis(reference.contract, own)
        if binding.found:
            raise ContractError(f"{endpoint.service}: " + "; ".join(text for _, text in binding.found))
        login = _Login(own.get("user", ""), own.get("password", ""), own.get("database", 0))
        max_bytes = own.get("payload", PAYLOAD_BYTES)
        key = (endpoint.host, endpoint.port, login, max_bytes)
        server = self._servers.get(key)
        if server is None:
            connect_s = own.get("connect_timeout", CONNECT_TIMEOUT_S)
            server = self._servers[key] = _Server(endpoint, login, connect_s, max_bytes)
        server.slots.widen(own.get("max_connections", MAX_CONNECTIONS))
        server.users += 1
        return DataInvoker(server, endpoint, reference, binding, functools.partial(self._release, key, server))

    async def _release(self, key: _Key, server: _Server) -> None:
        server.users -= 1
        if not server.users:
            if self._servers.get(key) is server:
                del self._servers[key]
            await server.aclose()

    async def aclose(self) -> None:
        """See `ClientAdapter.aclose`."""
        servers, self._servers = tuple(self._servers.values()), {}
        await asyncio.gather(*(each.aclose() for each in servers))


class _Server:
    """One Redis under one login."""

    def __init__(self, endpoint: Endpoint, login: _Login, connect_s: float, max_bytes: int) -> None:
        self._endpoint = endpoint
        self._address = endpoint.address
        self._login = login
        self._connect_s = connect_s
        self._parser = type("_BoundedParser", (_Parser,), {"limits": Limits(max_frame_bytes=max_bytes)})
        self._idle: list[Connection] = []
        self._connections: set[Connection] = set()
        self._closed = False
        self.health: Final = ProviderHealth(endpoint.address, reaching(endpoint.host, endpoint.port, connect_s))
        self.slots: Final = Slots(1, f"connections that may lead to {endpoint.address}")
        self.users = 0

    async def run(self, verb: str, written: Mapping[str, Any], expires: float, limit_s: float) -> Any:
        """See `DataServer.run`."""
        commands = written_commands(verb, written)
        if not commands:
            return settled(verb, (), ())
        self._ensure_open()
        self.health.ensure_worth_trying()
        if self.slots.is_free:
            self.slots.take()
        else:
            await self.slots.wait(expires)
        try:
            connection = await self._connection(expires, limit_s)
            return await self._exchange(connection, verb, commands, expires, limit_s)
        finally:
            self.slots.give_back()

    def _ensure_open(self) -> None:
        if self._closed:
            raise ConnectFailed(f"{self._address}: the client is closed")

    async def _connection(self, expires: float, limit_s: float) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            # One that was closed meanwhile must not take a call with it, which might then have run or not.
            writer = connection._writer
            if writer is not None and not writer.is_closing() and is_quiet(writer.get_extra_info("socket")):
                return connection
            await self._discard(connection)
        return await self._connect(expires, limit_s)

    async def _connect(self, expires: float, limit_s: float) -> Connection:
        self._ensure_open()
        connection = Connection(
            host=self._endpoint.host,
            port=self._endpoint.port,
            username=self._login.username or None,
            password=self._login.password or None,
            db=self._login.database,
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=LibraryRetry(NoBackoff(), 0),
            driver_info=None,
            protocol=2,
            parser_class=self._parser,
        )
        self._connections.add(connection)
        began = monotonic()
        left = expires - began
        try:
            async with asyncio.timeout(min(self._connect_s, left)):
                await connection.connect()  # type: ignore[no-untyped-call]
        except TimeoutError:
            await self._discard(connection)
            if left < self._connect_s:
                self.health.doubted()
                raise DeadlineExceeded(
                    f"{self._address}: no connection within {limit_s:.3g} s", retry=Retry.SAFE
                ) from None
            raise self._unreachable(f"no connection within {self._connect_s:g} s", began) from None
        except (RedisError, OSError, ValueError) as exc:
            await self._discard(connection)
            error = self._refusal(exc)
            if error is None:
                error = self._unreachable(str(exc), began)
            raise error from exc
        except BaseException:
            await self._discard(connection)
            raise
        self.health.answered()
        return connection

    def _unreachable(self, reason: str, began: float) -> ConnectFailed:
        failure = ConnectFailed(f"{self._address}: {reason}")
        self.health.failed(failure, monotonic() - began)
        return failure

    def _refusal(self, error: Exception) -> RpcError | None:
        """What a server means that refuses a connection; None where there is none."""
        if isinstance(error, BusyLoadingError) or str(error) == _CROWDED:
            return Overloaded(f"{self._address}: {error}")
        if isinstance(error, NoPermissionError | AuthenticationError | AuthorizationError):
            return Unauthenticated(f"{self._address}: {error}")
        if isinstance(error, ResponseError):
            return ProviderFailed(f"{self._address}: {error}", retry=Retry.SAFE)
        return None

    async def _exchange(
        self, connection: Connection, verb: str, commands: list[list[Any]], expires: float, limit_s: float
    ) -> Any:
        """The answer. The connection is kept unless it is not known where in its stream it is."""
        try:
            async with asyncio.timeout(expires - monotonic()):
                answers = await self._ask(connection, commands)
            refused = next((each for each in answers if isinstance(each, Exception)), None)
            found = settled(verb, answers, commands) if refused is None else None
        except TimeoutError:
            await self._discard(connection)
            raise DeadlineExceeded(f"{self._address} did not answer within {limit_s:.3g} s") from None
        except (exceptions.ConnectionError, OSError) as exc:
            await self._discard(connection)
            lost = ConnectionLost(f"{self._address}: the connection was lost before the answer came")
            raise self._refusal(exc) or lost from exc
        except (InvalidResponse, RemoteWireError, ValueError) as exc:
            # The client library has a ValueError for a MOVED that does not say where to.
            await self._discard(connection)
            raise ConnectionLost(f"{self._address}: the answer is none of Redis's: {exc}") from exc
        except BaseException:
            await self._discard(connection)
            raise
        # Whatever else came would be taken for the answer to the next command.
        if self._closed or await connection.can_read():
            await self._discard(connection)
        else:
            self._idle.append(connection)
        if refused is not None:
            raise self._error(refused) from refused
        return found

    async def _ask(self, connection: Connection, commands: list[list[Any]]) -> list[Any]:
        if len(commands) == 1:
            await connection.send_packed_command(connection.pack_command(*commands[0]), check_health=False)
            return [await _answer(connection)]
        await connection.send_packed_command(
            connection.pack_commands([("MULTI",), *commands, ("EXEC",)]), check_health=False
        )
        queued = [await _answer(connection) for _ in range(len(commands) + 1)]
        done = await _answer(connection)
        refused = [each for each in queued if isinstance(each, Exception)]
        if refused:
            return refused
        return done if isinstance(done, list) else [done]

    def _error(self, error: Exception) -> RpcError:
        # The client library takes the code off the text of those that it knows.
        code = getattr(error, "status_code", None) or ""
        said = f"{code} {error}" if code not in ("", "ERR") else str(error)
        text = f"{self._address}: {said}"
        if isinstance(error, BusyLoadingError | OutOfMemoryError) or said.startswith(_NOT_RUN):
            return Overloaded(text)
        if isinstance(error, NoPermissionError):
            return Forbidden(text)
        if isinstance(error, AuthenticationError | AuthorizationError) or said.startswith("NOAUTH"):
            return Unauthenticated(text)
        if isinstance(error, ReadOnlyError) or said.startswith(_ELSEWHERE):
            return ProviderFailed(text, retry=Retry.SAFE)
        if (
            said.startswith(_WRONG_VALUE)
            or "not an integer" in said
            or "not a valid float" in said
            or "overflow" in said
        ):
            return ProviderFailed(
                f"{self._address}: what is stored there is not what the command takes: {said}", retry=Retry.NEVER
            )
        if "unknown command" in said or "syntax error" in said:
            return ProviderFailed(f"{self._address}: this Redis has no such command: {said}", retry=Retry.NEVER)
        return BadRequest(text) if said.startswith("invalid") else ProviderFailed(text, retry=Retry.NEVER)

    async def _discard(self, connection: Connection) -> None:
        self._connections.discard(connection)
        await connection.disconnect(nowait=True)

    async def aclose(self) -> None:
        """Closes every connection; calls in progress fail with `ConnectionLost`."""
        self._closed = True
        self._idle.clear()
        for connection in tuple(self._connections):
            await self._discard(connection)
        await self.health.aclose()


async def _answer(connection: Connection) -> Any:
    try:
        return await connection.read_response(disable_decoding=True)
    except ResponseError as exc:
        return exc
