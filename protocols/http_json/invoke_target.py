"""`POST /{service}/generic`: how Dubbo's generic consumers call over its own http://.

They send JSON-RPC with the one method `$invoke(name, types, values)`: the Java name of a method, the names of its Java
types, or null where it is not overloaded, and the arguments.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-http/src/main/java/org/apache/dubbo/rpc/protocol/http/HttpProtocol.java (2.7).
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from gateway.model.errors import BadRequest, NoSuchMethod
from protocols.dubbo.generic import find_method
from protocols.http.invocation import make_invocation
from protocols.http.message import HttpRequest
from protocols.http_json.caller import Caller
from protocols.http_json.jsonrpc import RpcRequest
from protocols.http_json.lazy import LazyArguments
from protocols.http_json.rpc_target import RpcCall, RpcService, RpcTarget
from protocols.http_json.service import ServiceBinding

__all__ = ["GENERIC_PATH", "InvokeTarget"]

GENERIC_PATH: Final = "generic"
_INVOKE: Final = "$invoke"


class InvokeTarget(RpcTarget):
    """The generic door of one service that has a contract."""

    __slots__ = ("_binding", "_key")

    def __init__(self, service: RpcService, binding: ServiceBinding, max_batch: int) -> None:
        super().__init__({}, service, max_batch)
        self._key: Final = service.key
        self._binding: Final = binding

    def make_call(self, read: RpcRequest, request: HttpRequest, now: float, caller: Caller) -> RpcCall:
        """See `RpcTarget.make_call`."""
        if read.method != _INVOKE:
            raise NoSuchMethod(f"only {_INVOKE} can be called here, not {read.method[:100]!r}")
        name, types, values = _invoked(read.params)
        method = self._binding.of(find_method(self._binding.contract, name, types, len(values)))
        signature = method.signature
        invocation = make_invocation(
            self._key,
            signature.name,
            LazyArguments(partial(method.read_positional, values)),
            signature,
            request,
            caller.context,
            now,
            oneway=read.request_id is None or signature.oneway,
        )
        return RpcCall(invocation, method, self._binding.exceptions, read.request_id)


def _invoked(params: Any) -> tuple[str, list[str] | None, list[Any]]:
    if type(params) is not list or len(params) != 3:
        raise BadRequest(f"{_INVOKE} takes a name, a list of types and a list of arguments, by position")
    name, types, values = params
    if type(name) is not str:
        raise BadRequest(f"{_INVOKE}: the method name must be a text")
    if types is not None and not (type(types) is list and all(type(each) is str for each in types)):
        raise BadRequest(f"{_INVOKE}: the parameter types must be an array of texts or null")
    if values is not None and type(values) is not list:
        raise BadRequest(f"{_INVOKE}: the arguments must be an array or null")
    return name, types, values or []
