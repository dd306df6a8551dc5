"""Commands about all keys there are: those of the mounts that offer `keys`, one after the other."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from typing import Any, Final

from gateway.model.call import Invocation
from protocols.contract import Outcome
from protocols.redis.command import Command, Refused, Run, Steps
from protocols.redis.data import integer_of
from protocols.redis.glob import Glob
from protocols.redis.mounted import MISS, call_of, value_of
from protocols.redis.resp import OK, array, array_within, bulk
from protocols.texts.mount import Mount, MountedMethod

__all__ = ["KEYSPACE_COMMANDS"]

_EVERYTHING: Final = b"*"
_SPECIAL: Final = re.compile(rb"[\[\\]")
"""What not all patterns have, or not in the same way."""


def _keys_of(run: Run, pattern: bytes) -> Generator[Sequence[Invocation], Sequence[Outcome], list[bytes]]:
    """The keys that match; each mount is asked for those that can, and what it gives is looked at again."""
    glob = Glob(pattern)
    asked: list[tuple[Mount, MountedMethod, Invocation]] = []
    for mount in run.listener.mounts.mounts.values():
        method = mount.methods.get("keys")
        if method is None:
            continue
        if pattern.startswith(mount.prefix):
            inner = _simple(pattern[len(mount.prefix) :])
        elif mount.prefix.startswith(glob.beginning):
            inner = _EVERYTHING
        else:
            continue
        given = {"pattern": inner} if "pattern" in method.roles else {}
        asked.append((mount, method, call_of(run, method, given)))
    outcomes = yield [invocation for _, _, invocation in asked]
    found: list[bytes] = []
    for (mount, method, _), outcome in zip(asked, outcomes, strict=True):
        value = value_of(run, method, outcome)
        if value is MISS or value is None:
            continue
        write = run.listener.key_writer(method)
        found += [key for each in value if glob.matches(key := mount.prefix + (write(each) or b""))]
    return found


def _simple(pattern: bytes) -> bytes:
    """A pattern that matches at least as much and means the same to everybody."""
    special = _SPECIAL.search(pattern)
    return pattern if special is None else pattern[: special.start()] + _EVERYTHING


def _keys(run: Run, words: Sequence[bytes]) -> Steps:
    return _listed(run, (yield from _keys_of(run, words[1])))


def _listed(run: Run, keys: list[bytes]) -> bytes:
    return array_within((bulk(key) for key in keys), run.listener.limits.max_frame_bytes)


def _scan(run: Run, words: Sequence[bytes]) -> Steps:
    """All keys at once: a cursor would have to remember what it gave."""
    if not words[1].isdigit():
        raise Refused("invalid cursor")
    pattern, at = _EVERYTHING, 2
    kind = b"string"
    while at < len(words):
        option = words[at].upper()
        if at + 1 >= len(words) or option not in (b"MATCH", b"COUNT", b"TYPE"):
            raise Refused("syntax error")
        if option == b"MATCH":
            pattern = words[at + 1]
        elif option == b"COUNT":
            if integer_of(words[at + 1]) < 1:
                raise Refused("syntax error")
        else:
            kind = words[at + 1].lower()
        at += 2
    found: list[bytes] = []
    if int(words[1][:19]) == 0 and kind in (b"string", b"hash"):
        found = yield from _keys_of(run, pattern)
    return array([bulk(b"0"), _listed(run, found)])


def _dbsize(run: Run, words: Sequence[bytes]) -> Steps:
    return b":%d\r\n" % len((yield from _keys_of(run, _EVERYTHING)))


def _flush(run: Run, words: Sequence[bytes]) -> Steps:
    if len(words) > 2 or (len(words) == 2 and words[1].upper() not in (b"SYNC", b"ASYNC")):
        raise Refused("syntax error")
    methods = [mount.methods.get("flush") for mount in run.listener.mounts.mounts.values()]
    if not methods or None in methods:
        raise Refused("not everything that is mounted here offers 'flush'")
    mounted: list[Any] = methods
    outcomes = yield [call_of(run, each, {}) for each in mounted]
    for method, outcome in zip(mounted, outcomes, strict=True):
        value_of(run, method, outcome)
    return OK


KEYSPACE_COMMANDS: Final = (
    Command("keys", 2, _keys, "The keys that match a pattern.", "generic", ("readonly",)),
    Command("scan", -2, _scan, "The keys that match a pattern, all at once.", "generic", ("readonly",)),
    Command("dbsize", 1, _dbsize, "How many keys there are.", "server", ("readonly", "fast")),
    Command("flushdb", -1, _flush, "Removes everything.", "server", ("write",)),
    Command("flushall", -1, _flush, "Removes everything.", "server", ("write",)),
)
