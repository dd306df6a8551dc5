"""webservice:// against the corpus: every value, exception and attachment, in both directions, versions and drivers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from adapters.soap import PLUGIN
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
_NO_FORM = "has no form in XML 1.0"
REFUSED = {
    "string/nul": _NO_FORM,
    "string/nul-inside": _NO_FORM,
    "string/controls": _NO_FORM,
    "string/utf-8-edges": _NO_FORM,
    "string/bom": _NO_FORM,
    "string/bmp": _NO_FORM,
    "string/lone-high-surrogate": _NO_FORM,
    "string/lone-low-surrogate": _NO_FORM,
    "string/reversed-surrogates": _NO_FORM,
    "string/surrogate-last": _NO_FORM,
}
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


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["1.1", "1.2", "aiohttp", "unqualified"])
async def answering(request: pytest.FixtureRequest) -> AsyncIterator[Answering]:
    answer: list[Any] = []

    async def handler(invocation: Invocation) -> Result:
        invocation.arguments()
        (outcome,) = answer
        if isinstance(outcome, RpcError):
            raise outcome
        assert isinstance(outcome, Ok | Fault)
        return outcome

    driver = "aiohttp" if request.param == "aiohttp" else "httptools"
    listener = ListenerOptions("testing", "webservice", "", 0, options={"driver": driver}, max_frame_bytes=64 << 20)
    said = {
        "1.1": {"version": "1.1"},
        "1.2": {"version": "1.2"},
        "aiohttp": {},
        "unqualified": {"form": "unqualified"},
    }[request.param]
    reference = Reference(KEY, CONTRACT, timeout_s=20.0, parameters={"payload": 64 << 20, **said})
    async with joined(PLUGIN, handler, CONTRACT, listener=listener, reference=reference) as pair:
        yield Answering(pair, answer)


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
async def test_what_xml_cannot_hold_is_refused_with_its_place(answering: Answering, name: str) -> None:
    case = next(case for case in CORPUS if case.name == name)
    with pytest.raises(BadRequest, match=rf"args\[0\]: .*{REFUSED[name]}"):
        await answering.call(case.method, *case.arguments)
    assert answering.pair.received == []
    answering.answer[:] = [Ok(case.value)]
    with pytest.raises(ProviderFailed, match=rf"result: .*{REFUSED[name]}"):
        await answering.call(case.method, "x")
    assert len(answering.pair.received) == 1


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
