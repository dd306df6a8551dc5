"""What a foreign description's names are in a contract.

| in the WSDL | in the contract |
| --- | --- |
| a namespace | the package that JAXB makes of it: `http://www.acme.com/go/shop.xsd` is `com.acme.go.shop` |
| portType, type, element of a fault | package and local name |
| a type without a name | that of what it stands in, and the element's with a capital |
| operation, element, attribute, part, constant | the local name |
| what no identifier has | an underscore: `in-stock` is `in_stock` |
| what begins with a digit | `value_` in front |
| keywords, and names that are taken | an underscore behind |
| types whose names are taken | a number behind, from 2 |

Names depend on the documents alone: they are given in the order in which things are declared.

Source of the rule for packages: Jakarta XML Binding 4.0, appendix D.5.1.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from typing import Final

from gateway.model.python_name import python_name

__all__ = ["TypeNamer", "identifier", "member_name", "package_of"]

_EXTENSION: Final = re.compile(r"\.(?:..|...|html)$")
_UNFIT: Final = re.compile(r"\W")


def identifier(text: str) -> str:
    """A text as an identifier; not necessarily one that is free."""
    made = _UNFIT.sub("_", text)
    if not made.strip("_"):
        made = "value" if text.strip() else "empty"
    made = made if made.isidentifier() else f"value_{made}"
    return made if made.isidentifier() else "value"


def member_name(text: str, taken: Collection[str]) -> str:
    """The attribute of a field, method or parameter."""
    return python_name(identifier(text), taken)


def package_of(namespace: str) -> str:
    """The package of a namespace; empty where there is nothing to make one of."""
    scheme, colon, rest = namespace.partition(":")
    if not colon:
        scheme, rest = "", namespace
    is_web = scheme.lower() in ("http", "https")
    if not is_web and scheme.lower() != "urn":
        rest = namespace
    tokens = [each for each in re.split(r"[/?#]" if is_web else r"[/:?#]", rest) if each]
    if not tokens:
        return ""
    if len(tokens) > 1:
        tokens[-1] = _EXTENSION.sub("", tokens[-1])
    first = tokens[0].partition(":")[0]
    labels = (first.replace("-", ".") if scheme.lower() == "urn" else first).split(".")
    labels.reverse()
    if labels[-1].lower() == "www":
        labels.pop()
    return ".".join(_segment(each) for each in (*labels, *tokens[1:]) if each)


def _segment(text: str) -> str:
    made = identifier(text.lower())
    made = made.removeprefix("value") if made.startswith("value_") and text[:1].isdigit() else made
    return f"{made}_" if keyword.iskeyword(made) else made


class TypeNamer:
    """The contract names of types; each is given once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def give(self, package: str, local: str) -> str:
        """A name in a package that nothing has yet."""
        plain = identifier(local)
        wanted = f"{package}.{plain}" if package else plain
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}{number}"
        self._taken.add(name)
        return name
