"""What every cell must carry: the corpus both ways, exceptions, errors, attachments, deadline and trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final

from gateway.model.call import Fault, Ok
from gateway.model.errors import (
    BadRequest,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
)
from protocols.testing import ATTACHMENTS, CORPUS, FAULTS, AttachmentsCase, Case, FaultCase, difference
from tests.matrix.bridge import CONSUMER, TIMEOUT_S, Bridge

__all__ = ["CHECKS", "Check"]

_TRACE_ID: Final = "0af7651916cd43dd8448eb211c80319c"
_TRACEPARENT: Final = f"00-{_TRACE_ID}-b7ad6b7169203331-01"
_SLACK_S: Final = 1.0
"""What two hops may take off the time a caller waits; wires count it in milliseconds."""


@dataclass(frozen=True, slots=True)
class Check:
    """`run` gives what differs, None when nothing does; it raises when the call was refused."""

    kind: str
    name: str
    run: Callable[[Bridge], Awaitable[str | None]]


def _value(case: Case) -> Check:
    async def run(bridge: Bridge) -> str | None:
        result = await bridge.call(case.method, case.arguments, Ok(case.value))
        (received,) = bridge.received
        return difference(case.arguments, received.arguments()) or difference(case.value, _ok(result).value)

    return Check("value", case.name, run)


def _fault(case: FaultCase) -> Check:
    fault = case.fault

    async def run(bridge: Bridge) -> str | None:
        found = await bridge.call(case.method, ("x",), fault)
        if not isinstance(found, Fault):
            return f"expected an exception, found {found!r}"
        found = found.decoded()
        if fault.declared:
            expected = (fault.type_name, fault.message, dict(fault.fields), True)
            return difference(expected, (found.type_name, found.message, dict(found.fields), found.declared))
        # A wire that has no such class carries its name in front of the text.
        text = fault.type_name if fault.message is None else f"{fault.type_name}: {fault.message}"
        shown = found.type_name if found.message is None else f"{found.type_name}: {found.message}"
        return None if shown.endswith(text) else f"expected …{text!r}, found {shown!r}"

    return Check("exception", case.name, run)


def _error(error: RpcError) -> Check:
    async def run(bridge: Bridge) -> str | None:
        try:
            result = await bridge.call("echo_string", ("x",), error)
        except RpcError as found:
            told = (type(found), found.retry, found.exhausted)
            expected = (type(error), error.retry, error.exhausted)
            if str(error) not in str(found):
                return f"expected the text {str(error)!r}, found {str(found)!r}"
            return None if told == expected else f"expected {expected}, found {told}"
        return f"expected {type(error).__name__}, found {result!r}"

    shade = f"/{error.retry.value}{'-exhausted' if error.exhausted else ''}"
    return Check("error", f"{error.code}{shade}", run)


def _attachments(case: AttachmentsCase) -> Check:
    async def run(bridge: Bridge) -> str | None:
        result = await bridge.call("echo_string", ("x",), Ok("x", case.attachments), attachments=case.attachments)
        (received,) = bridge.received
        expected = dict(case.attachments)
        return difference(expected, dict(received.attachments)) or difference(expected, dict(result.attachments))

    return Check("attachments", case.name, run)


async def _deadline(bridge: Bridge) -> str | None:
    deadline = monotonic() + TIMEOUT_S / 2
    await bridge.call("echo_string", ("x",), Ok("x"), deadline=deadline)
    found = bridge.received[0].deadline
    if found is None:
        return "the provider heard of no deadline"
    late_s = found - deadline
    # A wire that counts in milliseconds may round up.
    return None if -_SLACK_S < late_s < 0.1 else f"the deadline arrived {late_s:+.3f} s off"


async def _trace(bridge: Bridge) -> str | None:
    await bridge.call("echo_string", ("x",), Ok("x"), traceparent=_TRACEPARENT)
    found = bridge.received[0].traceparent or ""
    if found[3:35] != _TRACE_ID or found[53:] != "01":
        return f"expected trace {_TRACE_ID}, found {found!r}"
    return None if found != _TRACEPARENT else "the gateway is no span of the trace"


async def _consumer(bridge: Bridge) -> str | None:
    await bridge.call("echo_string", ("x",), Ok("x"))
    found = bridge.received[0].consumer
    return None if found == CONSUMER else f"expected {CONSUMER!r}, found {found!r}"


def _ok(result: Ok | Fault) -> Ok:
    if isinstance(result, Ok):
        return result
    found = result.decoded()
    raise AssertionError(f"an exception instead of the value: {found.type_name}: {found.message}")


def _errors() -> Iterator[RpcError]:
    for kind in (
        BadRequest,
        Unauthenticated,
        Forbidden,
        NoSuchService,
        NoSuchMethod,
        NoProvider,
        Overloaded,
        DeadlineExceeded,
        ConnectionLost,
        ProviderFailed,
    ):
        yield kind('because 茶 "of" it')
    yield ProviderFailed("not again", retry=Retry.NEVER)
    yield Overloaded("tried everywhere", exhausted=True)
    yield ConnectionLost("never sent", retry=Retry.SAFE)


def _checks() -> Iterator[Check]:
    yield from map(_value, CORPUS)
    yield from map(_fault, FAULTS)
    yield from map(_error, _errors())
    yield from map(_attachments, ATTACHMENTS)
    yield Check("context", "deadline", _deadline)
    yield Check("context", "trace", _trace)
    yield Check("context", "consumer", _consumer)


CHECKS: Final[tuple[Check, ...]] = tuple(_checks())
"""Every check of a cell, in the order they are made."""
