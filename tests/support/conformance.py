"""What every wire owes to the corpus of `protocols.testing`, asked over a real pair of listener and client.

A test of a wire makes a pair with `answering` and gives it, with a case, to one check after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import pytest

from adapters.testing import Joined, joined
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import RPC_ERRORS, BadRequest, ProviderFailed, Retry, RpcError
from gateway.spi.adapter import ListenerOptions, Reference
from gateway.spi.plugin import ProtocolPlugin
from protocols.testing import ATTACHMENTS, CONTRACT, CORPUS, FAULTS, AttachmentsCase, Case, FaultCase, difference

__all__ = [
    "Answering",
    "answering",
    "attachments_survive",
    "carried",
    "context_travels",
    "each_attachments",
    "each_error",
    "each_fault",
    "error_survives",
    "exception_survives",
    "is_refused_with_its_place",
    "oneway_is_not_waited_for",
    "value_survives",
]

KEY: Final = ServiceKey(CONTRACT.name)
_LARGEST: Final = 64 << 20
_LATER_S: Final = 0.25
"""How much may pass between the call and the moment in which its deadline is counted anew."""
_TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Answering:
    """One pair of server and client for many cases; `answer` holds what the handler gives next."""

    pair: Joined
    answer: list[Any]

    async def call(self, method: str, *arguments: Any, **attributes: Any) -> Result:
        del self.pair.received[:]
        return await self.pair.call(method, *arguments, **attributes)

    @property
    def received(self) -> Invocation:
        return self.pair.received[-1]


@asynccontextmanager
async def answering(
    plugin: ProtocolPlugin, listener: dict[str, Any], reference: dict[str, Any]
) -> AsyncIterator[Answering]:
    """A pair over this wire. `listener`, `reference`: the options of each."""
    answer: list[Any] = []

    async def handler(invocation: Invocation) -> Result:
        (outcome,) = answer
        if isinstance(outcome, RpcError):
            raise outcome
        assert isinstance(outcome, Ok | Fault)
        return outcome

    async with joined(
        plugin,
        handler,
        CONTRACT,
        listener=ListenerOptions("testing", plugin.name, "", 0, options=listener, max_frame_bytes=_LARGEST),
        reference=Reference(KEY, CONTRACT, timeout_s=20.0, parameters={"payload": _LARGEST, **reference}),
    ) as pair:
        yield Answering(pair, answer)


def carried(refused: Collection[str] = ()) -> list[Case]:
    """The values that a wire carries: all but those that it refuses, by name."""
    names = {case.name for case in CORPUS}
    assert names.issuperset(refused), "of these some are no values of the corpus"
    return [case for case in CORPUS if case.name not in refused]


each_fault: Final = pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
each_attachments: Final = pytest.mark.parametrize("case", ATTACHMENTS, ids=lambda case: case.name)


def each_error(test: Any) -> Any:
    """For tests with the parameters `kind`, `retry` and `exhausted`."""
    for name, values in (("exhausted", [False, True]), ("retry", list(Retry))):
        test = pytest.mark.parametrize(name, values)(test)
    return pytest.mark.parametrize("kind", RPC_ERRORS.values(), ids=lambda kind: kind.code)(test)


async def value_survives(pair: Answering, case: Case) -> None:
    """As an argument and as a result."""
    pair.answer[:] = [Ok(case.value)]
    outcome = await pair.call(case.method, *case.arguments)
    assert difference(case.arguments, pair.received.arguments()) is None
    assert isinstance(outcome, Ok), outcome
    assert difference(case.value, outcome.value) is None


async def is_refused_with_its_place(pair: Answering, name: str, why: str, good: Any) -> None:
    """A value that a wire cannot carry, before it is sent and as a result. `good`: an argument that it can carry."""
    case = next(case for case in CORPUS if case.name == name)
    with pytest.raises(BadRequest, match=rf"args\[0\]: .*{why}"):
        await pair.call(case.method, *case.arguments)
    assert pair.pair.received == []
    pair.answer[:] = [Ok(case.value)]
    with pytest.raises(ProviderFailed, match=rf"result: .*{why}"):
        await pair.call(case.method, good)
    assert len(pair.pair.received) == 1


async def exception_survives(pair: Answering, case: FaultCase, expected: Fault | None = None) -> None:
    """An exception of the service. `expected`: what arrives, where it is not the same."""
    pair.answer[:] = [case.fault]
    outcome = await pair.call(case.method, "x")
    assert isinstance(outcome, Fault)
    outcome = outcome.decoded()
    expected = expected or case.fault
    assert (outcome.type_name, outcome.message, outcome.declared) == (
        expected.type_name,
        expected.message,
        expected.declared,
    )
    assert difference(dict(expected.fields), dict(outcome.fields)) is None


async def attachments_survive(pair: Answering, case: AttachmentsCase) -> None:
    """Those of a call and those of an answer."""
    pair.answer[:] = [Ok("x", case.attachments)]
    outcome = await pair.call("echo_string", "x", attachments=case.attachments)
    assert dict(pair.received.attachments) == dict(case.attachments)
    assert isinstance(outcome, Ok)
    assert dict(outcome.attachments) == dict(case.attachments)


async def error_survives(pair: Answering, kind: type[RpcError], retry: Retry, exhausted: bool) -> None:
    """Trouble of a call, with what it says about repeating."""
    pair.answer[:] = [kind("why", retry=retry, exhausted=exhausted)]
    with pytest.raises(kind, match="why") as raised:
        await pair.call("echo_string", "x")
    assert type(raised.value) is kind
    assert (raised.value.retry, raised.value.exhausted) == (retry, exhausted)


async def context_travels(pair: Answering, protocol: str) -> None:
    """The deadline, the trace, and who calls."""
    pair.answer[:] = [Ok("x")]
    deadline = monotonic() + 5
    await pair.call("echo_string", "x", deadline=deadline, traceparent=_TRACE, consumer="shop")
    received = pair.received
    assert received.deadline is not None
    assert abs(received.deadline - deadline) < _LATER_S
    assert (received.traceparent, received.consumer) == (_TRACE, "shop")
    assert received.peer is not None
    assert received.peer.protocol == protocol


async def oneway_is_not_waited_for(pair: Answering) -> None:
    """A call without an answer arrives all the same."""
    pair.answer[:] = [Ok("x")]
    outcome = await pair.call("echo_string", "x", oneway=True)
    assert isinstance(outcome, Ok)
    assert outcome.value is None
    deadline = monotonic() + 5
    while not pair.pair.received:
        assert monotonic() < deadline
        await asyncio.sleep(0.005)
