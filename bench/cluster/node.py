"""One simulated provider: so many workers, a queue before them, and whatever happens to it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from bench.cluster.recorder import Recorder
from bench.cluster.scenario import Group
from bench.cluster.world import UNNOTICED, World
from gateway.model.call import Invocation, Ok, Result
from gateway.model.endpoint import Endpoint
from gateway.model.errors import ConnectFailed, Overloaded, ProviderFailed, RpcError

__all__ = ["Caller", "Node"]

_LOAD: Final = "lb_adaptive"
"""Attachment by which callers ask for a provider's load, and by which it answers. Source: apache/dubbo 3.3:
dubbo-rpc/dubbo-rpc-api/.../filter/ProfilerServerFilter.java."""
_BOUNCE_S: Final = 0.0005
"""How long a provider works at a call that it refuses or fails at once."""

_DONE: Final = Ok(None)


class Caller(Protocol):
    """One attempt, as the provider sees it."""

    @property
    def invocation(self) -> Invocation:
        """What is asked for (read-only)."""
        ...

    def reply(self, outcome: Result | RpcError) -> None:
        """The answer. Not before the attempt has begun to wait for it."""
        ...


class Node:
    """Works at calls in the order in which they come, `Group.workers` at a time.

    `slowness`: service times are that much longer. `failing`: share of the calls answered with `ProviderFailed`.
    `up`: reachable. `paused`: takes calls and does nothing, as a stopped process does. `draining`: finishes what it has
    and refuses the rest. Links are told when it goes down by `on_down`.
    """

    def __init__(
        self, world: World, endpoint: Endpoint, group: Group, index: int, luck: random.Random, recorder: Recorder
    ) -> None:
        self.endpoint = endpoint
        self.group = group
        self.index = index
        self.slowness = 1.0
        self.failing = group.failing
        self.up = True
        self.paused = False
        self.draining = False
        self.busy = 0
        self.queue: deque[Caller] = deque()
        self.on_down: dict[object, Callable[[], None]] = {}
        self._world = world
        self._luck = luck
        self._recorder = recorder
        self._started_at = world.now if group.cold_s and group.joins_at_s else float("-inf")
        self._life = 0
        self._held: list[Caller] = []

    def receive(self, caller: Caller) -> None:
        """A call comes in."""
        self._recorder.received(self.index, caller.invocation.arguments()[0])
        if self.paused:
            self.queue.append(caller)
        elif self.draining:
            self._answer(caller, ConnectFailed(f"{self.endpoint.address} is shutting down"))
        elif self.failing and self._luck.random() < self.failing:
            self._answer(caller, ProviderFailed(f"{self.endpoint.address} is out of order"))
        elif self.busy < self.group.workers:
            self._work(caller)
        elif len(self.queue) < self.group.queue:
            self.queue.append(caller)
        else:
            self._recorder.refused()
            self._answer(caller, Overloaded(f"{self.endpoint.address} has {len(self.queue)} calls waiting"))

    def go_down(self) -> None:
        """It is gone from one moment to the next. What it had is lost."""
        self.up = self.paused = self.draining = False
        self._life += 1
        self.busy = 0
        self.queue.clear()
        self._held.clear()
        tell, self.on_down = self.on_down, {}
        for each in tell.values():
            each()

    def come_up(self) -> None:
        """It starts again, cold."""
        self.up = True
        self.draining = False
        self._started_at = self._world.now

    def resume(self) -> None:
        """Goes on after a pause, as if nothing had been."""
        self.paused = False
        held, self._held = self._held, []
        for caller in held:
            self._done(caller, self._life)
        self._next()

    def _work(self, caller: Caller) -> None:
        self.busy += 1
        self._recorder.executed(caller.invocation.call_id)
        seconds = self.group.service.draw(self._luck) * self.slowness * self._coldness()
        self._world.after(seconds, self._done, caller, self._life)

    def _coldness(self) -> float:
        """How much slower it is for having just started: `cold` times at first, falling evenly to 1."""
        age = self._world.now - self._started_at
        if age >= self.group.cold_s:
            return 1.0
        return self.group.cold - (self.group.cold - 1.0) * age / self.group.cold_s

    def _done(self, caller: Caller, life: int) -> object:
        if life != self._life:
            return UNNOTICED
        if self.paused:
            self._held.append(caller)
            return UNNOTICED
        self.busy -= 1
        self._answer(caller, self._result(caller), self.group.rtt_s)
        if self.queue:
            self._next()
        return UNNOTICED

    def _result(self, caller: Caller) -> Ok:
        if _LOAD not in caller.invocation.attachments:
            return _DONE
        load = 100.0 * (self.busy + len(self.queue)) / self.group.workers
        return Ok(None, {_LOAD: f"curTime:{int(self._world.wall() * 1000)},load:{load:.2f}"})

    def _next(self) -> None:
        while self.queue and self.busy < self.group.workers and not self.paused:
            self._work(self.queue.popleft())

    def _answer(self, caller: Caller, outcome: Result | RpcError, after_s: float = _BOUNCE_S) -> None:
        self._world.after(after_s, self._deliver, caller, outcome, self._life)

    def _deliver(self, caller: Caller, outcome: Result | RpcError, life: int) -> None:
        if life == self._life:
            caller.reply(outcome)
