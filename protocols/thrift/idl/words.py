"""The annotations of Thrift files in which a contract says what Thrift has no words for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

__all__ = [
    "ATTRIBUTE",
    "DEFAULT",
    "DEPRECATED",
    "DOC",
    "IDEMPOTENT",
    "NAME",
    "NAMES",
    "REQUIRED",
    "ROUTE",
    "TYPE",
    "TYPES",
    "VALUE",
    "unique",
]

NAME: Final = "polyport.name"
"""The name in the contract; of a type or service with its package."""
ATTRIBUTE: Final = "polyport.attribute"
"""The name in Python."""
TYPE: Final = "polyport.type"
"""The contract type, see `gateway.model.type_text`: of a field, a parameter, a base type, or what a method returns."""
DEFAULT: Final = "polyport.default"
"""The default as JSON, see `gateway.jsonform`."""
REQUIRED: Final = "polyport.required"
"""`true`: null has to be said, or what else a default would be."""
IDEMPOTENT: Final = "polyport.idempotent"
"""`true`: repeating a call of the method does no harm."""
TYPES: Final = "polyport.types"
"""Types of a service that no method names, between commas."""
VALUE: Final = "polyport.value"
"""The Python value of an enum's constant as JSON, where it is not its number."""
DOC: Final = "polyport.doc"
"""Documentation that cannot stand in a comment."""
DEPRECATED: Final = "deprecated"
"""The reason; compilers know this one."""
NAMES: Final = ".name"
"""Behind a protocol: the name there, `java.name`."""
ROUTE: Final = ".route"
"""Behind a protocol: the address of a method there, `http.route`."""


def unique(name: str, taken: Collection[str]) -> str:
    """The name, or the first with a number behind that is not taken; upper and lower case are the same."""
    known = {each.lower() for each in taken}
    found, number = name, 1
    while found.lower() in known:
        number += 1
        found = f"{name}{number}"
    return found
