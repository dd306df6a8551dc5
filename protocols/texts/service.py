"""Services of a listener by the names their methods have in commands: `[group/]interface[:version].method`.

The interface is the contract's name or its name in Java, the method its name, its attribute or its name in Java. An
interface that several services have without group and version means none of them, unless one has neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from gateway.jsonform.reader import Readers
from gateway.jsonform.writer import Writers
from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, ContractError, NoSuchMethod, NoSuchService, ValueMappingError
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind
from protocols import java
from protocols.http_json.method import MethodBinding
from protocols.overloads import OverloadGroup, argument_error, default_of
from protocols.texts.value import Form, TextReaders, TextWriters, form_of

__all__ = ["Target", "TextDirectory", "TextMethod", "TextService"]

_SHOWN: Final = 80


class TextMethod:
    """One method, compiled for texts: each argument is the bytes of `protocols.texts.value`.

    Attributes:
        signature: The method as it is called. `wire`: the same; a text wire has no names of its own.
        json: The same method for arguments and results in JSON.
        forms: Of the parameters.
        result_form: Of what it returns.
    """

    __slots__ = ("_only", "_params", "_readers", "_write", "forms", "json", "result_form", "signature", "wire")

    def __init__(
        self,
        signature: MethodContract,
        contract: ServiceContract,
        json: MethodBinding,
        readers: TextReaders,
        writers: TextWriters,
    ) -> None:
        self.signature: Final = signature
        self.wire: Final = signature
        self.json: Final = json
        self.forms: Final = tuple(form_of(each.type, contract) for each in signature.params)
        self.result_form: Final[Form] = form_of(signature.returns, contract)
        self._params: Final = tuple((readers.compile(each.type), default_of(each)) for each in signature.params)
        self._readers: Final[tuple[Callable[[Any], Any], ...]] = tuple(read for read, _ in self._params)
        self._only: Final = self._readers[0] if len(self._readers) == 1 else None
        """Of the argument, where there is one alone."""
        self._write: Final = writers.compile(signature.returns)

    def fits_names(self, names: Collection[str]) -> bool:
        """See `Overload.fits_names`."""
        return self.json.fits_names(names)

    def fits_count(self, count: int) -> bool:
        """See `Overload.fits_count`."""
        return self.json.fits_count(count)

    def read_positional(self, items: Sequence[bytes | None]) -> tuple[Any, ...]:
        """See `Overload.read_positional`; `items` are the bytes of the arguments, in order, or None for a null."""
        params, only = self._params, self._only
        try:
            if only is not None and len(items) == 1 and (item := items[0]) is not None:
                return (only(item),)
            if len(items) == len(params) and None not in items:
                return tuple([read(item) for read, item in zip(self._readers, items, strict=True)])
        except ValueMappingError:
            pass  # below it is said which
        if len(items) > len(params):
            raise BadRequest(f"{self.signature.name} takes {len(params)} arguments, not {len(items)}")
        values: list[Any] = []
        try:
            for (read, _), item in zip(params, items, strict=False):
                if item is None:
                    self._check_null(len(values))
                values.append(None if item is None else read(item))
        except ValueMappingError as exc:
            raise argument_error(self.signature, len(values), exc) from None
        for _, default in params[len(items) :]:
            if default is MISSING:
                raise BadRequest(f"{self.signature.name} needs at least {len(values) + 1} arguments, not {len(items)}")
            values.append(default)
        return tuple(values)

    def _check_null(self, index: int) -> None:
        """Raises ValueMappingError for an argument that cannot be null."""
        param = self.signature.params[index]
        if not param.type.nullable and param.type.kind not in (Kind.NULL, Kind.ANY):
            raise ValueMappingError(f"null where {param.type} is required")

    def write_result(self, value: Any) -> bytes | None:
        """The bytes of what the method returned; None for a null that has no bytes.

        Raises:
            ValueMappingError: with its place (`result.price`).
        """
        try:
            return self._write(value)
        except ValueMappingError as exc:
            raise exc.within("result") from None


class TextService:
    """A contract, compiled. `groups`: by every name a method has."""

    __slots__ = ("_by_attribute", "contract", "groups", "methods")

    def __init__(self, contract: ServiceContract) -> None:
        self.contract: Final = contract
        readers, writers = Readers(contract), Writers(contract)
        text_readers, text_writers = TextReaders(contract, readers), TextWriters(contract, writers)
        self.methods: Final = tuple(
            TextMethod(
                each, contract, MethodBinding(each, each, contract, readers, writers), text_readers, text_writers
            )
            for each in contract.methods
        )
        self._by_attribute: Final = {each.signature.attribute: each for each in self.methods}
        named: dict[str, list[TextMethod]] = {}
        for method in self.methods:
            for name in dict.fromkeys((method.signature.name, method.signature.attribute)):
                named.setdefault(name, []).append(method)
        in_java: dict[str, list[TextMethod]] = {}
        for method in self.methods:
            if (name := java.method_name(method.signature)) not in named:
                in_java.setdefault(name, []).append(method)
        self.groups: Final[Mapping[str, OverloadGroup[TextMethod]]] = {
            name: OverloadGroup(name, methods) for name, methods in {**named, **in_java}.items()
        }

    def of(self, signature: MethodContract) -> TextMethod:
        """One of the contract's methods."""
        return self._by_attribute[signature.attribute]


class Target(NamedTuple):
    """A name of an exposed service's methods."""

    exposure: Exposure
    service: TextService
    group: OverloadGroup[TextMethod]


class TextDirectory:
    """All methods of a listener by the names they have in commands.

    Attributes:
        names: Every name there is, with what it means.
        services: The exposures with what was compiled for them, in their order.

    Raises:
        ContractError: a service has no contract.
    """

    def __init__(self, exposures: Sequence[Exposure]) -> None:
        made: dict[int, TextService] = {}
        self.services: Final[list[tuple[Exposure, TextService]]] = []
        for each in exposures:
            contract = each.contract
            if contract is None:
                raise ContractError(f"{each.service}: commands in text carry no service without a contract")
            if id(contract) not in made:
                made[id(contract)] = TextService(contract)
            self.services.append((each, made[id(contract)]))
        called = Counter(name for each, service in self.services for name in _names(each, service))
        self.names: Final[dict[bytes, Target]] = {}
        self._prefixes: Final[set[bytes]] = set()
        for each, service in self.services:
            for name in _names(each, service):
                if called[name] > 1 and name != str(each.service):
                    continue
                prefix = name.encode()
                self._prefixes.add(prefix)
                for method, group in service.groups.items():
                    self.names[b"%b.%b" % (prefix, method.encode())] = Target(each, service, group)

        self._spellings: Final = _spellings(self.names)

    def find_in_any_case(self, name: bytes) -> Target:
        """The same as `find` where commands are the same in upper and lower case; raises the same.

        Several names that differ in nothing else are each found as they are written alone.
        """
        if (found := self.names.get(name)) is not None:
            return found
        spelled = self._spellings.get(name.lower())
        if spelled is None:
            prefix, _, method = name.rpartition(b".")
            known = [each for each in self._prefixes if each.lower() == prefix.lower()]
            spelled = b"%b.%b" % (known[0], method) if len(known) == 1 else name
        return self.find(spelled)

    def find(self, name: bytes) -> Target:
        """What a name in a command means.

        Raises:
            NoSuchService, NoSuchMethod: there is none.
        """
        found = self.names.get(name)
        if found is not None:
            return found
        prefix, _, method = name.rpartition(b".")
        if prefix not in self._prefixes:
            raise NoSuchService(f"there is no service {_shown(prefix or name)} here")
        raise NoSuchMethod(f"{prefix.decode()} has no method {_shown(method)}")


def _spellings(names: Mapping[bytes, Target]) -> Mapping[bytes, bytes]:
    """Names by what they are in lower case, except where that means several methods."""
    found: dict[bytes, bytes] = {}
    several: set[bytes] = set()
    for name, target in names.items():
        before = names[found.setdefault(name.lower(), name)]
        if before.exposure is not target.exposure or before.group is not target.group:
            several.add(name.lower())
    return {lower: name for lower, name in found.items() if lower not in several}


def _names(exposure: Exposure, service: TextService) -> Sequence[str]:
    key, contract = exposure.service, service.contract
    interfaces = [key.interface]
    if key.interface == contract.name:
        interfaces.append(java.interface_name(contract))
    return tuple(dict.fromkeys(str(ServiceKey(each, key.group, key.version)) for each in interfaces))


def _shown(name: bytes) -> str:
    return repr(name.decode("utf-8", "replace")) if len(name) <= _SHOWN else f"of {len(name)} bytes"
