"""hessian:// against the corpus: values, exceptions, errors and attachments, in both directions, in every envelope."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.hessian import PLUGIN
from gateway.model.call import Fault
from gateway.model.errors import Retry, RpcError
from protocols.testing import CORPUS, AttachmentsCase, Case, FaultCase
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
    is_refused_with_its_place,
    oneway_is_not_waited_for,
    value_survives,
)

REFUSED = {"decimal/-0": "BigDecimal has no negative zero"}
"""What this wire cannot carry, and why; everything else in the corpus must survive."""
DECIMAL = next(case.value for case in CORPUS if case.name == "decimal/1.10")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["hessian2", "mixed", "hessian1", "aiohttp"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Answering]:
    is_lean = request.param != "aiohttp"
    driver, call = ("httptools", request.param) if is_lean else ("aiohttp", "hessian2")
    async with answering(PLUGIN, {"driver": driver}, {"call": call}) as made:
        yield made


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", carried(REFUSED), ids=lambda case: case.name)
async def test_value_survives_as_argument_and_as_result(pair: Answering, case: Case) -> None:
    await value_survives(pair, case)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", REFUSED)
async def test_what_java_cannot_hold_is_refused_with_its_place(pair: Answering, name: str) -> None:
    await is_refused_with_its_place(pair, name, REFUSED[name], DECIMAL)


@pytest.mark.asyncio(loop_scope="module")
@each_fault
async def test_exception_survives(pair: Answering, case: FaultCase) -> None:
    expected = case.fault
    if not expected.declared:
        # Java has no such class: its name stands in front of the text.
        text = expected.type_name if expected.message is None else f"{expected.type_name}: {expected.message}"
        expected = Fault("java.lang.RuntimeException", text)
    await exception_survives(pair, case, expected)


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
    await context_travels(pair, PLUGIN.name)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_oneway_call_arrives_and_is_not_waited_for(pair: Answering) -> None:
    await oneway_is_not_waited_for(pair)
