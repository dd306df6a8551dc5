"""Several wires over HTTP on one connection: each request goes to the one that it is for.

Proxies keep connections and send requests of all their clients over them, so the first request of a connection says
nothing about the next one. A wire claims requests by what stands in their head; what nobody claims goes to the first
wire without claims (JSON, which has addresses of any form), or to the first of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from protocols.http.head import FieldBlock, RequestLine
from protocols.http.message import Headers
from protocols.http.server import HttpServerWire

__all__ = ["Claim", "SharedHttpWire", "Site"]

Claim = Callable[[str, str, str, Headers], bool]
"""`(method, path, query, headers)` of a request, as `HttpRequest` has them, to whether it is for a wire."""


class Site(NamedTuple):
    """One of the wires. `claim`: None for one that takes what the others leave."""

    wire: HttpServerWire
    claim: Claim | None


class SharedHttpWire(HttpServerWire):
    """Makes codecs whose requests are answered by the bindings of `sites`, within the limits of each.

    Heads are read before it is known whose they are, so the largest of all limits on heads holds for them.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        limits = [site.wire.limits for site in sites]
        self._fallback: Final = next((site.wire for site in sites if site.claim is None), sites[0].wire)
        self._claims: Final = [(site.claim, site.wire) for site in sites if site.claim is not None]
        super().__init__(
            self._fallback.binding,
            replace(
                limits[0],
                max_header_bytes=max(each.max_header_bytes for each in limits),
                max_headers=max(each.max_headers for each in limits),
                max_target_bytes=max(each.max_target_bytes for each in limits),
            ),
        )
        self.writer = self._fallback.writer  # type: ignore[misc] # of answers to what is no request

    def site(self, line: RequestLine, fields: FieldBlock) -> HttpServerWire:
        """See `HttpServerWire.site`."""
        headers = fields.headers
        for claim, wire in self._claims:
            if claim(line.method, line.path, line.query, headers):
                return wire
        return self._fallback
