"""Whether the mounts of a service fit its contract; asked before anything is built from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.typeref import Kind, TypeRef
from protocols.texts.mount_entry import MOUNTS_OPTION, VERBS, MountEntry

__all__ = ["MountMisfit", "check_mounts", "entry_fields", "method_of", "roles_of"]

MAX_PREFIX_BYTES: Final = 200
"""Of a prefix: with something behind it, it is a key of memcached, which has at most 250."""
_INTEGERS: Final = frozenset({Kind.I8, Kind.I16, Kind.I32, Kind.I64, Kind.BIGINT})
_SIMPLE: Final = _INTEGERS | {
    Kind.STRING, Kind.BYTES, Kind.CHAR, Kind.BOOL, Kind.DECIMAL, Kind.UUID, Kind.DATE, Kind.TIME, Kind.DATETIME,
    Kind.LOCAL_DATETIME, Kind.ENUM,
}  # fmt: skip
_TIMES: Final = _INTEGERS | {Kind.DURATION, Kind.F64}
_TAKES: Final = {
    "key": (_SIMPLE, "a scalar"),
    "ttl": (_TIMES, "a duration, or a number of seconds"),
    "delta": (_INTEGERS, "an integer"),
    "initial": (_INTEGERS, "an integer"),
    "flags": (_INTEGERS, "an integer"),
    "version": (_INTEGERS, "an integer"),
    "pattern": (frozenset({Kind.STRING}), "a string"),
}
"""The kinds that a parameter may have that is filled with this; a value may have any."""
_SAYS_WHETHER: Final = frozenset({Kind.BOOL, Kind.NULL, *_INTEGERS})
_GIVES: Final = {
    **dict.fromkeys(("add", "replace", "delete", "exists", "expire", "append", "prepend", "cas"), _SAYS_WHETHER),
    "incr": _INTEGERS | {Kind.F64, Kind.DECIMAL},
    "ttl": _TIMES,
    "keys": frozenset({Kind.LIST, Kind.SET}),
    "gets": frozenset({Kind.STRUCT}),
}
"""The kinds that a method may return that answers this verb; others may return anything."""
_ENTRY_FIELDS: Final = ("value", "version", "flags")


class MountMisfit(NamedTuple):
    """What is wrong with a mount. `path`: where it stands in the options of its service."""

    path: tuple[str, ...]
    text: str


def check_mounts(
    contract: ServiceContract, mounts: Mapping[str, Mapping[str, MountEntry]], verbs: Sequence[str]
) -> Sequence[MountMisfit]:
    """What is wrong with them. `verbs`: those the wire has commands for."""
    found: list[MountMisfit] = []
    for prefix, entries in mounts.items():
        at = (MOUNTS_OPTION, prefix)
        if (why := _bad_prefix(prefix)) is not None:
            found.append(MountMisfit(at, why))
        if not entries:
            found.append(MountMisfit(at, "mounts no method"))
        for verb, entry in entries.items():
            if verb not in verbs:
                found.append(MountMisfit((*at, verb), f"there is no verb {verb!r}; there are {', '.join(verbs)}"))
                continue
            found += (MountMisfit((*at, verb), text) for text in _check_entry(contract, verb, entry))
    return found


def method_of(contract: ServiceContract, name: str) -> MethodContract | None:
    """The method with this attribute, or the only one of this name."""
    for method in contract.methods:
        if method.attribute == name:
            return method
    overloads = contract.overloads(name)
    return overloads[0] if len(overloads) == 1 else None


def roles_of(method: MethodContract, verb: str, entry: MountEntry) -> tuple[str, ...]:
    """What fills the parameters of the method, in their order."""
    return VERBS[verb].order[: len(method.params)] if entry.arguments is None else entry.arguments


def entry_fields(contract: ServiceContract, ref: TypeRef) -> Mapping[str, str]:
    """Attributes of a struct by what they are in an entry (`value`, `version`, `flags`); empty where it is none."""
    if ref.kind is not Kind.STRUCT:
        return {}
    fields = {field.name: field.attribute for field in contract.struct(ref).fields if field.name in _ENTRY_FIELDS}
    return fields if "value" in fields and "version" in fields else {}


def _bad_prefix(prefix: str) -> str | None:
    data = prefix.encode("utf-8", "replace")
    if len(data) > MAX_PREFIX_BYTES:
        return f"a prefix has at most {MAX_PREFIX_BYTES} bytes, this has {len(data)}"
    if any(byte <= 32 or byte == 127 for byte in data):
        return "a prefix has neither spaces nor control characters"
    return None


def _check_entry(contract: ServiceContract, verb: str, entry: MountEntry) -> Iterator[str]:
    method = method_of(contract, entry.method)
    if method is None:
        overloads = ", ".join(each.attribute for each in contract.overloads(entry.method))
        if overloads:
            yield f"{entry.method!r} is overloaded; name one of {overloads}"
        else:
            known = ", ".join(sorted({each.attribute for each in contract.methods}))
            yield f"{contract.name} has no method {entry.method!r}; it has {known}"
        return
    if method.oneway:
        yield f"{method.attribute} is oneway, so there is nothing to answer {verb} with"
    roles = roles_of(method, verb, entry)
    yield from _check_arguments(method, verb, roles)
    yield from _check_result(contract, method, verb)
    if entry.no_numbers and verb != "incr":
        yield f"{verb} has no number that an exception could be about"
    for name in (*entry.misses, *entry.no_numbers):
        if not any(name in (each.name, each.name.rpartition(".")[2]) for each in method.throws):
            yield f"{method.attribute} does not declare {name}"


def _check_arguments(method: MethodContract, verb: str, roles: Sequence[str]) -> Iterator[str]:
    order, needed = VERBS[verb].order, VERBS[verb].needed
    for role in roles:
        if role not in order:
            yield f"{verb} has no {role}; it has {', '.join(order) or 'no arguments'}"
    if len(roles) > len(method.params):
        yield f"{method.attribute} takes {len(method.params)} arguments, not {len(roles)}"
        return
    if needed and not roles:
        yield f"{method.attribute} takes no arguments, so it cannot answer {verb}"
    for role in order[1:needed]:
        if role not in roles:
            yield f"{method.attribute} must take the {role} for {verb}"
    for param, role in zip(method.params, roles, strict=False):
        kinds, what = _TAKES.get(role, (None, ""))
        if kinds is not None and param.type.kind not in kinds:
            yield (
                f"{method.attribute}: the parameter {param.name!r} is {param.type}, and the {role} is {what}; "
                f"write which arguments it takes: {method.attribute}({', '.join(order)})"
            )
        # Only some commands have these.
        if role in ("ttl", "flags", "pattern", "initial") and not _may_be_absent(role, param.type, param.default):
            yield f"{method.attribute}: the parameter {param.name!r} must allow null, for commands without {role}"
    for param in method.params[len(roles) :]:
        if param.default is MISSING and not param.type.nullable:
            yield f"{method.attribute}: nothing fills the parameter {param.name!r}"


def _may_be_absent(role: str, ref: TypeRef, default: object) -> bool:
    return ref.nullable or default is not MISSING or role == "flags"


def _check_result(contract: ServiceContract, method: MethodContract, verb: str) -> Iterator[str]:
    kinds = _GIVES.get(verb)
    returns = method.returns
    if kinds is not None and returns.kind not in kinds:
        allowed = ", ".join(sorted(kind.value for kind in kinds))
        yield f"{method.attribute} returns {returns}; {verb} needs one of {allowed}"
    elif verb == "gets" and not entry_fields(contract, returns):
        yield f"{method.attribute} returns {returns}, which has not both a field value and a field version"
    elif verb == "keys" and returns.args[0].kind not in _SIMPLE:
        yield f"{method.attribute} returns {returns}, and keys are scalars"
