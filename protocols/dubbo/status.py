"""Errors of the call machinery as Dubbo says them, and back.

A Dubbo client repeats a call whose response has any status but OK, and never one whose *result* is an exception. So
a status is used only where the call certainly did not run, or where the caller gives up at this moment anyway.
Everything else travels as an `RpcException` object inside an OK response, which is also how Dubbo's own filters report.
Callers that predate 2.7 do not know the class `org.apache.dubbo.rpc.RpcException`; they get a status in every case.

The text begins with the error's code in brackets, and behind it what differs from other errors of that code
(`[no-provider] …`, `[connection-lost exhausted] …`, `[provider-failed never] …`), so that another gateway reads back
exactly what was raised here; other clients show it as it stands.

Sources: apache/dubbo: dubbo-remoting/dubbo-remoting-api/src/main/java/org/apache/dubbo/remoting/exchange/Response.java;
dubbo-rpc/dubbo-rpc-api/src/main/java/org/apache/dubbo/rpc/RpcException.java.
"""

from __future__ import annotations

import re
from typing import Final

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
    Retry,
    RpcError,
    Unauthenticated,
)

__all__ = [
    "BAD_RESPONSE",
    "OK",
    "caller_gave_up",
    "certainly_not_run",
    "error_of_status",
    "format_error",
    "shown_text",
    "status_of",
    "tagged_error",
]

OK: Final = 20
_SERIALIZATION_ERROR: Final = 25
_CLIENT_TIMEOUT: Final = 30
_SERVER_TIMEOUT: Final = 31
_CHANNEL_INACTIVE: Final = 35
_BAD_REQUEST: Final = 40
BAD_RESPONSE: Final = 50
_SERVICE_NOT_FOUND: Final = 60
_SERVICE_ERROR: Final = 70
_SERVER_ERROR: Final = 80
_CLIENT_ERROR: Final = 90
_THREADPOOL_EXHAUSTED: Final = 100

_STATUS: Final[dict[type[RpcError], int]] = {
    BadRequest: _BAD_REQUEST,
    NoSuchMethod: _BAD_REQUEST,
    NoSuchService: _SERVICE_ERROR,
    Overloaded: _THREADPOOL_EXHAUSTED,
    DeadlineExceeded: _SERVER_TIMEOUT,
}
"""Statuses as a Dubbo provider uses them; everything else is SERVER_ERROR."""

_ERROR: Final[dict[int, type[RpcError]]] = {
    _SERIALIZATION_ERROR: ProviderFailed,
    _CLIENT_TIMEOUT: DeadlineExceeded,
    _SERVER_TIMEOUT: DeadlineExceeded,
    _CHANNEL_INACTIVE: ConnectionLost,
    _BAD_REQUEST: BadRequest,
    BAD_RESPONSE: ProviderFailed,
    _SERVICE_ERROR: ProviderFailed,
    _SERVER_ERROR: ProviderFailed,
    _CLIENT_ERROR: ProviderFailed,
    _THREADPOOL_EXHAUSTED: Overloaded,
}

_BY_CODE: Final[dict[str, type[RpcError]]] = {
    each.code: each
    for each in (
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
        Unauthenticated,
    )
}
_RETRIES: Final = {each.value: each for each in Retry}
_TAGGED: Final = re.compile(rf"\[([a-z-]{{1,40}})(?: ({'|'.join(_RETRIES)}))?( exhausted)?\] ")
_MAX_TEXT: Final = 2_000
"""Java peers send whole stack traces as error text; this many characters are kept."""


def certainly_not_run(error: RpcError) -> bool:
    """Whether a Dubbo client may be left to repeat the call, as it does after every status but OK."""
    return not error.exhausted and (
        error.retry is Retry.SAFE or type(error) in (BadRequest, NoSuchMethod, NoSuchService)
    )


def caller_gave_up(error: RpcError) -> bool:
    """Whether the caller waits no longer, and repeats the call or not by its own clock, whatever it is told.

    Where the answer is there first, Dubbo 3.3 makes code 0 of an `RpcException` that is a result
    (org.apache.dubbo.rpc.filter.RpcExceptionFilter raises it where nobody looks at its code).
    """
    return isinstance(error, DeadlineExceeded) and error.is_callers


def status_of(error: RpcError) -> int:
    """The response status for `error`."""
    return _STATUS.get(type(error), _SERVER_ERROR)


def format_error(error: RpcError) -> str:
    """The text that goes with the status, cut where it gets long.

    An error of a third party is tagged as what it is a kind of: a code that nobody knows would lose what it says about
    repeating.
    """
    kind = next((each for each in _BY_CODE.values() if isinstance(error, each)), ProviderFailed)
    retry = "" if error.retry is kind.default_retry else f" {error.retry.value}"
    return f"[{kind.code}{retry}{' exhausted' if error.exhausted else ''}] {shown_text(str(error))}"


def error_of_status(status: int, text: str) -> RpcError:
    """What a response with a status other than OK means.

    An error another gateway tagged comes back as the same class. Dubbo's SERVICE_ERROR for a service that is
    not exported comes back as `NoSuchService` that may be asked for elsewhere.
    """
    if (tagged := tagged_error(text)) is not None:
        return tagged
    shown = shown_text(text)
    if status == _SERVICE_NOT_FOUND or (status == _SERVICE_ERROR and "Not found exported service" in text):
        # One that stops has done so a moment before the registry says it, and others still have the service.
        return NoSuchService(shown, retry=Retry.SAFE)
    return _ERROR.get(status, ProviderFailed)(f"status {status}: {shown}")


def tagged_error(text: str) -> RpcError | None:
    """The error whose text another gateway tagged (`format_error`); None for a text without a tag."""
    tagged = _TAGGED.match(text)
    if tagged is None or (named := _BY_CODE.get(tagged[1])) is None:
        return None
    retry = None if tagged[2] is None else _RETRIES[tagged[2]]
    return named(shown_text(text[tagged.end() :]), retry=retry, exhausted=tagged[3] is not None)


def shown_text(text: str) -> str:
    """An error text, cut where it gets long."""
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + " …"
