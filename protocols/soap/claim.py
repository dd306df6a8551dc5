"""Which requests are for webservice://, where other wires over HTTP answer on the same connections.

| request | is for webservice:// |
| --- | --- |
| `POST` of XML or of `multipart/…`, or with the field SOAPAction | yes |
| `GET` of a service with `?wsdl` or `?xsd` | yes |
| anything else | no |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.model.exposure import Exposure
from protocols.http.message import Headers
from protocols.http.shared import Claim
from protocols.soap import media
from protocols.soap.documents import QUERIES
from protocols.soap.server import service_path

__all__ = ["soap_claim"]

_MEMO: Final = "soap-claim"


def soap_claim(exposures: Sequence[Exposure]) -> Claim:
    """The claim of a listener with these services."""
    paths = {service_path(each.service) for each in exposures}

    def claim(method: str, path: str, query: str, headers: Headers) -> bool:
        if method == "GET":
            return bool(query) and path in paths and query.partition("&")[0].partition("=")[0].lower() in QUERIES
        if method != "POST":
            return False
        found = headers.memo.get(_MEMO)
        if found is None:
            content_type = headers.get("content-type")
            found = headers.memo[_MEMO] = (
                "soapaction" in headers
                or (content_type != "" and media.is_xml(content_type))
                or content_type.lstrip(" \t").lower().startswith("multipart/")
            )
        return bool(found)

    return claim
