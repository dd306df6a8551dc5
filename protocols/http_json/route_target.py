"""Calls by route: a request with a path, a verb and places for its arguments that were written for one method."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from gateway.jsonform.text import parse_json
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest
from protocols.http.binding import HttpExchange
from protocols.http.invocation import make_invocation
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http_json.caller import Caller
from protocols.http_json.lazy import LazyArguments
from protocols.http_json.method import MethodBinding
from protocols.http_json.query import read_query
from protocols.http_json.route import Route
from protocols.http_json.service import ServiceBinding
from protocols.http_json.target import CallTarget, MethodExchange, refuse_body

__all__ = ["RouteTarget"]

_UNREAD: Final = object()


class RouteTarget(CallTarget):
    """A request with a path, a verb and places for the arguments of its own (`protocols.http_json.route`)."""

    __slots__ = (
        "_exceptions",
        "_headers",
        "_ignore_unknown",
        "_members",
        "_method",
        "_path",
        "_query",
        "_route",
        "_service",
        "_whole",
    )

    def __init__(
        self, service: ServiceKey, binding: ServiceBinding, method: MethodBinding, route: Route, ignore_unknown: bool
    ) -> None:
        index = {param.name: place for place, param in enumerate(method.signature.params)}
        parts = route.parts(method.signature)
        self._service: Final = service
        self._exceptions: Final = binding.exceptions
        self._method: Final = method
        self._route: Final = route
        self._ignore_unknown: Final = ignore_unknown
        self._path: Final = tuple(index[param] for _, param in parts.path)
        mentioned, wire = frozenset(route.mentioned()), method.wire.params
        # Names that the route does not give are those of the wire.
        self._query: Final = {
            name if param in mentioned else wire[index[param]].name: index[param] for name, param in parts.query
        }
        self._headers: Final = tuple((name, index[param]) for name, param in parts.headers)
        self._members: Final = {wire[index[param]].name: index[param] for param in parts.members}
        self._whole: Final = index[parts.whole] if parts.whole else -1

    def call(
        self, request: HttpRequest, now: float, caller: Caller, captured: Sequence[str]
    ) -> HttpExchange | HttpResponse:
        """See `CallTarget.call`."""
        signature = self._method.signature
        if self._method.returns_value and caller.accept_refusal is not None:
            return caller.accept_refusal
        method = self._method
        if request.body and caller.body_refusal is not None:
            return caller.body_refusal
        return MethodExchange(
            make_invocation(
                self._service,
                signature.name,
                LazyArguments(partial(self._read, request, captured)),
                signature,
                request,
                caller.context,
                now,
                oneway=signature.oneway,
            ),
            method,
            self._exceptions,
            self._route,
        )

    def _read(self, request: HttpRequest, captured: Sequence[str]) -> tuple[Any, ...]:
        """The arguments. Raises BadRequest, ValueMappingError."""
        values: list[Any] = [_UNREAD] * len(self._method.signature.params)
        self._read_body(request, values)
        for place, text in zip(self._path, captured, strict=True):
            values[place] = self._method.read_text(place, [text])
        self._read_texts(request, values)
        return tuple(values)

    def _read_body(self, request: HttpRequest, values: list[Any]) -> None:
        method, body = self._method, request.body
        if not body:
            # Nothing at all is an object without members, and no value for a parameter that is the body.
            for place in self._members.values():
                values[place] = method.absent(place)
            if self._whole >= 0:
                values[self._whole] = method.absent(self._whole)
            return
        if self._whole >= 0:
            values[self._whole] = method.read_value(self._whole, parse_json(body))
            return
        if not self._members and self._route.verb in ("GET", "DELETE"):
            refuse_body(request)
        members = parse_json(body)
        if type(members) is not dict:
            raise BadRequest("expected an object with the arguments by name")
        left = len(members)
        for name, place in self._members.items():
            if name in members:
                left -= 1
                values[place] = method.read_value(place, members[name])
            else:
                values[place] = method.absent(place)
        if left and not self._ignore_unknown:
            raise _unknown("the body has no member", members, self._members)

    def _read_texts(self, request: HttpRequest, values: list[Any]) -> None:
        method = self._method
        texts = read_query(request.query) if request.query else {}
        for name, place in self._query.items():
            found = texts.pop(name, None)
            values[place] = method.absent(place) if found is None else method.read_text(place, found)
        if texts and not self._ignore_unknown:
            raise _unknown("the query has no part", texts, self._query)
        for name, place in self._headers:
            if name.lower() in request.headers:
                values[place] = method.read_text(place, [_header_text(name, request.headers.get(name.lower()))])
            else:
                values[place] = method.absent(place)


def _header_text(name: str, value: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        raise BadRequest(f"the header field {name} is not UTF-8") from None


def _unknown(what: str, given: Any, known: Any) -> BadRequest:
    name = next(name for name in given if name not in known)
    listed = f"; it has {', '.join(known)}" if known else ""
    return BadRequest(f"{what} {name[:100]!r}{listed}")
