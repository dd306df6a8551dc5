"""All simulated providers of a run, and the registries that announce them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from bench.cluster.node import Node
from bench.cluster.recorder import Recorder
from bench.cluster.scenario import Group
from bench.cluster.wire import PROTOCOL
from bench.cluster.world import World
from gateway.model.endpoint import Endpoint, ServiceKey
from registry.embedded import EmbeddedHub

__all__ = ["SERVICE", "Fleet"]

SERVICE = ServiceKey("demo.Simulated")

_LONG_AGO_S = 3_600.0
_PER_NETWORK = 250


class Fleet:
    """Nodes by group, and the hub of each zone. Those that join at once are announced when this is made."""

    def __init__(self, world: World, groups: Sequence[Group], recorder: Recorder, luck: random.Random) -> None:
        self.world = world
        self.luck = luck
        self.hubs: dict[str, EmbeddedHub] = {}
        self.stations: dict[str, Node] = {}
        self.groups: dict[str, tuple[Node, ...]] = {}
        for number, group in enumerate(groups):
            self.hubs.setdefault(group.zone, EmbeddedHub())
            self.groups[group.name] = tuple(self._make(group, number, each, recorder) for each in range(group.count))
            if not group.joins_at_s:
                for node in self.groups[group.name]:
                    self.announce(node, world.wall() - _LONG_AGO_S)

    @property
    def nodes(self) -> Sequence[Node]:
        """All of them, by index."""
        return tuple(self.stations.values())

    def members(self, group: str, count: int | None = None) -> tuple[Node, ...]:
        """The first `count` nodes of a group, or all."""
        return self.groups[group][:count]

    def announce(self, node: Node, started_s: float | None = None) -> None:
        """Puts it into its registry, with the time at which it started: now, or then (seconds since 1970)."""
        started_s = self.world.wall() if started_s is None else started_s
        parameters = {"timestamp": str(round(started_s * 1000)), "zone": node.group.zone}
        node.endpoint = replace(node.endpoint, parameters=parameters)
        self.hubs[node.group.zone].announce(node, node.endpoint)

    def withdraw(self, node: Node) -> None:
        """Takes it out of its registry."""
        self.hubs[node.group.zone].withdraw(node, node.endpoint)

    def weigh(self, node: Node, weight: int) -> None:
        """Announces another weight."""
        node.endpoint = replace(node.endpoint, weight=weight)
        self.hubs[node.group.zone].announce(node, node.endpoint)

    def _make(self, group: Group, number: int, each: int, recorder: Recorder) -> Node:
        network, host = divmod(each, _PER_NETWORK)
        weight = group.weights[each % len(group.weights)]
        endpoint = Endpoint(PROTOCOL, f"10.{number}.{network}.{host + 1}", 20880, SERVICE, weight)
        index = recorder.add_provider()
        luck = random.Random(self.luck.random())
        node = self.stations[endpoint.address] = Node(self.world, endpoint, group, index, luck, recorder)
        if group.joins_at_s:
            node.up = False
        return node
