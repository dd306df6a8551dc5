"""Lists, sets and maps of declared element types.

Readers take every form of list and map, with and without a type name: which one Java uses depends on the class of
its collection, not on the declared type. Writers use fixed lengths and no type name, except where the contract says
which Java class it wants: stock peers cannot read open-ended lists into every declared type.

The functions are generated per type, with scalar elements written out in their loops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.model.errors import ValueMappingError
from gateway.model.generic import Record
from gateway.model.key_hash import KeyHashes, has_common_hashes, may_collide
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian import cost
from protocols.hessian.errors import READ_ERRORS, HessianError
from protocols.hessian.inline import add_read, add_write
from protocols.hessian.numbers import encode_int
from protocols.hessian.reader import EMPTY, INCOMPLETE, Reader
from protocols.hessian.source import Source
from protocols.hessian.typed_scalars import TypedReader, TypedWriter, mismatch, reject

__all__ = ["list_type", "list_writer", "map_reader", "map_type", "map_writer", "sequence_reader"]

_END: Final = 0x5A
_OPEN: Final = -1

_HASH_ERRORS: Final = (TypeError, AttributeError, RecursionError)
"""What hashing or comparing a struct may raise: a field is unhashable, not read yet, or contains its owner."""

_SET: Final = "java.util.HashSet"
_UNTYPED_LISTS: Final = frozenset(
    {None, "java.util.List", "java.util.ArrayList", "java.util.Collection", "java.lang.Iterable"}
)
_PLAIN_SETS: Final = frozenset({None, "java.util.Set", _SET, "java.util.Collection", "java.lang.Iterable"})
_UNTYPED_MAPS: Final = frozenset({None, "java.util.Map", "java.util.HashMap"})
_ARRAYS: Final = {"java.lang.String": "string", "java.lang.Object": "object", "java.util.Date": "date"}
"""Element types that hessian-lite calls by another name than Java; Source: its `ArraySerializer`, `BasicSerializer`."""


def list_type(ref: TypeRef) -> str | None:
    """The type name a list or set is written with; None for none. Arrays: `int[][]` is `[[int`."""
    hint = ref.hint("java")
    if hint is not None and hint.endswith("[]"):
        component = hint.rstrip("[]")
        return "[" * hint.count("[]") + _ARRAYS.get(component, component)
    if ref.kind is Kind.SET:
        return _SET if hint in _PLAIN_SETS else hint
    return None if hint in _UNTYPED_LISTS else hint


def map_type(ref: TypeRef) -> str | None:
    """The type name a map is written with; None for none."""
    hint = ref.hint("java")
    return None if hint in _UNTYPED_MAPS else hint


def sequence_reader(ref: TypeRef, form: object, read: TypedReader) -> TypedReader:
    """The reader of a list or set with elements read by `read`; null aside.

    `form` stands for the type: a reference is followed to values of the same form, and to empty ones.
    The value is a list, set, tuple or frozenset, as the hint for Python says.
    """
    title = str(ref)
    make = _MAKERS[ref.kind, ref.hint("python")]
    finish: Callable[[Reader, int, list[Any]], Any] | None = None
    if make is not list:

        def finish(reader: Reader, slot: int, items: list[Any]) -> Any:
            return _finish(reader, slot, items, make, title)

    def read_open(reader: Reader) -> Any:
        """A list that ends with `Z`; head and type have been read."""
        reader.enter(0)
        items: list[Any] = []
        slot = reader.register(items if finish is None else INCOMPLETE, form)
        data = reader.data
        try:
            while data[reader.pos] != _END:
                reader.pay(1)
                items.append(read(reader))
        except READ_ERRORS as exc:
            raise reader.located(exc, f"[{len(items)}]") from None
        reader.pos += 1
        reader.depth += 1
        return items if finish is None else finish(reader, slot, items)

    def read_shared(reader: Reader) -> Any:
        return _shared(reader, form, title, make)

    source = Source("read_items(reader)")
    source.bind("title", title)
    source.bind("form", form)
    source.bind("EMPTY", EMPTY)
    source.bind("CONTAINER", cost.CONTAINER)
    source.bind("READ_ERRORS", READ_ERRORS)
    source.bind("list_head", _list_head)
    source.bind("read_open", read_open)
    source.bind("read_shared", read_shared)
    source.add(
        1,
        """
data = reader.data
pos = reader.pos
tag = data[pos]
if 0x78 <= tag < 0x80:
    count = tag - 0x78
    pos += 1
elif tag == 0x51:
    return read_shared(reader)
else:
    count = list_head(reader, title)
    if count < 0:
        return read_open(reader)
    pos = reader.pos
budget = reader.budget - count - CONTAINER
depth = reader.depth - 1
reader.budget = budget
reader.depth = depth
if budget < 0 or depth < 0:
    reader.enter(0)
items = []
forms = reader.forms
forms.append(form if count else EMPTY)
""",
    )
    if finish is None:
        source.add(1, "reader.refs.append(items)")
    else:
        source.add(1, f"slot = len(reader.refs)\nreader.refs.append({source.bind('INCOMPLETE', INCOMPLETE)})")
    source.add(1, "try:\n    for _ in range(count):")
    add_read(source, 3, ref.args[0], read)
    source.add(3, "items.append(value)")
    source.add(
        1,
        """
except READ_ERRORS as exc:
    raise reader.located(exc, "[%d]" % len(items)) from None
reader.pos = pos
reader.depth = depth + 1
""",
    )
    source.add(1, "return items" if finish is None else f"return {source.bind('finish', finish)}(reader, slot, items)")
    return source.build(f"reader of {title}")


_MAKERS: Final[dict[tuple[Kind, str | None], type[Any]]] = {
    (Kind.LIST, None): list,
    (Kind.LIST, "tuple"): tuple,
    (Kind.SET, None): set,
    (Kind.SET, "frozenset"): frozenset,
}


def _finish(reader: Reader, slot: int, items: list[Any], make: type[Any], title: str) -> Any:
    """Makes the container of its elements, and puts it in its slot."""
    if make is not tuple:
        reader.pay(cost.SET)
    try:
        if make is not tuple and has_common_hashes(items):
            raise HessianError(f"expected {title}, found many elements with the same hash", reader.pos)
        value = reader.refs[slot] = make(items)
    except _HASH_ERRORS:
        raise HessianError(f"expected {title}, found an element that cannot be hashed", reader.pos) from None
    if len(value) != len(items):
        # Java may hold apart what is equal here (1.0 and 1.00 as BigDecimal): one would be lost.
        raise HessianError(f"expected {title}, found elements that are equal", reader.pos)
    return value


def _list_head(reader: Reader, title: str) -> int:
    """Reads tag, type name and length of a list; `_OPEN` for one that ends with `Z`."""
    tag = reader.data[reader.pos]
    if 0x70 <= tag < 0x78:
        reader.pos += 1
        reader.next_type()
        return tag - 0x70
    if tag not in (0x55, 0x56, 0x57, 0x58):
        raise mismatch(reader, title)
    reader.pos += 1
    if tag == 0x55 or tag == 0x56:
        reader.next_type()
    return _OPEN if tag == 0x55 or tag == 0x57 else reader.next_count()


def _shared(reader: Reader, form: object, title: str, make: type[Any]) -> Any:
    """What a reference leads to, if it is of the type."""
    start = reader.pos
    reader.pos += 1
    slot = reader.slot()
    value, found = reader.refs[slot], reader.forms[slot]
    if found is form and isinstance(value, make) and not isinstance(value, Record):
        return value
    if found is EMPTY and isinstance(value, dict) == (make is dict):
        reader.pay(cost.CONTAINER + (cost.SET if make in (set, frozenset) else 0))
        return make()
    raise HessianError(f"expected {title}, found a reference to a value of another type", start)


def map_reader(ref: TypeRef, form: object, read_key: TypedReader, read_value: TypedReader) -> TypedReader:
    """The reader of a map; null aside. `form` as for `sequence_reader`."""
    title = str(ref)

    def read_shared(reader: Reader) -> Any:
        return _shared(reader, form, title, dict)

    key = ref.args[0]
    source = Source("read_entries(reader)")
    source.bind("title", title)
    source.bind("form", form)
    source.bind("EMPTY", EMPTY)
    source.bind("READ_ERRORS", READ_ERRORS)
    source.bind("HessianError", HessianError)
    source.bind("mismatch", mismatch)
    source.bind("read_shared", read_shared)
    source.add(
        1,
        """
data = reader.data
pos = reader.pos
tag = data[pos]
if tag == 0x48:
    pos += 1
elif tag == 0x4D:
    reader.pos = pos + 1
    reader.next_type()
    pos = reader.pos
elif tag == 0x51:
    return read_shared(reader)
else:
    raise mismatch(reader, title)
reader.enter(0)
entries = {}
reader.refs.append(entries)
reader.forms.append(EMPTY if data[pos] == 0x5A else form)
count = 0
part = "key"
""",
    )
    if may_collide(key):
        source.add(1, f"hashes = {source.bind('KeyHashes', KeyHashes)}()")
    source.add(
        1,
        """
try:
    while data[pos] != 0x5A:
        reader.pay(1)
""",
    )
    add_read(source, 3, key, read_key)
    source.add(3, 'key = value\npart = "value"')
    add_read(source, 3, ref.args[1], read_value)
    if may_collide(key):
        source.add(3, f"{source.bind('add_entry', _add_entry)}(entries, key, value, hashes)")
    else:
        source.add(3, "entries[key] = value")
    source.add(
        1,
        """
        count += 1
        part = "key"
except READ_ERRORS as exc:
    raise reader.located(exc, "[%s %d]" % (part, count)) from None
reader.pos = pos + 1
reader.depth += 1
if len(entries) != count:
    raise HessianError("expected " + title + ", found keys that are equal", pos)
return entries
""",
    )
    return source.build(f"reader of {title}")


def _add_entry(entries: dict[Any, Any], key: Any, value: Any, hashes: KeyHashes) -> None:
    try:
        if not hashes.admit(key):
            raise HessianError("expected keys with different hashes, found many with the same")
        entries[key] = value
    except _HASH_ERRORS:
        raise HessianError("expected a key that can be hashed, found another") from None


def list_writer(ref: TypeRef, form: object, write: TypedWriter) -> TypedWriter:
    """The writer of a list or set with elements written by `write`; None aside.

    `form` stands for the type and the way it is written: a value that was written in this form is written as a
    reference.
    """
    title, type_name = str(ref), list_type(ref)
    source = Source("write_items(writer, value)")
    source.bind("title", title)
    source.bind("form", form)
    source.bind("wanted", (list, tuple) if ref.kind is Kind.LIST else (set, frozenset))
    source.bind("changeable", list if ref.kind is Kind.LIST else set)
    source.bind("reject", reject)
    source.bind("encode_int", encode_int)
    source.bind("changed", _changed)
    source.bind("ValueMappingError", ValueMappingError)
    source.add(
        1,
        """
if not isinstance(value, wanted):
    raise reject(title, value)
count = len(value)
refs = writer.refs
identity = id(value)
if not count and not isinstance(value, changeable):
    # Python has one empty tuple for all: its identity says nothing.
    writer.forms.append(form)
elif identity in refs:
    if writer.refer(value, form):
        return
else:
    forms = writer.forms
    refs[identity] = len(forms)
    forms.append(form)
writer.enter()
out = writer.out
""",
    )
    if type_name is not None:
        source.add(1, f"writer.begin_list({source.bind('type_name', type_name)}, count)")
    else:
        source.add(1, 'if count < 8:\n    out.append(0x78 + count)\nelse:\n    out += b"X" + encode_int(count)')
    source.add(1, "items = value\nat = 0\ntry:\n    for value in items:")
    add_write(source, 3, ref.args[0], write)
    source.add(
        1,
        """
        at += 1
except ValueMappingError as exc:
    raise exc.within("[%d]" % at) from None
if at != count:
    raise changed(title)
writer.depth += 1
""",
    )
    return source.build(f"writer of {title}")


def map_writer(ref: TypeRef, form: object, write_key: TypedWriter, write_value: TypedWriter) -> TypedWriter:
    """The writer of a map; None aside. `form` as for `list_writer`."""
    title, type_name = str(ref), map_type(ref)
    source = Source("write_entries(writer, value)")
    source.bind("title", title)
    source.bind("form", form)
    source.bind("reject", reject)
    source.bind("ValueMappingError", ValueMappingError)
    source.add(
        1,
        """
if not isinstance(value, dict):
    raise reject(title, value)
if writer.refer(value, form):
    return
writer.enter()
out = writer.out
""",
    )
    if type_name is not None:
        source.add(1, f"out.append(0x4D)\nwriter.write_type({source.bind('type_name', type_name)})")
    else:
        source.add(1, "out.append(0x48)")
    source.add(1, 'at = 0\npart = "key"\ntry:\n    for key, item in value.items():\n        value = key')
    add_write(source, 3, ref.args[0], write_key)
    source.add(3, 'value = item\npart = "value"')
    add_write(source, 3, ref.args[1], write_value)
    source.add(
        1,
        """
        at += 1
        part = "key"
except ValueMappingError as exc:
    raise exc.within("[%s %d]" % (part, at)) from None
out.append(0x5A)
writer.depth += 1
""",
    )
    return source.build(f"writer of {title}")


def _changed(title: str) -> ValueMappingError:
    return ValueMappingError(f"expected {title} that stays as it is, found one that changed while it was written")
