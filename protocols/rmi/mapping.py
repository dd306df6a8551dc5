"""Contract types as plain values in a pickle on rmi://, and what this wire cannot carry of a contract.

| type | in the pickle | read as well |
| --- | --- | --- |
| null, bool | None, True, False | |
| i8 … i64, bigint | int; range checked | |
| f32, f64 | float, with NaN, infinities and -0.0 | int that a double holds exactly |
| decimal | `decimal.Decimal`, finite | int |
| char, string | str; lone surrogates and U+0000 are kept | |
| bytes | bytes | bytearray |
| date, time, local_datetime | `datetime.date`, `.time`, `.datetime` without a zone | |
| datetime | `datetime.datetime` in UTC, microseconds | with any fixed zone |
| duration, uuid | `datetime.timedelta`, `uuid.UUID` | |
| list | list | tuple, `array.array` |
| set | set; list where elements are no scalars or enums | frozenset, list or tuple without an element twice |
| map | dict; list of pairs where keys are no scalars or enums | either |
| enum | its constant's name as str | `{"__class__": name, "name": constant}`, an object of its class |
| struct | dict of contract field names, with `__class__` | without `__class__`, an object of its class |
| exception | the same, its text as `message` | |
| any, calls without a contract | see below | |
| callback | refused when the contract is checked: nothing goes back on a connection but the reply | |

An object of its class is one that Python's pickler wrote of the contract's own Python class, or of one that is called
as the contract's type is (`demo.Maker`). It is read as data: fields that the contract does not know are left out, as
with dicts, and nothing of the class is run. Values nest 64 levels deep; what is shared is written, read and counted
each time, and what contains itself is refused.

A value of type any says what it is: the classes above as they are, and these as dicts with a `__class__`:

| value | dict |
| --- | --- |
| `Long` that 32 bits hold | `{"__class__": "$i64", "value": 7}` |
| `BigInt` that 64 bits hold | `{"__class__": "$bigint", "value": 7}` |
| `JavaDate` | `{"__class__": "$java.util.Date", "value": datetime}` |
| set of what cannot be an element of a Python set | `{"__class__": "$set", "value": [element, …]}` |
| map with such keys, or a key `__class__`; `Pairs`, `TypedMap` | the same with `$map`, `class` and pairs |
| `TypedList` | `{"__class__": "$list", "class": name, "value": [element, …]}` |
| `Record` with a field `__class__` | the same with `$record` and pairs of field and value |
| any other `Record` | dict of its fields with `__class__` |
| enum of the contract | `{"__class__": "demo.Status", "name": "ACTIVE"}` |

`class` is left out where it is empty. Scalars, lists and sets are read in these forms also where a contract has their
type: callers without one write them so. As in JSON, a plain int of 33 to 64 bits comes back as `Long`, a tuple as a
list; inside of a set, where they can be no lists and sets, as tuples and frozensets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.model.contract import ServiceContract
from gateway.model.typeref import SCALARS, Kind, TypeRef

__all__ = ["CLASS", "allowed_classes", "check_contract", "is_plain_key"]

CLASS: Final = "__class__"
"""The key under which a dict says what it stands for."""

_PLAIN_KEYS: Final = SCALARS | {Kind.ENUM}


def is_plain_key(ref: TypeRef) -> bool:
    """Whether values of the type are hashable in their plain form."""
    return ref.kind in _PLAIN_KEYS


def check_contract(contract: ServiceContract) -> list[str]:
    """What keeps a contract from being carried by rmi://; empty means fine."""
    return [
        f"{method.attribute}({method.params[at].name}): a callback; over rmi:// a service cannot call its caller"
        for method in contract.methods
        for at in method.callbacks
    ]


def allowed_classes(contract: ServiceContract) -> Mapping[tuple[str, str], str]:
    """Module and name of the classes whose objects may stand in a pickle, to the names of the contract's types."""
    found: dict[tuple[str, str], str] = {}
    for each in contract.types.values():
        cls = each.python_class
        module, _, name = each.name.rpartition(".")
        found[cls.__module__, cls.__qualname__] = found[module, name] = each.name
    return found
