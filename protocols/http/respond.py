"""Responses as bytes: what the binding said, and what frames it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.model.errors import LocalWireError
from protocols.http.content import MAX_PLAIN_BYTES, accepts_gzip, gzip, is_compressible
from protocols.http.field import TCHAR
from protocols.http.message import Headers, HttpResponse
from protocols.http.status import BODILESS, status_line

__all__ = ["CONTINUE", "ResponseWriter"]

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_FIELD: Final = re.compile(TCHAR + r"++: [\t \x21-\x7e\x80-\xff]*+")
_MAX_CACHED: Final = 256
_MAX_CACHED_BYTES: Final = 1_024

_KEEP: Final = b""
_CLOSE: Final = b"Connection: close\r\n"
_KEEP_1_0: Final = b"Connection: keep-alive\r\n"


class ResponseWriter:
    """Writes the responses of all connections of a listener.

    `date`: gives the value of the Date field (RFC 9110, section 6.6.1) for this moment; None sends none.
    `compress`: whether bodies of text are coded as gzip for peers that take it.
    """

    def __init__(self, date: Callable[[], bytes] | None, compress: bool) -> None:
        self._date = date
        self._compress = compress
        self._starts: dict[tuple[int, tuple[tuple[str, str], ...]], bytes] = {}

    def write(self, response: HttpResponse, headers: Headers, *, head: bool, http_1_0: bool, close: bool) -> bytes:
        """The whole response.

        `headers`: of the request. `head`: it was HEAD, so the body is left out. `http_1_0`: of that version, and the
        connection is kept because the peer asked for it. `close`: nothing follows on this connection.

        Raises:
            LocalWireError: a header field that would not arrive as one.
        """
        start = self._starts.get((response.status, response.headers)) or self._start(response)
        body = response.body
        coding = b""
        if len(body) > MAX_PLAIN_BYTES and self._compress:
            body, coding = _compressed(response, headers)
        connection = _CLOSE if close else _KEEP_1_0 if http_1_0 else _KEEP
        date = b"" if self._date is None else b"Date: %b\r\n" % self._date()
        if response.status in BODILESS:
            return b"%b%b%b\r\n" % (start, date, connection)
        return b"%b%bContent-Length: %d\r\n%b%b\r\n%b" % (
            start,
            date,
            len(body),
            coding,
            connection,
            b"" if head else body,
        )

    def _start(self, response: HttpResponse) -> bytes:
        lines = [f"{name}: {value}" for name, value in response.headers]
        for line in lines:
            if _FIELD.fullmatch(line) is None:
                raise LocalWireError(f"a response has a malformed header field {line.partition(':')[0][:80]!r}")
        start = status_line(response.status) + "".join(f"{line}\r\n" for line in lines).encode("latin-1")
        if len(start) <= _MAX_CACHED_BYTES:
            if len(self._starts) >= _MAX_CACHED:
                self._starts.clear()
            self._starts[response.status, response.headers] = start
        return start


def _compressed(response: HttpResponse, headers: Headers) -> tuple[bytes, bytes]:
    """The body as it travels, and the fields that say so."""
    fields = {name.lower(): value for name, value in response.headers}
    # An entity tag names these very bytes; what is coded already is not coded twice.
    if "content-encoding" in fields or "etag" in fields or not is_compressible(fields.get("content-type", "")):
        return response.body, b""
    if not accepts_gzip(headers):
        return response.body, b"Vary: Accept-Encoding\r\n"
    return gzip(response.body), b"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
