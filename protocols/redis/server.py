"""The server's half of a redis:// connection: commands in, replies out in their order, calls beside each other."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from gateway.model.call import NO_ATTACHMENTS, Invocation, Ok, Peer
from gateway.model.errors import Overloaded, RemoteWireError, RpcError
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Outcome, Send, ServerEvent
from protocols.leaving import Leaving
from protocols.reader import Limits
from protocols.redis.batch import MAX_QUEUED
from protocols.redis.command import NO_MULTI, Command, Refused, Run, Steps
from protocols.redis.context import NO_CONTEXT
from protocols.redis.error_line import error_line
from protocols.redis.key_order import KeyOrder, Waiter
from protocols.redis.listener import Listener
from protocols.redis.method import KeyArguments, MethodForm, RedisArguments
from protocols.redis.request import RequestReader
from protocols.redis.resp import error
from protocols.redis.session import ReplyMode, Session
from protocols.redis.ticket import GetTicket, MethodTicket, Part, Running, Ticket
from protocols.sniff import SNIFF_BYTES, sniff
from protocols.texts.step import STEP, STEP_BYTES

__all__ = ["RedisServerCodec", "RedisServerWire"]

_NO_SECRETS: Final[Mapping[str, str]] = {}
_USUAL_FRAME_BYTES: Final = 1 << 20
"""Of a limit above which no command in the usual form can be too large."""
_MOST_WAITING: Final = 1_000
"""Commands that may wait for their keys."""
_WORD_COST: Final = 32
"""Bytes of memory that a word of a queued command takes, at least, besides its own."""
_NO_COMMANDS: Final = (b"post", b"host:")
_OK: Final = Ok(None)
_GET: Final = (b"GET", b"get")
_ABORTED: Final = b"-EXECABORT Transaction discarded because of: "
_QUEUED: Final = b"+QUEUED\r\n"
_GOODBYE: Final = b">1\r\n+polyport-drain\r\n"
_MAY_BE_TEXT: Final = ("text", "unknown bytes", "redis (RESP)")
_TOO_FEW: Final = 3
"""Bytes with which many things begin."""
_HTTP_LINE: Final = (b" HTTP/1.1", b" HTTP/1.0")


class RedisServerWire:
    """See `protocols.contract.ServerWire` and `Listener`, whose parameters these are."""

    def __init__(
        self,
        exposures: Sequence[Exposure],
        limits: Limits,
        secrets: Mapping[str, str] = _NO_SECRETS,
        clock: Callable[[], float] = float,
    ) -> None:
        self.listener: Final = Listener(exposures, limits, secrets, clock)
        self._ids = itertools.count(1)

    def accept(self, peer: Peer) -> RedisServerCodec:
        """See `ServerWire.accept`."""
        return RedisServerCodec(self.listener, Session(next(self._ids), peer, self.listener.secrets is None))


class RedisServerCodec:
    """See `protocols.contract.ServerCodec`, `ChainingServerCodec` and `PacedServerCodec`."""

    __slots__ = (
        "_due", "_has_begun", "_is_leaving", "_is_starting", "_is_usual", "_leaving", "_listener", "_max_bytes",
        "_order", "_reader", "_ready", "_said", "_session", "_starting", "_waiting", "broken", "finished",
        "is_behind",
    )  # fmt: skip

    def __init__(self, listener: Listener, session: Session) -> None:
        self._listener = listener
        self._session = session
        self._max_bytes = listener.limits.max_frame_bytes
        self._reader = RequestReader(self._max_bytes, is_limited=not session.is_known)
        self._is_usual = session.is_known and self._max_bytes >= _USUAL_FRAME_BYTES
        """Commands run and are answered as soon as they come, and none in the usual form can be too large."""
        self._leaving: Leaving[Ticket] = Leaving()
        self._due: list[ServerEvent] = []
        """Calls that follow from replies."""
        self._order = KeyOrder()
        self._waiting: dict[Waiter, Running] = {}
        """Commands that wait for their keys."""
        self._starting: deque[Waiter] = deque()
        self._is_starting = False
        self._has_begun = False
        self._is_leaving = False
        self._ready: Iterator[list[bytes]] = iter(())
        """Commands in the usual form that were read, and not taken."""
        self._said = 0
        """Bytes of replies in this step."""
        self.is_behind = False
        self.broken: RemoteWireError | None = None
        self.finished = False

    @property
    def held_bytes(self) -> int:
        """See `ServerCodec`."""
        return self._leaving.held_bytes

    @property
    def pending_bytes(self) -> int:
        """See `ServerCodec`."""
        return self._reader.pending_bytes

    def receive(self, data: bytes, now: float) -> Sequence[ServerEvent]:
        """See `ServerCodec.receive`."""
        events: list[ServerEvent] = []
        self.is_behind = False
        if not self._has_begun:
            self._has_begun = True
            self.broken = _foreign(data)
        if self._is_over():
            return events
        reader = self._reader
        if self._is_usual and reader.is_idle() and data[:1] == b"*":
            self._ready = iter(reader.usual(data))
        else:
            reader.feed(data)
        self._said = 0
        try:
            self._take(now, events)
        except RemoteWireError as exc:
            self.broken = self._in_order(exc, events)
        return events

    def _take(self, now: float, events: list[ServerEvent]) -> None:
        """The commands that are there, or some of them. Raises RemoteWireError."""
        reader, session, left = self._reader, self._session, STEP
        quick = self._listener.quick
        consumer = session.consumer
        for words in self._ready:
            form = quick.get(words[0])
            if form is not None and self._is_usual:
                events.append(self._call(form, words, session, consumer))
            elif len(words) == 2 and words[0] in _GET and self._is_usual:
                self._get(words, now, events)
            else:
                self._command(words, now, events)
                if self._is_over():
                    return
                consumer = session.consumer
            left -= 1
            if left <= 0 or len(events) >= STEP or self._said > STEP_BYTES:
                self.is_behind = True
                return
        if reader.is_idle():
            return
        while (command := reader.next()) is not None:
            if command:
                self._command(command, now, events)
                if self._is_over():
                    return
            left -= 1
            if left <= 0 or len(events) >= STEP or self._said > STEP_BYTES:
                self.is_behind = True
                return

    def _is_over(self) -> bool:
        """Whether no further command is taken."""
        return self.finished or self.broken is not None

    def _in_order(self, lost: RemoteWireError, events: list[ServerEvent]) -> RemoteWireError:
        """The reply that says what was wrong leaves behind those of the commands before it."""
        if not self._leaving.slots or not lost.farewell:
            return lost
        self._say(lost.farewell, events)
        return RemoteWireError(str(lost.args[0]), reason=lost.reason)

    def _call(self, form: MethodForm, words: list[bytes], session: Session, consumer: str) -> ServerEvent:
        """A call that is all of a command, with nothing beside it."""
        ticket = MethodTicket(form, session.proto, session.wants_more)
        self._leaving.slots.append(ticket)
        return CallReceived(
            ticket,
            Invocation(
                form.service,
                form.name,
                None,
                form.signature,
                RedisArguments(form.method, words[1:]),
                NO_ATTACHMENTS,
                None,
                None,
                session.peer,
                consumer,
            ),
        )

    def _get(self, words: list[bytes], now: float, events: list[ServerEvent]) -> None:
        """`GET` of a key whose mount takes nothing but the key."""
        found = self._listener.quick_get(words[1])
        if found is None:
            self._command(words, now, events)
            return
        method, prefix_bytes = found
        session = self._session
        key = words[1]
        if not self._order.begin_read(key):
            self._command(words, now, events)
            return
        ticket = GetTicket(method, session.proto, key)
        self._leaving.slots.append(ticket)
        events.append(
            CallReceived(
                ticket,
                Invocation(
                    method.service,
                    method.signature.name,
                    None,
                    method.signature,
                    KeyArguments(method, key[prefix_bytes:]),
                    NO_ATTACHMENTS,
                    None,
                    None,
                    session.peer,
                    session.consumer,
                ),
            )
        )

    def _command(self, words: list[bytes], now: float, events: list[ServerEvent]) -> None:
        """Any other command."""
        session, listener = self._session, self._listener
        if words[0].lower() in _NO_COMMANDS:
            # A page in somebody's browser may send requests here (redis/redis src/networking.c).
            self.broken = RemoteWireError("this looks like HTTP", reason="bad-magic")
            return
        mode = session.reply_mode
        if mode is ReplyMode.SKIP:
            session.reply_mode = ReplyMode.ON
        reply: bytes | Steps
        batch = session.queued if words[0].lower() == b"exec" else None
        command: Command | None = None
        try:
            command = self._admitted(words)
            if session.queued is not None and not (command is not None and command.at_once):
                reply = self._queued(words, session.queued, command)
            else:
                reply = listener.perform(Run(listener, session, NO_CONTEXT, now, session.proto), words, command)
                self._note_change(command)
        except RpcError as exc:
            session.is_spoilt = session.queued is not None
            rejected = Ticket(None, mode is not ReplyMode.ON)
            self._leaving.slots.append(rejected)
            events.append(CallRejected(rejected, exc))
            return
        except Refused as exc:
            reply = error(exc.text)
            session.is_spoilt = session.queued is not None
            if words[0].lower() == b"exec":
                session.discard()
                reply = _ABORTED + reply.removeprefix(b"-").removeprefix(b"ERR ")
        is_asked = command is not None and command.name == "client|reply" and session.reply_mode is ReplyMode.ON
        is_silent = mode is not ReplyMode.ON and not is_asked
        self._is_usual = session.is_plain and self._max_bytes >= _USUAL_FRAME_BYTES
        if isinstance(reply, bytes):
            if not is_silent:
                self._say(reply, events)
            if self._is_leaving and command is not None and command.name == "client|capa":
                # It had not yet said that it understands the goodbye.
                self._say(self.goodbye(), events)
            return
        place = listener.place_of(words) if batch is None else listener.place_of_batch(batch)
        if place is not None and self._order.waiting >= _MOST_WAITING:
            reply.close()
            self._say(b"" if is_silent else error_line(Overloaded("too many commands wait for their keys")), events)
            return
        running = Running(reply, is_silent, place)
        self._leaving.slots.append(running)
        if place is not None and not self._order.enter(place):
            self._waiting[place] = running
        elif data := self._advance(running, None, events):
            events.append(Send(data))

    def _admitted(self, words: list[bytes]) -> Command | None:
        """The command, None for a method. Raises `Refused` and `RpcError` for what does not get as far as to run."""
        session = self._session
        if session.is_known:
            return self._listener.check(words)
        # What services there are is no business of strangers.
        command = None if b"." in words[0] else self._listener.find(words)
        if command is None or not command.is_open:
            raise Refused("-NOAUTH Authentication required.")
        return command

    def _note_change(self, command: Command | None) -> None:
        """What a command that strangers may use changes for the connection."""
        if command is not None and command.is_open:
            self._reader.is_limited = not self._session.is_known
            self.finished = command.name == "quit"

    def _queued(self, words: list[bytes], queued: list[list[bytes]], command: Command | None) -> bytes:
        if command is not None and NO_MULTI in command.flags:
            raise Refused("Command not allowed inside a transaction")
        session = self._session
        size = sum(map(len, words)) + len(words) * _WORD_COST
        if len(queued) >= MAX_QUEUED or session.queued_bytes + size > self._max_bytes:
            raise Refused(f"more than {MAX_QUEUED} commands in a batch, or {self._max_bytes} bytes")
        session.queued_bytes += size
        queued.append(words)
        return _QUEUED

    def _say(self, data: bytes, events: list[ServerEvent]) -> None:
        """A reply that is there at once."""
        self._said += len(data)
        if not self._leaving.slots:
            events.append(Send(data))
        elif data:
            self._leaving.say(Ticket(data))
            # Nothing to send says that something is held.
            events.append(Send(b""))

    def _advance(self, running: Running, outcomes: Sequence[Outcome] | None, events: list[ServerEvent]) -> bytes:
        """The next step of a command, whose calls become events; gives what may leave once it has ended."""
        while True:
            try:
                calls = running.steps.send(outcomes)  # type: ignore[arg-type]
            except StopIteration as stop:
                answer = self._leave(running, b"" if running.is_silent else stop.value)
                return answer if running.place is None else answer + self._begin(self._order.leave(running.place))
            running.outcomes = [_OK] * len(calls)
            for index, invocation in enumerate(calls):
                if invocation.oneway:
                    events.append(CallReceived(None, invocation))
                else:
                    running.missing += 1
                    events.append(CallReceived(Part(running, index), invocation))
            if running.missing:
                return b""
            outcomes = running.outcomes

    def _begin(self, started: Sequence[Waiter]) -> bytes:
        """Begins what waited for a command that has ended; gives what may leave since some of it ended at once."""
        self._starting += started
        if self._is_starting:
            return b""
        self._is_starting = True
        answer = b""
        while self._starting:
            # In a loop: what ends at once lets others begin.
            answer += self._advance(self._waiting.pop(self._starting.popleft()), None, self._due)
        self._is_starting = False
        return answer

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """See `ServerCodec.reply`."""
        if type(ticket) is MethodTicket:
            ticket.answer = self._answer(ticket, outcome)
            return self._leaving.done(ticket)
        if type(ticket) is Part:
            running = ticket.running
            running.outcomes[ticket.index] = outcome
            running.missing -= 1
            return b"" if running.missing else self._advance(running, running.outcomes, self._due)
        if type(ticket) is GetTicket:
            found = self._leave(ticket, self._listener.found(ticket.method, outcome, ticket.proto))
            started = self._order.end_read(ticket.key)
            return found + self._begin(started) if started else found
        assert type(ticket) is Ticket
        assert isinstance(outcome, RpcError), "it was refused"
        return self._leave(ticket, b"" if ticket.is_silent else error_line(outcome))

    def _answer(self, ticket: MethodTicket, outcome: Outcome) -> bytes:
        answer = b""
        if type(outcome) is Ok and outcome.raw is None and not outcome.attachments:
            try:
                answer = ticket.form.writers[ticket.proto](outcome.value)
            except Exception:  # a value's own code runs; the other way says what is wrong, and where
                answer = b""
        if not answer or len(answer) > self._max_bytes:
            answer = ticket.form.answer(outcome, ticket.proto, False, ticket.wants_more, self._max_bytes)
        return answer

    def _leave(self, ticket: Ticket, answer: bytes) -> bytes:
        """What may leave now that a reply is there."""
        ticket.answer = answer
        return self._leaving.done(ticket)

    def due(self) -> Sequence[ServerEvent]:
        """See `ChainingServerCodec.due`."""
        due = self._due
        if due:
            self._due = []
        return due

    def goodbye(self) -> bytes:
        """A push for who said that it understands it, or will say so; Redis has no word for it."""
        self._is_leaving = True
        session = self._session
        return _GOODBYE if session.wants_more and session.proto == 3 else b""

    def ping(self) -> bytes:
        """Nothing: servers of Redis ask nobody."""
        return b""


def _foreign(data: bytes) -> RemoteWireError | None:
    """Names what is no RESP from its first bytes; None where it may be, as lines of text may."""
    first = data[:1]
    if first == b"*" or not data:
        return None
    found = sniff(data[:SNIFF_BYTES])
    line = data.partition(b"\r\n")[0]
    if not (first.isascii() and (first.decode().isprintable() or first.isspace())):
        # No command begins like this.
        return RemoteWireError(f"this looks like {found}", reason="bad-magic")
    if found in _MAY_BE_TEXT or (found == "HTTP" and not line.endswith(_HTTP_LINE)) or len(data) <= _TOO_FEW:
        return None
    return RemoteWireError(f"this looks like {found}", reason="bad-magic")
