"""Arguments of a call as they are typed on a command line.

Each is JSON (`7`, `"text"`, `[1, 2]`, `{"id": 7}`), `name=VALUE` with a JSON or bare value, or else bare text. With a
contract, text that was meant as text needs no quotes even where it looks like JSON: `find_by_name 42` passes "42" when
the parameter is a string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.contracts.binding import bind_arguments
from gateway.jsonform.generic import read_generic
from gateway.jsonform.reader import compile_reader
from gateway.jsonform.text import parse_json
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import BadRequest, ValueMappingError
from gateway.model.typeref import TypeRef

__all__ = ["Argument", "bind", "generic_values", "parse_argument"]

_NAMED: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
_LOOKS_LIKE_JSON: Final = re.compile(r"\s*[\[{\"]")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument. `name`: empty when it is positional. `value`: parsed JSON, or `text` itself where it is none."""

    name: str
    text: str
    value: Any


def parse_argument(text: str) -> Argument:
    """Reads one argument.

    Raises:
        ValueMappingError: it begins like a JSON array, object or text, and is none.
    """
    named = _NAMED.match(text)
    if named is not None:
        return Argument(named.group(1), named.group(2), _value(named.group(2)))
    return Argument("", text, _value(text))


def bind(
    overloads: Sequence[MethodContract], arguments: Sequence[Argument], contract: ServiceContract
) -> tuple[MethodContract, tuple[Any, ...]]:
    """Picks the overload and gives its argument values.

    JSON is taken by its own types first; only when nothing fits so, bare words are tried as text as well.

    Raises:
        BadRequest: no overload takes these arguments, or several do.
        ValueMappingError: a value does not fit; says which.
    """
    positional = [each for each in arguments if not each.name]
    named = {each.name: each for each in arguments if each.name}
    if len(positional) + len(named) != len(arguments):
        raise BadRequest("an argument is given twice by name")
    try:
        return bind_arguments(overloads, positional, named, contract, convert=_by_json)
    except (BadRequest, ValueMappingError):
        try:
            return bind_arguments(overloads, positional, named, contract, convert=_by_json_or_text)
        except (BadRequest, ValueMappingError):
            pass
        raise


def generic_values(arguments: Sequence[Argument]) -> list[Any]:
    """Values for a method without a contract: positional ones as they are, named ones together as a last map."""
    values = [read_generic(each.value) for each in arguments if not each.name]
    named: Mapping[str, Any] = {each.name: read_generic(each.value) for each in arguments if each.name}
    return [*values, named] if named else values


def _value(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueMappingError:
        if _LOOKS_LIKE_JSON.match(text):
            raise
        return text


def _by_json(argument: Any, ref: TypeRef, contract: ServiceContract) -> Any:
    return compile_reader(ref, contract)(argument.value if isinstance(argument, Argument) else argument)


def _by_json_or_text(argument: Any, ref: TypeRef, contract: ServiceContract) -> Any:
    try:
        return _by_json(argument, ref, contract)
    except ValueMappingError:
        if isinstance(argument, Argument) and not isinstance(argument.value, str):
            return compile_reader(ref, contract)(argument.text)
        raise
