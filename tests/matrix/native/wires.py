"""The readers of all wires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.matrix.native import hessian, http_json, memcached, pickled, resp, soap, thrift
from tests.matrix.native.reader import Native

__all__ = ["WIRES"]

WIRES: Final[Mapping[str, Native]] = {
    "dubbo": hessian.DUBBO,
    "hessian": hessian.HESSIAN,
    "http": http_json.NATIVE,
    "memcached": memcached.NATIVE,
    "redis": resp.NATIVE,
    "rmi": pickled.NATIVE,
    "thrift": thrift.NATIVE,
    "webservice": soap.NATIVE,
}
