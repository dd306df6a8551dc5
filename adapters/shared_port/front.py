"""Accepts connections for several listeners, looks at their first bytes, and hands them over.

It looks without reading (MSG_PEEK), so that whoever gets the connection finds all of it there, and hands over the
socket itself: afterwards the listener has it as if it had accepted it, and nothing of this module is left on its way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any, Final

from adapters.refusals import Refusals
from adapters.shared_port.verdict import Recognizers, Undecided
from adapters.shared_port.watcher import Watcher
from adapters.tcp.acceptor import Acceptor, Connected
from adapters.tcp.patience import CROSSING_S
from gateway.model.recognition import Recognizer
from gateway.spi.adapter import Adopts, ListenerOptions, ServerAdapter
from gateway.spi.plugin import Sharing
from gateway.spi.shared_port import PortMember
from protocols.sniff import TLS, sniff

__all__ = ["Front"]

_LOG: Final = logging.getLogger("polyport.listener")
_PEEKED: Final = 512
"""Bytes that are looked at. Nearly all wires show in eight; a line of memcached has some 300 at most, unless it is a
`get` of many keys, which shows in the second one."""
_PEEK: Final = socket.MSG_PEEK | socket.MSG_DONTWAIT


class _Waiting:
    """A connection of which it is not known yet for whom it is."""

    __slots__ = ("__weakref__", "host", "opening", "peer", "seen", "since", "sock")

    sock: socket.socket

    def __init__(self, host: str, peer: str) -> None:
        self.host: Final = host
        self.peer: Final = peer
        self.since: Final = monotonic()
        self.seen = 0
        """Bytes that were there when it was looked at last."""
        self.opening: asyncio.Task[Any] | None = None

    def opened(self, task: asyncio.Task[Any]) -> None:
        """See `Accepted`; there is no transport here."""


class Front:
    """See `gateway.spi.shared_port.SharedPort`.

    Of the limits of `options` those on connections hold for the ones that wait to be recognised, for which they have
    `first_byte_timeout_s` in all; and all that are of connections, for the ones on which several listeners answer.
    """

    def __init__(self, options: ListenerOptions) -> None:
        self._options = options
        self._refusals = Refusals(options)
        self._connected: Connected[_Waiting] = Connected()
        self._loop = asyncio.get_running_loop()
        self._acceptor: Acceptor[_Waiting] | None = Acceptor(
            options,
            self._refusals,
            self._loop,
            self._connected,
            _Waiting,
            self._check,
            begin=self._begin,
            settle=self._settle,
        )
        self._watcher: Watcher[_Waiting] = Watcher(self._loop, self._look)
        self._recognizers = Recognizers((), None)
        self._adopters: list[Callable[[socket.socket, str, str], None]] = []
        self._together: list[ServerAdapter] = []
        """Those that answer for several listeners."""
        self._moved = asyncio.Event()

    @property
    def refused(self) -> dict[str, int]:
        """Connections that were closed here, by reason code; those handed over count where they are."""
        return dict(self._refusals.counts)

    @property
    def connections(self) -> int:
        """Connections that wait to be recognised."""
        return len(self._connected.connections)

    @property
    def together(self) -> Sequence[ServerAdapter]:
        """The servers of connections on which several listeners answer."""
        return tuple(self._together)

    async def listen(self) -> int:
        """See `SharedPort.listen`."""
        assert self._acceptor is not None
        return await self._acceptor.listen()

    async def start(self, members: Sequence[PortMember], text: str) -> None:
        """See `SharedPort.start`."""
        groups: dict[Sharing, list[PortMember]] = {}
        for member in members:
            if member.sharing is not None:
                groups.setdefault(member.sharing, []).append(member)
        recognizers: list[Recognizer] = []
        preferred = None
        for member in members:
            server = member.server
            group = groups.get(member.sharing, []) if member.sharing is not None else []
            if len(group) > 1:
                if member is not group[0]:
                    continue
                assert member.sharing is not None
                server = member.sharing.serve(replace(self._options, listens=False), [each.server for each in group])
                self._together.append(server)
                await server.start(_nobody, ())
            if not isinstance(server, Adopts):
                raise ValueError(f"listener {member.listener} ({member.protocol}) takes no connections from a port")
            if member.listener == text:
                preferred = len(recognizers)
            recognizers.append(member.recognize)
            self._adopters.append(server.adopt)
        self._recognizers = Recognizers(recognizers, preferred)
        if self._acceptor is None:
            raise RuntimeError(f"port {self._options.name} was closed while it started")
        self._acceptor.start()

    def _settle(self, client: socket.socket, host: str, peer: str) -> bool:
        """Hands over at once what has said already what it is, as most have by now."""
        try:
            data = client.recv(_PEEKED, _PEEK)
            verdict = self._recognizers.decide(data, is_all=len(data) == _PEEKED) if data else Undecided.WAIT
        except Exception:
            # Reset, or a bug of a plug-in: either is told when it is looked at again.
            return False
        if type(verdict) is not int:
            return False
        self._pass_on(client, host, peer, self._adopters[verdict])
        return True

    def _begin(self, waiting: _Waiting, client: socket.socket) -> None:
        waiting.sock = client
        self._watcher.watch(client, waiting)

    def _look(self, waiting: _Waiting) -> None:
        """Looks at what is there, and decides if that is possible."""
        try:
            data = waiting.sock.recv(_PEEKED, _PEEK)
        except BlockingIOError:
            return
        except OSError:
            # Reset.
            self._close(waiting)
            return
        if not data:
            # Connected, and left: what looks whether somebody listens does so.
            self._close(waiting)
            return
        # Woken without another byte: the peer closed its sending side.
        is_ended = len(data) == waiting.seen
        try:
            verdict = self._recognizers.decide(data, is_all=is_ended or len(data) == _PEEKED)
        except Exception as exc:
            # A bug of a plug-in. The bytes stay there, and it would be asked again and again.
            self._refusals.count("recognizer-failed", waiting.peer, f"what recognises a wire raised {exc!r}")
            self._close(waiting)
            return
        if type(verdict) is int:
            self._hand_over(waiting, self._adopters[verdict])
        elif verdict is Undecided.WAIT:
            if waiting.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                # Reset behind what it sent. Where there is no epoll, libuv says so once and never again.
                self._close(waiting)
                return
            waiting.seen = len(data)
            # From now on only more than this wakes us, or the end.
            waiting.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, waiting.seen + 1)
        else:
            self._refuse(waiting, data, verdict is Undecided.AMBIGUOUS, is_ended)

    def _release(self, waiting: _Waiting) -> None:
        self._watcher.forget(waiting.sock)
        self._connected.forget(waiting, waiting.host)
        self._moved.set()

    def _hand_over(self, waiting: _Waiting, adopt: Callable[[socket.socket, str, str], None]) -> None:
        self._release(waiting)
        if waiting.seen:
            waiting.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        self._pass_on(waiting.sock, waiting.host, waiting.peer, adopt)

    def _pass_on(
        self, client: socket.socket, host: str, peer: str, adopt: Callable[[socket.socket, str, str], None]
    ) -> None:
        try:
            adopt(client, host, peer)
        except Exception:
            # A bug of a plug-in must not keep the others from their connections.
            _LOG.exception("%s: a connection from %s could not be handed over", self._options.name, peer)
            client.close()

    def _refuse(self, waiting: _Waiting, data: bytes, is_ambiguous: bool, is_ended: bool) -> None:
        found = sniff(data)
        if is_ambiguous:
            reason, text = "ambiguous-text", "text that several listeners may mean; `text` says which of them gets it"
        elif found == TLS:
            reason, text = "tls", f"{TLS}; TLS is not spoken here"
        elif is_ended:
            reason, text = "truncated", f"the stream ended before it said what it is; it looks like {found}"
        else:
            reason, text = "unknown-wire", f"no listener here speaks what looks like {found}"
        self._refusals.count(reason, waiting.peer, text)
        self._close(waiting)

    def _check(self, waiting: _Waiting, now: float) -> None:
        limit_s = self._options.first_byte_timeout_s
        if now - waiting.since <= limit_s:
            return
        if waiting.seen:
            self._refusals.count("frame-timeout", waiting.peer, f"still not clear what it speaks after {limit_s:g} s")
        else:
            self._refusals.count("first-byte-timeout", waiting.peer, f"nothing received for {limit_s:g} s")
        self._close(waiting)

    def _close(self, waiting: _Waiting) -> None:
        self._release(waiting)
        waiting.sock.close()

    async def stop_accepting(self) -> None:
        """See `SharedPort.stop_accepting`. Who has said nothing after a moment cannot have a call on the way."""
        if self._acceptor is None:
            return
        self._acceptor.drain()
        until = monotonic() + CROSSING_S
        while self._connected.connections and (now := monotonic()) < until:
            self._moved.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(until - now):
                    await self._moved.wait()
        self._close_waiting()

    async def drain(self, deadline: float) -> None:
        """See `SharedPort.drain`."""
        await asyncio.gather(*(each.drain(deadline) for each in self._together))

    async def aclose(self) -> None:
        """See `SharedPort.aclose`."""
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            acceptor.close()
        self._close_waiting()
        self._watcher.close()
        await asyncio.gather(*(each.aclose() for each in self._together))

    def _close_waiting(self) -> None:
        for waiting in tuple(self._connected.connections):
            self._close(waiting)


async def _nobody(_: Any) -> Any:
    raise AssertionError("each listener has its own handler")
