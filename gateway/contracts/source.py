"""Contracts written as Python: the module that describes them with type hints.

What `gateway.contracts.contract_of` reads from the module is what was written. This is how a contract out of an IDL
gets its classes (`gateway.contracts.module`), and what `polyport import` gives to people who want to see or change it.
Docstrings keep their words, not their line breaks around an `Args:` of their own.
"""

from __future__ import annotations

import keyword
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gateway.contracts.source_names import ModuleNames
from gateway.contracts.source_values import ValueText, is_literal, quoted
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
from gateway.model.reachable import key_types, method_types, reachable
from gateway.model.typeref import Kind, TypeRef

__all__ = ["python_source"]

_INDENT: Final = "    "
_WIDTH: Final = 120
_BUILTIN: Final = {Kind.BOOL: "bool", Kind.STRING: "str", Kind.BYTES: "bytes", Kind.I64: "int", Kind.F64: "float"}
_STANDARD: Final = {
    Kind.DECIMAL: ("decimal", "Decimal"),
    Kind.UUID: ("uuid", "UUID"),
    Kind.DATE: ("datetime", "date"),
    Kind.TIME: ("datetime", "time"),
    Kind.DATETIME: ("datetime", "datetime"),
    Kind.DURATION: ("datetime", "timedelta"),
}
_WIDTHS: Final = {
    Kind.I8: "I8",
    Kind.I16: "I16",
    Kind.I32: "I32",
    Kind.BIGINT: "BigInt",
    Kind.F32: "F32",
    Kind.CHAR: "Char",
    Kind.LOCAL_DATETIME: "LocalDateTime",
}


def python_source(contracts: Sequence[ServiceContract], doc: str) -> str:
    """A module that describes these contracts; types of one name are written once. `doc`: the module's docstring.

    Raises:
        ContractError: two contracts have different types, or callbacks, of one name; a name is no identifier; or a
            parameter without a default follows one that has it.
    """
    return _Writer(contracts).write(doc)


class _Writer:
    def __init__(self, contracts: Sequence[ServiceContract]) -> None:
        outlines = [outline_of(each) for each in contracts]
        self._services = _merged(
            "service", [*(each for outline in outlines for each in outline.callbacks.values()), *outlines]
        )
        self._types = _merged("type", [each for outline in self._services.values() for each in outline.types.values()])
        self._all = ServiceContract("all", (), self._types)
        _check(self._services, self._types)
        self._names = ModuleNames(_members(self._services, self._types))
        self._classes = {name: self._names.define(name.rpartition(".")[2]) for name in (*self._types, *self._services)}
        self._values = ValueText(self._all, self._names, self._classes.__getitem__)
        self._keys = _key_structs(self._services, self._types)
        self._constants: list[str] = []

    def write(self, doc: str) -> str:
        enums = [self._enum(each) for each in self._types.values() if isinstance(each, EnumType)]
        structs = [self._struct(each) for each in self._types.values() if isinstance(each, StructType)]
        services = [self._service(each) for each in self._services.values()]
        blocks = ["\n".join(self._constants), *services] if self._constants else services
        body = "\n\n\n".join([*enums, *structs, *blocks])
        return "\n".join([*_docstring(doc, "", gap=True), *self._imports()]) + f"\n\n\n{body}\n"

    def _imports(self) -> Iterator[str]:
        yield from ("from __future__ import annotations", "")
        for module, names in self._names.imports():
            if module == "gateway":
                yield ""
            line = f"from {module} import {', '.join(names)}"
            yield from [line] if len(line) <= _WIDTH else _wrapped(f"from {module} import (", names, ")", "")

    def _enum(self, enum: EnumType) -> str:
        note = self._note("enum", enum.name, enum.names)
        name, base = self._classes[enum.name], self._names.use("enum", "Enum")
        constants = constants_of(enum)
        if any(keyword.iskeyword(each) for each in constants):
            listed = ", ".join(f"({quoted(each)}, {quoted(value)})" for each, value in constants.items())
            made = f'{name} = {base}("{name}", [{listed}], module=__name__)'
            given = ", ".join([*note, f"doc={quoted(enum.doc)}"])
            return f"{made}\n{self._names.use('gateway', 'enum')}({given})({name})"
        lines = [*self._decorator("enum", note), f"class {name}({base}):"]
        lines += _docstring(enum.doc, _INDENT, gap=True)
        return "\n".join([*lines, *(f"{_INDENT}{each} = {quoted(value)}" for each, value in constants.items())])

    def _struct(self, struct: StructType) -> str:
        lines = self._decorator("struct", self._note("struct", struct.name, struct.names))
        base = ""
        if struct.is_exception:
            base = f"({self._names.use('gateway', 'ServiceError')})"
        else:
            given = ["frozen=True"] if struct.name in self._keys else []
            given += ["kw_only=True"] if _needs_keywords(struct) else []
            options = f"({', '.join(given)})" if given else ""
            lines.append(f"@{self._names.use('dataclasses', 'dataclass')}{options}")
        lines.append(f"class {self._classes[struct.name]}{base}:")
        docs = {each.attribute: each.doc for each in struct.fields}
        section, loose = _split_docs("Attributes", docs)
        docstring = _docstring("\n\n".join(filter(None, [struct.doc, section])), _INDENT, gap=bool(struct.fields))
        lines += docstring or ([] if struct.fields else [f"{_INDENT}pass"])
        return "\n".join([*lines, *(self._field(each, loose.get(each.attribute, "")) for each in struct.fields)])

    def _field(self, field: Field, doc: str) -> str:
        metadata: dict[str, Any] = {}
        if field.name != field.attribute:
            metadata["name"] = field.name
        if field.names:
            metadata["names"] = field.names
        if field.deprecated:
            metadata["deprecated"] = True
        given = [f"metadata={quoted(metadata)}"] if metadata else []
        plain = ""
        if field.default is not MISSING:
            # In a class body names of fields stand before those of the module; in a lambda they do not.
            text = self._values.write(field.default, field.type, frozen=False)
            if is_literal(field.default, field.type):
                plain = text
                given.insert(0, f"default={text}")
            else:
                given.insert(0, f"default_factory=lambda: {text}")
        start = f"{_INDENT}{field.attribute}: {self._annotated(field.type, doc)}"
        if not given:
            return start
        if plain and not metadata:
            return f"{start} = {plain}"
        return f"{start} = {self._names.use('dataclasses', 'field')}({', '.join(given)})"

    def _service(self, contract: ServiceContract) -> str:
        given = [quoted(contract.name)]
        given += [f"names={quoted(contract.names)}"] if contract.names else []
        named = reachable(method_types(contract.methods), contract.types)
        unnamed = [self._classes[each] for each in contract.types if each not in named]
        given += [f"types={_tuple(unnamed)}"] if unnamed else []
        protocol = self._names.use("typing", "Protocol")
        lines = [f"@{self._names.use('gateway', 'service')}({', '.join(given)})"]
        lines.append(f"class {self._classes[contract.name]}({protocol}):")
        lines += _docstring(contract.doc, _INDENT, gap=True)
        return "\n".join(lines) + "\n" + "\n\n".join(self._method(contract, each) for each in contract.methods)

    def _method(self, contract: ServiceContract, method: MethodContract) -> str:
        given = [] if method.name == method.attribute else [f"name={quoted(method.name)}"]
        given += ["idempotent=True"] if method.idempotent else []
        given += ["oneway=True"] if method.oneway else []
        throws = [self._classes[each.name] for each in method.throws]
        given += [f"throws={_tuple(throws)}"] if throws else []
        given += [f"deprecated={quoted(method.deprecated)}"] if method.deprecated is not None else []
        given += [f"names={quoted(method.names)}"] if method.names else []
        given += [f"routes={quoted(method.routes)}"] if method.routes else []
        lines = [f"{_INDENT}{each}" for each in self._decorator("method", given)]
        section, loose = _split_docs("Args", {each.name: each.doc for each in method.params})
        params = ["self", *(self._param(contract, method, each, loose.get(each.name, "")) for each in method.params)]
        returns = self._hint(method.returns)
        lines += _wrapped(f"{_INDENT}async def {method.attribute}(", params, f") -> {returns}:", _INDENT)
        doc = "\n\n".join(filter(None, [method.doc, section]))
        return "\n".join([*lines, *(_docstring(doc, _INDENT * 2) or [f"{_INDENT * 2}..."])])

    def _param(self, contract: ServiceContract, method: MethodContract, param: Param, doc: str) -> str:
        hint = self._annotated(param.type, doc)
        if param.withdrawn:
            hint = f"{self._names.use('gateway', 'Withdrawn')}[{hint}]"
        if param.default is MISSING:
            return f"{param.name}: {hint}"
        text = self._values.write(param.default, param.type, frozen=True)
        if not is_literal(param.default, param.type) and text != "()":
            constant = self._names.define(
                f"_{contract.name.rpartition('.')[2]}_{method.attribute}_{param.name}".upper()
            )
            self._constants.append(f"{constant} = {text}")
            text = constant
        return f"{param.name}: {hint} = {text}"

    def _annotated(self, ref: TypeRef, doc: str) -> str:
        hint = self._hint(ref)
        if not doc:
            return hint
        return f"{self._names.use('typing', 'Annotated')}[{hint}, {self._names.use('gateway', 'Doc')}({quoted(doc)})]"

    def _hint(self, ref: TypeRef) -> str:
        text = self._plain_hint(ref)
        if ref.nullable and ref.kind is not Kind.ANY:
            text = f"{text} | None"
        hints = [each for each in ref.hints if each[0] != "python"]
        if not hints:
            return text
        noted = ", ".join(
            f"{self._names.use('gateway', 'Hint')}({quoted(key)}, {quoted(words)})" for key, words in hints
        )
        return f"{self._names.use('typing', 'Annotated')}[{text}, {noted}]"

    def _plain_hint(self, ref: TypeRef) -> str:
        kind = ref.kind
        if kind in _BUILTIN:
            return _BUILTIN[kind]
        if kind in _STANDARD:
            return self._names.use(*_STANDARD[kind])
        if kind in _WIDTHS:
            return self._names.use("gateway", _WIDTHS[kind])
        inner = ", ".join(map(self._hint, ref.args))
        match kind:
            case Kind.NULL:
                return "None"
            case Kind.ANY:
                return self._names.use("typing", "Any")
            case Kind.LIST:
                return f"tuple[{inner}, ...]" if ref.hint("python") == "tuple" else f"list[{inner}]"
            case Kind.SET:
                return f"frozenset[{inner}]" if ref.hint("python") == "frozenset" else f"set[{inner}]"
            case Kind.MAP:
                return f"dict[{inner}]"
        return self._classes[ref.name]

    def _note(self, decorator: str, name: str, names: Mapping[str, str]) -> list[str]:
        """The arguments of a type's decorator. Its name is always said: what it would be depends on the service."""
        given = [f"name={quoted(name)}"]
        return [*given, f"names={quoted(names)}"] if names else given

    def _decorator(self, name: str, given: Sequence[str]) -> list[str]:
        return [f"@{self._names.use('gateway', name)}({', '.join(given)})"] if given else []


def _merged(what: str, found: Sequence[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for each in found:
        known = merged.setdefault(each.name, each)
        if known != each:
            raise ContractError(f"there are two different {what}s {each.name}")
    return merged


def _check(services: Mapping[str, ServiceContract], types: Mapping[str, NamedType]) -> None:
    wrong: list[str] = []
    for service in services.values():
        wrong += _twice(service.name, [each.attribute for each in service.methods])
        for method in service.methods:
            where = f"{service.name}.{method.attribute}"
            wrong += _twice(where, [each.name for each in method.params])
            if not _is_name(method.attribute) or method.attribute.startswith("_"):
                wrong.append(f"{where}: {method.attribute!r} is no name for a method")
            optional = ""
            for param in method.params:
                if not _is_name(param.name):
                    wrong.append(f"{where}: {param.name!r} is no name for a parameter")
                if param.default is not MISSING:
                    optional = param.name
                elif optional:
                    wrong.append(f"{where}: {param.name} has no default and stands behind {optional}, which has one")
    for named in types.values():
        members = named.constants if isinstance(named, EnumType) else [each.attribute for each in named.fields]
        wrong += _twice(named.name, members)
        # Constants that are keywords are written in another way.
        wrong += [
            f"{named.name}: {each!r} is no name for a member"
            for each in members
            if not (_is_identifier(each) if isinstance(named, EnumType) else _is_name(each))
        ]
    if wrong:
        listed = "\n".join(f"  {each}" for each in wrong)
        raise ContractError(f"this cannot be written as Python:\n{listed}")


def _is_name(text: str) -> bool:
    return _is_identifier(text) and not keyword.iskeyword(text)


def _is_identifier(text: str) -> bool:
    """Whether Python keeps a name as it is: it normalizes names, mangles private ones, and means others itself."""
    return text.isidentifier() and not text.startswith("__") and unicodedata.normalize("NFKC", text) == text


def _twice(where: str, names: Sequence[str]) -> list[str]:
    return [f"{where}: there are several {name}" for name, count in Counter(names).items() if count > 1]


def _members(services: Mapping[str, ServiceContract], types: Mapping[str, NamedType]) -> Iterator[str]:
    for service in services.values():
        yield from (each.attribute for each in service.methods)
    for named in types.values():
        if isinstance(named, EnumType):
            yield from named.constants
        else:
            yield from (each.attribute for each in named.fields)


def _key_structs(services: Mapping[str, ServiceContract], types: Mapping[str, NamedType]) -> frozenset[str]:
    """The structs that must be hashable: those in map keys and sets, and what they hold."""
    refs = [ref for service in services.values() for ref in method_types(service.methods)]
    refs += [each.type for named in types.values() if isinstance(named, StructType) for each in named.fields]
    return reachable(key_types(refs), types)


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def _needs_keywords(struct: StructType) -> bool:
    """Whether a field without a default stands behind one that has it, which a constructor by position cannot have."""
    has_default = [each.default is not MISSING for each in struct.fields]
    return has_default != sorted(has_default)


def _wrapped(start: str, items: Sequence[str], end: str, indent: str) -> list[str]:
    """Items between brackets: in one line, or in one each."""
    line = f"{start}{', '.join(items)}{end}"
    if len(line) <= _WIDTH:
        return [line]
    return [start, *(f"{indent}{_INDENT}{each}," for each in items), f"{indent}{end}"]


def _split_docs(heading: str, docs: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """What a section of a docstring can say about names, and what has to be said elsewhere: it has single lines."""
    fitting = {name: doc for name, doc in docs.items() if doc and doc == " ".join(doc.splitlines()).strip()}
    loose = {name: doc for name, doc in docs.items() if doc and name not in fitting}
    if not fitting:
        return "", loose
    return "\n".join([f"{heading}:", *(f"{_INDENT}{name}: {doc}" for name, doc in fitting.items())]), loose


def _docstring(text: str, indent: str, *, gap: bool = False) -> list[str]:
    """The lines of a docstring, none for none. `gap`: leave an empty line behind it."""
    if not text:
        return []
    after = [""] if gap else []
    rest = [each for each in text.splitlines()[1:] if each]
    if rest and all(each.startswith(" ") for each in rest):
        # What all lines but the first have in front is taken for the indentation of the docstring (PEP 257).
        text = f"\n{text}"
    if "\\" in text or '"""' in text or text.rstrip().endswith('"') or not text.replace("\n", "").isprintable():
        return [f"{indent}{quoted(text)}", *after]
    lines = [f"{indent}{line}" if line else "" for line in text.split("\n")]
    lines[0] = f'{indent}"""{lines[0].strip()}'
    if len(lines) == 1:
        return [f'{lines[0]}"""', *after]
    return [*lines, f'{indent}"""', *after]
