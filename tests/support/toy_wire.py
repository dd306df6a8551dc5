"""A wire of a hundred lines, so that tests of the TCP drivers need no real codec.

A frame is `u32 length | u8 kind | u32 id | body`, big-endian; the length counts what follows it. The body of a call is
`u32 timeout in ms, 0 for none | u8 length of the method | method | argument`; that of a reply is the answer, of an
error `code: text`. Argument and answer are bytes, uninterpreted.

`ToyService` answers: `echo` what it got, `slow` when the test says so, `big` that many bytes, `fail` with a message.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Final

from gateway.model.call import Fault, Invocation, Ok, Peer, Result
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    LocalWireError,
    NoSuchMethod,
    Overloaded,
    ProviderFailed,
    RemoteWireError,
    RpcError,
    ValueMappingError,
)
from protocols.contract import (
    CallReceived,
    CallRejected,
    ClientEvent,
    Drain,
    GoodbyeHeard,
    Outcome,
    ReplyReceived,
    Send,
    ServerEvent,
)

SERVICE: Final = ServiceKey("toy.Service")
METHODS: Final = frozenset({"echo", "slow", "big", "fail"})

_HEADER: Final = struct.Struct(">IBI")
_ID_BYTES: Final = 5
_CALL: Final = struct.Struct(">IB")


class Kind(IntEnum):
    CALL = 1
    ONEWAY = 2
    REPLY = 3
    ERROR = 4
    PING = 5
    PONG = 6
    GOODBYE = 7
    WELCOME = 8
    """Takes a goodbye back."""
    HEARD = 9
    """Confirms a goodbye."""
    LEAVE = 10
    """A goodbye of one who waits for the other to close."""


def frame(kind: int, call_id: int = 0, body: bytes = b"") -> bytes:
    return _HEADER.pack(_ID_BYTES + len(body), kind, call_id) + body


def call_frame(
    call_id: int, method: str, argument: bytes = b"", timeout_s: float | None = None, *, oneway: bool = False
) -> bytes:
    name = method.encode()
    body = _CALL.pack(int((timeout_s or 0) * 1000), len(name)) + name + argument
    return frame(Kind.ONEWAY if oneway else Kind.CALL, call_id, body)


MALFORMED: Final = frame(99)
"""A kind that does not exist: the position in the stream counts as lost."""
FAREWELL: Final = frame(Kind.ERROR, 0, b"malformed: unknown kind 99")


class Frames:
    """Cuts a stream into `(kind, id, body)`. `broken`: why it cannot be cut any further."""

    def __init__(self, max_bytes: int = 1 << 30) -> None:
        self._max_bytes = max_bytes
        self.held = b""
        self.broken: RemoteWireError | None = None

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        data = self.held + data if self.held else data
        found = []
        position = 0
        while len(data) - position >= _HEADER.size:
            length, kind, call_id = _HEADER.unpack_from(data, position)
            if not _ID_BYTES <= length <= self._max_bytes:
                text = f"frame of {length} bytes"
                farewell = frame(Kind.ERROR, call_id, text.encode())
                self.broken = RemoteWireError(text, reason="frame-size", farewell=farewell)
                break
            end = position + 4 + length
            if end > len(data):
                break
            found.append((kind, call_id, data[position + _HEADER.size : end]))
            position = end
        self.held = data[position:]
        return found


class ToyServerWire:
    """A `ServerWire`. `codecs` holds what it made, newest last; `beats`: whether its servers send heartbeats."""

    def __init__(self, max_frame_bytes: int = 1 << 26, beats: bool = True) -> None:
        self.max_frame_bytes = max_frame_bytes
        self.beats = beats

    def accept(self, peer: Peer) -> ToyServerCodec:
        return ToyServerCodec(self, peer)


class ToyServerCodec:
    """A `ServerCodec`; a ticket is the id of the call."""

    def __init__(self, wire: ToyServerWire, peer: Peer) -> None:
        self._frames = Frames(wire.max_frame_bytes)
        self._beats = wire.beats
        self._peer = peer
        self.broken: RemoteWireError | None = None
        self.finished = False

    @property
    def pending_bytes(self) -> int:
        return len(self._frames.held)

    @property
    def held_bytes(self) -> int:
        return 0

    def receive(self, data: bytes, now: float) -> Sequence[ServerEvent]:
        events: list[ServerEvent] = []
        for kind, call_id, body in self._frames.feed(data):
            if kind in (Kind.CALL, Kind.ONEWAY):
                events.append(self._call(kind == Kind.ONEWAY, call_id, body, now))
            elif kind == Kind.PING:
                events.append(Send(frame(Kind.PONG)))
            elif kind == Kind.HEARD:
                events.append(GoodbyeHeard())
            elif kind != Kind.PONG:
                text = f"unknown kind {kind}"
                self.broken = RemoteWireError(text, farewell=frame(Kind.ERROR, 0, f"malformed: {text}".encode()))
                return events
        self.broken = self._frames.broken
        return events

    def _call(self, oneway: bool, call_id: int, body: bytes, now: float) -> ServerEvent:
        timeout_ms, length = _CALL.unpack_from(body)
        start = _CALL.size + length
        method = body[_CALL.size : start].decode()
        ticket = None if oneway else call_id
        if method not in METHODS:
            return CallRejected(ticket, NoSuchMethod(f"no method {method}"))
        deadline = now + timeout_ms / 1000 if timeout_ms else None
        return CallReceived(
            ticket,
            Invocation(SERVICE, method, (body[start:],), deadline=deadline, peer=self._peer, oneway=oneway),
        )

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        if isinstance(outcome, RpcError):
            return frame(Kind.ERROR, ticket, f"{outcome.code}: {outcome}".encode())
        if isinstance(outcome, Fault):
            return frame(Kind.ERROR, ticket, f"fault: {outcome.message}".encode())
        return frame(Kind.REPLY, ticket, outcome.value)

    def goodbye(self) -> bytes:
        return frame(Kind.GOODBYE)

    def ping(self) -> bytes:
        return frame(Kind.PING) if self._beats else b""


class ToyClientWire:
    """A `ClientWire`. `connects` counts the codecs it made."""

    def __init__(self, max_in_flight: int = 1_000, max_frame_bytes: int = 1 << 26) -> None:
        self.max_in_flight = max_in_flight
        self.max_frame_bytes = max_frame_bytes
        self.connects = 0

    def bind(
        self, service: ServiceKey, contract: ServiceContract | None, token: str, application: str, path: str = ""
    ) -> ServiceKey:
        return service

    def connect(self) -> ToyClientCodec:
        self.connects += 1
        return ToyClientCodec(self)


class ToyClientCodec:
    """A `ClientCodec`. `abandoned` lists the calls given up."""

    def __init__(self, wire: ToyClientWire) -> None:
        self._frames = Frames()
        self._max_frame_bytes = wire.max_frame_bytes
        self._last_id = 0
        self.broken: RemoteWireError | None = None
        self.max_in_flight = wire.max_in_flight
        self.abandoned: list[int] = []

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        (argument,) = invocation.arguments()
        if not isinstance(argument, bytes):
            raise ValueMappingError("only bytes travel here", "args[0]")
        self._last_id += 1
        data = call_frame(self._last_id, invocation.method, argument, timeout_s, oneway=invocation.oneway)
        if len(data) > self._max_frame_bytes:
            raise LocalWireError(f"{len(data)} bytes are too many")
        return -1 if invocation.oneway else self._last_id, data

    def abandon(self, call_id: int) -> None:
        self.abandoned.append(call_id)

    def receive(self, data: bytes) -> Sequence[ClientEvent]:
        events: list[ClientEvent] = []
        for kind, call_id, body in self._frames.feed(data):
            if kind == Kind.REPLY:
                events.append(ReplyReceived(call_id, Ok(body)))
            elif kind == Kind.ERROR:
                events.append(ReplyReceived(call_id, _error(body.decode())))
            elif kind == Kind.PING:
                events.append(Send(frame(Kind.PONG)))
            elif kind in (Kind.GOODBYE, Kind.WELCOME):
                events.append(Drain(kind == Kind.GOODBYE))
            elif kind == Kind.LEAVE:
                events.append(Drain(True, leave=True))
            elif kind != Kind.PONG:
                self.broken = RemoteWireError(f"unknown kind {kind}")
                return events
        self.broken = self._frames.broken
        return events

    def ping(self) -> bytes:
        return frame(Kind.PING)


def _error(text: str) -> Outcome:
    code, _, message = text.partition(": ")
    if code == "fault":
        return Fault("ToyError", message)
    return Overloaded(message) if code == Overloaded.code else ProviderFailed(text)


class ToyService:
    """A handler. Each `slow` call waits in `waiting` until the test ends it with `finish`."""

    def __init__(self) -> None:
        self.waiting: deque[asyncio.Future[bytes]] = deque()
        self.received: list[str] = []
        self.cancelled = 0
        self._changed = asyncio.Event()

    async def __call__(self, invocation: Invocation) -> Result:
        (argument,) = invocation.arguments()
        self.received.append(invocation.method)
        self._changed.set()
        if invocation.method == "echo":
            return Ok(argument)
        if invocation.method == "big":
            return Ok(bytes(int(argument)))
        if invocation.method == "fail":
            return Fault("ToyError", argument.decode())
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        try:
            return Ok(argument + await future)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            if future in self.waiting:
                self.waiting.remove(future)
            self._changed.set()

    async def until(self, *, waiting: int | None = None, received: int | None = None, cancelled: int = 0) -> None:
        """Waits until so many calls wait, were received, were cancelled."""
        async with asyncio.timeout(5):
            while (
                (waiting is not None and len(self.waiting) != waiting)
                or (received is not None and len(self.received) < received)
                or self.cancelled < cancelled
            ):
                self._changed.clear()
                await self._changed.wait()

    def finish(self, index: int = 0, tail: bytes = b"") -> None:
        """Lets a waiting call answer: the one that has waited longest, or the one at `index`."""
        future = self.waiting[index]
        del self.waiting[index]
        future.set_result(tail)
