"""Dubbo's calls without a stub: `$invoke`, which names method and types in its arguments, and `$echo`.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-api/src/main/java/org/apache/dubbo/rpc/filter/{GenericFilter,EchoFilter}.java.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, Protocol

from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import BadRequest
from gateway.model.generic import TypedList
from protocols.dubbo.generic import find_method, generalize_arguments
from protocols.dubbo.service import MethodBinding
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer

__all__ = ["INVOKE_DESCRIPTOR", "CallKind", "call_kind", "check_mode", "read_invoke", "write_invoke"]

INVOKE_DESCRIPTOR: Final = "Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;"
_ECHO_DESCRIPTOR: Final = "Ljava/lang/Object;"
_OFFERED_MODES: Final = frozenset({"", "true"})


class InvokedService(Protocol):
    """What is known of a service whose methods are called by `$invoke`."""

    @property
    def contract(self) -> ServiceContract:
        """Its contract."""
        ...

    def of(self, signature: MethodContract) -> MethodBinding:
        """The binding of one of its methods."""
        ...


class CallKind(Enum):
    """How a request names what it calls."""

    TYPED = "typed"
    INVOKE = "$invoke"
    ECHO = "$echo"


def call_kind(method: str, descriptor: str) -> CallKind:
    """The kind of a call, by method name and descriptor; both must match, as in a Java provider."""
    if method in ("$invoke", "$invokeAsync") and descriptor == INVOKE_DESCRIPTOR:
        return CallKind.INVOKE
    if method == "$echo" and descriptor == _ECHO_DESCRIPTOR:
        return CallKind.ECHO
    return CallKind.TYPED


def check_mode(mode: str | None) -> None:
    """Refuses the generic modes that let a caller choose a decoder or a class (CVE-2021-30179).

    Raises:
        BadRequest: it is not offered.
    """
    if (mode or "") not in _OFFERED_MODES:
        shown = (mode or "")[:40].encode("unicode_escape", "backslashreplace").decode("ascii")
        raise BadRequest(f"generic mode {shown!r} is not offered here, only 'true'")


def read_invoke(reader: Reader, service: InvokedService) -> tuple[MethodBinding, tuple[Any, ...]]:
    """Method and argument values, still in generic form, of a `$invoke` at the reader's position.

    Raises:
        NoSuchMethod, BadRequest: the method or its types do not exist, or the three arguments are malformed.
        HessianError: the bytes are.
    """
    name, types, values = reader.read(), reader.read(), reader.read()
    if not isinstance(name, str):
        raise BadRequest("$invoke: the method name must be a string")
    if types is not None and not (isinstance(types, list) and all(isinstance(each, str) for each in types)):
        raise BadRequest("$invoke: the parameter types must be a list of strings or null")
    if values is not None and not isinstance(values, list):
        raise BadRequest("$invoke: the arguments must be a list or null")
    values = values or []
    signature = find_method(service.contract, name, types, len(values))
    if signature.callbacks:
        raise BadRequest(f"{signature.name}: args[{signature.callbacks[0]}] is a callback; $invoke carries none")
    return service.of(signature), tuple(values)


def write_invoke(writer: Writer, name: str, types: Sequence[str] | None, values: Sequence[Any]) -> None:
    """Appends the three arguments of a `$invoke`, with the array types a Java provider asks for.

    Raises:
        ValueMappingError: a value has no generic form; the path begins with `args[i]`.
    """
    generic = generalize_arguments(values)
    writer.write(name)
    writer.write(None if types is None else TypedList("[string", types))
    writer.write(TypedList("[object", generic))
