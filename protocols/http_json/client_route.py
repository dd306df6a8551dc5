"""Foreign REST services on the calling side: a request as the method's route says, out of the arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from gateway.jsonform.text import format_json
from gateway.jsonform.text_value import compile_text_writer
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import ContractError, ValueMappingError
from protocols.http_json.client_service import ClientMethod, ClientService
from protocols.http_json.route import PathParam, Route, route_of
from protocols.http_json.route_check import RouteMisfit, route_misfits, unrouted

__all__ = ["RouteMethods", "Routed", "misfits"]

_MARKS: Final = "$@:,+"
"""What stays as it is in the literal segments of a path, beside what always does."""

TextWriter = Callable[[Any], list[str]]


class Routed(NamedTuple):
    """One call as parts of a request."""

    verb: str
    path: str
    query: str
    fields: tuple[tuple[str, str], ...]
    body: bytes


class RouteMethods:
    """The methods of one contract by their routes.

    `routes`: by Python attribute, or by name where a method is not overloaded; the contract's own count where a method
    is not there. `base`: in front of all paths.

    Raises:
        ContractError: a method has no route, or one it does not fit; names all of them.
    """

    __slots__ = ("_encoders",)

    def __init__(self, service: ClientService, routes: Mapping[str, Route], base: str) -> None:
        if problems := misfits(service.contract, routes):
            raise ContractError(f"{service.contract.name}: {'; '.join(each.text for each in problems)}")
        self._encoders: Final = {
            method.signature.attribute: _Encoder(service, method, _route(service, method, routes), base)
            for method in service.methods.values()
        }

    def encode(self, method: ClientMethod, arguments: Sequence[Any]) -> Routed:
        """The parts of a request. Raises ValueMappingError with the place of what has no form there."""
        return self._encoders[method.signature.attribute].encode(arguments)

    def route(self, method: ClientMethod) -> tuple[Route, Mapping[str, None]]:
        """The route of a method, and the names of the exceptions that it declares."""
        found = self._encoders[method.signature.attribute]
        return found.route, found.throws


def misfits(contract: ServiceContract, routes: Mapping[str, Route]) -> list[RouteMisfit]:
    """What keeps a contract from being called by routes: those that do not fit, and the methods that have none."""
    problems = route_misfits(contract, routes)
    if missing := unrouted(contract, routes):
        problems.append(RouteMisfit("", f"without a route: {', '.join(missing)}"))
    return problems


class _Encoder:
    """One method by its route. Routes name parameters as the contract does, also where the wire has Java's names."""

    __slots__ = ("_base", "_fields", "_members", "_method", "_path", "_query", "_whole", "route", "throws")

    def __init__(self, service: ClientService, method: ClientMethod, route: Route, base: str) -> None:
        signature = method.signature
        parts = route.parts(signature)
        place = {param.name: index for index, param in enumerate(signature.params)}
        writers = _TextWriters(service, method.wire)
        self.route: Final = route
        self.throws: Final = {each.name: None for each in signature.throws}
        self._method = method
        self._base = base
        self._path: Final = tuple(
            (place[each.name], writers.of(place[each.name]))
            if isinstance(each, PathParam)
            else quote(each, safe=_MARKS)
            for each in route.segments
        )
        self._query: Final = tuple(
            (quote(name, safe=""), place[param], writers.of(place[param])) for name, param in parts.query
        )
        self._fields: Final = tuple((name, place[param], writers.of(place[param])) for name, param in parts.headers)
        self._members: Final = tuple((method.wire.params[place[name]].name, place[name]) for name in parts.members)
        self._whole: Final = place[parts.whole] if parts.whole else -1

    def encode(self, arguments: Sequence[Any]) -> Routed:
        # Also checks their number.
        written = self._method.positional(arguments)
        path = self._base + "".join(
            f"/{each}" if isinstance(each, str) else f"/{_segment(arguments, *each)}" for each in self._path
        )
        query = "&".join(
            f"{name}={quote(text, safe='')}" for name, place, write in self._query for text in write(arguments[place])
        )
        fields = tuple(
            (name, _field(text, place)) for name, place, write in self._fields for text in write(arguments[place])
        )
        body = b""
        if self._whole >= 0:
            body = format_json(written[self._whole])
        elif self._members:
            body = format_json({name: written[place] for name, place in self._members})
        return Routed(self.route.verb, path, query, fields, body)


class _TextWriters:
    """Writers of parameters as texts, which name the argument that does not fit."""

    def __init__(self, service: ClientService, wire: MethodContract) -> None:
        self._service = service
        self._wire = wire

    def of(self, place: int) -> TextWriter:
        write = compile_text_writer(self._wire.params[place].type, self._service.wire)

        def write_here(value: Any) -> list[str]:
            try:
                return write(value)
            except ValueMappingError as exc:
                raise exc.within(f"args[{place}]") from None

        return write_here


def _route(service: ClientService, method: ClientMethod, routes: Mapping[str, Route]) -> Route:
    route = route_of(routes, method.signature, service.contract)
    assert route is not None, "misfits names methods without a route"
    return route


def _segment(arguments: Sequence[Any], place: int, write: TextWriter) -> str:
    texts = write(arguments[place])
    text = texts[0] if texts else ""
    if text in ("", ".", ".."):
        # Encoded or not, everybody on the way may take such a segment out of the path.
        raise ValueMappingError(f"{text!r} cannot be a segment of a path", f"args[{place}]")
    return quote(text, safe="")


def _field(text: str, place: int) -> str:
    """A text as the value of a header field: UTF-8, shown as ISO 8859-1 (`protocols.http.message`)."""
    if text != text.strip(" \t") or any(each < " " or each == "\x7f" for each in text):
        text = "a header field carries no control characters, and no blanks at its ends"
        raise ValueMappingError(text, f"args[{place}]")
    return text.encode().decode("latin-1")
