"""Mock: an answer that no provider gives, in place of a call or of its failure."""

from __future__ import annotations

import logging
from typing import Final

from gateway.cluster.context import ClusterContext
from gateway.cluster.once import once
from gateway.config.mock_answer import mock_answer
from gateway.config.sections.mock import MockConfig
from gateway.model.call import Invocation, Result
from gateway.model.errors import RpcError
from gateway.spi.cluster import Candidates, Cluster
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer

__all__ = ["MockCluster"]

_LOG: Final = logging.getLogger("polyport.cluster")
_LOG_INTERVAL_S: Final = 10.0


class MockCluster:
    """Stands around the mode of a method, or of all methods without a mock of their own (Dubbo's mock wrapper).

    `inner`: the mode. What is mocked is counted (`mocked`); a mock that stands in for failed calls is logged, once in
    ten seconds per method and kind of error.

    Raises:
        ValueMappingError: a method cannot return or throw what is written; says which.
    """

    __slots__ = ("_answers", "_config", "_context", "_generic", "_inner", "_log")

    def __init__(self, config: MockConfig, context: ClusterContext, inner: Cluster, log: OncePer | None = None) -> None:
        self._config = config
        self._context = context
        self._inner = inner
        self._generic = mock_answer(config, None, context.contract)
        self._answers = {each.attribute: mock_answer(config, each, context.contract) for each in context.methods}
        self._log = log or OncePer(_LOG_INTERVAL_S)

    @property
    def once(self) -> Cluster:
        """One attempt by the mode within; see `gateway.cluster.once`."""
        return once(self._inner)

    async def __call__(self, invocation: Invocation, candidates: Candidates) -> Result:
        """The mock's answer, or that of the mode. Raises what the mode raises, or the mock."""
        if self._config.when == "force":
            self._context.count("mocked")
            return self._answer(invocation)
        try:
            return await self._inner(invocation, candidates)
        except RpcError as error:
            self._context.count("mocked")
            self._note(invocation, error)
        return self._answer(invocation)

    def _answer(self, invocation: Invocation) -> Result:
        signature = invocation.signature
        answer = self._generic if signature is None else self._answers.get(signature.attribute, self._generic)
        return answer()

    def _note(self, invocation: Invocation, error: RpcError) -> None:
        method = invocation.method if invocation.signature is not None else ""
        held_back = self._log.admit((method, error.code))
        if held_back is not None:
            _LOG.warning(
                "%s.%s: the mock answers, %d more since the last line: %s",
                invocation.service,
                shorten(invocation.method),
                held_back,
                shorten(str(error)),
                extra={"service": str(invocation.service), "method": shorten(invocation.method)},
            )
