"""Whether a provider over HTTP can be reached, and the trials that find out when it can again.

HTTP opens connections as calls need them, so there is none whose end would tell. A provider counts as reachable until a
connection to it cannot be made; from then on it is tried with growing pauses, without any call, for as long as somebody
holds it. A connection that breaks later says nothing about the next one.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from adapters.tcp.provider_connection import spared_s
from gateway.model.errors import ConnectFailed

__all__ = ["ProviderHealth"]

_LOG: Final = logging.getLogger("polyport.client")
_BACKOFF_S: Final = 0.5
_MAX_BACKOFF_S: Final = 30.0


class ProviderHealth:
    """One provider's. Every method belongs to the loop's thread.

    `trial`: makes a connection and closes it again; raises `ConnectFailed`. `backoff_s` / `max_backoff_s`: first and
    longest pause between trials; doubled each time, ±20 %. An answer to a call makes the next pause the first again.
    """

    def __init__(
        self,
        address: str,
        trial: Callable[[], Awaitable[None]],
        *,
        backoff_s: float = _BACKOFF_S,
        max_backoff_s: float = _MAX_BACKOFF_S,
        jitter: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._address = address
        self._trial = trial
        self._backoff_s = self._pause_s = backoff_s
        self._max_backoff_s = max_backoff_s
        self._jitter = jitter
        self._sleep = sleep
        self._clock = clock
        self._failure: ConnectFailed | None = None
        self._spared_until = 0.0
        self._healing: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def available(self) -> bool:
        """Whether the last connection could be made; true before the first."""
        return self._failure is None and not self._closed

    def ensure_worth_trying(self) -> None:
        """Spares a call the wait for what has just failed.

        Raises:
            ConnectFailed: no connection could be made a moment ago.
        """
        if self._failure is not None and self._clock() < self._spared_until:
            raise ConnectFailed(str(self._failure))

    def failed(self, failure: ConnectFailed, took_s: float = 0.0) -> None:
        """A connection could not be made; it took `took_s` to find out."""
        self._note(failure, took_s)
        self._begin(is_doubt=False)

    def doubted(self) -> None:
        """A call had no time left while it waited for a connection: whether one can be made is found out at once."""
        if self._failure is None:
            self._begin(is_doubt=True)

    def answered(self) -> None:
        """The provider answered a call."""
        self._pause_s = self._backoff_s
        if self._failure is not None:
            self._recovered()

    def _note(self, failure: ConnectFailed, took_s: float) -> None:
        if self._failure is None:
            _LOG.warning("%s", failure, extra={"peer": self._address})
        self._failure = failure
        self._spared_until = self._clock() + spared_s(took_s, self._backoff_s)

    def _recovered(self) -> None:
        _LOG.info("connected to %s again", self._address, extra={"peer": self._address})
        self._failure = None

    def _begin(self, is_doubt: bool) -> None:
        if self._healing is None and not self._closed:
            self._healing = asyncio.get_running_loop().create_task(self._heal(is_doubt))

    async def _heal(self, is_doubt: bool) -> None:
        try:
            if is_doubt:
                await self._try()
            while self._failure is not None:
                pause_s = self._pause_s
                self._pause_s = min(pause_s * 2, self._max_backoff_s)
                await self._sleep(pause_s * (0.8 + 0.4 * self._jitter()))
                # A call may have been quicker.
                if self._failure is not None:
                    await self._try()
        finally:
            self._healing = None

    async def _try(self) -> None:
        began = self._clock()
        try:
            await self._trial()
        except ConnectFailed as exc:
            self._note(exc, self._clock() - began)
        else:
            if self._failure is not None:
                self._recovered()

    async def aclose(self) -> None:
        """Ends the trials."""
        self._closed = True
        healing = self._healing
        if healing is not None:
            healing.cancel()
            await asyncio.wait([healing])
