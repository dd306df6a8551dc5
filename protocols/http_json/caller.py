"""What the header of a request says about its body, its caller and the answer that is wanted; read once per header."""

from __future__ import annotations

from typing import Final

from gateway.model.errors import BadRequest, Forbidden, RpcError
from protocols.http.context import Context, read_context
from protocols.http.cross_site import refuse_site
from protocols.http.message import Headers, HttpResponse
from protocols.http_json import media
from protocols.http_json.answer import refused

__all__ = ["Caller", "read_caller"]

_MEMO: Final = "http-json"


class Caller:
    """A header, read.

    Attributes:
        context: Attachments, deadline, trace and the caller's name.
        site_refusal: The response to a request that a page of another site has sent; None for all others.
        body_refusal: The response to a request whose body is not read because of its type; None when it is.
        accept_refusal: The response to a request whose caller takes no JSON; None when it does.
        rpc_accept_refusal: The same for JSON-RPC, which has a type of its own.
        rpc_type: The type of a JSON-RPC response: the one of the request, where that says.
    """

    __slots__ = ("accept_refusal", "body_refusal", "context", "rpc_accept_refusal", "rpc_type", "site_refusal")

    def __init__(self, headers: Headers, context: Context) -> None:
        self.context: Final = context
        foreign = refuse_site(headers)
        self.site_refusal: Final = refused(Forbidden(foreign)) if foreign else None
        content_type, accept = headers.get("content-type"), headers.get("accept")
        why = media.body_refusal(content_type)
        self.body_refusal: Final = refused(BadRequest(why), 415) if why else None
        takes_json = media.accepts(accept, media.JSON)
        self.accept_refusal: Final = None if takes_json else _not_acceptable()
        takes_rpc = takes_json or media.accepts(accept, media.JSON_RPC)
        self.rpc_accept_refusal: Final = None if takes_rpc else _not_acceptable()
        own = media.media_type(content_type) == media.JSON_RPC and media.accepts(accept, media.JSON_RPC)
        self.rpc_type: Final = media.JSON_RPC if own or not takes_json else media.JSON


def read_caller(headers: Headers) -> Caller | HttpResponse:
    """What a header says, or the response to one that cannot be read."""
    found: Caller | None = headers.memo.get(_MEMO)
    if found is None:
        try:
            found = headers.memo[_MEMO] = Caller(headers, read_context(headers))
        except RpcError as exc:
            return refused(exc)
    return found if found.site_refusal is None else found.site_refusal


def _not_acceptable() -> HttpResponse:
    return refused(BadRequest(f"answers are {media.JSON}, which the field Accept leaves out"), 406)
