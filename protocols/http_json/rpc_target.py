"""JSON-RPC 2.0 at `POST /jsonrpc` (methods as `service.method`) and `POST /{service}` (methods alone).

The answer to a request object is a response object, with status 200 whatever it says; to notifications there is none
(204). What travels beside a call holds for all calls of a batch; attachments of answers are sent for a single call
only, because nothing would say which answer of a batch they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from gateway.jsonform.text import parse_json
from gateway.model.call import NO_ATTACHMENTS, Fault, Invocation, Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, NoSuchMethod, RpcError, ValueMappingError
from protocols.contract import Outcome
from protocols.http.binding import HttpExchange
from protocols.http.invocation import make_invocation
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http.unwritable import unwritable
from protocols.http_json import jsonrpc
from protocols.http_json.answer import attachment_fields
from protocols.http_json.caller import Caller
from protocols.http_json.generic_target import NO_EXCEPTIONS, encode_generic, read_generic_arguments
from protocols.http_json.jsonrpc import InvalidRequest, RpcRequest
from protocols.http_json.lazy import LazyArguments
from protocols.http_json.method import MethodBinding
from protocols.http_json.problem import ExceptionForms
from protocols.http_json.service import ServiceBinding, bind_arguments
from protocols.http_json.target import CallTarget
from protocols.overloads import ArgumentError, place_of

__all__ = ["RpcCall", "RpcService", "RpcTarget"]

_MAX_METHOD: Final = 1_000
"""Characters of a method's name with its service."""


class RpcService:
    """One service as JSON-RPC sees it; `binding` is None for a service without a contract."""

    __slots__ = ("binding", "key")

    def __init__(self, key: ServiceKey, binding: ServiceBinding | None) -> None:
        self.key: Final = key
        self.binding: Final = binding


class RpcCall:
    """A call of a batch, or the only one. `request_id`: None for a notification."""

    __slots__ = ("exceptions", "invocation", "method", "request_id")

    def __init__(
        self,
        invocation: Invocation,
        method: MethodBinding | None,
        exceptions: ExceptionForms,
        request_id: bytes | None,
    ) -> None:
        self.invocation: Final = invocation
        self.method: Final = method
        self.exceptions: Final = exceptions
        self.request_id: Final = request_id

    def encode(self, outcome: Outcome | None) -> bytes:
        """The response object."""
        request_id = self.request_id
        assert request_id is not None, "a notification is not answered"
        method = self.method
        try:
            if type(outcome) is Ok:
                value = outcome.value
                result = encode_generic(value) if method is None else method.encode_result(value)
                return jsonrpc.encode_result(request_id, result)
            if type(outcome) is Fault:
                return jsonrpc.encode_error(request_id, jsonrpc.fault_object(outcome.decoded(), self.exceptions))
        except Exception as exc:  # a value's own code runs while it is written, and may raise anything
            error, path = unwritable(exc)
            code = None if isinstance(exc, RpcError) else jsonrpc.INTERNAL_ERROR
            return jsonrpc.encode_error(request_id, jsonrpc.error_object(error, code, path))
        if outcome is None:
            return jsonrpc.encode_result(request_id, jsonrpc.NULL_ID)
        assert isinstance(outcome, RpcError)
        return jsonrpc.encode_error(request_id, jsonrpc.error_object(outcome, path=place_of(outcome)))


class _Exchange:
    """The calls of one request (`HttpBatch`). `answers`: what is answered already; `batch`: answer with an array."""

    __slots__ = ("_answers", "_batch", "_calls", "_headers", "_kept", "calls")

    def __init__(self, calls: Sequence[RpcCall], answers: Sequence[bytes], batch: bool, media_type: str) -> None:
        self.calls: Final = tuple(call.invocation for call in calls)
        self._calls: Final = calls
        self._answers: Final = answers
        self._batch: Final = batch
        self._headers: Final = (("Content-Type", media_type),)
        self._kept: dict[int, bytes] = {}

    def keep(self, index: int, outcome: Outcome) -> int:
        """See `HttpBatch.keep`."""
        answer = self._kept[index] = self._calls[index].encode(outcome)
        return len(answer)

    def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
        """See `HttpExchange.encode_reply`."""
        headers: tuple[tuple[str, str], ...] = self._headers
        kept = self._kept
        answers = [
            kept[index] if index in kept else call.encode(outcome)
            for index, (call, outcome) in enumerate(zip(self._calls, outcomes, strict=True))
            if call.request_id is not None
        ]
        answers += self._answers
        if not answers:
            return HttpResponse(204)
        if self._batch:
            return HttpResponse(200, headers, _array(answers))
        outcome = outcomes[0]
        try:
            if isinstance(outcome, Ok | Fault) and outcome.attachments is not NO_ATTACHMENTS:
                headers += attachment_fields(outcome.attachments)
        except Exception as exc:  # the attachments cannot be sent, or a raw answer cannot be read
            request_id = self._calls[0].request_id
            assert request_id is not None
            error, path = unwritable(exc)
            code = None if isinstance(exc, RpcError) else jsonrpc.INTERNAL_ERROR
            answers = [jsonrpc.encode_error(request_id, jsonrpc.error_object(error, code, path))]
        return HttpResponse(200, headers, answers[0])


class RpcTarget(CallTarget):
    """JSON-RPC for several services (`services` by the text of their key), or for one (`only`).

    `max_batch`: request objects in one array.
    """

    __slots__ = ("_max_batch", "_only", "_services")

    def __init__(self, services: Mapping[str, RpcService], only: RpcService | None, max_batch: int) -> None:
        self._services: Final = services
        self._only: Final = only
        self._max_batch: Final = max_batch

    def call(
        self, request: HttpRequest, now: float, caller: Caller, captured: Sequence[str]
    ) -> HttpExchange | HttpResponse:
        """See `CallTarget.call`."""
        refusal = caller.body_refusal or caller.rpc_accept_refusal
        if refusal is not None:
            return refusal
        if not request.body:
            raise BadRequest("expected a JSON-RPC request object, or an array of them, and found no body")
        media_type = caller.rpc_type
        try:
            value = parse_json(request.body)
        except ValueMappingError as exc:
            return _single(jsonrpc.NULL_ID, jsonrpc.invalid_object(jsonrpc.PARSE_ERROR, str(exc)), media_type)
        if type(value) is not list:
            return self._answer([value], False, request, now, caller)
        if not value:
            return _invalid("a batch has at least one request", media_type)
        if len(value) > self._max_batch:
            return _invalid(f"a batch of {len(value)} requests; {self._max_batch} are allowed", media_type)
        return self._answer(value, True, request, now, caller)

    def _answer(
        self, values: Sequence[Any], batch: bool, request: HttpRequest, now: float, caller: Caller
    ) -> HttpExchange | HttpResponse:
        calls: list[RpcCall] = []
        answers: list[bytes] = []
        refused: RpcError | None = None
        for value in values:
            try:
                read = jsonrpc.read_request(value)
            except InvalidRequest as exc:
                refused = exc
                answers.append(
                    jsonrpc.encode_error(exc.request_id, jsonrpc.invalid_object(jsonrpc.INVALID_REQUEST, str(exc)))
                )
                continue
            try:
                calls.append(self.make_call(read, request, now, caller))
            except (RpcError, ValueMappingError) as exc:
                refused = exc if isinstance(exc, RpcError) else BadRequest(str(exc))
                if read.request_id is not None:
                    answers.append(jsonrpc.encode_error(read.request_id, _refusal(exc)))
        if calls:
            return _Exchange(calls, answers, batch, caller.rpc_type)
        if not answers:
            return HttpResponse(204, error=refused)
        body = _array(answers) if batch else answers[0]
        return HttpResponse(200, (("Content-Type", caller.rpc_type),), body, refused)

    def make_call(self, read: RpcRequest, request: HttpRequest, now: float, caller: Caller) -> RpcCall:
        """The call that a request object asks for. Raises RpcError, ValueMappingError."""
        service, name = (self._only, read.method) if self._only is not None else self._service(read.method)
        notification = read.request_id is None
        binding = service.binding
        if binding is None:
            values = [] if read.params is None else read.params
            generic = LazyArguments(partial(read_generic_arguments, values))
            invocation = make_invocation(
                service.key, name, generic, None, request, caller.context, now, oneway=notification
            )
            return RpcCall(invocation, None, NO_EXCEPTIONS, read.request_id)
        method, read_values = bind_arguments(binding.group(name), {} if read.params is None else read.params)
        signature = method.signature
        invocation = make_invocation(
            service.key,
            signature.name,
            LazyArguments(read_values),
            signature,
            request,
            caller.context,
            now,
            oneway=notification or signature.oneway,
        )
        return RpcCall(invocation, method, binding.exceptions, read.request_id)

    def _service(self, method: str) -> tuple[RpcService, str]:
        """The service that begins a method's name, and the rest of it; the longest one counts."""
        end = len(method)
        while end > 0 and len(method) <= _MAX_METHOD:
            end = method.rfind(".", 0, end)
            found = self._services.get(method[:end]) if end > 0 else None
            if found is not None:
                return found, method[end + 1 :]
        raise NoSuchMethod(f"no service here has a method {method[:100]!r}; write it as service.method")


def _refusal(problem: RpcError | ValueMappingError) -> dict[str, Any]:
    if isinstance(problem, ArgumentError):
        return jsonrpc.error_object(problem, path=problem.path)
    if isinstance(problem, RpcError):
        return jsonrpc.error_object(problem)
    return jsonrpc.error_object(ArgumentError(str(problem), problem.path), path=problem.path)


def _array(answers: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(answers) + b"]"


def _invalid(message: str, media_type: str) -> HttpResponse:
    return _single(jsonrpc.NULL_ID, jsonrpc.invalid_object(jsonrpc.INVALID_REQUEST, message), media_type)


def _single(request_id: bytes, error: Mapping[str, Any], media_type: str) -> HttpResponse:
    refused = BadRequest(error["message"])
    return HttpResponse(200, (("Content-Type", media_type),), jsonrpc.encode_error(request_id, error), refused)
