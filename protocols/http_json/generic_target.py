"""Calls of services without a contract: arguments by position, values that say themselves what they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from gateway.jsonform.generic import read_generic, to_json_generic
from gateway.jsonform.text import format_json, parse_json
from gateway.model.call import Invocation, Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, RpcError, ValueMappingError
from protocols.contract import Outcome
from protocols.http.binding import HttpExchange
from protocols.http.invocation import make_invocation
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http_json.answer import error_response, fault_response, unwritable_response, value_response
from protocols.http_json.caller import Caller
from protocols.http_json.lazy import LazyArguments
from protocols.http_json.problem import ExceptionForms
from protocols.http_json.target import CallTarget
from protocols.overloads import place_of

__all__ = ["NO_EXCEPTIONS", "GenericTarget", "encode_generic", "read_generic_arguments"]

NO_EXCEPTIONS: Final = ExceptionForms(None)


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
        raw = LazyArguments(partial(_read_body, body))
        invocation = make_invocation(self._service, captured[0], raw, None, request, caller.context, now, oneway=False)
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
            return error_response(outcome, path=place_of(outcome))
        if outcome is None:
            return HttpResponse(202)
        try:
            if isinstance(outcome, Ok):
                return value_response(200, encode_generic(outcome.value), outcome.attachments)
            return fault_response(outcome.decoded(), NO_EXCEPTIONS)
        except Exception as exc:  # as in MethodExchange
            return unwritable_response(exc)


def _read_body(body: bytes) -> tuple[Any, ...]:
    return read_generic_arguments(parse_json(body) if body else [])


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
