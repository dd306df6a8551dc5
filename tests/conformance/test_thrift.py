"""thrift:// against the corpus: every value, exception, attachment and error, both ways, however encoded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

import pytest
import pytest_asyncio

from adapters.testing import Joined, joined
from adapters.thrift import PLUGIN
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import RPC_ERRORS, BadRequest, ProviderFailed, Retry, RpcError
from gateway.spi.adapter import ListenerOptions, Reference
from protocols.testing import (
    ATTACHMENTS,
    CONTRACT,
    CORPUS,
    FAULTS,
    MISFITS,
    AttachmentsCase,
    Case,
    FaultCase,
    Misfit,
    difference,
)

KEY = ServiceKey(CONTRACT.name)
STYLES = [
    *((encoding, transport) for encoding in ("binary", "compact", "json") for transport in ("framed", "buffered")),
    ("binary", "header"),
    ("compact", "header"),
]
LONE_SURROGATES = {
    "char/surrogate",
    "string/lone-high-surrogate",
    "string/lone-low-surrogate",
    "string/reversed-surrogates",
    "string/surrogate-last",
}
"""UTF-8 has no bytes for them."""
STRUCTS_AS_KEYS = {"struct_map/points", "everything/full"}
"""Thrift's JSON has no form for them."""


@dataclass
class Answering:
    """One pair of server and client for many cases; `answer` is what the handler gives next."""

    pair: Joined
    answer: list[Any]
    encoding: str

    def refuses(self, case: Case) -> str:
        """Why the encoding has no form for a value; empty when it has."""
        if case.name in LONE_SURROGATES:
            return "lone surrogate"
        return "as a map key" if self.encoding == "json" and case.name in STRUCTS_AS_KEYS else ""

    async def call(self, method: str, *arguments: Any, **attributes: Any) -> Result:
        del self.pair.received[:]
        return await self.pair.call(method, *arguments, **attributes)

    @property
    def received(self) -> Invocation:
        return self.pair.received[-1]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=STYLES, ids="-".join)
async def answering(request: pytest.FixtureRequest) -> AsyncIterator[Answering]:
    answer: list[Any] = []

    async def handler(invocation: Invocation) -> Result:
        (outcome,) = answer
        if isinstance(outcome, RpcError):
            raise outcome
        assert isinstance(outcome, Ok | Fault)
        return outcome

    encoding, transport = request.param
    listener = ListenerOptions("testing", "thrift", "", 0, max_frame_bytes=64 << 20)
    parameters = {"payload": 64 << 20, "encoding": encoding, "transport": transport}
    reference = Reference(KEY, CONTRACT, timeout_s=20.0, parameters=parameters)
    async with joined(PLUGIN, handler, CONTRACT, listener=listener, reference=reference) as pair:
        yield Answering(pair, answer, encoding)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
async def test_value_survives_as_argument_and_as_result(answering: Answering, case: Case) -> None:
    answering.answer[:] = [Ok(case.value)]
    if reason := answering.refuses(case):
        with pytest.raises(BadRequest, match=rf"args\[0\].*{reason}"):
            await answering.call(case.method, *case.arguments)
        return
    outcome = await answering.call(case.method, *case.arguments)
    assert difference(case.arguments, answering.received.arguments()) is None
    assert isinstance(outcome, Ok), outcome
    assert difference(case.value, outcome.value) is None


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "misfit", [each for each in MISFITS if each.name.endswith("/null")], ids=lambda misfit: misfit.name
)
async def test_what_does_not_fit_is_refused_with_its_place(answering: Answering, misfit: Misfit) -> None:
    method = f"echo_{misfit.name.removesuffix('/null')}"
    with pytest.raises(BadRequest, match=r"args\[0\]: null where"):
        await answering.call(method, None)
    assert answering.pair.received == []


@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_that_does_not_fit_is_refused_with_its_place(answering: Answering) -> None:
    answering.answer[:] = [Ok(["a", 1])]
    with pytest.raises(ProviderFailed, match=r"result\[1\]: expected string, found int") as raised:
        await answering.call("echo_string_list", [])
    assert raised.value.retry is Retry.NEVER


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
async def test_exception_survives(answering: Answering, case: FaultCase) -> None:
    answering.answer[:] = [case.fault]
    outcome = await answering.call(case.method, "x")
    assert isinstance(outcome, Fault)
    outcome = outcome.decoded()
    expected = case.fault
    assert (outcome.type_name, outcome.message, outcome.declared) == (
        expected.type_name,
        expected.message,
        expected.declared,
    )
    assert difference(dict(expected.fields), dict(outcome.fields)) is None


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", ATTACHMENTS, ids=lambda case: case.name)
async def test_attachments_survive_in_both_directions(answering: Answering, case: AttachmentsCase) -> None:
    answering.answer[:] = [Ok("x", case.attachments)]
    outcome = await answering.call("echo_string", "x", attachments=case.attachments)
    assert dict(answering.received.attachments) == dict(case.attachments)
    assert isinstance(outcome, Ok)
    assert dict(outcome.attachments) == dict(case.attachments)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", RPC_ERRORS.values(), ids=lambda kind: kind.code)
@pytest.mark.parametrize("retry", Retry)
@pytest.mark.parametrize("exhausted", [False, True])
async def test_error_survives(answering: Answering, kind: type[RpcError], retry: Retry, exhausted: bool) -> None:
    answering.answer[:] = [kind("why", retry=retry, exhausted=exhausted)]
    with pytest.raises(kind, match="why") as raised:
        await answering.call("echo_string", "x")
    assert type(raised.value) is kind
    assert (raised.value.retry, raised.value.exhausted) == (retry, exhausted)


@pytest.mark.asyncio(loop_scope="module")
async def test_deadline_trace_and_consumer_travel(answering: Answering) -> None:
    answering.answer[:] = [Ok("x")]
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    deadline = monotonic() + 5
    await answering.call("echo_string", "x", deadline=deadline, traceparent=trace, consumer="shop")
    received = answering.received
    assert received.deadline is not None
    assert abs(received.deadline - deadline) < 0.25
    assert (received.traceparent, received.consumer) == (trace, "shop")
    assert received.peer is not None
    assert received.peer.protocol == "thrift"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_oneway_call_arrives_and_is_not_waited_for(answering: Answering) -> None:
    answering.answer[:] = [Ok("x")]
    outcome = await answering.call("echo_string", "x", oneway=True)
    assert isinstance(outcome, Ok)
    assert outcome.value is None
    deadline = monotonic() + 5
    while not answering.pair.received:
        assert monotonic() < deadline
        await asyncio.sleep(0.005)
    assert answering.received.oneway
