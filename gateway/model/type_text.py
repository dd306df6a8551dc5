"""Contract types with their hints as texts, for what keeps them beside an IDL.

`map<string,demo.User?>?`, `datetime{java=java.util.Date}`: hints stand between braces behind the type they belong to,
after the question mark of a type with null. In them `%` and two hexadecimal digits are a byte of UTF-8, for what would
end them. A named type that is called like one of the model has a point in front.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, unquote

from gateway.model.contract import EnumType, NamedType
from gateway.model.errors import ContractError
from gateway.model.typeref import SCALARS, Kind, TypeRef

__all__ = ["format_type", "parse_type"]

_WORD: Final = re.compile(r"\s*([^\s<>,?{}]+)\s*")
_HINTS: Final = re.compile(r"\{([^{}]*)\}")
_UNQUOTED: Final = "/:;@&+$!*'()[]#| "
_PLAIN: Final = {kind.value: kind for kind in (*SCALARS, Kind.ANY)}
_NESTED: Final = {"list": (Kind.LIST, 1), "set": (Kind.SET, 1), "map": (Kind.MAP, 2)}
_WORDS: Final = frozenset(_PLAIN) | frozenset(_NESTED)
_MAX_DEPTH: Final = 64


def format_type(ref: TypeRef) -> str:
    """The text of a type."""
    text = f"{ref.kind.value}<{','.join(map(format_type, ref.args))}>" if ref.args else ref.kind.value
    if ref.name:
        text = f".{ref.name}" if ref.name in _WORDS else ref.name
    text += "?" if ref.nullable else ""
    if not ref.hints:
        return text
    return f"{text}{{{','.join(f'{_quoted(key)}={_quoted(words)}' for key, words in ref.hints)}}}"


def parse_type(text: str, types: Mapping[str, NamedType] | Callable[[str], NamedType | None]) -> TypeRef:
    """The type of a text. `types`: what its names may mean.

    Raises:
        ContractError: it is none; says why.
    """
    find = types.get if isinstance(types, Mapping) else types
    ref, at = _parse(text, 0, find, 0)
    if text[at:].strip():
        raise ContractError(f"{text!r} is no type: {text[at:].strip()!r} is too much")
    return ref


def _parse(text: str, at: int, find: Callable[[str], NamedType | None], depth: int) -> tuple[TypeRef, int]:
    found = _WORD.match(text, at)
    if found is None or depth > _MAX_DEPTH:
        raise ContractError(f"{text!r} is no type")
    word, at = found[1], found.end()
    kind, args, name = _PLAIN.get(word), [], ""
    if word in _NESTED:
        kind, count = _NESTED[word]
        for index in range(count):
            at = _sign(text, at, "," if index else "<")
            inner, at = _parse(text, at, find, depth + 1)
            args.append(inner)
        at = _sign(text, at, ">")
    elif kind is None:
        name = word.removeprefix(".")
        named = find(name)
        if named is None:
            raise ContractError(f"{text!r} is no type: there is no {name}")
        kind = Kind.ENUM if isinstance(named, EnumType) else Kind.EXCEPTION if named.is_exception else Kind.STRUCT
    nullable = text.startswith("?", at)
    at += nullable
    hints: tuple[tuple[str, str], ...] = ()
    if (listed := _HINTS.match(text, at)) is not None:
        at = listed.end()
        pairs = (each.partition("=") for each in listed[1].split(","))
        hints = tuple(sorted((unquote(key).strip(), unquote(words)) for key, _, words in pairs))
    return TypeRef(kind, tuple(args), name, nullable, hints), at


def _sign(text: str, at: int, sign: str) -> int:
    while text.startswith(" ", at):
        at += 1
    if not text.startswith(sign, at):
        raise ContractError(f"{text!r} is no type: expected {sign!r} at character {at + 1}")
    return at + 1


def _quoted(text: str) -> str:
    return quote(text, safe=_UNQUOTED)
