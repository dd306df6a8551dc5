"""The methods of one service by the names JSON callers use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from gateway.jsonform.reader import Readers
from gateway.jsonform.writer import Writers
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import BadRequest, NoSuchMethod
from protocols import java
from protocols.http_json.java_names import java_named
from protocols.http_json.method import MethodBinding
from protocols.http_json.problem import ExceptionForms
from protocols.overloads import OverloadGroup

__all__ = ["MethodGroup", "ServiceBinding", "bind_arguments", "read_arguments"]

MethodGroup = OverloadGroup[MethodBinding]
"""What one name may mean, of methods compiled for JSON."""

_SHOWN: Final = 100


class ServiceBinding:
    """A contract, compiled.

    `java_names`: fields, methods and parameters have the names of Java beans in JSON (`createdAt`), as Java callers
    without an IDL expect them. Methods can still be called by their own names.

    Attributes:
        contract: As it is called. `wire`: with the names that JSON callers use.
        groups: By every name a method has an address by.
        exceptions: The contract's exceptions.
    """

    __slots__ = ("_by_attribute", "_java_groups", "contract", "exceptions", "groups", "methods", "wire")

    def __init__(self, contract: ServiceContract, *, ignore_unknown: bool = False, java_names: bool = False) -> None:
        wire = java_named(contract) if java_names else contract
        self.contract: Final = contract
        self.wire: Final = wire
        self.exceptions: Final = ExceptionForms(contract, wire)
        readers, writers = Readers(wire, ignore_unknown=ignore_unknown, epoch_dates=java_names), Writers(wire)
        self.methods: Final = tuple(
            MethodBinding(ours, theirs, wire, readers, writers, ignore_unknown=ignore_unknown)
            for ours, theirs in zip(contract.methods, wire.methods, strict=True)
        )
        self._by_attribute: Final = {each.signature.attribute: each for each in self.methods}
        named: dict[str, list[MethodBinding]] = {}
        for method in self.methods:
            for name in dict.fromkeys((method.wire.name, method.signature.name, method.signature.attribute)):
                named.setdefault(name, []).append(method)
        self.groups: Final[Mapping[str, MethodGroup]] = {name: MethodGroup(name, named[name]) for name in named}
        in_java: dict[str, list[MethodBinding]] = {}
        for method in self.methods:
            if (name := java.method_name(method.signature)) not in named:
                in_java.setdefault(name, []).append(method)
        self._java_groups: Final = {name: MethodGroup(name, in_java[name]) for name in in_java}

    def of(self, signature: MethodContract) -> MethodBinding:
        """The binding of one of the contract's methods."""
        return self._by_attribute[signature.attribute]

    def group(self, name: str) -> MethodGroup:
        """What a name means in JSON-RPC, where a method has its Java name as well: such callers come from Java (Dubbo
        2.7's http://, jsonrpc4j). Raises NoSuchMethod."""
        found = self.groups.get(name) or self._java_groups.get(name)
        if found is None:
            raise NoSuchMethod(f"{self.contract.name} has no method {name[:_SHOWN]!r}")
        return found


def bind_arguments(group: MethodGroup, value: Any) -> tuple[MethodBinding, Callable[[], tuple[Any, ...]]]:
    """The method that a JSON value of arguments means, an object or an array, and what reads its arguments.

    Only overloads by position are read at once, because what can be read tells them apart.

    Raises:
        BadRequest: it is neither, fits no method, or several.
    """
    method = group.single
    if method is None:
        if type(value) is dict:
            method = group.named(value)
        elif type(value) is list:
            method, arguments = group.read_positional(value)
            return method, lambda: arguments
        else:
            raise _no_arguments()
    return method, partial(read_arguments, method, value)


def read_arguments(method: MethodBinding, value: Any) -> tuple[Any, ...]:
    """The arguments out of a JSON value. Raises BadRequest."""
    if type(value) is dict:
        return method.read_named(value)
    if type(value) is list:
        return method.read_positional(value)
    raise _no_arguments()


def _no_arguments() -> BadRequest:
    return BadRequest("expected an object with the arguments by name, or an array with the arguments by position")
