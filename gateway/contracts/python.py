"""Contracts from Python classes.

    @service("demo.Catalog")
    class Catalog(Protocol):
        @method(throws=(ProductNotFound,), idempotent=True)
        async def find(self, product_id: I64) -> Product: ...

`contract_of(Catalog)` reads the public methods of the class and every type they name, and reports all mistakes of the
class together. How hints become types is told in `gateway.contracts.hint`.
"""

from __future__ import annotations

import abc
import collections.abc
import functools
import inspect
import typing
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import FunctionType, MappingProxyType, NoneType
from typing import Any, Final, get_args, get_origin

from gateway.contracts.call import Call
from gateway.contracts.declaration import MethodNote, ServiceNote, note_of
from gateway.contracts.definition import Definitions, is_contract_name, read_names, unhashable_reason
from gateway.contracts.docstring import class_docstring, split_docstring
from gateway.contracts.hint import ANY, CallbackHint, resolve_hint
from gateway.contracts.values import compile_check
from gateway.model.contract import MISSING, Field, MethodContract, NamedType, Param, ServiceContract, StructType
from gateway.model.errors import ContractError, ValueMappingError
from gateway.model.fault import RemoteError, ServiceError
from gateway.model.typeref import Kind, TypeRef

__all__ = ["contract_of"]

# See `declaration._NOTE` for the prefix.
_CONTRACT: Final = "_abc_polyport_contract"

_NOT_OURS: Final = frozenset({object, abc.ABC, typing.Protocol, typing.Generic})
_MUTABLE: Final = (list, dict, set, bytearray)


def contract_of(cls: object) -> ServiceContract:
    """The contract a class decorated with `service` describes, or the decorated class it inherits from.

    Read once and kept on the class.

    Raises:
        ContractError: not such a class, or one with mistakes; lists all of them by class, method and parameter.
    """
    if not isinstance(cls, type):
        raise ContractError(f"{cls!r} is no class; a contract is a class decorated with @service")
    for each in cls.__mro__:
        note = note_of(each)
        if isinstance(note, ServiceNote):
            kept = each.__dict__.get(_CONTRACT)
            if kept is None:
                kept = _ServiceReader(each, note).read()
                setattr(each, _CONTRACT, kept)
            assert isinstance(kept, ServiceContract)
            return kept
    raise ContractError(f"{cls.__module__}.{cls.__qualname__} describes no service; decorate it with @service")


class _ServiceReader:
    """Reads one class; collects problems instead of stopping at the first."""

    def __init__(self, cls: type[Any], note: ServiceNote, *, is_callback: bool = False) -> None:
        self._cls = cls
        self._is_callback = is_callback
        self._callbacks: dict[str, ServiceContract] = {}
        self._note = note
        self._problems: list[str] = []
        if not is_contract_name(note.name):
            self._report(cls.__qualname__, f"{note.name!r} is no name for a service; use identifiers joined by dots")
        self._definitions = Definitions(note.name.rpartition(".")[0], note.name, self._report)

    def read(self) -> ServiceContract:
        note, where = self._note, self._cls.__qualname__
        if getattr(self._cls, "__parameters__", ()):
            self._report(where, "a service cannot be generic; name the types")
        methods = tuple(self._read_method(name, function) for name, function in self._functions())
        if not methods and not self._problems:
            self._report(where, "a service needs at least one public method")
        for each in note.types:
            self._name_extra_type(each, where)
        self._check_overloads(methods)
        names = read_names(note.names, where, self._report)
        doc = split_docstring(class_docstring(self._cls) if note.doc is None else note.doc)[0]
        types, callbacks = self._definitions.define(), MappingProxyType(self._callbacks)
        contract = ServiceContract(note.name, methods, types, names, doc, callbacks)
        self._check_keys(contract)
        contract = self._with_checked_defaults(contract)
        if self._problems:
            listed = "\n".join(f"  {each}" for each in dict.fromkeys(self._problems))
            raise ContractError(f"{self._cls.__module__}.{where} does not describe a service:\n{listed}")
        return contract

    def _report(self, where: str, message: str) -> None:
        self._problems.append(f"{where}: {message}")

    def _functions(self) -> Iterator[tuple[str, FunctionType]]:
        """The public methods, those of base classes first, each in the order of the class body."""
        members: dict[str, tuple[type[Any], Any]] = {}
        for cls in reversed(self._cls.__mro__):
            if cls not in _NOT_OURS:
                members.update({name: (cls, each) for name, each in vars(cls).items() if not name.startswith("_")})
        for name, (cls, member) in members.items():
            where = f"{cls.__qualname__}.{name}"
            if isinstance(member, FunctionType):
                yield name, member
            elif isinstance(member, staticmethod | classmethod):
                self._report(where, f"a {type(member).__name__} is no method of a service; take self, or start with _")
            elif isinstance(member, property | functools.cached_property):
                self._report(where, "a property cannot be called; make it a method, or let its name start with _")
            elif callable(member) and not isinstance(member, type):
                self._report(where, "it is no plain method; write a def, or let its name start with _")

    def _read_method(self, attribute: str, function: FunctionType) -> MethodContract:
        where = f"{self._cls.__qualname__}.{attribute}"
        note = note_of(function)
        if not isinstance(note, MethodNote):
            note = MethodNote()
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            self._report(where, "there are no streams; return a list")
        name = note.name or attribute
        if not name.isidentifier():
            self._report(where, f"{name!r} is no name for a method; use an identifier")
        if note.deprecated is not None and not (isinstance(note.deprecated, str) and note.deprecated):
            self._report(where, "deprecated= says why, as text")
        doc, docs = split_docstring(function.__doc__)
        params = tuple(self._read_params(where, function, docs))
        returns = self._read_result(where, function)
        throws = tuple(self._read_throws(where, note))
        if note.oneway and returns.kind is not Kind.NULL:
            self._report(f"{where} result", f"a oneway method returns None, not {returns}")
        if note.oneway and throws:
            self._report(f"{where} throws", "nobody waits for what a oneway method raises")
        return MethodContract(
            name=name,
            params=params,
            returns=returns,
            attribute=attribute,
            throws=throws,
            oneway=note.oneway,
            idempotent=note.idempotent,
            deprecated=note.deprecated,
            doc=doc,
            names=read_names(note.names, where, self._report),
            routes=read_names(note.routes, where, self._report),
        )

    def _read_params(self, where: str, function: FunctionType, docs: Mapping[str, str]) -> Iterator[Param]:
        declared = list(inspect.signature(function).parameters.values())
        if not declared or declared[0].kind not in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        ):
            self._report(where, "it takes no self")
            return
        for each in declared[1:]:
            place = f"{where}({each.name})"
            if each.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
                stars = "*" if each.kind is inspect.Parameter.VAR_POSITIONAL else "**"
                self._report(place, f"{stars}{each.name} has no fixed parameters; name them, or take a list or map")
                continue
            if each.annotation is inspect.Parameter.empty:
                self._report(place, "the type hint is missing")
                continue
            hint = self._resolve(place, function, each.annotation)
            if hint is Call:
                continue
            if each.kind is inspect.Parameter.KEYWORD_ONLY:
                self._report(place, "arguments have a position on the wire; take it out from behind the *")
            callback = None if hint is None else self._definitions.hints.read_callback(hint, place)
            if callback is not None:
                yield self._read_callback(place, each, callback)
                continue
            ref, doc = (ANY, "") if hint is None else self._definitions.hints.read(hint, place)
            default = MISSING if each.default is inspect.Parameter.empty else each.default
            yield Param(each.name, ref, default, doc or docs.get(each.name, ""))

    def _read_callback(self, place: str, declared: inspect.Parameter, callback: CallbackHint) -> Param:
        if declared.default is not inspect.Parameter.empty:
            self._report(place, "a callback is always given; it has no default")
        try:
            contract = self._contract_of_callback(callback.cls)
        except ContractError as exc:
            self._report(place, str(exc))
            return Param(declared.name, ANY, doc=callback.doc)
        known = self._callbacks.setdefault(contract.name, contract)
        if known is not contract:
            self._report(place, f"another callback of this service is called {contract.name} too")
        ref = TypeRef(Kind.CALLBACK, name=contract.name)
        return Param(declared.name, ref, doc=callback.doc, withdrawn=callback.withdrawn)

    def _contract_of_callback(self, cls: type[Any]) -> ServiceContract:
        if self._is_callback:
            raise ContractError(f"a callback takes no callbacks itself, and {cls.__qualname__} is one")
        owner = next(each for each in cls.__mro__ if isinstance(note_of(each), ServiceNote))
        kept = owner.__dict__.get(_CONTRACT)
        if kept is None:
            note = note_of(owner)
            assert isinstance(note, ServiceNote)
            # Not `contract_of`: two services that are each other's callbacks would be read for ever.
            kept = _ServiceReader(owner, note, is_callback=True).read()
            setattr(owner, _CONTRACT, kept)
        assert isinstance(kept, ServiceContract)
        if kept.callbacks:
            raise ContractError(f"{cls.__qualname__} cannot be a callback: it takes callbacks itself")
        return kept

    def _read_result(self, where: str, function: FunctionType) -> TypeRef:
        place = f"{where} result"
        annotation = inspect.signature(function).return_annotation
        if annotation is inspect.Signature.empty:
            self._report(place, "the type hint is missing; write -> None when there is no result")
            return ANY
        hint = self._resolve(place, function, annotation)
        if get_origin(hint) in (collections.abc.Awaitable, collections.abc.Coroutine):
            hint = get_args(hint)[-1] or NoneType
        if hint is NoneType:
            return TypeRef(Kind.NULL)
        return ANY if hint is None else self._definitions.hints.read(hint, place)[0]

    def _resolve(self, where: str, function: FunctionType, annotation: Any) -> Any:
        """The hint as an object; None after a reported problem (a hint of None is `NoneType` here)."""
        module_globals = inspect.unwrap(function).__globals__
        try:
            return resolve_hint(annotation, self._cls, module_globals)
        except Exception as exc:  # evaluating somebody's annotation can raise anything
            self._report(where, f"the hint {annotation!r} cannot be read: {exc}")
            return None

    def _read_throws(self, where: str, note: MethodNote) -> Iterator[TypeRef]:
        place = f"{where} throws"
        for each in dict.fromkeys(note.throws):
            if not (isinstance(each, type) and issubclass(each, ServiceError)):
                shown = each.__qualname__ if isinstance(each, type) else repr(each)
                self._report(place, f"{shown} is no ServiceError; derive it from ServiceError")
            elif each is ServiceError or issubclass(each, RemoteError):
                self._report(
                    place, f"{each.__qualname__} stands for all exceptions; declare a subclass of ServiceError"
                )
            else:
                yield TypeRef(Kind.EXCEPTION, name=self._definitions.name_of(each, place))

    def _name_extra_type(self, cls: Any, where: str) -> None:
        if isinstance(cls, type) and issubclass(cls, ServiceError) and cls is not ServiceError:
            self._definitions.name_of(cls, f"{where} types")
            return
        ref, _ = self._definitions.hints.read(cls, f"{where} types")
        if ref.kind not in (Kind.STRUCT, Kind.ENUM, Kind.ANY):
            self._report(f"{where} types", f"{cls!r} needs no naming; only dataclasses, enums and exceptions do")

    def _check_overloads(self, methods: tuple[MethodContract, ...]) -> None:
        owners: dict[tuple[str, ...], MethodContract] = {}
        for each in methods:
            # Null and the hints of single protocols do not tell two overloads apart.
            key = (each.name, *(str(param.type).replace("?", "") for param in each.params))
            owner = owners.setdefault(key, each)
            if owner is not each:
                where = f"{self._cls.__qualname__}.{each.attribute}"
                self._report(where, f"{owner.attribute} is the same overload, {owner.name}({', '.join(key[1:])})")

    def _check_keys(self, contract: ServiceContract) -> None:
        for method in contract.methods:
            where = f"{self._cls.__qualname__}.{method.attribute}"
            for param in method.params:
                self._check_keys_of(f"{where}({param.name})", param.type, contract)
            self._check_keys_of(f"{where} result", method.returns, contract)
        for struct, field in _fields(contract):
            self._check_keys_of(f"{struct.python_class.__qualname__}.{field.attribute}", field.type, contract)

    def _check_keys_of(self, where: str, ref: TypeRef, contract: ServiceContract) -> None:
        if ref.kind in (Kind.MAP, Kind.SET):
            reason = unhashable_reason(ref.args[0], contract.types)
            if reason is not None:
                place = "keys" if ref.kind is Kind.MAP else "elements"
                self._report(where, f"the {place} of {ref} must be hashable: {reason}")
        for each in ref.args:
            self._check_keys_of(where, each, contract)

    def _with_checked_defaults(self, contract: ServiceContract) -> ServiceContract:
        """The same contract, with defaults as values of their types (a float's default 0 is 0.0)."""
        methods = tuple(
            replace(
                each,
                params=tuple(
                    replace(param, default=self._checked_default(self._place(each, param), param, contract))
                    for param in each.params
                ),
            )
            for each in contract.methods
        )
        types: dict[str, NamedType] = {}
        for name, named in contract.types.items():
            if isinstance(named, StructType):
                cls = named.python_class.__qualname__
                fields = tuple(
                    replace(each, default=self._checked_default(f"{cls}.{each.attribute}", each, contract))
                    for each in named.fields
                )
                named = replace(named, fields=fields)
            types[name] = named
        return replace(contract, methods=methods, types=MappingProxyType(types))

    def _place(self, method: MethodContract, param: Param) -> str:
        return f"{self._cls.__qualname__}.{method.attribute}({param.name})"

    def _checked_default(self, where: str, declared: Param | Field, contract: ServiceContract) -> Any:
        default, factory = declared.default, None
        if isinstance(declared, Field) and declared.default_factory is not None:
            factory = declared.default_factory
            try:
                default = factory()
            except Exception as exc:  # somebody's factory can raise anything
                self._report(where, f"its default_factory raises {type(exc).__name__}: {exc}")
                return MISSING
        if default is MISSING:
            return MISSING
        if default is None and not declared.type.nullable:
            self._report(where, f"the default None is no {declared.type}; write T | None")
            return MISSING
        if factory is None and isinstance(default, _MUTABLE):
            self._report(where, f"all calls would share the default {default!r}; use None or ()")
        try:
            checked = compile_check(declared.type, contract)(default)
        except ValueMappingError as exc:
            inner = f" at {exc.path}" if exc.path else ""
            self._report(where, f"the default {default!r} does not fit{inner}: {exc.message}")
            return MISSING
        if factory is not None:
            return MISSING
        # A container stays the immutable one that was written; only scalars are brought into form.
        return default if declared.type.args else checked


def _fields(contract: ServiceContract) -> Iterator[tuple[StructType, Field]]:
    for named in contract.types.values():
        if isinstance(named, StructType):
            yield from ((named, each) for each in named.fields)
