"""hessian:// against the corpus: values, exceptions, errors and attachments, in both directions, in every envelope."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from adapters.hessian import PLUGIN
from adapters.testing import Joined, joined
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import RPC_ERRORS, BadRequest, ProviderFailed, Retry, RpcError
from gateway.spi.adapter import ListenerOptions, Reference
from protocols.testing import (
    ATTACHMENTS,
    CONTRACT,
    CORPUS,
    FAULTS,
    AttachmentsCase,
    Case,
    FaultCase,
    difference,
)

KEY = ServiceKey(CONTRACT.name)
REFUSED = {"decimal/-0": "BigDecimal has no negative zero"}
"""What this wire cannot carry, and why; everything else in the corpus must survive."""


@dataclass
class Answering:
    """One pair of server and client for many cases; `answer` is what the handler gives next."""

    pair: Joined
    answer: list[Any]

    async def call(self, method: str, *arguments: Any, **attributes: Any) -> Result:
        del self.pair.received[:]
        return await self.pair.call(method, *arguments, **attributes)

    @property
    def received(self) -> Invocation:
        return self.pair.received[-1]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["hessian2", "mixed", "hessian1", "aiohttp"])
async def answering(request: pytest.FixtureRequest) -> AsyncIterator[Answering]:
    answer: list[Any] = []

    async def handler(invocation: Invocation) -> Result:
        (outcome,) = answer
        if isinstance(outcome, RpcError):
            raise outcome
        assert isinstance(outcome, Ok | Fault)
        return outcome

    is_lean = request.param != "aiohttp"
    driver, call = ("httptools", request.param) if is_lean else ("aiohttp", "hessian2")
    listener = ListenerOptions("testing", "hessian", "", 0, options={"driver": driver}, max_frame_bytes=64 << 20)
    reference = Reference(KEY, CONTRACT, timeout_s=20.0, parameters={"payload": 64 << 20, "call": call})
    async with joined(PLUGIN, handler, CONTRACT, listener=listener, reference=reference) as pair:
        yield Answering(pair, answer)


CORPUS_DECIMAL = next(case.value for case in CORPUS if case.name == "decimal/1.10")
CARRIED = [case for case in CORPUS if case.name not in REFUSED]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CARRIED, ids=lambda case: case.name)
async def test_value_survives_as_argument_and_as_result(answering: Answering, case: Case) -> None:
    answering.answer[:] = [Ok(case.value)]
    outcome = await answering.call(case.method, *case.arguments)
    assert difference(case.arguments, answering.received.arguments()) is None
    assert isinstance(outcome, Ok), outcome
    assert difference(case.value, outcome.value) is None


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", REFUSED)
async def test_what_java_cannot_hold_is_refused_with_its_place(answering: Answering, name: str) -> None:
    case = next(case for case in CORPUS if case.name == name)
    with pytest.raises(BadRequest, match=rf"args\[0\]: .*{REFUSED[name]}"):
        await answering.call(case.method, *case.arguments)
    assert answering.pair.received == []
    answering.answer[:] = [Ok(case.value)]
    with pytest.raises(ProviderFailed, match=rf"result: .*{REFUSED[name]}"):
        await answering.call(case.method, CORPUS_DECIMAL)
    assert len(answering.pair.received) == 1


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
async def test_exception_survives(answering: Answering, case: FaultCase) -> None:
    answering.answer[:] = [case.fault]
    outcome = await answering.call(case.method, "x")
    assert isinstance(outcome, Fault)
    outcome = outcome.decoded()
    expected = case.fault
    if not expected.declared:
        # Java has no such class: its name stands in front of the text.
        text = expected.type_name if expected.message is None else f"{expected.type_name}: {expected.message}"
        expected = Fault("java.lang.RuntimeException", text)
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
