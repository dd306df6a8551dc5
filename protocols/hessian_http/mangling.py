"""The names under which overloads are called: `find_string_int`, `find__2`.

A name that several methods share says nothing about which is meant. Callers that know about it put the types of the
parameters behind it, or their number; the plain name means the one that the arguments fit.

| Java type | tag |
| --- | --- |
| `boolean`, `Boolean` | `boolean` |
| `byte`, `short`, `int` and their boxes | `int` |
| `long`, `Long` | `long` |
| `float`, `double` and their boxes | `double` |
| `char`, `Character`, `String` | `string` |
| `java.util.Date` | `date` |
| `byte[]`, `InputStream` | `binary` |
| other arrays | `[` and the tag of their elements |
| everything else | the class, without its package (`List`, `Thread$State`); in the second scheme with it |

Source: com.caucho:hessian 4.0: com/caucho/services/server/AbstractSkeleton.java (`mangleName`, `mangleClass`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["counted_name", "mangled_name", "split_count"]

_TAGS: Final = {
    "boolean": "boolean",
    "java.lang.Boolean": "boolean",
    "byte": "int",
    "java.lang.Byte": "int",
    "short": "int",
    "java.lang.Short": "int",
    "int": "int",
    "java.lang.Integer": "int",
    "long": "long",
    "java.lang.Long": "long",
    "float": "double",
    "java.lang.Float": "double",
    "double": "double",
    "java.lang.Double": "double",
    "char": "string",
    "java.lang.Character": "string",
    "java.lang.String": "string",
    "java.lang.StringBuffer": "string",
    "java.util.Date": "date",
    "byte[]": "binary",
    "java.io.InputStream": "binary",
}


def mangled_name(name: str, java_types: Sequence[str], *, full: bool = False) -> str:
    """The name of a method with parameters of these types (`java.lang.String[]`). `full`: classes with packages."""
    return "_".join((name, *(_tag(each, full) for each in java_types)))


def counted_name(name: str, count: int) -> str:
    """The name of a method with so many parameters."""
    return f"{name}__{count}"


def split_count(name: str) -> tuple[str, int] | None:
    """The inverse of `counted_name`; None for all other names."""
    plain, marks, digits = name.rpartition("__")
    if not (plain and marks and digits.isascii() and digits.isdecimal() and len(digits) <= 3):
        return None
    return plain, int(digits)


def _tag(java_type: str, full: bool) -> str:
    tag = _TAGS.get(java_type)
    if tag is not None:
        return tag
    if java_type.endswith("[]"):
        return "[" + _tag(java_type[:-2], full)
    return java_type if full else java_type.rpartition(".")[2]
