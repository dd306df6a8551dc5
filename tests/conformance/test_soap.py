"""webservice:// against the corpus: in both directions, versions, forms of elements and drivers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.soap import PLUGIN
from gateway.model.errors import Retry, RpcError
from protocols.testing import AttachmentsCase, Case, FaultCase
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


REFERENCES = {
    "1.1": {"version": "1.1"},
    "1.2": {"version": "1.2"},
    "unqualified": {"form": "unqualified"},
    "aiohttp": {},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=REFERENCES)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Answering]:
    driver = "aiohttp" if request.param == "aiohttp" else "httptools"
    async with answering(PLUGIN, {"driver": driver}, REFERENCES[request.param]) as made:
        yield made


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", carried(REFUSED), ids=lambda case: case.name)
async def test_value_survives_as_argument_and_as_result(pair: Answering, case: Case) -> None:
    await value_survives(pair, case)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", REFUSED)
async def test_what_xml_cannot_hold_is_refused_with_its_place(pair: Answering, name: str) -> None:
    await is_refused_with_its_place(pair, name, REFUSED[name], "x")


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
    await context_travels(pair, PLUGIN.name)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_oneway_call_arrives_and_is_not_waited_for(pair: Answering) -> None:
    await oneway_is_not_waited_for(pair)
