"""Dataclasses, enums and exceptions read as the named types of a contract."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.contracts.declaration import TypeNote, note_of
from gateway.contracts.docstring import class_docstring, split_docstring
from gateway.contracts.hint import ANY, HintReader, resolve_hint, where_defined
from gateway.model.contract import MISSING, EnumType, Field, NamedType, StructType
from gateway.model.fault import ServiceError
from gateway.model.typeref import Kind, TypeRef

__all__ = ["Definitions", "is_contract_name", "read_names", "unhashable_reason"]

_RESERVED_IN_EXCEPTIONS: Final = frozenset(dir(ServiceError)) - frozenset(dir(object))


class Definitions:
    """The named types of one contract, collected while its methods are read.

    `package`: what unnamed classes are put into, empty for none. `service`: the contract's own name, which no type
    may have. `report`: takes a place and what is wrong there.
    """

    def __init__(self, package: str, service: str, report: Callable[[str, str], None]) -> None:
        self._package = package
        self._owners: dict[str, type[Any] | None] = {service: None}
        self._names: dict[type[Any], str] = {}
        self._report = report
        self.hints: Final = HintReader(self.name_of, report)

    def name_of(self, cls: type[Any], where: str) -> str:
        """The contract name of a class; it will be defined by `define`."""
        known = self._names.get(cls)
        if known is not None:
            return known
        note = note_of(cls)
        given = note.name if isinstance(note, TypeNote) else ""
        name = given or (f"{self._package}.{cls.__name__}" if self._package else cls.__name__)
        self._names[cls] = name
        if not is_contract_name(name):
            self._report(cls.__qualname__, f"{name!r} is no name for a type; use identifiers joined by dots")
        if name in self._owners:
            other = self._owners[name]
            taken_by = "the service" if other is None else f"{other.__module__}.{other.__qualname__}"
            message = f"{cls.__module__}.{cls.__qualname__} has the contract name {name!r} of {taken_by}"
            self._report(where, f"{message}; give it another one with name=")
        else:
            self._owners[name] = cls
        return name

    def define(self) -> Mapping[str, NamedType]:
        """Defines every class that was named, and every class those name; in the order they were met."""
        defined: dict[str, NamedType] = {}
        done = 0
        while done < len(self._names):
            cls, name = list(self._names.items())[done]
            done += 1
            definition = self._define_enum(cls, name) if issubclass(cls, enum.Enum) else self._define_struct(cls, name)
            defined.setdefault(name, definition)
        return MappingProxyType(defined)

    def _define_enum(self, cls: type[enum.Enum], name: str) -> EnumType:
        where = cls.__qualname__
        for alias, member in cls.__members__.items():
            if alias != member.name:
                message = f"{alias} is an alias of {member.name}, so it has no name of its own; give it another value"
                self._report(f"{where}.{alias}", message)
        constants = tuple(member.name for member in cls)
        if not constants:
            self._report(where, "an enum without constants has no values")
        for constant in constants:
            if not constant.isidentifier():
                self._report(where, f"{constant!r} is no name for a constant; use an identifier")
        names, doc = self._read_note(cls)
        return EnumType(name, cls, constants, names, split_docstring(doc)[0])

    def _define_struct(self, cls: type[Any], name: str) -> StructType:
        is_exception = issubclass(cls, ServiceError)
        self._check_class(cls, is_exception=is_exception)
        names, doc = self._read_note(cls)
        text, docs = split_docstring(doc)
        reserved = _RESERVED_IN_EXCEPTIONS if is_exception else frozenset()
        for each in dataclasses.fields(cls):
            if each.name in reserved:
                self._report(f"{cls.__qualname__}.{each.name}", "every exception has this already; rename it")
        fields = tuple(
            self._read_field(cls, each, docs) for each in dataclasses.fields(cls) if each.name not in reserved
        )
        owners: dict[str, str] = {}
        for field in fields:
            owner = owners.setdefault(field.name, field.attribute)
            if owner != field.attribute:
                where = f"{cls.__qualname__}.{field.attribute}"
                self._report(where, f"{owner} has the contract name {field.name!r} too")
        return StructType(name, cls, fields, is_exception, names, text)

    def _check_class(self, cls: type[Any], *, is_exception: bool) -> None:
        where = cls.__qualname__
        if "__dataclass_fields__" not in cls.__dict__:
            self._report(where, "it inherits from a dataclass and is none itself; decorate it with @dataclass")
        elif is_exception and cls.__dict__["__dataclass_params__"].init:
            self._report(where, "a ServiceError is a dataclass already; remove @dataclass")
        if not isinstance(cls.__new__, types.BuiltinFunctionType):
            self._report(where, "values are built without its code running, so it cannot define __new__")
        for attribute, annotation in inspect.get_annotations(cls).items():
            if "InitVar" in str(annotation):
                self._report(f"{where}.{attribute}", "an InitVar is no data; make it a field")

    def _read_field(self, cls: type[Any], field: dataclasses.Field[Any], docs: Mapping[str, str]) -> Field:
        where = f"{cls.__qualname__}.{field.name}"
        ref, doc = self._read_hint(cls, field, where)
        name = field.metadata.get("name", field.name)
        if not (isinstance(name, str) and name.isidentifier()):
            self._report(where, f"{name!r} is no name for a field; use an identifier")
        return Field(
            name=str(name),
            type=ref,
            attribute=field.name,
            default=MISSING if field.default is dataclasses.MISSING else field.default,
            default_factory=None if field.default_factory is dataclasses.MISSING else field.default_factory,
            names=read_names(field.metadata.get("names", {}), where, self._report),
            doc=doc or str(field.metadata.get("doc", "")) or docs.get(field.name, ""),
            deprecated=bool(field.metadata.get("deprecated", False)),
        )

    def _read_hint(self, cls: type[Any], field: dataclasses.Field[Any], where: str) -> tuple[TypeRef, str]:
        owner = where_defined(cls, field.name)
        module = sys.modules.get(owner.__module__)
        try:
            hint = resolve_hint(field.type, owner, vars(module) if module is not None else {})
        except Exception as exc:  # evaluating somebody's annotation can raise anything
            self._report(where, f"the hint {field.type!r} cannot be read: {exc}")
            return ANY, ""
        return self.hints.read(hint, where)

    def _read_note(self, cls: type[Any]) -> tuple[Mapping[str, str], str | None]:
        note = note_of(cls)
        if not isinstance(note, TypeNote):
            return MappingProxyType({}), class_docstring(cls)
        doc = class_docstring(cls) if note.doc is None else note.doc
        return read_names(note.names, cls.__qualname__, self._report), doc


def is_contract_name(name: str) -> bool:
    """Whether this can name a service or type: identifiers joined by dots."""
    return all(part.isidentifier() for part in name.split("."))


def read_names(names: Any, where: str, report: Callable[[str, str], None]) -> Mapping[str, str]:
    """Names per protocol, checked: non-empty texts by non-empty texts."""
    if not isinstance(names, Mapping) or not all(
        isinstance(protocol, str) and protocol and isinstance(name, str) and name for protocol, name in names.items()
    ):
        report(where, f'names= maps protocols to names, like {{"java": "com.acme.Order"}}; found {names!r}')
        return MappingProxyType({})
    return MappingProxyType(dict(names))


def unhashable_reason(ref: TypeRef, defined: Mapping[str, NamedType]) -> str | None:
    """Why values of a type cannot be map keys or set elements, and what to use instead; None when they can."""
    return _unhashable_reason(ref, defined, set())


def _unhashable_reason(ref: TypeRef, defined: Mapping[str, NamedType], seen: set[str]) -> str | None:
    match ref.kind:
        case Kind.ANY:
            return "any may hold lists and maps; name the type"
        case Kind.MAP:
            return "a map is not hashable"
        case Kind.LIST if ref.hint("python") != "tuple":
            return "a list is not hashable; use tuple[T, ...]"
        case Kind.SET if ref.hint("python") != "frozenset":
            return "a set is not hashable; use frozenset[T]"
        case Kind.LIST | Kind.SET:
            return _unhashable_reason(ref.args[0], defined, seen)
        case Kind.STRUCT if ref.name not in seen:
            seen.add(ref.name)
            return _unhashable_struct(defined.get(ref.name), defined, seen)
    return None


def _unhashable_struct(struct: NamedType | None, defined: Mapping[str, NamedType], seen: set[str]) -> str | None:
    if not isinstance(struct, StructType):
        return None
    cls = struct.python_class
    hash_function: Any = cls.__hash__
    if hash_function is None:
        return f"{cls.__qualname__} is not hashable; make it @dataclass(frozen=True)"
    if hash_function is object.__hash__:
        return f"{cls.__qualname__} is hashed by identity, so an equal key is not found; use @dataclass(frozen=True)"
    for field in struct.fields:
        reason = _unhashable_reason(field.type, defined, seen)
        if reason is not None:
            return f"{cls.__qualname__}.{field.attribute}: {reason}"
    return None
