"""What a contract says beyond its WSDL, as attributes of the schema in a namespace of their own.

XML Schema lets attributes of other namespaces stand on everything, and tools pass over what they do not know. An
attribute stands only where the fact does not follow from the rest, by the rules of `protocols.soap.implied`; so a
WSDL that somebody changed says what it says, and one that was exported is read back as the contract it was.

In the document each has `contract-` in front (`contract-default`): PHP takes an attribute for one of XML Schema if only
their local names are the same.

| on | attribute | meaning |
| --- | --- | --- |
| schema | `name`, `names` | the contract's name; its names per protocol, as a JSON object |
| element of a request | `method`, `attribute`, `names`, `routes`, `idempotent`, `deprecated` | the method |
| type | `name`, `names`, `container` | contract name, names; `list`, `set` or `map` of a type that is one |
| enum | `values` | Python values of the constants, as a JSON object |
| element inside of others | `type`, `default` | `gateway.model.type_text`; the default as JSON |
| the same | `required` | `true`: it has no default, though it may be left out |
| the same | `attribute`, `names`, `deprecated` | of a field |
| schema | `types` | types that no method names, between blanks |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from protocols.soap.text import escape_attribute

__all__ = ["NAMESPACE", "PREFIX", "local_name", "note", "notes_text"]

NAMESPACE: Final = "urn:polyport:contract"
PREFIX: Final = "pp"


def local_name(key: str) -> str:
    """What the attribute for a note is called; nothing in XML Schema is."""
    return f"contract-{key}"


def note(value: str | Mapping[str, str]) -> str:
    """What a note says, as text: a mapping is a JSON object."""
    return value if isinstance(value, str) else json.dumps(dict(value))


def notes_text(notes: Mapping[str, str | Mapping[str, str]]) -> str:
    """Attributes, each with a blank in front; none for those that say nothing."""
    return "".join(
        f' {PREFIX}:{local_name(key)}="{escape_attribute(note(value))}"' for key, value in notes.items() if value
    )
