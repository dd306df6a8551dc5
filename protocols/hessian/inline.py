"""Source of the scalar forms that are worth writing out where they stand: a call would cost more than the value.

A template to read expects `data`, `pos` and `reader`, and leaves the value in `value` and `pos` behind it. A
template to write expects `value`, `out` and `writer`. Forms that are not written out go through the reader or writer
of the type, so the two agree by construction: a template only ever takes a short cut to the same result.
"""

from __future__ import annotations

from typing import Final

from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.numbers import COMPACT_INTS, COMPACT_LONGS
from protocols.hessian.source import Source
from protocols.hessian.text import STRING_HEADS
from protocols.hessian.typed_scalars import RANGES, TypedReader, TypedWriter

__all__ = ["add_read", "add_write"]

_ONE_BYTE_INTEGERS: Final = tuple(
    tag - 0x90 if 0x80 <= tag < 0xC0 else tag - 0xE0 if 0xD8 <= tag < 0xF0 else None for tag in range(256)
)
"""Ints and longs of one byte, by tag; all of them fit the smallest integer type."""

_BOOLEANS: Final = tuple({0x54: True, 0x46: False}.get(tag) for tag in range(256))

_READ: Final = """
reader.pos = pos
value = {read}(reader)
pos = reader.pos
"""

_READ_NULLABLE: Final = """
if data[pos] == 0x4E:
    value = None
    pos += 1
else:
    reader.pos = pos
    value = {read}(reader)
    pos = reader.pos
"""

_READ_ONE_BYTE: Final = """
value = {table}[data[pos]]
if value is None:
    reader.pos = pos
    value = {read}(reader)
    pos = reader.pos
else:
    pos += 1
"""

_READ_STRING: Final = """
size = data[pos]
if size < 0x20:
    end = pos + 1 + size
    value = data[pos + 1:end]
    if value.isascii() and len(value) == size:
        value = value.decode()
        pos = end
    else:
        reader.pos = pos
        value = {read}(reader)
        pos = reader.pos
else:
    reader.pos = pos
    value = {read}(reader)
    pos = reader.pos
"""

_WRITE: Final = """
{write}(writer, value)
"""

_WRITE_NULLABLE: Final = """
if value is None:
    out.append(0x4E)
else:
    {write}(writer, value)
"""

_WRITE_BOOL: Final = """
if value is True:
    out.append(0x54)
elif value is False:
    out.append(0x46)
else:
    {write}(writer, value)
"""

_WRITE_INTEGER: Final = """
if type(value) is int and {low} <= value < {high}:
    out += {table}[value + 2048]
else:
    {write}(writer, value)
"""

_WRITE_STRING: Final = """
if type(value) is str and value.isascii() and len(value) < 1024:
    out += {heads}[len(value)]
    out += value.encode()
else:
    {write}(writer, value)
"""


def add_read(source: Source, depth: int, ref: TypeRef, read: TypedReader) -> None:
    """Adds the code that reads a value of type `ref`, for which `read` is the reader."""
    name = source.bind("read", read)
    if ref.kind is Kind.STRING:
        source.add(depth, _READ_STRING.format(read=name))
    elif ref.kind in RANGES:
        source.add(depth, _READ_ONE_BYTE.format(read=name, table=source.bind("integers", _ONE_BYTE_INTEGERS)))
    elif ref.kind is Kind.BOOL:
        source.add(depth, _READ_ONE_BYTE.format(read=name, table=source.bind("booleans", _BOOLEANS)))
    else:
        source.add(depth, (_READ_NULLABLE if ref.nullable else _READ).format(read=name))


def add_write(source: Source, depth: int, ref: TypeRef, write: TypedWriter) -> None:
    """Adds the code that writes a value of type `ref`, for which `write` is the writer."""
    name = source.bind("write", write)
    if ref.kind is Kind.STRING:
        source.add(depth, _WRITE_STRING.format(write=name, heads=source.bind("heads", STRING_HEADS)))
    elif ref.kind in RANGES:
        low, high = RANGES[ref.kind]
        table = source.bind("longs", COMPACT_LONGS) if ref.kind is Kind.I64 else source.bind("ints", COMPACT_INTS)
        source.add(depth, _WRITE_INTEGER.format(write=name, low=max(low, -2048), high=min(high + 1, 2048), table=table))
    elif ref.kind is Kind.BOOL:
        source.add(depth, _WRITE_BOOL.format(write=name))
    else:
        source.add(depth, (_WRITE_NULLABLE if ref.nullable else _WRITE).format(write=name))
