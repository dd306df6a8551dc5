"""Keeps a connection to one of several peers, and says when it comes and goes."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ResponseError

from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer
from registry.redis.address import Peer, PeerKind
from registry.redis.clock import ServerClock
from registry.redis.layout import Layout
from registry.redis.link import TROUBLES, Link, heed_cancellation
from registry.slice import Slice

__all__ = ["Session"]

_LOG: Final = logging.getLogger("polyport.registry")
_FIRST_BACK_OFF_S: Final = 0.1
_LONGEST_BACK_OFF_S: Final = 5.0
_ATTEMPTS: Final = 4
"""In a lease."""
_HEARTBEAT_S: Final = 3.0
_HELD_S: Final = 5.0
_SAME_TROUBLE_S: Final = 10.0


class _BetterPeer(Exception):
    """There is one that everybody else goes to."""


class Session:
    """Belongs to one event loop. Life: construct, `run` in a task, `leave`, and cancel that task.

    `peers`: in the order in which they are tried, each time from the first: so gateways that share a list meet at the
    same peer. `opened(link)`: what comes first on a connection; where it fails, the next peer is tried. `serve(link,
    pubsub)`: what is to be done with it for as long as it lasts. `heard`: gets the messages of the subscriber. `lost`:
    called when a connection is gone. `session_s`: how long leases are. Peers are tried several times in one, so that
    whoever comes back knows of everybody within a lease, however long it was away.

    Attributes:
        link: The connection of this moment.
        tried: Set as soon as all peers were tried once, or one of them was reached.
        trouble: Why there is none; empty while there is.
    """

    def __init__(
        self,
        peers: Sequence[Peer],
        connect: Callable[[Peer], Link],
        layout: Layout,
        clock: ServerClock,
        opened: Callable[[Link], Awaitable[None]],
        serve: Callable[[Link, Any], Coroutine[Any, Any, None]],
        heard: Callable[[Any], None],
        lost: Callable[[], None],
        timeout_s: float,
        session_s: float,
    ) -> None:
        self.link: Link | None = None
        self.tried: Final = asyncio.Event()
        self.trouble = "it was not asked yet"
        self._peers = peers
        self._connect = connect
        # Nobody says anything there: for a connection whose end shows, even when nothing is watched.
        self._quiet = f"{layout.root}polyport.quiet/none"
        self._clock = clock
        self._opened = opened
        self._serve = serve
        self._heard = heard
        self._lost = lost
        self._timeout_s = timeout_s
        self._longest_back_off_s = min(_LONGEST_BACK_OFF_S, session_s / _ATTEMPTS)
        self._troubles = OncePer(_SAME_TROUBLE_S)
        self._is_left = False

    def leave(self) -> None:
        """Goes to no peer any more. Who calls it cancels `run` afterwards."""
        self._is_left = True

    async def run(self) -> None:
        """Goes on until it is cancelled."""
        failures = 0
        while True:
            for peer in self._peers:
                if await self._use(peer):
                    failures = 0
                    break
            else:
                failures += 1
            self.tried.set()
            # After a connection that held, too: all who had one come back at this moment.
            delay = min(self._longest_back_off_s, _FIRST_BACK_OFF_S * 2.0 ** min(failures, 10))
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))

    async def _use(self, peer: Peer) -> bool:
        """Gives whether there was a connection that held; returns when there is none."""
        opened_at = math.inf
        try:
            async with self._connected(peer) as (link, pubsub):
                self.link = link
                await self._opened(link)
                opened_at, self.trouble = time.monotonic(), ""
                self.tried.set()
                _LOG.info("registry at %s: connected", peer)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(pubsub))
                    tasks.create_task(self._reconsider(link))
                    tasks.create_task(self._serve(link, pubsub))
        except* _BetterPeer as group:
            _LOG.info("registry at %s: left for %s", peer, group.exceptions[0])
        except* TROUBLES as group:
            self._report(peer, group)
        except* Exception as group:
            # Nothing we know of; a registry that stopped silently would be worse than one that goes on.
            self.trouble = repr(group.exceptions[0])
            if self._troubles.admit((peer, "unexpected")) is not None:
                _LOG.error("registry at %s: failed unexpectedly", peer, exc_info=group.exceptions[0])
        finally:
            if self.link is not None:
                self.link = None
                self._lost()
        if self._is_left:
            # A cancellation that comes together with an error is lost in the TaskGroup, and after one `cancelling` does
            # not tell (python/cpython#116720, mended in Python 3.13).
            raise asyncio.CancelledError
        # One that ends at once, as it may not do what it is for, is no reason to come back at once.
        return time.monotonic() - opened_at > _HELD_S

    @asynccontextmanager
    async def _connected(self, peer: Peer) -> AsyncGenerator[tuple[Link, Any]]:
        link = self._connect(peer)
        pubsub = None
        try:
            async with asyncio.timeout(2 * self._timeout_s):
                await self._clock.measure(link.client)
                pubsub = link.client.pubsub()
                await pubsub.psubscribe(self._quiet)
            yield link, pubsub
        finally:
            if pubsub is not None:
                with suppress(*TROUBLES):
                    async with asyncio.timeout(self._timeout_s):
                        await pubsub.aclose()
            await link.aclose()

    async def _listen(self, pubsub: Any) -> None:
        """Takes messages, and asks a peer that is silent whether it is there: half a connection says nothing."""
        pace = Slice()
        is_asked = False
        while True:
            heed_cancellation()
            message = await pubsub.get_message(timeout=self._timeout_s if is_asked else _HEARTBEAT_S)
            if message is not None:
                is_asked = False
                self._heard(message)
                await pace.breathe()
            elif is_asked:
                raise Disconnected("the server does not answer")
            else:
                is_asked = True
                await pubsub.ping()

    async def _reconsider(self, link: Link) -> None:
        """Leaves a peer as soon as one that stands before it in the list is back, or Sentinel names another server, as
        everybody else does."""
        better = self._peers[: self._peers.index(link.peer)]
        master = await link.master()
        while better or link.peer.kind is PeerKind.SENTINEL:
            heed_cancellation()
            await asyncio.sleep(_LONGEST_BACK_OFF_S * random.uniform(0.5, 1.0))
            named = await link.master()
            if None not in (master, named) and named != master:
                raise _BetterPeer("the server that Sentinel names now")
            master = named or master
            for each in better:
                if await self._is_usable(each):
                    raise _BetterPeer(str(each))

    async def _is_usable(self, peer: Peer) -> bool:
        link = self._connect(peer)
        try:
            async with asyncio.timeout(2 * self._timeout_s):
                await link.client.ping()
                try:
                    return not link.is_single or (await link.client.info("replication")).get("role") == "master"
                except ResponseError:
                    # Not everybody may ask that.
                    return True
        except TROUBLES:
            return False
        finally:
            await link.aclose()

    def _report(self, peer: Peer, group: BaseExceptionGroup[BaseException]) -> None:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self.trouble = str(error) or type(error).__name__
        held_back = self._troubles.admit((peer, type(error).__name__))
        if held_back is not None:
            _LOG.warning(
                "registry at %s: no connection, trying again (%d more since the last line): %s",
                peer,
                held_back,
                shorten(self.trouble),
            )
