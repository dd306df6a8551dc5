"""Commands that look into a value: what `get` gives as a struct or map is a hash of its fields."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Final

from gateway.model.call import Invocation
from protocols.contract import Outcome
from protocols.redis.command import Command, Refused, Run, Steps
from protocols.redis.mounted import MISS, find, found_by
from protocols.redis.resp import array, array_within, bulk, mapping, nil

__all__ = ["HASH_COMMANDS"]

_WRONG_TYPE: Final = "-WRONGTYPE Operation against a key holding the wrong kind of value"
_Hash = dict[bytes, bytes | None]


def _fields(run: Run, key: bytes) -> Generator[Sequence[Invocation], Sequence[Outcome], _Hash]:
    """The fields of what stands under a key; none where nothing does. A field that is null is not there."""
    method, _ = find(run, key, "get")
    read = run.listener.fields_of(method)
    if read is None:
        raise Refused(_WRONG_TYPE)
    value = yield from found_by(run, key, "get")
    if value is MISS or value is None:
        return {}
    return {name: data for name, data in read(value).items() if data is not None}


def _hgetall(run: Run, words: Sequence[bytes]) -> Steps:
    fields = yield from _fields(run, words[1])
    return mapping([(bulk(name), bulk(data or b"")) for name, data in fields.items()], run.proto)


def _hget(run: Run, words: Sequence[bytes]) -> Steps:
    data = (yield from _fields(run, words[1])).get(words[2])
    return nil(run.proto) if data is None else bulk(data)


def _hmget(run: Run, words: Sequence[bytes]) -> Steps:
    fields = yield from _fields(run, words[1])
    found = (fields.get(name) for name in words[2:])
    replies = (nil(run.proto) if data is None else bulk(data) for data in found)
    return array_within(replies, run.listener.limits.max_frame_bytes)


def _hexists(run: Run, words: Sequence[bytes]) -> Steps:
    return b":%d\r\n" % (words[2] in (yield from _fields(run, words[1])))


def _hlen(run: Run, words: Sequence[bytes]) -> Steps:
    return b":%d\r\n" % len((yield from _fields(run, words[1])))


def _hkeys(run: Run, words: Sequence[bytes]) -> Steps:
    return array([bulk(name) for name in (yield from _fields(run, words[1]))])


def _hvals(run: Run, words: Sequence[bytes]) -> Steps:
    return array([bulk(data or b"") for data in (yield from _fields(run, words[1])).values()])


def _type(run: Run, words: Sequence[bytes]) -> Steps:
    method, _ = find(run, words[1], "get")
    value = yield from found_by(run, words[1], "get")
    if value is MISS or value is None:
        return b"+none\r\n"
    return b"+string\r\n" if run.listener.fields_of(method) is None else b"+hash\r\n"


_READ: Final = ("readonly", "fast")
_ONE: Final = (1, 1, 1)
HASH_COMMANDS: Final = (
    Command("hgetall", 2, _hgetall, "All fields of a struct or map.", "hash", ("readonly",), _ONE),
    Command("hget", 3, _hget, "One field of a struct or map.", "hash", _READ, _ONE),
    Command("hmget", -3, _hmget, "Several fields of a struct or map.", "hash", _READ, _ONE),
    Command("hexists", 3, _hexists, "Whether a struct or map has a field.", "hash", _READ, _ONE),
    Command("hlen", 2, _hlen, "How many fields a struct or map has.", "hash", _READ, _ONE),
    Command("hkeys", 2, _hkeys, "The names of the fields of a struct or map.", "hash", ("readonly",), _ONE),
    Command("hvals", 2, _hvals, "The values of the fields of a struct or map.", "hash", ("readonly",), _ONE),
    Command("type", 2, _type, "Whether a value is a string, or a hash of fields.", "generic", _READ, _ONE),
)
