"""Failsafe: trouble is ignored. For calls whose failure must not matter to their caller: audit lines, statistics."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import deepcopy
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from gateway.cluster.context import ClusterContext
from gateway.cluster.default_answer import default_answer, default_misfits
from gateway.cluster.once import once
from gateway.config.scalar import resolve
from gateway.config.sections.choice import Cluster as ClusterConfig
from gateway.config.sections.choice import ClusterChoice
from gateway.config.sections.section import Section
from gateway.model.call import Invocation, Ok, Result
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import RpcError
from gateway.spi.cluster import Candidates, Cluster
from gateway.spi.plugin import ClusterPlugin, Misfit
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer

__all__ = ["PLUGIN", "Failsafe", "FailsafeOptions"]

_LOG: Final = logging.getLogger("polyport.cluster")
_LOG_INTERVAL_S: Final = 10.0
_NAME: Final = "failsafe"


class FailsafeOptions(Section):
    """What callers get in place of an answer, and how hard it is tried before."""

    default: Annotated[Any, BeforeValidator(resolve)] = None
    """What callers get, as JSON of the return type. Unless written: nothing, where the type allows null or the method
    returns nothing; an empty list, set or map; for other types it is needed."""

    cluster: ClusterConfig = ClusterChoice(type="failfast")
    """The mode that makes the call; what it cannot solve is ignored."""


class Failsafe:
    """Makes the call by another mode; when there is no answer, the caller gets an empty value instead of the error.

    Whatever is ignored is counted (`ignored`) and logged, once in ten seconds per method and kind of error. A `Fault`
    is an answer. `inner`: makes the call.

    Raises:
        ValueMappingError: some method cannot return the value, or has no empty one; says which.
    """

    __slots__ = ("_context", "_default", "_inner", "_log", "_makers")

    def __init__(
        self,
        options: FailsafeOptions,
        context: ClusterContext,
        inner: Cluster,
        log: OncePer | None = None,
    ) -> None:
        self._context = context
        self._inner = inner
        self._default = options.default
        self._makers = {
            each.attribute: default_answer(each, context.contract, options.default, _NAME)
            for each in context.methods
            if context.contract is not None
        }
        self._log = log or OncePer(_LOG_INTERVAL_S)

    @property
    def once(self) -> Cluster:
        """One attempt by the mode within; see `gateway.cluster.once`."""
        return once(self._inner)

    async def __call__(self, invocation: Invocation, candidates: Candidates) -> Result:
        """The answer, or an empty one."""
        try:
            return await self._inner(invocation, candidates)
        except RpcError as error:
            self._note(invocation, error)
        make = self._makers.get(invocation.signature.attribute) if invocation.signature is not None else None
        # Whoever gets it in this process may change it.
        return Ok(deepcopy(self._default) if make is None else make())

    def _note(self, invocation: Invocation, error: RpcError) -> None:
        self._context.count("ignored")
        # Of a service without a contract the method's name is the caller's text, which must not fill the log.
        method = invocation.method if invocation.signature is not None else ""
        held_back = self._log.admit((method, error.code))
        if held_back is not None:
            _LOG.warning(
                "%s.%s: ignored, %d more since the last line: %s",
                invocation.service,
                shorten(invocation.method),
                held_back,
                shorten(str(error)),
                extra={"service": str(invocation.service), "method": shorten(invocation.method)},
            )


def _build(options: FailsafeOptions, context: ClusterContext) -> Failsafe:
    return Failsafe(options, context, context.mode(options.cluster))


def _check(options: FailsafeOptions, contract: ServiceContract, methods: Sequence[MethodContract]) -> Sequence[Misfit]:
    return default_misfits(contract, methods, options.default, _NAME)


PLUGIN: Final = ClusterPlugin(_NAME, FailsafeOptions, _build, _check)
