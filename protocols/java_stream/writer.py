"""Writes a stream piece by piece, with the numbers that classes get in it."""

from __future__ import annotations

import struct
from typing import Final

from gateway.model.errors import LocalWireError
from protocols.java_stream.grammar import (
    ARRAY,
    BASE_HANDLE,
    BLOCK,
    CLASS_DESC,
    END_BLOCK,
    ENUM,
    HEADER,
    LONG_STRING,
    NULL,
    OBJECT,
    REFERENCE,
    STRING,
    ClassDesc,
)
from protocols.java_stream.text import encode_text

__all__ = ["StreamWriter"]

_U16: Final = struct.Struct(">H")
_I32: Final = struct.Struct(">i")
_I64: Final = struct.Struct(">q")
_CLASS_HEAD: Final = struct.Struct(">qBH")
_LONGEST: Final = 0xFFFF


class StreamWriter:
    """One stream, header first. `max_bytes`: of all of it."""

    def __init__(self, max_bytes: int) -> None:
        self._out = bytearray(HEADER)
        self._max_bytes = max_bytes
        self._classes: dict[ClassDesc, int] = {}
        self._next = BASE_HANDLE

    @property
    def data(self) -> bytes:
        """What was written. Raises `LocalWireError` where it is too much."""
        self._check()
        return bytes(self._out)

    def null(self) -> None:
        """A null."""
        self._out.append(NULL)

    def text(self, value: str) -> None:
        """A String."""
        data = encode_text(value)
        if len(data) <= _LONGEST:
            self._out += bytes((STRING,)) + _U16.pack(len(data)) + data
        else:
            self._out += bytes((LONG_STRING,)) + _I64.pack(len(data)) + data
        self._next += 1
        self._check()

    def open(self, desc: ClassDesc) -> StreamWriter:
        """The head of an object; its fields follow, those of superclasses first."""
        self._out.append(OBJECT)
        self._class(desc)
        self._next += 1
        return self

    def open_array(self, desc: ClassDesc, size: int) -> StreamWriter:
        """The head of an array; its elements follow."""
        self._out.append(ARRAY)
        self._class(desc)
        self._next += 1
        self._out += _I32.pack(size)
        return self

    def enum(self, desc: ClassDesc, constant: str) -> None:
        """A constant."""
        self._out.append(ENUM)
        self._class(desc)
        self._next += 1
        self.text(constant)

    def raw(self, data: bytes) -> StreamWriter:
        """Fields of primitive types."""
        self._out += data
        self._check()
        return self

    def block(self, data: bytes) -> StreamWriter:
        """Up to 255 bytes of what a class writes by itself."""
        self._out += bytes((BLOCK, len(data))) + data
        return self

    def end(self) -> None:
        """The end of what a class writes by itself."""
        self._out.append(END_BLOCK)

    def _class(self, desc: ClassDesc | None) -> None:
        if desc is None:
            self._out.append(NULL)
            return
        handle = self._classes.get(desc)
        if handle is not None:
            self._out += bytes((REFERENCE,)) + _I32.pack(handle)
            return
        self._out.append(CLASS_DESC)
        self._name(desc.name)
        self._classes[desc] = self._next
        self._next += 1
        self._out += _CLASS_HEAD.pack(desc.uid, desc.flags, len(desc.fields))
        for field in desc.fields:
            self._out.append(ord(field.code))
            self._name(field.name)
            if field.type:
                self.text(field.type)
        self._out.append(END_BLOCK)
        self._class(desc.parent)

    def _name(self, name: str) -> None:
        data = encode_text(name)
        self._out += _U16.pack(len(data)) + data

    def _check(self) -> None:
        if len(self._out) > self._max_bytes:
            raise LocalWireError(f"the value takes more than {self._max_bytes} bytes")
