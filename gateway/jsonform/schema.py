"""JSON Schema (2020-12) of contract types: what a writer of the type gives, and what a reader of it should be sent.

Readers take a little more (`gateway.jsonform`): pairs where a map is an object, dates and durations in other forms.
Patterns are regular expressions as ECMA-262 has them and are what the readers check; formats are those of JSON Schema
and of the OpenAPI format registry (https://spec.openapis.org/registry/format/).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform.bare_text import is_text_key
from gateway.jsonform.mismatch import NO_CALLBACK
from gateway.jsonform.reader import FieldName, contract_name
from gateway.jsonform.scalar_text import MAX_DIGITS
from gateway.jsonform.writer import Writers
from gateway.model.contract import MISSING, EnumType, Field, NamedType, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind, TypeRef

__all__ = ["Schemas", "json_schema"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_F32_MAX: Final = 3.4028234663852886e38
_F64_MAX: Final = 1.7976931348623157e308
_SPECIAL: Final = ("NaN", "Infinity", "-Infinity")
# Gregorian: every month has its days, and years their 29 February; for who makes texts out of the pattern.
_DAY: Final = "(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31"
_BY_FOUR: Final = "(0[48]|[2468][048]|[13579][26])"
_DATE: Final = f"((?!0000)[0-9]{{4}}-({_DAY})|([0-9]{{2}}{_BY_FOUR}|{_BY_FOUR}00)-02-29)"
_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_ZONE: Final = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_NUMBER: Final = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,9})?"
_DURATION: Final = r"-?P(?=.)([0-9]{1,8}D)?(T(?=.)([0-9]{1,11}H)?([0-9]{1,11}M)?([0-9]{1,13}(\.[0-9]{1,6})?S)?)?"
_BASE64: Final = "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


def _text(pattern: str, **more: Any) -> Mapping[str, Any]:
    return MappingProxyType({"type": "string", **more, "pattern": f"^{pattern}$"})


# What a text holds, where JSON has a text; also that of keys.
_TEXTS: Final[Mapping[Kind, Mapping[str, Any]]] = MappingProxyType(
    {
        Kind.BIGINT: _text("[+-]?[0-9]+", maxLength=MAX_DIGITS),
        Kind.DECIMAL: _text(_NUMBER, format="decimal", maxLength=MAX_DIGITS),
        Kind.CHAR: _text(r"[\u0000-\uffff]", minLength=1, maxLength=1),
        Kind.STRING: MappingProxyType({"type": "string"}),
        Kind.BYTES: _text(_BASE64, contentEncoding="base64"),
        Kind.DATE: _text(_DATE, format="date"),
        Kind.TIME: _text(_TIME, format="time-local"),
        Kind.DATETIME: _text(f"{_DATE}T{_TIME}{_ZONE}", format="date-time"),
        Kind.LOCAL_DATETIME: _text(f"{_DATE}T{_TIME}", format="date-time-local"),
        Kind.DURATION: _text(_DURATION),
        Kind.UUID: MappingProxyType({"type": "string", "format": "uuid"}),
    }
)
# Written as texts, because many a parser of JSON rounds numbers; numbers are read too.
_NUMBERS_TOO: Final = MappingProxyType({Kind.BIGINT: "integer", Kind.DECIMAL: "number"})
_EXAMPLES: Final[Mapping[Kind, Any]] = MappingProxyType(
    {
        Kind.NULL: None,
        Kind.BOOL: True,
        **dict.fromkeys((*INTEGER_RANGES,), 1),
        Kind.F32: 1.5,
        Kind.F64: 1.5,
        Kind.BIGINT: "12345678901234567890",
        Kind.DECIMAL: "19.90",
        Kind.CHAR: "a",
        Kind.STRING: "text",
        Kind.BYTES: "dGV4dA==",
        Kind.DATE: "2026-08-14",
        Kind.TIME: "09:26:53",
        Kind.DATETIME: "2026-08-14T09:26:53Z",
        Kind.LOCAL_DATETIME: "2026-08-14T09:26:53",
        Kind.DURATION: "PT1.5S",
        Kind.UUID: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        Kind.ANY: {"text": "anything"},
        Kind.CALLBACK: None,
    }
)
_KEY_EXAMPLES: Final = MappingProxyType({Kind.BOOL: "true", Kind.F32: "1.5", Kind.F64: "1.5"})


def json_schema(ref: TypeRef, contract: ServiceContract, *, ignore_unknown: bool = False) -> dict[str, Any]:
    """The schema of one type as a document of its own, with the types it names under `$defs`."""
    schemas = Schemas(ignore_unknown=ignore_unknown)
    schema = schemas.schema(ref, contract)
    return {"$schema": DIALECT, **schema, **({"$defs": schemas.definitions} if schemas.definitions else {})}


class Schemas:
    """Schemas that share their definitions, of any number of contracts.

    `prefix`: of the references to them. `ignore_unknown`, `field_name`: as for readers.

    Attributes:
        definitions: Schemas of the named types met so far, by contract name. Types of different contracts that have
            one name and are not the same are told apart by a number.
    """

    def __init__(
        self, *, prefix: str = "#/$defs/", ignore_unknown: bool = False, field_name: FieldName | None = None
    ) -> None:
        self.definitions: dict[str, Any] = {}
        self._prefix = prefix
        self._ignore_unknown = ignore_unknown
        self._field_name = contract_name if field_name is None else field_name
        self._met: dict[str, NamedType] = {}

    def schema(self, ref: TypeRef, contract: ServiceContract) -> dict[str, Any]:
        """The schema of a type."""
        schema = self._required(ref, contract)
        return _nullable(schema) if ref.nullable and ref.kind is not Kind.ANY else schema

    def exception(self, struct: StructType, contract: ServiceContract) -> dict[str, Any]:
        """The schema of an exception that says its class, as it stands in a problem document."""
        schema = self._object(struct, contract)
        properties = {"class": {"const": struct.name}, **schema["properties"]}
        required = ["class", *(each for each in schema.get("required", ()))]
        return {**schema, "properties": properties, "required": required}

    def example(self, ref: TypeRef, contract: ServiceContract) -> Any:
        """A JSON value of the type."""
        return self._example(ref, contract, ())

    def default(self, value: Any, ref: TypeRef, contract: ServiceContract) -> Any:
        """A default as JSON; `MISSING` when it has no form there."""
        if value is MISSING:
            return MISSING
        try:
            return Writers(contract, field_name=self._field_name).compile(ref)(value)
        except ValueMappingError:
            return MISSING

    def _required(self, ref: TypeRef, contract: ServiceContract) -> dict[str, Any]:
        kind = ref.kind
        if kind in INTEGER_RANGES:
            low, high = INTEGER_RANGES[kind]
            return {"type": "integer", "format": kind.value.replace("i", "int"), "minimum": low, "maximum": high}
        if kind in _TEXTS:
            schema = dict(_TEXTS[kind])
            if kind in _NUMBERS_TOO:
                schema["type"] = ["string", _NUMBERS_TOO[kind]]
            return schema
        match kind:
            case Kind.NULL:
                return {"type": "null"}
            case Kind.BOOL:
                return {"type": "boolean"}
            case Kind.F32 | Kind.F64:
                name, most = ("float", _F32_MAX) if kind is Kind.F32 else ("double", _F64_MAX)
                number = {"type": "number", "format": name, "minimum": -most, "maximum": most}
                return {"anyOf": [number, {"type": "string", "enum": list(_SPECIAL)}]}
            case Kind.LIST:
                return {"type": "array", "items": self.schema(ref.args[0], contract)}
            case Kind.SET:
                return {"type": "array", "items": self.schema(ref.args[0], contract), "uniqueItems": True}
            case Kind.MAP:
                return self._map(ref, contract)
            case Kind.CALLBACK:
                return {"not": {}, "description": NO_CALLBACK}
            case Kind.ANY:
                return {
                    "description": "Any value. Objects with `$type` and `value` stand for what JSON has no form for."
                }
        return {"$ref": self._prefix + self._named(ref.name, contract)}

    def _map(self, ref: TypeRef, contract: ServiceContract) -> dict[str, Any]:
        key, value = (self.schema(each, contract) for each in ref.args)
        if not is_text_key(ref.args[0]):
            pair = {"type": "array", "prefixItems": [key, value], "minItems": 2, "maxItems": 2}
            return {"type": "array", "items": pair, "uniqueItems": True, "description": "Pairs of key and value."}
        schema: dict[str, Any] = {"type": "object", "additionalProperties": value}
        if ref.args[0].kind is not Kind.STRING:
            schema["propertyNames"] = self._key(ref.args[0], key)
        return schema

    def _key(self, ref: TypeRef, schema: dict[str, Any]) -> dict[str, Any]:
        if ref.kind in INTEGER_RANGES:
            return {"pattern": _integer_pattern(*INTEGER_RANGES[ref.kind])}
        if ref.kind is Kind.BOOL:
            return {"enum": ["true", "false"]}
        if ref.kind in (Kind.F32, Kind.F64):
            return {"pattern": f"^({_NUMBER}|{'|'.join(_SPECIAL)})$"}
        return dict(_TEXTS[ref.kind]) if ref.kind in _TEXTS else schema

    def _named(self, name: str, contract: ServiceContract) -> str:
        definition = contract.types[name]
        plain = alias = _component(name)
        number = 1
        while (met := self._met.get(alias)) is not None and met != definition:
            number += 1
            alias = f"{plain}.{number}"
        if met is None:
            # Its place is taken before its fields are described: they may name it again.
            self._met[alias] = definition
            schema = self.definitions[alias] = {}
            schema.update(_enum(definition) if isinstance(definition, EnumType) else self._object(definition, contract))
        return alias

    def _object(self, struct: StructType, contract: ServiceContract) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        if struct.is_exception:
            properties["message"] = {"type": ["string", "null"], "description": "The exception's text."}
        required: list[str] = []
        for field in struct.fields:
            name = self._field_name(struct, field)
            properties[name] = self._field(field, contract)
            if not field.optional:
                required.append(name)
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        if struct.doc:
            schema["description"] = struct.doc
        if required:
            schema["required"] = required
        if not self._ignore_unknown:
            schema["additionalProperties"] = False
        return schema

    def _field(self, field: Field, contract: ServiceContract) -> dict[str, Any]:
        schema = self.schema(field.type, contract)
        if field.doc:
            schema["description"] = field.doc
        default = self.default(field.absent() if field.optional else MISSING, field.type, contract)
        if default is not MISSING:
            schema["default"] = default
        if field.deprecated:
            schema["deprecated"] = True
        return schema

    def _example(self, ref: TypeRef, contract: ServiceContract, inside: tuple[str, ...]) -> Any:
        kind = ref.kind
        if kind in _EXAMPLES:
            return _EXAMPLES[kind]
        if kind is Kind.ENUM:
            return contract.enum(ref).constants[0]
        if kind in (Kind.LIST, Kind.SET):
            return [] if _names(ref.args[0], inside) else [self._example(ref.args[0], contract, inside)]
        if kind is Kind.MAP:
            if any(_names(each, inside) for each in ref.args):
                return {} if is_text_key(ref.args[0]) else []
            key, value = (self._example(each, contract, inside) for each in ref.args)
            return (
                {_KEY_EXAMPLES.get(ref.args[0].kind, str(key)): value} if is_text_key(ref.args[0]) else [[key, value]]
            )
        struct = contract.struct(ref)
        if struct.name in inside and ref.nullable:
            return None
        inside = (*inside, struct.name)
        example: dict[str, Any] = {"message": "text"} if struct.is_exception else {}
        for field in struct.fields:
            recursive = _names(field.type, inside) and field.optional
            if not recursive:
                example[self._field_name(struct, field)] = self._example(field.type, contract, inside)
        return example


def _enum(definition: EnumType) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "enum": list(definition.constants)}
    if definition.doc:
        schema["description"] = definition.doc
    return schema


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = schema.get("type")
    if kinds is not None and "enum" not in schema:
        return {**schema, "type": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return {"anyOf": [schema, {"type": "null"}]}


def _names(ref: TypeRef, inside: tuple[str, ...]) -> bool:
    return ref.name in inside if ref.name else any(_names(each, inside) for each in ref.args)


def _component(name: str) -> str:
    # OpenAPI 3.1, section 4.8.7: keys of components are ^[a-zA-Z0-9._-]+$.
    return "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "_" for each in name)


def _integer_pattern(low: int, high: int) -> str:
    """Texts of the integers from `low` to `high`, which are `-high - 1` and `high`; no zeros in front."""
    return f"^(0|-?({_up_to(str(high))})|{low})$"


def _up_to(most: str) -> str:
    """A pattern for 1 to the number `most`."""
    parts = [f"[1-9][0-9]{{0,{len(most) - 2}}}"] if len(most) > 1 else []
    for place, digit in enumerate(most):
        lowest, highest = (1 if place == 0 else 0), int(digit) - 1
        if lowest <= highest:
            parts.append(f"{most[:place]}[{lowest}-{highest}][0-9]{{{len(most) - place - 1}}}")
    return "|".join([*parts, most])
