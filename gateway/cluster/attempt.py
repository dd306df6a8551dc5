"""One attempt of a call at one provider: the only place where load figures are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from gateway.model.call import Invocation, Result
from gateway.model.errors import RpcError
from gateway.spi.cluster import Candidates, Invoker

__all__ = ["attempt", "explained"]

_E = TypeVar("_E", bound=RpcError)

_SMOOTHING: Final = 0.125
"""Weight of the newest answer time in the moving average; what TCP uses for round-trip times (RFC 6298, section 2)."""


async def attempt(invoker: Invoker, invocation: Invocation, clock: Callable[[], float] = time.monotonic) -> Result:
    """Calls one provider, counted in its `load` while it runs. Raises what the invoker raises."""
    load = invoker.load
    load.active += 1
    observers = load.observers
    began = clock()
    if observers:
        for each in observers:
            each.began(began)
    try:
        result = await invoker(invocation)
    except BaseException as error:
        load.active -= 1
        now = clock()
        for each in observers:
            each.ended(began, now, error)
        if isinstance(error, RpcError):
            error.took_s = now - began
            load.failed += 1
            if load.watch is not None:
                load.watch.failed(load, error, now - began)
        raise
    load.active -= 1
    now = clock()
    load.answered += 1
    load.ewma_s = load.ewma_s + (now - began - load.ewma_s) * _SMOOTHING if load.ewma_s else now - began
    if observers:
        for each in observers:
            each.ended(began, now, result)
    if load.on_trial and load.watch is not None:
        load.watch.answered(load)
    return result


def explained(error: _E, candidates: Candidates) -> _E:
    """The same error, which says from now on what its call chose from. Modes raise no other."""
    if error.explanation is None:
        error.explanation = candidates.explain
    return error
