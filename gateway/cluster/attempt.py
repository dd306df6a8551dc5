"""One attempt of a call at one provider: the only place where load figures are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from gateway.model.call import Invocation, Result
from gateway.spi.cluster import Invoker

__all__ = ["attempt"]

_SMOOTHING: Final = 0.125
"""Weight of the newest answer time in the moving average; what TCP uses for round-trip times (RFC 6298, section 2)."""


async def attempt(invoker: Invoker, invocation: Invocation, clock: Callable[[], float] = time.monotonic) -> Result:
    """Calls one provider, counted in its `load` while it runs. Raises what the invoker raises."""
    load = invoker.load
    load.active += 1
    started = clock()
    try:
        result = await invoker(invocation)
    except BaseException:
        # A failure may be quick because nothing was done: it can make a provider look slower, never faster.
        elapsed = clock() - started
        if elapsed > load.ewma_s:
            load.ewma_s += (elapsed - load.ewma_s) * _SMOOTHING
        raise
    else:
        elapsed = clock() - started
        load.ewma_s = load.ewma_s + (elapsed - load.ewma_s) * _SMOOTHING if load.ewma_s else elapsed
        return result
    finally:
        load.active -= 1
