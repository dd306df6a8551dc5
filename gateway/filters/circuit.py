"""The circuit of `circuit_breaker`: decides when there was too much trouble, and how the way back is tried."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

__all__ = ["SLOTS", "Circuit", "CircuitRules", "State"]

SLOTS: Final = 10
"""Parts of the sliding window: what happened leaves it a tenth at a time."""


class State(Enum):
    """Of a circuit."""

    CLOSED = "closed"
    """Calls pass, and are watched."""
    OPEN = "open"
    """No calls pass until its time is over."""
    HALF_OPEN = "half-open"
    """A few calls pass, to find out."""


class CircuitRules(NamedTuple):
    """When a circuit opens and closes; durations in seconds.

    `share`: of trouble among the calls of the last `window_s`, of which there must be `min_calls`. `consecutive`:
    calls with trouble one after the other, whatever the window says; 0 for no such rule. `open_s`: how long it is open
    the first time; each time a probe fails `growth` times as long, at most `max_open_s`. `probes`: calls that may try
    the way at the same time, and how many must go well before all others follow. `slots_per_s`: `SLOTS / window_s`.
    """

    share: float
    min_calls: int
    window_s: float
    consecutive: int
    open_s: float
    max_open_s: float
    growth: float
    probes: int
    slots_per_s: float


_CLOSED, _OPEN, _HALF_OPEN = State
"""Names of a module are found faster than members of an Enum, and every call asks."""


class Circuit:
    """One circuit. `now`: monotonic seconds, which never go back.

    `enter` and `leave` belong together: what `enter` gives is handed back, so that calls that began before the circuit
    changed its mind do not count for what it thinks now.

    Attributes:
        state: Of this moment; one that is open and whose time is over stays open until somebody asks to enter.
        epoch: Of the calls that pass while it is closed.
    """

    __slots__ = (
        "_calls",
        "_changed_at",
        "_good",
        "_in_a_row",
        "_open_until",
        "_openings",
        "_probe_at",
        "_probing",
        "_slot",
        "_slots",
        "_troubles",
        "epoch",
        "state",
    )

    def __init__(self, now: float) -> None:
        self.state = _CLOSED
        self.epoch = 0
        self._slots = [[0, 0] for _ in range(SLOTS)]
        # calls and troubles of each tenth of the window
        self._slot = 0
        self._calls = self._troubles = self._in_a_row = 0
        self._openings = 0
        self._open_until = self._changed_at = self._probe_at = now
        self._probing = self._good = 0

    def enter(self, now: float, rules: CircuitRules) -> int | None:
        """What to hand to `leave` when the call has ended; None where it must not begin."""
        if self.state is _CLOSED:
            return self.epoch
        if not self.has_room(now, rules):
            return None
        if self.state is _OPEN or self._probing >= rules.probes:
            # In the second case the probes under way have taken so long that they are given up.
            self._become(_HALF_OPEN, now)
        self._probing += 1
        self._probe_at = now
        return self.epoch

    def leave(self, epoch: int, good: bool | None, now: float, rules: CircuitRules) -> None:
        """A call has ended: `good`, with trouble, or in a way that says nothing (None)."""
        if epoch != self.epoch:
            return
        if self.state is _HALF_OPEN:
            self._probing -= 1
            if good is False:
                self._open(now, rules)
            elif good:
                self._good += 1
                if self._good >= rules.probes:
                    self._become(_CLOSED, now)
            return
        if good is None:
            return
        if int(now * rules.slots_per_s) != self._slot:
            self._advance(now, rules)
        slot = self._slots[self._slot % SLOTS]
        slot[0] += 1
        self._calls += 1
        if good:
            self._in_a_row = 0
            return
        slot[1] += 1
        self._troubles += 1
        self._in_a_row += 1
        too_many = self._calls >= rules.min_calls and self._troubles >= rules.share * self._calls
        if too_many or 0 < rules.consecutive <= self._in_a_row:
            if now - self._changed_at > rules.window_s:
                # It was closed long enough to count as healthy: the first opening again.
                self._openings = 0
            self._open(now, rules)

    def has_room(self, now: float, rules: CircuitRules) -> bool:
        """Whether `enter` would let a call through."""
        if self.state is _CLOSED:
            return True
        if self.state is _OPEN:
            return now >= self._open_until
        return self._probing < rules.probes or now - self._probe_at >= rules.open_s

    def wait_s(self, now: float) -> float | None:
        """Seconds until a call may try; None where that depends on the calls that are trying."""
        return max(0.0, self._open_until - now) if self.state is _OPEN else None

    def is_idle(self, now: float, rules: CircuitRules) -> bool:
        """Whether nothing of what it knows matters any more."""
        if self.state is _CLOSED:
            self._advance(now, rules)
            return not self._troubles
        if self.state is _OPEN:
            return now >= self._open_until + rules.window_s
        return not self._probing and now - self._probe_at >= rules.window_s

    def _open(self, now: float, rules: CircuitRules) -> None:
        open_s = rules.max_open_s
        # The power of a large count would overflow; long before that the longest time is reached.
        if self._openings < 64:
            open_s = min(open_s, rules.open_s * rules.growth**self._openings)
            self._openings += 1
        self._open_until = now + open_s
        self._become(_OPEN, now)

    def _become(self, state: State, now: float) -> None:
        self.state = state
        self.epoch += 1
        self._changed_at = now
        self._probing = self._good = self._in_a_row = self._calls = self._troubles = 0
        for slot in self._slots:
            slot[0] = slot[1] = 0

    def _advance(self, now: float, rules: CircuitRules) -> None:
        """Forgets what has left the window."""
        slot = int(now * rules.slots_per_s)
        passed = slot - self._slot
        if not passed:
            return
        # Backwards only where the window was made longer meanwhile: then everything begins anew.
        for step in range(1, SLOTS + 1 if passed < 0 or passed > SLOTS else passed + 1):
            gone = self._slots[(self._slot + step) % SLOTS]
            self._calls -= gone[0]
            self._troubles -= gone[1]
            gone[0] = gone[1] = 0
        self._slot = slot
