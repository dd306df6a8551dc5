"""Calls and answers that are still the bytes they came as, ready to be forwarded over the same wire or decoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault, Ok, Result
from gateway.model.callback import Callback
from gateway.model.errors import BadRequest, ProviderFailed, Retry, RpcError, ValueMappingError
from protocols.dubbo import result
from protocols.dubbo.frame import HEADER_BYTES
from protocols.dubbo.head import RequestHead
from protocols.dubbo.service import MethodBinding
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.skip import skip
from protocols.reader import Limits

__all__ = ["WIRE", "DubboArguments", "DubboResult"]

WIRE: Final = "dubbo"
_TEXT_TAGS: Final = frozenset((*range(0x20), *range(0x30, 0x34), *b"RS"))
"""First bytes of a text: http://hessian.caucho.com/doc/hessian-serialization.html, section 4."""


class DubboArguments:
    """The arguments of one request (`gateway.model.call.RawArguments`).

    `callbacks`: by position, those of its arguments that are callbacks.

    `method`: None where no contract says what they mean. `generic_values`: the arguments of a `$invoke`, as read.
    `is_generic`: it is a `$invoke`, and must say so in its attachments when it is forwarded.
    """

    __slots__ = ("_end", "_frame", "_head", "_limits", "callbacks", "generic_values", "is_generic", "method", "wire")

    def __init__(self, frame: bytes, head: RequestHead, end: int, method: MethodBinding | None, limits: Limits) -> None:
        self.wire = WIRE
        self._frame = frame
        self._head = head
        self._end = end
        self._limits = limits
        self.method = method
        self.generic_values: tuple[Any, ...] | None = None
        self.is_generic = False
        self.callbacks: Mapping[int, Callback] | None = None

    @property
    def argument_count(self) -> int:
        """How many values `argument_bytes` holds."""
        return self._head.argument_count

    @property
    def names_its_method(self) -> bool:
        """Whether `call_bytes` names the method so that every provider knows it: by the types of its parameters."""
        return self.is_generic or self.method is None or self.method.descriptor == self._head.descriptor

    def call_bytes(self) -> bytes:
        """Method name, descriptor and arguments, as they stand in the body."""
        return self._frame[self._head.method_start : self._end]

    def argument_bytes(self) -> bytes:
        """The arguments alone."""
        return self._frame[self._head.end : self._end]

    def nulls(self) -> list[bool]:
        """Which of the arguments are null. Raises HessianError where they are malformed."""
        reader = Reader(self._frame, self._head.end, self._end, self._limits)
        return [reader.read() is None for _ in range(self._head.argument_count)]

    def reader(self) -> Reader:
        """A reader of the arguments."""
        definitions = self.method.definitions if self.method is not None else None
        return Reader(self._frame, self._head.end, self._end, self._limits, definitions)

    def called_method(self) -> str:
        """The name in the first argument of a `$invoke`; reads nothing else. Raises BadRequest where it is no text."""
        start = self._head.end
        if start >= self._end or self._frame[start] not in _TEXT_TAGS:
            raise BadRequest("$invoke: the method name must be a string")
        try:
            return str(self.reader().read())
        except HessianError as exc:
            raise BadRequest(f"$invoke: {exc}") from exc

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`. Without a contract the values are generic."""
        method = self.method
        if self.generic_values is not None:
            assert method is not None
            return method.realize_arguments(self.generic_values)
        reader = self.reader()
        if method is not None:
            try:
                values = method.read_arguments(reader)
            except ValueMappingError as exc:
                raise BadRequest(f"{method.java_name}: {exc}") from exc
            return values if self.callbacks is None else method.with_callbacks(values, self.callbacks)
        try:
            return tuple(reader.read() for _ in range(self._head.argument_count))
        except HessianError as exc:
            raise BadRequest(f"{self._head.method}: {exc}") from exc

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`."""
        method = self.method
        if self.generic_values is not None:
            return self.decode()[:count]
        reader = self.reader()
        if method is not None:
            return method.read_leading_arguments(reader, count)
        try:
            return tuple(reader.read() for _ in range(min(count, self._head.argument_count)))
        except HessianError as exc:
            raise BadRequest(f"{self._head.method}: {exc}") from exc


class DubboResult:
    """The answer of one response with status OK (`gateway.model.call.RawResult`).

    `method`: None where no contract says what it means. `is_generic`: it answers a `$invoke`.
    `has_attachments`: whether the body ends with a map of attachments.
    """

    __slots__ = ("_flag", "_frame", "_limits", "is_fault", "is_generic", "method", "wire")

    def __init__(self, frame: bytes, flag: int, method: MethodBinding | None, is_generic: bool, limits: Limits) -> None:
        self.wire = WIRE
        self._frame = frame
        self._flag = flag
        self._limits = limits
        self.is_fault = flag in result.EXCEPTION_FLAGS
        self.method = method
        self.is_generic = is_generic

    @property
    def has_attachments(self) -> bool:
        """Whether the body ends with a map of attachments."""
        return self._flag >= result.FIRST_WITH_ATTACHMENTS

    def body(self) -> bytes:
        """The whole body, from the flag on."""
        return self._frame[HEADER_BYTES:]

    def decode(self) -> Result:
        """See `RawResult.decode`."""
        outcome = result.outcome(self._frame, self.method, self.is_generic, self._limits)
        if isinstance(outcome, RpcError):
            raise outcome
        return outcome

    def attachments(self) -> Attachments:
        """See `RawResult.attachments`."""
        if not self.has_attachments:
            return NO_ATTACHMENTS
        try:
            return result.read_attachments_at(self._frame, self._end_of_value(), self._limits)
        except HessianError as exc:
            raise self._malformed(exc) from exc

    def with_attachments(self, attachments: Attachments) -> DubboResult:
        """See `RawResult.with_attachments`."""
        try:
            end = self._end_of_value()
            added = result.write_attachments_after(self._frame, end, attachments, self._limits)
        except HessianError as exc:
            raise self._malformed(exc) from exc
        flag = self._flag if self.has_attachments else self._flag + result.FIRST_WITH_ATTACHMENTS
        head, value = self._frame[:HEADER_BYTES], self._frame[HEADER_BYTES + 1 : end]
        frame = b"".join((head, bytes((result.FLAG_ZERO + flag,)), value, added))
        return DubboResult(frame, flag, self.method, self.is_generic, self._limits)

    def _end_of_value(self) -> int:
        start = HEADER_BYTES + 1
        if self._flag % result.FIRST_WITH_ATTACHMENTS == result.NULL:
            return start
        return skip(self._frame, start, limits=self._limits)

    def _malformed(self, error: HessianError) -> ProviderFailed:
        name = self.method.java_name if self.method is not None else "the call"
        return ProviderFailed(f"the answer to {name} is malformed: {error}", retry=Retry.NEVER)

    def wrap(self) -> Ok | Fault:
        """Itself as a result."""
        return Fault("", None, raw=self) if self.is_fault else Ok(None, raw=self)
