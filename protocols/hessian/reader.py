"""Reads any Hessian 2 value without a contract.

| on the wire | Python |
| --- | --- |
| null, boolean, double, string, binary | None, bool, float, str, bytes |
| int | int |
| long | `Long` |
| date | `JavaDate`, UTC |
| list without a type, with one | list, `TypedList` |
| map without a type, with one | dict, `TypedMap`; `Pairs` when Python cannot hold the keys apart, at all or cheaply |
| object | `Record` |
| BigDecimal, BigInteger, UUID | Decimal, `BigInt` (int beyond 64 bits), UUID |
| Instant, LocalDateTime | aware datetime in UTC, naive datetime |
| LocalDate, LocalTime, Duration | date, time, timedelta |

An object of a known class stays a `Record` when Python has no value that equals it: an instant with nanoseconds, a
year above 9999; and so does an integer of more than 16384 bits. So nothing is lost, and `protocols.hessian.writer`
writes it back as it came.

Source: Hessian 2.0 Serialization Protocol; apache/dubbo-hessian-lite:
hessian-lite/src/main/java/com/alibaba/com/caucho/hessian/io/Hessian2Input.java.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from gateway.model.generic import Long, Pairs, Record, TypedList, TypedMap
from gateway.model.key_hash import KeyHashes
from protocols.hessian import cost
from protocols.hessian.definition import ClassDefinition, DefinitionCache, decode_definition, decode_name
from protocols.hessian.errors import TRUNCATED, HessianError, tag_name
from protocols.hessian.java_types import KNOWN_CLASSES, Inexact, date_from_millis
from protocols.hessian.numbers import decode_count, decode_int
from protocols.hessian.text import STRING_TAGS, decode_text, decode_units
from protocols.reader import DEFAULT_LIMITS, Limits

__all__ = ["EMPTY", "INCOMPLETE", "ContractClass", "Reader"]

INCOMPLETE: Final = object()
"""Stands in a slot whose value cannot be made before its children are read; a reference to it is refused."""

EMPTY: Final = object()
"""The form of an empty list or map: Java uses one `Collections.emptyList()` for all element types."""


_DEFINITION: Final = 0x43
_END: Final = 0x5A
_DICT_CHARGE: Final = 8  # of a map or record with fewer entries: the smallest dict takes the memory of that many

# Longs of one and two bytes, made once: as an object each would take 64 times its bytes.
_COMPACT_LONGS: Final = tuple(map(Long, range(-2048, 2048)))

_unpack_short: Final = struct.Struct(">h").unpack_from
_unpack_length: Final = struct.Struct(">H").unpack_from
_unpack_int: Final = struct.Struct(">i").unpack_from
_unpack_long: Final = struct.Struct(">q").unpack_from
_unpack_double: Final = struct.Struct(">d").unpack_from


class ContractClass(Protocol):
    """A class that a contract describes; `Reader.known` holds them by their Java names."""

    def read_object(self, reader: Reader, definition: ClassDefinition) -> Any:
        """Reads the fields of an instance whose tag has been read."""
        ...

    def read_map(self, reader: Reader) -> Any:
        """Reads the entries of a map of this type, its end included, as an instance."""
        ...


class Reader:
    """A position in Hessian data, with the tables that values share.

    One reader reads all values of one message: references, class definitions and type names of one value may be
    used by the next. After an error the reader is of no further use.

    Attributes:
        data: The message, up to where it ends.
        pos: Where the next value starts.
        refs: What `51` may refer to, by slot: lists, maps and objects in the order they started.
        forms: For each slot the type that it was read as; None for values that say their type themselves.
        classes: Class definitions in the order they came.
        types: Names of list and map types in the order they came.
        budget: Elements that may still be read (`Limits.max_elements`).
        depth: Containers that may still be entered (`Limits.max_depth`).
        known: Contract classes by Java name; objects of all others become `Record`.
        definitions: Definitions of earlier messages; None without a cache.
    """

    __slots__ = (
        "budget",
        "classes",
        "data",
        "definitions",
        "depth",
        "forms",
        "known",
        "limits",
        "looped",
        "pos",
        "refs",
        "types",
    )

    def __init__(
        self,
        data: bytes,
        pos: int = 0,
        end: int | None = None,
        limits: Limits = DEFAULT_LIMITS,
        definitions: DefinitionCache | None = None,
    ) -> None:
        """`end` is where the message ends; the data's own end when None."""
        self.data = data if end is None or end >= len(data) else data[:end]
        self.pos = pos
        self.limits = limits
        self.refs: list[Any] = []
        self.forms: list[Any] = []
        self.classes: list[ClassDefinition] = []
        self.types: list[str] = []
        self.budget = limits.max_elements
        self.depth = limits.max_depth
        self.known: Mapping[str, ContractClass] | None = None
        self.definitions = definitions
        self.looped: set[int] = set()

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self.pos >= len(self.data)

    def read(self) -> Any:
        """The next value.

        Raises:
            HessianError: it is malformed, incomplete or beyond a limit.
        """
        try:
            return self.next_value()
        except TRUNCATED:
            raise self.truncated() from None

    def read_string(self) -> str:
        """The next value, which must be a string. Raises HessianError."""
        try:
            return self.next_string()
        except TRUNCATED:
            raise self.truncated() from None

    def read_int(self) -> int:
        """The next value, which must be an int. Raises HessianError."""
        try:
            return self.next_int()
        except TRUNCATED:
            raise self.truncated() from None

    # The methods below are the package's own: they let an IndexError or struct.error escape at the end of the data.

    def next_value(self) -> Any:
        """Like `read`."""
        pos = self.pos
        tag = self.data[pos]
        self.pos = pos + 1
        return _READERS[tag](self, tag)

    def next_string(self) -> str:
        """Like `read_string`."""
        text, self.pos = decode_text(self.data, self.pos, self.pay)
        return text

    def next_int(self) -> int:
        """Like `read_int`."""
        value, self.pos = decode_int(self.data, self.pos)
        return value

    def next_type(self) -> str:
        """The type name of a list or map: a string, or the index of an earlier one."""
        pos = self.pos
        if self.data[pos] in STRING_TAGS:
            name, self.pos = decode_name(self.data, pos, "type name", self.limits)
            self.types.append(name)
            return name
        index = self.next_int()
        if 0 <= index < len(self.types):
            return self.types[index]
        raise HessianError(f"expected the index of one of {len(self.types)} types, found {index}", pos)

    def next_count(self) -> int:
        """A declared number of elements, checked against the data that is left."""
        count, self.pos = decode_count(self.data, self.pos, "elements")
        return count

    def next_definition(self) -> ClassDefinition:
        """A class definition whose tag has been read; it is appended to `classes`."""
        if self.definitions is None:
            definition, self.pos = decode_definition(self.data, self.pos, self.limits)
        else:
            definition, self.pos = self.definitions.decode(self.data, self.pos, self.limits)
        self.pay(definition.price)
        self.classes.append(definition)
        return definition

    def class_of(self, tag: int) -> ClassDefinition:
        """The definition that an object's tag (`60` to `6F`, or `4F` and an int) refers to; the tag has been read."""
        index = tag - 0x60 if tag >= 0x60 else self.next_int()
        if 0 <= index < len(self.classes):
            return self.classes[index]
        raise HessianError(f"expected the index of one of {len(self.classes)} classes, found {index}", self.pos)

    def slot(self) -> int:
        """The slot that a reference's int names; its tag has been read."""
        pos = self.pos
        slot = self.next_int()
        if 0 <= slot < len(self.refs):
            return slot
        raise HessianError(f"expected a reference to one of {len(self.refs)} values, found {slot}", pos)

    def charge(self, count: int) -> None:
        """Pays for a container and `count` of its elements."""
        self.pay(count + cost.CONTAINER)

    def pay(self, amount: int) -> None:
        """Takes from the budget."""
        self.budget -= amount
        if self.budget < 0:
            raise HessianError(f"expected at most {self.limits.max_elements} elements, found more", self.pos)

    def enter(self, count: int) -> None:
        """Like `charge`, and goes one level deeper; the caller adds 1 to `depth` when it is done."""
        self.charge(count)
        self.depth -= 1
        if self.depth < 0:
            raise HessianError(f"expected at most {self.limits.max_depth} levels, found more", self.pos)

    def register(self, value: Any, form: Any = None) -> int:
        """Gives a list, map or object its slot, before its children take theirs."""
        self.refs.append(value)
        self.forms.append(form)
        return len(self.refs) - 1

    def located(self, error: Exception, step: str) -> HessianError:
        """What reading raised, as this package's error, one step further out (`[3]`, `price`)."""
        found = error if isinstance(error, HessianError) else self.truncated()
        return found.within(step) if step else found

    def truncated(self) -> HessianError:
        """The error for data that ends inside a value."""
        return HessianError("expected more bytes, found the end of the data", min(self.pos, len(self.data)))


def _read_null(reader: Reader, tag: int) -> None:
    return None


def _read_true(reader: Reader, tag: int) -> bool:
    return True


def _read_false(reader: Reader, tag: int) -> bool:
    return False


def _read_int_1(reader: Reader, tag: int) -> int:
    return tag - 0x90


def _read_int_2(reader: Reader, tag: int) -> int:
    low = reader.data[reader.pos]
    reader.pos += 1
    return (tag - 0xC8 << 8) + low


def _read_int_3(reader: Reader, tag: int) -> int:
    (low,) = _unpack_length(reader.data, reader.pos)
    reader.pos += 2
    value: int = (tag - 0xD4 << 16) + low
    return value


def _read_int_5(reader: Reader, tag: int) -> int:
    value: int = _unpack_int(reader.data, reader.pos)[0]
    reader.pos += 4
    return value


def _read_long_1(reader: Reader, tag: int) -> Long:
    return _COMPACT_LONGS[tag - 0xE0 + 2048]


def _read_long_2(reader: Reader, tag: int) -> Long:
    low = reader.data[reader.pos]
    reader.pos += 1
    return _COMPACT_LONGS[(tag - 0xF8 << 8) + low + 2048]


def _read_long_3(reader: Reader, tag: int) -> Long:
    (low,) = _unpack_length(reader.data, reader.pos)
    reader.pos += 2
    return Long((tag - 0x3C << 16) + low)


def _read_long_5(reader: Reader, tag: int) -> Long:
    return Long(_read_int_5(reader, tag))


def _read_long_9(reader: Reader, tag: int) -> Long:
    value = Long(_unpack_long(reader.data, reader.pos)[0])
    reader.pos += 8
    return value


def _read_zero(reader: Reader, tag: int) -> float:
    return 0.0


def _read_one(reader: Reader, tag: int) -> float:
    return 1.0


def _read_double_2(reader: Reader, tag: int) -> float:
    value = reader.data[reader.pos]
    reader.pos += 1
    return float(value - 256 if value > 127 else value)


def _read_double_3(reader: Reader, tag: int) -> float:
    (value,) = _unpack_short(reader.data, reader.pos)
    reader.pos += 2
    return float(value)


def _read_double_5(reader: Reader, tag: int) -> float:
    return 0.001 * _read_int_5(reader, tag)


def _read_double_9(reader: Reader, tag: int) -> float:
    value: float = _unpack_double(reader.data, reader.pos)[0]
    reader.pos += 8
    return value


def _read_millis(reader: Reader, tag: int) -> Any:
    millis: int = _unpack_long(reader.data, reader.pos)[0]
    reader.pos += 8
    return _date(reader, millis)


def _read_minutes(reader: Reader, tag: int) -> Any:
    return _date(reader, _read_int_5(reader, tag) * 60_000)


def _date(reader: Reader, millis: int) -> Any:
    try:
        return date_from_millis(millis)
    except Inexact as exc:
        raise HessianError(f"expected a date, found {exc}", reader.pos) from None


def _read_string(reader: Reader, tag: int) -> str:
    text, reader.pos = decode_units(reader.data, reader.pos, tag)
    return text


def _read_long_string(reader: Reader, tag: int) -> str:
    text, reader.pos = decode_text(reader.data, reader.pos - 1, reader.pay)
    return text


def _read_binary(reader: Reader, tag: int) -> bytes:
    data, pos = reader.data, reader.pos
    pieces: list[bytes] = []
    while True:
        if tag == 0x41 or tag == 0x42:
            count, pos = _unpack_length(data, pos)[0], pos + 2
        elif 0x20 <= tag < 0x30:
            count = tag - 0x20
        elif 0x34 <= tag < 0x38:
            count, pos = (tag - 0x34 << 8) + data[pos], pos + 1
        else:
            raise HessianError(f"expected the next chunk of a binary, found {tag_name(tag)}", pos - 1)
        piece = data[pos : pos + count]
        if len(piece) < count:
            raise HessianError(f"expected {count} bytes, found the end of the data", pos)
        pos += count
        if tag != 0x41:
            break
        reader.pay(cost.CHUNK)
        pieces.append(piece)
        tag = data[pos]
        pos += 1
    reader.pos = pos
    if not pieces:
        return piece
    pieces.append(piece)
    return b"".join(pieces)


def _read_reference(reader: Reader, tag: int) -> Any:
    slot = reader.slot()
    value = reader.refs[slot]
    if isinstance(value, dict):
        reader.looped.add(slot)
    elif value is INCOMPLETE:
        raise HessianError("expected a complete value, found a reference to one that contains it", reader.pos)
    return value


def _read_list_untyped(reader: Reader, tag: int) -> list[Any]:
    count = reader.next_count() if tag == 0x58 else tag - 0x78
    return _fill_list(reader, [], count)


def _read_list_typed(reader: Reader, tag: int) -> list[Any]:
    name = reader.next_type()
    count = reader.next_count() if tag == 0x56 else tag - 0x70
    return _fill_list(reader, TypedList(name), count)


def _fill_list(reader: Reader, items: list[Any], count: int) -> list[Any]:
    reader.enter(count)
    reader.register(items, None if count else EMPTY)
    next_value, append = reader.next_value, items.append
    for _ in range(count):
        append(next_value())
    reader.depth += 1
    return items


def _read_list_open(reader: Reader, tag: int) -> list[Any]:
    """A list that ends with `Z`, with (55) or without a type (57)."""
    items: list[Any] = TypedList(reader.next_type()) if tag == 0x55 else []
    reader.enter(0)
    reader.register(items)
    data = reader.data
    while data[reader.pos] != _END:
        reader.pay(1)
        items.append(reader.next_value())
    reader.pos += 1
    reader.depth += 1
    return items


def _read_map_untyped(reader: Reader, tag: int) -> Any:
    return _fill_map(reader, {}, "")


def _read_map_typed(reader: Reader, tag: int) -> Any:
    name = reader.next_type()
    if reader.known is not None and (known := reader.known.get(name)) is not None:
        return known.read_map(reader)
    return _fill_map(reader, TypedMap(name) if name else {}, name)


def _fill_map(reader: Reader, entries: dict[Any, Any], type_name: str) -> Any:
    reader.enter(0)
    data, next_value = reader.data, reader.next_value
    slot = reader.register(entries, EMPTY if data[reader.pos] == _END else None)
    pairs: Pairs | None = None
    hashes = KeyHashes()
    while data[reader.pos] != _END:
        reader.pay(1)
        key = next_value()
        value = next_value()
        if pairs is None:
            size = len(entries)
            if _added(entries, key, value, hashes) and len(entries) > size:
                continue
            # Unhashable, or equal to an earlier key here but not in Java (1, 1L, 1.0 and true): keep pairs.
            if slot in reader.looped:
                raise HessianError(
                    "expected hashable, distinct keys in a map that contains itself, found others", reader.pos
                )
            pairs = reader.refs[slot] = Pairs(entries.items(), type_name)
        pairs.append((key, value))
    reader.pos += 1
    reader.depth += 1
    if len(entries) < _DICT_CHARGE:
        reader.pay(_DICT_CHARGE - len(entries))
    return entries if pairs is None else pairs


def _added(entries: dict[Any, Any], key: Any, value: Any, hashes: KeyHashes) -> bool:
    """Adds an entry unless its key is there already; False when the key cannot be hashed, or only at great cost."""
    try:
        if not hashes.admit(key):
            return False
        entries.setdefault(key, value)
    except (TypeError, AttributeError, RecursionError):
        # A contract class hashes its fields: one may be unhashable, not read yet, or contain its owner.
        return False
    return True


def _read_object(reader: Reader, tag: int) -> Any:
    definition = reader.class_of(tag)
    name = definition.name
    if reader.known is not None and (contract_class := reader.known.get(name)) is not None:
        return contract_class.read_object(reader, definition)
    fields = definition.fields
    reader.enter(max(len(fields), _DICT_CHARGE))
    record = Record(name)
    slot = reader.register(record)
    next_value = reader.next_value
    for field in fields:
        record[field] = next_value()
    reader.depth += 1
    convert = KNOWN_CLASSES.get(name)
    if convert is None:
        return record
    try:
        value = convert(record)
    except (ValueError, ArithmeticError):
        return record
    reader.refs[slot] = value
    return value


def _read_definition(reader: Reader, tag: int) -> Any:
    """Class definitions, then the value they stand before; a loop, so that many of them cost no stack."""
    while tag == _DEFINITION:
        reader.next_definition()
        tag = reader.data[reader.pos]
        reader.pos += 1
    return _READERS[tag](reader, tag)


def _refuse(reader: Reader, tag: int) -> Any:
    raise HessianError(f"expected a value, found {tag_name(tag)}", reader.pos - 1)


def _table() -> tuple[Callable[[Reader, int], Any], ...]:
    table: list[Callable[[Reader, int], Any]] = [_refuse] * 256
    for first, last, function in (
        (0x00, 0x1F, _read_string),
        (0x20, 0x2F, _read_binary),
        (0x30, 0x33, _read_long_string),
        (0x34, 0x37, _read_binary),
        (0x38, 0x3F, _read_long_3),
        (0x41, 0x42, _read_binary),
        (0x43, 0x43, _read_definition),
        (0x44, 0x44, _read_double_9),
        (0x46, 0x46, _read_false),
        (0x48, 0x48, _read_map_untyped),
        (0x49, 0x49, _read_int_5),
        (0x4A, 0x4A, _read_millis),
        (0x4B, 0x4B, _read_minutes),
        (0x4C, 0x4C, _read_long_9),
        (0x4D, 0x4D, _read_map_typed),
        (0x4E, 0x4E, _read_null),
        (0x4F, 0x4F, _read_object),
        (0x51, 0x51, _read_reference),
        (0x52, 0x53, _read_long_string),
        (0x54, 0x54, _read_true),
        (0x55, 0x55, _read_list_open),
        (0x56, 0x56, _read_list_typed),
        (0x57, 0x57, _read_list_open),
        (0x58, 0x58, _read_list_untyped),
        (0x59, 0x59, _read_long_5),
        (0x5B, 0x5B, _read_zero),
        (0x5C, 0x5C, _read_one),
        (0x5D, 0x5D, _read_double_2),
        (0x5E, 0x5E, _read_double_3),
        (0x5F, 0x5F, _read_double_5),
        (0x60, 0x6F, _read_object),
        (0x70, 0x77, _read_list_typed),
        (0x78, 0x7F, _read_list_untyped),
        (0x80, 0xBF, _read_int_1),
        (0xC0, 0xCF, _read_int_2),
        (0xD0, 0xD7, _read_int_3),
        (0xD8, 0xEF, _read_long_1),
        (0xF0, 0xFF, _read_long_2),
    ):
        table[first : last + 1] = [function] * (last - first + 1)
    return tuple(table)


_READERS: Final = _table()
