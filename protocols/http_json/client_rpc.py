"""JSON-RPC 2.0 on the calling side: request objects, and response objects taken apart.

Source: https://www.jsonrpc.org/specification. A server may answer with any status and any media type; whatever holds a
response object is taken as one, and only a response without one is judged by its status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.jsonform.text import format_json, parse_json
from gateway.model.call import Attachments, Fault, Invocation, Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ProviderFailed, Retry, ValueMappingError
from protocols.contract import Outcome
from protocols.generic_call import generic_call
from protocols.http.message import HttpResponse
from protocols.http_json.client_generic import generic_answer, generic_arguments
from protocols.http_json.client_service import ClientMethod, ClientService
from protocols.http_json.client_trouble import trouble
from protocols.http_json.jsonrpc import error_of_object
from protocols.http_json.problem import ExceptionForms

__all__ = ["RpcCalls"]

_NO_FORMS: Final = ExceptionForms(None)


class RpcCalls:
    """The calls of one reference.

    `path`: where requests go. `positional`: arguments in an array. `qualified`: methods have the service's name in
    front. `java_names`: methods have the names Java gives them. Otherwise they have the contract's, overloaded ones
    the unique name of the Python method.
    """

    __slots__ = ("_java_names", "_positional", "_prefix", "_service", "path")

    def __init__(
        self,
        path: str,
        key: ServiceKey,
        service: ClientService | None,
        positional: bool,
        qualified: bool,
        java_names: bool,
    ) -> None:
        self.path: Final = path
        self._prefix = f"{key}." if qualified else ""
        self._service = service
        self._positional = positional
        self._java_names = java_names

    def encode(self, method: ClientMethod | None, invocation: Invocation) -> tuple[bytes, int | None]:
        """The request object and its id. Raises ValueMappingError."""
        params: Any
        if method is None:
            name, arguments = generic_call(invocation)
            params = generic_arguments(arguments)
        else:
            name, arguments = self._name(method), invocation.arguments()
            params = method.positional(arguments) if self._positional else method.named(arguments)
        request: dict[str, Any] = {"jsonrpc": "2.0", "method": self._prefix + name}
        if params:
            request["params"] = params
        request_id = None
        if not invocation.oneway:
            request["id"] = request_id = invocation.call_id
        return format_json(request), request_id

    def _name(self, method: ClientMethod) -> str:
        if self._java_names:
            return method.wire.name
        assert self._service is not None
        ours = method.signature
        return ours.attribute if len(self._service.contract.overloads(ours.name)) > 1 else ours.name

    def decode(
        self, method: ClientMethod | None, request_id: int | None, response: HttpResponse, attachments: Attachments
    ) -> Outcome:
        """What became of the call. Raises ProviderFailed."""
        document = _response_object(response)
        if document is None:
            if 200 <= response.status < 300:
                raise ProviderFailed("the answer is no response object of JSON-RPC", retry=Retry.NEVER)
            return trouble(response, self._service, attachments)
        error = document.get("error")
        answered = document.get("id")
        if error is not None:
            # Servers that could not read the id say null; that is still the answer to the only request here.
            if answered is not None and not _is_same(answered, request_id):
                raise _foreign_id()
            forms = _NO_FORMS if self._service is None else self._service.forms
            outcome = error_of_object(error, forms)
            if isinstance(outcome, Fault):
                if self._service is None:
                    return outcome.with_attachments(attachments)
                return self._service.fault(outcome, attachments)
            return outcome
        if not _is_same(answered, request_id):
            raise _foreign_id()
        value = document.get("result")
        return Ok(generic_answer(value) if method is None else method.read(value), attachments)


def _response_object(response: HttpResponse) -> Mapping[str, Any] | None:
    try:
        value = parse_json(response.body)
    except ValueMappingError as exc:
        if 200 <= response.status < 300:
            raise ProviderFailed(f"the answer is no response object of JSON-RPC: {exc}", retry=Retry.NEVER) from exc
        return None
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0" or not ("result" in value or "error" in value):
        return None
    return value


def _is_same(answered: Any, request_id: int | None) -> bool:
    # A text of the same digits comes from servers that know ids as texts only.
    return type(answered) in (int, str) and str(answered) == str(request_id)


def _foreign_id() -> ProviderFailed:
    return ProviderFailed("the response object answers another request", retry=Retry.NEVER)
