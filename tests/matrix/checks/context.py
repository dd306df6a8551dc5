"""What travels beside arguments and answers: attachments, the deadline, the trace, and who calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from time import monotonic
from typing import Final

from gateway.model.call import Fault, Ok
from gateway.model.errors import DeadlineExceeded
from protocols.testing import ATTACHMENTS, AttachmentsCase, difference
from tests.matrix.bridge import CONSUMER, TIMEOUT_S, Bridge
from tests.matrix.checks.check import Check

__all__ = ["contexts"]

_TRACE_ID: Final = "0af7651916cd43dd8448eb211c80319c"
_SPAN_ID: Final = "b7ad6b7169203331"
_SLACK_S: Final = 1.0
"""What two hops may take off the time a caller waits; wires count it in milliseconds."""
_SOON_S: Final = 0.3
_LATE_S: Final = 2.0
"""How much later than its deadline a call may end: far before it would without one."""


def contexts() -> Iterator[Check]:
    """Each of these with a call, and with an answer where it travels there too."""
    yield from map(_attachments, ATTACHMENTS)
    yield from map(_attachments_of_an_exception, ATTACHMENTS)
    yield Check("context", "deadline", _deadline)
    yield Check("context", "deadline-over", _deadline_over)
    for flags in ("01", "00"):
        yield Check("context", f"trace/{flags}", _trace(flags))
    yield Check("context", "no-trace", _no_trace)
    yield Check("context", "consumer", _consumer)


def _attachments(case: AttachmentsCase) -> Check:
    async def run(bridge: Bridge) -> str | None:
        result = await bridge.call("echo_string", ("x",), Ok("x", case.attachments), attachments=case.attachments)
        (received,) = bridge.received
        expected = dict(case.attachments)
        return difference(expected, dict(received.attachments)) or difference(expected, dict(result.attachments))

    return Check("attachments", case.name, run)


def _attachments_of_an_exception(case: AttachmentsCase) -> Check:
    fault = Fault(
        "demo.TypesFailure", "broken", {"code": 1, "culprit": None}, declared=True, attachments=case.attachments
    )

    async def run(bridge: Bridge) -> str | None:
        result = await bridge.call("fail_declared", ("x",), fault)
        return difference(dict(case.attachments), dict(result.attachments))

    return Check("attachments", f"exception/{case.name}", run)


async def _deadline(bridge: Bridge) -> str | None:
    deadline = monotonic() + TIMEOUT_S / 2
    await bridge.call("echo_string", ("x",), Ok("x"), deadline=deadline)
    found = bridge.received[0].deadline
    if found is None:
        return "the provider heard of no deadline"
    late_s = found - deadline
    # A wire that counts in milliseconds may round up.
    return None if -_SLACK_S < late_s < 0.1 else f"the deadline arrived {late_s:+.3f} s off"


async def _deadline_over(bridge: Bridge) -> str | None:
    began = monotonic()
    try:
        await bridge.call("echo_string", ("x",), Ok("x"), deadline=began + _SOON_S, held=True)
    except DeadlineExceeded:
        took_s = monotonic() - began
        return None if _SOON_S - 0.1 < took_s < _SOON_S + _LATE_S else f"the call ended after {took_s:.3f} s"
    finally:
        bridge.may_answer.set()
        # Otherwise the next call might be the one that waits for a connection.
        await asyncio.sleep(0)
    return "the call went on beyond its deadline"


def _trace(flags: str) -> Callable[[Bridge], Awaitable[str | None]]:
    async def run(bridge: Bridge) -> str | None:
        sent = f"00-{_TRACE_ID}-{_SPAN_ID}-{flags}"
        await bridge.call("echo_string", ("x",), Ok("x"), traceparent=sent)
        found = bridge.received[0].traceparent or ""
        if found[3:35] != _TRACE_ID or found[53:] != flags:
            return f"expected trace {_TRACE_ID} with {flags}, found {found!r}"
        return None if found != sent else "the gateway is no span of the trace"

    return run


async def _no_trace(bridge: Bridge) -> str | None:
    await bridge.call("echo_string", ("x",), Ok("x"))
    found = bridge.received[0].traceparent or ""
    return None if found[3:35] != _TRACE_ID else "the trace of another call"


async def _consumer(bridge: Bridge) -> str | None:
    await bridge.call("echo_string", ("x",), Ok("x"))
    found = bridge.received[0].consumer
    return None if found == CONSUMER else f"expected {CONSUMER!r}, found {found!r}"
