"""Dubbo's generic consumers: `$invoke` at `/{service}/generic`, which names method and types in its arguments.

Source: apache/dubbo (2.7): dubbo-rpc/dubbo-rpc-hessian/.../protocol/hessian/HessianProtocol.java, which shows every
service a second time as a GenericService.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.model.errors import BadRequest
from protocols.dubbo.invoke import read_invoke
from protocols.dubbo.service import MethodBinding
from protocols.hessian.errors import HessianError
from protocols.hessian_http.arguments import WIRE, ArgumentBytes
from protocols.hessian_http.service import ServiceMethods

__all__ = ["GENERIC_PATH", "InvokedArguments", "is_invoke", "read_invocation"]

GENERIC_PATH: Final = "/generic"
_METHODS: Final = frozenset({"$invoke", "$invokeAsync"})
_ARGUMENTS: Final = 3


def is_invoke(name: str) -> bool:
    """Whether a method is the one of a GenericService."""
    return name in _METHODS


def read_invocation(methods: ServiceMethods, read: ArgumentBytes) -> tuple[MethodBinding, InvokedArguments]:
    """The method that is meant, and its arguments, still in generic form.

    Raises:
        NoSuchMethod, BadRequest: there is no such method, or these are not the arguments of a `$invoke`.
    """
    try:
        reader, count = read.open(None)
        if count != _ARGUMENTS:
            raise BadRequest(f"$invoke takes a name, types and values, not {count} arguments")
        method, values = read_invoke(reader, methods)
    except HessianError as exc:
        raise BadRequest(f"$invoke: {exc}") from exc
    return method, InvokedArguments(method, values)


class InvokedArguments:
    """The values of a `$invoke` as the contract has them (`gateway.model.call.RawArguments`)."""

    __slots__ = ("_method", "_realized", "_values", "wire")

    def __init__(self, method: MethodBinding, values: tuple[Any, ...]) -> None:
        self.wire = WIRE
        self._method = method
        self._values = values
        self._realized: tuple[Any, ...] | None = None

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`."""
        if self._realized is None:
            self._realized = self._method.realize_arguments(self._values)
        return self._realized

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`."""
        return self.decode()[:count]
