"""What every fault-tolerance mode is built from."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.cluster.retry_budget import RetryBudget

__all__ = ["ClusterOptions"]


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Settings of one method of one reference; a mode takes from them what it needs.

    `retries`: repetitions after the first attempt. `retries_written`: somebody wrote that number for this method or
    reference, and so declared that repeating does no harm; without it only idempotent methods are repeated after
    trouble that leaves open whether the call has run. `budget`: shared by all methods of one reference.
    """

    retries: int = 2
    retries_written: bool = False
    budget: RetryBudget = field(default_factory=RetryBudget)
