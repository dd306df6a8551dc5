"""`TJSONProtocol`, written; the form stands in `protocols.thrift.json_reader`."""

from __future__ import annotations

import base64
import json
import math
from typing import Final
from uuid import UUID

from gateway.jsonform.form import special_text
from gateway.model.errors import ValueMappingError
from protocols.reader import Limits
from protocols.thrift import wire
from protocols.thrift.json_reader import TAGS, VERSION, JsonReader
from protocols.thrift.text import write_text

__all__ = ["JSON", "JsonEncoding", "JsonWriter"]

_quoted: Final = json.encoder.encode_basestring
_KEYS: Final = frozenset(TAGS) - wire.CONTAINERS


class JsonWriter:
    """See `protocols.thrift.encoding.Writer`."""

    __slots__ = ("_closers", "_depth", "_out", "_turns")

    def __init__(self, limits: Limits) -> None:
        self._out: list[str] = []
        self._depth = limits.max_depth
        self._closers: list[str] = []
        """What ends each container that is open."""
        self._turns: list[int] = []
        """Of each, how many values it has: in a map keys and values take turns. -1 for a struct whose field is open,
        -2 for one without a field."""

    def message(self, name: bytes, kind: int, seqid: int) -> None:
        """See `Writer.message`."""
        self._out.append(f"[{VERSION},{_quoted(name.decode('utf-8', 'replace'))},{kind},{seqid},")

    def _value(self, text: str, *, bare: bool = False) -> None:
        """Writes a value, with what must stand in front of it. `bare`: it is quoted where it is a key."""
        turns = self._turns
        if turns and turns[-1] >= 0:
            turn = turns[-1]
            turns[-1] = turn + 1
            if self._closers[-1] == "}]":
                is_key = turn % 2 == 0
                if turn:
                    self._out.append("," if is_key else ":")
                if is_key and bare:
                    text = f'"{text}"'
            else:
                self._out.append(",")
        self._out.append(text)

    def _open(self, text: str, closer: str, turns: int) -> None:
        if self._depth <= 0:
            raise ValueMappingError("nested too deep, or containing itself")
        self._depth -= 1
        self._value(text)
        self._closers.append(closer)
        self._turns.append(turns)

    def struct(self) -> None:
        """See `Writer.struct`."""
        self._open("{", "}", -2)

    def field(self, number: int, id: int) -> None:
        """See `Writer.field`."""
        self._out.append(f'{"" if self._turns[-1] == -2 else "},"}"{id}":{{"{TAGS[number]}":')
        self._turns[-1] = -1

    def list(self, element: int, count: int) -> None:
        """See `Writer.list`."""
        self._open(f'["{TAGS[element]}",{count}', "]", 0)

    def map(self, key: int, value: int, count: int) -> None:
        """See `Writer.map`."""
        if count and key not in _KEYS:
            raise ValueMappingError(f"Thrift's JSON has no form for a {TAGS[key]} as a map key")
        self._open(f'["{TAGS[key]}","{TAGS[value]}",{count},{{', "}]", 0)

    def stop(self) -> None:
        """See `Writer.stop`."""
        if self._turns[-1] == -1:
            self._out.append("}")
        self.end()

    def end(self) -> None:
        """See `Writer.end`."""
        self._depth += 1
        self._turns.pop()
        self._out.append(self._closers.pop())

    def bool(self, value: bool) -> None:
        """See `Writer`."""
        self._value("1" if value else "0", bare=True)

    def i8(self, value: int) -> None:
        """See `Writer`."""
        self._value(str(value), bare=True)

    i16 = i32 = i64 = i8

    def double(self, value: float) -> None:
        """See `Writer`."""
        if math.isfinite(value):
            self._value(repr(value), bare=True)
        else:
            self._value(f'"{special_text(value)}"')

    def binary(self, value: bytes) -> None:
        """See `Writer`."""
        self._value(f'"{base64.b64encode(value).decode("ascii")}"')

    def uuid(self, value: bytes) -> None:
        """See `Writer`."""
        self._value(f'"{UUID(bytes=value)}"')

    def text(self, value: str) -> None:
        """See `Writer.text`."""
        write_text(value)
        self._value(_quoted(value))

    def done(self) -> bytes:
        """See `Writer.done`."""
        return f"{''.join(self._out)}]".encode()


class JsonEncoding:
    """See `protocols.thrift.encoding.Encoding`."""

    name: Final = "json"

    def reader(self, data: bytes | bytearray, pos: int, limits: Limits, end: int | None = None) -> JsonReader:
        """See `Encoding.reader`."""
        return JsonReader(data, pos, limits, end)

    def writer(self, limits: Limits) -> JsonWriter:
        """See `Encoding.writer`."""
        return JsonWriter(limits)


JSON: Final = JsonEncoding()
