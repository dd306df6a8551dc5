"""What happens to providers while calls run. Times in seconds since the start of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bench.cluster.fleet import Fleet
from bench.cluster.node import Node

__all__ = ["Churn", "Crash", "Event", "Fail", "Join", "Leave", "Pause", "Restart", "Slow", "Weigh"]


class Event(Protocol):
    """Something to come."""

    def plan(self, fleet: Fleet) -> None:
        """Puts it on the agenda of the fleet's world. Called once, at the start."""
        ...


@dataclass(frozen=True, slots=True)
class Slow:
    """Service times are `factor` times as long. `count`: of the group's first nodes; None for all."""

    group: str
    at_s: float
    until_s: float
    factor: float
    count: int | None = None

    def plan(self, fleet: Fleet) -> None:
        """See `Event.plan`."""
        for node in fleet.members(self.group, self.count):
            _plan(fleet, self.at_s, setattr, node, "slowness", self.factor)
            _plan(fleet, self.until_s, setattr, node, "slowness", 1.0)


@dataclass(frozen=True, slots=True)
class Fail:
    """That share of the calls is answered with an error of the provider's framework."""

    group: str
    at_s: float
    until_s: float
    share: float = 1.0
    count: int | None = None

    def plan(self, fleet: Fleet) -> None:
        """See `Event.plan`."""
        for node in fleet.members(self.group, self.count):
            _plan(fleet, self.at_s, setattr, node, "failing", self.share)
            _plan(fleet, self.until_s, setattr, node, "failing", node.group.failing)


@dataclass(frozen=True, slots=True)
class Crash:
    """They are gone without a word, all at the same moment, stay in the registry, and come back."""

    group: str
    at_s: float
    until_s: float
    count: int | None = None

    def plan(self, fleet: Fleet) -> None:
        """See `Event.plan`."""
        nodes = fleet.members(self.group, self.count)
        _plan(fleet, self.at_s, _each, nodes, Node.go_down)
        _plan(fleet, self.until_s, _each, nodes, Node.come_up)


@dataclass(frozen=True, slots=True)
class Pause:
    """They stop and go on, as after SIGSTOP and SIGCONT: connected, and silent."""

    group: str
    at_s: float
    until_s: float
    count: int | None = None

    def plan(self, fleet: Fleet) -> None:
        """See `Event.plan`."""
        for node in fleet.members(self.group, self.count):
            _plan(fleet, self.at_s, setattr, node, "paused", True)
            _plan(fleet, self.until_s, node.resume)


@dataclass(frozen=True, slots=True)
class Join:
    """A group that was not there yet starts and is announced; one node every `every_s`."""

    group: str
    at_s: float
    every_s: float = 0.0

    def plan(self, fleet: Fleet) -> None:
        """See `Event.plan`."""
        for number, node in enumerate(fleet.members(self.group)):
            _plan(fleet, self.at_s + number * self.every_s, _start, fleet, node)


@dataclass(frozen=True, slots=True)
class Leave:
    """They go for good, as a planned stop does it."""

    group: str
    at_s: float
    count: int | None = None
    grace_s: float = 1.0

    def plan(self, fleet: Fleet) -> None:
        """See `Event.plan`."""
        for node in fleet.members(self.group, self.count):
            _plan(fleet, self.at_s, _stop, fleet, node, self.grace_s, None)


@dataclass(frozen=True, slots=True)
class Restart:
    """One node after the other stops and comes back `down_s` later.

    `graceful`: it is taken out of the registry first, finishes what it has for `grace_s`, and only then goes down.
    Otherwise it is killed, and stays in the registry until it announces itself anew.
    """

    group: str
    at_s: float
    every_s: float
    down_s: float = 1.0
    graceful: bool = True
    grace_s: float = 1.0
    count: int | None = None

    def plan(self, fleet: Fleet) -> None:
        """See `Event.plan`."""
        for number, node in enumerate(fleet.members(self.group, self.count)):
            when = self.at_s + number * self.every_s
            if self.graceful:
                _plan(fleet, when, _stop, fleet, node, self.grace_s, self.down_s)
            else:
                _plan(fleet, when, node.go_down)
                _plan(fleet, when + self.down_s, _start, fleet, node)


@dataclass(frozen=True, slots=True)
class Weigh:
    """Another weight, through the registry."""

    group: str
    at_s: float
    weight: int
    count: int | None = None

    def plan(self, fleet: Fleet) -> None:
        """See `Event.plan`."""
        for node in fleet.members(self.group, self.count):
            _plan(fleet, self.at_s, fleet.weigh, node, self.weight)


@dataclass(frozen=True, slots=True)
class Churn:
    """From `at_s` to `until_s`, `per_s` times a second, something befalls one node by lot: it is restarted in order,
    killed and started again, paused, or slow for a while."""

    group: str
    at_s: float
    until_s: float
    per_s: float
    lasts_s: float = 3.0

    def plan(self, fleet: Fleet) -> None:
        """See `Event.plan`."""
        luck = fleet.luck
        when = self.at_s + luck.expovariate(self.per_s)
        nodes = list(fleet.members(self.group))
        luck.shuffle(nodes)
        # Each node at most once, so that no fate ends another.
        while when < self.until_s and nodes:
            _plan(fleet, when, self._befall, fleet, nodes.pop(), luck.randrange(4))
            when += luck.expovariate(self.per_s)

    def _befall(self, fleet: Fleet, node: Node, fate: int) -> None:
        after = fleet.world.after
        if fate == 0:
            _stop(fleet, node, 1.0, self.lasts_s)
        elif fate == 1:
            node.go_down()
            after(self.lasts_s, _start, fleet, node)
        elif fate == 2:
            node.paused = True
            after(self.lasts_s, node.resume)
        else:
            node.slowness = 20.0
            after(self.lasts_s, setattr, node, "slowness", 1.0)


def _plan(fleet: Fleet, at_s: float, act: Callable[..., object], *arguments: object) -> None:
    fleet.world.at(fleet.world.begin + at_s, partial(act, *arguments))


def _each(nodes: Iterable[Node], act: Callable[[Node], None]) -> None:
    # One event, between whose parts nobody can try again: a node that is about to go down would get the next attempt.
    for node in nodes:
        act(node)


def _start(fleet: Fleet, node: Node) -> None:
    node.come_up()
    fleet.announce(node)


def _stop(fleet: Fleet, node: Node, grace_s: float, down_s: float | None) -> None:
    """Out of the registry, then done with what it has, then down; and up again `down_s` later, unless that is None."""
    fleet.withdraw(node)
    fleet.world.after(grace_s, node.go_down)
    if down_s is not None:
        fleet.world.after(grace_s + down_s, _start, fleet, node)
