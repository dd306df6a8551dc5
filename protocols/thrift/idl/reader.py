"""Thrift files as contracts: outlines of all services of a file, with the types of what it includes.

What Thrift's words mean stands in `rules`, what annotations may add in `words`. A service that extends another has its
methods too. A union is a struct whose fields can all be null (`protocols.thrift.names`). Constants and typedefs are
looked through. The contract's names begin with the namespace for `*`, else `java`, else `py`, else any, else with the
name of the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeVar

from gateway.jsonform.default import read_default
from gateway.jsonform.text import parse_json
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
from gateway.model.document import Document
from gateway.model.errors import ContractError, ValueMappingError
from gateway.model.outline import Unmade, enum_outline
from gateway.model.python_name import TAKEN_IN_EXCEPTIONS, python_name
from gateway.model.reachable import key_types, method_types, reachable
from gateway.model.type_text import parse_type
from gateway.model.typeref import Kind, TypeRef
from protocols.thrift import names
from protocols.thrift.identifier import identifier
from protocols.thrift.idl import words
from protocols.thrift.idl.constant import read_constant
from protocols.thrift.idl.parser import parse
from protocols.thrift.idl.rules import Implied, field_rule, hashable, implied_type, param_rule
from protocols.thrift.idl.syntax import Enumeration, Function, Member, Pairs, Program, Record, Service, Type, Value

__all__ = ["read_thrift"]

_T = TypeVar("_T")
_NAMESPACES: Final = ("*", "java", "py")
_MAX_FILES: Final = 1000
_MAX_TYPEDEFS: Final = 64
_MAX_VALUES: Final = 1_000_000


def read_thrift(document: Document) -> Sequence[ServiceContract]:
    """The services that a document describes.

    Raises:
        ContractError: it is no Thrift, includes what cannot be read, or says what no contract can; with the line.
    """
    try:
        return _Reader(document).services()
    except RecursionError:
        raise ContractError(
            f"{document.location}: types, constants or includes that lead to others without end"
        ) from None


class _Reader:
    def __init__(self, document: Document) -> None:
        self._includes: dict[str, dict[str, Program]] = {}
        self._values_left = _MAX_VALUES
        self._programs: dict[str, Program] = {}
        self._main = self._load(document)
        self._taken: dict[str, tuple[str, str]] = {}
        self._types: dict[str, NamedType] = {}
        self._later: list[tuple[str, int, Callable[[], Any]]] = []
        self._declare()

    def _load(self, document: Document) -> Program:
        """The file and, behind it, what it includes; each once."""
        program = self._programs[document.location] = parse(document)
        if len(self._programs) > _MAX_FILES:
            raise ContractError(f"{document.location}: more than {_MAX_FILES} files")
        includes = self._includes[program.location] = {}
        for path, line in program.includes:
            try:
                found = document.refer(path)
            except ContractError as exc:
                _fail(program, line, str(exc))
            alias = path.rpartition("/")[2].rpartition(".")[0]
            includes[alias] = self._programs.get(found.location) or self._load(found)
        return program

    def services(self) -> Sequence[ServiceContract]:
        return [self._service(self._main, each) for each in self._main.services.values()]

    # Types

    def _declare(self) -> None:
        """Defines the types of all files."""
        for program in self._programs.values():
            for enum in program.enums.values():
                name = self._contract_name(program, enum)
                self._types[name] = self._enum(program, enum, name)
        records = [(program, each) for program in self._programs.values() for each in program.records.values()]
        # All names are known before the first type is read.
        kinds = [(self._contract_name(program, each), program, each) for program, each in records]
        for name, _, record in kinds:
            self._types[name] = StructType(name, Unmade, (), record.kind == "exception")
        for name, program, record in kinds:
            self._types[name] = self._record(program, record, name)
        for name, at, value in self._later:
            struct = self._outline.struct(TypeRef(Kind.STRUCT, name=name))
            fields = list(struct.fields)
            fields[at] = replace(fields[at], default=value())
            self._types[name] = replace(struct, fields=tuple(fields))

    @property
    def _outline(self) -> ServiceContract:
        return ServiceContract("all", (), self._types)

    def _contract_name(self, program: Program, declared: Enumeration | Record | Service) -> str:
        name = declared.annotations.get(words.NAME)
        if name is None:
            name = f"{_package(program)}.{declared.name}" if _package(program) else declared.name
        known = self._taken.setdefault(name, (program.location, declared.name))
        if known != (program.location, declared.name):
            _fail(program, declared.line, f"{name} is declared in {known[0]} too")
        return name

    def _enum(self, program: Program, enum: Enumeration, name: str) -> EnumType:
        constants: dict[str, Any] = {}
        numbers: dict[int, str] = {}
        number = -1
        for each in enum.constants:
            number = number + 1 if each.number is None else each.number
            if number in numbers:
                _fail(program, each.line, f"{each.name} has the number {number} of {numbers[number]}")
            numbers[number] = each.name
            constant, value = each.annotations.get(words.NAME, each.name), each.annotations.get(words.VALUE)
            constants[constant] = number if value is None else _json(program, each.line, value)
        try:
            said = "" if enum.name == identifier(name.rpartition(".")[2]) else enum.name
            return enum_outline(name, constants, _names(enum.annotations, said), _doc(enum))
        except (TypeError, ValueError) as exc:
            _fail(program, enum.line, f"{enum.name} cannot be an enum: {exc}")

    def _record(self, program: Program, record: Record, name: str) -> StructType:
        is_exception, is_union = record.kind == "exception", record.kind == "union"
        message = next((each for each in record.fields if is_exception and _is_message(each)), None)
        fields: list[Field] = []
        before = 1 if message is not None and message.number == 1 else 0
        taken: set[str] = set(TAKEN_IN_EXCEPTIONS) if is_exception else set()
        for member in record.fields:
            if member is message:
                continue
            number = _number(program, member)
            field = self._field(program, member, number if number != before + 1 else None, taken, is_union=is_union)
            before = number
            if callable(field.default):
                self._later.append((name, len(fields), field.default))
                field = replace(field, default=MISSING)
            fields.append(field)
        said = ""
        if is_exception and (message is None or message.number != 1):
            said = f"(message={0 if message is None else message.number})"
        elif is_union:
            said = "(union)"
        if record.name != identifier(name.rpartition(".")[2]):
            said = record.name + said
        made = StructType(name, Unmade, tuple(fields), is_exception, _names(record.annotations, said), _doc(record))
        try:
            names.field_ids(made)
        except ContractError as exc:
            _fail(program, record.line, str(exc))
        return made

    def _field(self, program: Program, member: Member, number: int | None, taken: set[str], *, is_union: bool) -> Field:
        """A field; its default is a function where it has one, which must wait until all types are known."""
        implied = self._implied(program, member, field_rule, "optional" if is_union else member.requiredness)
        name = member.annotations.get(words.NAME, member.name)
        attribute = member.annotations.get(words.ATTRIBUTE) or python_name(name, taken)
        taken.add(attribute)
        said = "" if number is None else f"{number}:"
        if identifier(name) != member.name:
            said += member.name
        deprecated = member.annotations.get(words.DEPRECATED, "false") != "false"
        return Field(
            name,
            implied.ref,
            attribute,
            implied.default,
            None,
            _names(member.annotations, said),
            _doc(member),
            deprecated,
        )

    def _implied(
        self, program: Program, member: Member, rule: Callable[[TypeRef, str, Any], Implied], requiredness: str
    ) -> Implied:
        ref = self._ref(program, member.type)
        written: Any = MISSING
        if member.value is not None:
            written = self._deferred(program, member, lambda of: self._constant(program, member.value, of))
        implied = rule(ref, requiredness, written)
        said = member.annotations.get(words.TYPE)
        if said is not None:
            implied = implied._replace(ref=self._annotated(program, member.line)(said))
        if words.REQUIRED in member.annotations:
            implied = implied._replace(default=MISSING)
        default = member.annotations.get(words.DEFAULT)
        if default is not None:
            implied = implied._replace(
                default=self._deferred(program, member, lambda of: read_default(default, of, self._outline))
            )
        of = implied.ref
        if callable(implied.default):
            read = implied.default
            implied = implied._replace(default=lambda: read(of))
        return implied

    def _deferred(self, program: Program, member: Member, read: Callable[[TypeRef], Any]) -> Callable[[TypeRef], Any]:
        def value(ref: TypeRef) -> Any:
            try:
                return read(ref)
            except (ContractError, ValueMappingError) as exc:
                _fail(program, member.line, f"{member.name}: {exc}")

        return value

    def _constant(self, program: Program, value: Value | None, ref: TypeRef) -> Any:
        assert value is not None
        return read_constant(value, ref, self._outline, lambda name: self._constant_named(program, name))

    def _constant_named(self, program: Program, name: str) -> Value | None:
        owner, short = self._owner(program, name)
        found = owner.constants.get(short)
        if found is None:
            return None
        # Constants in constants multiply.
        self._values_left -= _size(found[1])
        if self._values_left < 0:
            raise ContractError(f"constants of more than {_MAX_VALUES} values, each counted where it is meant")
        return found[1]

    def _owner(self, program: Program, name: str) -> tuple[Program, str]:
        """The file in which a name is declared, and the name there."""
        alias, _, short = name.partition(".")
        included = self._includes[program.location].get(alias)
        return (included, short) if included is not None and short else (program, name)

    def _ref(self, program: Program, written: Type) -> TypeRef:
        try:
            return implied_type(written, self._declared(program, 0), self._annotated(program, written.line))
        except ContractError as exc:
            _fail(program, written.line, str(exc))

    def _declared(self, program: Program, depth: int) -> Callable[[Type], TypeRef]:
        def find(written: Type) -> TypeRef:
            owner, name = self._owner(program, written.name)
            if name in owner.typedefs:
                if depth > _MAX_TYPEDEFS:
                    raise ContractError(f"{written.name} is a typedef of itself")
                meant = owner.typedefs[name]
                return implied_type(meant, self._declared(owner, depth + 1), self._annotated(owner, meant.line))
            if name in owner.enums:
                return TypeRef(Kind.ENUM, name=self._contract_name(owner, owner.enums[name]))
            if name in owner.records:
                record = owner.records[name]
                kind = Kind.EXCEPTION if record.kind == "exception" else Kind.STRUCT
                return TypeRef(kind, name=self._contract_name(owner, record))
            raise ContractError(f"there is no type {written.name}")

        return find

    def _annotated(self, program: Program, line: int) -> Callable[[str], TypeRef]:
        def read(text: str) -> TypeRef:
            try:
                return parse_type(text, self._types)
            except ContractError as exc:
                _fail(program, line, str(exc))

        return read

    # Services

    def _service(self, program: Program, service: Service) -> ServiceContract:
        name = self._contract_name(program, service)
        functions = list(self._functions(program, service, 0))
        called = Counter(each.annotations.get(words.NAME, each.name) for _, each in functions)
        taken: set[str] = set()
        methods = [self._method(owner, each, called, taken) for owner, each in functions]
        extra = [each for each in service.annotations.get(words.TYPES, "").split(",") if each]
        types = self._with_hashable_keys(methods)
        named = reachable(method_types(methods), types)
        for each in extra:
            if each not in types:
                _fail(program, service.line, f"there is no type {each}")
            named |= {each} | reachable([field.type for field in _fields(types[each])], types)
        short = identifier(name.rpartition(".")[2])
        said = "" if service.name == short else service.name
        return ServiceContract(
            name,
            tuple(methods),
            MappingProxyType({each: types[each] for each in types if each in named}),
            _names(service.annotations, said),
            _doc(service),
        )

    def _functions(self, program: Program, service: Service, depth: int) -> Iterator[tuple[Program, Function]]:
        """The methods, those of the service that it extends first."""
        if service.base:
            owner, name = self._owner(program, service.base)
            base = owner.services.get(name)
            if base is None or depth > _MAX_TYPEDEFS:
                _fail(program, service.line, f"there is no service {service.base} that {service.name} could extend")
            yield from self._functions(owner, base, depth + 1)
        yield from ((program, each) for each in service.functions)

    def _method(
        self, program: Program, function: Function, called: Mapping[str, int], taken: set[str]
    ) -> MethodContract:
        """`called`: how many methods have a name. `taken`: attributes of others."""
        annotations = function.annotations
        name = annotations.get(words.NAME, function.name)
        attribute = annotations.get(words.ATTRIBUTE) or python_name(function.name, taken)
        if attribute in taken:
            _fail(program, function.line, f"there are several methods {attribute}")
        taken.add(attribute)
        named = {"self"}
        params = [self._param(program, each, named) for each in function.params]
        for at in range(len(params) - 2, -1, -1):
            # In Python no parameter without a default can follow one that has it.
            if params[at + 1].default is MISSING:
                params[at] = replace(params[at], default=MISSING)
        if words.TYPE in annotations:
            returns = self._annotated(program, function.line)(annotations[words.TYPE])
        else:
            returns = TypeRef(Kind.NULL) if function.returns is None else self._ref(program, function.returns)
        throws = [self._ref(program, each.type) for each in function.throws]
        for each, ref in zip(function.throws, throws, strict=True):
            if ref.kind is not Kind.EXCEPTION:
                _fail(program, each.line, f"{ref.name or ref} is no exception")
        said = "" if function.name == identifier(name if called[name] == 1 else attribute) else function.name
        return MethodContract(
            name=name,
            params=tuple(params),
            returns=returns,
            attribute=attribute,
            throws=tuple(throws),
            oneway=function.oneway,
            idempotent=annotations.get(words.IDEMPOTENT) == "true",
            deprecated=_reason(annotations.get(words.DEPRECATED)),
            doc=_doc(function),
            names=_names(annotations, (said + _numbers(program, function)).strip()),
            routes=_by_protocol(annotations, words.ROUTE),
        )

    def _param(self, program: Program, member: Member, taken: set[str]) -> Param:
        implied = self._implied(program, member, lambda ref, _, value: param_rule(ref, value), "")
        default = implied.default() if callable(implied.default) else implied.default
        name = member.annotations.get(words.NAME) or python_name(member.name, taken)
        taken.add(name)
        return Param(name, implied.ref, default, _doc(member))

    def _with_hashable_keys(self, methods: Sequence[MethodContract]) -> dict[str, NamedType]:
        """The types, with what is in keys and sets as Python can hash it."""
        refs = [*method_types(methods), *(each.type for named in self._types.values() for each in _fields(named))]
        keys = reachable(key_types(refs), self._types)
        found = dict(self._types)
        for name in keys:
            named = found[name]
            if isinstance(named, StructType):
                fields = tuple(replace(each, type=hashable(each.type)) for each in named.fields)
                found[name] = replace(named, fields=fields)
        return found


def _fail(program: Program, line: int, message: str) -> NoReturn:
    at = f"{program.location}:{line}: "
    raise ContractError(message if message.startswith(f"{program.location}:") else f"{at}{message}")


def _size(value: Value) -> int:
    """How many values one is made of."""
    if isinstance(value, tuple):
        return 1 + sum(map(_size, value))
    return 1 + sum(_size(key) + _size(item) for key, item in value.items) if isinstance(value, Pairs) else 1


def _package(program: Program) -> str:
    for language in (*_NAMESPACES, *program.namespaces):
        if language in program.namespaces:
            parts = program.namespaces[language].split(".")
            return ".".join(each if each.isidentifier() else identifier(each) for each in parts if each)
    return identifier(program.location.rpartition("/")[2].partition(".")[0])


def _is_message(member: Member) -> bool:
    """Whether a field of an exception is its text."""
    return member.name == "message" and member.type.name == "string" and words.NAME not in member.annotations


def _number(program: Program, member: Member) -> int:
    if member.number is None:
        _fail(program, member.line, f"{member.name} has no number")
    return member.number


def _reason(said: str | None) -> str | None:
    """Why a method is deprecated."""
    return "deprecated" if said in ("", "true", "1") else said if said != "false" else None


def _doc(declared: Any) -> str:
    said: str | None = declared.annotations.get(words.DOC)
    return declared.doc if said is None else said


def _by_protocol(annotations: Mapping[str, str], suffix: str) -> Mapping[str, str]:
    found = {}
    for key, text in annotations.items():
        protocol = key.removesuffix(suffix)
        if protocol != key and "." not in protocol and protocol != "polyport" and text:
            found[protocol] = text
    return MappingProxyType(found)


def _names(annotations: Mapping[str, str], said: str) -> Mapping[str, str]:
    """Names per protocol. `said`: what the file itself says of Thrift's."""
    found = dict(_by_protocol(annotations, words.NAMES))
    if said and f"{names.PROTOCOL}{words.NAMES}" not in annotations:
        found[names.PROTOCOL] = said
    return MappingProxyType(found)


def _fields(named: NamedType) -> Sequence[Field]:
    return named.fields if isinstance(named, StructType) else ()


def _json(program: Program, line: int, text: str) -> Any:
    try:
        return parse_json(text)
    except ValueMappingError as exc:
        _fail(program, line, f"{text!r} is no JSON: {exc}")


def _numbers(program: Program, function: Function) -> str:
    """The numbers of parameters and exceptions, where they are not those that everybody would give."""
    said = ""
    for members, start in ((function.params, "("), (function.throws, " throws(")):
        numbers = [_number(program, each) for each in members]
        if numbers != list(range(1, len(numbers) + 1)):
            said += f"{start}{', '.join(map(str, numbers))})"
    return said
