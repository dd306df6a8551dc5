"""The map that ends every Dubbo message: attachments by key, nearly always text.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-dubbo/src/main/java/org/apache/dubbo/rpc/protocol/dubbo
(`DubboCodec.java`, `DecodeableRpcInvocation.java`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.model.errors import ValueMappingError
from gateway.model.generic import Record
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.text import STRING_HEADS, STRING_TAGS, decode_text
from protocols.hessian.writer import Writer
from protocols.reader import DEFAULT_LIMITS, Limits

__all__ = ["read_attachments", "write_attachments"]

_HEADS: Final = tuple(head.decode("latin-1") for head in STRING_HEADS)


def read_attachments(
    data: bytes, pos: int, *, reader: Reader | None = None, start: int | None = None, limits: Limits = DEFAULT_LIMITS
) -> tuple[dict[str, Any], int]:
    """The attachments that start at `pos`, and where they end. Null counts as none.

    Attachments that are not plain text may refer to the values before them, so those must be known: give the
    `reader` that has read them (its position is `pos`), or `start`, where they start, if they were skipped.

    Raises:
        HessianError: they are malformed, or a key is no text.
    """
    found = _read_ascii(data, pos) or _read_strings(data, pos)
    if found is not None:
        return found
    if reader is None:
        reader = Reader(data, pos if start is None else start, limits=limits)
        while reader.pos < pos:
            reader.read()
    value = reader.read()
    if value is None:
        return {}, reader.pos
    if not isinstance(value, dict) or isinstance(value, Record) or not all(type(key) is str for key in value):
        raise HessianError("expected attachments as a map with text keys, found another value", pos)
    return dict(value), reader.pos


def _read_ascii(data: bytes, pos: int) -> tuple[dict[str, Any], int] | None:
    """Attachments that are an untyped map of ASCII text or null, ending the data; None for all others."""
    tail = data[pos:]
    if tail[:1] != b"H" or not tail.isascii():
        return None
    # One decode for all: slices of the text are the keys and values.
    text = tail.decode("ascii")
    entries: dict[str, Any] = {}
    at = 1
    try:
        while True:
            size = tail[at]
            if size < 0x20:
                start = at + 1
            elif 0x30 <= size < 0x34:
                size = (size - 0x30 << 8) + tail[at + 1]
                start = at + 2
            elif size == 0x5A:
                return entries, pos + at + 1
            else:
                return None
            at = start + size
            key = text[start:at]
            size = tail[at]
            if size < 0x20:
                start = at + 1
            elif 0x30 <= size < 0x34:
                size = (size - 0x30 << 8) + tail[at + 1]
                start = at + 2
            elif size == 0x4E:
                entries[key] = None
                at += 1
                continue
            else:
                return None
            at = start + size
            entries[key] = text[start:at]
    except IndexError:
        raise HessianError("expected more attachments, found the end of the data", len(data)) from None


def _read_strings(data: bytes, pos: int) -> tuple[dict[str, Any], int] | None:
    """Attachments that are an untyped map of any text in one piece or null; None for all others."""
    entries: dict[str, Any] = {}
    try:
        if data[pos] != 0x48:
            return None
        pos += 1
        while data[pos] in STRING_TAGS:
            if data[pos] == 0x52:
                return None
            key, pos = decode_text(data, pos)
            if data[pos] == 0x4E:
                entries[key], pos = None, pos + 1
            elif data[pos] in STRING_TAGS and data[pos] != 0x52:
                entries[key], pos = decode_text(data, pos)
            else:
                return None
        return (entries, pos + 1) if data[pos] == 0x5A else None
    except IndexError:
        raise HessianError("expected more attachments, found the end of the data", len(data)) from None


def write_attachments(attachments: Mapping[str, Any], after: Reader | None = None) -> bytes:
    """Attachments as an untyped map.

    `after`: who has read the values before them; needed when they are not all text, since classes and references
    are counted from the start of the message.

    Raises:
        ValueMappingError: a value has no form; its path is the key.
    """
    parts = ["H"]
    for key, value in attachments.items():
        if type(value) is not str or not value.isascii() or not key.isascii() or len(value) > 1023 or len(key) > 1023:
            return _write_any(attachments, after)
        parts.append(f"{_HEADS[len(key)]}{key}{_HEADS[len(value)]}{value}")
    parts.append("Z")
    return "".join(parts).encode("latin-1")


def _write_any(attachments: Mapping[str, Any], after: Reader | None) -> bytes:
    writer = Writer() if after is None else Writer(after.limits)
    if after is not None:
        writer.forms.extend(after.forms)
        writer.types.update((name, index) for index, name in enumerate(after.types))
        writer.classes.update((b"%d" % index, index) for index in range(len(after.classes)))
        if any(definition.name == "java.util.UUID" for definition in after.classes):
            writer.refer_to_early_only()
    # The map itself takes the first slot.
    writer.forms.append(None)
    writer.out.append(0x48)
    for key, value in attachments.items():
        try:
            writer.write(key)
            writer.write(value)
        except ValueMappingError as exc:
            raise exc.within(key) from None
    writer.out.append(0x5A)
    return writer.finish()
