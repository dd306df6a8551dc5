"""Defaults of outlines (`gateway.model.outline`) as JSON, for what keeps them beside an IDL that cannot say them."""

from __future__ import annotations

import re
from typing import Any, Final

from gateway.jsonform.reader import compile_reader
from gateway.jsonform.text import format_json, parse_json
from gateway.jsonform.writer import compile_writer
from gateway.model.contract import ServiceContract
from gateway.model.instance import new_struct
from gateway.model.outline import StructValue, plain_default
from gateway.model.typeref import Kind, TypeRef

__all__ = ["default_text", "read_default"]

_NOT_PLAIN: Final = re.compile(r"[^ -~]")


def default_text(value: Any, ref: TypeRef, outline: ServiceContract) -> str:
    """The JSON of a plain default, in ASCII. Raises `ValueMappingError` for what has no form in JSON."""
    text = format_json(compile_writer(ref, outline)(_instance(value, ref, outline))).decode()
    return _NOT_PLAIN.sub(_escaped, text)


def read_default(text: str, ref: TypeRef, outline: ServiceContract) -> Any:
    """The plain default that JSON says. Raises `ValueMappingError` where it does not fit."""
    return plain_default(compile_reader(ref, outline)(parse_json(text)), ref, outline)


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _instance(value: Any, ref: TypeRef, outline: ServiceContract) -> Any:
    """A plain default as the writers of JSON take it: structs as objects."""
    if isinstance(value, StructValue):
        definition = outline.struct(ref)
        fields = {each.name: each for each in definition.fields}
        values = {fields[name].attribute: _instance(each, fields[name].type, outline) for name, each in value.values}
        return new_struct(definition, values)
    match ref.kind if value is not None else Kind.NULL:
        case Kind.LIST:
            return tuple(_instance(each, ref.args[0], outline) for each in value)
        case Kind.SET:
            return frozenset(_instance(each, ref.args[0], outline) for each in value)
        case Kind.MAP:
            return {_instance(k, ref.args[0], outline): _instance(v, ref.args[1], outline) for k, v in value.items()}
    return value
