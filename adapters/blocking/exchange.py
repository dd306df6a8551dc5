"""One outgoing call on a connection of its own: connect, send, half-close, read, close."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol

from adapters.blocking.timeouts import set_timeouts
from adapters.os_error import reason_of
from gateway.model.call import Ok
from gateway.model.endpoint import format_address
from gateway.model.errors import ConnectFailed, ConnectionLost, DeadlineExceeded, Retry
from protocols.contract import ClientCodec, Outcome, ReplyReceived

__all__ = ["Exchange", "ShortClientCodec"]

_LOG: Final = logging.getLogger("polyport.client")
_READ: Final = 1 << 16
_READ_LARGE: Final = 1 << 20
_ONEWAY_DONE: Final = Ok(None)


class ShortClientCodec(ClientCodec, Protocol):
    """What the codec of a wire has besides whose connections carry one call."""

    @property
    def missing_bytes(self) -> int:
        """Bytes that the reply still lacks, as far as is known; 0 once it is complete."""
        ...


class Exchange:
    """A call under way. Made on the loop's thread, run on another, told to stop from anywhere.

    `expires`: when it must be over (monotonic); `limit_s`: how long that is, for messages. `connect_s`: the longest
    that connecting may take. `done`: is handed the outcome, on the thread that ran it.
    """

    __slots__ = (
        "_address",
        "_codec",
        "_connect_s",
        "_data",
        "_done",
        "_host",
        "_limit_s",
        "_lock",
        "_oneway",
        "_port",
        "_resolved",
        "_sock",
        "_stopped",
        "connect_failure",
        "expires",
    )

    def __init__(
        self,
        host: str,
        port: int,
        codec: ShortClientCodec,
        data: bytes,
        *,
        oneway: bool,
        expires: float,
        limit_s: float,
        connect_s: float,
        done: Callable[[Exchange, Outcome], None],
    ) -> None:
        self._host = host
        self._port = port
        self._address = format_address(host, port)
        self._codec = codec
        self._data = data
        self._oneway = oneway
        self._limit_s = limit_s
        self._connect_s = connect_s
        self._done = done
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self._stopped = ""
        self._resolved = False
        self.expires: Final = expires
        self.connect_failure: tuple[ConnectFailed, float] | None = None
        """Why no connection could be made, and how long it took to find out."""

    @property
    def is_resolving(self) -> bool:
        """Whether its host's address is not known yet, so that nothing was sent. From any thread."""
        return not self._resolved

    def stop(self, why: str) -> None:
        """Ends it: whoever blocks on its socket wakes up. From any thread."""
        self._stopped = why
        # Not while it is closed: its number may belong to another socket a moment later.
        with self._lock:
            if self._sock is not None:
                with contextlib.suppress(OSError):
                    self._sock.shutdown(socket.SHUT_RDWR)

    def _is_stopped(self) -> bool:
        # Asked anew each time: another thread may have said so meanwhile.
        return bool(self._stopped)

    def run(self) -> None:
        """Makes the call. Blocks until its outcome is known, at most until it expires."""
        try:
            outcome = self._run()
        except Exception as exc:  # a codec's bug must not leave the caller without an answer
            _LOG.exception("%s: an answer could not be read", self._address)
            outcome = ConnectionLost(f"{self._address}: {type(exc).__name__} while the answer was read")
        finally:
            self._close()
        self._done(self, outcome)

    def _close(self) -> None:
        with self._lock:
            sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def _run(self) -> Outcome:
        began = monotonic()
        remaining = self.expires - began
        if self._is_stopped():
            return ConnectFailed(f"{self._address}: {self._stopped}")
        if remaining <= 0:
            return DeadlineExceeded(f"no connection to {self._address} in time", retry=Retry.SAFE)
        try:
            sock = self._connect(began + min(remaining, self._connect_s))
        except OSError as exc:
            return self._not_connected(exc, began)
        try:
            return self._exchange(sock)
        except BlockingIOError:
            return DeadlineExceeded(f"{self._address} did not answer within {self._limit_s:.3g} s")
        except OSError as exc:
            return ConnectionLost(f"{self._address}: {self._stopped or reason_of(exc)}")

    def _connect(self, until: float) -> socket.socket:
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        self._resolved = True
        last: OSError | None = None
        for family, kind, protocol, _, address in found:
            if self._is_stopped() or (remaining := until - monotonic()) <= 0:
                break
            sock = self._sock = socket.socket(family, kind, protocol)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                set_timeouts(sock, remaining)
                if self._is_stopped():
                    raise OSError(self._stopped)
                sock.connect(address)
            except OSError as exc:
                self._close()
                last = exc
                if self._is_stopped():
                    break
            else:
                return sock
        if found:
            raise last or BlockingIOError
        raise OSError(f"{self._host} has no address")

    def _not_connected(self, error: OSError, began: float) -> Outcome:
        if self._is_stopped():
            return ConnectFailed(f"{self._address}: {self._stopped}")
        now = monotonic()
        timed_out = isinstance(error, BlockingIOError)
        if timed_out and now >= self.expires:
            return DeadlineExceeded(f"no connection to {self._address} in time", retry=Retry.SAFE)
        why = f"no connection within {self._connect_s:g} s" if timed_out else reason_of(error)
        failure = ConnectFailed(f"{self._address}: {why}")
        self.connect_failure = failure, now - began
        return failure

    def _exchange(self, sock: socket.socket) -> Outcome:
        if self._is_stopped():
            return ConnectFailed(f"{self._address}: {self._stopped}")
        self._wait_at_most(sock)
        out = memoryview(self._data)
        while out:
            out = out[sock.send(out) :]
            if out:
                self._wait_at_most(sock)
        sock.shutdown(socket.SHUT_WR)
        if self._oneway:
            return _ONEWAY_DONE
        codec = self._codec
        while True:
            data = sock.recv(_READ if codec.missing_bytes < _READ else _READ_LARGE)
            if not data:
                why = self._stopped or "the provider closed the connection without an answer"
                return ConnectionLost(f"{self._address}: {why}")
            for event in codec.receive(data):
                if isinstance(event, ReplyReceived):
                    return event.outcome
            if codec.broken is not None:
                return ConnectionLost(f"{self._address}: {codec.broken}")
            self._wait_at_most(sock)

    def _wait_at_most(self, sock: socket.socket) -> None:
        remaining = self.expires - monotonic()
        if remaining <= 0:
            raise BlockingIOError
        set_timeouts(sock, remaining)
