"""What every fault-tolerance mode is built for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.cluster.retry_budget import RetryBudget
from gateway.config.sections.choice import ClusterChoice
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.spi.cluster import Cluster
from gateway.spi.failback import CallRecorder

__all__ = ["ClusterContext", "RegistryPlace"]


def _count_nothing(_: str) -> None:
    return None


def _no_others(choice: ClusterChoice) -> Cluster:
    raise LookupError(f"nobody is here who could build cluster mode {choice.type!r}")


@dataclass(frozen=True, slots=True)
class RegistryPlace:
    """Where the providers of one registry are, as far as its configuration says so.

    `zone`: empty when nobody says. `weight`: share of the calls of other zones. `preferred`: before all others.
    """

    zone: str = ""
    weight: int = 100
    preferred: bool = False


def _no_recorder() -> CallRecorder:
    raise LookupError("nothing here keeps calls")


@dataclass(frozen=True, slots=True)
class ClusterContext:
    """What a mode of one method, or of all methods without a mode of their own, needs to know about its reference.

    `name`: what the reference is called here. `service`, `contract`: what it calls; no contract for generic ones.
    `methods`: those whose calls the mode gets; empty without a contract.
    `retries`: repetitions after the first attempt. `retries_written`: somebody wrote that number for this method or
    reference, and so declared that repeating does no harm; without it only idempotent methods are repeated after
    trouble that leaves open whether the call has run. `budget`: shared by all methods of one reference.
    `count`: counts something that happened, by a short stable reason.
    `registries`: where the providers of each of the reference's registries are, by name.
    `mode`: builds another mode for the same context, for modes that are made of others; raises LookupError for a name
    that does not exist.
    `recorder`: gives what keeps the reference's calls; a mode that needs it asks when it is built, because only then
    there has to be one.
    """

    name: str = ""
    service: ServiceKey = field(default_factory=lambda: ServiceKey("unknown"))
    contract: ServiceContract | None = None
    methods: Sequence[MethodContract] = ()
    retries: int = 2
    retries_written: bool = False
    budget: RetryBudget = field(default_factory=RetryBudget)
    count: Callable[[str], None] = _count_nothing
    registries: Mapping[str, RegistryPlace] = field(default_factory=lambda: MappingProxyType({}))
    mode: Callable[[ClusterChoice], Cluster] = _no_others
    recorder: Callable[[], CallRecorder] = _no_recorder
