"""Contract types as Thrift types, and what Thrift cannot carry of a contract.

| type | Thrift | in a string |
| --- | --- | --- |
| null (a method that returns nothing) | void: no field 0 in the result | |
| bool, i8, i16, i32, i64 | the same | |
| f32 | double; read to the nearest single | |
| f64 | double, with NaN, infinities and -0.0 | |
| bigint, decimal | string | `-12`, `19.90` |
| char, string | string, UTF-8; lone surrogates are refused | |
| bytes | binary | |
| datetime | i64: microseconds since 1970-01-01T00:00Z | |
| date, time, local_datetime, duration | string | ISO 8601, see `gateway.jsonform.scalar_text` |
| uuid | string; a uuid where the contract says `thrift="uuid"`; both are read | 8-4-4-4-12 |
| list, set, map | the same; a set or map with an element or key twice is refused | |
| enum | i32, see `protocols.thrift.names` | |
| struct | struct; unknown fields are passed over | |
| exception | exception; its text is the field `message` | |
| any | string | JSON, see `gateway.jsonform.generic` |
| callback | refused when the contract is checked | |

Null is a field that is not there. So null is refused as an element, key or value of a container, and where absent means
a default that is not null. A result of null is an empty result, which clients of other makes report as MISSING_RESULT.
A parameter or field that is absent takes its default, else null where its type has null, else the call is refused. A
known field of another type is refused as well, with its path: passing over it, as other readers do, would turn it into
null or a default in silence.

The JSON encoding has no map keys that are structs, lists, sets or maps; they are refused when one is written.

Names and numbers stand in `protocols.thrift.names`. A service without a contract is not carried: no value of Thrift
says what its fields are called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gateway.model.contract import EnumType, ServiceContract, StructType
from gateway.model.errors import ContractError
from protocols.thrift import names

__all__ = ["check_contract"]


def check_contract(contract: ServiceContract) -> list[str]:
    """What keeps a contract from being carried by thrift://; empty means fine."""
    found = [
        f"{method.attribute}({method.params[at].name}): a callback; over thrift:// a service cannot call its caller"
        for method in contract.methods
        for at in method.callbacks
    ]
    called: dict[str, str] = {}
    for method in contract.methods:
        found += _found(names.param_ids, method) + _found(names.throws_ids, method)
        try:
            name = names.method_name(contract, method)
        except ContractError:
            continue
        other = called.setdefault(name, method.attribute)
        if other != method.attribute:
            found.append(f"{method.attribute}: Thrift calls it {name}, as {other}; give it a name for thrift")
    for each in contract.types.values():
        found += _found(names.type_name, each)
        if isinstance(each, EnumType):
            continue
        found += _found(names.message_id, each) + _found(names.field_ids, each)
        found += _twice(each)
    return list(dict.fromkeys(found))


def _found(ask: Callable[[Any], Any], about: Any) -> list[str]:
    try:
        ask(about)
    except ContractError as exc:
        return [str(exc)]
    return []


def _twice(definition: StructType) -> Iterable[str]:
    try:
        called = [names.field_name(field) for field in definition.fields]
    except ContractError as exc:
        return [str(exc)]
    if definition.is_exception and names.message_id(definition):
        called.append("message")
    return [f"{definition.name}: two fields are called {each}" for each in set(called) if called.count(each) > 1]
