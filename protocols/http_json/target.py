"""What requests may mean, one class per form: a call by name, a call by query, a document.

Calls by route are in `protocols.http_json.route_target`, those of services without a contract in
`protocols.http_json.generic_target`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from gateway.jsonform.text import parse_json
from gateway.model.call import Fault, Invocation, Ok, RawArguments
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, RpcError, ValueMappingError
from protocols.contract import Outcome
from protocols.http.binding import HttpExchange
from protocols.http.invocation import make_invocation
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
from protocols.http_json.lazy import BodyArguments, LazyArguments
from protocols.http_json.method import MethodBinding
from protocols.http_json.problem import ExceptionForms
from protocols.http_json.query import read_query
from protocols.http_json.route import Route
from protocols.http_json.service import MethodGroup, ServiceBinding, bind_arguments
from protocols.overloads import ArgumentError, place_of

__all__ = [
    "CallTarget",
    "DocumentTarget",
    "MethodExchange",
    "NamedTarget",
    "QueryTarget",
    "Target",
    "refuse_body",
]


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


class MethodExchange:
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
        return error_response(outcome, path=place_of(outcome))


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
        method = self._group.single
        raw: RawArguments
        if method is not None:
            raw = BodyArguments(method, body)
        else:
            # Which of them is meant the arguments say.
            method, read = bind_arguments(self._group, parse_json(body) if body else {})
            raw = LazyArguments(read)
        signature = method.signature
        return MethodExchange(
            make_invocation(
                self._service, signature.name, raw, signature, request, caller.context, now, oneway=signature.oneway
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
        refuse_body(request)
        texts = read_query(request.query)
        method = self._group.named(texts)
        signature = method.signature
        if not method.by_query:
            why = "an argument that no query can hold" if signature.idempotent else "not been declared idempotent"
            return refused(
                BadRequest(f"{signature.name} has {why}; call it with POST"),
                405,
                headers=allow(("POST",)),
            )
        return MethodExchange(
            make_invocation(
                self._service,
                signature.name,
                LazyArguments(partial(method.read_texts, texts)),
                signature,
                request,
                caller.context,
                now,
                oneway=signature.oneway,
            ),
            method,
            self._exceptions,
        )


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


def refuse_body(request: HttpRequest) -> None:
    """Raises BadRequest where a request has a body that nothing reads."""
    if request.body:
        raise BadRequest(f"a {request.method} of this path has no body")
