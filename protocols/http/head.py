"""The head of a request: its first line, its fields, and what they say about the message and its connection.

A connection sends nearly the same head with every request, and many connections send nearly the same heads. So the
first line and the field lines are looked up as bytes first, and only what was not seen before is parsed and checked.
"""

from __future__ import annotations

import re
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from protocols.http.content import content_codings
from protocols.http.errors import HttpWireError
from protocols.http.field import FRAMING_FIELDS, TCHAR
from protocols.http.limits import HttpLimits
from protocols.http.message import Headers
from protocols.sniff import SNIFF_BYTES, sniff

__all__ = ["ALLOWED_METHODS", "CHUNKED", "FieldBlock", "HeadReader", "RequestLine", "looks_like_http", "parse_fields"]

CHUNKED: Final = -1
"""The `length` of a body that says its length as it goes."""
ALLOWED_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_METHODS: Final = frozenset(ALLOWED_METHODS)
_NOT_ALLOWED: Final = frozenset({"TRACE", "CONNECT", "QUERY"})
"""Methods that we know and never serve; all others are answered as unknown (RFC 9110, section 9.1)."""
_MAX_METHOD_BYTES: Final = 32

_TCHAR: Final = TCHAR.encode()
_BEGINNING: Final = re.compile(_TCHAR + rb"{1,%d}+(?: [ -~\r]*+)?" % _MAX_METHOD_BYTES)
"""What may be there of a first line that has not ended yet."""
_BEGINNING_BYTES: Final = 64
_LINE: Final = re.compile(rb"(" + _TCHAR + rb"{1,%d}+) ([\x21-\x7e]++) HTTP/([0-9])\.([0-9])" % _MAX_METHOD_BYTES)
_HTTP_LIKE: Final = re.compile(_TCHAR + rb"{1,%d}+ [^\r\n]* HTTP/" % _MAX_METHOD_BYTES)
_PRE_HTTP_1: Final = re.compile(_TCHAR + rb"{1,%d}+ [\x21-\x7e]++" % _MAX_METHOD_BYTES)
_ABSOLUTE: Final = re.compile(r"https?://([^/?#]*)([^#]*)", re.IGNORECASE)
_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.%a-zA-Z]+\]|[A-Za-z0-9\-._~%!$&'()*+,;=]*)(?::[0-9]*)?")
"""RFC 9110, section 7.2: uri-host and port."""

_MAX_CACHED: Final = 512
_MAX_CACHED_HEAD_BYTES: Final = 512
_MAX_CACHED_LINE_BYTES: Final = 256
_MAX_CACHED_BLOCK_BYTES: Final = 1_536
_MAX_CACHED_FIELDS: Final = 32


class RequestLine:
    """The first line of a request.

    Attributes:
        method: What a binding sees: GET for HEAD.
        path: As `HttpRequest.path`.
        query: As `HttpRequest.query`.
        is_head: The answer has no body.
        is_http_1_0: The connection ends with the answer, unless the request asks otherwise.
        refused: Status of the answer to a method that no service gets to see, 0 for others. 204 answers `OPTIONS *`.
    """

    __slots__ = ("is_head", "is_http_1_0", "method", "path", "query", "refused")

    def __init__(self, method: str, path: str, query: str, is_http_1_0: bool, refused: int) -> None:
        self.is_head: Final = method == "HEAD"
        self.method: Final = "GET" if self.is_head else method
        self.path: Final = path
        self.query: Final = query
        self.is_http_1_0: Final = is_http_1_0
        self.refused: Final = refused


class FieldBlock:
    """The field lines of a request.

    Attributes:
        headers: What a binding sees.
        length: Bytes of the body, or `CHUNKED`.
        codings: Content codings of the body.
        close: The peer closes after this request.
        keep_alive: The peer asks to keep the connection.
        expects: What `Expect` says, in lower case.
        has_host: Every HTTP/1.1 request has.
    """

    __slots__ = ("close", "codings", "expects", "has_host", "headers", "keep_alive", "length")

    def __init__(self, headers: Headers, framing: dict[str, str], has_host: bool) -> None:
        self.headers: Final = headers
        self.length: Final = _body_length(framing)
        self.codings: Final = content_codings(framing["content-encoding"]) if "content-encoding" in framing else ()
        self.close = self.keep_alive = False
        if "connection" in framing:
            options = [each.strip(" \t").lower() for each in framing["connection"].split(",")]
            self.close = "close" in options
            self.keep_alive = "keep-alive" in options
        self.expects: Final = framing.get("expect", "").strip(" \t").lower()
        self.has_host: Final = has_host


class HeadReader:
    """Parses the heads of all connections of a listener; remembers, within bounds, what it parsed."""

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._max_line_bytes: Final = _MAX_METHOD_BYTES + limits.max_target_bytes + len("  HTTP/1.1")
        self._heads: dict[bytes, tuple[RequestLine, FieldBlock]] = {}
        self._lines: dict[bytes, RequestLine] = {}
        self._blocks: dict[bytes, FieldBlock] = {}
        self._headers: dict[tuple[tuple[str, str], ...], Headers] = {}

    def head(self, raw: bytes) -> tuple[RequestLine, FieldBlock]:
        """First line and field lines, given with their line ends and without the empty line behind them.

        Raises:
            HttpWireError: as `line` and `block`.
        """
        found = self._heads.get(raw)
        if found is None:
            line_end = raw.find(b"\r\n")
            found = (self.line(raw[:line_end]), self.block(raw[line_end + 2 :]))
            if len(raw) <= _MAX_CACHED_HEAD_BYTES:
                if len(self._heads) >= _MAX_CACHED:
                    self._heads.clear()
                self._heads[raw] = found
        return found

    def line(self, raw: bytes) -> RequestLine:
        """The first line, given without its line end.

        Raises:
            HttpWireError: it is none of HTTP/1.0 or HTTP/1.1 (400, 414, 505).
        """
        found = self._lines.get(raw)
        if found is None:
            found = self._parse_line(raw)
            if len(raw) <= _MAX_CACHED_LINE_BYTES:
                if len(self._lines) >= _MAX_CACHED:
                    self._lines.clear()
                self._lines[raw] = found
        return found

    def check_beginning(self, raw: bytes | bytearray, checked: int = 0) -> None:
        """Refuses a head that has not arrived completely, as soon as it cannot become one that is accepted.

        `raw`: from the first byte of the request; an empty line may come before it. `checked`: so many bytes of it were
        checked for bare line feeds before, so that a head that trickles in costs no more than its length.

        Raises:
            HttpWireError: as `line` and `block`.
        """
        start = 2 if raw.startswith(b"\r\n") else 0
        if raw == b"\r":
            return
        end = raw.find(b"\n", start, start + self._max_line_bytes + 2)
        if end >= 0:
            line = bytes(raw[start:end])
            if not line.endswith(b"\r"):
                raise _not_a_request(line)
            self.line(line[:-1])
            if len(raw) - end - 1 > self._limits.max_header_bytes + 3:
                raise _headers_too_large(self._limits)
            if raw.count(b"\n", checked) != raw.count(b"\r\n", max(0, checked - 1)):
                raise HttpWireError(400, "a line of the header fields ends with LF alone", reason="bad-headers")
        elif len(raw) - start > self._max_line_bytes + 1:
            raise self._line_too_long(bytes(raw[start:]))
        elif len(raw) > start and _BEGINNING.fullmatch(raw, start, start + _BEGINNING_BYTES) is None:
            raise _not_a_request(bytes(raw[start:]))

    def _line_too_long(self, raw: bytes) -> HttpWireError:
        return _target_too_long(self._limits) if looks_like_http(raw) else _not_a_request(raw)

    def _parse_line(self, raw: bytes) -> RequestLine:
        if len(raw) > self._max_line_bytes:
            raise self._line_too_long(raw)
        parts = _LINE.fullmatch(raw)
        if parts is None:
            if _PRE_HTTP_1.fullmatch(raw) is not None and looks_like_http(raw):
                raise HttpWireError(505, "a request without a version (HTTP/0.9) is not served", reason="http-version")
            raise _not_a_request(raw)
        method_bytes, target_bytes, major, minor = parts.groups()
        if len(target_bytes) > self._limits.max_target_bytes:
            raise _target_too_long(self._limits)
        if major != b"1" or minor not in b"01":
            raise HttpWireError(
                505, f"HTTP/{major.decode()}.{minor.decode()} is not served here, only HTTP/1.1", reason="http-version"
            )
        method, target = method_bytes.decode("ascii"), target_bytes.decode("ascii")
        is_http_1_0 = minor == b"0"
        if method not in _METHODS:
            return RequestLine(method, "", "", is_http_1_0, 405 if method in _NOT_ALLOWED else 501)
        if target == "*" and method == "OPTIONS":
            return RequestLine(method, "", "", is_http_1_0, 204)
        path, _, query = _origin_form(target).partition("?")
        return RequestLine(method, path, query, is_http_1_0, 0)

    def block(self, raw: bytes) -> FieldBlock:
        """The field lines, given with their line ends and without the empty line behind them.

        Raises:
            HttpWireError: they are malformed, ambiguous (400), or too many (431).
        """
        found = self._blocks.get(raw)
        if found is None:
            found = self._parse_block(raw)
            if len(raw) <= _MAX_CACHED_BLOCK_BYTES and len(found.headers.pairs) <= _MAX_CACHED_FIELDS:
                if len(self._blocks) >= _MAX_CACHED:
                    self._blocks.clear()
                self._blocks[raw] = found
        return found

    def _parse_block(self, raw: bytes) -> FieldBlock:
        kept: list[tuple[str, str]] = []
        framing: dict[str, str] = {}
        hosts: list[str] = []
        for name, value in parse_fields(raw, self._limits):
            key = name.lower()
            if key in FRAMING_FIELDS:
                framing[key] = f"{framing[key]}, {value}" if key in framing else value
                continue
            value = value.rstrip(" \t")
            kept.append((name, value))
            if key == "host":
                hosts.append(value)
        if hosts:
            _check_host(hosts)
        pairs = tuple(kept)
        headers = self._headers.get(pairs)
        if headers is None:
            headers = Headers(pairs)
            # Small ones alone are kept: what a hostile peer can fill this with must not matter.
            if len(raw) <= _MAX_CACHED_BLOCK_BYTES and len(pairs) <= _MAX_CACHED_FIELDS:
                if len(self._headers) >= _MAX_CACHED:
                    self._headers.clear()
                self._headers[pairs] = headers
        return FieldBlock(headers, framing, bool(hosts))


def parse_fields(raw: bytes, limits: HttpLimits) -> list[tuple[str, str]]:
    """Field lines as names and values, checked one by one and for their number.

    Raises:
        HttpWireError: 400 for malformed ones, 431 beyond the limits.
    """
    if len(raw) > limits.max_header_bytes:
        raise _headers_too_large(limits)
    count = raw.count(b"\r\n")
    if count > limits.max_headers:
        raise HttpWireError(431, f"more than {limits.max_headers} header fields", reason="headers-too-large")
    collector = _Collector()
    parser = HttpRequestParser(collector)
    try:
        parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % raw)
    except HttpParserUpgrade:
        # What an `Upgrade` field asks for is not offered here, so the field means nothing (RFC 9110, section 7.8).
        pass
    except HttpParserError as exc:
        raise HttpWireError(400, f"malformed header fields: {exc}", reason="bad-headers") from exc
    # Each line is one field, or the parser sees other lines than whoever cut the head out.
    if not collector.complete or len(collector.pairs) != count:
        raise HttpWireError(400, "malformed header fields", reason="bad-headers")
    return collector.pairs


class _Collector:
    """What the parser calls."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.pairs.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.complete = True


def _check_host(hosts: list[str]) -> None:
    """Refuses what says no single host (RFC 9112, section 3.2)."""
    if len(hosts) > 1:
        raise HttpWireError(400, f"{len(hosts)} Host fields where one must be", reason="bad-host")
    if _HOST.fullmatch(hosts[0]) is None:
        raise HttpWireError(400, "the Host field is malformed", reason="bad-host")


def _body_length(framing: dict[str, str]) -> int:
    """How long the body is (RFC 9112, section 6.3). The parser has refused most of what is ambiguous already."""
    has_length = "content-length" in framing
    if "transfer-encoding" in framing:
        coding = framing["transfer-encoding"].strip(" \t").lower()
        if has_length:
            raise HttpWireError(400, "both Content-Length and Transfer-Encoding", reason="bad-framing")
        if coding == "chunked":
            return CHUNKED
        if coding.endswith("chunked") and "," in coding:
            raise HttpWireError(501, "no transfer coding but chunked is offered here", reason="bad-framing")
        raise HttpWireError(400, "the transfer coding is not chunked", reason="bad-framing")
    if not has_length:
        return 0
    value = framing["content-length"]
    # What int() would take besides digits, other readers of the same bytes would not.
    if not (value.isascii() and value.isdigit()) or len(value) > 20:
        raise HttpWireError(400, "Content-Length is not a number", reason="bad-framing")
    return int(value)


def _origin_form(target: str) -> str:
    """Path and query of a target in origin or absolute form (RFC 9112, section 3.2)."""
    if target[0] == "/":
        if "#" in target:
            raise HttpWireError(400, "the request target has a fragment", reason="bad-target")
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or not absolute[1] or "@" in absolute[1] or _HOST.fullmatch(absolute[1]) is None:
        raise HttpWireError(400, "the request target is neither a path nor a URL", reason="bad-target")
    rest = absolute[2]
    return rest if rest.startswith("/") else f"/{rest}"


def looks_like_http(raw: bytes | bytearray) -> bool:
    """Whether a peer that sent this would understand an answer in HTTP/1.1."""
    head = bytes(raw[:SNIFF_BYTES])
    return sniff(head).startswith("HTTP") or _HTTP_LIKE.match(raw) is not None


def _target_too_long(limits: HttpLimits) -> HttpWireError:
    return HttpWireError(
        414, f"the request target has more than {limits.max_target_bytes} bytes", reason="target-too-long"
    )


def _headers_too_large(limits: HttpLimits) -> HttpWireError:
    return HttpWireError(
        431, f"the header fields have more than {limits.max_header_bytes} bytes", reason="headers-too-large"
    )


def _not_a_request(raw: bytes) -> HttpWireError:
    if looks_like_http(raw):
        return HttpWireError(400, "the request line is malformed", reason="bad-request-line")
    return HttpWireError(
        400,
        f"a request must begin with a method; the peer sent what looks like {sniff(raw[:SNIFF_BYTES])}",
        reason="not-http",
    )
