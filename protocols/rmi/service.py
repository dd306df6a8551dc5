"""A service as rmi:// sees it: how its arguments, answers and exceptions are read and written, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform.form import Walk, new_walk
from gateway.model.call import Attachments, Fault
from gateway.model.contract import MISSING, MethodContract, ServiceContract, StructType
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, NoSuchMethod, ProviderFailed, ValueMappingError
from protocols.rmi.generic_reader import GenericReader
from protocols.rmi.generic_writer import GenericWriter
from protocols.rmi.mapping import allowed_classes
from protocols.rmi.plain_reader import Readers
from protocols.rmi.plain_writer import Writers
from protocols.rmi.walk import LONG, spend_bytes

__all__ = [
    "Method",
    "Service",
    "read_any",
    "read_any_list",
    "read_attachments",
    "shown",
    "write_any",
    "write_any_list",
    "write_attachments",
]

_Read = Callable[[Any, Walk], Any]
_Write = Callable[[Any], Any]
_SHOWN: Final = 60
_NO_NAMES: Final[Mapping[tuple[str, str], str]] = MappingProxyType({})
_read_any: Final = GenericReader()
_write_any: Final = GenericWriter({}, lambda definition, value, walk: {})


def shown(name: str) -> str:
    """A name that somebody sent, as a message repeats it."""
    return repr(name) if len(name) <= _SHOWN else f"of {len(name)} characters"


class Method:
    """One method of a contract."""

    __slots__ = ("_positions", "_readers", "_writers", "contract", "read_result", "write_result")

    def __init__(self, contract: MethodContract, readers: Readers, writers: Writers) -> None:
        self.contract: Final = contract
        self._readers = [readers.compile(each.type) for each in contract.params]
        self._writers = [writers.compile(each.type) for each in contract.params]
        self._positions = {each.name: at for at, each in enumerate(contract.params)}
        self.read_result: Final = _reading("result", readers.compile(contract.returns))
        self.write_result: Final = _writing("result", writers.compile(contract.returns))

    def read(self, given: Sequence[Any], named: Mapping[Any, Any], walk: Walk) -> tuple[Any, ...]:
        """The arguments in contract order, defaults filled in.

        Raises:
            BadRequest: too many, too few, or one that the method does not have.
            ValueMappingError: one does not fit; names its place.
        """
        contract = self.contract
        params = contract.params
        if len(given) == len(params) and not named:
            return tuple(_read_each(self._readers, given, walk))
        if len(given) > len(params):
            raise BadRequest(f"{contract.signature} takes {len(params)} arguments, not {len(given)}")
        values: list[Any] = [MISSING] * len(params)
        values[: len(given)] = _read_each(self._readers, given, walk)
        for name, value in named.items():
            at = self._positions.get(name) if type(name) is str else None
            if at is None:
                # Of the rest some have no text, or a very long one: numbers of many digits, tuples inside each other.
                is_short = type(name) is str or (type(name) is int and name.bit_length() <= LONG)
                what = shown(str(name)) if is_short else f"of class {type(name).__name__}"
                raise BadRequest(f"{contract.signature} has no parameter {what}")
            if values[at] is not MISSING:
                raise BadRequest(f"{contract.signature} is given its parameter {name!r} twice")
            values[at] = _reading(f"args[{at}]", self._readers[at])(value, walk)
        for at, param in enumerate(params):
            if values[at] is MISSING:
                if param.default is MISSING:
                    raise BadRequest(f"{contract.signature} is not given its parameter {param.name!r}")
                values[at] = param.default
        return tuple(values)

    def write(self, values: Sequence[Any]) -> list[Any]:
        """The plain values of all arguments. Raises ValueMappingError with the place."""
        written: list[Any] = []
        for write, value in zip(self._writers, values, strict=True):
            try:
                written.append(write(value))
            except ValueMappingError as exc:
                raise exc.within(f"args[{len(written)}]") from None
        return written


class Service:
    """A service; `contract` is None where values say themselves what they are."""

    def __init__(self, key: ServiceKey, contract: ServiceContract | None) -> None:
        self.key: Final = key
        self.contract: Final = contract
        self.classes: Final = _NO_NAMES if contract is None else allowed_classes(contract)
        self._methods: dict[str, Method] = {}
        self._overloads: dict[str, list[Method]] = {}
        self._exceptions: dict[str, _Exception] = {}
        if contract is None:
            return
        readers, writers = Readers(contract), Writers(contract)
        for each in contract.methods:
            method = self._methods[each.attribute] = Method(each, readers, writers)
            self._overloads.setdefault(each.name, []).append(method)
        for named in contract.types.values():
            if isinstance(named, StructType) and named.is_exception:
                self._exceptions[named.name] = _Exception(named, readers, writers)

    def method(self, contract: MethodContract) -> Method:
        """The compiled form of a method of this contract."""
        return self._methods[contract.attribute]

    def find(
        self, name: str, overload: str, given: Sequence[Any], named: Mapping[Any, Any], walk: Walk
    ) -> tuple[Method, tuple[Any, ...]]:
        """The method that is meant, and its arguments. Of several with one name it is the first they fit.

        `overload`: the name of the Python method that implements it, where the caller knows; otherwise empty.

        Raises:
            NoSuchMethod, BadRequest: there is none, or the arguments fit none.
            ValueMappingError: an argument does not fit the only one there is.
        """
        exact = self._methods.get(overload or name)
        candidates = [exact] if overload and exact else self._overloads.get(name) or ([exact] if exact else [])
        if not candidates or (overload and exact is None):
            known = ", ".join(self._overloads)
            raise NoSuchMethod(f"{self.key} has no method {shown(overload or name)}; it has {known}"[:1_000])
        if len(candidates) == 1:
            return candidates[0], candidates[0].read(given, named, walk)
        for each in candidates:
            try:
                # What an attempt has used is not given back, but it may have ended deep inside.
                return each, each.read(given, named, [0, *walk[1:]])
            except (BadRequest, ValueMappingError):
                continue
        forms = "; ".join(each.contract.signature for each in candidates)
        raise BadRequest(f"the arguments fit none of {forms}")

    def write_fault(self, fault: Fault) -> dict[str, Any]:
        """An exception as members of a reply. Raises ValueMappingError with the place."""
        said: dict[str, Any] = {"fault": fault.type_name, "message": fault.message}
        if fault.declared:
            form = self._exceptions.get(fault.type_name)
            said["declared"] = True
            said["fields"] = _write_any_map(fault.fields, "fields") if form is None else form.write(fault.fields)
        return said

    def read_fault(self, reply: Mapping[Any, Any], attachments: Attachments, walk: Walk) -> Fault:
        """An exception from the members of a reply.

        Raises:
            ProviderFailed: they make none.
            ValueMappingError: a field does not fit.
        """
        name, message, fields = reply.get("fault"), reply.get("message"), reply.get("fields", {})
        declared = reply.get("declared") is True
        if type(name) is not str or not (message is None or type(message) is str) or type(fields) is not dict:
            raise ProviderFailed("the provider's answer is no exception that can be read")
        form = self._exceptions.get(name) if declared else None
        if form is not None:
            return Fault(name, message, form.read(fields, walk), declared=True, attachments=attachments)
        known = declared and self.contract is None
        values = {key: _read_any(value, walk) for key, value in fields.items() if type(key) is str} if known else {}
        return Fault(name, message, values, declared=known, attachments=attachments)


class _Exception:
    """The fields of one exception of a contract."""

    __slots__ = ("_fields", "_name")

    def __init__(self, definition: StructType, readers: Readers, writers: Writers) -> None:
        self._name = definition.name
        self._fields = [(each, readers.compile(each.type), writers.compile(each.type)) for each in definition.fields]

    def write(self, values: Mapping[str, Any]) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for field, _, write in self._fields:
            value = values.get(field.name, MISSING)
            if value is MISSING:
                value = field.absent()
            if value is MISSING:
                raise ValueMappingError(f"the exception {self._name} has no value for it", f"fields.{field.name}")
            written[field.name] = _writing(f"fields.{field.name}", write)(value)
        return written

    def read(self, given: Mapping[Any, Any], walk: Walk) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field, read, _ in self._fields:
            value = given.get(field.name, MISSING)
            if value is not MISSING:
                value = _reading(f"fields.{field.name}", read)(value, walk)
            else:
                value = field.absent()
            if value is MISSING:
                raise ProviderFailed(f"the exception {self._name} arrived without its field {field.name!r}")
            values[field.name] = value
        return values


def read_attachments(value: Any, walk: Walk) -> Attachments:
    """What goes beside a call or an answer. Raises ValueMappingError."""
    if type(value) is not dict or not all(type(key) is str for key in value):
        raise ValueMappingError("expected a dict whose keys are texts", "attachments")
    if all(type(item) is str for item in value.values()):
        spend_bytes(walk, sum(map(len, value.values())))
        return value
    return {key: _reading(f"attachments[{key[:_SHOWN]!r}]", _read_any)(item, walk) for key, item in value.items()}


def write_attachments(attachments: Attachments) -> dict[str, Any]:
    """The same the other way. Raises ValueMappingError."""
    plain = {type(item) for item in attachments.values()}
    if plain <= {str}:
        return dict(attachments)
    return _write_any_map(attachments, "attachments")


def read_any(value: Any, walk: Walk) -> Any:
    """A result without a contract. Raises ValueMappingError."""
    return _reading("result", _read_any)(value, walk)


def write_any(value: Any) -> Any:
    """The same the other way. Raises ValueMappingError."""
    return _writing("result", _write_new)(value)


def read_any_list(values: Sequence[Any], walk: Walk) -> tuple[Any, ...]:
    """The arguments of a call without a contract. Raises ValueMappingError."""
    return tuple(_read_each([_read_any] * len(values), values, walk))


def write_any_list(values: Sequence[Any]) -> list[Any]:
    """The same the other way. Raises ValueMappingError."""
    return [_writing(f"args[{at}]", _write_new)(value) for at, value in enumerate(values)]


def _write_any_map(values: Mapping[str, Any], place: str) -> dict[str, Any]:
    return {str(key): _writing(f"{place}[{key[:_SHOWN]!r}]", _write_new)(item) for key, item in values.items()}


def _write_new(value: Any) -> Any:
    return _write_any(value, new_walk())


def _read_each(readers: Sequence[_Read], values: Sequence[Any], walk: Walk) -> list[Any]:
    found: list[Any] = []
    for read, value in zip(readers, values, strict=False):
        try:
            found.append(read(value, walk))
        except ValueMappingError as exc:
            raise exc.within(f"args[{len(found)}]") from None
    return found


def _reading(place: str, read: _Read) -> _Read:
    def placed(value: Any, walk: Walk) -> Any:
        try:
            return read(value, walk)
        except ValueMappingError as exc:
            raise exc.within(place) from None

    return placed


def _writing(place: str, write: _Write) -> _Write:
    def placed(value: Any) -> Any:
        try:
            return write(value)
        except ValueMappingError as exc:
            raise exc.within(place) from None

    return placed
