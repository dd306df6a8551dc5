"""Data commands: what stock clients say about keys, as calls of the methods that are mounted there.

A command does what its verb does (`protocols.texts.mount_entry`) and no more: where no method is mounted for what it
asks, it is refused. Texts of refusals of malformed commands are those of Redis 7 (redis/redis src/t_string.c).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from gateway.model.call import Invocation
from gateway.model.errors import LocalWireError, ValueMappingError
from protocols.contract import Outcome
from protocols.redis.command import Command, Refused, Run, Steps, wrong_count
from protocols.redis.mounted import MISS, call_of, find, found_by, mount_of, value_of
from protocols.redis.resp import OK, array, bulk, nil
from protocols.texts.mount import MountedMethod

__all__ = ["DATA_COMMANDS", "integer_of"]

_INTEGER: Final = re.compile(rb"-?[1-9][0-9]{0,18}|0")
_I64: Final = 2**63
_AT_ONCE: Final = 256
"""Calls of one command that are in progress at the same time."""
_NOT_AN_INTEGER: Final = "value is not an integer or out of range"
_SYNTAX: Final = "syntax error"
_UNITS: Final[Mapping[bytes, tuple[float, bool]]] = {
    b"EX": (1, False),
    b"PX": (0.001, False),
    b"EXAT": (1, True),
    b"PXAT": (0.001, True),
}
"""Seconds of a unit, and whether it counts from 1970."""
_Call = tuple[MountedMethod, bytes, Mapping[str, Any]]
"""A method, the key without its prefix, and what else it is given."""


def integer_of(word: bytes) -> int:
    """A number of 64 bits. Raises `Refused`."""
    if _INTEGER.fullmatch(word) is None or not -_I64 <= (number := int(word)) < _I64:
        raise Refused(_NOT_AN_INTEGER)
    return number


def _written(run: Run, method: MountedMethod, value: Any) -> bytes | None:
    """The bytes of a value; None where there is nothing."""
    if value is MISS or value is None:
        return None
    try:
        return method.write(value)
    except ValueMappingError as exc:
        raise exc.within("result") from None


def _string(run: Run, data: bytes | None) -> bytes:
    return nil(run.proto) if data is None else bulk(data)


def _values(run: Run, keys: Sequence[bytes]) -> Generator[Sequence[Invocation], Sequence[Outcome], list[bytes | None]]:
    """What stands under several keys, asked for at the same time."""
    most = left = run.listener.limits.max_frame_bytes
    found: list[bytes | None] = []
    for some in _groups([(*find(run, key, "get"), {}) for key in keys]):
        for method, outcome in (yield from _outcomes(run, some)):
            data = _written(run, method, value_of(run, method, outcome))
            found.append(data)
            left -= len(data or b"")
            if left < 0:
                raise LocalWireError(f"the reply exceeds the limit of {most} bytes")
    return found


def _groups(calls: Sequence[_Call]) -> Iterator[Sequence[_Call]]:
    return (calls[at : at + _AT_ONCE] for at in range(0, len(calls), _AT_ONCE))


def _outcomes(
    run: Run, calls: Sequence[_Call]
) -> Generator[Sequence[Invocation], Sequence[Outcome], list[tuple[MountedMethod, Outcome]]]:
    outcomes = yield [call_of(run, method, {"key": rest, **given}) for method, rest, given in calls]
    return [(method, outcome) for (method, _, _), outcome in zip(calls, outcomes, strict=True)]


def _changed(run: Run, calls: Sequence[_Call]) -> Generator[Sequence[Invocation], Sequence[Outcome], list[Any]]:
    """What each of several calls returned, or `MISS`. All of them are made, whatever becomes of one."""
    answered: list[tuple[MountedMethod, Outcome]] = []
    for some in _groups(calls):
        answered += yield from _outcomes(run, some)
    return [value_of(run, method, outcome) for method, outcome in answered]


def _get(run: Run, words: Sequence[bytes]) -> Steps:
    (found,) = yield from _values(run, words[1:])
    return _string(run, found)


def _mget(run: Run, words: Sequence[bytes]) -> Steps:
    found = yield from _values(run, words[1:])
    return array([_string(run, each) for each in found])


def _strlen(run: Run, words: Sequence[bytes]) -> Steps:
    (found,) = yield from _values(run, words[1:])
    return b":%d\r\n" % len(found or b"")


class _SetOptions(NamedTuple):
    verb: str
    ttl: float | None
    gives_old: bool


def _ttl(run: Run, unit: bytes, word: bytes, command: str) -> float:
    number = integer_of(word)
    if number <= 0:
        raise _bad_time(command)
    return _seconds(run, number, *_UNITS[unit], command)


def _seconds(run: Run, number: int, scale: float, from_1970: bool, command: str) -> float:
    """How long something lives. Raises `Refused` where Redis, which counts milliseconds from 1970, has no such end."""
    now = run.listener.clock()
    end_ms = number * (1000 if scale == 1 else 1) + (0 if from_1970 else int(now * 1000))
    if not -_I64 <= end_ms < _I64:
        raise _bad_time(command)
    seconds = number * scale - (now if from_1970 else 0)
    whole = int(seconds)
    return whole if whole == seconds else seconds


def _bad_time(command: str) -> Refused:
    return Refused(f"invalid expire time in '{command}' command")


def _set_options(run: Run, words: Sequence[bytes]) -> _SetOptions:
    verb, ttl, gives_old, keeps = "set", None, False, False
    at = 0
    while at < len(words):
        option = words[at].upper()
        if option in (b"NX", b"XX") and verb == "set":
            verb = "add" if option == b"NX" else "replace"
        elif option == b"GET":
            gives_old = True
        elif option == b"KEEPTTL" and ttl is None:
            keeps = True
        elif option in _UNITS and ttl is None and not keeps and at + 1 < len(words):
            at += 1
            ttl = _ttl(run, option, words[at], "set")
        else:
            raise Refused(_SYNTAX)
        at += 1
    if keeps:
        raise Refused("KEEPTTL is not supported: a mounted method is given the time to live, or none")
    if gives_old and (verb != "set" or ttl is not None):
        raise Refused("SET with GET is not supported together with NX, XX or a time to live")
    return _SetOptions(verb, ttl, gives_old)


def _stored(value: Any) -> bool:
    """Whether a method that stores did so: it returns nothing, or says it."""
    return value is not MISS and value is not False and value != 0


def _set(run: Run, words: Sequence[bytes]) -> Steps:
    options = _set_options(run, words[3:])
    if options.gives_old:
        return (yield from _getset(run, words[:3]))
    value = yield from found_by(run, words[1], options.verb, value=words[2], ttl=options.ttl)
    return OK if options.verb == "set" or (value is not None and _stored(value)) else nil(run.proto)


def _setnx(run: Run, words: Sequence[bytes]) -> Steps:
    value = yield from found_by(run, words[1], "add", value=words[2])
    return b":%d\r\n" % (value is not None and _stored(value))


def _setex(run: Run, words: Sequence[bytes]) -> Steps:
    name = words[0].decode("latin-1").lower()
    ttl = _ttl(run, b"PX" if name == "psetex" else b"EX", words[2], name)
    yield from found_by(run, words[1], "set", value=words[3], ttl=ttl)
    return OK


def _getset(run: Run, words: Sequence[bytes]) -> Steps:
    method, _ = find(run, words[1], "getset")
    value = yield from found_by(run, words[1], "getset", value=words[2])
    return _string(run, _written(run, method, value))


def _getdel(run: Run, words: Sequence[bytes]) -> Steps:
    method, _ = find(run, words[1], "getdel")
    value = yield from found_by(run, words[1], "getdel")
    return _string(run, _written(run, method, value))


def _getex(run: Run, words: Sequence[bytes]) -> Steps:
    """Two calls, one after the other, where the time to live is to be another one."""
    option = words[2].upper() if len(words) > 2 else b""
    if option == b"PERSIST" and len(words) == 3:
        ttl: float | None = None
    elif option in _UNITS and len(words) == 4:
        ttl = _ttl(run, option, words[3], "getex")
    elif option:
        raise Refused(_SYNTAX)
    if option:
        find(run, words[1], "expire")
    (found,) = yield from _values(run, words[1:2])
    if option and found is not None:
        yield from found_by(run, words[1], "expire", ttl=ttl)
    return _string(run, found)


def _mset(run: Run, words: Sequence[bytes]) -> Steps:
    if len(words) % 2 == 0:
        raise wrong_count("mset")
    # The last one counts where a key stands twice.
    given = dict(zip(words[1::2], words[2::2], strict=True))
    yield from _changed(run, [(*find(run, key, "set"), {"value": value}) for key, value in given.items()])
    return OK


def _counted(run: Run, keys: Sequence[bytes], verb: str) -> Steps:
    """How many of several keys there were."""
    count = 0
    for value in (yield from _changed(run, [(*find(run, key, verb), {}) for key in keys])):
        if verb == "get":
            count += value is not MISS and value is not None
        else:
            count += 1 if value is None else _stored(value)
    return b":%d\r\n" % count


def _del(run: Run, words: Sequence[bytes]) -> Steps:
    return (yield from _counted(run, list(dict.fromkeys(words[1:])), "delete"))


def _exists(run: Run, words: Sequence[bytes]) -> Steps:
    verb = "exists" if all("exists" in mount_of(run, key).methods for key in words[1:]) else "get"
    return (yield from _counted(run, words[1:], verb))


def _incr(run: Run, words: Sequence[bytes]) -> Steps:
    name = words[0].lower()
    delta = integer_of(words[2]) if len(words) > 2 else 1
    if name.startswith(b"decr"):
        if delta == -_I64:
            raise Refused("decrement would overflow")
        delta = -delta
    mount = mount_of(run, words[1])
    # In Redis what is not there counts as 0.
    method = mount.methods.get("incr")
    initial = delta if method is not None and "initial" in method.roles else None
    value = yield from found_by(run, words[1], "incr", delta=delta, initial=initial)
    if value is MISS or value is None:
        if "add" not in mount.methods:
            raise Refused("there is nothing to add to, and what is mounted there offers no 'add'")
        added = yield from found_by(run, words[1], "add", value=b"%d" % delta)
        if added is not None and _stored(added):
            return b":%d\r\n" % delta
        value = yield from found_by(run, words[1], "incr", delta=delta)
        if value is MISS or value is None:
            raise Refused("the value came and went while it was to be changed")
    return b":%d\r\n" % value if isinstance(value, int) else bulk(str(value).encode())


def _append(run: Run, words: Sequence[bytes]) -> Steps:
    value = yield from found_by(run, words[1], "append", value=words[2])
    if value is MISS or value is None or value is False:
        added = yield from found_by(run, words[1], "add", value=words[2])
        if not (added is not None and _stored(added)):
            raise Refused("the value came while it was to be made")
        return b":%d\r\n" % len(words[2])
    if value is True:
        (found,) = yield from _values(run, words[1:2])
        return b":%d\r\n" % len(found or b"")
    return b":%d\r\n" % value


def _expire(run: Run, words: Sequence[bytes]) -> Steps:
    name = words[0].decode("latin-1").lower()
    if len(words) > 3:
        raise Refused("NX, XX, GT and LT are not supported: a mounted method sets the time to live, or not")
    number = integer_of(words[2])
    seconds = _seconds(run, number, 0.001 if name.startswith("p") else 1, name.endswith("at"), name)
    value = yield from found_by(run, words[1], "expire", ttl=seconds)
    return b":%d\r\n" % (1 if value is None else _stored(value))


def _persist(run: Run, words: Sequence[bytes]) -> Steps:
    if "ttl" in mount_of(run, words[1]).methods:
        # In Redis there is nothing to end where a key lives for ever.
        left = yield from found_by(run, words[1], "ttl")
        if left is MISS or left is None:
            return b":0\r\n"
    value = yield from found_by(run, words[1], "expire", ttl=None)
    return b":%d\r\n" % (1 if value is None else _stored(value))


def _time_to_live(run: Run, words: Sequence[bytes]) -> Steps:
    value = yield from found_by(run, words[1], "ttl")
    if value is MISS:
        return b":-2\r\n"
    if value is None:
        return b":-1\r\n"
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if words[0].lower() == b"pttl":
        return b":%d\r\n" % int(seconds * 1000)
    return b":%d\r\n" % int(seconds + 0.5)


_STRING: Final = "string"
_GENERIC: Final = "generic"
_ONE: Final = (1, 1, 1)
_ALL: Final = (1, -1, 1)

DATA_COMMANDS: Final = (
    Command("get", 2, _get, "The value of a key.", _STRING, ("readonly", "fast"), _ONE),
    Command("mget", -2, _mget, "The values of several keys, asked for at once.", _STRING, ("readonly", "fast"), _ALL),
    Command("strlen", 2, _strlen, "Bytes of a value.", _STRING, ("readonly", "fast"), _ONE),
    Command("set", -3, _set, "Stores a value: EX PX EXAT PXAT NX XX GET.", _STRING, ("write", "denyoom"), _ONE),
    Command("setnx", 3, _setnx, "Stores a value where there is none.", _STRING, ("write", "denyoom", "fast"), _ONE),
    Command("setex", 4, _setex, "Stores a value for some seconds.", _STRING, ("write", "denyoom"), _ONE),
    Command("psetex", 4, _setex, "Stores a value for some milliseconds.", _STRING, ("write", "denyoom"), _ONE),
    Command("getset", 3, _getset, "Stores a value, gives the old one.", _STRING, ("write", "denyoom", "fast"), _ONE),
    Command("getdel", 2, _getdel, "Removes a value and gives it.", _STRING, ("write", "fast"), _ONE),
    Command("getex", -2, _getex, "The value of a key, with a new time to live.", _STRING, ("write", "fast"), _ONE),
    Command("mset", -3, _mset, "Stores several values.", _STRING, ("write", "denyoom"), (1, -1, 2)),
    Command("append", 3, _append, "Appends to a value.", _STRING, ("write", "denyoom", "fast"), _ONE),
    *(
        Command(name, arity, _incr, "Adds to a number.", _STRING, ("write", "denyoom", "fast"), _ONE)
        for name, arity in (("incr", 2), ("decr", 2), ("incrby", 3), ("decrby", 3))
    ),
    Command("del", -2, _del, "Removes keys.", _GENERIC, ("write",), _ALL),
    Command("unlink", -2, _del, "Removes keys.", _GENERIC, ("write", "fast"), _ALL),
    Command("exists", -2, _exists, "How many of the keys there are.", _GENERIC, ("readonly", "fast"), _ALL),
    Command("touch", -2, _exists, "How many of the keys there are.", _GENERIC, ("readonly", "fast"), _ALL),
    *(
        Command(name, -3, _expire, "Sets the time to live.", _GENERIC, ("write", "fast"), _ONE)
        for name in ("expire", "pexpire", "expireat", "pexpireat")
    ),
    Command("persist", 2, _persist, "Ends the time to live.", _GENERIC, ("write", "fast"), _ONE),
    Command("ttl", 2, _time_to_live, "Seconds to live.", _GENERIC, ("readonly", "fast"), _ONE),
    Command("pttl", 2, _time_to_live, "Milliseconds to live.", _GENERIC, ("readonly", "fast"), _ONE),
)
