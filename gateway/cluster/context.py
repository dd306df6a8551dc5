"""What every fault-tolerance mode is built for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.cluster.retry_budget import RetryBudget
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey

__all__ = ["ClusterContext"]


def _count_nothing(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class ClusterContext:
    """What a mode of one method, or of all methods without a mode of their own, needs to know about its reference.

    `name`: what the reference is called here. `service`, `contract`: what it calls; no contract for generic ones.
    `retries`: repetitions after the first attempt. `retries_written`: somebody wrote that number for this method or
    reference, and so declared that repeating does no harm; without it only idempotent methods are repeated after
    trouble that leaves open whether the call has run. `budget`: shared by all methods of one reference.
    `count`: counts something that happened, by a short stable reason.
    """

    name: str = ""
    service: ServiceKey = field(default_factory=lambda: ServiceKey("unknown"))
    contract: ServiceContract | None = None
    retries: int = 2
    retries_written: bool = False
    budget: RetryBudget = field(default_factory=RetryBudget)
    count: Callable[[str], None] = _count_nothing
