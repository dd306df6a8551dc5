"""Failfast: one attempt. For calls that must not run twice, and for callers who handle trouble themselves."""

from __future__ import annotations

from typing import Final

from gateway.cluster.attempt import attempt, explained
from gateway.cluster.context import ClusterContext
from gateway.config.sections.section import NoOptions
from gateway.model.call import Invocation, Result
from gateway.model.errors import RpcError
from gateway.spi.cluster import Candidates
from gateway.spi.plugin import ClusterPlugin

__all__ = ["PLUGIN", "Failfast"]


class Failfast:
    """Calls one candidate and gives its answer or raises its error."""

    __slots__ = ()

    async def __call__(self, invocation: Invocation, candidates: Candidates) -> Result:
        """The answer. Raises the `RpcError` of the attempt, or `NoProvider`."""
        try:
            return await attempt(candidates.pick(), invocation)
        except RpcError as error:
            explained(error, candidates)
            raise


def _build(_: NoOptions, __: ClusterContext) -> Failfast:
    return Failfast()


PLUGIN: Final = ClusterPlugin("failfast", NoOptions, _build)
