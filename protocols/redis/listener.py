"""What all connections of a listener have in common: its services, its commands, and who may come in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final

from gateway.jsonform.text import parse_json
from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, ContractError, LocalWireError, RpcError, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.contract import Outcome
from protocols.http.credentials import Secrets
from protocols.http.unwritable import unwritable
from protocols.http_json.problem import ExceptionForms
from protocols.overloads import OverloadGroup
from protocols.reader import Limits
from protocols.redis.batch import BATCH_COMMANDS
from protocols.redis.command import (
    Command,
    Refused,
    Run,
    Steps,
    unknown_command,
    unknown_subcommand,
    wrong_count,
)
from protocols.redis.connection import CONNECTION_COMMANDS
from protocols.redis.context import read_context
from protocols.redis.data import DATA_COMMANDS
from protocols.redis.error_line import error_line, fault_line
from protocols.redis.hashes import HASH_COMMANDS
from protocols.redis.introspection import INTROSPECTION_COMMANDS
from protocols.redis.key_order import Waiter
from protocols.redis.keyspace import KEYSPACE_COMMANDS
from protocols.redis.mapping import check_contract
from protocols.redis.method import MethodForm, RedisArguments
from protocols.redis.mounted import Fields, fields_reader
from protocols.redis.resp import array, error, nil
from protocols.redis.writer import ReplyWriters
from protocols.texts.mount import MountedMethod, MountTable
from protocols.texts.service import Target, TextDirectory, TextMethod
from protocols.texts.value import TextWriter, TextWriters

__all__ = ["Listener"]

_OK: Final = Ok(None)
_END_OF_CONTEXT: Final = b"--"
_ALL_KEYS: Final = frozenset({b"keys", b"scan", b"dbsize", b"flushdb", b"flushall"})


class Listener:
    """See `protocols.contract.ServerWire`, which `protocols.redis.server` makes of it.

    `secrets`: names of credentials to what callers have to show; without any, nobody is asked. `clock`: seconds since
    1970.

    Attributes:
        commands: By name, in lower case. `usual`: methods by the names that mean one of them alone; `quick`: those of
            them whose answers are waited for.

    Raises:
        ContractError: an exposed contract cannot be carried, or two mounts have the same prefix.
    """

    def __init__(
        self, exposures: Sequence[Exposure], limits: Limits, secrets: Mapping[str, str], clock: Callable[[], float]
    ) -> None:
        self.limits: Final = limits
        self.secrets: Final = Secrets(secrets) if secrets else None
        self.clock: Final = clock
        for each in exposures:
            if each.contract is not None and (findings := check_contract(each.contract)):
                raise ContractError("; ".join(findings))
        self.directory: Final = TextDirectory(exposures)
        self.mounts: Final = MountTable(exposures)
        self._contracts: Final = {each.service: each.contract for each in exposures if each.contract is not None}
        self._writers: dict[int, Mapping[int, ReplyWriters]] = {}
        self._exceptions: dict[int, ExceptionForms] = {}
        self._methods: dict[tuple[ServiceKey, str], MethodForm] = {}
        self._fields: dict[int, Fields | None] = {}
        self._key_writers: dict[int, TextWriter] = {}
        self.commands: Final = {
            each.name.encode(): each
            for each in (
                *CONNECTION_COMMANDS,
                *INTROSPECTION_COMMANDS,
                *BATCH_COMMANDS,
                *DATA_COMMANDS,
                *HASH_COMMANDS,
                *KEYSPACE_COMMANDS,
                Command(
                    "call", -3, _call, "Calls a method with arguments in JSON: CALL service method json…", "service"
                ),
                Command("with", -4, _with, "Calls with what goes beside it: WITH timeout 1s -- command …", "service"),
            )
        }
        self.usual: Final = {
            name: self.form(target, target.group.single)
            for name, target in self.directory.names.items()
            if target.group.single is not None
        }
        self.quick: Final = {name: form for name, form in self.usual.items() if not form.is_oneway}

    def form(self, target: Target, method: TextMethod) -> MethodForm:
        """A method of a service, compiled."""
        key = (target.exposure.service, method.signature.attribute)
        found = self._methods.get(key)
        if found is None:
            contract = target.service.contract
            writers = self._writers.get(id(contract))
            if writers is None:
                writers = self._writers[id(contract)] = {proto: ReplyWriters(contract, proto) for proto in (2, 3)}
            compiled = {proto: each.compile(method.signature.returns) for proto, each in writers.items()}
            found = MethodForm(target.exposure.service, method, compiled, self._forms_of(contract))
            self._methods[key] = found
        return found

    def _forms_of(self, contract: ServiceContract) -> ExceptionForms:
        found = self._exceptions.get(id(contract))
        if found is None:
            found = self._exceptions[id(contract)] = ExceptionForms(contract)
        return found

    def method_command(self, name: bytes) -> Command | None:
        """A method as `COMMAND` shows it."""
        form = self.usual.get(name)
        if form is None:
            return None
        params = form.signature.params
        needed = sum(form.method.fits_count(count) is False for count in range(len(params) + 1))
        arity = needed + 1 if needed == len(params) else -(needed + 1)
        return Command(name.decode(), arity, summary=form.signature.doc.partition("\n")[0], group="service")

    def find(self, words: Sequence[bytes]) -> Command:
        """The command that the words mean. Raises `Refused` where there is none, or too few or too many words."""
        command = self.commands.get(words[0].lower())
        if command is None:
            raise unknown_command(words)
        if command.parts and len(words) > 1:
            part = command.parts.get(words[1].lower())
            if part is None:
                if words[1].lower() == b"help":
                    return Command(f"{command.name}|help", -2, _help)
                raise unknown_subcommand(words)
            command = part
        elif not command.fits(len(words)):
            raise wrong_count(command.name)
        if not command.fits(len(words)):
            raise wrong_count(command.name)
        return command

    def check(self, words: Sequence[bytes]) -> Command | None:
        """The command, or None for a method. Raises `Refused` and `RpcError` for what could never run."""
        if words[0] in self.directory.names:
            return None
        if b"." in words[0]:
            self.directory.find_in_any_case(words[0])
            return None
        return self.find(words)

    def perform(self, run: Run, words: Sequence[bytes], command: Command | None = None) -> bytes | Steps:
        """Runs a command: gives its reply, or the steps to it. `command`: what `check` gave, where it was asked."""
        try:
            target = self.directory.names.get(words[0])
            if target is None and b"." in words[0]:
                target = self.directory.find_in_any_case(words[0])
            if target is not None:
                return _guarded(self._method_steps(run, target, words[1:]))
            if command is None:
                command = self.find(words)
            reply = command.handler(run, words)
        except Refused as exc:
            return error(exc.text)
        except RpcError as exc:
            return error_line(exc)
        except ValueMappingError as exc:
            return error_line(unwritable(exc)[0])
        return reply if isinstance(reply, bytes) else _guarded(reply)

    def _method_steps(self, run: Run, target: Target, items: Sequence[bytes]) -> Steps:
        nulls = run.context.nulls
        given: Sequence[Any] = [None if at in nulls else each for at, each in enumerate(items)] if nulls else items
        group = target.group
        method = group.single
        if method is not None:
            form = self.form(target, method)
            raw, values = RedisArguments(method, given), None
        else:
            method, values = group.read_positional(given)
            form, raw = self.form(target, method), None
        return (yield from self._called(run, form, self.invocation(run, form.service, form.signature, values, raw)))

    def _called(self, run: Run, form: MethodForm, invocation: Invocation) -> Steps:
        session, context = run.session, run.context
        proto, wants_more = run.proto, session.wants_more
        (outcome,) = yield [invocation]
        if invocation.oneway and isinstance(outcome, Ok):
            return b"+OK\r\n"
        return form.answer(outcome, proto, context.as_json, wants_more, self.limits.max_frame_bytes)

    def call_json(self, run: Run, words: Sequence[bytes]) -> Steps:
        """A method with arguments in JSON: `CALL service method json…`."""
        target = self.directory.find(b"%b.%b" % (words[1], words[2]))
        items = []
        for at, word in enumerate(words[3:]):
            try:
                items.append(None if at in run.context.nulls else parse_json(word))
            except ValueMappingError as exc:
                raise BadRequest(f"argument {at}: {exc}") from None
        group = OverloadGroup(target.group.name, [each.json for each in target.group.candidates])
        binding, values = group.read_positional(items)
        form = self.form(target, target.service.of(binding.signature))
        return (yield from self._called(run, form, self.invocation(run, form.service, form.signature, values)))

    def invocation(
        self,
        run: Run,
        service: ServiceKey,
        signature: MethodContract,
        values: tuple[Any, ...] | None,
        raw: RedisArguments | None = None,
    ) -> Invocation:
        """A call with what stands beside it."""
        context = run.context
        return Invocation(
            service,
            signature.name,
            values,
            signature,
            raw,
            context.attachments,
            None if context.timeout_s is None else run.received_at + context.timeout_s,
            context.traceparent,
            run.session.peer,
            context.consumer or run.session.consumer,
            signature.oneway or context.oneway,
            None,
            None,
            context.token,
        )

    def place_of(self, words: Sequence[bytes]) -> Waiter | None:
        """The keys that a command is about; None where it is about none."""
        name = words[0].lower()
        if name == b"with" and _END_OF_CONTEXT in words:
            return self.place_of(words[words.index(_END_OF_CONTEXT) + 1 :] or words[:1])
        command = self.commands.get(name)
        if command is None:
            return None
        if name in _ALL_KEYS:
            return Waiter(None, writes=True)
        first, last, step = command.keys
        if not first:
            return None
        stop = len(words) + last + 1 if last < 0 else last + 1
        return Waiter(frozenset(words[first:stop:step]), "write" in command.flags)

    def place_of_batch(self, batch: Sequence[Sequence[bytes]]) -> Waiter | None:
        """The same of all commands of a batch."""
        places = [place for words in batch if (place := self.place_of(words)) is not None]
        if any(each.keys is None for each in places):
            return Waiter(None, writes=True)
        keys = frozenset[bytes]().union(*(each.keys or () for each in places))
        return Waiter(keys, any(each.writes for each in places)) if keys else None

    def quick_get(self, key: bytes) -> tuple[MountedMethod, int] | None:
        """The method that answers `GET` for a key, and how long the prefix is; None where it takes more than a key."""
        mount = self.mounts.find(key)
        method = None if mount is None else mount.methods.get("get")
        if mount is None or method is None or method.read_key is None:
            return None
        return method, len(mount.prefix)

    def found(self, method: MountedMethod, outcome: Outcome, proto: int) -> bytes:
        """The reply to `GET`."""
        try:
            if isinstance(outcome, Ok):
                value = outcome.value
                data = None if value is None else method.write(value)
                if data is not None and len(data) > self.limits.max_frame_bytes:
                    raise LocalWireError(f"{len(data)} bytes exceed the limit of {self.limits.max_frame_bytes}")
                return nil(proto) if data is None else b"$%d\r\n%b\r\n" % (len(data), data)
            if isinstance(outcome, Fault):
                fault = outcome.decoded()
                return nil(proto) if method.is_miss(fault) else self.fault_of(method, fault)
            return error_line(outcome)
        except Exception as exc:  # a value's own code runs while it is written, and may raise anything
            return error_line(unwritable(exc.within("result") if isinstance(exc, ValueMappingError) else exc)[0])

    def fault_of(self, method: MountedMethod, fault: Fault) -> bytes:
        """An exception of a mounted method as an error reply."""
        return fault_line(fault, self._forms_of(self._contracts[method.service]))

    def fields_of(self, method: MountedMethod) -> Fields | None:
        """What makes a hash of what a mounted method returns; None where it is none."""
        key = id(method)
        if key not in self._fields:
            self._fields[key] = fields_reader(self._contracts[method.service], method.signature.returns)
        return self._fields[key]

    def key_writer(self, method: MountedMethod) -> TextWriter:
        """What writes the keys that a mounted method returns."""
        key = id(method)
        if key not in self._key_writers:
            writers = TextWriters(self._contracts[method.service])
            self._key_writers[key] = writers.compile(method.signature.returns.args[0])
        return self._key_writers[key]


def _guarded(steps: Steps) -> Generator[Sequence[Invocation], Sequence[Outcome], bytes]:
    """The same, with what is raised on the way as an error reply."""
    try:
        return (yield from steps)
    except Refused as exc:
        return error(exc.text)
    except RpcError as exc:
        return error_line(exc)
    except Exception as exc:  # a value's own code runs while it is written, and may raise anything
        return error_line(unwritable(exc)[0])


def _call(run: Run, words: Sequence[bytes]) -> Steps:
    return run.listener.call_json(run, words)


def _with(run: Run, words: Sequence[bytes]) -> bytes | Steps:
    context, start = read_context(words[1:])
    inner = words[1 + start :]
    if not inner:
        raise wrong_count("with")
    command = run.listener.check(inner)
    if command is not None and (command.at_once or command.is_open or command.name == "with"):
        raise Refused(f"WITH cannot stand before {command.name}")
    if context.oneway and command is not None and command.name != "call":
        # Data commands make another call where one tells that there is nothing, and this one would tell nothing.
        raise Refused(f"WITH oneway cannot stand before {command.name}, which is no method of a service")
    return run.listener.perform(Run(run.listener, run.session, context, run.received_at, run.proto), inner)


def _help(run: Run, words: Sequence[bytes]) -> bytes:
    command = run.listener.commands[words[0].lower()]
    lines = [f"{words[0].decode('latin-1').upper()} <subcommand>. Subcommands are:"]
    lines += [f"{each.name.partition('|')[2].upper()}: {each.summary}" for each in command.parts.values()]
    return array([b"+%b\r\n" % line.encode() for line in lines])
