"""Defaults of a contract as Python expressions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.contracts.source_names import ModuleNames
from gateway.model.contract import ServiceContract
from gateway.model.outline import StructValue, plain_default
from gateway.model.typeref import Kind, TypeRef

__all__ = ["ValueText", "is_literal", "quoted"]

_LITERALS: Final = frozenset(
    {Kind.BOOL, Kind.I8, Kind.I16, Kind.I32, Kind.I64, Kind.BIGINT, Kind.CHAR, Kind.STRING, Kind.BYTES}
)


def is_literal(value: Any, ref: TypeRef) -> bool:
    """Whether a value is written without a name that something else could bear too."""
    if ref.kind in (Kind.F32, Kind.F64):
        return value is None or math.isfinite(value)
    return value is None or ref.kind in _LITERALS


def quoted(value: Any) -> str:
    """A literal; texts between double quotes wherever they contain none."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{quoted(key)}: {quoted(item)}' for key, item in value.items())}}}"
    text = repr(value)
    if isinstance(value, str) and '"' not in text and text.startswith("'"):
        return f'"{text[1:-1]}"'
    return text


class ValueText:
    """Writes values of the types of one contract. `class_name`: what the module calls the class of a contract type."""

    def __init__(self, contract: ServiceContract, names: ModuleNames, class_name: Callable[[str], str]) -> None:
        self._contract = contract
        self._names = names
        self._class_name = class_name

    def write(self, value: Any, ref: TypeRef, *, frozen: bool) -> str:
        """An expression that gives the value. `frozen`: nobody can change what it gives; else each time a new one."""
        return self._write(plain_default(value, ref, self._contract), ref, frozen=frozen)

    def _write(self, value: Any, ref: TypeRef, *, frozen: bool) -> str:
        if value is None:
            return "None"
        match ref.kind:
            case Kind.F32 | Kind.F64:
                return repr(float(value)) if math.isfinite(value) else f'float("{float(value)}")'
            case Kind.DECIMAL:
                return f'{self._names.use("decimal", "Decimal")}("{value}")'
            case Kind.UUID:
                return f'{self._names.use("uuid", "UUID")}("{value}")'
            case Kind.DATE | Kind.TIME:
                return f'{self._names.use("datetime", ref.kind.value)}.fromisoformat("{value.isoformat()}")'
            case Kind.DATETIME | Kind.LOCAL_DATETIME:
                return f'{self._names.use("datetime", "datetime")}.fromisoformat("{value.isoformat()}")'
            case Kind.DURATION:
                parts = (("days", value.days), ("seconds", value.seconds), ("microseconds", value.microseconds))
                given = ", ".join(f"{unit}={number}" for unit, number in parts if number)
                return f"{self._names.use('datetime', 'timedelta')}({given})"
            case Kind.LIST | Kind.SET | Kind.MAP:
                return self._container(value, ref, frozen=frozen)
            case Kind.ENUM:
                return f"{self._class_name(ref.name)}[{quoted(value.name)}]"
            case Kind.STRUCT:
                return self._struct(value, frozen=frozen)
        return quoted(value)

    def _container(self, value: Any, ref: TypeRef, *, frozen: bool) -> str:
        if ref.kind is Kind.MAP:
            key, item = ref.args
            pairs = (
                f"{self._write(each, key, frozen=True)}: {self._write(value[each], item, frozen=frozen)}"
                for each in value
            )
            text = f"{{{', '.join(pairs)}}}"
            return f"{self._names.use('types', 'MappingProxyType')}({text})" if frozen else text
        hashable = frozen or ref.hint("python") is not None
        each_is_frozen = frozen or ref.kind is Kind.SET
        elements = [self._write(each, ref.args[0], frozen=each_is_frozen) for each in value]
        if ref.kind is Kind.SET:
            # The order of a set is by chance; text that is written twice shall be the same.
            listed = ", ".join(sorted(elements))
            return f"{'frozenset' if hashable else 'set'}({f'({listed},)' if listed else ''})"
        if hashable:
            return f"({', '.join(elements)}{',' if len(elements) == 1 else ''})"
        return f"[{', '.join(elements)}]"

    def _struct(self, value: StructValue, *, frozen: bool) -> str:
        fields = {each.name: each for each in self._contract.struct(TypeRef(Kind.STRUCT, name=value.name)).fields}
        given = (
            f"{fields[name].attribute}={self._write(each, fields[name].type, frozen=frozen)}"
            for name, each in value.values
        )
        return f"{self._class_name(value.name)}({', '.join(given)})"
