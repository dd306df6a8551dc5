"""Finds where values end without building them: what a body that is only forwarded needs.

Class definitions are remembered, since an object's length depends on its class; references, types and text are
passed over unchecked. Limits hold as for reading.

Source: Hessian 2.0 Serialization Protocol, section "Bytecode map".
"""

from __future__ import annotations

from typing import Final

from protocols.hessian import cost
from protocols.hessian.definition import ClassDefinition, DefinitionCache, decode_definition
from protocols.hessian.errors import HessianError, tag_name
from protocols.hessian.numbers import decode_count, decode_int
from protocols.hessian.text import STRING_TAGS, end_of_units
from protocols.reader import DEFAULT_LIMITS, Limits

__all__ = ["skip"]

_DEFINITION: Final = 0x43
_END: Final = 0x5A

# What stands next in a container that ends with `Z`; other containers count down to 0.
_KEY: Final = -1
_VALUE: Final = -2
_ELEMENT: Final = -3


def skip(
    data: bytes,
    pos: int = 0,
    count: int = 1,
    classes: list[ClassDefinition] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    definitions: DefinitionCache | None = None,
) -> int:
    """Where the `count` values that start at `pos` end.

    `classes`: the classes defined so far in the message; continued. Leave it out where the values before these have
    no objects, or when all are skipped at once. `definitions`: those of earlier messages.

    Raises:
        HessianError: the data ends before, is no Hessian 2 or is beyond a limit.
    """
    try:
        end = _skip(data, pos, count, [] if classes is None else classes, limits, definitions)
    except IndexError:
        end = len(data) + 1
    if end > len(data):
        raise HessianError("expected more bytes, found the end of the data", len(data))
    return end


def _skip(
    data: bytes,
    pos: int,
    count: int,
    classes: list[ClassDefinition],
    limits: Limits,
    definitions: DefinitionCache | None,
) -> int:
    """Like `skip`, but may leave the data by IndexError, or return an end outside of it."""
    sizes = _SIZES
    budget = limits.max_elements
    outer: list[int] = []  # what is still to come in the containers around the present one
    left = count
    while True:
        if left == 0:
            if not outer:
                return pos
            left = outer.pop()
            continue
        tag = data[pos]
        if left > 0:
            left -= 1
        else:
            if tag == _END and left != _VALUE:
                pos += 1
                left = outer.pop()
                continue
            if left == _VALUE:
                left = _KEY
            else:
                if left == _KEY:
                    left = _VALUE
                budget -= 1
                if budget < 0:
                    raise _too_many(limits, pos)
        size = sizes[tag]
        if size:
            pos += size
            continue
        if tag < 0x20:
            end = pos + 1 + tag
            pos = end if data[pos + 1 : end].isascii() else end_of_units(data, pos + 1, tag)
            continue
        while tag == _DEFINITION:
            if definitions is None:
                definition, pos = decode_definition(data, pos + 1, limits)
            else:
                definition, pos = definitions.decode(data, pos + 1, limits)
            classes.append(definition)
            budget -= definition.price
            if budget < 0:
                raise _too_many(limits, pos)
            tag = data[pos]
        # What contains other values: note how many are to come after it, and go in.
        start = pos
        if 0x60 <= tag < 0x70 or tag == 0x4F:
            index, pos = (tag - 0x60, pos + 1) if tag != 0x4F else decode_int(data, pos + 1)
            if not 0 <= index < len(classes):
                raise HessianError(f"expected the index of one of {len(classes)} classes, found {index}", start)
            inner = len(classes[index].fields)
        elif 0x78 <= tag < 0x80:
            inner, pos = tag - 0x78, pos + 1
        elif 0x70 <= tag < 0x78:
            inner, pos = tag - 0x70, _skip_type(data, pos + 1)
        elif tag == 0x48:
            inner, pos = _KEY, pos + 1
        elif tag == 0x4D:
            inner, pos = _KEY, _skip_type(data, pos + 1)
        elif tag == 0x58:
            inner, pos = decode_count(data, pos + 1, "elements")
        elif tag == 0x56:
            inner, pos = decode_count(data, _skip_type(data, pos + 1), "elements")
        elif tag == 0x57:
            inner, pos = _ELEMENT, pos + 1
        elif tag == 0x55:
            inner, pos = _ELEMENT, _skip_type(data, pos + 1)
        elif tag == 0x41 or tag == 0x52:
            while tag == data[pos]:
                pos = _skip_chunk(data, pos)
                budget -= cost.CHUNK
                if budget < 0:
                    raise _too_many(limits, start)
            pos = _skip_last_chunk(data, pos, tag == 0x52)
            continue
        else:
            pos = _skip_scalar(data, pos)
            continue
        outer.append(left)
        left = inner
        budget -= cost.CONTAINER + max(inner, 0)
        if budget < 0:
            raise _too_many(limits, start)
        if len(outer) > limits.max_depth:
            raise HessianError(f"expected at most {limits.max_depth} levels, found more", start)


def _too_many(limits: Limits, pos: int) -> HessianError:
    return HessianError(f"expected at most {limits.max_elements} elements, found more", pos)


def _skip_scalar(data: bytes, pos: int) -> int:
    """Behind a value that contains no others: string, binary, reference or, after a class definition, any."""
    tag = data[pos]
    size = _SIZES[tag]
    if size:
        return pos + size
    if tag in STRING_TAGS or tag in _BINARY_TAGS:
        return _skip_last_chunk(data, pos, tag in STRING_TAGS)
    if tag == 0x51:
        return decode_int(data, pos + 1)[1]
    raise HessianError(f"expected a value, found {tag_name(tag)}", pos)


def _skip_chunk(data: bytes, pos: int) -> int:
    """Behind a chunk of a string or binary that others follow."""
    count = (data[pos + 1] << 8) + data[pos + 2]
    return _skip_units(data, pos + 3, count) if data[pos] == 0x52 else pos + 3 + count


def _skip_last_chunk(data: bytes, pos: int, text: bool) -> int:
    """Behind the only or last chunk of a string (`text`) or binary."""
    tag = data[pos]
    if text:
        if tag < 0x20:
            return _skip_units(data, pos + 1, tag)
        if 0x30 <= tag < 0x34:
            return _skip_units(data, pos + 2, (tag - 0x30 << 8) + data[pos + 1])
        if tag == 0x53:
            return _skip_units(data, pos + 3, (data[pos + 1] << 8) + data[pos + 2])
        raise HessianError(f"expected the next chunk of a string, found {tag_name(tag)}", pos)
    if 0x20 <= tag < 0x30:
        return pos + tag - 0x1F
    if 0x34 <= tag < 0x38:
        return pos + 2 + (tag - 0x34 << 8) + data[pos + 1]
    if tag == 0x42:
        return pos + 3 + (data[pos + 1] << 8) + data[pos + 2]
    raise HessianError(f"expected the next chunk of a binary, found {tag_name(tag)}", pos)


def _skip_units(data: bytes, pos: int, units: int) -> int:
    end = pos + units
    return end if data[pos:end].isascii() else end_of_units(data, pos, units)


def _skip_type(data: bytes, pos: int) -> int:
    """Behind a type name, or the index of an earlier one."""
    tag = data[pos]
    if tag == 0x52:
        raise HessianError("expected a type name in one piece, found chunks", pos)
    return _skip_last_chunk(data, pos, True) if tag in STRING_TAGS else decode_int(data, pos)[1]


def _sizes() -> bytes:
    """Bytes of the values whose length their tag alone says, the tag included; 0 for all others."""
    sizes = bytearray(256)
    for size, tags in (
        (1, (0x46, 0x4E, 0x54, 0x5B, 0x5C, *range(0x80, 0xC0), *range(0xD8, 0xF0))),
        (2, (0x5D, *range(0xC0, 0xD0), *range(0xF0, 0x100))),
        (3, (0x5E, *range(0x38, 0x40), *range(0xD0, 0xD8))),
        (5, (0x49, 0x4B, 0x59, 0x5F)),
        (9, (0x44, 0x4A, 0x4C)),
    ):
        for tag in tags:
            sizes[tag] = size
    return bytes(sizes)


_SIZES: Final = _sizes()
_BINARY_TAGS: Final = frozenset((*range(0x20, 0x30), *range(0x34, 0x38), 0x41, 0x42))
