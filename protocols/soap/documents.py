"""What can be read about services: WSDL, schema, and a page for people."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Final

from gateway.model.errors import BadRequest
from protocols.http.message import HttpRequest, HttpResponse
from protocols.soap.names import action_of
from protocols.soap.schema import write_schema
from protocols.soap.service import Service
from protocols.soap.text import escape_attribute
from protocols.soap.wsdl import ADDRESS, write_wsdl

__all__ = ["QUERIES", "Documents"]

_XML: Final = (("Content-Type", "text/xml; charset=utf-8"),)
_HTML: Final = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
)
_TEXT: Final = (("Content-Type", "text/plain; charset=utf-8"),)
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.\-_]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9._~\-]{1,100}){0,10}")
_WSDL_QUERIES: Final = ("wsdl", "singlewsdl")
_SCHEMA_QUERY: Final = "xsd"
QUERIES: Final = (*_WSDL_QUERIES, _SCHEMA_QUERY)
"""What documents of a service are asked for by."""
_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;margin:2em auto;max-width:50em;padding:0 1em}"
    "code{background:#eee;padding:0 .2em}dt{margin-top:1em}dd{white-space:pre-wrap}"
)


class Documents:
    """The documents of a listener. `services`: by path, with the text of their key. `trusted`: as `SoapBinding`."""

    def __init__(self, services: Mapping[str, tuple[str, Service]], trusted: Callable[[str], bool] | None) -> None:
        self._services = services
        self._trusted = trusted
        self._wsdl: dict[str, tuple[str, ...]] = {}
        self._schemas: dict[str, bytes] = {}

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """The document that a request asks for; None where nothing has its path."""
        path = request.path
        if path == "/":
            return HttpResponse(200, _HTML, self._index())
        found = self._services.get(path)
        if found is None:
            return None
        name, service = found
        asked = request.query.partition("&")[0].partition("=")[0].lower()
        if asked in _WSDL_QUERIES:
            address = self._address(request)
            if address is None:
                return HttpResponse(400, _TEXT, b"the Host field is no host", BadRequest("the Host field is no host"))
            return HttpResponse(200, _XML, self._described(path, service, address))
        if asked == _SCHEMA_QUERY:
            return HttpResponse(200, _XML, self._schema(path, service))
        return HttpResponse(200, _HTML, _page(name, service))

    def _described(self, path: str, service: Service, address: str) -> bytes:
        pieces = self._wsdl.get(path)
        if pieces is None:
            document = write_wsdl(service.contract, service.namespace, service.form)
            pieces = self._wsdl[path] = tuple(document.split(ADDRESS))
        return escape_attribute(address).join(pieces).encode()

    def _schema(self, path: str, service: Service) -> bytes:
        found = self._schemas.get(path)
        if found is None:
            schema = write_schema(service.contract, service.namespace, service.form)
            found = self._schemas[path] = f'<?xml version="1.0" encoding="UTF-8"?>\n{schema}\n'.encode()
        return found

    def _address(self, request: HttpRequest) -> str | None:
        """Where the service is, as its caller sees it; None where what it said is no host."""
        headers = request.headers
        scheme, host, prefix = "http", headers.get("host"), ""
        if self._trusted is not None and request.peer is not None and self._trusted(request.peer.address):
            scheme = _first(headers.get("x-forwarded-proto")).lower() or scheme
            host = _first(headers.get("x-forwarded-host")) or host
            prefix = _first(headers.get("x-forwarded-prefix")).rstrip("/")
        if scheme not in ("http", "https") or not _HOST.fullmatch(host) or not _PREFIX.fullmatch(prefix):
            return None
        return f"{scheme}://{host}{prefix}{request.path}"

    def _index(self) -> bytes:
        rows = "".join(
            f'<li><a href="{path}">{html.escape(name)}</a> (<a href="{path}?wsdl">WSDL</a>)</li>'
            for path, (name, _) in ((html.escape(each), found) for each, found in self._services.items())
        )
        return _whole("Web services", f"<ul>{rows}</ul>")


def _first(value: str) -> str:
    """What the proxy nearest to the caller said."""
    return value.partition(",")[0].strip(" \t")


def _page(name: str, service: Service) -> bytes:
    rows = "".join(
        f"<dt><code>{html.escape(operation.signature.signature)}</code></dt>"
        f"<dd>{html.escape(operation.signature.doc)}\nElement <code>{html.escape(operation.name)}</code>, "
        f"action <code>{html.escape(action_of(service.namespace, operation.name))}</code></dd>"
        for operation in service.by_attribute.values()
    )
    said = html.escape(service.contract.doc)
    intro = (
        f'<p>{said}</p><p>A SOAP service, 1.1 and 1.2, document/literal: <a href="?wsdl">WSDL</a>, '
        f'<a href="?xsd">schema</a>. Namespace <code>{html.escape(service.namespace)}</code></p>'
    )
    return _whole(name, f"{intro}<dl>{rows}</dl>")


def _whole(title: str, body: str) -> bytes:
    shown = html.escape(title)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{shown}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{shown}</h1>{body}</body></html>\n"
    ).encode()
