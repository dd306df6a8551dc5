"""Filter `deadline`: does no work for callers who no longer wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from gateway.config.sections.section import Section
from gateway.model.call import Invocation, Result
from gateway.model.errors import DeadlineExceeded, Retry
from gateway.spi.handler import Handler
from gateway.spi.plugin import FilterPlugin

__all__ = ["PLUGIN", "Deadline", "DeadlineOptions"]


class DeadlineOptions(Section):
    """Nothing to choose: the deadline is the caller's."""


class Deadline:
    """Refuses a call whose deadline has passed before it got here, while it waited in a buffer or a queue.

    A call in progress that reaches its deadline is ended by whoever drives it, not here.
    """

    __slots__ = ("_clock",)

    def __init__(self, options: DeadlineOptions | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock

    def __call__(self, invocation: Invocation, handler: Handler) -> Coroutine[Any, Any, Result]:
        """The call on its way. Awaiting it raises `DeadlineExceeded` when it is too late."""
        deadline = invocation.deadline
        if deadline is None:
            return handler(invocation)
        late_s = self._clock() - deadline
        return handler(invocation) if late_s < 0 else self._refuse(invocation, late_s)

    async def _refuse(self, invocation: Invocation, late_s: float) -> Result:
        late_ms = round(late_s * 1000)
        # It did not run, but a repetition could only be later still.
        raise DeadlineExceeded(
            f"{invocation.service}: the deadline passed {late_ms} ms before the call began", retry=Retry.NEVER
        )


PLUGIN: Final = FilterPlugin("deadline", DeadlineOptions, Deadline)
