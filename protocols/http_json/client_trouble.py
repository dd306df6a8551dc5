"""Responses that are no success, as callers learn of them.

A document of this gateway (`protocols.http_json.problem`, `type` beginning with `urn:polyport:`) is the error or the
exception it was. What other servers answer is judged by its status:

| status | among ourselves, JSON-RPC | a foreign REST service |
| --- | --- | --- |
| one that the method's route gives to an exception | - | that exception of the contract, fields read from the body |
| 400, 406, 411, 413 … 417, 421, 426, 428, 431 | BadRequest | BadRequest |
| 401, 407; 403 | Unauthenticated; Forbidden | the same |
| 405, 501 | NoSuchMethod | the same |
| 408, 504 | DeadlineExceeded | the same |
| 425, 429, 503 | Overloaded | the same |
| 500, 502, other 5xx | ProviderFailed | the same |
| 404, 410 | NoSuchMethod | an undeclared exception `http.Status404` |
| any other 4xx | BadRequest | an undeclared exception `http.Status409` … |
| 1xx, 2xx where it makes no sense, 3xx | ProviderFailed, never repeated | the same |

The last but two are what a REST service says about its things, so they are answers there: not repeated, and no sign of
trouble on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.jsonform.text import parse_json
from gateway.model.call import Attachments, Fault
from gateway.model.errors import ProviderFailed, Retry, RpcError, ValueMappingError
from protocols.contract import Outcome
from protocols.http.message import HttpResponse
from protocols.http_json import media
from protocols.http_json.client_service import ClientService, content_type_of
from protocols.http_json.problem import (
    ExceptionForms,
    error_of_status,
    error_of_type,
    fault_of_exception,
    plain_text,
)
from protocols.http_json.route import Route

__all__ = ["foreign_trouble", "trouble"]

_NO_FORMS: Final = ExceptionForms(None)
_TEXT_KEYS: Final = ("detail", "message", "error_description", "title", "error")
_MAX_DETAIL: Final = 500
_ABOUT_THE_CALL: Final = frozenset(
    {400, 401, 403, 405, 406, 407, 408, 411, 413, 414, 415, 416, 417, 421, 425, 426, 428, 429, 431}
)
"""Statuses below 500 that speak of the request and not of the thing it asks for (RFC 9110, section 15.5; RFC 6585)."""


def trouble(response: HttpResponse, service: ClientService | None, attachments: Attachments) -> Outcome:
    """What a response that is no success means, among gateways.

    Raises:
        RpcError: the server said no more than a status; the caller adds which server.
    """
    document = _document(response)
    ours = _ours(document, service, attachments)
    if ours is None:
        raise _by_status(response, _detail(response, document))
    return ours


def foreign_trouble(
    response: HttpResponse, service: ClientService, throws: Mapping[str, None], route: Route, attachments: Attachments
) -> Outcome:
    """The same of a foreign REST service. `throws`: the exceptions that the method declares. Raises likewise."""
    status = response.status
    document = _document(response)
    if (ours := _ours(document, service, attachments)) is not None:
        return ours
    detail = _detail(response, document)
    for name in throws:
        if route.fault_status(name) == status:
            fault = service.fault_from(name, detail or None, document or {})
            return service.fault(fault, attachments)
    if 400 <= status < 500 and status not in _ABOUT_THE_CALL:
        return Fault(f"http.Status{status}", detail or None, attachments=attachments)
    raise _by_status(response, detail)


def _ours(
    document: Mapping[str, Any] | None, service: ClientService | None, attachments: Attachments
) -> RpcError | Fault | None:
    kind = None if document is None else document.get("type")
    if document is None or not isinstance(kind, str):
        return None
    fault = fault_of_exception(kind, document.get("exception"), _NO_FORMS if service is None else service.forms)
    if fault is not None:
        return fault.with_attachments(attachments) if service is None else service.fault(fault, attachments)
    return error_of_type(kind, document)


def _by_status(response: HttpResponse, detail: str) -> RpcError:
    if response.status < 400:
        return ProviderFailed(f"unexpected status {response.status}", retry=Retry.NEVER)
    return error_of_status(response.status, detail)


def _document(response: HttpResponse) -> Mapping[str, Any] | None:
    """The JSON object in a response; None where it has none."""
    if not response.body or media.body_refusal(content_type_of(response)):
        return None
    try:
        value = parse_json(response.body)
    except ValueMappingError:
        return None
    return value if isinstance(value, dict) else None


def _detail(response: HttpResponse, document: Mapping[str, Any] | None) -> str:
    """What the server says about it, for people; may be empty."""
    if document is not None:
        for key in _TEXT_KEYS:
            if isinstance(text := document.get(key), str) and text:
                return plain_text(text)
    elif media.media_type(content_type_of(response)) == "text/plain":
        return plain_text(response.body[:_MAX_DETAIL].decode("utf-8", "replace").strip())
    return ""
