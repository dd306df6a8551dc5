"""What a binding over HTTP makes of a request, with its arguments read as a service reads them."""

from __future__ import annotations

from gateway.model.errors import RpcError
from protocols.http.binding import HttpExchange
from protocols.http.message import HttpResponse

__all__ = ["read"]


def read(decoded: HttpExchange | HttpResponse) -> HttpExchange | HttpResponse:
    """The exchange, or the response to one whose only call has arguments that cannot be read, with why as `error`."""
    if isinstance(decoded, HttpResponse) or len(decoded.calls) > 1:
        return decoded
    try:
        decoded.calls[0].arguments()
    except RpcError as error:
        response = decoded.encode_reply([error])
        return HttpResponse(response.status, response.headers, response.body, error)
    return decoded
