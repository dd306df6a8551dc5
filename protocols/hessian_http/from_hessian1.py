"""Hessian 1 values as Hessian 2 values, so that everything that reads the one reads the other.

| Hessian 1 | Hessian 2 |
| --- | --- |
| null, boolean, int, long, double | the same bytes |
| date `d`, binary `b` `B`, string `s` `S`, XML `x` `X` | date `4A`, binary `A` `B`, string `R` `S`, string |
| list `V`, with and without type and length | list of fixed length, with and without type |
| map `M` without a type, or of a class of maps | map `H`, `M` |
| any other map `M` whose keys are texts | object of that class |
| reference `R` | reference `Q`: both number lists, maps and objects as they begin |
| remote `r` | object of `com.caucho.hessian.io.HessianRemote` with `type` and `url` |

Class definitions are not written: `Translated.classes` has them in the order in which objects refer to them, one object
for the same class and fields in all messages, so that what readers derived from it is found again.

Source: Hessian 1.0.2 specification, http://hessian.caucho.com/doc/hessian-1.0-spec.xtp; com.caucho:hessian 4.0:
com/caucho/hessian/io/HessianInput.java.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import Final, NamedTuple

from protocols.hessian import cost
from protocols.hessian.definition import ClassDefinition
from protocols.hessian.errors import TRUNCATED, HessianError
from protocols.hessian.numbers import encode_int
from protocols.hessian.text import decode_units, end_of_units
from protocols.reader import Limits

__all__ = ["Layouts", "Translated", "translate"]

_REMOTE: Final = (b"com.caucho.hessian.io.HessianRemote", b"type", b"url")
_MAP_SUFFIX: Final = b"Map"
_MAPS: Final = frozenset({b"java.util.Hashtable", b"java.util.Properties"})
_JAVA: Final = b"java.util."
_ROOM: Final = b"I\0\0\0\0"
"""An int in its longest form, to be filled in."""
_pack_count: Final = struct.Struct(">i").pack_into
_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_MAX_LAYOUTS: Final = 512
_MAX_LAYOUT_BYTES: Final = 8_192
_MAX_FREE_NAMES: Final = 256
"""Of one object; its class is charged for them when it is known."""
_MAX_MISSES: Final = 100
"""Of a class: then its objects are not alike, and nothing more is expected of them."""
_END: Final = 0x7A
_SAME: Final = {0x4E: 1, 0x54: 1, 0x46: 1, 0x49: 5, 0x4C: 9, 0x44: 9}
"""Size of the values that are written alike, their tag included: null, true, false, int, long, double."""
_CHUNKS: Final = {0x53: b"S", 0x73: b"R", 0x58: b"S", 0x78: b"R", 0x42: b"B", 0x62: b"A"}
"""Tags of pieces of strings, XML and binaries in Hessian 2; small ones are followed by another piece."""


class Layouts:
    """Class definitions met before, by class and field names as they stand in messages.

    The one that would be too many empties it, so a peer that makes up classes costs no memory. What stood last in the
    objects of a class is expected of the next one: as long as that holds, no name is looked at but to compare it.
    """

    __slots__ = ("_expected", "_known")

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, ...], ClassDefinition] = {}
        self._expected: dict[bytes, _Expected] = {}

    def of(self, names: tuple[bytes, ...], limits: Limits) -> ClassDefinition:
        """The definition for a class and its fields. Raises HessianError where a name is too long or no text."""
        found = self._known.get(names)
        if found is None:
            if max(map(len, names)) > limits.max_name_bytes:
                raise HessianError(f"expected names of at most {limits.max_name_bytes} bytes, found a longer one")
            name, *fields = map(_text, names)
            if len(set(fields)) != len(fields):
                raise HessianError("expected fields of different names, found one twice")
            found = ClassDefinition(name, tuple(fields), b"")
            if sum(map(len, names)) <= _MAX_LAYOUT_BYTES:
                if len(self._known) >= _MAX_LAYOUTS:
                    self._known.clear()
                    self._expected.clear()
                self._known[names] = found
                before = self._expected.get(names[0])
                misses = 0 if before is None else before.misses
                self._expected[names[0]] = _Expected(found, tuple(map(_key, names[1:])), misses)
        return found

    def expected(self, type_name: bytes) -> _Expected | None:
        """What the next object of a class will have in it; None where nobody knows."""
        found = self._expected.get(type_name)
        return found if found is not None and found.misses < _MAX_MISSES else None


class _Expected:
    """The fields of an object as they stand in a message. `misses`: how often it was another one."""

    __slots__ = ("definition", "keys", "misses")

    def __init__(self, definition: ClassDefinition, keys: tuple[bytes, ...], misses: int) -> None:
        self.definition = definition
        self.keys = keys
        self.misses = misses


class _Unexpected(Exception):
    """An object has other fields than the one before it."""


class Translated(NamedTuple):
    """`data`: the values in Hessian 2. `values`: how many. `end`: behind the `z` that ended them."""

    data: bytes
    classes: list[ClassDefinition]
    values: int
    end: int


class _Open:
    """A list or map that has not ended, or all values together.

    `start`: its place in the message. `at`: where what is known at its end is to be written; -1 where nothing is.
    `count`: its values, keys and values of a map each. `names`: of what may be an object, its class and the keys so
    far; a key that is no text of one piece ends that. `expected`: of what will be an object, unless it has other keys.
    """

    __slots__ = ("at", "count", "expected", "is_map", "names", "start")

    def __init__(
        self, start: int, at: int, is_map: bool, names: list[bytes] | None, expected: _Expected | None
    ) -> None:
        self.start = start
        self.at = at
        self.count = 0
        self.is_map = is_map
        self.names = names
        self.expected = expected


def translate(data: bytes, pos: int, limits: Limits, layouts: Layouts) -> Translated:
    """The values from `pos` up to the `z` behind the last of them.

    Raises:
        HessianError: they are malformed, incomplete or beyond a limit.
    """
    try:
        translation = _Translation(data, limits, layouts, expecting=True)
        try:
            found = translation.run(pos)
        except _Unexpected:
            translation = _Translation(data, limits, layouts, expecting=False)
            found = translation.run(pos)
        if translation.maps:
            # Now that it is known which of them are no objects.
            found = _Translation(data, limits, layouts, expecting=False, maps=translation.maps).run(pos)
        return found
    except TRUNCATED:
        raise HessianError("expected more bytes, found the end of the data", len(data)) from None


class _Translation:
    """What one message becomes.

    What is written alike is copied in long pieces. Numbers of elements and classes are written when a value ends, into
    room that was left for them. `maps`: places of maps that have the class of no map, and keys as only maps have.
    """

    __slots__ = ("budget", "classes", "data", "expecting", "indexes", "known_maps", "layouts", "limits", "maps", "out")

    def __init__(
        self, data: bytes, limits: Limits, layouts: Layouts, *, expecting: bool, maps: Collection[int] = ()
    ) -> None:
        self.data = data
        self.limits = limits
        self.layouts = layouts
        self.expecting = expecting
        self.out = bytearray()
        self.classes: list[ClassDefinition] = []
        self.indexes: dict[ClassDefinition, int] = {}
        self.budget = limits.max_elements
        self.known_maps = maps
        self.maps: set[int] = set()

    def run(self, pos: int) -> Translated:
        data, out, same = self.data, self.out, _SAME
        starts = data.startswith
        top = _Open(pos, -1, False, None, None)
        expected: tuple[bytes, ...] | None = None
        stack: list[_Open] = []
        begin = pos  # of what is still to be copied
        while True:
            tag = data[pos]
            count = top.count
            if tag == _END:
                out += data[begin:pos]
                pos += 1
                begin = pos
                if not stack:
                    return Translated(bytes(out), self.classes, count, pos)
                self._close(top, pos)
                top = stack.pop()
                expected = None if top.expected is None else top.expected.keys
                continue
            if expected is not None:
                # Keys and values in turn: here both at once.
                at = count >> 1
                if at >= len(expected) or not starts(expected[at], pos):
                    self._unexpected(top)
                out += data[begin:pos]
                begin = pos = pos + len(expected[at])
                tag = data[pos]
                top.count = count + 2
            else:
                top.count = count + 1
                if top.names is not None and not count & 1:
                    out += data[begin:pos]
                    self.pay(1, pos)
                    begin = pos = self._name(top, tag, pos)
                    continue
            self.budget -= 1
            if self.budget < 0:
                self.pay(0, pos)
            size = same.get(tag)
            if size is not None:
                pos += size
                if not top.is_map:
                    # Lists hold such values from one end to the other: passed in as few steps as there are.
                    left = budget = self.budget
                    while left and (size := same.get(data[pos])) is not None:
                        pos += size
                        left -= 1
                    self.budget = left
                    top.count += budget - left
            elif tag == 0x53:
                units = (data[pos + 1] << 8) + data[pos + 2]
                end = pos + 3 + units
                raw = data[pos + 3 : end]
                if len(raw) < units or not raw.isascii():
                    end = end_of_units(data, pos + 3, units)
                if units < 32:
                    # Of a tag and two bytes of length the last is a tag by itself.
                    out += data[begin:pos]
                    begin = pos + 2
                pos = end
            else:
                out += data[begin:pos]
                if tag == 0x4D or tag == 0x56:
                    if len(stack) >= self.limits.max_depth:
                        raise HessianError(f"expected at most {self.limits.max_depth} levels, found more", pos)
                    self.pay(cost.CONTAINER, pos)
                    stack.append(top)
                    top, pos = self._open(tag == 0x4D, pos)
                    expected = None if top.expected is None else top.expected.keys
                    begin = pos
                elif tag in _CHUNKS:
                    begin = pos = self._chunks(pos)
                elif tag == 0x64:
                    out.append(0x4A)
                    begin = pos + 1
                    pos += 9
                elif tag == 0x52:
                    out += b"\x51\x49"
                    begin = pos + 1
                    pos += 5
                elif tag == 0x72:
                    begin = pos = self._remote(pos + 1)
                else:
                    raise HessianError(f"expected a Hessian 1 value, found tag 0x{tag:02x}", pos)

    def pay(self, amount: int, pos: int) -> None:
        """Takes from the budget."""
        self.budget -= amount
        if self.budget < 0:
            raise HessianError(f"expected at most {self.limits.max_elements} elements, found more", pos)

    def _open(self, is_map: bool, start: int) -> tuple[_Open, int]:
        """A list or map whose tag stands at `start`, and where its first value is."""
        out = self.out
        type_name, pos = self._type(start + 1)
        if not is_map:
            if self.data[pos] == 0x6C:
                # What the elements are, they say themselves; the length may be missing, or -1.
                pos += 5
            out += b"V" + _string(type_name) if type_name else b"X"
            out += _ROOM
            return _Open(start, len(out) - 4, False, None, None), pos
        if not type_name:
            out.append(0x48)
        elif _is_map_class(type_name) or start in self.known_maps:
            out += b"M" + _string(type_name)
        elif self.expecting and (expected := self.layouts.expected(type_name)) is not None:
            index = self._index(expected.definition, pos)
            out += bytes((0x60 + index,)) if index < 16 else b"O" + encode_int(index)
            return _Open(start, -1, True, None, expected), pos
        else:
            out += b"O" + _ROOM
            return _Open(start, len(out) - 4, True, [type_name], None), pos
        return _Open(start, -1, True, None, None), pos

    def _name(self, found: _Open, tag: int, pos: int) -> int:
        """A key of what may be an object, which is not written but kept; gives its end."""
        if tag != 0x53:
            # A map after all. What is written from here on does not matter: all is read again.
            self.maps.add(found.start)
            found.names = None
            found.count -= 1
            return pos
        assert found.names is not None
        if len(found.names) > _MAX_FREE_NAMES:
            # Together they are a class definition, which is charged as a whole only when it is there.
            self.pay(cost.DEFINED_FIELD, pos)
        end = self._text_end(pos + 3, (self.data[pos + 1] << 8) + self.data[pos + 2])
        found.names.append(self.data[pos + 3 : end])
        return end

    def _unexpected(self, found: _Open) -> None:
        assert found.expected is not None
        found.expected.misses += 1
        raise _Unexpected

    def _close(self, ended: _Open, pos: int) -> None:
        out, count = self.out, ended.count
        if not ended.is_map:
            _pack_count(out, ended.at, count)
        elif ended.expected is not None:
            if count != 2 * len(ended.expected.keys):
                self._unexpected(ended)
        elif count & 1:
            raise HessianError("expected the value of a map's entry, found its end", pos - 1)
        elif ended.names is not None:
            _pack_count(out, ended.at, self._index(self.layouts.of(tuple(ended.names), self.limits), pos))
        else:
            out.append(0x5A)

    def _index(self, definition: ClassDefinition, pos: int) -> int:
        """By which objects refer to a class."""
        index = self.indexes.get(definition)
        if index is None:
            self.pay(definition.price, pos)
            index = self.indexes[definition] = len(self.classes)
            self.classes.append(definition)
        return index

    def _remote(self, pos: int) -> int:
        """A remote object: its type and its address."""
        type_name, pos = self._type(pos)
        if self.data[pos] != 0x53:
            raise HessianError("expected the address of a remote object, found another value", pos)
        units = (self.data[pos + 1] << 8) + self.data[pos + 2]
        end = self._text_end(pos + 3, units)
        self.pay(cost.CONTAINER + 2, pos)
        index = self._index(self.layouts.of(_REMOTE, self.limits), pos)
        self.out += b"O" + encode_int(index) + _string(type_name) + self.data[pos:end]
        return end

    def _type(self, pos: int) -> tuple[bytes, int]:
        """The name of a type as it stands there, empty where there is none, and where it ends."""
        if self.data[pos] != 0x74:
            return b"", pos
        units = (self.data[pos + 1] << 8) + self.data[pos + 2]
        if units > self.limits.max_name_bytes:
            raise HessianError(f"expected a type name of at most {self.limits.max_name_bytes} bytes", pos)
        end = self._text_end(pos + 3, units)
        return self.data[pos + 3 : end], end

    def _chunks(self, pos: int) -> int:
        """A string, XML or binary, in pieces or in one; each piece but the last has a small letter for a tag."""
        data, out = self.data, self.out
        first = data[pos]
        is_text = first not in (0x42, 0x62)
        last = first & 0xDF
        while True:
            tag = data[pos]
            if tag & 0xDF != last:
                raise HessianError(f"expected the next piece of a {'string' if is_text else 'binary'}", pos)
            size = (data[pos + 1] << 8) + data[pos + 2]
            end = self._text_end(pos + 3, size) if is_text else pos + 3 + size
            if end > len(data):
                raise HessianError(f"expected {size} bytes, found the end of the data", pos)
            out += _CHUNKS[tag]
            out += data[pos + 1 : end]
            pos = end
            if tag == last:
                return pos
            self.pay(cost.CHUNK, pos)

    def _text_end(self, pos: int, units: int) -> int:
        end = pos + units
        raw = self.data[pos:end]
        return end if raw.isascii() and len(raw) == units else end_of_units(self.data, pos, units)


def _string(text: bytes) -> bytes:
    """A string value of the characters of another one."""
    units = len(text) if text.isascii() else len(text.translate(None, _CONTINUATION))
    return (bytes((units,)) if units < 32 else b"S" + units.to_bytes(2, "big")) + text


def _key(name: bytes) -> bytes:
    """The name of a field as it stands in a message."""
    units = len(name) if name.isascii() else len(name.translate(None, _CONTINUATION))
    return b"S" + units.to_bytes(2, "big") + name


def _text(raw: bytes) -> str:
    """A name. Raises HessianError."""
    if raw.isascii():
        return raw.decode()
    return decode_units(raw, 0, len(raw.translate(None, _CONTINUATION)))[0]


def _is_map_class(type_name: bytes) -> bool:
    """Whether Java writes a map as `M` of this class; objects are written alike."""
    return type_name in _MAPS or (type_name.startswith(_JAVA) and type_name.endswith(_MAP_SUFFIX))
