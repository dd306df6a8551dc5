"""One accepted connection: a call comes in, an answer goes out, and what happens when the peer is slow or gone.

At each moment one party works on a connection: the gate's thread, a worker, or the event loop. Whoever cannot go on at
once hands it to the next: what must be waited for to a worker, what takes longer back to the gate, calls to the loop.
Nobody else closes it: the number of a socket that is closed may belong to another connection a moment later.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from enum import Enum, auto
from struct import Struct
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

from adapters.blocking.timeouts import set_timeouts
from adapters.failure import INTERNAL, failure_of
from adapters.tcp.driver import CallDriver, let_go
from adapters.tcp.patience import LINGER_S
from gateway.model.call import Peer
from gateway.model.errors import Overloaded, ProviderFailed, RemoteWireError
from protocols.contract import CallReceived, CallRejected, Outcome, ServerCodec

if TYPE_CHECKING:
    from adapters.blocking.server import ListenerState

__all__ = ["Connection", "ShortServerCodec", "Stage"]

_LOG: Final = logging.getLogger("polyport.listener")
_FIRST_READ: Final = 16_384
"""As much is read, and decoded, on the gate's thread. It holds up nobody for longer than some milliseconds."""
_READ: Final = 1 << 20
_WRITE: Final = 1 << 18
_PATIENCE_S: Final = 0.02
"""How long a worker waits for a peer before the gate does."""
_TURN_S: Final = 0.1
"""After so long a worker lets other connections have their turn."""
_FLOWING: Final = 4_096
"""With less at a time a peer is not worth waiting for: the gate does."""
_DROPPED: Final = 1 << 16
_RESET: Final = Struct("ii").pack(1, 0)
"""`struct linger`: closing resets (socket(7), SO_LINGER)."""


class ShortServerCodec(ServerCodec, Protocol):
    """What the codec of a wire has besides whose connections carry one call."""

    @property
    def missing_bytes(self) -> int:
        """Bytes that the call still lacks, as far as is known; 0 once it is complete."""
        ...


class Stage(Enum):
    """What a connection waits for."""

    READING = auto()
    CALLING = auto()
    WRITING = auto()
    LINGERING = auto()
    CLOSED = auto()


class Connection:
    """One accepted connection."""

    __slots__ = (
        "__weakref__",
        "_codec",
        "_driver",
        "_host",
        "_out",
        "_peer",
        "_since",
        "_sock",
        "_state",
        "accepted_at",
        "stage",
    )

    def __init__(self, state: ListenerState, sock: socket.socket, host: str, peer: str) -> None:
        self._state = state
        self._sock = sock
        self._host = host
        self._peer = peer
        self._codec: ShortServerCodec = state.wire.accept(Peer(state.options.protocol, peer))
        self._driver: CallDriver | None = None
        self._out = memoryview(b"")
        self.accepted_at = self._since = monotonic()
        """`_since`: when what it waits for began: the call, or the answer, as a whole."""
        self.stage = Stage.READING

    def fileno(self) -> int:
        """Of its socket; -1 once it is closed."""
        return self._sock.fileno()

    def begin(self) -> None:
        """Takes what is there already. On the thread that accepted it: the gate's, or the loop's where others did."""
        self._read_some(_FIRST_READ, socket.MSG_DONTWAIT)

    # On the gate's thread

    def ready(self, hung_up: bool) -> None:
        """What it waited for may be possible now."""
        if self.stage is Stage.CALLING:
            self._check_peer(hung_up)
        elif self.stage is Stage.LINGERING:
            self._linger()
        elif hung_up and self.stage is Stage.WRITING:
            self.close()
        else:
            # Whoever always has a little more is with a worker whenever the gate sweeps.
            self.check(monotonic())
            if self.stage is not Stage.CLOSED:
                self._state.pool.submit(self._work)

    def check(self, now: float) -> None:
        """One turn of the gate's sweep: closes what is too slow."""
        options, waited = self._state.options, now - self._since
        if self.stage is Stage.READING:
            if self._codec.pending_bytes:
                if waited > options.frame_timeout_s:
                    self._drop("frame-timeout", f"a message took longer than {options.frame_timeout_s:g} s")
            elif waited > options.first_byte_timeout_s:
                self._drop("first-byte-timeout", f"nothing received for {options.first_byte_timeout_s:g} s")
        elif self.stage is Stage.WRITING:
            if waited > options.frame_timeout_s:
                # With a reset: what the kernel holds for somebody who reads slowly it would hold as long.
                with contextlib.suppress(OSError):
                    self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self._drop("slow-reader", f"its reply took longer than {options.frame_timeout_s:g} s")
        elif self.stage is Stage.LINGERING and waited > LINGER_S:
            self.close()

    def _check_peer(self, hung_up: bool) -> None:
        """Whether the peer reset the connection while its call runs."""
        # A half-close alone hangs nobody up, as we send still. After one a read tells of the end, not of a reset.
        if hung_up:
            self._state.hand_over(self._cancel)
        else:
            self._state.watch(self, Stage.CALLING)

    # On any thread but the loop's

    def _work(self) -> None:
        """A worker's turn."""
        until = monotonic() + _TURN_S
        with contextlib.suppress(OSError):
            set_timeouts(self._sock, _PATIENCE_S)
        stage = self.stage
        while self.stage is stage:
            if stage is Stage.READING:
                more = self._read_some(min(_READ, max(self._codec.missing_bytes, _FIRST_READ)), 0)
            elif stage is Stage.WRITING:
                more = self._write_some(0)
            else:
                return
            if not more:
                return
            if monotonic() > until:
                self._state.watch(self, stage)
                return

    def _read_some(self, size: int, flags: int) -> bool:
        """Reads once. False when somebody else goes on."""
        try:
            data = self._sock.recv(size, flags)
        except BlockingIOError:
            self._state.watch(self, Stage.READING)
            return False
        except OSError:
            self._lost()
            return False
        if not data:
            self._lost()
            return False
        now = monotonic()
        codec = self._codec
        if not codec.pending_bytes:
            self._since = now
        try:
            events = codec.receive(data, now)
        except Exception:
            # A bug of a codec, or of a value's own class. The connection is nobody's otherwise, and would stay.
            _LOG.exception("%s: a call could not be read", self._peer)
            self._drop("internal", "a call could not be read")
            return False
        if events:
            self.stage = Stage.CALLING
            self._state.hand_over(self._take, events[0])
            return False
        if codec.broken is not None:
            self.stage = Stage.CALLING
            self._state.hand_over(self._break, codec.broken)
            return False
        if len(data) < _FLOWING:
            self._state.watch(self, Stage.READING)
            return False
        if flags:
            # There is more to come than was there: a matter for those who may wait.
            self._state.pool.submit(self._work)
            return False
        return True

    def _lost(self) -> None:
        """The peer sends no more, and its call is not complete."""
        if self._codec.pending_bytes:
            self._state.count("truncated", self._peer, "the stream ended inside a message")
        self.close()

    # On the loop's thread

    def _take(self, event: Any) -> None:
        if type(event) is CallReceived:
            self._call(event)
        elif type(event) is CallRejected:
            self._state.count(event.error.code, self._peer, str(event.error))
            self._answer(event.ticket, event.error)
            let_go(event.error)

    def _call(self, event: CallReceived) -> None:
        state = self._state
        if self.stage is Stage.CLOSED:
            return
        if state.calls >= state.max_calls:
            why = "this listener is closing" if state.closing else "too many calls in progress here"
            state.count("too-many-calls", self._peer, why)
            self._answer(event.ticket, Overloaded(why))
            return
        invocation = event.invocation
        try:
            coroutine = state.handler(invocation)
        except Exception as exc:
            # A filter may be a plain function, and raise before there is a coroutine.
            self._answer(event.ticket, failure_of(exc, state.closing))
            return
        driver = CallDriver(state.loop, coroutine, self._call_done, event.ticket)
        state.calls += 1
        if event.ticket is None:
            # Nobody waits for it: the connection is done, the call is the listener's.
            state.unanswered.add(driver)
            self._finish()
        else:
            self._driver = driver
        if driver.start():
            return
        if event.ticket is not None:
            state.watch(self, Stage.CALLING, soon=False)
        if invocation.deadline is not None:
            driver.bucket = state.wheel.add(driver, invocation.deadline)

    def _call_done(self, driver: CallDriver, result: Any, error: BaseException | None) -> None:
        state = self._state
        state.calls -= 1
        self._driver = None
        state.unanswered.discard(driver)
        state.moved.set()
        if driver.tag is not None:
            self._answer(driver.tag, result if error is None else failure_of(error, state.closing))

    def _answer(self, ticket: Any, outcome: Outcome) -> None:
        if self.stage is Stage.CLOSED:
            return
        if ticket is None:
            self._finish()
            return
        try:
            data = self._codec.reply(ticket, outcome)
        except Exception:
            # A filter gave what is no outcome, or the codec has a bug: never leave a caller without an answer.
            _LOG.exception("an outcome of type %s has no reply", type(outcome).__name__)
            data = self._codec.reply(ticket, ProviderFailed(INTERNAL))
        if self._codec.broken is not None:
            # Something came behind the call, which was answered all the same.
            self._state.count(self._codec.broken.reason, self._peer, str(self._codec.broken))
        self._send(data)

    def _break(self, error: RemoteWireError) -> None:
        self._state.count(error.reason, self._peer, str(error.args[0]))
        let_go(error)
        self._send(error.farewell)

    def _send(self, data: bytes) -> None:
        if self.stage is Stage.CLOSED:
            return
        self._out, self._since = memoryview(data), monotonic()
        self.stage = Stage.WRITING
        if self._write_some(socket.MSG_DONTWAIT):
            self._state.pool.submit(self._work)

    def _cancel(self) -> None:
        """The peer is gone: nobody waits for the answer."""
        if self.stage is not Stage.CALLING:
            return
        driver, self._driver = self._driver, None
        self.close()
        if driver is not None:
            driver.cancel()

    def cancel_call(self) -> None:
        """Cancels what runs; the caller is told."""
        if self._driver is not None:
            self._driver.cancel()

    # On any thread

    def _write_some(self, flags: int) -> bool:
        """Writes once. True when there is more, False when it is done or somebody else goes on."""
        out = self._out
        if out:
            try:
                sent = self._sock.send(out[:_WRITE], flags)
            except BlockingIOError:
                if flags:
                    return True
                self._state.watch(self, Stage.WRITING)
                return False
            except OSError:
                self.close()
                return False
            if sent < len(out):
                self._out = out[sent:]
                return True
        self._out = memoryview(b"")
        self._finish()
        return False

    def _finish(self) -> None:
        """Everything was said. Closes at once unless the peer said something that nobody has read: closing then would
        make the kernel send a reset, which takes the answer away from the peer."""
        try:
            unread = self._sock.recv(1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            unread = b""
        except OSError:
            self.close()
            return
        if not unread and self._codec.broken is None:
            self.close()
            return
        self.stage, self._since = Stage.LINGERING, monotonic()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        self._state.watch(self, Stage.LINGERING)

    def _linger(self) -> None:
        """Drops what still comes, until the peer closes."""
        try:
            if self._sock.recv(_DROPPED, socket.MSG_DONTWAIT):
                self._state.watch(self, Stage.LINGERING)
                return
        except BlockingIOError:
            self._state.watch(self, Stage.LINGERING)
            return
        except OSError:
            pass
        self.close()

    def _drop(self, reason: str, text: str) -> None:
        self._state.count(reason, self._peer, text)
        self.close()

    def close(self) -> None:
        """Ends the connection. From whoever works on it; may be called more than once."""
        if self.stage is not Stage.CLOSED:
            self.stage = Stage.CLOSED
            self._sock.close()
            self._state.forget(self, self._host)

    def abort(self) -> None:
        """Makes whoever waits for the peer stop waiting. From any thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
