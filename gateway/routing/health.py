"""How much each provider of a reference shall get: warming up after a start, and left alone while it gives trouble.

Nothing here waits: whoever owns a `Health` calls `tick` when it is due. All of it reaches the balancers through two
figures of a provider's `Load`, its weight and whether it is ejected, so it works with every balancer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from gateway.config.sections.ejection import EjectionConfig
from gateway.model.endpoint import Endpoint
from gateway.model.errors import (
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    NoProvider,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
)
from gateway.spi.cluster import Invoker, Load
from gateway.telemetry.logs import shorten

__all__ = ["Health", "healthy_part"]

_LOG: Final = logging.getLogger("polyport.health")
_TROUBLE: Final = (ConnectFailed, ConnectionLost, DeadlineExceeded, ProviderFailed, Overloaded, NoProvider)
"""What speaks against a provider. The rest speaks against the call."""
_LEAST_SHARE: Final = 0.05
"""Of its weight, for a provider that has only just started: little enough, and often enough to warm up by."""
_PATIENCE: Final = 4
"""So many times its usual answer time must have passed before a caller's deadline speaks against a provider."""
_TICK_S: Final = 0.25
_FORGIVEN_AFTER: Final = 10
"""Ejection times without trouble after which an ejection counts as the first again."""


class Health:
    """Watches the providers of one reference. Belongs to one event loop.

    `ejection`: the rules. `warmup_s`: how long a new provider warms up unless its endpoint says otherwise. `count`:
    counts ejections, by reason. `clock`: seconds, monotonic.
    `wall`: seconds since 1970, read once for each provider to learn its age; later jumps of that clock do no harm.
    """

    def __init__(
        self,
        ejection: EjectionConfig | None = None,
        warmup_s: float = 0.0,
        count: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._ejection = ejection or EjectionConfig()
        self._warmup_s = warmup_s
        self._changed: Callable[[], None] = lambda: None
        self._count = count
        self._clock = clock
        self._wall = wall
        self._watched: dict[Load, _Watched] = {}
        self._busy: set[Load] = set()
        """Those for which time changes something: they warm up, or are ejected."""

    def on_change(self, changed: Callable[[], None]) -> None:
        """Calls `changed` whenever a provider was ejected or may be chosen again."""
        self._changed = changed

    @property
    def panic(self) -> float:
        """See `healthy_part`."""
        return self._ejection.panic

    def welcome(self, invoker: Invoker, is_new: bool) -> None:
        """A provider that may be chosen from now on. `is_new`: it was not there when the registry was first asked."""
        load = invoker.load
        watched = self._watched[load] = _Watched(invoker.endpoint)
        if self._ejection.enabled:
            load.watch = self
        duration_s = _milliseconds(invoker.endpoint, "warmup")
        if duration_s is None:
            duration_s = self._warmup_s
        age_s = self._age(invoker.endpoint, is_new)
        if age_s < duration_s:
            watched.warm(self._clock() - age_s, duration_s)
            self._busy.add(load)
            load.set_share(watched.share(self._clock()))

    def dismiss(self, invoker: Invoker) -> None:
        """A provider that is gone. Calls in progress at it count no more."""
        load = invoker.load
        load.watch = None
        self._watched.pop(load, None)
        self._busy.discard(load)

    def _age(self, endpoint: Endpoint, is_new: bool) -> float:
        """Seconds since the provider started. One without a date of start is taken for old if it was always there."""
        started_s = _milliseconds(endpoint, "timestamp")
        if started_s:
            # A provider from the future has a clock that is ahead: it has just started, for all one knows.
            return max(0.0, self._wall() - started_s)
        return 0.0 if is_new else float("inf")

    def failed(self, load: Load, error: RpcError, elapsed_s: float) -> None:
        """See `LoadWatch.failed`."""
        watched = self._watched.get(load)
        if watched is None or load.ejected or not _speaks_against(load, error, elapsed_s):
            return
        if load.on_trial:
            self._eject(load, watched, "the first attempt after it failed too", error)
            return
        now = self._clock()
        rules = self._ejection
        if load.answered != watched.answered_before:
            watched.answered_before = load.answered
            watched.in_a_row = 0
        watched.in_a_row += 1
        if now - watched.window_began > rules.window:
            watched.window_began, watched.window_answered, watched.window_failed = now, load.answered, 0
        watched.window_failed += 1
        attempts = watched.window_failed + load.answered - watched.window_answered
        if rules.failures and watched.in_a_row >= rules.failures:
            self._eject(load, watched, f"{watched.in_a_row} attempts in a row without an answer", error)
        elif rules.share and attempts >= rules.calls and watched.window_failed >= rules.share * attempts:
            self._eject(load, watched, f"{watched.window_failed} of {attempts} attempts without an answer", error)

    def answered(self, load: Load) -> None:
        """See `LoadWatch.answered`: the trial is over, and the provider gets its share back step by step."""
        load.on_trial = False
        watched = self._watched.get(load)
        if watched is not None:
            watched.recover(self._clock(), self._ejection.time)
            _LOG.info("%s answers again", _name(watched.endpoint), extra={"peer": watched.endpoint.address})

    def _eject(self, load: Load, watched: _Watched, why: str, error: RpcError) -> None:
        now, rules = self._clock(), self._ejection
        if now - watched.readmitted > _FORGIVEN_AFTER * rules.time:
            watched.ejections = 0
        watched.ejections += 1
        watched.in_a_row, watched.window_began = 0, float("-inf")
        duration_s = min(rules.max_time, rules.time * watched.ejections)
        watched.until = now + duration_s
        load.ejected, load.on_trial = True, False
        self._busy.add(load)
        self._count("ejected")
        _LOG.warning(
            "%s is left alone for %.3g s: %s, the last: %s",
            _name(watched.endpoint),
            duration_s,
            why,
            shorten(str(error)),
            extra={"peer": watched.endpoint.address},
        )
        self._changed()

    def tick(self) -> float | None:
        """Does what is due. Gives the seconds after which it wants to be called again; None while nothing is due."""
        now = self._clock()
        readmitted = False
        for load in tuple(self._busy):
            watched = self._watched[load]
            if load.ejected:
                if now < watched.until:
                    continue
                load.ejected, load.on_trial = False, True
                watched.readmitted = now
                readmitted = True
            share = _LEAST_SHARE if load.on_trial else watched.share(now)
            load.set_share(share)
            if share >= 1.0:
                self._busy.discard(load)
        if readmitted:
            self._changed()
        return _TICK_S if self._busy else None


class _Watched:
    """What is known about one provider. Times of the health's clock, in seconds."""

    __slots__ = (
        "_recovers_s",
        "_recovers_since",
        "_warms_s",
        "_warms_since",
        "answered_before",
        "ejections",
        "endpoint",
        "in_a_row",
        "readmitted",
        "until",
        "window_answered",
        "window_began",
        "window_failed",
    )

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._warms_since = self._recovers_since = 0.0
        self._warms_s = self._recovers_s = 0.0
        self.answered_before = 0
        self.in_a_row = 0
        self.window_began = float("-inf")
        self.window_answered = self.window_failed = 0
        self.ejections = 0
        self.until = 0.0
        self.readmitted = float("-inf")

    def warm(self, since: float, duration_s: float) -> None:
        self._warms_since, self._warms_s = since, duration_s

    def recover(self, since: float, duration_s: float) -> None:
        self._recovers_since, self._recovers_s = since, duration_s

    def share(self, now: float) -> float:
        """From the least share to 1, growing evenly."""
        return min(_grown(now - self._warms_since, self._warms_s), _grown(now - self._recovers_since, self._recovers_s))


def healthy_part(invokers: Sequence[Invoker], panic: float) -> tuple[Invoker, ...]:
    """Those that are not ejected; all of them when fewer than the share `panic` would be left. Those that their
    registry does not name any more are not among them, unless there are no others.

    When most providers give trouble, the trouble is hardly theirs, and the few that are left would break down under
    the load of all (the panic threshold of `envoyproxy/envoy: source/common/upstream/load_balancer_impl.cc`).
    """
    named = [each for each in invokers if not each.load.missing] or invokers
    left = tuple(each for each in named if not each.load.ejected)
    if len(left) == len(named) or not left or len(left) < panic * len(named):
        return tuple(named)
    return left


def _grown(age_s: float, duration_s: float) -> float:
    if age_s >= duration_s:
        return 1.0
    return max(_LEAST_SHARE, age_s / duration_s)


def _speaks_against(load: Load, error: RpcError, elapsed_s: float) -> bool:
    if not isinstance(error, _TROUBLE):
        return False
    if isinstance(error, DeadlineExceeded):
        # Callers who hardly wait must not take a provider away from all others.
        return error.retry is Retry.IF_IDEMPOTENT and elapsed_s >= _PATIENCE * load.ewma_s
    return not (isinstance(error, Overloaded) and error.unasked)


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.protocol}://{endpoint.address} ({endpoint.service})"


def _milliseconds(endpoint: Endpoint, key: str) -> float | None:
    """A parameter in milliseconds, as seconds; None when it is missing or no number."""
    text = endpoint.parameters.get(key, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        return None
    return int(text) / 1000.0
