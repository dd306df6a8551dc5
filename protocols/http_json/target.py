"""What requests may mean, one class per form: a call by name, a call by query, a call by route, a service without
a contract, a document."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from gateway.jsonform.generic import read_generic, to_json_generic
from gateway.jsonform.text import format_json, parse_json
from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import MethodContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, RpcError, ValueMappingError
from protocols.contract import Outcome
from protocols.http.binding import HttpExchange
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http_json.answer import (
    allow,
    attachment_fields,
    error_response,
    fault_response,
    refused,
    unwritable_response,
    value_response,
)
from protocols.http_json.caller import Caller, read_caller
from protocols.http_json.method import ArgumentError, MethodBinding
from protocols.http_json.problem import ExceptionForms
from protocols.http_json.route import Route
from protocols.http_json.service import MethodGroup, ServiceBinding, read_arguments

__all__ = [
    "NO_EXCEPTIONS",
    "CallTarget",
    "DocumentTarget",
    "GenericTarget",
    "NamedTarget",
    "QueryTarget",
    "RouteTarget",
    "Target",
    "encode_generic",
    "make_invocation",
    "read_generic_arguments",
]

_MAX_QUERY_FIELDS: Final = 1_000


class Target(ABC):
    """What a verb and a path mean."""

    __slots__ = ()

    @abstractmethod
    def decode(self, request: HttpRequest, now: float, captured: Sequence[str]) -> HttpExchange | HttpResponse:
        """See `HttpBinding.decode_call`. `captured`: the segments of the path that are parameters."""


class CallTarget(Target):
    """A target whose requests are calls."""

    __slots__ = ()

    def decode(self, request: HttpRequest, now: float, captured: Sequence[str]) -> HttpExchange | HttpResponse:
        """See `Target.decode`."""
        caller = read_caller(request.headers)
        if type(caller) is HttpResponse:
            return caller
        assert type(caller) is Caller
        try:
            return self.call(request, now, caller, captured)
        except ArgumentError as exc:
            return refused(exc, path=exc.path)
        except RpcError as exc:
            return refused(exc)
        except ValueMappingError as exc:
            return refused(BadRequest(str(exc)), path=exc.path)

    @abstractmethod
    def call(
        self, request: HttpRequest, now: float, caller: Caller, captured: Sequence[str]
    ) -> HttpExchange | HttpResponse:
        """As `decode`, with the header read. Raises what `decode` answers: RpcError, ValueMappingError."""


def make_invocation(
    service: ServiceKey,
    name: str,
    arguments: tuple[Any, ...],
    signature: MethodContract | None,
    request: HttpRequest,
    caller: Caller,
    now: float,
    *,
    oneway: bool,
) -> Invocation:
    """The call that a request asks for."""
    context = caller.context
    timeout_s = context.timeout_s
    # By position: with keywords, making it takes twice as long.
    return Invocation(
        service,
        name,
        arguments,
        signature,
        None,
        context.attachments,
        None if timeout_s is None else now + timeout_s,
        context.traceparent,
        request.peer,
        context.consumer,
        oneway,
    )


class _Exchange:
    """One call of a method with a contract (`HttpExchange`)."""

    __slots__ = ("_exceptions", "_method", "_route", "calls")

    def __init__(
        self, invocation: Invocation, method: MethodBinding, exceptions: ExceptionForms, route: Route | None = None
    ) -> None:
        self.calls: Final = (invocation,)
        self._method: Final = method
        self._exceptions: Final = exceptions
        self._route: Final = route

    def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
        """See `HttpExchange.encode_reply`."""
        outcome = outcomes[0]
        route = self._route
        status = None if route is None else route.status
        try:
            if type(outcome) is Ok:
                method = self._method
                value = outcome.value
                if method.returns_value:
                    return value_response(status or 200, method.encode_result(value), outcome.attachments)
                if value is not None:
                    method.write_result(value)
                return HttpResponse(status or 204, attachment_fields(outcome.attachments))
            if type(outcome) is Fault:
                fault = outcome.decoded()
                return fault_response(
                    fault, self._exceptions, None if route is None else route.fault_status(fault.type_name)
                )
        except Exception as exc:  # a value's own code runs while it is written, and may raise anything
            return unwritable_response(exc)
        if outcome is None:
            return HttpResponse(status or 202)
        assert isinstance(outcome, RpcError)
        return error_response(outcome)


class NamedTarget(CallTarget):
    """`POST /{service}/{method}`: the arguments as a JSON object or array, or no body at all."""

    __slots__ = ("_exceptions", "_group", "_ignore_unknown", "_service")

    def __init__(self, service: ServiceKey, binding: ServiceBinding, group: MethodGroup, ignore_unknown: bool) -> None:
        self._service: Final = service
        self._group: Final = group
        self._exceptions: Final = binding.exceptions
        self._ignore_unknown: Final = ignore_unknown

    def call(
        self, request: HttpRequest, now: float, caller: Caller, captured: Sequence[str]
    ) -> HttpExchange | HttpResponse:
        """See `CallTarget.call`."""
        body = request.body
        # What type nothing has does not matter.
        refusal = (caller.body_refusal if body else None) or caller.accept_refusal
        if refusal is not None:
            return refusal
        if request.query and not self._ignore_unknown:
            raise BadRequest("the arguments of a POST stand in its body, not in a query")
        method, arguments = read_arguments(self._group, parse_json(body) if body else {})
        signature = method.signature
        return _Exchange(
            make_invocation(
                self._service, signature.name, arguments, signature, request, caller, now, oneway=signature.oneway
            ),
            method,
            self._exceptions,
        )


class QueryTarget(CallTarget):
    """`GET /{service}/{method}?name=value`: for methods that are declared idempotent."""

    __slots__ = ("_exceptions", "_group", "_service")

    def __init__(self, service: ServiceKey, binding: ServiceBinding, group: MethodGroup) -> None:
        self._service: Final = service
        self._group: Final = group
        self._exceptions: Final = binding.exceptions

    def call(
        self, request: HttpRequest, now: float, caller: Caller, captured: Sequence[str]
    ) -> HttpExchange | HttpResponse:
        """See `CallTarget.call`."""
        if caller.accept_refusal is not None:
            return caller.accept_refusal
        _refuse_body(request)
        texts = _read_query(request.query)
        method = self._group.named(texts)
        signature = method.signature
        if not method.by_query:
            why = "an argument that no query can hold" if signature.idempotent else "not been declared idempotent"
            return refused(
                BadRequest(f"{signature.name} has {why}; call it with POST"),
                405,
                headers=allow(("POST",)),
            )
        return _Exchange(
            make_invocation(
                self._service,
                signature.name,
                method.read_texts(texts),
                signature,
                request,
                caller,
                now,
                oneway=signature.oneway,
            ),
            method,
            self._exceptions,
        )


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
        values: list[Any] = [_UNREAD] * len(signature.params)
        if (refusal := self._read_body(request, caller, values)) is not None:
            return refusal
        method = self._method
        for place, text in zip(self._path, captured, strict=True):
            values[place] = method.read_text(place, [text])
        self._read_texts(request, values)
        return _Exchange(
            make_invocation(
                self._service, signature.name, tuple(values), signature, request, caller, now, oneway=signature.oneway
            ),
            method,
            self._exceptions,
            self._route,
        )

    def _read_body(self, request: HttpRequest, caller: Caller, values: list[Any]) -> HttpResponse | None:
        method, body = self._method, request.body
        if not body:
            # Nothing at all is an object without members, and no value for a parameter that is the body.
            for place in self._members.values():
                values[place] = method.absent(place)
            if self._whole >= 0:
                values[self._whole] = method.absent(self._whole)
            return None
        if caller.body_refusal is not None:
            return caller.body_refusal
        if self._whole >= 0:
            values[self._whole] = method.read_value(self._whole, parse_json(body))
            return None
        if not self._members and self._route.verb in ("GET", "DELETE"):
            _refuse_body(request)
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
        return None

    def _read_texts(self, request: HttpRequest, values: list[Any]) -> None:
        method = self._method
        texts = _read_query(request.query) if request.query else {}
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


class GenericTarget(CallTarget):
    """`POST /{service}/{method}` of a service without a contract: arguments by position, read as they look."""

    __slots__ = ("_service",)

    def __init__(self, service: ServiceKey) -> None:
        self._service: Final = service

    def call(
        self, request: HttpRequest, now: float, caller: Caller, captured: Sequence[str]
    ) -> HttpExchange | HttpResponse:
        """See `CallTarget.call`."""
        body = request.body
        # What type nothing has does not matter.
        refusal = (caller.body_refusal if body else None) or caller.accept_refusal
        if refusal is not None:
            return refusal
        if request.query:
            raise BadRequest("the arguments of a POST stand in its body, not in a query")
        arguments = read_generic_arguments(parse_json(body) if body else [])
        invocation = make_invocation(self._service, captured[0], arguments, None, request, caller, now, oneway=False)
        return _GenericExchange(invocation)


class _GenericExchange:
    """One call of a service without a contract (`HttpExchange`)."""

    __slots__ = ("calls",)

    def __init__(self, invocation: Invocation) -> None:
        self.calls: Final = (invocation,)

    def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
        """See `HttpExchange.encode_reply`."""
        outcome = outcomes[0]
        if isinstance(outcome, RpcError):
            return error_response(outcome)
        if outcome is None:
            return HttpResponse(202)
        try:
            if isinstance(outcome, Ok):
                return value_response(200, encode_generic(outcome.value), outcome.attachments)
            return fault_response(outcome.decoded(), NO_EXCEPTIONS)
        except Exception as exc:  # as in _Exchange
            return unwritable_response(exc)


class DocumentTarget(Target):
    """A document that is there for everybody; made when it is first asked for."""

    __slots__ = ("_made", "_make", "_media_type")

    def __init__(self, media_type: str, make: Callable[[], bytes]) -> None:
        self._make: Final = make
        self._media_type: Final = media_type
        self._made: HttpResponse | None = None

    def decode(self, request: HttpRequest, now: float, captured: Sequence[str]) -> HttpExchange | HttpResponse:
        """The document, whatever the request says about itself."""
        if self._made is None:
            self._made = HttpResponse(200, (("Content-Type", self._media_type),), self._make())
        return self._made


NO_EXCEPTIONS: Final = ExceptionForms(None)
_UNREAD: Final = object()


def read_generic_arguments(value: Any) -> tuple[Any, ...]:
    """The arguments of a call without a contract. Raises BadRequest, ValueMappingError."""
    if type(value) is not list:
        raise BadRequest("this service has no contract: expected an array with the arguments by position")
    arguments: list[Any] = []
    for each in value:
        try:
            arguments.append(read_generic(each))
        except ValueMappingError as exc:
            raise exc.within(f"args[{len(arguments)}]") from None
    return tuple(arguments)


def encode_generic(value: Any) -> bytes:
    """A value without a contract as JSON. Raises ValueMappingError with its place."""
    try:
        return format_json(to_json_generic(value))
    except ValueMappingError as exc:
        raise exc.within("result") from None


def _refuse_body(request: HttpRequest) -> None:
    if request.body:
        raise BadRequest(f"a {request.method} of this path has no body")


def _read_query(query: str) -> dict[str, list[str]]:
    """The texts under each name, in their order (https://url.spec.whatwg.org/#concept-urlencoded-parser)."""
    texts: dict[str, list[str]] = {}
    if not query:
        return texts
    if query.count("&") >= _MAX_QUERY_FIELDS:
        raise BadRequest(f"the query has more than {_MAX_QUERY_FIELDS} parts")
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            texts.setdefault(_query_text(name), []).append(_query_text(value))
    return texts


def _query_text(text: str) -> str:
    if text.isascii() and "%" not in text:
        return text.replace("+", " ")
    try:
        # What is not ASCII came as bytes, which ISO 8859-1 shows one by one.
        return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode()
    except UnicodeError:
        raise BadRequest("the query is not UTF-8") from None


def _header_text(name: str, value: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        raise BadRequest(f"the header field {name} is not UTF-8") from None


def _unknown(what: str, given: Any, known: Any) -> BadRequest:
    name = next(name for name in given if name not in known)
    listed = f"; it has {', '.join(known)}" if known else ""
    return BadRequest(f"{what} {name[:100]!r}{listed}")
