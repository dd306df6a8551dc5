"""Reads a stream into texts, numbers and a few plain records. No class is looked for, and nothing of it is run."""

from __future__ import annotations

import struct
from typing import Any, Final

from protocols.java_stream.grammar import (
    ARRAY,
    BASE_HANDLE,
    BLOCK,
    BLOCK_FLAG,
    CLASS_DESC,
    END_BLOCK,
    ENUM,
    EXTERNALIZABLE,
    HEADER,
    LONG_BLOCK,
    LONG_STRING,
    NULL,
    OBJECT,
    PRIMITIVES,
    REFERENCE,
    SERIALIZABLE,
    STRING,
    WRITE_METHOD,
    Char,
    ClassDesc,
    FieldDesc,
    JavaArray,
    JavaEnum,
    JavaObject,
    StreamError,
)
from protocols.java_stream.text import decode_text
from protocols.reader import DEFAULT_LIMITS, Limits

__all__ = ["StreamReader"]

_LAYOUTS: Final = {code: struct.Struct(layout) for code, layout in PRIMITIVES.items()}
_U16: Final = struct.Struct(">H")
_I32: Final = struct.Struct(">i")
_I64: Final = struct.Struct(">q")
_MAX_CLASSES: Final = 32
"""An object's own and those above it."""
_EXTERNAL_OR_SERIAL: Final = SERIALIZABLE | EXTERNALIZABLE
_PER_VALUE: Final = 3
_PER_CONTAINER: Final = 5
"""What values and objects are charged where an element is charged 1 elsewhere: by the time that the smallest take."""


class StreamReader:
    """One stream. Raises `StreamError` for what is malformed, or deeper or larger than the limits.

    What comes out: None, `str`, `JavaObject`, `JavaArray`, `JavaEnum`, `bytes` for block data, and in fields also the
    values of primitive types (`Char` for a char). References give the same object again, so values may contain
    themselves: who walks them counts.
    """

    def __init__(self, data: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
        if len(data) > limits.max_frame_bytes:
            raise StreamError(f"{len(data)} bytes where at most {limits.max_frame_bytes} are read")
        if not data.startswith(HEADER):
            raise StreamError("no serialization stream of Java: it does not begin with ac ed 00 05")
        self._data = data
        self._at = len(HEADER)
        self._limits = limits
        self._handles: list[Any] = []
        self._depth = 0
        self._budget = limits.max_elements

    @property
    def is_at_end(self) -> bool:
        """Whether everything was read."""
        return self._at == len(self._data)

    def read(self) -> Any:
        """The next object, or piece of block data."""
        self._depth += 1
        if self._depth > self._limits.max_depth:
            raise self._error(f"nested deeper than {self._limits.max_depth} levels")
        try:
            return self._content(self._byte())
        finally:
            self._depth -= 1

    def expect_end(self) -> None:
        """Raises where something follows."""
        if not self.is_at_end:
            raise self._error(f"{len(self._data) - self._at} bytes more than one value")

    def _content(self, code: int) -> Any:
        if code == NULL:
            return None
        if code == STRING:
            return self._new_text(_U16)
        if code == LONG_STRING:
            return self._new_text(_I64)
        if code == OBJECT:
            return self._object()
        if code == REFERENCE:
            found = self._reference()
            if isinstance(found, ClassDesc):
                raise self._error("a class where a value is expected")
            return found
        if code == ARRAY:
            return self._array()
        if code == ENUM:
            return self._enum()
        if code == BLOCK:
            return self._take(self._byte())
        if code == LONG_BLOCK:
            return self._take(self._count(1))
        raise self._error(f"code {code:#04x} is not read")

    def _new_text(self, length: struct.Struct) -> str:
        size = self._unpack(length)
        data = self._take(size)
        try:
            text = decode_text(data)
        except ValueError:
            raise self._error("a text that is no modified UTF-8") from None
        self._handles.append(text)
        return text

    def _object(self) -> JavaObject:
        desc = self._required_class()
        made = JavaObject(desc.name, {}, {})
        self._handles.append(made)
        self._spend(_PER_CONTAINER)
        for each in _from_the_top(desc):
            self._spend(1)
            if not each.flags & _EXTERNAL_OR_SERIAL:
                continue
            if each.flags & EXTERNALIZABLE and not each.flags & BLOCK_FLAG:
                raise self._error(f"{_short(each.name)} is externalizable in a form that only itself can read")
            if each.flags & SERIALIZABLE:
                self._spend(len(each.fields))
                for field in each.fields:
                    made.fields[field.name] = self._value(field.code)
            if each.flags & (WRITE_METHOD | EXTERNALIZABLE):
                made.written[each.name] = self._until_end_of_block()
        return made

    def _until_end_of_block(self) -> list[Any]:
        found: list[Any] = []
        while self._peek() != END_BLOCK:
            self._spend(_PER_VALUE)
            found.append(self.read())
        self._at += 1
        return found

    def _array(self) -> JavaArray:
        desc = self._required_class()
        code = desc.name[1:2]
        if not desc.name.startswith("[") or (code not in PRIMITIVES and code not in ("L", "[")):
            raise self._error(f"an array of the class {_short(desc.name)}")
        made = JavaArray(desc.name, None)
        self._handles.append(made)
        layout = _LAYOUTS.get(code)
        count = self._count(layout.size if layout is not None else 1)
        if code == "B":
            made.items = self._take(count)
            return made
        self._spend(count * (1 if layout is not None else _PER_VALUE) + _PER_CONTAINER)
        made.items = items = []
        for _ in range(count):
            items.append(self._value(code))  # noqa: PERF401 - an array may refer to itself while it is read
        return made

    def _enum(self) -> JavaEnum:
        desc = self._required_class()
        place = len(self._handles)
        self._handles.append(None)
        name = self.read()
        if type(name) is not str:
            raise self._error("a constant of an enum without a name")
        made = self._handles[place] = JavaEnum(desc.name, name)
        return made

    def _required_class(self) -> ClassDesc:
        found = self._class(0)
        if found is None:
            raise self._error("an object without a class")
        return found

    def _class(self, above: int) -> ClassDesc | None:
        code = self._byte()
        if code == NULL:
            return None
        if code == REFERENCE:
            found = self._reference()
            if not isinstance(found, ClassDesc):
                raise self._error("a value where a class is expected")
            return found
        if code != CLASS_DESC:
            raise self._error(f"code {code:#04x} where a class is expected")
        if above >= _MAX_CLASSES:
            raise self._error(f"a class with {_MAX_CLASSES} superclasses or more")
        name = self._name()
        uid = self._unpack(_I64)
        place = len(self._handles)
        self._handles.append(None)
        flags = self._byte()
        fields = tuple(self._field() for _ in range(self._unpack(_U16)))
        self._spend(_PER_CONTAINER + len(fields))
        # What stands here is nested in all the classes that were begun.
        self._depth += above + 1
        self._until_end_of_block()
        self._depth -= above + 1
        parent = self._class(above + 1)
        if parent is not None and len(_from_the_top(parent)) >= _MAX_CLASSES:
            # One by one they may be many more than begin inside of each other.
            raise self._error(f"a class with {_MAX_CLASSES} superclasses or more")
        made = ClassDesc(name, uid, flags, fields, parent)
        self._handles[place] = made
        return made

    def _field(self) -> FieldDesc:
        self._spend(1)
        code = chr(self._byte())
        name = self._name()
        if code in PRIMITIVES:
            return FieldDesc(code, name)
        if code not in ("L", "["):
            raise self._error(f"a field with the type code {code!r}")
        return FieldDesc(code, name, self._type())

    def _type(self) -> str:
        kind = self._byte()
        if kind == STRING:
            return self._new_text(_U16)
        found = self._reference() if kind == REFERENCE else None
        if type(found) is not str:
            raise self._error("a field without a type")
        return found

    def _value(self, code: str) -> Any:
        layout = _LAYOUTS.get(code)
        if layout is None:
            found = self.read()
            if isinstance(found, bytes):
                raise self._error("block data where an object is expected")
            return found
        found = self._unpack(layout)
        return Char(chr(found)) if code == "C" else found

    def _reference(self) -> Any:
        at = self._unpack(_I32) - BASE_HANDLE
        if not 0 <= at < len(self._handles) or self._handles[at] is None:
            raise self._error("a reference to nothing")
        return self._handles[at]

    def _name(self) -> str:
        size = self._unpack(_U16)
        if size > self._limits.max_name_bytes:
            raise self._error(f"a name of {size} bytes")
        try:
            return decode_text(self._take(size))
        except ValueError:
            raise self._error("a name that is no modified UTF-8") from None

    def _count(self, least_bytes: int) -> int:
        count: int = self._unpack(_I32)
        if count < 0 or count * least_bytes > len(self._data) - self._at:
            raise self._error(f"{count} elements in {len(self._data) - self._at} bytes")
        return count

    def _spend(self, elements: int) -> None:
        self._budget -= elements
        if self._budget < 0:
            raise self._error(f"more than {self._limits.max_elements} elements")

    def _peek(self) -> int:
        if self._at >= len(self._data):
            raise self._error("it ends early")
        return self._data[self._at]

    def _byte(self) -> int:
        found = self._peek()
        self._at += 1
        return found

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise self._error("it ends early")
        found = self._data[self._at : end]
        self._at = end
        return found

    def _unpack(self, layout: struct.Struct) -> Any:
        return layout.unpack(self._take(layout.size))[0]

    def _error(self, text: str) -> StreamError:
        return StreamError(f"at byte {self._at}: {text}")


def _from_the_top(desc: ClassDesc) -> list[ClassDesc]:
    """The class and its superclasses, the uppermost first, as their data stands in the stream."""
    found: list[ClassDesc] = []
    each: ClassDesc | None = desc
    while each is not None:
        found.append(each)
        each = each.parent
    return found[::-1]


def _short(name: str) -> str:
    return name if len(name) <= 80 else f"{name[:80]}…"
