"""One attempt by the choice of another mode: how a kept call is sent again."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from gateway.cluster.failfast import Failfast
from gateway.spi.cluster import Cluster

__all__ = ["once"]


@runtime_checkable
class _Narrowing(Protocol):
    """A mode that says itself among whom a single attempt chooses, or that stands around one that may."""

    @property
    def once(self) -> Cluster: ...


def once(mode: Cluster) -> Cluster:
    """What makes one attempt where `mode` would make its calls: among all candidates, unless that says otherwise."""
    return mode.once if isinstance(mode, _Narrowing) else Failfast()
