"""The server's half of a memcached:// connection: lines and data blocks in, answers in order of the commands out."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from gateway.model.call import NO_ATTACHMENTS, Invocation, Peer
from gateway.model.errors import BadRequest, RemoteWireError, RpcError
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Outcome, Send, ServerEvent
from protocols.http.unwritable import unwritable
from protocols.leaving import Leaving
from protocols.memcached.alien import HTTP, alien, begins_alien, refuse_alien
from protocols.memcached.answers import Answers
from protocols.memcached.command import COMMANDS, GETS, Expected
from protocols.memcached.counts import Counts
from protocols.memcached.directory import Directory
from protocols.memcached.running import RunningCall
from protocols.memcached.slot import STORED, GetSlot
from protocols.memcached.ticket import Slot
from protocols.memcached.turn import TurnInvocation, Turns
from protocols.memcached.unreadable import Unreadable
from protocols.memcached.word import ERROR, MAX_KEY_BYTES, read_u64, words_of
from protocols.texts.mount import MountedMethod
from protocols.texts.step import STEP, STEP_BYTES

__all__ = ["MemcachedServerCodec", "MemcachedServerWire", "ServerStyle"]

_LINE_BYTES: Final = 2_048
"""Of a command that is no `get` (memcached/memcached: proto_text.c, `try_read_command_ascii`)."""
_CR: Final = 0x0D
_USUAL: Final = re.compile(rb"get ([^ \r\n\0#)]{1,250})\r\n").fullmatch
"""A `get` of one key that is no call."""
_WORD_BYTES: Final = 16
"""No command has a longer word."""


@dataclass(frozen=True, slots=True)
class ServerStyle:
    """How a listener behaves.

    `users`: name to password of those who may call; empty for everybody. `max_keys`: of one `get`.
    `max_value_bytes`: of one data block.
    `max_answers`, `answer_bytes`, `answer_s`: how many answers of calls wait to be fetched, of how many bytes, how
    long. `max_connections`: for `stats settings`. `names_formats`: whether flags of answers name their format.
    """

    users: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    max_keys: int = 1_000
    max_value_bytes: int = 8_388_608
    max_answers: int = 1_000
    answer_bytes: int = 67_108_864
    answer_s: float = 60.0
    max_connections: int = 10_000
    names_formats: bool = True


class MemcachedServerWire:
    """See `protocols.contract.ServerWire`.

    `clock`: monotonic seconds; `wall`: seconds since 1970; `connected`: how many are; `pid`: of this process.

    Raises:
        ContractError: a service has no contract, or two mount the same prefix.
    """

    def __init__(
        self,
        exposures: Sequence[Exposure],
        style: ServerStyle,
        clock: Callable[[], float],
        wall: Callable[[], float],
        connected: Callable[[], int] = lambda: 1,
        pid: int = 0,
    ) -> None:
        self.style: Final = style
        self.directory: Final = Directory(exposures, names_formats=style.names_formats)
        self.counts: Final = Counts()
        self.answers: Final = Answers(style.max_answers, style.answer_bytes, style.answer_s)
        self.clock: Final = clock
        self.wall: Final = wall
        self.connected: Final = connected
        self.pid: Final = pid
        self.started: Final = clock()
        self.connections = 0
        """Accepted so far."""
        self.max_line_bytes: Final = _LINE_BYTES + style.max_keys * (MAX_KEY_BYTES + 1)
        self.passwords: Final = {name.encode(): secret.encode() for name, secret in style.users.items()}

    def accept(self, peer: Peer) -> MemcachedServerCodec:
        """See `ServerWire.accept`."""
        self.connections += 1
        return MemcachedServerCodec(self, peer)


class MemcachedServerCodec:
    """See `protocols.contract.ServerCodec`. What commands (`protocols.memcached.command`) do, they do with it."""

    __slots__ = (
        "_events", "_expected", "_held", "_is_fresh", "_is_idle", "_is_known", "_leaving", "_said", "_swallow",
        "_wanted", "broken", "calls", "consumer", "finished", "is_behind", "is_draining", "owner", "peer",
        "pending_bytes", "turns", "wire",
    )  # fmt: skip

    def __init__(self, wire: MemcachedServerWire, peer: Peer) -> None:
        self.wire: Final = wire
        self.peer: Final = peer
        self.owner = peer.address.rpartition(":")[0]
        """Who may fetch answers of calls: whoever comes from the same machine, and has shown the same name."""
        self.turns: Final = Turns()
        self.calls: Final[dict[bytes, RunningCall]] = {}
        """Calls by `set` that have not ended, by key."""
        self.is_draining = False
        self._leaving: Final[Leaving[Slot]] = Leaving()
        self._events: list[ServerEvent] = []
        self._held = bytearray()
        """The beginning of a line or block."""
        self._wanted = 0
        """Bytes that must be held before it is worth looking again; 0 for a line, which ends where it ends."""
        self._swallow = 0
        """Bytes of a block that is refused."""
        self._expected: Expected | None = None
        """What takes the block that comes next."""
        self.is_behind = False
        self._said = 0
        """Bytes of answers in this step."""
        self._is_fresh = True
        self._is_known = not wire.passwords
        """Who calls has said so, where that is wanted."""
        self.consumer = ""
        """The user who calls, as far as they have said so."""
        self._is_idle = self._is_known
        """The next byte begins a command of somebody who may send some."""
        self.pending_bytes = 0
        self.broken: RemoteWireError | None = None
        self.finished = False

    @property
    def held_bytes(self) -> int:
        """See `ServerCodec.held_bytes`."""
        return self._leaving.held_bytes

    def receive(self, data: bytes, now: float) -> Sequence[ServerEvent]:
        """See `ServerCodec.receive`, and `PacedServerCodec`."""
        self.wire.counts.bytes_read += len(data)
        self.turns.settle()
        if self._is_idle and (usual := self._usual(data)) is not None:
            return usual
        if self.broken is not None or self.finished:
            return ()
        events = self._receive(data, now)
        self._note_state()
        return events

    def _note_state(self) -> None:
        # Asked for more often than it changes.
        self.pending_bytes = len(self._held) + (1 if self._expected is not None or self._swallow else 0)
        self._is_idle = self._is_known and not self.pending_bytes and self.broken is None and not self.finished

    def _receive(self, data: bytes, now: float) -> Sequence[ServerEvent]:
        was_behind, self.is_behind = self.is_behind, False
        events = self._events = []
        if self._held:
            self._held += data
            # A line without an end, or a block that is not whole, is not looked through again.
            if not was_behind and (len(self._held) < self._wanted or (not self._wanted and b"\n" not in data)):
                if self._is_fresh and begins_alien(self._held):
                    self.broken = alien(self._held)
                elif not self._wanted:
                    self._is_too_long(self._held)
                return events
            data = self._release(now)
        try:
            self._read(data, now)
        except RemoteWireError as exc:
            self.broken = exc
        return events

    def _release(self, now: float) -> bytes:
        """What was held. A block in front of it is taken first: a copy of it all would take its size once more."""
        held, expected = self._held, self._expected
        size = self._wanted if expected is not None and len(held) >= self._wanted else 0
        end = max(0, size - 2)
        with memoryview(held) as view:
            block, close, data = bytes(view[:end]), bytes(view[end:size]), bytes(view[size:])
        held.clear()
        if expected is not None and size:
            self._take(expected, block, close, now)
        return data

    def _take(self, expected: Expected, block: bytes, close: bytes, now: float) -> None:
        """A block and the two bytes behind it."""
        self._wanted = 0
        self._expected = None
        if close == b"\r\n":
            expected.take(self, block, now)
        else:
            self.say(b"CLIENT_ERROR bad data chunk\r\n")

    def _usual(self, data: bytes) -> Sequence[ServerEvent] | None:
        """`get` of one key under a mount, and nothing else: what most calls are."""
        line = _USUAL(data)
        if line is None or (key := line[1]) in self.turns.pending:
            return None
        mounted = self.wire.directory.getter(key)
        if mounted is None or mounted.read_key is None:
            return None
        self._is_fresh = False
        counts = self.wire.counts
        counts.cmd_get += 1
        counts.total_calls += 1
        slot = GetSlot(key, mounted.giver, counts)
        self._leaving.slots.append(slot)
        arguments = raw = None
        try:
            arguments = mounted.read_key(key[mounted.prefix_bytes :])
        except BadRequest as exc:
            raw = Unreadable(exc)
        signature = mounted.signature
        invocation = Invocation(
            mounted.service, signature.name, arguments, signature, raw, NO_ATTACHMENTS, None, None, self.peer,
            self.consumer,
        )  # fmt: skip
        return (CallReceived(slot, invocation),)

    def _is_too_long(self, line: bytes | bytearray) -> bool:
        """Whether a line, or its beginning, is longer than any may be; breaks then."""
        if self._wanted or self._swallow or self._expected is not None or len(line) <= _LINE_BYTES:
            return False
        most = self.wire.max_line_bytes if bytes(line[:_LINE_BYTES]).lstrip(b" ").startswith(GETS) else _LINE_BYTES
        if len(line) <= most:
            return False
        if self._is_fresh and not any(bytes(line[:_WORD_BYTES]).startswith(b"%b " % each) for each in COMMANDS):
            self.broken = alien(line)
            return True
        self.broken = RemoteWireError(
            f"a line of more than {most} bytes",
            reason="line-too-long",
            farewell=self._leaving.say(Slot(b"CLIENT_ERROR line too long\r\n")),
        )
        return True

    def _read(self, data: bytes, now: float) -> None:
        at, end, commands = 0, len(data), 0
        self._said = 0
        if self._is_fresh and data and begins_alien(data):
            raise alien(data)
        while at < end and self.broken is None and not self.finished:
            if commands >= STEP or len(self._events) >= STEP or self._said > STEP_BYTES:
                self._held += data[at:]
                self.is_behind = True
                return
            commands += 1
            if self._swallow:
                gone = min(self._swallow, end - at)
                self._swallow -= gone
                at += gone
                continue
            expected = self._expected
            if expected is not None:
                size = expected.size + 2
                if end - at < size:
                    self._wanted = size
                    break
                close = at + size
                self._take(expected, data[at : close - 2], data[close - 2 : close], now)
                at = close
                continue
            newline = data.find(b"\n", at)
            if newline < 0:
                break
            line = data[at : newline - 1] if newline > at and data[newline - 1] == _CR else data[at:newline]
            at = newline + 1
            if len(line) > _LINE_BYTES and self._is_too_long(line):
                return
            words = words_of(line)
            if self._is_fresh:
                self._is_fresh = False
                if not words or words[0] not in COMMANDS:
                    refuse_alien(line, words)
            self._command(words, now)
        if at < end and not self.finished:
            self._held += data[at:]
            self._is_too_long(self._held)

    def _command(self, words: list[bytes], now: float) -> None:
        if not self._is_known:
            self._authenticate(words)
            return
        if not words:
            self.say(ERROR)
            return
        command = COMMANDS.get(words[0])
        if command is not None:
            command(self, words, now)
        elif words[-1].startswith(HTTP):
            # A browser or proxy that was led here: nothing of what it sends may be taken for a command.
            raise RemoteWireError("a request of HTTP among commands", reason="bad-magic")
        else:
            self.say(ERROR)

    def _authenticate(self, words: list[bytes]) -> None:
        """Before anything else: `set <any key> <flags> <expiry> <bytes>` with `user password` in the block."""
        size = read_u64(words[4]) if len(words) >= 5 and words[0] == b"set" else None
        if size is None or size > _LINE_BYTES:
            self.say(b"CLIENT_ERROR unauthenticated\r\n")
        else:
            self.expect(size, MemcachedServerCodec._check_password)

    def _check_password(self, block: bytes, now: float) -> None:
        counts = self.wire.counts
        counts.auth_cmds += 1
        said = words_of(block)
        if len(said) < 2:
            self.say(b"CLIENT_ERROR bad authentication token format\r\n")
            return
        # The same time for a name that is not there.
        known = self.wire.passwords.get(said[0])
        if hmac.compare_digest(said[1], b"" if known is None else known) and known is not None:
            self._is_known = True
            self.consumer = said[0].decode("utf-8", "replace")
            self.owner = f"{self.consumer} {self.owner}"
            self.say(STORED)
        else:
            counts.auth_errors += 1
            self.say(b"CLIENT_ERROR authentication failure\r\n")

    def expect(self, size: int, take: Callable[[MemcachedServerCodec, bytes, float], None]) -> None:
        """The next `size` bytes, and CRLF, are a block for `take`."""
        self._expected = Expected(size, take)

    def swallow(self, size: int) -> None:
        """The next `size` bytes are of no use."""
        self._swallow = size

    def say(self, answer: bytes) -> None:
        """An answer that is there at once; it leaves in its turn."""
        self._said += len(answer)
        data = self._leaving.say(Slot(answer))
        self.wire.counts.bytes_written += len(data)
        # Nothing to send says that something is held.
        self._events.append(Send(data))

    def queue(self, slot: Any) -> None:
        """A command whose answer is not there yet."""
        self._leaving.slots.append(slot)

    def leave(self, slot: Any) -> None:
        """A command that was queued has its answer without a call."""
        data = self._leaving.done(slot)
        if data:
            self.wire.counts.bytes_written += len(data)
            self._events.append(Send(data))

    def reject(self, ticket: Any, error: RpcError) -> None:
        """A call that cannot be made."""
        self._events.append(CallRejected(ticket, error))

    def call_mounted(
        self, key: bytes, method: MountedMethod, given: Mapping[str, Any], ticket: Any, *, changes: bool
    ) -> None:
        """Calls what answers for a key. `changes`: later commands for this key wait for it."""
        self.wire.counts.total_calls += 1
        arguments = raw = None
        try:
            arguments = method.read(given)
        except BadRequest as exc:
            raw = Unreadable(exc)
        turns, signature = self.turns, method.signature
        named = (
            method.service, signature.name, arguments, signature, raw, NO_ATTACHMENTS, None, None, self.peer,
            self.consumer,
        )  # fmt: skip
        turn = turns.take(key) if changes or key in turns.pending else None
        invocation = Invocation(*named) if turn is None else TurnInvocation(turn, *named)
        self._events.append(CallReceived(ticket, invocation))

    def call(self, ticket: Any, invocation: Invocation) -> None:
        """Makes a call."""
        self.wire.counts.total_calls += 1
        self._events.append(CallReceived(ticket, invocation))

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """See `ServerCodec.reply`."""
        try:
            slot = ticket.settle(outcome)
        except Exception as exc:  # a value's own code runs while it is written, and may raise anything
            slot = ticket.settle(unwritable(exc)[0])
        if slot is None:
            return b""
        slots = self._leaving.slots
        if len(slots) == 1:
            # Most clients wait for each answer.
            slots.popleft()
            data: bytes = slot.answer
            self.wire.counts.bytes_written += len(data)
            return data
        if type(ticket) is RunningCall and (after := ticket.fetched) is not None:
            self._leaving.hold(after)
        data = self._leaving.done(slot)
        self.wire.counts.bytes_written += len(data)
        return data

    def finish(self) -> None:
        """The peer wants no more."""
        self.finished = True

    def stats(self) -> Mapping[str, int | float]:
        """What `stats` tells beside the counters."""
        wire, style = self.wire, self.wire.style
        return {
            "pid": wire.pid,
            "uptime": wire.clock() - wire.started,
            "time": wire.wall(),
            "connections": wire.connected(),
            "total_connections": wire.connections,
            "max_bytes": style.max_value_bytes,
            "max_keys": style.max_keys,
            "max_connections": style.max_connections,
            "answers": len(wire.answers),
            "flush": bool(wire.directory.flushes),
            "auth": bool(wire.passwords),
        }

    def goodbye(self) -> bytes:
        """Nothing: there is no word for it. From now on answers with a head say it."""
        self.is_draining = True
        return b""

    def ping(self) -> bytes:
        """Nothing: servers of this wire send nothing unasked."""
        return b""
