"""Calls that data commands make of mounted methods, and what their outcomes mean."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.contract import ServiceContract
from gateway.model.errors import RpcError
from gateway.model.typeref import Kind, TypeRef
from protocols.contract import Outcome
from protocols.redis.command import Refused, Run
from protocols.texts.mount import Mount, MountedMethod
from protocols.texts.value import TextWriters

__all__ = ["MISS", "Fields", "call_of", "fields_reader", "find", "found_by", "mount_of", "value_of"]

MISS: Final = object()
"""There is nothing under the key."""
Fields = Callable[[Any], dict[bytes, bytes | None]]
"""A struct or map as the fields of a hash."""
_SHOWN: Final = 80


def mount_of(run: Run, key: bytes) -> Mount:
    """What answers for a key. Raises `Refused`."""
    found = run.listener.mounts.find(key)
    if found is None:
        raise Refused(b"no service is mounted for the key '%b'" % key[:_SHOWN])
    return found


def find(run: Run, key: bytes, verb: str) -> tuple[MountedMethod, bytes]:
    """The method that answers a verb for a key, and the key without its prefix. Raises `Refused`."""
    mount = mount_of(run, key)
    method = mount.methods.get(verb)
    if method is None:
        raise Refused(
            f"what is mounted at '{mount.prefix.decode()}' offers no '{verb}'; it has {', '.join(mount.methods)}"
        )
    return method, key[len(mount.prefix) :]


def call_of(run: Run, method: MountedMethod, given: Mapping[str, Any]) -> Invocation:
    """A call of it with what the command gives. Raises BadRequest."""
    return run.listener.invocation(run, method.service, method.signature, method.read(given))


def value_of(run: Run, method: MountedMethod, outcome: Outcome) -> Any:
    """What the method returned, or `MISS`. Raises `RpcError`, and `Refused` for an exception of the service."""
    if isinstance(outcome, Ok):
        return outcome.value
    if isinstance(outcome, Fault):
        fault = outcome.decoded()
        if method.is_miss(fault):
            return MISS
        if method.is_no_number(fault):
            raise Refused("value is not an integer or out of range")
        raise Refused(run.listener.fault_of(method, fault))
    assert isinstance(outcome, RpcError)
    raise outcome


def found_by(run: Run, key: bytes, verb: str, **given: Any) -> Generator[Sequence[Invocation], Sequence[Outcome], Any]:
    """One call of a verb, as a part of what a command does; ends in what `value_of` gives."""
    method, rest = find(run, key, verb)
    (outcome,) = yield [call_of(run, method, {"key": rest, **given})]
    return value_of(run, method, outcome)


def fields_reader(contract: ServiceContract, ref: TypeRef) -> Fields | None:
    """What makes a hash of values of a type; None where they are no structs or maps of scalars by text."""
    writers = TextWriters(contract)
    if ref.kind is Kind.STRUCT:
        members = [
            (each.name.encode(), each.attribute, writers.compile(each.type)) for each in contract.struct(ref).fields
        ]

        def of_struct(value: Any) -> dict[bytes, bytes | None]:
            return {name: write(getattr(value, attribute)) for name, attribute, write in members}

        return of_struct
    if ref.kind is Kind.MAP:
        write_key, write_value = writers.compile(ref.args[0]), writers.compile(ref.args[1])

        def of_map(value: Any) -> dict[bytes, bytes | None]:
            return {write_key(key) or b"": write_value(item) for key, item in value.items()}

        return of_map
    return None
