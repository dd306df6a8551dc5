"""Cross-origin calls from browsers: a binding around a binding.

Source: the CORS protocol of https://fetch.spec.whatwg.org/#http-cors-protocol.

It says whose pages may *read* answers, and notes for the binding inside that they may call
(`protocols.http.cross_site`). `Access-Control-Allow-Credentials` is never sent. It is about
what a browser adds by itself (cookies, remembered passwords), which no service here should trust a foreign page with;
a page that sets `Authorization` itself does not need it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final, cast
from urllib.parse import urlsplit

from gateway.model.call import Invocation
from protocols.contract import Outcome
from protocols.http.binding import HttpBatch, HttpBinding, HttpExchange
from protocols.http.cross_site import allow_site
from protocols.http.message import HttpRequest, HttpResponse

__all__ = ["ANY_ORIGIN", "CorsBinding", "parse_origin"]

ANY_ORIGIN: Final = "*"

_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_NAMES: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~, \t]{0,8192}")
"""A list of field names, RFC 9110, section 5.6."""
_SAFE: Final = frozenset(
    ("cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma")
)
"""What a page may read without being told (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name)."""


def parse_origin(text: str) -> str:
    """One allowed origin, as browsers write it: `*`, `null`, or scheme, host and a port that is not the usual one.

    Raises:
        ValueError: it is none of these, or has a path.
    """
    if text in (ANY_ORIGIN, "null"):
        return text
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError as exc:
        raise ValueError(f"{text!r}: {exc}") from None
    if not parts.scheme or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no origin; expected * or scheme://host or scheme://host:port")
    if parts.username is not None or not text.isascii() or ANY_ORIGIN in text:
        raise ValueError(f"{text!r} is no origin: browsers send no users, no wildcards and ASCII alone")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS.get(parts.scheme) else "")


class CorsBinding:
    """Answers preflights and marks answers for pages of allowed origins.

    `origins`: as `parse_origin` gives them; with `*` among them every page may read. `max_age_s`: how long a browser
    may remember a preflight. Everything but preflights is up to `inner`.
    """

    def __init__(self, inner: HttpBinding, origins: Collection[str], max_age_s: int = 600) -> None:
        self._inner = inner
        self._any = ANY_ORIGIN in origins
        self._max_age = str(max_age_s)
        # RFC 9110, section 12.5.5: where the answer depends on the origin, caches must know, also of answers without.
        self._vary = () if self._any else (("Vary", "Origin"),)
        self._marks = {each: (*self._vary, ("Access-Control-Allow-Origin", each)) for each in origins}

    def decode_call(self, request: HttpRequest, now: float) -> HttpExchange | HttpResponse:
        """See `HttpBinding.decode_call`."""
        headers = request.headers
        if request.method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers:
            return self._preflight(request)
        marks = self._marks_for(headers.get("origin"))
        if len(marks) > len(self._vary):
            allow_site(headers)
        answer = self._inner.decode_call(request, now)
        return _marked(answer, marks) if isinstance(answer, HttpResponse) else _Marked(answer, marks)

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        """See `HttpBinding.encode_refusal`. Only where every page may read can one read this."""
        return _marked(self._inner.encode_refusal(status, reason), self._marks_for(""))

    def _preflight(self, request: HttpRequest) -> HttpResponse:
        headers = request.headers
        marks = self._marks_for(headers.get("origin"))
        names = headers.get("access-control-request-headers")
        if len(marks) == len(self._vary):
            return _marked(self._inner.encode_refusal(403, "pages of this origin may not call here"), marks)
        if _NAMES.fullmatch(names) is None:
            return _marked(self._inner.encode_refusal(400, "Access-Control-Request-Headers is no list of names"), marks)
        fields = [*marks, ("Access-Control-Allow-Methods", _METHODS), ("Access-Control-Max-Age", self._max_age)]
        if names:
            # The same names again: keys of attachments cannot be listed, and `*` would leave out Authorization.
            fields.append(("Access-Control-Allow-Headers", names))
        fields.append(("Vary", "Access-Control-Request-Headers"))
        return HttpResponse(204, tuple(fields))

    def _marks_for(self, origin: str) -> tuple[tuple[str, str], ...]:
        return self._marks[ANY_ORIGIN] if self._any else self._marks.get(origin, self._vary)


class _Marked:
    """An exchange whose response a page may read."""

    __slots__ = ("_inner", "_marks")

    def __init__(self, inner: HttpExchange, marks: tuple[tuple[str, str], ...]) -> None:
        self._inner = inner
        self._marks = marks

    @property
    def calls(self) -> Sequence[Invocation]:
        return self._inner.calls

    def keep(self, index: int, outcome: Outcome) -> int:
        return cast("HttpBatch", self._inner).keep(index, outcome)

    def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
        return _marked(self._inner.encode_reply(outcomes), self._marks)


def _marked(response: HttpResponse, marks: tuple[tuple[str, str], ...]) -> HttpResponse:
    if marks and marks[-1][0] == "Access-Control-Allow-Origin":
        # By name, because `*` covers less than it seems: nothing at all for requests with credentials.
        names = dict.fromkeys(name for name, _ in response.headers if name.lower() not in _SAFE)
        if names:
            marks = (*marks, ("Access-Control-Expose-Headers", ", ".join(names)))
    return HttpResponse(response.status, response.headers + marks, response.body, response.error)
