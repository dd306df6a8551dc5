"""Responses: values, exceptions and trouble as whole HTTP messages."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, Final

from gateway.jsonform.text import format_json
from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault
from gateway.model.errors import (
    BadRequest,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    NoSuchMethod,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
)
from protocols.http.context import reply_headers
from protocols.http.message import HttpResponse
from protocols.http.unwritable import unwritable
from protocols.http_json.media import JSON, PROBLEM
from protocols.http_json.problem import FAILURE_STATUS, ExceptionForms, problem_of, problem_of_fault, status_of

__all__ = [
    "JSON_HEADERS",
    "allow",
    "attachment_fields",
    "error_response",
    "failed",
    "fault_response",
    "refused",
    "unwritable_response",
    "value_response",
]

JSON_HEADERS: Final = (("Content-Type", JSON),)
_PROBLEM_HEADERS: Final = (("Content-Type", PROBLEM),)
_RETRY_AFTER: Final = "Retry-After"
"""In whole seconds: RFC 9110, section 10.2.3."""
_CHALLENGE: Final = (("WWW-Authenticate", 'Polyport-Token realm="polyport"'),)
"""RFC 9110, section 11.6.1, asks for one with every 401. What the service asks for is the field of that name."""
_RETRY_AFTER_S: Final = 1.0
"""Where nobody knows when there will be room."""

_BY_STATUS: Final[Mapping[int, type[RpcError]]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NoSuchMethod,
    408: DeadlineExceeded,
    429: Overloaded,
    501: NoSuchMethod,
    503: Overloaded,
    504: DeadlineExceeded,
}


def error_response(
    error: RpcError, status: int | None = None, path: str = "", *, headers: tuple[tuple[str, str], ...] = ()
) -> HttpResponse:
    """The problem document for a call without an answer."""
    if isinstance(error, Unauthenticated):
        headers += _CHALLENGE
    return _problem(error, status, path, headers)


def _problem(error: RpcError, status: int | None, path: str, headers: tuple[tuple[str, str], ...]) -> HttpResponse:
    if status is None:
        status = status_of(error)
    fields = _PROBLEM_HEADERS + headers
    if isinstance(error, Overloaded | NoProvider):
        wait_s = error.retry_after_s if isinstance(error, Overloaded) else None
        fields += ((_RETRY_AFTER, str(max(1, ceil(_RETRY_AFTER_S if wait_s is None else wait_s)))),)
    return HttpResponse(status, fields, format_json(problem_of(error, status, path)))


def refused(
    error: RpcError, status: int | None = None, path: str = "", *, headers: tuple[tuple[str, str], ...] = ()
) -> HttpResponse:
    """As `error_response`, for a request that became no call. Who asks for credentials adds how."""
    response = _problem(error, status, path, headers)
    return HttpResponse(response.status, response.headers, response.body, error)


def failed(status: int, reason: str) -> HttpResponse:
    """The problem document for a message that HTTP itself refuses."""
    kind = _BY_STATUS.get(status, BadRequest if status < 500 else ProviderFailed)
    return refused(kind(reason, retry=Retry.SAFE if kind is Overloaded else Retry.NEVER), status)


def allow(verbs: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The header field of a 405, and of the answer to OPTIONS. A path that takes GET takes HEAD too."""
    extra = ("HEAD", "OPTIONS") if "GET" in verbs else ("OPTIONS",)
    return (("Allow", ", ".join((*verbs, *extra))),)


def fault_response(fault: Fault, forms: ExceptionForms, status: int | None = None) -> HttpResponse:
    """The problem document for an exception of the service; `status` as `problem_of_fault`.

    Raises:
        ValueMappingError: a field does not fit, or an attachment is no text.
        LocalWireError: there are too many attachments.
    """
    document = problem_of_fault(fault, forms, status)
    return HttpResponse(
        document["status"], _PROBLEM_HEADERS + attachment_fields(fault.attachments), format_json(document)
    )


def attachment_fields(attachments: Attachments) -> tuple[tuple[str, str], ...]:
    """The header fields for the attachments of an answer. Raises like `fault_response`."""
    return reply_headers(attachments) if attachments is not NO_ATTACHMENTS else ()


def unwritable_response(problem: Exception) -> HttpResponse:
    """The problem document that takes the place of an answer that cannot be written."""
    error, path = unwritable(problem)
    return error_response(error, None if isinstance(problem, RpcError) else FAILURE_STATUS, path)


def value_response(status: int, body: bytes, attachments: Any) -> HttpResponse:
    """A response with a value. Raises like `fault_response`."""
    if attachments is NO_ATTACHMENTS:
        return HttpResponse(status, JSON_HEADERS, body)
    return HttpResponse(status, JSON_HEADERS + reply_headers(attachments), body)
