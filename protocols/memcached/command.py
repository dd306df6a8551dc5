"""The commands: what each does with a connection, and the lines memcached 1.6.18 has for what is wrong with one.

Each takes the codec of the connection, the words of its line and the monotonic time, and says, queues or calls.

Sources: memcached/memcached: doc/protocol.txt, proto_text.c; and the answers of memcached 1.6.18 to the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.model.errors import NoSuchMethod, NoSuchService
from protocols.memcached import meta
from protocols.memcached.counts import VERSION, stats_answer
from protocols.memcached.failure import error_line
from protocols.memcached.invoke import call_or_fetch, start_call
from protocols.memcached.slot import NOT_FOUND, FlushSlot, GatherSlot, GetSlot, SaidSlot, TouchPart, ValuePart
from protocols.memcached.word import BAD_FORMAT, ERROR, is_key, read_expiry, read_i32, read_i64, read_u32, read_u64

if TYPE_CHECKING:
    from protocols.memcached.server import MemcachedServerCodec as Codec
    from protocols.texts.mount import Mount

__all__ = ["COMMANDS", "GETS", "Expected"]

GETS: Final = (b"get ", b"gets ", b"gat ", b"gats ")
"""Commands whose lines may be long."""
_TOO_LARGE: Final = b"SERVER_ERROR object too large for cache\r\n"
_BAD_EXPIRY: Final = b"CLIENT_ERROR invalid exptime argument\r\n"
_LARGEST_BLOCK: Final = (1 << 31) - 3
_VERSION_LINE: Final = f"VERSION {VERSION}\r\n".encode()

Take = Callable[[Any, bytes, float], None]


class Expected:
    """A data block that comes next: how long it is, and what takes it."""

    __slots__ = ("size", "take")

    def __init__(self, size: int, take: Take) -> None:
        self.size: Final = size
        self.take: Final = take


def _get(codec: Codec, words: list[bytes], now: float) -> None:
    verb, keys = words[0], words[1:]
    if not keys:
        codec.say(ERROR)
        return
    _retrieve(codec, keys, now, versioned=verb == b"gets")


def _gat(codec: Codec, words: list[bytes], now: float) -> None:
    if len(words) < 2:
        codec.say(ERROR)
        return
    expiry = read_i64(words[1])
    if expiry is None:
        codec.say(_BAD_EXPIRY)
        return
    codec.wire.counts.cmd_touch += 1
    _retrieve(codec, words[2:], now, versioned=words[0] == b"gats", expiry=expiry)


def _retrieve(codec: Codec, keys: list[bytes], now: float, *, versioned: bool, expiry: int | None = None) -> None:
    wire = codec.wire
    wire.counts.cmd_get += len(keys)
    if not all(map(is_key, keys)):
        codec.say(BAD_FORMAT)
        return
    if len(keys) > wire.style.max_keys:
        codec.say(b"CLIENT_ERROR more than %d keys\r\n" % wire.style.max_keys)
        return
    if len(keys) == 1 and expiry is None:
        slot = GetSlot(keys[0], None, wire.counts, versioned=versioned)
        codec.queue(slot)
        give(codec, keys[0], slot, now, versioned=versioned)
        return
    gather = GatherSlot(wire.counts, len(keys), wire.style.max_value_bytes, versioned=versioned)
    codec.queue(gather)
    for index, key in enumerate(keys):
        give(codec, key, ValuePart(gather, index, key, None), now, versioned=versioned)
        if expiry is not None:
            # Afterwards: the value is given though it may be over by that.
            _touch_part(codec, gather, index, key, expiry)
    if gather.close() is not None:
        codec.leave(gather)


def _touch_part(codec: Codec, gather: GatherSlot, index: int, key: bytes, expiry: int) -> None:
    """Sets the time to live of a key that is read."""
    mount = codec.wire.directory.mounts.find(key)
    if mount is None:
        return
    method = mount.methods.get("expire")
    if method is None:
        gather.add()
        gather.note(index, key, None, error_line(_not_offered(mount, "touch")))
        return
    part = TouchPart(gather, index, method, codec.wire.directory.forms(mount))
    given = {"key": key[len(mount.prefix) :], "ttl": read_expiry(expiry, codec.wire.wall())}
    codec.call_mounted(key, method, given, part, changes=True)


def give(codec: Codec, key: bytes, part: Any, now: float, *, versioned: bool) -> None:
    """Finds out what is under one key, for a slot or part that waits for it."""
    directory = codec.wire.directory
    if call_or_fetch(codec, key, part, now):
        return
    getter = directory.getter(key, versioned=versioned)
    if getter is not None:
        part.giver = getter.giver
        codec.call_mounted(key, getter.giver.method, {"key": key[getter.prefix_bytes :]}, part, changes=False)
        return
    mount = directory.mounts.find(key)
    trouble = b"" if mount is None else error_line(_not_offered(mount, "get"))
    slot = part.fill(None, trouble)
    if slot is not None:
        codec.leave(slot)


def _not_offered(mount: Mount, what: str) -> NoSuchMethod:
    prefix = mount.prefix.decode("utf-8", "replace")
    return NoSuchMethod(f"what is mounted at {prefix!r} offers no {what}")


def _store(verb: str, codec: Codec, words: list[bytes], now: float) -> None:
    count = 6 if verb == "cas" else 5
    if not count <= len(words) <= count + 1:
        codec.say(ERROR)
        return
    codec.wire.counts.cmd_set += 1
    quiet = words[-1] == b"noreply"
    key, flags, expiry, size = words[1], read_u32(words[2]), read_i64(words[3]), read_i32(words[4])
    version = read_u64(words[5]) if verb == "cas" else 0
    is_sized = size is not None and 0 <= size <= _LARGEST_BLOCK
    if not is_key(key) or flags is None or expiry is None or size is None or not is_sized or version is None:
        _say(codec, BAD_FORMAT, quiet)
        return
    if size > codec.wire.style.max_value_bytes:
        _say(codec, _TOO_LARGE, quiet)
        codec.swallow(size + 2)
        return

    def take(codec: Codec, block: bytes, now: float) -> None:
        if verb == "set" and b"#" in key and start_call(codec, key, block, now, quiet=quiet):
            return
        given: dict[str, Any] = {"value": block, "version": version if verb == "cas" else None}
        if verb not in ("append", "prepend"):
            given["ttl"], given["flags"] = read_expiry(expiry, codec.wire.wall()), flags
        change(codec, verb, key, given, quiet=quiet)

    codec.expect(size, take)


def change(codec: Codec, verb: str, key: bytes, given: Mapping[str, Any], *, quiet: bool, slot: Any = None) -> None:
    """Calls what a mount offers for a verb. `slot`: what answers, where it is not the usual one."""
    mount = codec.wire.directory.mounts.find(key)
    if mount is None:
        _say(codec, _nothing_mounted(verb), quiet)
        return
    method = mount.methods.get(verb)
    if method is None:
        _say(codec, error_line(_not_offered(mount, verb)), quiet)
        return
    if slot is None and not quiet:
        slot = SaidSlot(verb, method, codec.wire.directory.forms(mount))
    if slot is not None:
        codec.queue(slot)
    codec.call_mounted(key, method, {"key": key[len(mount.prefix) :], **given}, slot, changes=True)


def _say(codec: Codec, line: bytes, quiet: bool) -> None:
    """Says what is wrong with a command, unless its caller wants no answer: it would be taken for that of another."""
    if not quiet:
        codec.say(line)


def _nothing_mounted(verb: str) -> bytes:
    if verb in ("delete", "incr", "expire"):
        return NOT_FOUND
    return error_line(NoSuchService("nothing is mounted at this key"))


def _delete(codec: Codec, words: list[bytes], now: float) -> None:
    if not 2 <= len(words) <= 4:
        codec.say(ERROR)
        return
    quiet = words[-1] == b"noreply"
    key = words[1]
    if len(words) > 2 and not (words[2] == b"0" or (quiet and len(words) == 3)):
        _say(codec, b"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n", quiet)
    elif not is_key(key):
        _say(codec, BAD_FORMAT, quiet)
    elif b"#" in key and codec.wire.answers.take(codec.owner, key, now) is not None:
        _say(codec, b"DELETED\r\n", quiet)
    else:
        change(codec, "delete", key, {}, quiet=quiet)


def _incr(sign: int, codec: Codec, words: list[bytes], now: float) -> None:
    if not 3 <= len(words) <= 4:
        codec.say(ERROR)
        return
    quiet = words[-1] == b"noreply"
    if not is_key(words[1]):
        _say(codec, BAD_FORMAT, quiet)
        return
    delta = read_u64(words[2])
    if delta is None:
        _say(codec, b"CLIENT_ERROR invalid numeric delta argument\r\n", quiet)
        return
    change(codec, "incr", words[1], {"delta": sign * delta}, quiet=quiet)


def _touch(codec: Codec, words: list[bytes], now: float) -> None:
    if not 3 <= len(words) <= 4:
        codec.say(ERROR)
        return
    codec.wire.counts.cmd_touch += 1
    quiet = words[-1] == b"noreply"
    expiry = read_i64(words[2])
    if not is_key(words[1]):
        _say(codec, BAD_FORMAT, quiet)
    elif expiry is None:
        _say(codec, _BAD_EXPIRY, quiet)
    else:
        given = {"ttl": read_expiry(expiry, codec.wire.wall())}
        change(codec, "expire", words[1], given, quiet=quiet)


def _version(codec: Codec, words: list[bytes], now: float) -> None:
    codec.say(_VERSION_LINE)


def _verbosity(codec: Codec, words: list[bytes], now: float) -> None:
    # There is nothing to change; what was said is checked all the same.
    quiet = words[-1] == b"noreply"
    if quiet:
        return
    if not 2 <= len(words) <= 3:
        codec.say(ERROR)
    elif read_u64(words[1]) is None:
        codec.say(BAD_FORMAT)
    else:
        codec.say(b"OK\r\n")


def _flush_all(codec: Codec, words: list[bytes], now: float) -> None:
    counts, methods = codec.wire.counts, codec.wire.directory.flushes
    quiet = words[-1] == b"noreply"
    said = words[1 : len(words) - quiet]
    delay = read_i32(said[0]) if said else 0
    if len(words) > 4:
        codec.say(ERROR)
    elif not methods:
        _say(codec, b"CLIENT_ERROR flush_all not allowed\r\n", quiet)
    elif delay is None:
        _say(codec, _BAD_EXPIRY, quiet)
    elif delay > 0:
        _say(codec, b"SERVER_ERROR flush_all with a delay is not offered\r\n", quiet)
    else:
        counts.cmd_flush += 1
        slot = None if quiet else FlushSlot(len(methods))
        if slot is not None:
            codec.queue(slot)
        for method in methods:
            codec.call_mounted(b"", method, {}, slot, changes=False)


def _stats(codec: Codec, words: list[bytes], now: float) -> None:
    codec.say(stats_answer(words[1:], codec.wire.counts, codec.stats(), codec.peer.address))


def _quit(codec: Codec, words: list[bytes], now: float) -> None:
    codec.finish()


def _shutdown(codec: Codec, words: list[bytes], now: float) -> None:
    codec.say(b"ERROR: shutdown not enabled\r\n")


COMMANDS: Final[Mapping[bytes, Callable[[Any, list[bytes], float], None]]] = {
    b"get": _get,
    b"gets": _get,
    b"gat": _gat,
    b"gats": _gat,
    **{verb.encode(): partial(_store, verb) for verb in ("set", "add", "replace", "append", "prepend", "cas")},
    b"delete": _delete,
    b"incr": partial(_incr, 1),
    b"decr": partial(_incr, -1),
    b"touch": _touch,
    b"version": _version,
    b"verbosity": _verbosity,
    b"flush_all": _flush_all,
    b"stats": _stats,
    b"quit": _quit,
    b"shutdown": _shutdown,
    **meta.COMMANDS,
}
