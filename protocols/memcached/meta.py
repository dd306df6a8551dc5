"""The meta commands `mn mg ms md ma me` over mounts.

Flags come back in the order in which they were asked for. Of those of memcached there are:

| flag | in | meaning |
| --- | --- | --- |
| `b` | all | the key is base64 |
| `k`, `O…` | all | come back, the key and what stands behind the O |
| `q` | all | no answer of `EN` (mg) or `HD` |
| `v`, `s`, `f` | mg, ma: v | the value, its size, its flags |
| `c` | mg, ms, ma | the version, from what `gets` is mounted to; 0 where nothing is |
| `t` | mg, ma | seconds to live, from what `ttl` is mounted to; -1 where nothing is |
| `h`, `l` | mg | whether it was read before, and how many seconds ago: 0, for no service says so |
| `T…` | mg, ms, ma | sets the time to live |
| `F…`, `C…`, `M…` | ms | flags, the version that must be there, and the mode S, E, A, P or R |
| `D…`, `M…` | ma | how much, and the mode I or D |
| `N…`, `J…` | ma | how long lives what is stored where nothing was, and what that is; for methods that take `initial` |

The others ask for several calls as if they were one (`N` of mg, `C` of others than ms, `R`, `I`, `x`): such a flag is
invalid.

Sources: memcached/memcached: doc/protocol.txt, proto_text.c; and the answers of memcached 1.6.18 to the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.model.errors import NoSuchMethod, NoSuchService
from protocols.memcached.failure import error_line
from protocols.memcached.found import MountGiver
from protocols.memcached.invoke import call_or_fetch, start_call
from protocols.memcached.meta_line import INVALID_OR_DUPLICATE, Asked, Refused
from protocols.memcached.meta_slot import CalledPart, DebugSlot, MetaPart, MetaSlot
from protocols.memcached.slot import below_zero, said_of
from protocols.memcached.ticket import Slot
from protocols.memcached.word import (
    BAD_FORMAT,
    ERROR,
    is_key,
    read_expiry,
    read_i32,
    read_i64,
    read_u32,
    read_u64,
)
from protocols.texts.mount import Mount

if TYPE_CHECKING:
    from protocols.memcached.server import MemcachedServerCodec as Codec

__all__ = ["COMMANDS"]

_BAD_TOKEN: Final = b"CLIENT_ERROR bad token in command line format\r\n"
_STORES: Final = {b"S": "set", b"E": "add", b"A": "append", b"P": "prepend", b"R": "replace"}
_ADDS: Final = {b"I": 1, b"+": 1, b"D": -1, b"-": -1}
_CODES: Final[Mapping[str, Mapping[bool | None, bytes]]] = {
    "cas": {True: b"HD", False: b"EX", None: b"NF"},
    "delete": {True: b"HD", False: b"NF", None: b"NF"},
}
_STORE_CODES: Final[Mapping[bool | None, bytes]] = {True: b"HD", False: b"NS", None: b"NS"}


def _read_line(codec: Codec, words: list[bytes], at: int, missing: bytes) -> Asked | None:
    """The key and the flags from the word `at`; None where the answer has been said."""
    if len(words) < at:
        codec.say(missing)
        return None
    if not is_key(words[1]):
        codec.say(BAD_FORMAT)
        return None
    try:
        return Asked(words[0], words[1], words[at:])
    except Refused as exc:
        codec.say(exc.line)
        return None


def _begin(codec: Codec, asked: Asked, quiet_codes: tuple[bytes, ...], *, is_item: bool = False) -> MetaSlot:
    slot = MetaSlot(asked, quiet_codes, is_item=is_item)
    codec.queue(slot)
    return slot


def _end(codec: Codec, slot: MetaSlot) -> None:
    """All parts are known."""
    if slot.close() is not None:
        codec.leave(slot)


def _mg(codec: Codec, words: list[bytes], now: float) -> None:
    codec.wire.counts.cmd_get += 1
    codec.wire.counts.cmd_meta += 1
    asked = _read_line(codec, words, 2, ERROR)
    if asked is None:
        return
    try:
        expiry = asked.number(b"T", read_i64, _BAD_TOKEN)
    except Refused as exc:
        codec.say(exc.line)
        return
    slot = _begin(codec, asked, (b"EN",), is_item=True)
    directory, key = codec.wire.directory, asked.key
    if call_or_fetch(codec, key, CalledPart(slot, codec.wire.counts), now):
        if slot.said(b"t", b"-1") is not None:
            codec.leave(slot)
        return
    # It was no call, so its part is none.
    slot.close()
    mount = directory.mounts.find(key)
    getter = directory.getter(key, versioned=b"c" in asked.flags or b"f" in asked.flags)
    if mount is None:
        slot.add()
        slot.note(b"EN")
    elif getter is None:
        slot.add()
        slot.note(trouble=_not_offered(mount, "get"))
    else:
        if expiry is not None:
            _call(codec, slot, mount, "expire", key, {"ttl": read_expiry(expiry, codec.wire.wall())}, True)
        _value_part(codec, slot, getter.giver, mount, key)
        _time_left(codec, slot, mount, asked)
    _end(codec, slot)


def _value_part(codec: Codec, slot: MetaSlot, giver: MountGiver, mount: Mount, key: bytes) -> None:
    def read(result: Any) -> Slot | None:
        found = giver.found(result)
        counts = codec.wire.counts
        if found is None:
            counts.get_misses += 1
            return slot.note(b"EN")
        counts.get_hits += 1
        return slot.note(b"HD", found)

    part = MetaPart(slot, giver.method, giver.forms, read, lambda: slot.note(b"EN"))
    codec.call_mounted(key, giver.method, {"key": key[len(mount.prefix) :]}, part, changes=False)


def _time_left(codec: Codec, slot: MetaSlot, mount: Mount, asked: Asked) -> None:
    if b"t" not in asked.flags:
        return
    method = mount.methods.get("ttl")
    if method is None:
        slot.add()
        slot.said(b"t", b"-1")
        return

    def read(result: Any) -> Slot | None:
        seconds = result.total_seconds() if isinstance(result, timedelta) else result
        return slot.said(b"t", b"-1" if seconds is None else b"%d" % round(seconds))

    part = MetaPart(slot, method, codec.wire.directory.forms(mount), read, slot.close, is_aside=True)
    codec.call_mounted(asked.key, method, {"key": asked.key[len(mount.prefix) :]}, part, changes=False)


def _version(codec: Codec, slot: MetaSlot, mount: Mount, asked: Asked) -> None:
    """The version that is there after a change."""
    if b"c" not in asked.flags:
        return
    getter = codec.wire.directory.getter(asked.key, versioned=True)
    if getter is None or not getter.giver.versioned:
        slot.add()
        slot.said(b"c", b"0")
        return
    giver = getter.giver

    def read(result: Any) -> Slot | None:
        found = giver.found(result)
        return slot.said(b"c", b"%d" % (0 if found is None else found[2]))

    part = MetaPart(slot, giver.method, giver.forms, read, slot.close, is_aside=True)
    codec.call_mounted(asked.key, giver.method, {"key": asked.key[len(mount.prefix) :]}, part, changes=False)


def _call(
    codec: Codec, slot: MetaSlot, mount: Mount, verb: str, key: bytes, given: Mapping[str, Any], is_aside: bool = False
) -> None:
    """The call of a verb. `is_aside`: only its trouble is told."""
    method = mount.methods.get(verb)
    if method is None:
        slot.add()
        slot.note(trouble=_not_offered(mount, "touch" if verb == "expire" else verb))
        return
    codes = _CODES.get(verb, _STORE_CODES)

    def read(result: Any) -> Slot | None:
        return slot.close() if is_aside else slot.note(codes[said_of(verb, method, result)])

    def miss() -> Slot | None:
        return slot.close() if is_aside else slot.note(codes[None])

    part = MetaPart(slot, method, codec.wire.directory.forms(mount), read, miss, is_aside=is_aside)
    codec.call_mounted(key, method, {"key": key[len(mount.prefix) :], **given}, part, changes=True)


def _ms(codec: Codec, words: list[bytes], now: float) -> None:
    codec.wire.counts.cmd_set += 1
    codec.wire.counts.cmd_meta += 1
    if len(words) < 2:
        codec.say(ERROR)
        return
    size = read_i32(words[2]) if len(words) > 2 else None
    if size is None or not 0 <= size < (1 << 31) - 2:
        codec.say(BAD_FORMAT)
        return
    trouble, stored = b"", None
    if not is_key(words[1]):
        trouble = BAD_FORMAT
    elif size > codec.wire.style.max_value_bytes:
        trouble = b"SERVER_ERROR object too large for cache\r\n"
    else:
        try:
            stored = _stored(codec, Asked(b"ms", words[1], words[3:]))
        except Refused as exc:
            trouble = exc.line
    if stored is None:
        # The line says how long the block is, so what is in it is no command.
        codec.say(trouble)
        codec.swallow(size + 2)
        return
    asked, verb, given = stored

    def take(codec: Codec, block: bytes, now: float) -> None:
        if verb == "set" and b"#" in asked.key:
            done = b"HD%b\r\n" % asked.echo({b"c": b"0"})
            if start_call(codec, asked.key, block, now, quiet=asked.quiet, stored=done):
                return
        mount = codec.wire.directory.mounts.find(asked.key)
        if mount is None:
            codec.say(error_line(NoSuchService("nothing is mounted at this key")))
            return
        slot = _begin(codec, asked, (b"HD",))
        _call(codec, slot, mount, verb, asked.key, {"value": block, **given})
        _version(codec, slot, mount, asked)
        _end(codec, slot)

    codec.expect(size, take)


def _stored(codec: Codec, asked: Asked) -> tuple[Asked, str, Mapping[str, Any]]:
    """What a `ms` asks for: the verb, and its arguments beside key and value."""
    flags = asked.number(b"F", read_u32, BAD_FORMAT) or 0
    expiry = asked.number(b"T", read_i64, _BAD_TOKEN) or 0
    version = asked.number(b"C", read_u64, _BAD_TOKEN)
    mode = asked.flags.get(b"M", b"S")
    if len(mode) != 1:
        raise Refused(b"CLIENT_ERROR incorrect length for M token\r\n")
    verb = _STORES.get(mode.upper())
    if verb is None:
        raise Refused(b"CLIENT_ERROR invalid mode for ms M token\r\n")
    if version is not None:
        verb = "cas"
    given: dict[str, Any] = {"version": version}
    if verb not in ("append", "prepend"):
        given["ttl"], given["flags"] = read_expiry(expiry, codec.wire.wall()), flags
    return asked, verb, given


def _md(codec: Codec, words: list[bytes], now: float) -> None:
    codec.wire.counts.cmd_meta += 1
    asked = _read_line(codec, words, 2, ERROR)
    if asked is None:
        return
    slot = _begin(codec, asked, (b"HD",))
    mount = codec.wire.directory.mounts.find(asked.key)
    if b"#" in asked.key and codec.wire.answers.take(codec.owner, asked.key, now) is not None:
        slot.add()
        slot.note(b"HD")
    elif mount is None:
        slot.add()
        slot.note(b"NF")
    else:
        _call(codec, slot, mount, "delete", asked.key, {})
    _end(codec, slot)


def _ma(codec: Codec, words: list[bytes], now: float) -> None:
    codec.wire.counts.cmd_meta += 1
    asked = _read_line(codec, words, 2, ERROR)
    if asked is None:
        return
    try:
        delta = asked.number(b"D", read_u64, INVALID_OR_DUPLICATE)
        initial = asked.number(b"J", read_u64, INVALID_OR_DUPLICATE)
        initial_expiry = asked.number(b"N", read_i64, INVALID_OR_DUPLICATE)
        expiry = asked.number(b"T", read_i64, INVALID_OR_DUPLICATE)
    except Refused as exc:
        codec.say(exc.line)
        return
    mode = asked.flags.get(b"M", b"I")
    sign = _ADDS.get(mode.upper())
    if sign is None:
        codec.say(b"CLIENT_ERROR invalid mode for ma M token\r\n")
        return
    slot = _begin(codec, asked, (b"HD",))
    mount = codec.wire.directory.mounts.find(asked.key)
    if mount is None:
        slot.add()
        slot.note(b"NF")
    else:
        given: dict[str, Any] = {"delta": sign * (1 if delta is None else delta)}
        if initial_expiry is not None:
            given["initial"], given["ttl"] = initial or 0, read_expiry(initial_expiry, codec.wire.wall())
        _add(codec, slot, mount, asked, given)
        if expiry is not None:
            _call(codec, slot, mount, "expire", asked.key, {"ttl": read_expiry(expiry, codec.wire.wall())}, True)
        _time_left(codec, slot, mount, asked)
        _version(codec, slot, mount, asked)
    _end(codec, slot)


def _add(codec: Codec, slot: MetaSlot, mount: Mount, asked: Asked, given: Mapping[str, Any]) -> None:
    method = mount.methods.get("incr")
    if method is None or ("initial" in given and "initial" not in method.roles):
        slot.add()
        slot.note(trouble=_not_offered(mount, "incr" if method is None else "incr that takes an initial value"))
        return

    def read(result: Any) -> Slot | None:
        data = None if result is None else method.write(result)
        if data is None:
            return slot.note(b"NF")
        trouble = below_zero(data)
        return slot.note(trouble=trouble) if trouble else slot.note(b"HD", (0, data, 0))

    part = MetaPart(slot, method, codec.wire.directory.forms(mount), read, lambda: slot.note(b"NF"))
    codec.call_mounted(asked.key, method, {"key": asked.key[len(mount.prefix) :], **given}, part, changes=True)


def _me(codec: Codec, words: list[bytes], now: float) -> None:
    codec.wire.counts.cmd_meta += 1
    # Flags are passed over, as memcached does.
    asked = _read_line(codec, words[:2], 2, BAD_FORMAT)
    if asked is None:
        return
    directory, key = codec.wire.directory, asked.key
    mount, getter = directory.mounts.find(key), directory.getter(key, versioned=True)
    if mount is None or getter is None:
        codec.say(b"EN\r\n")
        return
    slot = DebugSlot(asked.shown, getter.giver)
    codec.queue(slot)
    codec.call_mounted(key, getter.giver.method, {"key": key[len(mount.prefix) :]}, slot, changes=False)


def _not_offered(mount: Mount, what: str) -> bytes:
    prefix = mount.prefix.decode("utf-8", "replace")
    return error_line(NoSuchMethod(f"what is mounted at {prefix!r} offers no {what}"))


def _mn(codec: Codec, words: list[bytes], now: float) -> None:
    codec.say(b"MN\r\n")


COMMANDS: Final[Mapping[bytes, Callable[[Any, list[bytes], float], None]]] = {
    b"mn": _mn,
    b"mg": _mg,
    b"ms": _ms,
    b"md": _md,
    b"ma": _ma,
    b"me": _me,
}
