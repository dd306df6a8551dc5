"""Replies as bytes.

| Hessian | value | fault |
| --- | --- | --- |
| 2 | `H` 02 00 `R`, the value | `H` 02 00 `F`, a map with `code`, `message` and `detail` |
| 1 | `r` 01 00, the value, `z` | `r` 01 00 `f`, the same keys and values one after the other, `z` `z` |

A method that returns nothing gives null. The map of a fault takes the first slot of references in Hessian 2, and none
in Hessian 1.

Source: as `protocols.hessian_http.call`; com/caucho/hessian/io/{Hessian2Output,HessianOutput}.java (`writeFault`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from protocols.hessian.dialect import Dialect
from protocols.hessian.errors import TRUNCATED, HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.text import encode_text
from protocols.hessian.writer import Writer
from protocols.hessian_http.call import skip_headers
from protocols.hessian_http.envelope import Envelope
from protocols.hessian_http.from_hessian1 import Layouts, translate
from protocols.hessian_http.to_hessian1 import to_hessian1
from protocols.reader import Limits

__all__ = ["FaultReply", "ReplyReader", "encode_fault", "encode_value", "read_reply"]

_VALUE: Final = b"H\x02\x00R"
_FAULT: Final = b"H\x02\x00F"
_OLD_START: Final = b"r\x01\x00"
_NULL: Final = b"N"
_CODE: Final = encode_text("code")
_MESSAGE: Final = encode_text("message")
_DETAIL: Final = encode_text("detail")

ReplyReader = Callable[[Reader], Any]


class FaultReply(NamedTuple):
    """A fault as it was read; empty and None for what it does not say."""

    code: str
    message: str
    detail: Any


def encode_value(envelope: Envelope, write: Callable[[Writer], None], limits: Limits, dialect: Dialect) -> bytes:
    """The reply with the value that `write` writes.

    Raises:
        ValueMappingError: as `write`.
        LocalWireError: it exceeds `Limits.max_frame_bytes`.
    """
    writer = Writer(limits, dialect=dialect)
    if envelope.old_reply:
        write(writer)
        return _OLD_START + to_hessian1(writer.finish(), limits) + b"z"
    writer.out += _VALUE
    write(writer)
    return writer.finish()


def encode_fault(
    envelope: Envelope,
    code: str,
    message: str,
    write: Callable[[Writer], None] | None,
    limits: Limits,
    dialect: Dialect,
) -> bytes:
    """The reply with a fault whose detail `write` writes; null without it. Raises like `encode_value`."""
    writer = Writer(limits, dialect=dialect)
    old = envelope.old_reply
    if not old:
        writer.out += _FAULT + b"H"
        writer.forms.append(None)
    writer.out += _CODE + encode_text(code) + _MESSAGE + encode_text(message) + _DETAIL
    if write is None:
        writer.out += _NULL
    else:
        write(writer)
    if old:
        return _OLD_START + b"f" + to_hessian1(writer.finish(), limits) + b"zz"
    writer.out += b"Z"
    return writer.finish()


def read_reply(
    data: bytes,
    make_reader: Callable[[bytes, int], Reader],
    read_value: ReplyReader,
    read_detail: ReplyReader,
    limits: Limits,
    layouts: Layouts,
) -> Any:
    """The value of a reply, or a `FaultReply`.

    Raises:
        HessianError: it is no reply, or what it holds cannot be read.
    """
    try:
        start = data[0]
        if start == 0x48:
            reader = make_reader(data, 4)
            if data[3] == 0x52:
                return read_value(reader)
            if data[3] == 0x46:
                return _read_fault(reader, read_detail)
            raise HessianError(f"expected a value or a fault, found tag 0x{data[3]:02x}", 3)
        if start != 0x72:
            raise HessianError(f"expected a reply of Hessian 1 or 2, found tag 0x{start:02x}", 0)
        pos = skip_headers(data, 3)
        is_fault = data[pos] == 0x66
        translated = translate(data, pos + is_fault, limits, layouts)
        reader = make_reader(translated.data, 0)
        reader.classes = translated.classes
        if is_fault:
            return _read_entries(reader, translated.values // 2, read_detail)
        if translated.values != 1:
            raise HessianError(f"expected one value, found {translated.values}", pos)
        return read_value(reader)
    except TRUNCATED:
        raise HessianError("expected a reply, found the end of the data", len(data)) from None


def _read_fault(reader: Reader, read_detail: ReplyReader) -> FaultReply:
    tag = reader.data[reader.pos]
    if tag != 0x48:
        raise HessianError("expected the map of a fault, found another value", reader.pos)
    reader.pos += 1
    reader.register({})
    return _read_entries(reader, -1, read_detail)


def _read_entries(reader: Reader, count: int, read_detail: ReplyReader) -> FaultReply:
    """Entries of a fault; `count` of them, or as many as there are before `Z`."""
    code, message, detail = "", "", None
    while count != 0 and not (count < 0 and reader.data[reader.pos] == 0x5A):
        count -= 1
        reader.pay(1)
        key = reader.next_string()
        if key == "detail":
            detail = read_detail(reader)
            continue
        value = reader.next_value()
        if key == "code" and isinstance(value, str):
            code = value
        elif key == "message" and isinstance(value, str):
            message = value
    return FaultReply(code, message, detail)
