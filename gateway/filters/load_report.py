"""Filter `load_report`: tells callers that ask for it how busy this machine is (`gateway.telemetry.load_report`)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from pydantic import Field

from gateway.config.sections.section import Section
from gateway.config.units import Seconds
from gateway.model.call import Invocation, Result, attachments_of
from gateway.spi.handler import Handler
from gateway.spi.plugin import FilterPlugin
from gateway.telemetry.load_report import KEY, LoadSampler

__all__ = ["PLUGIN", "LoadReportOptions", "LoadReporting"]


class LoadReportOptions(Section):
    """How often figures are taken."""

    every: Annotated[Seconds, Field(gt=0, le=3600)] = 1.0
    """How old figures may be. They are taken when somebody asks, not otherwise."""


class LoadReporting:
    """Answers the attachment by which balancers ask for figures, and takes it away: it is asked of this gateway, not of
    what stands behind it. Answers that are forwarded as bytes stay bytes.

    `report`: gives the text; for tests.
    """

    __slots__ = ("_report",)

    def __init__(self, options: LoadReportOptions | None = None, report: Callable[[], str] | None = None) -> None:
        self._report = report or LoadSampler((options or LoadReportOptions()).every).text

    def __call__(self, invocation: Invocation, handler: Handler) -> Coroutine[Any, Any, Result]:
        """The call on its way."""
        if KEY not in invocation.attachments:
            return handler(invocation)
        return self._answer(invocation, handler)

    async def _answer(self, invocation: Invocation, handler: Handler) -> Result:
        rest = {key: value for key, value in invocation.attachments.items() if key != KEY}
        result = await handler(invocation.replace(attachments=rest))
        if invocation.oneway:
            return result
        return result.with_attachments({**attachments_of(result), KEY: self._report()})


PLUGIN: Final = FilterPlugin("load_report", LoadReportOptions, LoadReporting)
