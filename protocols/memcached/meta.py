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
| `T…` | mg, ms | sets the time to live |
| `F…`, `C…`, `M…` | ms | flags, the version that must be there, and the mode S, E, A, P or R |
| `D…`, `M…` | ma | how much, and the mode I or D |

The others ask for what a service does not know (`h`, `l`), or for several calls as if they were one (`N`, `R`, `J`,
`I`, `x`): such a flag is invalid.

Sources: memcached/memcached: doc/protocol.txt, proto_text.c; and the answers of memcached 1.6.18 to the same lines.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.model.call import Fault, Ok
from gateway.model.errors import NoSuchMethod, NoSuchService
from protocols.contract import Outcome
from protocols.http_json.problem import ExceptionForms
from protocols.memcached.failure import error_line
from protocols.memcached.found import Found, MountGiver, trouble_of
from protocols.memcached.queue import Slot
from protocols.memcached.slot import below_zero, said_of, trouble_of_sum
from protocols.memcached.word import (
    BAD_FORMAT,
    ERROR,
    MAX_KEY_BYTES,
    is_key,
    read_expiry,
    read_i32,
    read_i64,
    read_u32,
    read_u64,
)
from protocols.texts.mount import Mount, MountedMethod

if TYPE_CHECKING:
    from protocols.memcached.server import MemcachedServerCodec as Codec

__all__ = ["COMMANDS"]

_INVALID: Final = b"CLIENT_ERROR invalid flag\r\n"
_BAD_TOKEN: Final = b"CLIENT_ERROR bad token in command line format\r\n"
_MAX_OPAQUE: Final = 31
_KNOWN: Final = {b"mg": b"bkOqvfsctT", b"ms": b"bkOqcTFCMvs", b"md": b"bkOq", b"ma": b"bkOqvctDMfs", b"me": b""}
_STORES: Final = {b"S": "set", b"E": "add", b"A": "append", b"P": "prepend", b"R": "replace"}
_ADDS: Final = {b"I": 1, b"+": 1, b"D": -1, b"-": -1}
_CODES: Final[Mapping[str, Mapping[bool | None, bytes]]] = {
    "cas": {True: b"HD", False: b"EX", None: b"NF"},
    "delete": {True: b"HD", False: b"NF", None: b"NF"},
}
_STORE_CODES: Final[Mapping[bool | None, bytes]] = {True: b"HD", False: b"NS", None: b"NS"}


class _Refused(Exception):
    """The line is wrong; `line` says so."""

    def __init__(self, line: bytes) -> None:
        super().__init__(line)
        self.line = line


class _Asked:
    """A meta command, read. `key`: decoded. `shown`: as it was written. `flags`: by letter, in order."""

    __slots__ = ("flags", "key", "quiet", "shown")

    def __init__(self, verb: bytes, shown: bytes, words: list[bytes]) -> None:
        self.flags: dict[bytes, bytes] = {}
        self.shown = shown
        known = _KNOWN[verb]
        for word in words:
            letter = word[:1]
            if letter in self.flags:
                raise _Refused(b"CLIENT_ERROR duplicate flag\r\n")
            if letter not in known:
                raise _Refused(_INVALID)
            self.flags[letter] = word[1:]
        if len(self.flags.get(b"O", b"")) > _MAX_OPAQUE - 1:
            raise _Refused(b"CLIENT_ERROR opaque token too long\r\n")
        self.key = shown
        if b"b" in self.flags:
            try:
                self.key = b64decode(shown, validate=True)
            except (binascii.Error, ValueError):
                raise _Refused(b"CLIENT_ERROR error decoding key\r\n") from None
            if not 0 < len(self.key) <= MAX_KEY_BYTES:
                raise _Refused(b"CLIENT_ERROR error decoding key\r\n")
        self.quiet = b"q" in self.flags

    def number(self, letter: bytes, read: Callable[[bytes], int | None], refusal: bytes) -> int | None:
        """The number behind a flag, None without the flag."""
        word = self.flags.get(letter)
        if word is None:
            return None
        number = read(word)
        if number is None:
            raise _Refused(refusal)
        return number

    def echo(self, returned: Mapping[bytes, bytes]) -> bytes:
        """The flags that come back. `returned`: what stands behind each that is known besides."""
        parts = []
        for letter, said in self.flags.items():
            if letter == b"k":
                parts.append(b" k%b%b" % (self.shown, b" b" if b"b" in self.flags else b""))
            elif letter == b"O":
                parts.append(b" O" + said)
            elif letter in returned:
                parts.append(b" %b%b" % (letter, returned[letter]))
        return b"".join(parts)


def _item_flags(found: Found) -> Mapping[bytes, bytes]:
    flags, data, version = found
    return {b"s": b"%d" % len(data), b"f": b"%d" % flags, b"c": b"%d" % version}


class _MetaSlot(Slot):
    """One meta command: its main call, and those that find out what flags ask for. `is_item`: it reads an item."""

    __slots__ = (
        "_aside",
        "_asked",
        "_code",
        "_found",
        "_is_item",
        "_is_value",
        "_left",
        "_quiet_codes",
        "_returned",
        "_trouble",
    )

    def __init__(self, asked: _Asked, quiet_codes: tuple[bytes, ...], *, is_item: bool) -> None:
        self.answer = None
        self._asked = asked
        self._code = b""
        self._found: Found | None = None
        self._is_value = b"v" in asked.flags
        self._is_item = is_item
        self._returned: dict[bytes, bytes] = {}
        self._trouble = self._aside = b""
        """Of the main call, and of the others, which matters only where that has an answer."""
        self._left = 1
        self._quiet_codes = quiet_codes if asked.quiet else ()

    def add(self) -> None:
        """One more part is waited for."""
        self._left += 1

    def note(self, code: bytes = b"", found: Found | None = None, trouble: bytes = b"") -> Slot | None:
        """What became of the main call, or the trouble of any."""
        self._code = code or self._code
        self._found = found or self._found
        self._trouble = self._trouble or trouble
        return self.close()

    def lament(self, trouble: bytes) -> Slot | None:
        """Trouble of a call that finds out what a flag asks for."""
        self._aside = self._aside or trouble
        return self.close()

    def said(self, letter: bytes, text: bytes) -> Slot | None:
        """What a flag asked for."""
        self._returned[letter] = text
        return self.close()

    def close(self) -> Slot | None:
        """One part less."""
        self._left -= 1
        if self._left:
            return None
        asked, found, code = self._asked, self._found, self._code
        if code == b"HD" and not self._trouble:
            self._trouble = self._aside
        if self._trouble:
            self.answer = self._trouble
        elif code in self._quiet_codes:
            self.answer = b""
        elif found is None or code != b"HD":
            self.answer = b"%b%b\r\n" % (code, asked.echo(self._returned if code == b"HD" else {}))
        else:
            returned = {**_item_flags(found), **self._returned} if self._is_item else self._returned
            if self._is_value:
                self.answer = b"VA %d%b\r\n%b\r\n" % (len(found[1]), asked.echo(returned), found[1])
            else:
                self.answer = b"HD%b\r\n" % asked.echo(returned)
        return self


class _Part:
    """One call of a meta command. `read(result)`: hands what it returned to the slot, `miss()` that there is nothing.

    `is_aside`: it is not the main call.
    """

    __slots__ = ("_forms", "_is_aside", "_method", "_miss", "_read", "_slot")

    def __init__(
        self,
        slot: _MetaSlot,
        method: MountedMethod,
        forms: ExceptionForms,
        read: Callable[[Any], Slot | None],
        miss: Callable[[], Slot | None],
        *,
        is_aside: bool = False,
    ) -> None:
        self._slot = slot
        self._method = method
        self._forms = forms
        self._read = read
        self._miss = miss
        self._is_aside = is_aside
        slot.add()

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Slot.settle`."""
        if type(outcome) is Ok:
            return self._read(outcome.value)
        if isinstance(outcome, Fault) and self._method.is_miss(outcome := outcome.decoded()):
            return self._miss()
        trouble = trouble_of_sum(outcome, self._method, self._forms)
        return self._slot.lament(trouble) if self._is_aside else self._slot.note(trouble=trouble)


def _read_line(codec: Codec, words: list[bytes], at: int, missing: bytes) -> _Asked | None:
    """The key and the flags from the word `at`; None where the answer has been said."""
    if len(words) < at:
        codec.say(missing)
        return None
    if not is_key(words[1]):
        codec.say(BAD_FORMAT)
        return None
    try:
        return _Asked(words[0], words[1], words[at:])
    except _Refused as exc:
        codec.say(_invalid(words[0], exc.line))
        return None


def _invalid(verb: bytes, line: bytes) -> bytes:
    if verb == b"ma" and line in (_INVALID, b"CLIENT_ERROR duplicate flag\r\n"):
        return b"CLIENT_ERROR invalid or duplicate flag\r\n"
    return line


def _begin(codec: Codec, asked: _Asked, quiet_codes: tuple[bytes, ...], *, is_item: bool = False) -> _MetaSlot:
    slot = _MetaSlot(asked, quiet_codes, is_item=is_item)
    codec.queue(slot)
    return slot


def _end(codec: Codec, slot: _MetaSlot) -> None:
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
    except _Refused as exc:
        codec.say(exc.line)
        return
    slot = _begin(codec, asked, (b"EN",), is_item=True)
    directory, key = codec.wire.directory, asked.key
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


def _value_part(codec: Codec, slot: _MetaSlot, giver: MountGiver, mount: Mount, key: bytes) -> None:
    def read(result: Any) -> Slot | None:
        found = giver.found(result)
        counts = codec.wire.counts
        if found is None:
            counts.get_misses += 1
            return slot.note(b"EN")
        counts.get_hits += 1
        return slot.note(b"HD", found)

    part = _Part(slot, giver.method, giver.forms, read, lambda: slot.note(b"EN"))
    codec.call_mounted(key, giver.method, {"key": key[len(mount.prefix) :]}, part, changes=False)


def _time_left(codec: Codec, slot: _MetaSlot, mount: Mount, asked: _Asked) -> None:
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

    part = _Part(slot, method, codec.wire.directory.forms(mount), read, slot.close, is_aside=True)
    codec.call_mounted(asked.key, method, {"key": asked.key[len(mount.prefix) :]}, part, changes=False)


def _version(codec: Codec, slot: _MetaSlot, mount: Mount, asked: _Asked) -> None:
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

    part = _Part(slot, giver.method, giver.forms, read, slot.close, is_aside=True)
    codec.call_mounted(asked.key, giver.method, {"key": asked.key[len(mount.prefix) :]}, part, changes=False)


def _call(
    codec: Codec, slot: _MetaSlot, mount: Mount, verb: str, key: bytes, given: Mapping[str, Any], is_aside: bool = False
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

    part = _Part(slot, method, codec.wire.directory.forms(mount), read, miss, is_aside=is_aside)
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
            stored = _stored(codec, _Asked(b"ms", words[1], words[3:]))
        except _Refused as exc:
            trouble = exc.line
    if stored is None:
        # The line says how long the block is, so what is in it is no command.
        codec.say(trouble)
        codec.swallow(size + 2)
        return
    asked, verb, given = stored

    def take(codec: Codec, block: bytes, now: float) -> None:
        mount = codec.wire.directory.mounts.find(asked.key)
        if mount is None:
            codec.say(error_line(NoSuchService("nothing is mounted at this key")))
            return
        slot = _begin(codec, asked, (b"HD",))
        _call(codec, slot, mount, verb, asked.key, {"value": block, **given})
        _version(codec, slot, mount, asked)
        _end(codec, slot)

    codec.expect(size, take)


def _stored(codec: Codec, asked: _Asked) -> tuple[_Asked, str, Mapping[str, Any]]:
    """What a `ms` asks for: the verb, and its arguments beside key and value."""
    flags = asked.number(b"F", read_u32, BAD_FORMAT) or 0
    expiry = asked.number(b"T", read_i64, _BAD_TOKEN) or 0
    version = asked.number(b"C", read_u64, _BAD_TOKEN)
    mode = asked.flags.get(b"M", b"S")
    if len(mode) != 1:
        raise _Refused(b"CLIENT_ERROR incorrect length for M token\r\n")
    verb = _STORES.get(mode.upper())
    if verb is None:
        raise _Refused(b"CLIENT_ERROR invalid mode for ms M token\r\n")
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
    if mount is None:
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
        delta = asked.number(b"D", read_u64, b"CLIENT_ERROR invalid or duplicate flag\r\n")
    except _Refused as exc:
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
        _add(codec, slot, mount, asked, sign * (1 if delta is None else delta))
        _time_left(codec, slot, mount, asked)
        _version(codec, slot, mount, asked)
    _end(codec, slot)


def _add(codec: Codec, slot: _MetaSlot, mount: Mount, asked: _Asked, delta: int) -> None:
    method = mount.methods.get("incr")
    if method is None:
        slot.add()
        slot.note(trouble=_not_offered(mount, "incr"))
        return

    def read(result: Any) -> Slot | None:
        data = None if result is None else method.write(result)
        if data is None:
            return slot.note(b"NF")
        trouble = below_zero(data)
        return slot.note(trouble=trouble) if trouble else slot.note(b"HD", (0, data, 0))

    part = _Part(slot, method, codec.wire.directory.forms(mount), read, lambda: slot.note(b"NF"))
    given = {"key": asked.key[len(mount.prefix) :], "delta": delta}
    codec.call_mounted(asked.key, method, given, part, changes=True)


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
    slot = _DebugSlot(asked.shown, getter.giver)
    codec.queue(slot)
    codec.call_mounted(key, getter.giver.method, {"key": key[len(mount.prefix) :]}, slot, changes=False)


class _DebugSlot(Slot):
    """`me`: what is known of an item, as one line for people."""

    __slots__ = ("_giver", "_shown")

    def __init__(self, shown: bytes, giver: MountGiver) -> None:
        self.answer = None
        self._shown = shown
        self._giver = giver

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Slot.settle`."""
        giver = self._giver
        found = giver.found(outcome.value) if type(outcome) is Ok else None
        if found is not None:
            known = (self._shown, found[2], len(found[1]))
            self.answer = b"ME %b exp=-1 la=0 cas=%d fetch=no cls=1 size=%d\r\n" % known
        elif type(outcome) is Ok or (isinstance(outcome, Fault) and giver.is_miss(outcome := outcome.decoded())):
            self.answer = b"EN\r\n"
        else:
            self.answer = trouble_of(outcome, giver.forms)
        return self


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
