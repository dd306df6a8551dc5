"""Dubbo's token as a property of a service: who calls must show what only the registry tells.

Not a filter of the catalogue, because the runtime also announces it: a consumer finds the token in the parameters of
the endpoint (`token`), and one that goes around the registry does not know it. How it travels belongs to each wire
(`Invocation.token`). Calls of this process need none.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-api/src/main/java/org/apache/dubbo/rpc/filter/TokenFilter.java.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from gateway.model.call import Invocation, Result
from gateway.model.errors import Unauthenticated
from gateway.spi.handler import Handler
from gateway.telemetry.counters import Counters

__all__ = ["ServiceToken", "random_token"]

_REASON: Final = "token"
_TOKEN_BYTES: Final = 24


class ServiceToken:
    """Lets calls through that show the token, and those of this process. `clock`: seconds, monotonic.

    Attributes:
        current: The token that is to be announced.
    """

    __slots__ = ("_clock", "_counters", "_expected", "_former", "_former_until", "current")

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counters = Counters()
        self._former = b""
        self._former_until = float("-inf")
        self.current = token
        self._expected = token.encode()

    def __call__(self, invocation: Invocation, handler: Handler) -> Coroutine[Any, Any, Result]:
        """The call on its way. Awaiting it raises `Unauthenticated` without the token; nothing was done then."""
        if invocation.peer is None or self._fits(invocation.token):
            return handler(invocation)
        return self._refuse(invocation)

    @property
    def refusals(self) -> Mapping[tuple[str, str], int]:
        """See `CountingFilter.refusals`."""
        return self._counters.snapshot()

    def change(self, token: str, keep_s: float) -> None:
        """Takes another token, and the present one for `keep_s` seconds more: callers hear of the change later."""
        self._former, self._former_until = self._expected, self._clock() + keep_s
        self.current = token
        self._expected = token.encode()

    def _fits(self, shown: str) -> bool:
        given = shown.encode("utf-8", "replace")
        if hmac.compare_digest(given, self._expected):
            return True
        return hmac.compare_digest(given, self._former) and self._clock() < self._former_until

    async def _refuse(self, invocation: Invocation) -> Result:
        assert invocation.peer is not None
        self._counters.add(invocation.peer.protocol, _REASON)
        what = "the token is wrong" if invocation.token else "this needs a token, which the registry knows"
        raise Unauthenticated(f"{invocation.service}: {what}")

    def __repr__(self) -> str:
        return "<ServiceToken>"


def random_token() -> str:
    """A secret nobody can guess, of characters that need no escapes in a URL."""
    return secrets.token_urlsafe(_TOKEN_BYTES)
