"""memcached:// against the corpus, in both directions: every call a `set` that runs it and a `get` of its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.memcached import PLUGIN
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair() -> AsyncIterator[Answering]:
    async with answering(PLUGIN, {}, {}) as made:
        yield made


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", carried(), ids=lambda case: case.name)
async def test_value_survives_as_argument_and_as_result(pair: Answering, case: Case) -> None:
    await value_survives(pair, case)


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
async def test_a_lone_surrogate_inside_of_a_container_is_refused_with_its_place(pair: Answering) -> None:
    with pytest.raises(BadRequest, match=r"args\[0\]\[1\]: the lone surrogate at character 0 has no form in JSON"):
        await pair.call("echo_string_list", ["a", "\ud800"])
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
    await context_travels(pair, "memcached")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_oneway_call_arrives_and_is_not_waited_for(pair: Answering) -> None:
    await oneway_is_not_waited_for(pair)
