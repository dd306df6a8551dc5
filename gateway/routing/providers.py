"""What a directory knows at one moment: the one snapshot all attempts of a call use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.model.endpoint import ServiceKey
from gateway.routing.health import healthy_part
from gateway.spi.cluster import Invoker

__all__ = ["Providers"]


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers of one reference, or those of them that one consumer calls. Replaced whole when something changes,
    never changed.

    `service`: what was looked for. `invokers`: one per usable provider. `origin`: where they come from, for the
    why-trace: `registry 3`, `registry 3 (stale, 1 not for this reference)`, `registry unknown`.
    `missed`: the protocol that should have been taken, where these are a fallback for it. `panic`: see `healthy_part`.
    `healthy`: those that were not ejected when this was made, or all of them in a panic. `parts`: the same, apart by
    what a function says of each, as far as somebody asked; kept, because balancers know a list again.
    """

    service: ServiceKey
    invokers: tuple[Invoker, ...]
    origin: str
    missed: str = ""
    panic: float = 0.0
    healthy: tuple[Invoker, ...] = field(init=False)
    parts: dict[Callable[[Invoker], str], Mapping[str, Providers]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "healthy", healthy_part(self.invokers, self.panic))
