"""Filter `rate_limit`: bounds the calls per second, with a token bucket.

A bucket holds at most `burst` tokens and gets `rate` of them a second; each call takes one, and is refused where there
is none. With `per` the bucket of a name that was not seen before is empty. Until it could have filled, its calls may
draw what a full one holds on a bucket that all new names share: a new caller is served at once, and whoever comes under
a new name each time has no more than that one bucket.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from pydantic import Field

from gateway.config.scalar import Count, Number
from gateway.filters.limit import LimitFilter, LimitOptions, Provider, is_per_provider
from gateway.model.call import Invocation, Result
from gateway.spi.handler import Handler
from gateway.spi.plugin import FilterPlugin

__all__ = ["PLUGIN", "RateLimit", "RateLimitOptions"]

_ALWAYS: Final = float("-inf")
"""When a bucket was made that was full from the beginning."""


class RateLimitOptions(LimitOptions):
    """How many calls may begin."""

    rate: Annotated[Number, Field(ge=0.001, le=1_000_000)]
    """Calls per second in the long run."""

    burst: Annotated[Count, Field(ge=1, le=10_000_000)] | None = None
    """Calls that may begin at once after a quiet time. Default: as many as a second allows, at least one."""

    @property
    def size(self) -> float:
        """Tokens in a full bucket."""
        return max(1.0, self.rate) if self.burst is None else float(self.burst)


class _Bucket:
    """`tokens`: as of `filled_at`. `born_at`: when it was made, empty. `drawn`: tokens it got from the shared one."""

    __slots__ = ("born_at", "drawn", "filled_at", "tokens")

    def __init__(self, tokens: float, now: float, born_at: float) -> None:
        self.tokens = tokens
        self.filled_at = now
        self.born_at = born_at
        self.drawn = 0


class RateLimit(LimitFilter[RateLimitOptions, _Bucket]):
    """Lets calls through as long as there are tokens, and refuses others at once, without queueing."""

    reason = "rate-limit"

    def __init__(self, options: RateLimitOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._size = options.rate, options.size
        super().__init__(options, clock)
        newcomers = self._newcomers = self._table.shared
        newcomers.tokens, newcomers.born_at = self._size, _ALWAYS

    def __call__(
        self, invocation: Invocation, handler: Handler, provider: Provider | None = None
    ) -> Coroutine[Any, Any, Result]:
        """The call on its way. Awaiting it raises `Overloaded` where there is no token; nothing was done then."""
        state = self._single
        if state is None:
            state = self._table.get(self._key(invocation, provider))
        now = self._clock()
        # The bucket as it is in `_take`, written out: this is passed by every call.
        tokens = state.tokens + (now - state.filled_at) * self._rate
        if tokens > self._size:
            tokens = self._size
        state.filled_at = now
        if tokens >= 1.0:
            state.tokens = tokens - 1.0
            return handler(invocation)
        state.tokens = tokens
        if self._may_draw(state, now) and self._take(self._newcomers, now):
            state.drawn += 1
            return handler(invocation)
        return self._refuse(invocation, provider, (1.0 - tokens) / self._rate)

    def update(self, options: RateLimitOptions) -> None:
        """See `UpdatableFilter.update`. What a bucket holds stays, up to what it can hold now."""
        now = self._clock()
        for each in self._states():
            # What ran in so far came at the old rate.
            self._fill(each, now)
        super().update(options)
        self._rate, self._size = options.rate, options.size

    async def _refuse(self, invocation: Invocation, provider: Provider | None, wait_s: float) -> Result:
        why = f"more than {self._rate:g} calls per second (burst {self._size:g})"
        raise self._overloaded(invocation, provider, why, retry_after_s=wait_s)

    def _make(self, *, is_first: bool = False) -> _Bucket:
        now = self._clock()
        return _Bucket(self._size, now, _ALWAYS) if is_first else _Bucket(0.0, now, now)

    def _fill(self, bucket: _Bucket, now: float) -> None:
        bucket.tokens = min(self._size, bucket.tokens + (now - bucket.filled_at) * self._rate)
        bucket.filled_at = now

    def _take(self, bucket: _Bucket, now: float) -> bool:
        self._fill(bucket, now)
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True

    def _may_draw(self, bucket: _Bucket, now: float) -> bool:
        """Whether it is new, and got less than a full bucket holds so far."""
        return bucket.drawn < self._size and (now - bucket.born_at) * self._rate < self._size

    def _is_idle(self, state: _Bucket, now: float) -> bool:
        return state.tokens + (now - state.filled_at) * self._rate >= self._size

    def _has_room(self, state: _Bucket) -> bool:
        now = self._clock()
        for each in (state, self._newcomers):
            self._fill(each, now)
        return state.tokens >= 1.0 or (self._may_draw(state, now) and self._newcomers.tokens >= 1.0)


PLUGIN: Final = FilterPlugin("rate_limit", RateLimitOptions, RateLimit, attempts_only=is_per_provider)
