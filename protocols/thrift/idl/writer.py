"""Contracts as Thrift files, which the compilers of other languages take and `reader` reads back as they were.

One file for each package of services, with all types they need. What Thrift has no words for stands in annotations
(`words`), wherever it does not follow from the rest (`rules`). Names and numbers are those on the wire
(`protocols.thrift.names`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from gateway.jsonform.default import default_text
from gateway.model.contract import (
    MISSING,
    EnumType,
    Field,
    MethodContract,
    NamedType,
    Param,
    ServiceContract,
    StructType,
)
from gateway.model.errors import ContractError
from gateway.model.outline import constants_of, outline_of
from gateway.model.python_name import TAKEN_IN_EXCEPTIONS, python_name
from gateway.model.reachable import key_types, method_types, reachable
from gateway.model.type_text import format_type
from gateway.model.typeref import Kind, TypeRef
from protocols.thrift import names
from protocols.thrift.identifier import identifier
from protocols.thrift.idl import words
from protocols.thrift.idl.constant import format_constant
from protocols.thrift.idl.lexer import plain_comment
from protocols.thrift.idl.rules import field_rule, implied_type, param_rule, thrift_type, written_type
from protocols.thrift.idl.syntax import Type

__all__ = ["write_thrift"]

_INDENT: Final = "  "
_ANY: Final = TypeRef(Kind.ANY, nullable=True)
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_NO_PACKAGE: Final = "services"
_IMMUTABLE: Final = "python.immutable"
"""The word of Apache's compiler for a struct that cannot be changed, and has a hash."""


def write_thrift(contracts: Sequence[ServiceContract]) -> Mapping[str, str]:
    """The text of files by name (`demo.thrift`).

    Raises:
        ContractError: a contract has what Thrift cannot carry, or two of one package differ in a type of one name.
    """
    packages: dict[str, dict[str, ServiceContract]] = {}
    for each in contracts:
        packages.setdefault(each.name.rpartition(".")[0], {})[each.name] = outline_of(each)
    return {
        f"{identifier(package or _NO_PACKAGE)}.thrift": _File(package, list(services.values())).write()
        for package, services in packages.items()
    }


class _Said(NamedTuple):
    """How a field or parameter is written: before its type, behind its name, and in annotations."""

    requiredness: str
    value: str
    notes: Mapping[str, str]


class _File:
    def __init__(self, package: str, services: Sequence[ServiceContract]) -> None:
        self._namespace = ".".join(map(identifier, package.split("."))) if package else ""
        self._services = services
        self._types: dict[str, NamedType] = {}
        for service in services:
            for callback in service.callbacks:
                raise ContractError(f"{service.name}: Thrift has no callbacks, and {callback} is one")
            for name, named in service.types.items():
                if self._types.setdefault(name, named) != named:
                    raise ContractError(f"there are two different types {name}")
        self._outline = ServiceContract("all", (), self._types)
        self._keys = self._structs_in_keys()
        self._called: dict[str, str] = {}
        for each in (*services, *self._types.values()):
            wanted = names.service_name(each) if isinstance(each, ServiceContract) else names.type_name(each)
            self._called[each.name] = words.unique(identifier(wanted), self._called.values())
        self._refs = {self._called[each.name]: TypeRef(_kind(each), name=each.name) for each in self._types.values()}

    def write(self) -> str:
        blocks = [f"namespace * {self._namespace}"] if self._namespace else []
        blocks += [self._enum(each) for each in self._types.values() if isinstance(each, EnumType)]
        blocks += [self._struct(each) for each in _in_order(self._types)]
        blocks += [self._service(each) for each in self._services]
        return "\n\n".join(blocks) + "\n"

    def _name_of(self, ref: TypeRef) -> str:
        return self._called[ref.name]

    def _implied(self, ref: TypeRef) -> TypeRef:
        """What the words for a type mean without any annotation."""
        return implied_type(written_type(ref, self._name_of), self._declared, self._annotated)

    def _declared(self, written: Type) -> TypeRef:
        return self._refs[written.name]

    def _annotated(self, text: str) -> TypeRef:
        raise AssertionError(f"nobody wrote the annotation {text!r}")

    def _about_names(self, declared: NamedType | ServiceContract, said: str) -> dict[str, str]:
        """The annotations about a declaration's names. `said`: what follows from the file beside the name itself."""
        called = self._called[declared.name]
        implied = f"{self._namespace or _NO_PACKAGE}.{called}"
        notes = {} if declared.name == implied else {words.NAME: declared.name}
        if called != identifier(declared.name.rpartition(".")[2]):
            said = f"{called}{said}"
        return {**notes, **_names(declared.names, said)}

    def _enum(self, enum: EnumType) -> str:
        values = constants_of(enum)
        called: list[str] = []
        lines = []
        for constant, number in names.enum_values(enum).items():
            name = words.unique(identifier(constant), called)
            called.append(name)
            notes = {} if name == constant else {words.NAME: constant}
            value = values[constant]
            if (type(value), value) != (int, number) and isinstance(value, str | int | float | None):
                notes[words.VALUE] = default_text(value, _ANY, self._outline)
            lines.append(f"{_INDENT}{name} = {number}{_annotations(notes)}")
        comment, about = _comment(enum.doc, "")
        return "\n".join(
            [
                *comment,
                f"enum {self._called[enum.name]} {{",
                ",\n".join(lines),
                f"}}{_annotations({**about, **self._about_names(enum, '')})}",
            ]
        )

    def _struct(self, struct: StructType) -> str:
        message = names.message_id(struct) if struct.is_exception else 0
        kind = "exception" if struct.is_exception else "union" if names.is_union(struct) else "struct"
        said = "(union)" if kind == "union" else f"(message={message})" if struct.is_exception and message != 1 else ""
        comment, about = _comment(struct.doc, "")
        lines = [*comment, f"{kind} {self._called[struct.name]} {{"]
        lines += [f"{_INDENT}{message}: optional string message;"] if message else []
        before = 1 if message == 1 else 0
        taken = set(TAKEN_IN_EXCEPTIONS) if struct.is_exception else set()
        for number, field in zip(names.field_ids(struct), struct.fields, strict=True):
            lines += self._field(struct, field, number, "" if number == before + 1 else f"{number}:", taken)
            before = number
        # In Python, what generated code makes of a struct is no key otherwise.
        frozen = {_IMMUTABLE: "true"} if struct.name in self._keys else {}
        return "\n".join([*lines, f"}}{_annotations({**about, **self._about_names(struct, said), **frozen})}"])

    def _field(self, struct: StructType, field: Field, number: int, said: str, taken: set[str]) -> Iterator[str]:
        """`said`: what the file says of its number for Thrift. `taken`: the attributes before it, to be added to."""
        called = names.field_name(field)
        form = self._form(field.type, field.default, is_union=names.is_union(struct))
        comment, about = _comment(field.doc, _INDENT)
        yield from comment
        notes = {**form.notes, **about}
        if called != field.name:
            notes[words.NAME] = field.name
        if field.attribute != python_name(field.name, taken):
            notes[words.ATTRIBUTE] = field.attribute
        taken.add(field.attribute)
        if field.deprecated:
            notes[words.DEPRECATED] = "true"
        notes.update(_names(field.names, said if called == identifier(field.name) else f"{said}{called}"))
        before = f"{form.requiredness} " if form.requiredness and not names.is_union(struct) else ""
        meant = thrift_type(field.type, self._name_of)
        yield f"{_INDENT}{number}: {before}{meant} {called}{form.value}{_annotations(notes)};"

    def _structs_in_keys(self) -> frozenset[str]:
        """The structs that stand in keys of maps and elements of sets, however deep."""
        fields = (field.type for each in self._types.values() if isinstance(each, StructType) for field in each.fields)
        methods = (ref for service in self._services for ref in method_types(service.methods))
        return reachable(key_types((*fields, *methods)), self._types)

    def _form(self, ref: TypeRef, default: Any, *, is_param: bool = False, is_union: bool = False) -> _Said:
        value = None if default is MISSING else format_constant(default, ref, self._name_of)
        requiredness = "" if value is not None and not ref.nullable else "optional"
        if default is MISSING and not ref.nullable:
            requiredness = "required"
        written = MISSING if value is None else default
        implied = self._implied(ref)
        if is_param:
            found, requiredness = param_rule(implied, written), ""
        else:
            found = field_rule(implied, "optional" if is_union else requiredness, written)
        notes = {} if found.ref == ref else {words.TYPE: format_type(ref)}
        if default is MISSING and found.default is not MISSING:
            notes[words.REQUIRED] = "true"
        elif default is not MISSING and value is None and not (found.default is None and default is None):
            notes[words.DEFAULT] = default_text(default, ref, self._outline)
        return _Said(requiredness, "" if value is None else f" = {value}", notes)

    def _service(self, service: ServiceContract) -> str:
        comment, about = _comment(service.doc, "")
        named = reachable(method_types(service.methods), service.types)
        notes = {**about, **self._about_names(service, "")}
        extra = [each for each in service.types if each not in named]
        if extra:
            notes[words.TYPES] = ",".join(extra)
        methods = [line for each in service.methods for line in self._method(service, each)]
        return "\n".join([*comment, f"service {self._called[service.name]} {{", *methods, f"}}{_annotations(notes)}"])

    def _method(self, service: ServiceContract, method: MethodContract) -> Iterator[str]:
        called = names.method_name(service, method)
        comment, about = _comment(method.doc, _INDENT)
        yield from comment
        params = list(self._params(method))
        throws = ", ".join(
            f"{number}: {self._called[ref.name]} {name}"
            for number, name, ref in zip(
                names.throws_ids(method), names.throws_names(method), method.throws, strict=True
            )
        )
        notes = dict(about)
        if method.returns.kind is not Kind.NULL and self._implied(method.returns) != method.returns:
            notes[words.TYPE] = format_type(method.returns)
        if called != method.name:
            notes[words.NAME] = method.name
        if method.attribute != python_name(called, ()):
            notes[words.ATTRIBUTE] = method.attribute
        if method.idempotent:
            notes[words.IDEMPOTENT] = "true"
        if method.deprecated is not None:
            notes[words.DEPRECATED] = method.deprecated
        notes.update({f"{protocol}{words.ROUTE}": route for protocol, route in method.routes.items()})
        alone = len(service.overloads(method.name)) == 1
        said = "" if called == identifier(method.name if alone else method.attribute) else called
        notes.update(_names(method.names, (said + _numbers(method)).strip()))
        start = f"{_INDENT}{'oneway ' if method.oneway else ''}{thrift_type(method.returns, self._name_of)} {called}("
        end = f"){f' throws ({throws})' if throws else ''}{_annotations(notes)};"
        if any("\n" in each or "/**" in each for each in params):
            yield start
            yield ",\n".join(params)
            yield f"{_INDENT}{end}"
        else:
            yield f"{start}{', '.join(each.strip() for each in params)}{end}"

    def _params(self, method: MethodContract) -> Iterator[str]:
        taken: list[str] = []
        for number, param in zip(names.param_ids(method), method.params, strict=True):
            called = words.unique(identifier(param.name), taken)
            taken.append(called)
            yield self._param(number, called, param)

    def _param(self, number: int, called: str, param: Param) -> str:
        form = self._form(param.type, param.default, is_param=True)
        comment, about = _comment(param.doc, _INDENT * 2)
        notes = {**form.notes, **about}
        if python_name(called, ("self",)) != param.name:
            notes[words.NAME] = param.name
        meant = thrift_type(param.type, self._name_of)
        line = f"{_INDENT * 2}{number}: {meant} {called}{form.value}{_annotations(notes)}"
        return "\n".join([*comment, line])


def _kind(named: NamedType) -> Kind:
    if isinstance(named, EnumType):
        return Kind.ENUM
    return Kind.EXCEPTION if named.is_exception else Kind.STRUCT


def _in_order(types: Mapping[str, NamedType]) -> Iterator[StructType]:
    """Structs, each behind those it holds as far as that is possible; exceptions last."""
    done: set[str] = set()

    def visit(struct: StructType) -> Iterator[StructType]:
        if struct.name in done:
            return
        done.add(struct.name)
        for name in sorted(reachable((field.type for field in struct.fields), types), key=list(types).index):
            inner = types[name]
            if isinstance(inner, StructType):
                yield from visit(inner)
        yield struct

    structs = [each for each in types.values() if isinstance(each, StructType)]
    for each in sorted(structs, key=lambda struct: struct.is_exception):
        yield from visit(each)


def _numbers(method: MethodContract) -> str:
    """What a file says for Thrift about the numbers of parameters and exceptions: nothing if they go from 1."""
    said = ""
    for numbers, start in ((names.param_ids(method), "("), (names.throws_ids(method), " throws(")):
        if list(numbers) != list(range(1, len(numbers) + 1)):
            said += f"{start}{', '.join(map(str, numbers))})"
    return said


def _names(said: Mapping[str, str], implied: str) -> dict[str, str]:
    """The annotations for names per protocol. `implied`: what readers make of the file for Thrift's own."""
    notes = {f"{protocol}{words.NAMES}": name for protocol, name in said.items() if protocol != names.PROTOCOL}
    if said.get(names.PROTOCOL, "") != implied:
        notes[f"{names.PROTOCOL}{words.NAMES}"] = said.get(names.PROTOCOL, "")
    return notes


def _annotations(notes: Mapping[str, str]) -> str:
    listed = ", ".join(f'{key} = "{text.translate(_ESCAPES)}"' for key, text in notes.items())
    return f" ({listed})" if listed else ""


def _comment(doc: str, indent: str) -> tuple[list[str], Mapping[str, str]]:
    """The lines of a comment; and an annotation instead, where a comment would not be read as what it was."""
    if not doc:
        return [], {}
    lines = doc.split("\n")
    if len(lines) == 1:
        text = f"/** {doc} */"
    else:
        text = "\n".join(["/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"])
    if "*/" in text[:-2] or plain_comment(text, "doc") != doc:
        return [], {words.DOC: doc}
    return [f"{indent}{text}"], {}
