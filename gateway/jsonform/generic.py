"""Values of type `any`, and of calls without a contract, as JSON that says what JSON alone cannot.

| value | JSON |
| --- | --- |
| null, bool, text | null, true and false, a text |
| integer of 32 bits; `Long` of 33 to 64 bits; integer beyond | a number |
| finite float | a number with a fraction or an exponent |
| list | an array |
| map with text keys | an object |
| `Record`, struct or exception of the contract | an object with the name as `class`; the text as `message` |
| `Long` that 32 bits hold | `{"$type": "i64", "value": 7}` |
| `BigInt` that 64 bits hold, integer beyond 2048 bits | `{"$type": "bigint", "value": "7"}` |
| NaN, infinities | `{"$type": "f64", "value": "NaN"}` |
| decimal, bytes, date, time, datetime, local_datetime, duration, uuid | the same with the type's name and text |
| `JavaDate` | `{"$type": "java.util.Date", "value": "2026-01-02T03:04:05Z"}` |
| enum of the contract | `{"$type": "demo.Status", "value": "ACTIVE"}` |
| set | `{"$type": "set", "value": […]}` |
| map with other keys, `Pairs` | `{"$type": "map", "value": [[key, value], …]}` |
| `TypedList`, `TypedMap` | `{"$type": "list", "class": "[int", "value": […]}`, the same with `map` |
| map that would be taken for one of these | as a map with other keys |
| `Record` with a field `class` or `$type` | `{"$type": "record", "class": "a.B", "value": [[name, value], …]}` |

So an object means something else than itself only when it has a text under `class`, or consists of `$type`, `value` and
maybe `class`. A value comes back as the value it was, except where no wire makes a difference: a tuple comes back as a
list, a frozenset as a set, an aware datetime in UTC, a plain integer of 33 to 64 bits as `Long`, `Pairs` whose keys can
be hashed as a map. What has no form is refused with its path: a container inside itself, classes without a contract.

`show_generic` is for people: it leaves out what only says the type, a container inside itself becomes `{"$ref": n}`,
where n counts the containers of the output from 0 in the order they open, and an unknown dataclass or exception stands
under its Python name.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.jsonform.generic_reader import ReadNamed, read_generic
from gateway.jsonform.generic_writer import show_generic
from gateway.jsonform.writer import compile_writer
from gateway.model.contract import ServiceContract
from gateway.model.typeref import Kind, TypeRef

__all__ = ["ReadNamed", "read_generic", "show_generic", "to_json_generic"]

_ANY: Final = TypeRef(Kind.ANY, nullable=True)
_NO_CONTRACT: Final = ServiceContract("", ())


def to_json_generic(value: Any, contract: ServiceContract | None = None) -> Any:
    """A value of type `any` as values `format_json` writes. `contract`: whose classes it may hold.

    Raises:
        ValueMappingError: nested deeper than 64 levels or containing itself, too large, or something in it has no form;
            `path` says where.
    """
    return compile_writer(_ANY, _NO_CONTRACT if contract is None else contract)(value)
