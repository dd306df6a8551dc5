"""Requests that a page of another site makes its visitor's browser send.

A page can send a GET, and a POST without a content type, to any address without asking; it cannot read the answer, but
the call has been made, from inside the visitor's network. Browsers say where such a request comes from. Programs that
are no browsers send neither field and are not concerned.

Sources: https://www.w3.org/TR/fetch-metadata/ (`Sec-Fetch-Site`), RFC 6454, section 7 (`Origin`).
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from protocols.http.message import Headers

__all__ = ["allow_site", "refuse_site"]

_MEMO: Final = "cross-site"
_OWN: Final = frozenset(("", "same-origin", "none"))
"""Of `Sec-Fetch-Site`: no browser, the listener's own pages, and what somebody typed."""


def allow_site(headers: Headers) -> None:
    """Notes that pages of the site these fields name may call."""
    headers.memo[_MEMO] = True


def refuse_site(headers: Headers) -> str | None:
    """Why a request with these fields must not become a call; None when it may."""
    if _MEMO in headers.memo:
        return None
    site = headers.get("sec-fetch-site")
    if site in _OWN:
        # Older browsers send the origin alone.
        origin = "" if site else headers.get("origin")
        if not origin or _host(origin) == headers.get("host").lower():
            return None
    return "pages of other sites may not call here unless cors names their origin"


def _host(origin: str) -> str:
    """Host and port of an origin, as browsers write them into `Host`."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
