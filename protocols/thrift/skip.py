"""Passing over values: unknown fields, and whole messages whose end nobody has told.

Not recursive, and it can stop and go on: a step that finds too few bytes leaves the reader where the step began.
"""

from __future__ import annotations

from typing import Any, Final

from protocols.thrift import wire
from protocols.thrift.errors import ThriftError, Truncated

__all__ = ["Skip", "skip_value"]

_IN_STRUCT: Final = -1


class Skip:
    """Passes over one value of a type; `run` may be called again when more bytes are there."""

    __slots__ = ("_stack",)

    def __init__(self, number: int) -> None:
        # Each level: values still to come, their types in turn. A struct says with each field whether one comes.
        self._stack: list[list[int]] = [[1, number, number]]

    def run(self, reader: Any) -> None:
        """Goes on to the end of the value.

        Raises:
            Truncated: there are too few bytes; the reader stands where to go on.
            ThriftError: this is no such value.
        """
        stack = self._stack
        scalars = {
            wire.BOOL: reader.bool,
            wire.I8: reader.i8,
            wire.I16: reader.i16,
            wire.I32: reader.i32,
            wire.I64: reader.i64,
            wire.DOUBLE: reader.double,
            wire.BINARY: reader.binary,
            wire.UUID: reader.uuid,
        }
        while stack:
            level = stack[-1]
            left = level[0]
            if left == 0:
                stack.pop()
                if stack:
                    reader.end()
                continue
            before = reader.mark()
            try:
                if left == _IN_STRUCT:
                    number, _ = reader.field()
                    if number == wire.STOP:
                        level[0] = 0
                        continue
                else:
                    number = level[1]
                read = scalars.get(number)
                if read is not None:
                    read()
                    inner = None
                elif number == wire.STRUCT:
                    reader.struct()
                    inner = [_IN_STRUCT, 0, 0]
                elif number == wire.MAP:
                    key, value, count = reader.map()
                    inner = [count * 2, key, value]
                elif number == wire.LIST or number == wire.SET:
                    element, count = reader.list()
                    inner = [count, element, element]
                else:
                    raise ThriftError(f"there is no {wire.type_name(number)}")
            except Truncated:
                reader.reset(before)
                raise
            if left != _IN_STRUCT:
                level[0] = left - 1
                level[1], level[2] = level[2], level[1]
            if inner is not None:
                stack.append(inner)


def skip_value(reader: Any, number: int) -> None:
    """Passes over a value in a message that is all there."""
    Skip(number).run(reader)
