"""thrift:// against the corpus: in both directions, in each encoding and transport."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.thrift import PLUGIN
from gateway.model.call import Ok
from gateway.model.errors import BadRequest, ProviderFailed, Retry, RpcError
from protocols.testing import MISFITS, AttachmentsCase, Case, FaultCase, Misfit
from tests.support.conformance import (
    Answering,
    answering,
    attachments_survive,
    carried,
    context_travels,
    each_attachments,
    each_error,
    each_fault,
    error_survives,
    exception_survives,
    oneway_is_not_waited_for,
    value_survives,
)

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


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=STYLES, ids="-".join)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Answering]:
    encoding, transport = request.param
    async with answering(PLUGIN, {}, {"encoding": encoding, "transport": transport}) as made:
        yield made


def why_refused(case: Case, style: tuple[str, str]) -> str:
    """Why an encoding has no form for a value; empty when it has."""
    if case.name in LONE_SURROGATES:
        return "lone surrogate"
    return "as a map key" if style[0] == "json" and case.name in STRUCTS_AS_KEYS else ""


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", carried(), ids=lambda case: case.name)
async def test_value_survives_as_argument_and_as_result_or_is_refused(
    pair: Answering, case: Case, request: pytest.FixtureRequest
) -> None:
    reason = why_refused(case, request.node.callspec.params["pair"])
    if not reason:
        await value_survives(pair, case)
        return
    with pytest.raises(BadRequest, match=rf"args\[0\].*{reason}"):
        await pair.call(case.method, *case.arguments)
    assert pair.pair.received == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "misfit", [each for each in MISFITS if each.name.endswith("/null")], ids=lambda misfit: misfit.name
)
async def test_what_does_not_fit_is_refused_with_its_place(pair: Answering, misfit: Misfit) -> None:
    method = f"echo_{misfit.name.removesuffix('/null')}"
    with pytest.raises(BadRequest, match=r"args\[0\]: null where"):
        await pair.call(method, None)
    assert pair.pair.received == []


@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_that_does_not_fit_is_refused_with_its_place(pair: Answering) -> None:
    pair.answer[:] = [Ok(["a", 1])]
    with pytest.raises(ProviderFailed, match=r"result\[1\]: expected string, found int") as raised:
        await pair.call("echo_string_list", [])
    assert raised.value.retry is Retry.NEVER


@pytest.mark.asyncio(loop_scope="module")
@each_fault
async def test_exception_survives(pair: Answering, case: FaultCase) -> None:
    await exception_survives(pair, case)


@pytest.mark.asyncio(loop_scope="module")
@each_attachments
async def test_attachments_survive_in_both_directions(pair: Answering, case: AttachmentsCase) -> None:
    await attachments_survive(pair, case)


@pytest.mark.asyncio(loop_scope="module")
@each_error
async def test_error_survives(pair: Answering, kind: type[RpcError], retry: Retry, exhausted: bool) -> None:
    await error_survives(pair, kind, retry, exhausted)


@pytest.mark.asyncio(loop_scope="module")
async def test_deadline_trace_and_consumer_travel(pair: Answering) -> None:
    await context_travels(pair, "thrift")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_oneway_call_arrives_and_is_not_waited_for(pair: Answering) -> None:
    await oneway_is_not_waited_for(pair)
