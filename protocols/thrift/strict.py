"""Calls and answers of numbers and texts in the binary encoding with a version: most of their bytes are known before.

| message | bytes |
| --- | --- |
| a call | version, kind and name (`call_head`); sequence id; each argument behind the head of its field; STOP |
| its answer | version, kind and name; sequence id; head of the field that is returned; the value; STOP |

Numbers that follow each other are read in one step, up to the length of the next text. What is otherwise (other types,
another order, fields that are missing or unknown, values that do not fit, anything beside) is none of these, and takes
the way of all encodings (`protocols.thrift.service`), which gives the same for what is.

Source: apache/thrift: doc/specs/thrift-binary-protocol.md.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from gateway.model.contract import MethodContract
from gateway.model.typeref import Kind
from protocols.thrift import names, wire
from protocols.thrift.binary import field_head, message_head
from protocols.thrift.frame import FRAME_HEAD_BYTES

__all__ = ["CONTEXT_HEAD", "HEAD_BYTES", "SEQID_BYTES", "StrictAnswer", "StrictArguments", "call_head"]

HEAD_BYTES: Final = 8
"""Version, kind and the length of the name, which follows."""
SEQID_BYTES: Final = 4
CONTEXT_HEAD: Final = field_head(wire.MAP, names.CONTEXT_FIELD)
"""How the field begins that stands beside arguments; where these bytes are not, it is not."""
_SUCCESS: Final = 0
_STOP: Final = bytes((wire.STOP,))


class _Fixed(NamedTuple):
    """Values of one length. `type`: the only one that is written here. `code`: as `struct` calls it."""

    number: int
    type: type
    code: str


class _Sized(NamedTuple):
    """Values behind their length."""

    type: type
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]


_FIXED: Final[Mapping[Kind, _Fixed]] = MappingProxyType(
    {
        Kind.BOOL: _Fixed(wire.BOOL, bool, "?"),
        Kind.I8: _Fixed(wire.I8, int, "b"),
        Kind.I16: _Fixed(wire.I16, int, "h"),
        Kind.I32: _Fixed(wire.I32, int, "i"),
        Kind.I64: _Fixed(wire.I64, int, "q"),
        Kind.F64: _Fixed(wire.DOUBLE, float, "d"),
    }
)
_SIZED: Final[Mapping[Kind, _Sized]] = MappingProxyType(
    {Kind.STRING: _Sized(str, bytes.decode, str.encode), Kind.BYTES: _Sized(bytes, bytes, bytes)}
)
_HEAD: Final = "3s"
_SIZE: Final = "i"


def call_head(name: bytes) -> bytes:
    """How a call begins, up to its sequence id. `name`: as it stands in the call."""
    return message_head(name, wire.CALL)


class StrictArguments:
    """Reads the arguments of one method."""

    __slots__ = ("_runs",)

    def __init__(self, runs: list[tuple[struct.Struct, tuple[bytes, ...], _Sized | None]]) -> None:
        self._runs = runs
        """What is read in one step, the heads in it, and what follows whose length was the last of it."""

    @classmethod
    def compile(cls, method: MethodContract) -> StrictArguments | None:
        """None where a parameter is no number or text."""
        runs: list[tuple[struct.Struct, tuple[bytes, ...], _Sized | None]] = []
        code, heads = ">", list[bytes]()
        for id, param in zip(names.param_ids(method), method.params, strict=True):
            kind = param.type.kind
            if kind in _FIXED:
                code += _HEAD + _FIXED[kind].code
                heads.append(field_head(_FIXED[kind].number, id))
            elif kind in _SIZED:
                heads.append(field_head(wire.BINARY, id))
                runs.append((struct.Struct(code + _HEAD + _SIZE), tuple(heads), _SIZED[kind]))
                code, heads = ">", []
            else:
                return None
        if heads:
            runs.append((struct.Struct(code), tuple(heads), None))
        return cls(runs)

    def read(self, message: Any, pos: int) -> tuple[Any, ...] | None:
        """What stands from the first field, at `pos`, to the end of the message; None where it is not as usual."""
        last = len(message) - 1
        values: list[Any] = []
        try:
            for run, heads, sized in self._runs:
                found = run.unpack_from(message, pos)
                if found[::2] != heads:
                    return None
                values += found[1::2]
                pos += run.size
                if sized is not None:
                    stop = pos + values[-1]
                    if stop < pos:
                        return None
                    values[-1] = sized.read(message[pos:stop])
                    pos = stop
        except (struct.error, UnicodeDecodeError):
            return None
        if pos != last or message[last] != wire.STOP:
            return None
        return tuple(values)


class StrictAnswer:
    """Writes the answers of one method."""

    __slots__ = ("_begin", "_head", "_rest", "_sized", "_type")

    def __init__(self, name: bytes, form: _Fixed | _Sized) -> None:
        """`form`: of what it returns."""
        self._sized = form if isinstance(form, _Sized) else None
        self._type = form.type
        number, code = (form.number, form.code + "x") if isinstance(form, _Fixed) else (wire.BINARY, _SIZE)
        self._head = message_head(name, wire.REPLY), field_head(number, _SUCCESS)
        self._begin = struct.Struct(f">i{len(self._head[0])}si{_HEAD}{code}")
        self._rest = self._begin.size - FRAME_HEAD_BYTES

    @classmethod
    def compile(cls, name: bytes, method: MethodContract) -> StrictAnswer | None:
        """`name`: as its answers repeat it. None where it returns nothing, or no number or text."""
        kind = method.returns.kind
        form = _FIXED.get(kind) or _SIZED.get(kind)
        return None if form is None else cls(name, form)

    def write(self, seqid: int, value: Any) -> bytes:
        """The framed message that returns this value; empty where it is not as usual."""
        if type(value) is not self._type:
            return b""
        name, field = self._head
        try:
            if self._sized is None:
                return self._begin.pack(self._rest, name, seqid, field, value)
            data = self._sized.write(value)
            size = len(data)
            return self._begin.pack(self._rest + size + 1, name, seqid, field, size) + data + _STOP
        except (struct.error, UnicodeEncodeError):
            return b""
