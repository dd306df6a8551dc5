"""Failfast: one attempt. For calls that must not run twice, and for callers who handle trouble themselves."""

from __future__ import annotations

from gateway.cluster.attempt import attempt
from gateway.cluster.options import ClusterOptions
from gateway.model.call import Invocation, Result
from gateway.spi.cluster import Candidates

__all__ = ["Failfast"]


class Failfast:
    """Calls one candidate and gives its answer or raises its error."""

    __slots__ = ()

    def __init__(self, options: ClusterOptions | None = None) -> None:
        """Takes the options every mode takes; needs none of them."""

    async def __call__(self, invocation: Invocation, candidates: Candidates) -> Result:
        """The answer. Raises the `RpcError` of the attempt, or `NoProvider`."""
        return await attempt(candidates.pick(), invocation)
