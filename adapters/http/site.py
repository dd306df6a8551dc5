"""A binding inside aiohttp: one handler that answers whatever reaches it, and an application to mount in another."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.web_protocol import RequestPayloadError

from adapters.failure import INTERNAL
from adapters.http.calls import CallRunner
from adapters.refusals import Refusals
from gateway.model.call import Peer
from gateway.model.endpoint import format_address
from gateway.model.errors import ProviderFailed
from gateway.spi.adapter import ListenerOptions
from gateway.spi.handler import Handler
from protocols.contract import Outcome
from protocols.http.binding import HttpBinding, HttpExchange
from protocols.http.content import (
    MAX_PLAIN_BYTES,
    ContentRefused,
    accepts_gzip,
    content_codings,
    gzip,
    inflate,
    is_compressible,
)
from protocols.http.field import FRAMING_FIELDS, TCHAR
from protocols.http.limits import HttpLimits
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http.status import BODILESS

__all__ = ["HttpSite", "web_application"]

_LOG: Final = logging.getLogger("polyport.listener")
_FRAMING: Final = frozenset(name.encode() for name in FRAMING_FIELDS)
_FIELD: Final = re.compile(TCHAR + r"++: [\t \x21-\x7e]*+")
"""What arrives as one field (RFC 9110, section 5.5); bindings encode everything beyond ASCII."""
_GZIP_MAGIC: Final = b"\x1f\x8b"
_SERVER: Final = "polyport"
_CLOSE_S: Final = 1.0
"""How long cancelled handlers may take to clean up."""


class HttpSite:
    """Answers requests that aiohttp received as `binding` says, through the calls of `runner`.

    `limits`: of bodies; the others are kept before a request gets here. `compress`: code long answers of text as gzip.
    `host_inflates`: bodies have mostly lost their content coding before they get here, as aiohttp's own servers do it.
    """

    def __init__(
        self,
        binding: HttpBinding,
        runner: CallRunner,
        options: ListenerOptions,
        refusals: Refusals,
        limits: HttpLimits,
        *,
        compress: bool,
        host_inflates: bool,
    ) -> None:
        self._binding = binding
        self._runner = runner
        self._options = options
        self._refusals = refusals
        self._limits = limits
        self._compress = compress
        self._host_inflates = host_inflates

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """The response to one request. Raises nothing but `CancelledError`."""
        peer = _peer_address(request)
        received = await self._receive(request, peer)
        if isinstance(received, HttpResponse):
            if received.error is None:
                self._refusals.count("bad-request", peer, f"refused with status {received.status}")
            # The rest of the message may still be on its way; nobody will look at it.
            response = self.respond(received, request)
            response.force_close()
            return response
        answer = self._binding.decode_call(received, monotonic())
        if not isinstance(answer, HttpResponse):
            outcomes = await self._runner.run(
                answer.calls,
                request.protocol,
                peer,
                lambda: _is_gone(request),
            )
            answer = _reply(answer, outcomes)
        return self.respond(answer, request)

    async def _receive(self, request: web.BaseRequest, peer: str) -> HttpRequest | HttpResponse:
        """The whole request, or the response to one that is refused before its binding sees it."""
        target = _target(request)
        if target is None:
            return self._binding.encode_refusal(405, f"{request.method} is not offered here")
        try:
            body = await self._body(request)
        except ContentRefused as refused:
            return self._binding.encode_refusal(refused.status, str(refused))
        headers = Headers(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in request.raw_headers
            if name.lower() not in _FRAMING
        )
        path, query = target
        method = "GET" if request.method == hdrs.METH_HEAD else request.method
        return HttpRequest(method, path, query, headers, body, Peer(self._options.protocol, peer))

    async def _body(self, request: web.BaseRequest) -> bytes:
        limit = self._limits.max_body_bytes
        if (request.content_length or 0) > limit:
            raise ContentRefused(413, f"the body has more than {limit} bytes")
        await _expect(request)
        if not request.body_exists:
            return b""
        parts: list[bytes] = []
        size = 0
        try:
            async for part in request.content.iter_any():
                size += len(part)
                if size > limit:
                    raise ContentRefused(413, f"the body has more than {limit} bytes")
                parts.append(part)
        except RequestPayloadError as exc:
            raise ContentRefused(400, "the body is malformed") from exc
        body = b"".join(parts)
        codings = content_codings(", ".join(request.headers.getall(hdrs.CONTENT_ENCODING, ())))
        if not codings or not body:
            return body
        if self._host_inflates and codings in (("gzip",), ("deflate",)) and not body.startswith(_GZIP_MAGIC):
            return body
        return inflate(body, codings, self._limits.max_inflated_bytes)

    def respond(self, answer: HttpResponse, request: web.BaseRequest) -> web.Response:
        """The response to `request` as aiohttp sends it, compressed where that pays."""
        if not all(map(_is_field, answer.headers)):
            _LOG.error("%s: a response has a malformed header field", self._options.name)
            answer = self._binding.encode_refusal(500, INTERNAL)
        if answer.error is not None:
            self._refusals.count(answer.error.code, _peer_address(request), str(answer.error))
        fields = [*answer.headers, (hdrs.SERVER, _SERVER)]
        body = answer.body
        if self._compress and len(body) > MAX_PLAIN_BYTES:
            body, coding = _compressed(answer, request)
            fields += coding
        response = web.Response(status=answer.status, body=None if answer.status in BODILESS else body)
        # What aiohttp says about a body by itself would stand beside what the binding says.
        response.headers.clear()
        response.headers.extend(fields)
        return response


def web_application(
    binding: HttpBinding,
    handler: Handler,
    options: ListenerOptions,
    limits: HttpLimits | None = None,
    *,
    compress: bool = True,
) -> web.Application:
    """An application that answers as a listener of `options` would, to run by itself or to mount in another.

    Under a prefix (`own.add_subapp("/api/", application)`) the binding sees paths without it. The limits on calls and
    sizes hold; those on connections are the server's in which the application runs. Calls that still run when that
    server shuts down are cancelled.

    `limits`: of bodies; `ListenerOptions.max_frame_bytes` when not given. `compress`: as `HttpSite`.
    """
    limits = limits or HttpLimits(options.max_frame_bytes, options.max_frame_bytes)
    refusals = Refusals(options)
    runner = CallRunner(handler, options, refusals)
    site = HttpSite(binding, runner, options, refusals, limits, compress=compress, host_inflates=True)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", site.handle, expect_handler=_expected_later)

    async def close(_: web.Application) -> None:
        runner.close()
        await runner.until_idle(monotonic() + _CLOSE_S)

    application.on_shutdown.append(close)
    return application


def _reply(exchange: HttpExchange, outcomes: Sequence[Outcome | None]) -> HttpResponse:
    try:
        return exchange.encode_reply(outcomes)
    except Exception:
        # A filter gave what is no outcome, or the binding has a bug: never leave a caller without an answer.
        _LOG.exception("outcomes of types %s have no reply", [type(outcome).__name__ for outcome in outcomes])
        failed = ProviderFailed(INTERNAL)
        return exchange.encode_reply([None if invocation.oneway else failed for invocation in exchange.calls])


def _compressed(answer: HttpResponse, request: web.BaseRequest) -> tuple[bytes, list[tuple[str, str]]]:
    """The body as it travels, and the fields that say so."""
    fields = Headers(answer.headers)
    # An entity tag names these very bytes; what is coded already is not coded twice.
    if "content-encoding" in fields or "etag" in fields or not is_compressible(fields.get("content-type")):
        return answer.body, []
    vary = (hdrs.VARY, hdrs.ACCEPT_ENCODING)
    if not accepts_gzip(Headers(request.headers.items())):
        return answer.body, [vary]
    return gzip(answer.body), [(hdrs.CONTENT_ENCODING, "gzip"), vary]


def _is_field(pair: tuple[str, str]) -> bool:
    return _FIELD.fullmatch(f"{pair[0]}: {pair[1]}") is not None


async def _expected_later(_: web.Request) -> None:
    """In place of aiohttp's answer to `Expect`, which would ask for bodies that are refused by their length."""


async def _expect(request: web.BaseRequest) -> None:
    """Asks for the body when the client waits for that (RFC 9110, section 10.1.1)."""
    expected = request.headers.get(hdrs.EXPECT)
    if expected is None:
        return
    if expected.lower() != "100-continue":
        raise ContentRefused(417, "only 100-continue can be expected here")
    if request.version >= HttpVersion11 and not request.content.is_eof():
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # Only the response proper counts.
        request.writer.output_size = 0


def _target(request: web.BaseRequest) -> tuple[str, str] | None:
    """Path and query as the binding sees them, still encoded; None where the target is no resource."""
    target = request.raw_path
    if request.method == hdrs.METH_CONNECT:
        return None
    if not target.startswith("/") and target != "*":
        # Absolute form; RFC 9112, section 3.2.2, has every server take it.
        parts = urlsplit(target)
        target = f"{parts.path or '/'}?{parts.query}"
    path, _, query = target.partition("?")
    prefix = _prefix(request)
    return path[len(prefix) :] if path.startswith(prefix) else path, query


def _prefix(request: web.BaseRequest) -> str:
    """Where the application is mounted in another."""
    if not isinstance(request, web.Request):
        return ""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical.removesuffix("/{path}")


def _is_gone(request: web.BaseRequest) -> bool:
    return request.transport is None or request.transport.is_closing()


def _peer_address(request: web.BaseRequest) -> str:
    name = request.transport.get_extra_info("peername") if request.transport is not None else None
    if isinstance(name, tuple):
        return format_address(name[0], name[1])
    return "an unnamed peer"
