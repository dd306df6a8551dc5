"""Mounts, compiled: from a key in a command to the method that answers, its arguments, and its answer as bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from gateway.model.call import Fault
from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, ContractError, ValueMappingError
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind, TypeRef
from protocols.overloads import argument_error, default_of
from protocols.texts.mount_check import entry_fields, method_of, roles_of
from protocols.texts.mount_entry import MOUNTS_OPTION, MountEntry
from protocols.texts.value import TextReaders, TextWriter, TextWriters

__all__ = ["Entry", "Mount", "MountTable", "MountedMethod"]

_TEXTS: Final = ("key", "value", "pattern")
"""Arguments that come as bytes; the others come as numbers."""
_Fill = tuple[str, Callable[[Any], Any], Any]
"""What fills a parameter, how, and what it becomes where the command has none."""


class Entry(NamedTuple):
    """What `gets` gives. `value`: its bytes. `version`: what `cas` compares. `flags`: 0 where none are kept."""

    value: bytes
    version: int
    flags: int


class MountedMethod:
    """A method that answers a verb.

    Attributes:
        signature: The method. `service`: of which service it is.
        roles: What fills its parameters, in their order.
        misses: Names of the exceptions that mean there is nothing under the key. `no_numbers`: of those that mean that
            what is there is no number.
        write: The returned value as bytes; None for a null that has no bytes.
        read_key: The arguments out of the key alone; None where the method takes others. Raises BadRequest.
    """

    __slots__ = (
        "_entry",
        "_fills",
        "_rest",
        "misses",
        "no_numbers",
        "read_key",
        "roles",
        "service",
        "signature",
        "write",
    )

    def __init__(
        self,
        service: ServiceKey,
        contract: ServiceContract,
        signature: MethodContract,
        verb: str,
        entry: MountEntry,
        readers: TextReaders,
        writers: TextWriters,
    ) -> None:
        self.service: Final = service
        self.signature: Final = signature
        self.roles: Final = roles_of(signature, verb, entry)
        self.misses: Final = _named(signature, entry.misses)
        self.no_numbers: Final = _named(signature, entry.no_numbers)
        self.write: Final[TextWriter] = writers.compile(signature.returns)
        self._fills: Final[Sequence[_Fill]] = [
            (role, _filler(role, param.type, readers), _absent(role, default_of(param), param.type))
            for role, param in zip(self.roles, signature.params, strict=False)
        ]
        self._rest: Final = tuple(default_of(each) for each in signature.params[len(self.roles) :])
        self.read_key: Final = self._from_key if self.roles == ("key",) else None
        self._entry: Final = _entry_reader(contract, signature.returns, writers)

    def _from_key(self, key: bytes) -> tuple[Any, ...]:
        try:
            return (self._fills[0][1](key), *self._rest)
        except ValueMappingError as exc:
            raise argument_error(self.signature, 0, exc) from None

    def read(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """The arguments in contract order. `given`: by role, what the command has; texts as bytes, `ttl` in seconds
        (int or float), the others as int. What is not there, or None, becomes null or the default.

        Raises:
            BadRequest: one does not fit; or the command has one that the method has no parameter for.
        """
        values: list[Any] = []
        for role, fill, absent in self._fills:
            value = given.get(role)
            if value is None:
                if absent is MISSING:
                    raise BadRequest(f"{self.signature.attribute} needs the {role}")
                values.append(absent)
                continue
            try:
                values.append(fill(value))
            except ValueMappingError as exc:
                raise argument_error(self.signature, len(values), exc) from None
        values += self._rest
        for role, value in given.items():
            # A method without a place for the key has it in the value.
            if value is not None and role not in self.roles and role != "key" and (value or role != "flags"):
                raise BadRequest(f"{self.signature.attribute} takes no {role}")
        return tuple(values)

    def is_miss(self, fault: Fault) -> bool:
        """Whether an exception means that there is nothing under the key."""
        return fault.type_name in self.misses

    def is_no_number(self, fault: Fault) -> bool:
        """Whether an exception means that what is there is no number."""
        return fault.type_name in self.no_numbers

    def entry(self, value: Any) -> Entry | None:
        """What `gets` returned; None for a miss.

        Raises:
            ValueMappingError: the value has no bytes.
        """
        assert self._entry is not None, "checked when the mount was made"
        return self._entry(value)


class Mount:
    """What answers for keys with one prefix. `methods`: by verb."""

    __slots__ = ("exposure", "methods", "prefix")

    def __init__(self, exposure: Exposure, prefix: bytes, methods: Mapping[str, MountedMethod]) -> None:
        self.exposure: Final = exposure
        self.prefix: Final = prefix
        self.methods: Final = methods


class MountTable:
    """The mounts of a listener. `mounts`: by prefix.

    Raises:
        ContractError: two services mount the same prefix, or an entry names no method.
    """

    __slots__ = ("_lengths", "mounts")

    def __init__(self, exposures: Sequence[Exposure]) -> None:
        self.mounts: Final[dict[bytes, Mount]] = {}
        for each in exposures:
            mounts: Mapping[str, Mapping[str, MountEntry]] = each.options.get(MOUNTS_OPTION, {})
            contract = each.contract
            if not mounts or contract is None:
                continue
            readers, writers = TextReaders(contract), TextWriters(contract)
            for prefix, entries in mounts.items():
                key = prefix.encode()
                if key in self.mounts:
                    owner = self.mounts[key].exposure.service
                    raise ContractError(f"the prefix {prefix!r} is mounted by {owner} and by {each.service}")
                methods = {}
                for verb, entry in entries.items():
                    signature = method_of(contract, entry.method)
                    if signature is None:
                        raise ContractError(f"{each.service}: {prefix!r} mounts {entry.method!r}, which is no method")
                    methods[verb] = MountedMethod(each.service, contract, signature, verb, entry, readers, writers)
                self.mounts[key] = Mount(each, key, methods)
        self._lengths: Final = sorted({len(each) for each in self.mounts}, reverse=True)

    def find(self, key: bytes) -> Mount | None:
        """The mount with the longest prefix of this key."""
        for length in self._lengths:
            found = self.mounts.get(key[:length])
            if found is not None:
                return found
        return None


def _named(signature: MethodContract, names: Sequence[str]) -> frozenset[str]:
    """The declared exceptions that are called so, with their package or without."""
    return frozenset(
        each.name for each in signature.throws if each.name in names or each.name.rpartition(".")[2] in names
    )


def _filler(role: str, ref: TypeRef, readers: TextReaders) -> Callable[[Any], Any]:
    read = readers.compile(ref)
    if role in _TEXTS:
        return read
    if ref.kind is Kind.DURATION:
        return _duration
    if ref.kind is Kind.F64:
        return float
    return lambda number: read(_whole(number))


def _duration(seconds: int | float) -> timedelta:
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise ValueMappingError(f"{seconds} seconds are too many") from None


def _whole(number: int | float) -> bytes:
    if number != int(number):
        raise ValueMappingError(f"{number} is no whole number")
    return b"%d" % int(number)


def _absent(role: str, default: Any, ref: TypeRef) -> Any:
    if default is MISSING and role == "flags" and not ref.nullable:
        return 0
    if default is MISSING and role == "delta":
        return 1
    return default


def _entry_reader(
    contract: ServiceContract, ref: TypeRef, writers: TextWriters
) -> Callable[[Any], Entry | None] | None:
    fields = entry_fields(contract, ref)
    if not fields:
        return None
    types = {field.attribute: field.type for field in contract.struct(ref).fields}
    value_of, version_of, flags_of = fields["value"], fields["version"], fields.get("flags")
    write = writers.compile(types[value_of])

    def read(entry: Any) -> Entry | None:
        if entry is None:
            return None
        data = write(getattr(entry, value_of))
        if data is None:
            return None
        flags = 0 if flags_of is None else getattr(entry, flags_of) or 0
        return Entry(data, getattr(entry, version_of), flags)

    return read
