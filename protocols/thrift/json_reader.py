"""`TJSONProtocol`, read: the text is parsed whole, then walked.

| value | JSON |
| --- | --- |
| message | `[1, name, kind, sequence id, struct]` |
| struct | `{"1": {"i32": 7}}` |
| list, set | `["i32", count, …]` |
| map | `["str", "i32", count, {key: value}]`, keys always texts |
| bool | 1 or 0 |
| double that JSON has no number for | `"NaN"`, `"Infinity"`, `"-Infinity"` |
| string; binary; uuid | text; base64, with padding or without; text |

Source: apache/thrift: lib/cpp/src/thrift/protocol/TJSONProtocol.h.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn
from uuid import UUID

from gateway.jsonform.form import SPECIAL_FLOATS
from gateway.jsonform.scalar_text import parse_uuid
from gateway.model.errors import ValueMappingError
from protocols.reader import Limits
from protocols.thrift import wire
from protocols.thrift.encoding import CONTAINER_COST
from protocols.thrift.errors import ThriftError, Truncated
from protocols.thrift.text import write_text

__all__ = ["TAGS", "VERSION", "JsonReader", "Progress", "end_of_json"]

VERSION: Final = 1
TAGS: Final = {
    wire.BOOL: "tf",
    wire.I8: "i8",
    wire.I16: "i16",
    wire.I32: "i32",
    wire.I64: "i64",
    wire.DOUBLE: "dbl",
    wire.BINARY: "str",
    wire.STRUCT: "rec",
    wire.MAP: "map",
    wire.SET: "set",
    wire.LIST: "lst",
    wire.UUID: "uid",
}
_TYPES: Final = {tag: number for number, tag in TAGS.items()}
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}")
_LEVELS_PER_CONTAINER: Final = 3
"""Brackets that a struct in a struct, or a map, opens."""
_PIECE: Final = re.compile(rb'[\[\]{}]|"')
_STRING_END: Final = re.compile(rb'["\\]')


class _Object(list[tuple[str, Any]]):
    """A JSON object; what stands twice in it is not lost."""


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _read_integer(text: str) -> int | float:
    # Writers of doubles leave the fraction away where there is none, but a zero has its sign.
    return -0.0 if text == "-0" else int(text)


# Not strict about control characters in texts: Apache's library for Python writes them as they are.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_Object, parse_int=_read_integer, parse_constant=_refuse_constant, strict=False
)


class JsonReader:
    """See `protocols.thrift.encoding.Reader`. All of the message must be there."""

    __slots__ = ("_budget", "_depth", "_iterators", "_next", "pos")

    def __init__(self, data: bytes | bytearray, pos: int, limits: Limits, end: int | None = None) -> None:
        text = bytes(data[pos:]) if pos else bytes(data)
        self.pos = len(data)
        self._depth = limits.max_depth
        self._budget = limits.max_elements
        if text.count(b",") + (text.count(b"[") + text.count(b"{")) * CONTAINER_COST > limits.max_elements * 2:
            raise ThriftError("too many elements")
        if end_of_json(text, limits.max_depth * _LEVELS_PER_CONTAINER + 2, Progress()) is None:
            raise Truncated
        try:
            self._next: Any = _DECODER.decode(text.decode())
        except (ValueError, RecursionError) as exc:
            raise ThriftError(f"no JSON: {str(exc)[:100]}") from None
        self._iterators: list[Iterator[Any]] = []

    def _take(self) -> Any:
        found = self._next
        if found is not None:
            self._next = None
            return found
        found = next(self._iterators[-1], None)
        if found is None:
            raise ThriftError("a value is missing, or null")
        return found

    def message(self) -> tuple[bytes, int, int]:
        """See `Reader.message`."""
        found = self._take()
        if type(found) is not list or len(found) != 5 or found[0] != VERSION or type(found[0]) is not int:
            raise ThriftError("no message of version 1 of the JSON protocol")
        _, name, kind, seqid, self._next = found
        if type(name) is not str or type(kind) is not int or type(seqid) is not int:
            raise ThriftError("a message without name, kind or sequence id")
        if not (0 <= kind < 256 and -(1 << 31) <= seqid < 1 << 31):
            raise ThriftError("a kind or sequence id out of range")
        return name.encode("utf-8", "replace"), kind, seqid

    def _enter(self, values: Iterator[Any], count: int) -> None:
        if self._depth <= 0:
            raise ThriftError("containers nested too deep")
        self._budget -= CONTAINER_COST + count
        if self._budget < 0:
            raise ThriftError("too many elements")
        self._depth -= 1
        self._iterators.append(values)

    def struct(self) -> None:
        """See `Reader.struct`."""
        found = self._take()
        if type(found) is not _Object:
            raise ThriftError("a struct that is no object")
        self._enter(iter(found), len(found))

    def field(self) -> tuple[int, int]:
        """See `Reader.field`."""
        found = next(self._iterators[-1], None)
        if found is None:
            return wire.STOP, 0
        key, value = found
        if not _NUMBER.fullmatch(key):
            raise ThriftError("a field without an id")
        if type(value) is not _Object or len(value) != 1:
            raise ThriftError("a field that does not say its type")
        tag, self._next = value[0]
        if self._next is None:
            raise ThriftError("a field of null")
        return self._type(tag), int(key)

    def _type(self, tag: Any) -> int:
        number = _TYPES.get(tag) if type(tag) is str else None
        if number is None:
            raise ThriftError("a type that there is not")
        return number

    def list(self) -> tuple[int, int]:
        """See `Reader.list`."""
        found = self._take()
        if type(found) is not list or len(found) < 2 or found[1] != len(found) - 2 or type(found[1]) is not int:
            raise ThriftError("a list that does not hold as many elements as it says")
        element = self._type(found[0])
        self._enter(iter(found[2:]), len(found) - 2)
        return element, len(found) - 2

    def map(self) -> tuple[int, int, int]:
        """See `Reader.map`."""
        found = self._take()
        if type(found) is not list or len(found) != 4 or type(found[3]) is not _Object:
            raise ThriftError("a map that is none")
        pairs = found[3]
        if found[2] != len(pairs) or type(found[2]) is not int:
            raise ThriftError("a map that does not hold as many entries as it says")
        key, value = self._type(found[0]), self._type(found[1])
        self._enter((part for pair in pairs for part in pair), len(pairs) * 2)
        return key, value, len(pairs)

    def end(self) -> None:
        """See `Reader.end`."""
        self._depth += 1
        self._iterators.pop()

    def _integer(self, bits: int) -> int:
        found = self._take()
        if type(found) is str and _NUMBER.fullmatch(found):
            found = int(found)
        if type(found) is float and found == 0:
            found = 0
        if type(found) is not int:
            raise ThriftError(f"an i{bits} that is no integer")
        if not -(1 << bits - 1) <= found < 1 << bits - 1:
            raise ThriftError(f"an integer that does not fit i{bits}")
        return found

    def bool(self) -> bool:
        """See `Reader`."""
        found = self._take()
        if found in ("0", "1"):
            return bool(found == "1")
        if type(found) not in (int, bool) or found not in (0, 1):
            raise ThriftError("a bool that is neither 1 nor 0")
        return bool(found)

    def i8(self) -> int:
        """See `Reader`."""
        return self._integer(8)

    def i16(self) -> int:
        """See `Reader`."""
        return self._integer(16)

    def i32(self) -> int:
        """See `Reader`."""
        return self._integer(32)

    def i64(self) -> int:
        """See `Reader`."""
        return self._integer(64)

    def double(self) -> float:
        """See `Reader`."""
        found = self._take()
        if type(found) is str:
            if found in SPECIAL_FLOATS:
                return SPECIAL_FLOATS[found]
            try:
                found = json.loads(found) if len(found) < 400 else None
            except ValueError:
                found = None
        if type(found) not in (int, float):
            raise ThriftError("a double that is no number")
        try:
            return float(found)
        except OverflowError:
            raise ThriftError("a number beyond every double") from None

    def binary(self) -> bytes:
        """See `Reader`."""
        text = self._string()
        try:
            bare = text.rstrip("=").encode("ascii")
            return base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise ThriftError("binary that is no base64") from None

    def uuid(self) -> bytes:
        """See `Reader.uuid`."""
        try:
            found: UUID = parse_uuid(self._string())
        except ValueMappingError:
            raise ThriftError("a uuid that is none") from None
        return found.bytes

    def text(self) -> str:
        """See `Reader.text`."""
        text = self._string()
        write_text(text)
        return text

    def _string(self) -> str:
        found = self._take()
        if type(found) is not str:
            raise ThriftError("a string that is no text")
        return found

    def skip(self, number: int) -> None:
        """See `Reader.skip`. Nothing remains to be done: it was parsed within the limits."""
        self._take()

    def fork(self) -> JsonReader:
        """See `Reader.fork`. What was parsed is never changed, so both have it."""
        fork = JsonReader.__new__(JsonReader)
        fork.pos, fork._depth, fork._budget = self.pos, self._depth, self._budget
        fork._next, fork._iterators = self._next, []
        return fork

    def earliest(self, number: int, id: int) -> int:
        """See `Reader.earliest`; reading tells."""
        return 0


class Progress:
    """How far `end_of_json` has come in one text."""

    __slots__ = ("depth", "pos", "quoted")

    def __init__(self) -> None:
        self.pos = 0
        self.depth = 0
        self.quoted = False


def end_of_json(data: bytes | bytearray, max_depth: int, progress: Progress) -> int | None:
    """Where the array or object ends that begins `data`; None while it does not. Looks at each byte once.

    Raises:
        ThriftError: it nests too deep.
    """
    pos, depth, quoted = progress.pos, progress.depth, progress.quoted
    while True:
        found = (_STRING_END if quoted else _PIECE).search(data, pos)
        if found is None:
            progress.pos, progress.depth, progress.quoted = len(data), depth, quoted
            return None
        byte = data[found.start()]
        if byte == 0x5C:
            if found.end() == len(data):
                progress.pos, progress.depth, progress.quoted = found.start(), depth, quoted
                return None
            pos = found.end() + 1
            continue
        pos = found.end()
        if byte == 0x22:
            quoted = not quoted
        elif byte in b"[{":
            depth += 1
            if depth > max_depth:
                raise ThriftError("containers nested too deep")
        else:
            depth -= 1
            if depth <= 0:
                return pos
