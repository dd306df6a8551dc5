"""`demo.Reports`: calls that take long, and callers that are called back.

Whoever orders a report gives it a ticket and says whom to tell. The work belongs to the service, not to the call: when
the caller stops waiting it goes on, and the report comes by callback. A call that is repeated with the same ticket
orders nothing twice, it takes part in the work, or gets what came of it.
"""

# ruff: noqa: D102 - the contract documents what the implementation does

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.contracts import I32, ServiceError, Withdrawn, method, service
from gateway.model.errors import Overloaded, RpcError

__all__ = ["DemoReports", "Report", "ReportListener", "ReportUnwanted", "Reports"]

_MAX_JOBS: Final = 1_000


@dataclass(frozen=True)
class Report:
    """What was ordered."""

    ticket: str
    title: str
    pages: I32


class ReportUnwanted(ServiceError):
    """Nobody wants the report any more."""

    ticket: str


@service("demo.ReportListener")
class ReportListener(Protocol):
    """Who is told about reports; implemented by callers of `demo.Reports`."""

    @method(throws=(ReportUnwanted,))
    async def progressed(self, ticket: str, page: I32) -> I32:
        """A page is done. Gives how many pages it has heard of; raises when the report is not wanted any more."""
        ...

    @method(idempotent=True)
    async def finished(self, report: Report) -> None:
        """The report is done. May be told more than once."""
        ...


@service("demo.Reports")
class Reports(Protocol):
    """Reports that take a while."""

    @method(throws=(ReportUnwanted,), idempotent=True)
    async def build(self, ticket: str, title: str, pages: I32, listener: ReportListener) -> Report:
        """Builds a report, tells the listener of each page and, when it is done, of the report.

        Args:
            ticket: Names the order. Calls with the same ticket are one order.
            title: What stands on it.
            pages: How long it gets.
            listener: Whom to tell; the last one that was given for a ticket is told when it is done.
        """
        ...

    async def forget(self, listener: Withdrawn[ReportListener]) -> bool:
        """Tells the listener of nothing any more. False when it was to be told of nothing anyway."""
        ...


class DemoReports:
    """Writes a page in `page_ms` milliseconds."""

    def __init__(self, page_ms: int = 20) -> None:
        self._page_s = page_ms / 1000
        self._jobs: dict[str, asyncio.Task[Report]] = {}
        self._listeners: dict[str, ReportListener] = {}

    async def build(self, ticket: str, title: str, pages: I32, listener: ReportListener) -> Report:
        self._listeners[ticket] = listener
        job = self._jobs.get(ticket)
        if job is None:
            self._make_room()
            job = self._jobs[ticket] = asyncio.create_task(self._write(ticket, title, pages))
            job.add_done_callback(_note)
        # The call may be cancelled when its caller stops waiting; the job is not.
        return await asyncio.shield(job)

    async def forget(self, listener: ReportListener) -> bool:
        before = len(self._listeners)
        self._listeners = {ticket: each for ticket, each in self._listeners.items() if each != listener}
        return len(self._listeners) < before

    async def _write(self, ticket: str, title: str, pages: int) -> Report:
        try:
            for page in range(1, pages + 1):
                await asyncio.sleep(self._page_s)
                # A listener that is gone may come back with the same ticket.
                with contextlib.suppress(RpcError):
                    if (listener := self._listeners.get(ticket)) is not None:
                        await listener.progressed(ticket, page)
            report = Report(ticket, title, pages)
            with contextlib.suppress(RpcError):
                if (listener := self._listeners.get(ticket)) is not None:
                    await listener.finished(report)
            return report
        finally:
            self._listeners.pop(ticket, None)

    def _make_room(self) -> None:
        for ticket, job in tuple(self._jobs.items()):
            if len(self._jobs) < _MAX_JOBS:
                return
            if job.done():
                del self._jobs[ticket]
                self._listeners.pop(ticket, None)
        if len(self._jobs) >= _MAX_JOBS:
            raise Overloaded(f"{_MAX_JOBS} reports are being written")


def _note(job: asyncio.Task[Report]) -> None:
    # Perhaps nobody waits for it; the next call with its ticket gets the error. Its frames would keep the listener.
    if not job.cancelled() and (error := job.exception()) is not None:
        error.__traceback__ = None
