"""How values of a foreign service stand in its messages: what the WSDL says beside the contract that was made of it.

A *shape* belongs to a type of a contract and says what is in the element. A *layout* says how the fields of one struct
are spread over attributes and elements. Both are found again from the same WSDL, so nothing of them is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.model.contract import StructType
from gateway.model.typeref import Kind, TypeRef

__all__ = [
    "ANYTHING", "XML", "All", "Anything", "Array", "AttributeUse", "Choice", "ElementUse", "EncodedArray", "Layout",
    "Particle", "RepeatedGroup", "Sequence", "Shape", "Simple", "Struct", "Wildcard", "Xml",
]  # fmt: skip


_ANY: Final = TypeRef(Kind.ANY, nullable=True)
_STRING: Final = TypeRef(Kind.STRING)


@dataclass(frozen=True, slots=True)
class Simple:
    """A text. `built_in`: local name of the type of XML Schema behind it. `constants`: of an enum, by their text.

    `item`: of a list between blanks. `type_name`: its expanded name, empty for a type without one.
    """

    ref: TypeRef
    built_in: str
    constants: Mapping[str, str] | None = None
    item: Simple | None = None
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class Struct:
    """Fields; the layout is found by `ref.name`."""

    ref: TypeRef
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class Array:
    """A list whose items are the only elements inside (`ArrayOfString`)."""

    ref: TypeRef
    element: ElementUse
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class EncodedArray:
    """A list as SOAP 1.1, section 5.4.2, has it. `type_name`: of the array's type, empty for `soapenc:Array`."""

    ref: TypeRef
    item: Shape
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class Anything:
    """A value that says itself what it is, as `xs:anyType`."""

    ref: TypeRef = _ANY
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class Xml:
    """What is inside of an element, as the text of its XML: for content that mixes text and elements."""

    ref: TypeRef = _STRING
    type_name: str = ""


Shape = Simple | Struct | Array | EncodedArray | Anything | Xml

ANYTHING: Final = Anything()
XML: Final = Xml()


@dataclass(frozen=True, slots=True)
class ElementUse:
    """An element of a content model. `field`: attribute of the field that holds it. `most`: None for any number."""

    field: str
    name: str
    shape: Shape
    least: int = 1
    most: int | None = 1
    nillable: bool = False


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Any elements; the field holds the XML of each as a text."""

    field: str
    least: int = 1
    most: int | None = 1


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other. `optional`: all of them may be missing."""

    parts: tuple[Particle, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class All:
    """Each in any order."""

    parts: tuple[Particle, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them."""

    parts: tuple[Particle, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class RepeatedGroup:
    """A group that may occur several times: the field is a list of structs, one for each time."""

    field: str
    struct: str
    least: int
    most: int | None


Particle = ElementUse | Wildcard | Sequence | All | Choice | RepeatedGroup


@dataclass(frozen=True, slots=True)
class AttributeUse:
    """An attribute."""

    field: str
    name: str
    shape: Simple
    required: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """How a struct is written. `text`: the field that is all that is inside, with its shape."""

    struct: StructType
    attributes: tuple[AttributeUse, ...] = ()
    content: Particle | None = None
    text: tuple[str, Simple | Xml] | None = None
    type_name: str = ""
    abstract: bool = False
