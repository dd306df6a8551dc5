"""JSON-RPC 2.0: request objects taken apart, response objects built and read.

| what happened | code | after |
| --- | --- | --- |
| not JSON | -32700 | the specification, section 5.1 |
| no request object, a batch that is empty or too long | -32600 | the same |
| NoSuchService, NoSuchMethod | -32601 | the same |
| BadRequest: arguments that do not fit | -32602 | the same |
| the answer cannot be written | -32603 | the same |
| an exception of the service | -32000 | `data`: `type`, `exception` |
| Unauthenticated, Forbidden | -32010, -32011 | `data`: `type`, `retry`, `exhausted` |
| NoProvider, Overloaded | -32012, -32013 | the same |
| DeadlineExceeded | -32014 | the same |
| ConnectFailed, ConnectionLost | -32015, -32016 | the same |
| ProviderFailed | -32017 | the same |

`data` has the members that a problem document has beside its title and detail (`protocols.http_json.problem`). For an
exception it also has `exceptionTypeName` and `message`, from which jsonrpc4j builds the exception again
(briandilley/jsonrpc4j: src/main/java/com/googlecode/jsonrpc4j/DefaultExceptionResolver.java).

Source: https://www.jsonrpc.org/specification
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform.text import format_json
from gateway.model.call import Fault
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    RpcError,
    Unauthenticated,
)
from protocols import java
from protocols.http_json.problem import (
    ExceptionForms,
    error_of_type,
    fault_of_exception,
    plain_text,
    problem_of,
    problem_of_fault,
)

__all__ = [
    "CODES",
    "FAULT",
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "METHOD_NOT_FOUND",
    "NULL_ID",
    "PARSE_ERROR",
    "InvalidRequest",
    "RpcRequest",
    "encode_error",
    "encode_result",
    "error_object",
    "error_of_object",
    "fault_object",
    "invalid_object",
    "read_request",
]

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
FAULT: Final = -32000
NULL_ID: Final = b"null"

CODES: Final[Mapping[type[RpcError], int]] = MappingProxyType(
    {
        BadRequest: INVALID_PARAMS,
        NoSuchService: METHOD_NOT_FOUND,
        NoSuchMethod: METHOD_NOT_FOUND,
        Unauthenticated: -32010,
        Forbidden: -32011,
        NoProvider: -32012,
        Overloaded: -32013,
        DeadlineExceeded: -32014,
        ConnectFailed: -32015,
        ConnectionLost: -32016,
        ProviderFailed: -32017,
    }
)
_BY_CODE: Final[Mapping[int, type[RpcError]]] = MappingProxyType(
    {code: kind for kind, code in CODES.items() if kind is not NoSuchService}
    | {PARSE_ERROR: BadRequest, INVALID_REQUEST: BadRequest, INTERNAL_ERROR: ProviderFailed}
)
_ABSENT: Final = object()


class InvalidRequest(BadRequest):
    """What was sent is no request object. `request_id`: its id as JSON, `null` where none could be read."""

    def __init__(self, message: str, request_id: bytes = NULL_ID) -> None:
        super().__init__(message)
        self.request_id: Final = request_id


class RpcRequest:
    """One request object.

    `request_id`: as JSON text, exactly what was sent; None for a notification. `params`: a dict, a list, or None where
    there are none.
    """

    __slots__ = ("method", "params", "request_id")

    def __init__(self, method: str, params: Any, request_id: bytes | None) -> None:
        self.method: Final = method
        self.params: Final = params
        self.request_id: Final = request_id


def read_request(value: Any) -> RpcRequest:
    """A request object, as `parse_json` gives it. Raises InvalidRequest."""
    if type(value) is not dict:
        raise InvalidRequest("a request is an object")
    given = value.get("id", _ABSENT)
    request_id = None if given is _ABSENT else _id_text(given)
    shown = request_id or NULL_ID
    if value.get("jsonrpc") != "2.0":
        raise InvalidRequest('the member "jsonrpc" must be "2.0"', shown)
    method = value.get("method")
    if type(method) is not str:
        raise InvalidRequest('the member "method" must be a text', shown)
    params = value.get("params", _ABSENT)
    if params is _ABSENT:
        params = None
    elif type(params) is not dict and type(params) is not list:
        raise InvalidRequest('the member "params" must be an array or an object', shown)
    return RpcRequest(method, params, request_id)


def encode_result(request_id: bytes, result: bytes) -> bytes:
    """A response object. `result`: JSON."""
    return b'{"jsonrpc":"2.0","id":' + request_id + b',"result":' + result + b"}"


def encode_error(request_id: bytes, error: Mapping[str, Any]) -> bytes:
    """A response object. `error`: one of the objects below."""
    return b'{"jsonrpc":"2.0","id":' + request_id + b',"error":' + format_json(error) + b"}"


def invalid_object(code: int, message: str) -> dict[str, Any]:
    """The error object for what is no request: a code of the specification and nothing more."""
    return {"code": code, "message": plain_text(message)}


def error_object(error: RpcError, code: int | None = None, path: str = "") -> dict[str, Any]:
    """The error object for a call without an answer. `code`: where it is not the usual one."""
    if code is None:
        code = next((code for kind, code in CODES.items() if isinstance(error, kind)), INTERNAL_ERROR)
    document = problem_of(error, path=path)
    data = {key: document[key] for key in ("type", "path", "retry", "exhausted") if key in document}
    return {"code": code, "message": document["detail"], "data": data}


def fault_object(fault: Fault, forms: ExceptionForms) -> dict[str, Any]:
    """The error object for an exception of the service. Raises ValueMappingError like `problem_of_fault`."""
    document = problem_of_fault(fault, forms)
    struct = forms.struct(fault.type_name) if fault.declared else None
    data = {
        "type": document["type"],
        "exception": document["exception"],
        "exceptionTypeName": document["title"] if struct is None else java.class_name(struct),
        "message": document["exception"]["message"],
    }
    return {"code": FAULT, "message": document.get("detail", document["title"]), "data": data}


def error_of_object(error: Any, forms: ExceptionForms) -> RpcError | Fault:
    """What the member `error` of a response means.

    Servers that do not know this gateway say less: their code decides then, and an exception that jsonrpc4j describes
    is one of the service.
    """
    if not isinstance(error, Mapping):
        return ProviderFailed("the response has neither a result nor an error object")
    code, message, data = error.get("code"), error.get("message"), error.get("data")
    text = message if isinstance(message, str) else ""
    if isinstance(data, Mapping):
        kind = data.get("type")
        if isinstance(kind, str):
            if (fault := fault_of_exception(kind, data.get("exception"), forms)) is not None:
                return fault
            if (ours := error_of_type(kind, {**data, "detail": text})) is not None:
                return ours
        name, said = data.get("exceptionTypeName"), data.get("message")
        if isinstance(name, str) and name:
            return Fault(name, said if isinstance(said, str) else None)
    if not isinstance(code, int):
        return ProviderFailed(plain_text(text) or "an error without a code")
    if code in _BY_CODE:
        return _BY_CODE[code](plain_text(text) or f"JSON-RPC error {code}")
    if -32768 <= code <= -32100:
        return ProviderFailed(f"JSON-RPC error {code}: {plain_text(text)}")
    # Section 5.1: everything else is the application's own.
    return Fault(f"jsonrpc.Error{code}", text or None)


def _id_text(value: Any) -> bytes:
    if value is None:
        return NULL_ID
    kind = type(value)
    if kind is int or kind is str:
        return format_json(value)
    if kind is Decimal:
        return str(value).encode()
    if kind is float:
        return repr(value).encode()
    raise InvalidRequest('the member "id" must be a text, a number or null')
