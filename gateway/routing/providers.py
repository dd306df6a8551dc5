"""What a directory knows at one moment: the one snapshot all attempts of a call use."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.endpoint import ServiceKey
from gateway.spi.cluster import Invoker

__all__ = ["Providers"]


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers of one reference, or those of them that one consumer calls. Replaced whole when something changes,
    never changed.

    `service`: what was looked for. `invokers`: one per usable provider. `origin`: where they come from, for the
    why-trace: `registry 3`, `registry 3 (stale, 1 not for this reference)`, `registry unknown`.
    `missed`: the protocol that should have been taken, where these are a fallback for it.
    """

    service: ServiceKey
    invokers: tuple[Invoker, ...]
    origin: str
    missed: str = ""
