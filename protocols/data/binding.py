"""A contract on a data server: each method with its command, compiled once, and everything about it that does not fit.

Without any option `get`, `set` and `delete` are the commands of these names, as in Dubbo's redis:// and memcached://,
which also take `put` and `remove` of an interface like `java.util.Map`. Names are those of the contract, the attributes
and the Java names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from gateway.model.call import Fault, Ok, Result
from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.errors import (
    BadRequest,
    LocalWireError,
    NoSuchMethod,
    ProviderFailed,
    Retry,
    ValueMappingError,
    WireError,
)
from gateway.model.typeref import Kind, TypeRef
from protocols import java
from protocols.data.answers import NOTHING, AnswerMisfit, AnswerReader, compile_answer
from protocols.data.command import Argument, Command
from protocols.data.encoding import Values
from protocols.data.key import KeyCheck
from protocols.data.places import Fill, PlaceMisfit, compile_place, parameters_of
from protocols.data.verb import Answer, Role, Verb

__all__ = ["BoundMethod", "DataBinding", "DataOptions", "misfits"]

_DEFAULTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"get": ("get",), "set": ("set", "put"), "delete": ("delete", "remove")}
)
"""Commands to the methods that have them by their names alone (apache/dubbo 2.7: RedisProtocol, MemcachedProtocol)."""
_NO_COMMAND: Final = Command("none")
"""What takes a method out that has a command by its name."""
_SHOWN: Final = 60
_STORED: Final = (Role.VALUE, Role.VALUES, Role.ENTRIES)


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What a reference says.

    `names`: other methods for the commands of `_DEFAULTS`. `commands`: by method. `prefix`: in front of every key.
    `expiry_ms`: of what is stored by a method without a time to live; None for ever.
    """

    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    commands: Mapping[str, Command] = field(default_factory=lambda: MappingProxyType({}))
    prefix: str = ""
    expiry_ms: int | None = None


class BoundMethod:
    """One method and its command.

    Attributes:
        verb: The command's name.
        stored: The types of its parameters whose values are stored.
    """

    __slots__ = ("_fault", "_fills", "_keys_of", "_misses", "_read", "_unfilled", "signature", "stored", "verb")

    def __init__(
        self,
        signature: MethodContract,
        verb: str,
        fills: Mapping[str, Fill],
        read: AnswerReader,
        keys_of: int | None,
        unfilled: Sequence[tuple[int, str, Any]],
        fault: Callable[[Sequence[Any], str], Fault] | None,
        stored: Sequence[TypeRef],
    ) -> None:
        self.stored: Final = tuple(stored)
        self.signature: Final = signature
        self.verb: Final = verb
        self._fills = tuple(fills.items())
        self._read = read
        self._keys_of = keys_of
        self._unfilled = tuple(unfilled)
        self._fault = fault

    def write(self, arguments: Sequence[Any]) -> dict[str, Any]:
        """What stands in each place of the command.

        Raises:
            BadRequest: an argument has no form there.
        """
        try:
            for position, name, default in self._unfilled:
                if arguments[position] != default:
                    raise ValueMappingError(f"the command {self.verb} has no place for it", name)
            return {place: fill(arguments) for place, fill in self._fills}
        except (ValueMappingError, LocalWireError) as exc:
            raise BadRequest(f"{self.signature.name}: {exc}") from exc

    def read(self, answer: Any, arguments: Sequence[Any], written: Mapping[str, Any]) -> Result:
        """What the method returns, or the exception that says there is nothing.

        Raises:
            ProviderFailed: what is stored is no value of the type, or nothing is there and nothing can say so.
        """
        keys = self._fault is not None if self._keys_of is None else arguments[self._keys_of]
        try:
            value = self._read(answer, keys)
        except (ValueMappingError, WireError) as exc:
            what = f"what is stored at {shown_key(written)} cannot be read: {exc}"
            raise ProviderFailed(f"{self.signature.name}: {what}", retry=Retry.NEVER) from exc
        if value is not NOTHING:
            return Ok(value)
        text = f"there is nothing at {shown_key(written)}"
        if self._fault is not None:
            return self._fault(arguments, text)
        raise ProviderFailed(f"{self.signature.name}: {text}", retry=Retry.NEVER)


def shown_key(written: Mapping[str, Any]) -> str:
    """The key of a command, for messages."""
    found = written.get("key") or written.get("keys") or b""
    if isinstance(found, list):
        rest = f" and {len(found) - 1} more" if len(found) > 1 else ""
        return shown_key({"key": found[0]}) + rest if found else "no key"
    text = repr(found.decode("utf-8", "backslashreplace"))
    return f"the key {text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}"


class DataBinding:
    """All methods of a contract that have a command."""

    def __init__(
        self,
        contract: ServiceContract,
        options: DataOptions,
        verbs: Mapping[str, Verb],
        values: Values,
        check_key: KeyCheck,
    ) -> None:
        self._contract = contract
        self._bound: dict[str, BoundMethod] = {}
        self.found: list[tuple[tuple[str | int, ...], str]] = []
        """What does not fit: the path of the option, and why."""
        commands = self._commands(options)
        for method in contract.methods:
            if method.attribute in commands:
                path, command = commands[method.attribute]
                try:
                    self._bound[method.attribute] = _bind(method, contract, command, options, verbs, values, check_key)
                except (PlaceMisfit, AnswerMisfit) as exc:
                    advice = "" if path else "; `commands` may name another command for it, or `none`"
                    self.found.append((path, f"{method.name}: {exc}{advice}"))
        if not commands and not self.found:
            text = "no method is called get, set or delete; say with `commands` which command each method is"
            self.found.append((("commands",) if options.commands else (), text))

    def method(self, name: str, signature: MethodContract | None) -> BoundMethod:
        """The method that is called. Raises NoSuchMethod where it has no command."""
        found = self._bound.get(signature.attribute) if signature is not None else None
        if found is None:
            known = ", ".join(sorted(each.signature.name for each in self._bound.values()))
            raise NoSuchMethod(f"{self._contract.name}.{name} has no command here; {known} have one")
        return found

    def methods_of(self, *verbs: str) -> list[str]:
        """The names of the methods that are one of these commands."""
        return [each.signature.name for each in self._bound.values() if each.verb in verbs]

    def written_types(self) -> list[TypeRef]:
        """The types of the parameters whose values are stored."""
        return [ref for each in self._bound.values() for ref in each.stored]

    def _commands(self, options: DataOptions) -> dict[str, tuple[tuple[str | int, ...], Command]]:
        """Attribute to command and the path of the option that says it."""
        found: dict[str, tuple[tuple[str | int, ...], Command]] = {}
        for verb, defaults in _DEFAULTS.items():
            named = options.names.get(verb)
            for name in defaults if named is None else (named,):
                methods = _methods(self._contract, name)
                if len(methods) > 1 and named is None:
                    methods = [each for each in methods if each.attribute == name]
                if len(methods) == 1:
                    found[methods[0].attribute] = ((verb,) if named else (), Command(verb))
                    break
                if named is not None:
                    self.found.append(((verb,), _which(self._contract, name, methods)))
        for name, command in options.commands.items():
            methods = _methods(self._contract, name)
            if len(methods) != 1:
                self.found.append((("commands", name), _which(self._contract, name, methods)))
            elif command == _NO_COMMAND:
                found.pop(methods[0].attribute, None)
            else:
                found[methods[0].attribute] = (("commands", name), command)
        return found


def _methods(contract: ServiceContract, name: str) -> list[MethodContract]:
    exact = [each for each in contract.methods if each.attribute == name]
    return exact or [each for each in contract.methods if name in (each.name, java.method_name(each))]


def _which(contract: ServiceContract, name: str, methods: Sequence[MethodContract]) -> str:
    if methods:
        return f"{name!r} is the name of several methods; say {' or '.join(each.attribute for each in methods)}"
    return f"{contract.name} has no method {name!r}; it has {', '.join(each.attribute for each in contract.methods)}"


def misfits(binding: DataBinding) -> list[tuple[tuple[str | int, ...], str]]:
    """What was found when the binding was made."""
    return binding.found


def _bind(
    method: MethodContract,
    contract: ServiceContract,
    command: Command,
    options: DataOptions,
    verbs: Mapping[str, Verb],
    values: Values,
    check_key: KeyCheck,
) -> BoundMethod:
    verb = verbs.get(command.verb)
    if verb is None:
        raise PlaceMisfit(f"there is no command {command.verb!r}; there are {', '.join(verbs)}")
    if method.callbacks:
        raise PlaceMisfit("a callback cannot be stored")
    arguments = _arguments(method, command, verb)
    prefix = options.prefix.encode()
    fills = {
        name: compile_place(name, role, arguments[name], method, contract, values, check_key, prefix)
        for name, role in verb.places
        if name in arguments
    }
    if verb.expires and "ttl" not in fills and options.expiry_ms is not None:
        fills["ttl"] = _always(options.expiry_ms)
    used = {each for argument in arguments.values() for each in parameters_of(argument)}
    unfilled = []
    for position, param in enumerate(method.params):
        if param.name not in used:
            if param.default is MISSING:
                raise PlaceMisfit(f"the parameter {param.name} has no place in the command {command.verb}")
            unfilled.append((position, param.name, param.default))
    read = compile_answer(verb.answer, method.returns, contract, values)
    several = verb.answer is Answer.VALUES and method.returns.kind is Kind.MAP
    keys_of = _position(method, arguments, verb) if several else None
    fault = _fault(method, contract, command, verb)
    stored = [
        param.type
        for name, role in verb.places
        if role in _STORED and name in arguments
        for param in method.params
        if param.name == arguments[name].parameter
    ]
    return BoundMethod(method, command.verb, fills, read, keys_of, unfilled, fault, stored)


def _always(value: int) -> Fill:
    return lambda arguments: value


def _arguments(method: MethodContract, command: Command, verb: Verb) -> dict[str, Argument]:
    """Place to what fills it."""
    names = [name for name, _ in verb.places]
    written = command.arguments
    if written is None:
        by_order = tuple(Argument("", param.name) for param in method.params[: len(names)])
        written = _by_own_names(method, names) or by_order
    found: dict[str, Argument] = {}
    for at, argument in enumerate(written):
        if argument.role and argument.role not in names:
            raise PlaceMisfit(f"{command.verb} has no {argument.role!r}; it has {', '.join(names)}")
        if not argument.role and at >= len(names):
            raise PlaceMisfit(f"{command.verb} takes at most {len(names)} arguments: {', '.join(names)}")
        name = argument.role or names[at]
        if name in found:
            raise PlaceMisfit(f"{name} stands twice in the command {command.verb}")
        found[name] = argument
    missing = [name for name in names[: verb.needed] if name not in found]
    if missing:
        raise PlaceMisfit(f"{command.verb} needs {', '.join(missing)}; it takes {', '.join(names)}")
    return found


def _by_own_names(method: MethodContract, names: Sequence[str]) -> tuple[Argument, ...] | None:
    """Parameters called like places, where all that must be filled are."""
    own = [each.name for each in method.params]
    fitting = tuple(Argument(name, name) for name in names if name in own)
    return fitting if all(each.name in names for each in method.params if each.default is MISSING) and fitting else None


def _position(method: MethodContract, arguments: Mapping[str, Argument], verb: Verb) -> int:
    """Of the parameter with the keys or fields that are asked for."""
    (place,) = (name for name, role in verb.places if role in (Role.KEYS, Role.FIELDS))
    position = next(at for at, each in enumerate(method.params) if each.name == arguments[place].parameter)
    if method.params[position].type.kind is not Kind.LIST:
        raise AnswerMisfit("a map is returned where the keys are a list")
    return position


def _fault(
    method: MethodContract, contract: ServiceContract, command: Command, verb: Verb
) -> Callable[[Sequence[Any], str], Fault] | None:
    """Makes the declared exception that means there is nothing; its fields are the parameters of the same names."""
    if not command.misses:
        return None
    if not verb.misses:
        raise PlaceMisfit(f"{command.verb} always answers, so no exception means that there is nothing")
    if len(command.misses) > 1:
        raise PlaceMisfit("one exception is enough to say that there is nothing")
    wanted = command.misses[0]
    thrown = [each for each in method.throws if wanted in (each.name, each.name.rpartition(".")[2])]
    if not thrown:
        declared = ", ".join(each.name for each in method.throws) or "none"
        raise PlaceMisfit(f"it does not declare {wanted}; declared: {declared}")
    definition = contract.struct(thrown[0])
    positions: list[tuple[str, int]] = []
    for each in definition.fields:
        at = next((at for at, param in enumerate(method.params) if param.name == each.name), None)
        if at is not None and method.params[at].type.required() == each.type.required():
            positions.append((each.name, at))
        elif not each.optional:
            raise PlaceMisfit(f"the field {each.name} of {wanted} is no parameter of the same name and type")
    absent = {each.name: each.absent() for each in definition.fields if each.optional}

    def make(arguments: Sequence[Any], text: str) -> Fault:
        fields = {**absent, **{name: arguments[at] for name, at in positions}}
        return Fault(definition.name, text, fields, declared=True)

    return make
