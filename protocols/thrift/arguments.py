"""Arguments of a call that nobody has read yet, and what stands beside them, which is read at once.

Whatever refuses a call by its head (lists, limits, a passed deadline) comes before its arguments are looked at. No
client forwards this form as it is.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.model.errors import BadRequest, ValueMappingError
from protocols.reader import Limits
from protocols.thrift import wire
from protocols.thrift.binary import BinaryReader
from protocols.thrift.context import NO_PAIRS, Pairs, read_pairs
from protocols.thrift.errors import ThriftError
from protocols.thrift.names import CONTEXT_FIELD
from protocols.thrift.service import MethodForm

__all__ = ["WIRE", "ThriftArguments", "UsualArguments", "read_beside"]

WIRE: Final = "thrift"


class ThriftArguments:
    """The struct of arguments of one call (`gateway.model.call.RawArguments`).

    `reader`: stands before the struct, or inside it where it `is_begun`; nobody else uses it any more. `size`: of the
    message, which ends with the struct.
    """

    __slots__ = ("_error", "_is_begun", "_method", "_reader", "_size", "_values", "wire")

    def __init__(self, method: MethodForm, reader: Any, size: int, is_begun: bool) -> None:
        self.wire = WIRE
        self._method = method
        self._reader = reader
        self._size = size
        self._is_begun = is_begun
        self._values: tuple[Any, ...] | None = None
        self._error = ""

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`."""
        values = self._values
        if values is None:
            if self._error:
                raise BadRequest(self._error)
            try:
                values = self._read(self._reader)
            except BadRequest as exc:
                self._error = str(exc)
                raise
            self._values = values
            self._reader = None
        return values

    def _read(self, reader: Any) -> tuple[Any, ...]:
        try:
            if not self._is_begun:
                reader.struct()
            values = self._method.read_arguments(reader)
        except ThriftError as exc:
            raise BadRequest(f"the message cannot be read: {exc}") from exc
        except ValueMappingError as exc:
            raise BadRequest(str(exc)) from exc
        if reader.pos < self._size:
            raise BadRequest(f"{self._size - reader.pos} bytes are left over behind the arguments")
        return values

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`. Fields have no order, so they are read whole and kept."""
        return self.decode()[:count]


class UsualArguments:
    """The same for a message of the binary encoding that has no such field, its struct at `start`."""

    __slots__ = ("_limits", "_message", "_method", "_other", "_start")

    wire = WIRE

    def __init__(self, method: MethodForm, message: bytes, start: int, limits: Limits) -> None:
        self._method = method
        self._message = message
        self._start = start
        self._limits = limits
        self._other: ThriftArguments | None = None
        """What reads them as they are not as usual."""

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`."""
        if self._other is None:
            usual = self._method.usual_arguments
            if usual is not None:
                values = usual.read(self._message, self._start)
                if values is not None:
                    return values
            reader = BinaryReader(self._message, self._start, self._limits)
            self._other = ThriftArguments(self._method, reader, len(self._message), is_begun=False)
        return self._other.decode()

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`."""
        return self.decode()[:count]


def read_beside(method: MethodForm, reader: Any, size: int) -> tuple[ThriftArguments, Pairs]:
    """The arguments, unread, and the pairs in the field beside them. `reader`: stands before the struct of a call.

    Arguments in front of that field are passed over, so who puts it first is served faster.

    Raises:
        ThriftError: what had to be passed over is no struct, or there is something else in the field.
        ValueMappingError: a text in it is none.
    """
    if reader.earliest(wire.MAP, CONTEXT_FIELD) < 0:
        return ThriftArguments(method, reader, size, is_begun=False), NO_PAIRS
    arguments = reader.fork()
    reader.struct()
    number, id = reader.field()
    if id == CONTEXT_FIELD:
        pairs = read_pairs(reader, number)
        return ThriftArguments(method, reader, size, is_begun=True), pairs
    pairs = NO_PAIRS
    while number != wire.STOP:
        if id == CONTEXT_FIELD:
            pairs = read_pairs(reader, number)
            break
        reader.skip(number)
        number, id = reader.field()
    return ThriftArguments(method, arguments, size, is_begun=False), pairs
