"""thrift://: Apache's own reader of its binary protocol; every value with its type, fields by their ids."""

from __future__ import annotations

from typing import Any, Final

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TMessageType, TType
from thrift.transport.TTransport import TFramedTransport, TMemoryBuffer

from tests.matrix.native.reader import Native

__all__ = ["NATIVE"]


def _value(reader: TBinaryProtocol, kind: int) -> Any:
    match kind:
        case TType.STRUCT:
            return _struct(reader)
        case TType.MAP:
            key, value, size = reader.readMapBegin()
            return {_value(reader, key): _value(reader, value) for _ in range(size)}
        case TType.LIST:
            element, size = reader.readListBegin()
            return [_value(reader, element) for _ in range(size)]
        case TType.SET:
            element, size = reader.readSetBegin()
            return {_value(reader, element) for _ in range(size)}
        case TType.STRING:
            return reader.readBinary()
    name = TType._VALUES_TO_NAMES[kind].lower()
    return name, getattr(reader, f"read{'Double' if name == 'double' else name.capitalize()}")()


def _struct(reader: TBinaryProtocol) -> dict[int, Any]:
    fields = {}
    reader.readStructBegin()
    while (begun := reader.readFieldBegin())[1] != TType.STOP:
        fields[begun[2]] = _value(reader, begun[1])
    return fields


def _message(data: bytes) -> tuple[str, int, dict[int, Any]]:
    reader = TBinaryProtocol(TFramedTransport(TMemoryBuffer(data)))
    name, kind, _ = reader.readMessageBegin()
    return name, kind, _struct(reader)


def _argument(sent: bytes, method: str) -> Any:
    name, kind, fields = _message(sent)
    assert (name, kind) == (f"demo.Types:{method}", TMessageType.CALL)
    return fields.get(1)


def _answer(received: bytes) -> dict[int, Any]:
    _, kind, fields = _message(received)
    assert kind == TMessageType.REPLY
    return fields


_MAKER: Final = {1: "Zwölf".encode(), 2: b"DE", 3: {1: b"Mutter"}}
NATIVE: Final = Native(
    _argument,
    lambda received: _answer(received).get(0),
    lambda received: _answer(received)[1],
    {
        "struct": _MAKER,
        "map": {b"alpha": ("i64", 1 << 40)},
        "list": [[b"x"], []],
        "set": {b"one"},
        "enum": ("i32", 1),
        "decimal": b"19.90",
        # Microseconds since the epoch.
        "instant": ("i64", 1_786_699_613_589_793),
        "bytes": b"\0\xffab",
        "bool": ("bool", True),
        "double": ("double", 0.5),
        "null": None,
    },
    {1: b"broken", 2: ("i32", -7), 3: _MAKER},
    {},
)
