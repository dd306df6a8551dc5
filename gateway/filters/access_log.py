"""Filter `access_log`: says what became of calls."""

from __future__ import annotations

import logging
import time
from asyncio import CancelledError
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from gateway.config.scalar import Flag
from gateway.config.sections.section import Section
from gateway.config.units import Seconds
from gateway.model.call import Fault, Invocation, Result
from gateway.model.errors import NoSuchService, RpcError
from gateway.spi.handler import Handler
from gateway.spi.plugin import FilterPlugin
from gateway.telemetry.counters import Counters
from gateway.telemetry.logs import call_fields, shorten
from gateway.telemetry.once_per import OncePer

__all__ = ["PLUGIN", "AccessLog", "AccessLogOptions"]

_LOG: Final = logging.getLogger("polyport.calls")
_INTERNAL: Final = "internal-error"
_CANCELLED: Final = "cancelled"


class AccessLogOptions(Section):
    """What is logged."""

    calls: Flag = False
    """Whether every call gets a line. Calls without an answer always do."""

    interval: Annotated[Seconds, Field(ge=0, le=86400)] = 10.0
    """Without `calls`: at most one line per service and reason in this time; it says how many were held back."""


class AccessLog:
    """One line per call, or per kind of trouble; a counter per protocol and outcome of trouble.

    Lines carry the fields of `call_fields`, `outcome` (`ok`, `fault`, the code of the `RpcError`, `cancelled`,
    `internal-error`) and `duration_ms`. An answer is logged at INFO, trouble at WARNING. `counters`: counts trouble.
    """

    __slots__ = ("_clock", "_counters", "_every_call", "_troubles")

    def __init__(
        self,
        options: AccessLogOptions,
        counters: Counters | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._every_call = options.calls
        self._counters = Counters() if counters is None else counters
        self._clock = clock
        self._troubles = OncePer(options.interval, clock=clock)

    @property
    def troubles(self) -> Mapping[tuple[str, str], int]:
        """Calls without an answer so far, by protocol and outcome."""
        return self._counters.snapshot()

    async def __call__(self, invocation: Invocation, handler: Handler) -> Result:
        """The handler's result; whatever it raises passes."""
        started = self._clock()
        try:
            result = await handler(invocation)
        except RpcError as error:
            self._trouble(invocation, error.code, started, error)
            raise
        except (CancelledError, GeneratorExit):
            self._count(invocation, _CANCELLED)
            if self._every_call:
                self._log(logging.INFO, invocation, _CANCELLED, started)
            raise
        except Exception as error:
            self._trouble(invocation, _INTERNAL, started, error)
            raise
        if self._every_call:
            self._log(logging.INFO, invocation, "fault" if type(result) is Fault else "ok", started)
        return result

    def _trouble(self, invocation: Invocation, outcome: str, started: float, error: Exception) -> None:
        self._count(invocation, outcome)
        fields: dict[str, Any] = {"error": shorten(str(error))}
        if not self._every_call:
            # Whoever makes up names of services gets one line for all of them.
            service = None if isinstance(error, NoSuchService) else invocation.service
            held_back = self._troubles.admit((service, outcome))
            if held_back is None:
                return
            if held_back:
                fields["repeated"] = held_back
        if isinstance(error, RpcError) and error.explanation is not None:
            fields["explanation"] = error.explanation()
        self._log(logging.WARNING, invocation, outcome, started, **fields)

    def _count(self, invocation: Invocation, reason: str) -> None:
        self._counters.add("local" if invocation.peer is None else invocation.peer.protocol, reason)

    def _log(self, level: int, invocation: Invocation, outcome: str, started: float, **more: Any) -> None:
        if not _LOG.isEnabledFor(level):
            return
        duration_ms = round((self._clock() - started) * 1000, 3)
        fields = call_fields(invocation) | {"outcome": outcome, "duration_ms": duration_ms} | more
        _LOG.log(level, "%s.%s: %s", fields["service"], fields["method"], outcome, extra=fields)


PLUGIN: Final = FilterPlugin("access_log", AccessLogOptions, AccessLog)
