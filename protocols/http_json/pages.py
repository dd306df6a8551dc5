"""Pages beside the services: documents that never change, sent whole, compressed, or not at all when known."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from gateway.model.errors import BadRequest
from protocols.http.content import accepts_gzip, is_compressible
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http_json.answer import refused

__all__ = ["Page", "PageSet", "Redirect"]

_GZIP_WBITS: Final = 31
_ALLOW: Final = ("Allow", "GET, HEAD")
_SECURITY: Final = (
    (
        "Content-Security-Policy",
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
"""Nothing is fetched from elsewhere, and no script runs but those of the pages themselves."""
_CACHING: Final = ("Cache-Control", "no-cache")
"""May be kept, but is asked for again each time: the answer is mostly 304."""


class Page:
    """One document. `load` gives its bytes; it is called once, when somebody asks for the page first."""

    __slots__ = ("_answers", "_content_type", "_load")

    def __init__(self, content_type: str, load: Callable[[], bytes]) -> None:
        self._content_type = content_type
        self._load = load
        self._answers: dict[bool, tuple[str, HttpResponse]] = {}

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The document, or 304 where the client has it (RFC 9110, section 13.1.2)."""
        tag, response = self._prepared(accepts_gzip(request.headers))
        known = {each.strip(" \t").removeprefix("W/") for each in request.headers.get("if-none-match").split(",")}
        if tag in known or "*" in known:
            headers = tuple(each for each in response.headers if each[0] not in ("Content-Type", "Content-Encoding"))
            return HttpResponse(304, headers)
        return response

    def _prepared(self, gzip: bool) -> tuple[str, HttpResponse]:
        if gzip and not is_compressible(self._content_type):
            gzip = False
        found = self._answers.get(gzip)
        if found is None:
            body = self._load()
            tag = hashlib.sha256(body).hexdigest()[:32]
            headers = [("Content-Type", self._content_type), _CACHING, ("Vary", "Accept-Encoding"), *_SECURITY]
            if gzip:
                machine = zlib.compressobj(wbits=_GZIP_WBITS)
                body = machine.compress(body) + machine.flush()
                headers.append(("Content-Encoding", "gzip"))
                # The same document in other bytes has another strong tag (RFC 9110, section 8.8.3.3).
                tag += "-gzip"
            tag = f'"{tag}"'
            found = self._answers[gzip] = tag, HttpResponse(200, (*headers, ("ETag", tag)), body)
        return found


class Redirect:
    """Leads to `target`, a relative reference, so that it holds under any prefix."""

    __slots__ = ("_response",)

    def __init__(self, target: str) -> None:
        self._response = HttpResponse(308, (("Location", target), _CACHING))

    def answer(self, request: HttpRequest) -> HttpResponse:
        """308 to the target."""
        return self._response


class PageSet:
    """Pages by path, beginning with `/`."""

    __slots__ = ("_pages",)

    def __init__(self, pages: Mapping[str, Page | Redirect]) -> None:
        self._pages: Final = dict(pages)

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """The page that a request asks for, 405 for other methods than GET, None where its path is none of a page."""
        page = self._pages.get(request.path)
        if page is None:
            return None
        if request.method != "GET":
            return refused(BadRequest("a page can only be read"), 405, headers=(_ALLOW,))
        return page.answer(request)
