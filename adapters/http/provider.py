"""One provider over HTTP/1.1: its connections, whole messages over them, and what can go wrong in our own words.

The one place that knows aiohttp's client: nothing of it is seen further up.

| what happened | error |
| --- | --- |
| no address, no connection, no TLS | `ConnectFailed` |
| the connection ended or broke before the whole answer was there | `ConnectionLost` |
| what came is no HTTP | `ConnectionLost` |
| a header field or target that no request can have | `LocalWireError` |
| a redirect, an unknown content coding, an answer beyond the limit | `ProviderFailed`, never repeated |

A connection that waits for its next call may be closed by the provider at any time, also while a request is already on
its way to it. Nobody can tell then whether the request was processed, so nothing is sent again here (RFC 9110, section
9.2.2): the call fails as `ConnectionLost`, and who repeats calls knows from the contract whether this one may be. To
make it rare, connections are kept for less time than servers usually keep them; and when a provider ends one that it
kept so far (`Connection: close`), as one does that shuts down, those beside it are not used any more either.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Sequence
from io import BytesIO
from time import monotonic
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
from aiohttp import ClientHandlerType
from yarl import URL

from adapters.http.provider_health import ProviderHealth
from adapters.http.provider_options import ProviderOptions
from adapters.os_error import reason_of
from gateway.model.endpoint import format_address
from gateway.model.errors import ConnectFailed, ConnectionLost, LocalWireError, ProviderFailed, Retry
from protocols.http.content import ContentRefused, content_codings, gzip, inflate
from protocols.http.message import Headers, HttpRequest, HttpResponse

__all__ = ["HttpProvider", "Sending"]

_COMPRESS_FROM: Final = 1024
"""Bytes of a body below which compressing costs more than it saves."""
_STREAMED_FROM: Final = 1_048_576
"""Bytes of a body that aiohttp wants to send in pieces."""
_MAX_FIELD_BYTES: Final = 65_536
_MAX_FIELDS: Final = 512
_MAX_REASON: Final = 120
_RECEIVED: Final = re.compile(r":?\n|: b['\"]")
_MAX_URLS: Final = 256
_DNS_TTL_S: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_TARGET: Final = re.compile(r"/[!-\"$-~]*")
"""A request target without a fragment: visible ASCII, RFC 9112, section 3.2.1."""
_VALUE: Final = re.compile(r"[^\0\r\n]*")
_NOT_OURS: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""What aiohttp would add by itself."""


class Sending:
    """How far one request has come.

    Attributes:
        began: Something may have been sent.
        reused: On a connection that had served before.
        begun: Set when it was; for who does not wait for the answer.
    """

    __slots__ = ("began", "begun", "reused")

    def __init__(self, begun: asyncio.Event | None = None) -> None:
        self.began = self.reused = False
        self.begun: Final = begun


class HttpProvider:
    """Owned by an `HttpClient`; must be made and used in one event loop. Connects when it is first used.

    `tls`: whom to trust, where `options` say that TLS is spoken.
    """

    def __init__(self, host: str, port: int, options: ProviderOptions, tls: ssl.SSLContext | None) -> None:
        self.address: Final = format_address(host, port)
        self._host = host
        self._port = port
        self._options = options
        self._tls = tls
        self._pool: _Pool | None = None
        self._retired: set[_Pool] = set()
        self._origin = ""
        self._urls: dict[str, URL] = {}
        self._closed = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self.health: Final = ProviderHealth(self.address, self._trial)

    async def exchange(self, request: HttpRequest, sending: Sending) -> HttpResponse:
        """Sends one request and reads the whole response. The caller bounds the time.

        Cancelling it closes the connection it uses, and no other.

        Raises:
            ConnectFailed, ConnectionLost, ProviderFailed: see the table of this module.
            LocalWireError: the request cannot be sent.
        """
        if self._closed:
            raise ConnectFailed(f"{self.address}: this client is closed")
        self.health.ensure_worth_trying()
        self._in_flight += 1
        began = monotonic()
        try:
            response = await self._exchange(request, sending)
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            error = self._translated(exc, sending.began)
            if isinstance(error, ConnectFailed):
                self.health.failed(error, monotonic() - began)
            raise error from exc
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()
        self.health.answered()
        return self._checked(response)

    def timed_out(self) -> None:
        """An exchange was ended by its caller because it took too long to get a connection."""
        if self._in_flight < self._options.max_connections:
            self.health.doubted()

    async def _exchange(self, request: HttpRequest, sending: Sending) -> HttpResponse:
        pool = self._pool or self._open()
        url = self._url(request)
        body: bytes | None = request.body or None
        fields = _fields(request.headers.pairs)
        if self._options.compress:
            fields.append(("Accept-Encoding", "gzip"))
            if body is not None and len(body) >= _COMPRESS_FROM and "content-encoding" not in request.headers:
                body = gzip(body)
                fields.append(("Content-Encoding", "gzip"))
        pool.in_flight += 1
        try:
            response = await pool.session.request(
                request.method,
                url,
                headers=fields,
                data=BytesIO(body) if body is not None and len(body) > _STREAMED_FROM else body,
                allow_redirects=False,
                server_hostname=self._options.server_name or None,
                trace_request_ctx=sending,
            )
            try:
                body = await self._read(response)
            except BaseException:
                response.close()
                raise
            if sending.reused and response.headers.get("connection", "").lower() == "close":
                self._retire(pool)
        finally:
            pool.in_flight -= 1
            if not pool.in_flight and pool in self._retired:
                self._retired.discard(pool)
                await pool.session.close()
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers)
        return HttpResponse(response.status, headers, body)

    def _retire(self, pool: _Pool) -> None:
        """No further request goes out on its connections: the provider is about to close them."""
        if pool is self._pool:
            self._pool = None
            self._retired.add(pool)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self._options.max_response_bytes
        announced = response.content_length
        content = response.content
        if announced is not None and announced > limit:
            raise self._too_large()
        parts: list[bytes] = []
        size = 0
        while part := await content.readany():
            size += len(part)
            if size > limit:
                raise self._too_large()
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _too_large(self) -> ProviderFailed:
        text = f"{self.address}: the answer exceeds the limit of {self._options.max_response_bytes} bytes"
        return ProviderFailed(text, retry=Retry.NEVER)

    def _checked(self, response: HttpResponse) -> HttpResponse:
        """The response without its content coding."""
        headers = Headers(response.headers)
        if response.status in _REDIRECTS:
            location = ascii(headers.get("location")[:200])
            text = f"{self.address} answered {response.status} and wants the call to be made at {location}"
            raise ProviderFailed(f"{text}; redirects are not followed", retry=Retry.NEVER)
        codings = content_codings(headers.get("content-encoding"))
        if not codings or not response.body:
            return response
        try:
            body = inflate(response.body, codings, self._options.max_response_bytes)
        except ContentRefused as exc:
            raise ProviderFailed(f"{self.address}: the answer cannot be read: {exc}", retry=Retry.NEVER) from exc
        return HttpResponse(response.status, response.headers, body)

    def _url(self, request: HttpRequest) -> URL:
        target = f"{request.path}?{request.query}" if request.query else request.path
        url = self._urls.get(target)
        if url is None:
            if _TARGET.fullmatch(target) is None:
                raise LocalWireError(f"{self.address} cannot be asked for {target[:200]!a}")
            url = URL(self._origin + target, encoded=True)
            # Values in paths make targets that never come again.
            if len(self._urls) < _MAX_URLS:
                self._urls[target] = url
        return url

    def _open(self) -> _Pool:
        options = self._options
        scheme = "https" if options.tls else "http"
        try:
            self._origin = str(URL.build(scheme=scheme, host=_canonical(self._host), port=self._port)).rstrip("/")
        except ValueError as exc:
            raise ConnectFailed(f"cannot connect to {self.address}: {exc}") from exc
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_note_sent)
        trace.on_connection_reuseconn.append(_note_reused)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=options.max_connections,
                keepalive_timeout=options.keep_alive_s,
                ttl_dns_cache=_DNS_TTL_S,
                resolver=aiohttp.ThreadedResolver(),
                ssl=self._tls or True,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=options.connect_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=_NOT_OURS,
            headers={"User-Agent": "polyport"},
            trace_configs=[trace],
            middlewares=(_once,),
            max_line_size=_MAX_FIELD_BYTES,
            max_field_size=_MAX_FIELD_BYTES,
            max_headers=_MAX_FIELDS,
        )
        self._pool = _Pool(session)
        return self._pool

    async def _trial(self) -> None:
        """Connects as a call would, and closes the connection. Raises `ConnectFailed`."""
        loop = asyncio.get_running_loop()
        name = (self._options.server_name or self._host) if self._tls is not None else None
        try:
            async with asyncio.timeout(self._options.connect_timeout_s):
                transport, _ = await loop.create_connection(
                    asyncio.Protocol, self._host, self._port, ssl=self._tls, server_hostname=name
                )
        except (OSError, ValueError) as exc:
            raise ConnectFailed(f"cannot connect to {self.address}: {self._why(exc)}") from exc
        transport.abort()

    def _translated(self, exc: Exception, began: bool) -> ConnectFailed | ConnectionLost:
        if isinstance(exc, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
            return ConnectFailed(f"cannot connect to {self.address}: {self._why(exc)}")
        if isinstance(exc, aiohttp.ConnectionTimeoutError) or not began:
            return ConnectFailed(f"cannot connect to {self.address}: {self._why(exc)}")
        if isinstance(exc, aiohttp.ClientPayloadError):
            return ConnectionLost(f"{self.address} closed the connection in the middle of its answer")
        if isinstance(exc, aiohttp.ClientResponseError):
            # Behind what is wrong stands what was received.
            why = _RECEIVED.split(exc.message.strip(), maxsplit=1)[0][:_MAX_REASON]
            return ConnectionLost(f"{self.address} broke the protocol before it answered: {why}")
        cause = exc.__cause__ if isinstance(exc, _BrokenOff) else exc
        why = f": {reason_of(cause)}" if isinstance(cause, OSError) else ""
        return ConnectionLost(f"{self.address} closed the connection before it answered{why}")

    def _why(self, exc: BaseException) -> str:
        if isinstance(exc, TimeoutError):
            return f"no connection within {self._options.connect_timeout_s:g} s"
        if isinstance(exc, aiohttp.ClientConnectorCertificateError):
            exc = exc.certificate_error
        elif isinstance(exc, aiohttp.ClientConnectorError):
            exc = exc.os_error
        if isinstance(exc, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {exc.verify_message}"
        return reason_of(exc) if isinstance(exc, OSError) else str(exc) or type(exc).__name__

    def stop(self) -> None:
        """Takes no further exchanges."""
        self._closed = True

    async def finish(self) -> None:
        """Waits until no exchange is in progress; each of them ends at its timeout, if not before."""
        while self._in_flight:
            self._idle.clear()
            await self._idle.wait()

    async def aclose(self) -> None:
        """Closes every connection; exchanges in progress fail. May be called more than once."""
        self.stop()
        await self.health.aclose()
        pools = [*self._retired, *([self._pool] if self._pool is not None else ())]
        self._retired.clear()
        self._pool = None
        for pool in pools:
            await pool.session.close()


class _Pool:
    """Connections that are used and given up together. `in_flight`: exchanges on them."""

    __slots__ = ("in_flight", "session")

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session: Final = session
        self.in_flight = 0


class _BrokenOff(aiohttp.ClientError):
    """The connection was lost with a request on it. Of a kind that aiohttp does not take for a reason to repeat it."""


async def _once(request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
    """Keeps aiohttp from sending GET, PUT and DELETE again by itself: that is for the cluster to decide and count."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
        raise _BrokenOff(str(exc)) from exc


async def _note_sent(session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
    sending: Sending = context.trace_request_ctx
    sending.began = True
    if sending.begun is not None:
        sending.begun.set()


async def _note_reused(session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
    sending: Sending = context.trace_request_ctx
    sending.reused = True


def _canonical(host: str) -> str:
    """An IPv4 address in the one form that aiohttp connects to. Other wires, and Java, take all that systems do (127.1,
    2130706433), and so registries name providers by them."""
    if not host.replace(".", "").isdecimal():
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return host


def _fields(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields as aiohttp wants them: it encodes as UTF-8 what is ISO 8859-1 here."""
    fields: list[tuple[str, str]] = []
    for name, value in pairs:
        if not value.isascii():
            try:
                value = value.encode("latin-1").decode()
            except ValueError:
                raise LocalWireError(f"the header field {name} has a value that is not UTF-8") from None
        if _VALUE.fullmatch(value) is None:
            raise LocalWireError(f"the header field {name} has a value with a line break")
        fields.append((name, value))
    return fields
