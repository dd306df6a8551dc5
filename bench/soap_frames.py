"""The request of webservice:// that is sent, written by hand (SOAP 1.1)."""

from __future__ import annotations

from bench.cases import Payload
from bench.http_frames import SERVICE, post_head, split_reply
from bench.request import Request, WrongReply

_BODY = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    b'<add xmlns="http://bench/"><a>1234</a><b>5678</b></add>'
    b"</e:Body></e:Envelope>"
)
_SUM = b">6912</"


def build_soap_request() -> Request:
    """A call of `add`; what the element of the result is called is left to the server."""

    def check(reply: bytes) -> None:
        found = split_reply(reply)
        if b"addResponse" not in found or _SUM not in found:
            raise WrongReply(f"expected the sum 6912, found {found[:300]!r}")

    return Request(post_head(f"/{SERVICE}", "text/xml; charset=utf-8", len(_BODY)) + _BODY, Payload.SOAP, check)
