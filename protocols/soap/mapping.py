"""webservice://: what the types of a contract are in SOAP messages, and what of a contract it cannot carry.

| type | type of XML Schema, and how it is written |
| --- | --- |
| null | no element, or `xsi:nil` where null is not what an absent element means |
| bool | `xs:boolean`, `true` and `false`. Read also: `1`, `0` |
| i8, i16, i32, i64 | `xs:byte`, `xs:short`, `xs:int`, `xs:long` |
| bigint | `xs:integer`, at most 10,000 digits |
| f32, f64 | `xs:float`, `xs:double`; `INF`, `-INF`, `NaN`, `-0.0` are themselves |
| decimal | `xs:decimal` with its scale; a positive exponent is an attribute of the derived type `scaledDecimal` |
| char | `xs:unsignedShort`, the number of a UTF-16 unit, as JAXB has it |
| string | `xs:string`, all blanks kept. U+0000 and what else XML 1.0 has no form for is refused |
| bytes | `xs:base64Binary`. Read also: with line breaks |
| date | `xs:date` without a zone; one that is read does not count |
| time | `xs:time` without a zone; refused with one |
| datetime | `xs:dateTime` in UTC, ending in Z. Read: any zone; refused without one |
| local_datetime | `localDateTime`, an `xs:dateTime` without a zone |
| duration | `xs:duration` of hours, minutes and seconds. Read also: days; years and months only as zero |
| uuid | `uuid`, an `xs:string` with a pattern |
| list, set | repeated elements, or a type of its own with elements `item` (`protocols.soap.shape`) |
| map | a type of its own with elements `entry`, each with `key` and `value`, in any order |
| enum | a simple type with the names of its constants |
| struct | a complex type; the order of elements does not count when it is read |
| exception | a complex type, its fields and `message`; an element of it in the detail of a fault |
| any | `xs:anyType` with `xsi:type` (`protocols.soap.any_writer`) |
| callback | refused when the contract is checked |

A parameter that has a default, and a parameter or field that may be null, may be left out. Names:
`protocols.soap.names`. Attachments, deadline, trace and the caller's name: `protocols.soap.context`. Faults:
`protocols.soap.fault`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model.contract import EnumType, ServiceContract
from protocols.soap.names import PROTOCOL, TypeNames, operation_names, response_name
from protocols.soap.text import is_name

__all__ = ["check_contract"]


def check_contract(contract: ServiceContract) -> list[str]:
    """What keeps a contract from being carried by webservice://; empty means fine."""
    return [*_callbacks(contract), *_elements(contract), *_types(contract)]


def _callbacks(contract: ServiceContract) -> Iterator[str]:
    for method in contract.methods:
        for at in method.callbacks:
            yield (
                f"{method.attribute}({method.params[at].name}): a callback; "
                "over webservice:// a service cannot call its caller"
            )


def _elements(contract: ServiceContract) -> Iterator[str]:
    """Elements that stand beside each other in the schema have different names."""
    names, types = operation_names(contract), TypeNames(contract)
    owners: dict[str, str] = {}
    for definition in contract.types.values():
        if not isinstance(definition, EnumType) and definition.is_exception:
            # Said so, because a method may be called as the exception is.
            owners[types.of_named(definition.name)] = f"exception {definition.name}"
    for method in contract.methods:
        operation = names[method.attribute]
        if not is_name(operation):
            yield f"{method.attribute}: {operation!r} is no name of an element"
        for element in (operation, response_name(operation)):
            owner = owners.setdefault(element, method.attribute)
            if owner != method.attribute:
                yield (
                    f"{method.attribute}: its element {element!r} is that of {owner}; "
                    f'give it another name with names={{"{PROTOCOL}": …}}'
                )
        for param in method.params:
            if not is_name(param.name):
                yield f"{method.attribute}({param.name}): no name of an element"


def _types(contract: ServiceContract) -> Iterator[str]:
    types = TypeNames(contract)
    owners: dict[str, str] = {}
    for name in contract.types:
        local = types.of_named(name)
        if not is_name(local):
            yield f"{name}: {local!r} is no name of a type"
        owner = owners.setdefault(local, name)
        if owner != name:
            yield f'{name}: its type {local!r} is that of {owner}; give it another name with names={{"{PROTOCOL}": …}}'
