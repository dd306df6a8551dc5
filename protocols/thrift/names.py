"""How a contract is called in Thrift: services, methods, fields, enums, and their numbers.

Everything that needs one of these asks here: the codec, the check of a contract, an IDL.

Names that no compiler of Thrift takes (`delete`, `größe`) are changed as `protocols.thrift.identifier` says.

| what | name | number |
| --- | --- | --- |
| service | `names["thrift"]`; else the last part of the contract's name (`Catalog` of `demo.Catalog`) | |
| method | `names["thrift"]`; else its name; the Python name where it has overloads, of which Thrift has none | |
| parameter | its name | from 1 in order |
| declared exception of a method | `error`, or `error1`, `error2` … where there are several | from 1 in order |
| struct, enum | `names["thrift"]`; else the last part of its name | |
| exception | the same; its text is the field `message` | the text 1, fields from 2 in order |
| field | `names["thrift"]`; else its name | from 1 in order |
| constant of an enum | its name | its value where all constants have integers of 32 bits, else from 0 in order |

Numbers can be declared where a contract follows an IDL that exists:

- of a field: `names={"thrift": "7:createdAt"}`, or `"7:"` for the number alone;
- of parameters, and of declared exceptions: `names={"thrift": "find(2, 5) throws(1, 3)"}` of the method;
- of an exception's text: `names={"thrift": "NotFound(message=3)"}`, and `message=0` for none.

`names={"thrift": "Shape(union)"}` makes a struct a union: all its fields can be null, and just one is not.

A field without a number of its own has that of the one before and 1. So a field that is added at the end, or has a
number of its own, changes nothing for those who do not know it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.model.contract import EnumType, Field, MethodContract, NamedType, ServiceContract, StructType
from gateway.model.errors import ContractError
from protocols.thrift.identifier import identifier

__all__ = [
    "CONTEXT_FIELD",
    "PROTOCOL",
    "enum_values",
    "field_id",
    "field_ids",
    "field_name",
    "is_union",
    "message_id",
    "method_name",
    "param_ids",
    "service_name",
    "throws_ids",
    "throws_names",
    "type_name",
]

PROTOCOL: Final = "thrift"
CONTEXT_FIELD: Final = 32767
"""Id of the field beside arguments, results and errors in which two gateways tell each other what Thrift has no place
for (docs/thrift.md). It must not be used otherwise."""

_MAX_ID: Final = CONTEXT_FIELD - 1
_IDENTIFIER: Final = r"[A-Za-z_][A-Za-z0-9_.]*"
_NUMBERS: Final = r"[0-9]+(?:\s*,\s*[0-9]+)*"
_METHOD: Final = re.compile(
    rf"(?P<name>{_IDENTIFIER})?\s*(?:\((?P<params>{_NUMBERS})?\))?\s*(?:throws\s*\((?P<throws>{_NUMBERS})\))?"
)
_TYPE: Final = re.compile(rf"(?P<name>{_IDENTIFIER})?\s*(?:\((?:message=(?P<message>[0-9]+)|(?P<union>union))\))?")
_FIELD: Final = re.compile(rf"(?:(?P<id>[0-9]+):)?\s*(?P<name>{_IDENTIFIER})?")
_LEAST: Final = -(1 << 31)
_MOST: Final = (1 << 31) - 1


def service_name(contract: ServiceContract) -> str:
    """The name of a service."""
    return contract.names.get(PROTOCOL) or identifier(_last_part(contract.name))


def type_name(definition: NamedType) -> str:
    """The name of a struct, exception or enum."""
    return _parsed(_TYPE, definition.names, definition.name)["name"] or identifier(_last_part(definition.name))


def method_name(contract: ServiceContract, method: MethodContract) -> str:
    """The name under which a method is called, unique in its service."""
    said = _parsed(_METHOD, method.names, method.attribute)["name"]
    return said or identifier(method.name if len(contract.overloads(method.name)) == 1 else method.attribute)


def param_ids(method: MethodContract) -> Sequence[int]:
    """The numbers of a method's parameters."""
    return _listed(method, "params", len(method.params))


def throws_ids(method: MethodContract) -> Sequence[int]:
    """The numbers of the exceptions that a method declares; 0 is its result."""
    return _listed(method, "throws", len(method.throws))


def throws_names(method: MethodContract) -> Sequence[str]:
    """The names of the fields that hold them."""
    if len(method.throws) == 1:
        return ("error",)
    return tuple(f"error{at + 1}" for at in range(len(method.throws)))


def _listed(method: MethodContract, what: str, count: int) -> Sequence[int]:
    said = _parsed(_METHOD, method.names, method.attribute)[what]
    if said is None:
        return tuple(range(1, count + 1))
    ids = tuple(map(int, said.split(",")))
    if len(ids) != count:
        raise ContractError(f"{method.attribute}: {len(ids)} numbers for {count} {what}")
    _check(ids, method.attribute)
    return ids


def field_name(field: Field) -> str:
    """The name of a field."""
    return _parsed(_FIELD, field.names, field.name)["name"] or identifier(field.name)


def field_id(field: Field) -> int | None:
    """The number that a field declares."""
    said = _parsed(_FIELD, field.names, field.name)["id"]
    return None if said is None else int(said)


def field_ids(definition: StructType) -> Sequence[int]:
    """The numbers of the fields of a struct or exception, in the order of its fields."""
    ids: list[int] = []
    taken = message_id(definition) if definition.is_exception else 0
    before = 1 if definition.is_exception and taken == 1 else 0
    for field in definition.fields:
        said = field_id(field)
        before = before + 1 if said is None else said
        ids.append(before)
    _check([*ids, *([taken] if taken else [])], definition.name)
    return tuple(ids)


def message_id(definition: StructType) -> int:
    """The number of the field with an exception's text; 0 when it has none."""
    said = _parsed(_TYPE, definition.names, definition.name)["message"]
    return 1 if said is None else int(said)


def is_union(definition: StructType) -> bool:
    """Whether a struct is a union: exactly one of its fields is not null."""
    return _parsed(_TYPE, definition.names, definition.name)["union"] is not None


def enum_values(definition: EnumType) -> Mapping[str, int]:
    """The constants of an enum with their numbers."""
    members = definition.python_class
    values = [members[name].value for name in definition.constants]
    if all(type(each) is int and _LEAST <= each <= _MOST for each in values):
        return dict(zip(definition.constants, values, strict=True))
    return {name: at for at, name in enumerate(definition.constants)}


def _check(ids: Sequence[int], where: str) -> None:
    for each in ids:
        if not 1 <= each <= _MAX_ID:
            raise ContractError(f"{where}: {each} is no number for a field; they go from 1 to {_MAX_ID}")
    if len(set(ids)) != len(ids):
        raise ContractError(f"{where}: two fields have one number among {', '.join(map(str, ids))}")


def _parsed(pattern: re.Pattern[str], names: Mapping[str, str], where: str) -> re.Match[str]:
    said = names.get(PROTOCOL, "")
    found = pattern.fullmatch(said.strip())
    if found is None:
        raise ContractError(f"{where}: {said!r} is no name for Thrift; see protocols/thrift/names.py")
    return found


def _last_part(name: str) -> str:
    return name.rpartition(".")[2]
