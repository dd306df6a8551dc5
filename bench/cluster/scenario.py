"""What is simulated, as data: providers, traffic, what happens, and what must come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.cluster.service_time import ServiceTime
from gateway.config.sections.choice import Choice
from gateway.config.sections.ejection import EjectionConfig

if TYPE_CHECKING:
    from bench.cluster.events import Event
    from bench.cluster.expectation import Expectation

__all__ = ["Group", "Scenario", "Traffic"]


@dataclass(frozen=True, slots=True)
class Group:
    """Providers that are alike.

    `workers`: calls worked at together, each; `queue`: calls that may wait; more are refused as overload.
    `weights`: given to the nodes in turn. `zone`: the registry that announces them. `failing`: share of calls
    answered with an error. `cold`, `cold_s`: after a start, service times are `cold` times as long, falling evenly to 1
    within `cold_s`. `joins_at_s`: when it comes; those at 0 are there, and warm, when the gateways start.
    `rtt_s`: time on the wire, both ways together.
    """

    name: str
    count: int
    service: ServiceTime = field(default_factory=lambda: ServiceTime(0.01))
    workers: int = 16
    queue: int = 64
    weights: tuple[int, ...] = (100,)
    zone: str = "main"
    failing: float = 0.0
    cold: float = 1.0
    cold_s: float = 0.0
    joins_at_s: float = 0.0
    rtt_s: float = 0.0005


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is asked for.

    `rates`: `(from when, calls a second)`, in order; calls come as a Poisson process, at each gateway alike.
    `keys`: so many different arguments, all asked for alike but for the first of them, which makes up the share `hot`
    of the calls. `deadline_s`: how long callers wait, None when they do not say.
    """

    rates: tuple[tuple[float, float], ...]
    keys: int = 10_000
    hot: float = 0.0
    idempotent: bool = True
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One situation.

    `balancers`, `clusters`: balancers and modes that are compared; no balancers means all there are. `central`: the
    short form compares all of them too. `expectations`: what must hold; each knows for which of them. `hops`: how many
    gateways a call passes, one after the other; `relays`: how many there are of those in between, side by side.
    `retries`: None for the default.
    """

    name: str
    title: str
    groups: Sequence[Group]
    traffic: Traffic
    expectations: Sequence[Expectation]
    events: Sequence[Event] = ()
    duration_s: float = 40.0
    bucket_s: float = 0.5
    gateways: int = 4
    hops: int = 1
    relays: int = 4
    balancers: tuple[str, ...] = ()
    clusters: tuple[Choice, ...] = ("failover",)
    central: bool = False
    retries: int | None = None
    timeout_s: float = 1.0
    warmup_s: float = 0.0
    ejection: EjectionConfig = field(default_factory=EjectionConfig)
