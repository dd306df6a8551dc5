"""Commands of Redis: how each is written, and what its answer says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from gateway.model.errors import RemoteWireError
from protocols.data.encoding import Stored
from protocols.data.verb import Answer, Role, Verb

__all__ = ["REDIS_VERBS", "settled", "written_commands"]

_KEY: Final = (("key", Role.KEY),)
_KEYS: Final = (("keys", Role.KEYS),)
_FIELD: Final = (*_KEY, ("field", Role.FIELD))
_RANGE: Final = (*_KEY, ("start", Role.INDEX), ("stop", Role.INDEX))
_STORE: Final = (*_KEY, ("value", Role.VALUE), ("ttl", Role.TTL))
_MEMBERS: Final = (*_KEY, ("values", Role.VALUES))

Parts = list[Any]
"""One command: its name and arguments."""
_Settle = Callable[[Any], Any]
_KINDS: Final[Mapping[type[Any], str]] = MappingProxyType({int: "a number", bytes: "a text", list: "a list"})


@dataclass(frozen=True, slots=True)
class _Entry:
    verb: Verb
    write: Callable[[Mapping[str, Any]], list[Parts]]
    settle: _Settle


def written_commands(verb: str, places: Mapping[str, Any]) -> list[Parts]:
    """The commands of a call; more than one belong into a transaction. None at all where there is nothing to ask."""
    return _TABLE[verb].write(places)


def settled(verb: str, answers: Sequence[Any], commands: Sequence[Parts]) -> Any:
    """The answer as `protocols.data.answers` takes it. `answers`: one for each of the `commands`, in RESP2.

    Raises:
        RemoteWireError: it is no answer to that command, but perhaps to one before it.
    """
    entry = _TABLE[verb]
    found = entry.settle(answers[0] if answers else None)
    if answers and entry.verb.answer is Answer.VALUES and len(found) != len(commands[0]) - len(entry.verb.places):
        raise _unsuited(answers[0])
    return found


def _unsuited(answer: Any) -> RemoteWireError:
    return RemoteWireError(f"no such command is answered by {_KINDS.get(type(answer), 'that')}")


def _value(answer: Any) -> Any:
    if answer is None:
        return None
    if type(answer) is not bytes:
        raise _unsuited(answer)
    return Stored(answer)


def _values(answer: Any) -> Any:
    if answer is None:
        return []
    if type(answer) is not list:
        raise _unsuited(answer)
    return [_value(each) for each in answer]


def _items(answer: Any) -> Any:
    found = _values(answer)
    if None in found:
        raise _unsuited(answer)
    return found


def _pairs(answer: Any) -> Any:
    found = _items(answer)
    if len(found) % 2:
        raise _unsuited(answer)
    return found


def _number(answer: Any) -> int:
    if type(answer) is not int:
        raise _unsuited(answer)
    return answer


def _count(answer: Any) -> int:
    return 0 if answer is None else _number(answer)


def _is_ok(answer: Any) -> bool:
    if answer is not None and answer != b"OK":
        raise _unsuited(answer)
    return answer is not None


def _one(name: str, *places: str, settle: _Settle, verb: Verb) -> _Entry:
    """A command that has its arguments in the order of the places."""

    def write(given: Mapping[str, Any]) -> list[Parts]:
        parts: Parts = [name]
        for place in places:
            _add(parts, given[place])
        return [parts]

    return _Entry(verb, write, settle)


def _add(parts: Parts, value: Any) -> None:
    if isinstance(value, Stored):
        parts.append(value.data)
    elif isinstance(value, list):
        parts += [each.data if isinstance(each, Stored) else each for each in value]
    else:
        parts.append(str(value) if isinstance(value, Decimal) else value)


def _set(*options: str, settle: _Settle, verb: Verb) -> _Entry:
    def write(given: Mapping[str, Any]) -> list[Parts]:
        parts: Parts = ["SET", given["key"], given["value"].data, *options]
        if given.get("ttl") is not None:
            parts += ["PX", given["ttl"]]
        return [parts]

    return _Entry(verb, write, settle)


def _incr(name: str, *, field: bool) -> _Entry:
    def write(given: Mapping[str, Any]) -> list[Parts]:
        delta = given.get("delta")
        return [[name, given["key"], *([given["field"]] if field else []), 1 if delta is None else delta]]

    places = (*(_FIELD if field else _KEY), ("delta", Role.DELTA))
    return _Entry(Verb(places, Answer.NUMBER, 2 if field else 1), write, _number)


def _any_of(name: str, verb: Verb, *places: str, settle: _Settle = _count) -> _Entry:
    """A command with a list at its end, which it needs one of."""

    def write(given: Mapping[str, Any]) -> list[Parts]:
        made = _one(name, *places, settle=settle, verb=verb).write(given)
        return made if given[places[-1]] else []

    return _Entry(verb, write, settle)


def _range(name: str, answer: Answer, settle: _Settle, needed: int = 1) -> _Entry:
    def write(given: Mapping[str, Any]) -> list[Parts]:
        return [[name, given["key"], given.get("start", 0), given.get("stop", -1)]]

    return _Entry(Verb(_RANGE, answer, needed), write, settle)


def _expire(given: Mapping[str, Any]) -> list[Parts]:
    if given["ttl"] is None:
        # What has no expiry is there all the same: EXISTS says so, PERSIST does not.
        return [["EXISTS", given["key"]], ["PERSIST", given["key"]]]
    return [["PEXPIRE", given["key"], given["ttl"]]]


def _getex(given: Mapping[str, Any]) -> list[Parts]:
    ttl = given["ttl"]
    return [["GETEX", given["key"], *(["PERSIST"] if ttl is None else ["PX", ttl])]]


def _mset(given: Mapping[str, Any]) -> list[Parts]:
    entries, ttl = given["entries"], given.get("ttl")
    if ttl is not None:
        return [["SET", key, stored.data, "PX", ttl] for key, stored in entries]
    pairs = [part for key, stored in entries for part in (key, stored.data)]
    return [["MSET", *pairs]] if pairs else []


def _hmset(given: Mapping[str, Any]) -> list[Parts]:
    """Fields of a struct that are null go, or the next one to read it would find what was there before."""
    key = given["key"]
    pairs = [part for name, stored in given["fields"] if stored is not None for part in (name, stored.data)]
    nulls = [name for name, stored in given["fields"] if stored is None]
    made: list[Parts] = [["HSET", key, *pairs]] if pairs else []
    made += [["HDEL", key, *nulls]] if nulls else []
    if made and given.get("ttl") is not None:
        made.append(["PEXPIRE", key, given["ttl"]])
    return made


_TABLE: Final[Mapping[str, _Entry]] = MappingProxyType(
    {
        "get": _one("GET", "key", settle=_value, verb=Verb(_KEY, Answer.VALUE, misses=True)),
        "set": _set(settle=_is_ok, verb=Verb(_STORE, Answer.DONE, 2, expires=True)),
        "add": _set("NX", settle=_is_ok, verb=Verb(_STORE, Answer.DONE, 2, expires=True)),
        "replace": _set("XX", settle=_is_ok, verb=Verb(_STORE, Answer.DONE, 2, expires=True)),
        "getset": _set("GET", settle=_value, verb=Verb(_STORE, Answer.VALUE, 2, misses=True, expires=True)),
        "getdel": _one("GETDEL", "key", settle=_value, verb=Verb(_KEY, Answer.VALUE, misses=True)),
        "getex": _Entry(Verb((*_KEY, ("ttl", Role.TTL)), Answer.VALUE, 2, misses=True), _getex, _value),
        "delete": _any_of("DEL", Verb(_KEYS, Answer.COUNT), "keys"),
        "unlink": _any_of("UNLINK", Verb(_KEYS, Answer.COUNT), "keys"),
        "exists": _any_of("EXISTS", Verb(_KEYS, Answer.COUNT), "keys"),
        "expire": _Entry(Verb((*_KEY, ("ttl", Role.TTL)), Answer.DONE, 2), _expire, _number),
        "persist": _one("PERSIST", "key", settle=_number, verb=Verb(_KEY, Answer.DONE)),
        "ttl": _one("PTTL", "key", settle=_number, verb=Verb(_KEY, Answer.TTL, misses=True)),
        "incr": _incr("INCRBY", field=False),
        "decr": _incr("DECRBY", field=False),
        "incrbyfloat": _one(
            "INCRBYFLOAT",
            "key",
            "amount",
            settle=_value,
            verb=Verb((*_KEY, ("amount", Role.AMOUNT)), Answer.FLOAT, 2),
        ),
        "append": _one(
            "APPEND", "key", "value", settle=_number, verb=Verb((*_KEY, ("value", Role.VALUE)), Answer.COUNT, 2)
        ),
        "strlen": _one("STRLEN", "key", settle=_number, verb=Verb(_KEY, Answer.COUNT)),
        "mget": _any_of("MGET", Verb(_KEYS, Answer.VALUES, misses=True), "keys", settle=_values),
        "mset": _Entry(
            Verb((("entries", Role.ENTRIES), ("ttl", Role.TTL)), Answer.DONE, expires=True), _mset, lambda answer: True
        ),
        "hget": _one("HGET", "key", "field", settle=_value, verb=Verb(_FIELD, Answer.VALUE, 2, misses=True)),
        "hset": _one(
            "HSET", "key", "field", "value", settle=_count, verb=Verb((*_FIELD, ("value", Role.VALUE)), Answer.COUNT, 3)
        ),
        "hsetnx": _one(
            "HSETNX",
            "key",
            "field",
            "value",
            settle=_number,
            verb=Verb((*_FIELD, ("value", Role.VALUE)), Answer.DONE, 3),
        ),
        "hdel": _any_of("HDEL", Verb((*_KEY, ("fields", Role.FIELDS)), Answer.COUNT, 2), "key", "fields"),
        "hexists": _one("HEXISTS", "key", "field", settle=_number, verb=Verb(_FIELD, Answer.DONE, 2)),
        "hlen": _one("HLEN", "key", settle=_number, verb=Verb(_KEY, Answer.COUNT)),
        "hkeys": _one("HKEYS", "key", settle=_items, verb=Verb(_KEY, Answer.TEXTS)),
        "hvals": _one("HVALS", "key", settle=_items, verb=Verb(_KEY, Answer.ITEMS)),
        "hgetall": _one("HGETALL", "key", settle=_pairs, verb=Verb(_KEY, Answer.ENTRIES, misses=True)),
        "hmget": _any_of(
            "HMGET",
            Verb((*_KEY, ("fields", Role.FIELDS)), Answer.VALUES, 2, misses=True),
            "key",
            "fields",
            settle=_values,
        ),
        "hmset": _Entry(
            Verb((*_KEY, ("fields", Role.ENTRIES), ("ttl", Role.TTL)), Answer.DONE, 2, expires=True),
            _hmset,
            lambda answer: True,
        ),
        "hincrby": _incr("HINCRBY", field=True),
        "lpush": _any_of("LPUSH", Verb(_MEMBERS, Answer.COUNT, 2), "key", "values"),
        "rpush": _any_of("RPUSH", Verb(_MEMBERS, Answer.COUNT, 2), "key", "values"),
        "lpop": _one("LPOP", "key", settle=_value, verb=Verb(_KEY, Answer.VALUE, misses=True)),
        "rpop": _one("RPOP", "key", settle=_value, verb=Verb(_KEY, Answer.VALUE, misses=True)),
        "llen": _one("LLEN", "key", settle=_number, verb=Verb(_KEY, Answer.COUNT)),
        "lrange": _range("LRANGE", Answer.ITEMS, _items),
        "ltrim": _range("LTRIM", Answer.DONE, _is_ok, 3),
        "sadd": _any_of("SADD", Verb(_MEMBERS, Answer.COUNT, 2), "key", "values"),
        "srem": _any_of("SREM", Verb(_MEMBERS, Answer.COUNT, 2), "key", "values"),
        "smembers": _one("SMEMBERS", "key", settle=_items, verb=Verb(_KEY, Answer.ITEMS)),
        "sismember": _one(
            "SISMEMBER", "key", "value", settle=_number, verb=Verb((*_KEY, ("value", Role.VALUE)), Answer.DONE, 2)
        ),
        "scard": _one("SCARD", "key", settle=_number, verb=Verb(_KEY, Answer.COUNT)),
        "zadd": _one(
            "ZADD",
            "key",
            "score",
            "value",
            settle=_number,
            verb=Verb((*_KEY, ("score", Role.AMOUNT), ("value", Role.VALUE)), Answer.COUNT, 3),
        ),
        "zrem": _any_of("ZREM", Verb(_MEMBERS, Answer.COUNT, 2), "key", "values"),
        "zscore": _one(
            "ZSCORE",
            "key",
            "value",
            settle=_value,
            verb=Verb((*_KEY, ("value", Role.VALUE)), Answer.FLOAT, 2, misses=True),
        ),
        "zrange": _range("ZRANGE", Answer.ITEMS, _items),
        "zcard": _one("ZCARD", "key", settle=_number, verb=Verb(_KEY, Answer.COUNT)),
        "publish": _one(
            "PUBLISH", "key", "value", settle=_number, verb=Verb((*_KEY, ("value", Role.VALUE)), Answer.COUNT, 2)
        ),
    }
)

REDIS_VERBS: Final[Mapping[str, Verb]] = MappingProxyType({name: each.verb for name, each in _TABLE.items()})
"""Every command that a method can be."""
