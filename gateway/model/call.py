"""One call and its result, as every layer between two sockets sees them.

These objects are created several times per call, so they are plain slotted classes; `Final` keeps them read-only
for the type checker where a frozen dataclass would cost a `object.__setattr__` per field at run time.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

from gateway.model.contract import MethodContract
from gateway.model.endpoint import ServiceKey
from gateway.model.explanation import Explanation

__all__ = [
    "NO_ATTACHMENTS",
    "Attachments",
    "Fault",
    "Invocation",
    "Ok",
    "Peer",
    "RawArguments",
    "RawResult",
    "Result",
    "attachments_of",
]

Attachments = Mapping[str, Any]
"""What travels beside the arguments, key to value; keys keep their case. Values are text on every wire;
dubbo:// may carry others, which a wire that cannot refuses by name."""

NO_ATTACHMENTS: Final[Attachments] = MappingProxyType({})

_NAMED_IN_RAW: Final = ("method", "signature")
_GENERIC: Final = ("$invoke", "$invokeAsync")
"""Dubbo's generic calls (apache/dubbo: dubbo-rpc/dubbo-rpc-api/.../rpc/filter/GenericFilter.java)."""
_JAVA_SPACE: Final = "".join(map(chr, range(0x21)))
"""What `String.trim` takes away, with which a Java provider reads the name."""
_call_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a connection. `address` is `host:port` or a description of a local caller."""

    protocol: str
    address: str


class RawArguments(Protocol):
    """Arguments still in the form of their wire.

    A client whose wire equals `wire` may forward them as bytes; everybody else calls `decode`. A wire that carries
    `$invoke` may also have `called_method()`, which reads only the name of the method that is called so, and raises
    `BadRequest` where there is none.
    """

    wire: str

    def decode(self) -> tuple[Any, ...]:
        """The argument values in contract order, defaults filled in.

        Raises:
            BadRequest: the bytes do not fit the contract; names the argument's path.
        """
        ...

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """The first `count` of them, fewer where there are fewer; the rest is not looked at. Raises like `decode`."""
        ...


class RawResult(Protocol):
    """An answer still in the form of its wire. `is_fault` is known without decoding."""

    wire: str
    is_fault: bool

    def decode(self) -> Result:
        """The decoded answer. Raises `ProviderFailed` when the bytes do not fit the contract."""
        ...

    def attachments(self) -> Attachments:
        """What goes beside the answer, read without decoding it. Raises like `decode`."""
        ...

    def with_attachments(self, attachments: Attachments) -> RawResult:
        """The same answer with these beside it instead.

        Raises:
            ProviderFailed: the bytes are malformed.
            ValueMappingError: one has no form on this wire.
        """
        ...


class Invocation:
    """One call. Read-only; `replace` makes a changed copy.

    Attributes:
        service: Interface, group and version that were asked for.
        method: Contract name of the method (overloads share it).
        signature: The method's contract; None for a service without one (generic).
        attachments: The caller's attachments, without what the wire itself needs.
        deadline: When the caller stops waiting, in seconds of `time.monotonic()`; None when it said nothing.
        traceparent: W3C trace context header value, version 00, or None.
        peer: Where the call came in; None for a call made by this process.
        consumer: Application name of the caller, empty when unknown.
        oneway: The caller does not wait for an answer.
        raw: The arguments as bytes of the wire they came over, until somebody needs the values.
        call_id: Number of the call in this process, for logs.
        explanation: Is filled on the way with why the call goes where it goes; None when nobody asked.
        token: What the caller shows so that the service lets it in; empty when nothing. It is for who checks it here:
            no log shows it, and no client sends it on.
    """

    __slots__ = (
        "_arguments",
        "attachments",
        "call_id",
        "consumer",
        "deadline",
        "explanation",
        "method",
        "oneway",
        "peer",
        "raw",
        "service",
        "signature",
        "token",
        "traceparent",
    )

    service: Final[ServiceKey]
    method: Final[str]
    signature: Final[MethodContract | None]
    attachments: Final[Attachments]
    deadline: Final[float | None]
    traceparent: Final[str | None]
    peer: Final[Peer | None]
    consumer: Final[str]
    oneway: Final[bool]
    raw: Final[RawArguments | None]
    call_id: Final[int]
    explanation: Final[Explanation | None]
    token: Final[str]

    def __init__(
        self,
        service: ServiceKey,
        method: str,
        arguments: tuple[Any, ...] | None,
        signature: MethodContract | None = None,
        raw: RawArguments | None = None,
        attachments: Attachments = NO_ATTACHMENTS,
        deadline: float | None = None,
        traceparent: str | None = None,
        peer: Peer | None = None,
        consumer: str = "",
        oneway: bool = False,
        call_id: int | None = None,
        explanation: Explanation | None = None,
        token: str = "",
    ) -> None:
        self.service = service
        self.method = method
        self._arguments = arguments
        self.signature = signature
        self.raw = raw
        self.attachments = attachments
        self.deadline = deadline
        self.traceparent = traceparent
        self.peer = peer
        self.consumer = consumer
        self.oneway = oneway
        self.call_id = next(_call_ids) if call_id is None else call_id
        self.explanation = explanation
        self.token = token

    def arguments(self) -> tuple[Any, ...]:
        """The argument values in contract order; decodes them on first use.

        Raises:
            BadRequest: they do not fit the contract.
        """
        values = self._arguments
        if values is None:
            assert self.raw is not None, "an invocation has arguments, raw arguments or both"
            values = self._arguments = self.raw.decode()
        return values

    def called_method(self) -> str:
        """The method that is meant: `method`, or the one a `$invoke` without a contract names in its first argument.

        Nothing else of the arguments is read where the wire can do without. Filters that tell methods apart ask this,
        so that nobody gets past them by calling in another form.

        Raises:
            BadRequest: the arguments of a `$invoke` cannot be read.
        """
        if self.method not in _GENERIC or self.signature is not None:
            return self.method
        named = getattr(self.raw, "called_method", None) if self._arguments is None else None
        if named is not None:
            first = named()
        else:
            arguments = self.arguments()
            first = arguments[0] if arguments else None
        # As a Java provider reads it.
        return first.strip(_JAVA_SPACE) if isinstance(first, str) else self.method

    def leading_arguments(self, count: int) -> tuple[Any, ...]:
        """The first `count` arguments at least, as far as there are so many. What is still raw stays raw.

        Raises:
            BadRequest: they do not fit the contract.
        """
        if self._arguments is not None or self.raw is None:
            return self.arguments()
        if self.signature is not None and count >= len(self.signature.params):
            return self.arguments()
        return self.raw.decode_leading(count)

    def replace(self, **changes: Any) -> Invocation:
        """A copy with some attributes changed; the call id stays.

        `arguments` replaces the raw form too. Another `method` or `signature` ends the raw form, which names the old
        one: the arguments are decoded first, and that raises `BadRequest` where they do not fit.
        """
        if self.raw is not None and "raw" not in changes and not changes.keys().isdisjoint(_NAMED_IN_RAW):
            changes.setdefault("arguments", self.arguments())
        copy = Invocation(
            self.service,
            self.method,
            self._arguments,
            signature=self.signature,
            raw=self.raw,
            attachments=self.attachments,
            deadline=self.deadline,
            traceparent=self.traceparent,
            peer=self.peer,
            consumer=self.consumer,
            oneway=self.oneway,
            call_id=self.call_id,
            explanation=self.explanation,
            token=self.token,
        )
        if "arguments" in changes:
            changes.setdefault("raw", None)
            changes["_arguments"] = changes.pop("arguments")
        for name, value in changes.items():
            setattr(copy, name, value)
        return copy

    def __repr__(self) -> str:
        return f"<Invocation {self.call_id} {self.service}.{self.method}>"


class Ok:
    """The method returned. A raw answer is decoded when its value or attachments are first asked for.

    Attributes:
        raw: The answer as bytes of its wire, or None.
    """

    __slots__ = ("_attachments", "_decoded", "_value", "raw")

    raw: Final[RawResult | None]

    def __init__(self, value: Any, attachments: Attachments = NO_ATTACHMENTS, raw: RawResult | None = None) -> None:
        self._value = value
        self._attachments = attachments
        self._decoded = raw is None
        self.raw = raw

    @property
    def value(self) -> Any:
        """What the method returned.

        Raises:
            ProviderFailed: the answer was raw and does not fit the contract.
        """
        if not self._decoded:
            self._decode()
        return self._value

    @property
    def attachments(self) -> Attachments:
        """What the provider sent beside the value. Raises like `value`."""
        if not self._decoded:
            self._decode()
        return self._attachments

    def with_attachments(self, attachments: Attachments) -> Ok:
        """The same answer with these beside it instead. What is raw stays raw; raises like `RawResult`."""
        if self.raw is not None:
            return Ok(None, raw=self.raw.with_attachments(attachments))
        return Ok(self._value, attachments)

    def _decode(self) -> None:
        assert self.raw is not None
        decoded = self.raw.decode()
        assert isinstance(decoded, Ok), "a raw result that is a fault is wrapped in Fault"
        self._value = decoded.value
        self._attachments = decoded.attachments
        self._decoded = True

    def __repr__(self) -> str:
        return "<Ok raw>" if self.raw is not None else f"<Ok {type(self._value).__name__}>"


class Fault:
    """The method's own code raised: an answer, never repeated.

    Attributes:
        type_name: Contract name of a declared exception (`demo.ProductNotFound`); otherwise the class name as
            the provider's world calls it (`ValueError`, `java.lang.IllegalStateException`).
        message: The exception's text; None when it had none.
        fields: Values of a declared exception's fields, by contract field name.
        declared: Whether `type_name` names an exception of the contract.
        stack: The provider's stack trace as text lines; empty when it sent none.
        raw: The answer as bytes of its wire, or None.
    """

    __slots__ = ("attachments", "declared", "fields", "message", "raw", "stack", "type_name")

    type_name: Final[str]
    message: Final[str | None]
    fields: Final[Mapping[str, Any]]
    declared: Final[bool]
    stack: Final[tuple[str, ...]]
    attachments: Final[Attachments]
    raw: Final[RawResult | None]

    def __init__(
        self,
        type_name: str,
        message: str | None,
        fields: Mapping[str, Any] = NO_ATTACHMENTS,
        *,
        declared: bool = False,
        stack: tuple[str, ...] = (),
        attachments: Attachments = NO_ATTACHMENTS,
        raw: RawResult | None = None,
    ) -> None:
        self.type_name = type_name
        self.message = message
        self.fields = fields
        self.declared = declared
        self.stack = stack
        self.attachments = attachments
        self.raw = raw

    def with_attachments(self, attachments: Attachments) -> Fault:
        """The fault together with what goes beside it. What is raw stays raw; raises like `RawResult`."""
        if self.raw is not None and not self.type_name:
            return Fault("", None, raw=self.raw.with_attachments(attachments))
        if not attachments and not self.attachments:
            return self
        return Fault(
            self.type_name,
            self.message,
            self.fields,
            declared=self.declared,
            stack=self.stack,
            attachments=attachments,
        )

    def decoded(self) -> Fault:
        """Itself, or the decoded form of a fault that is still raw."""
        if self.raw is None or self.type_name:
            return self
        decoded = self.raw.decode()
        assert isinstance(decoded, Fault), "a raw result that is an answer is wrapped in Ok"
        return decoded

    def __repr__(self) -> str:
        return f"<Fault {self.type_name or 'raw'}>"


def attachments_of(result: Ok | Fault) -> Attachments:
    """What the provider sent beside an answer; an answer that is raw is not decoded for it.

    Raises:
        ProviderFailed: the answer is raw and malformed.
    """
    raw = result.raw
    if raw is not None and (isinstance(result, Ok) or not result.type_name):
        return raw.attachments()
    return result.attachments


Result = Ok | Fault
"""What a call that was answered gives. Trouble on the way is raised (`gateway.model.errors.RpcError`)."""
