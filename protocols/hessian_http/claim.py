"""Which requests are for hessian://, where other wires over HTTP answer on the same connections.

| request | is for hessian:// |
| --- | --- |
| `POST` with a media type of hessian | yes |
| `POST` of a type that is neither JSON nor XML nor `multipart/…` | yes: stock clients send all kinds |
| `POST` without a type, at the path of a service itself | yes: some clients send none |
| anything else | no |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from protocols import java
from protocols.hessian_http.invoke import GENERIC_PATH
from protocols.hessian_http.server import service_path
from protocols.http.message import Headers
from protocols.http.shared import Claim

__all__ = ["hessian_claim"]

_MEMO: Final = "hessian-claim"
_OTHERS: Final = ("json", "xml", "multipart/")


def hessian_claim(exposures: Sequence[Exposure]) -> Claim:
    """The claim of a listener with these services."""
    paths = {service_path(key) for each in exposures for key in _keys(each)}

    def claim(method: str, path: str, query: str, headers: Headers) -> bool:
        if method != "POST":
            return False
        by_type = headers.memo.get(_MEMO)
        if by_type is None:
            by_type = headers.memo[_MEMO] = _by_type(headers)
        return by_type == "yes" or (by_type == "open" and path.removesuffix(GENERIC_PATH) in paths)

    return claim


def _keys(exposure: Exposure) -> list[ServiceKey]:
    key = exposure.service
    if exposure.contract is None:
        return [key]
    return [key, ServiceKey(java.interface_name(exposure.contract), key.group, key.version)]


def _by_type(headers: Headers) -> str:
    kind = headers.get("content-type").partition(";")[0].strip(" \t").lower()
    if "hessian" in kind:
        return "yes"
    if "soapaction" in headers or any(each in kind for each in _OTHERS):
        return "no"
    return "yes" if kind else "open"
