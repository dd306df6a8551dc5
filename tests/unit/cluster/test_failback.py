"""The mode: kept where there is no answer, raised where keeping cannot help."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

import pytest

from gateway.cluster.context import ClusterContext
from gateway.cluster.failback import PLUGIN, Failback, FailbackOptions, new_call_id
from gateway.cluster.failfast import Failfast
from gateway.cluster.failover import Failover
from gateway.contracts import I32, contract_of, method, service
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    Overloaded,
    ProviderFailed,
    RpcError,
    ValueMappingError,
)
from gateway.routing.candidates import CallCandidates
from gateway.routing.providers import Providers
from gateway.spi.failback import CALL_ID, StoreError
from tests.support.fake_invoker import SERVICE, FakeInvoker, FirstOf, invocation


@dataclass
class Product:
    name: str


@service("test.Shop")
class Shop(Protocol):
    async def note(self, text: str) -> None: ...

    async def find(self) -> Product | None: ...

    async def count(self) -> I32: ...

    async def names(self) -> list[str]: ...

    async def anything(self) -> Any: ...

    @method(oneway=True)
    async def shout(self, text: str) -> None: ...


CONTRACT = contract_of(Shop)
METHODS = {each.name: each for each in CONTRACT.methods}


class Recorder:
    """Keeps what it is given (`CallRecorder`), or raises `trouble`."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.kept: list[tuple[Invocation, str, RpcError, float | None]] = []
        self.trouble = trouble

    async def record(self, invocation: Invocation, call_id: str, error: RpcError, expires_s: float | None) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.kept.append((invocation, call_id, error, expires_s))


def mode(recorder: Recorder, options: FailbackOptions | None = None, **context: Any) -> Failback:
    inner = context.pop("inner", Failfast())
    context.setdefault("methods", (METHODS["note"],))
    made = ClusterContext(contract=CONTRACT, recorder=lambda: recorder, **context)
    return Failback(options or FailbackOptions(), made, inner, lambda: "id-1")


async def run(cluster: Failback, invokers: list[FakeInvoker], call: Invocation | None = None) -> Result:
    call = call or invocation("note", "hello", signature=METHODS["note"])
    return await cluster(call, CallCandidates(Providers(SERVICE, tuple(invokers), "registry"), FirstOf(), call))


async def test_an_answer_is_passed_on_and_nothing_kept() -> None:
    recorder = Recorder()
    for answer in (Ok(1), Fault("ValueError", "no")):
        assert await run(mode(recorder), [FakeInvoker(1, answer)]) is answer
    assert recorder.kept == []


@pytest.mark.parametrize(
    "error",
    [
        NoProvider("nobody"),
        Overloaded("busy"),
        DeadlineExceeded("silent"),
        ConnectFailed("refused"),
        ConnectionLost("cut"),
        ProviderFailed("broken"),
        ConnectFailed("3 attempts failed", exhausted=True),
    ],
)
async def test_a_call_without_an_answer_is_kept_and_answered_with_nothing(error: RpcError) -> None:
    recorder = Recorder()
    invokers = [FakeInvoker(1, error), FakeInvoker(2)]

    answer = await run(mode(recorder), invokers)

    assert isinstance(answer, Ok)
    assert answer.value is None
    assert [len(each.calls) for each in invokers] == [1, 0]
    ((kept, call_id, why, expires_s),) = recorder.kept
    assert (kept.method, kept.arguments(), call_id, why, expires_s) == ("note", ("hello",), "id-1", error, None)


async def test_no_provider_at_all_is_kept_too() -> None:
    recorder = Recorder()
    assert isinstance(await run(mode(recorder), []), Ok)
    assert len(recorder.kept) == 1


@pytest.mark.parametrize("error", [BadRequest("args[0]"), Forbidden("not you")])
async def test_what_repeating_cannot_help_is_raised(error: RpcError) -> None:
    recorder = Recorder()
    with pytest.raises(type(error)) as caught:
        await run(mode(recorder), [FakeInvoker(1, error)])
    assert caught.value is error
    assert recorder.kept == []


async def test_what_cannot_be_kept_is_the_original_error_and_counted() -> None:
    error, counted = ConnectionLost("cut"), list[str]()
    cluster = mode(Recorder(StoreError("calls.db: database or disk is full")), count=counted.append)
    with pytest.raises(ConnectionLost) as caught:
        await run(cluster, [FakeInvoker(1, error)])
    assert caught.value is error
    assert str(caught.value.__cause__) == "calls.db: database or disk is full"
    assert counted == ["failback-refused"]


async def test_the_first_attempt_and_the_record_have_the_same_id() -> None:
    recorder = Recorder()
    invoker = FakeInvoker(1, ConnectionLost("cut"))
    await run(
        mode(recorder), [invoker], invocation("note", "x", signature=METHODS["note"], attachments={"user": "ann"})
    )
    assert dict(invoker.calls[0].attachments) == {"user": "ann", CALL_ID: "id-1"}
    assert recorder.kept[0][0].attachments[CALL_ID] == "id-1"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("abc", "abc"),
        ("Bücher 1", "Bücher 1"),
        ("", "id-1"),
        ("x" * 201, "id-1"),
        (7, "id-1"),
        ("\x1b[2J", "id-1"),
        ("\ud800", "id-1"),
    ],
)
async def test_an_id_that_came_with_the_call_stays(given: Any, taken: str) -> None:
    recorder = Recorder()
    await run(
        mode(recorder),
        [FakeInvoker(1, ConnectionLost("cut"))],
        invocation("note", "x", signature=METHODS["note"], attachments={CALL_ID: given}),
    )
    assert recorder.kept[0][1] == taken


async def test_another_mode_may_make_the_call_at_first() -> None:
    recorder = Recorder()
    invokers = [FakeInvoker(port, ConnectFailed("refused")) for port in range(4)]
    await run(mode(recorder, inner=Failover(ClusterContext(retries=2))), invokers)
    assert [len(each.calls) for each in invokers] == [1, 1, 1, 0]
    assert len(recorder.kept) == 1


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("note", {}, None),
        ("find", {}, None),
        ("find", {"default": {"name": "lamp"}}, Product("lamp")),
        ("count", {"default": 0}, 0),
        ("names", {}, []),
        ("names", {"default": ["a"]}, ["a"]),
        ("anything", {}, None),
        ("shout", {}, None),
    ],
)
async def test_callers_get_what_the_contract_allows(name: str, written: dict[str, Any], value: Any) -> None:
    signature = METHODS[name]
    call = invocation(name, signature=signature)
    answer = await run(mode(Recorder(), FailbackOptions(**written), methods=(signature,)), [], call)
    assert isinstance(answer, Ok)
    assert answer.value == value
    assert PLUGIN.check(FailbackOptions(**written), CONTRACT, [signature]) == []


async def test_answers_are_made_anew_for_each_caller() -> None:
    cluster = mode(Recorder(), FailbackOptions(default=["a"]), methods=(METHODS["names"],))
    call = invocation("names", signature=METHODS["names"])
    first, second = await run(cluster, [], call), await run(cluster, [], call)
    assert isinstance(first, Ok)
    assert isinstance(second, Ok)
    assert first.value == second.value
    assert first.value is not second.value


@pytest.mark.parametrize(
    ("name", "written", "why"),
    [
        ("count", {}, "count() -> i32 has no empty value; failback needs a default for it"),
        ("note", {"default": 7}, "note(string) -> null cannot return the default"),
        ("count", {"default": "many"}, "expected i32, found a text"),
        ("find", {"default": {"title": "lamp"}}, "the field 'name' of test.Product is missing"),
    ],
)
def test_a_method_that_cannot_be_answered_with_nothing_is_refused(name: str, written: dict[str, Any], why: str) -> None:
    (found,) = PLUGIN.check(FailbackOptions(**written), CONTRACT, [METHODS[name]])
    assert why in found.text
    assert found.path == (("default",) if written else ())
    with pytest.raises(ValueMappingError):
        mode(Recorder(), FailbackOptions(**written), methods=(METHODS[name],))


async def test_calls_without_a_contract_are_answered_with_nothing() -> None:
    recorder = Recorder()
    context = ClusterContext(recorder=lambda: recorder)
    cluster = Failback(FailbackOptions(expires=60.0), context, Failfast())
    answer = await run(cluster, [], invocation("$invoke", "find", [], []))
    assert isinstance(answer, Ok)
    assert answer.value is None
    assert recorder.kept[0][3] == 60.0


def test_ids_are_made_once_and_sort_by_time() -> None:
    random_bits = Random(7).getrandbits
    made = [new_call_id(random_bits, lambda at=at: float(at)) for at in range(1_000)]  # type: ignore[misc]
    assert made == sorted(set(made))
    assert {len(each) for each in made} == {32}
    assert len({new_call_id(random_bits, lambda: 1.0) for _ in range(1_000)}) == 1_000


async def test_programs_that_seed_the_common_random_source_make_ids_of_their_own() -> None:
    recorder = Recorder()
    context = ClusterContext(recorder=lambda: recorder)
    for _ in range(2):
        random.seed(1)
        await run(Failback(FailbackOptions(), context, Failfast()), [], invocation("$invoke", "find", [], []))
    assert len({call_id for _, call_id, _, _ in recorder.kept}) == 2


def test_a_mode_needs_somebody_who_keeps_calls() -> None:
    with pytest.raises(LookupError, match="nothing here keeps calls"):
        Failback(FailbackOptions(), ClusterContext(), Failfast())


@pytest.mark.parametrize(
    ("more", "is_kept"),
    [
        ({"deadline": 100.0}, True),
        ({"deadline": 101.0}, False),
        ({}, False),
        ({"oneway": True}, True),
    ],
)
async def test_a_call_that_is_ended_is_kept_unless_its_caller_has_taken_it_back(
    more: dict[str, Any], is_kept: bool
) -> None:
    begun = asyncio.Event()

    async def silent(_: Invocation) -> Result:
        begun.set()
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody answers")

    recorder = Recorder()
    context = ClusterContext(contract=CONTRACT, methods=(METHODS["note"],), recorder=lambda: recorder)
    cluster = Failback(FailbackOptions(), context, Failfast(), lambda: "id-1", clock=lambda: 100.0)
    call = invocation("note", "hello", signature=METHODS["note"], **more)
    task = asyncio.create_task(run(cluster, [FakeInvoker(1, silent)], call))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [kept[1] for kept in recorder.kept] == (["id-1"] if is_kept else [])


async def test_a_call_that_is_ended_and_cannot_be_kept_ends_all_the_same() -> None:
    async def ended(_: Invocation) -> Result:
        raise asyncio.CancelledError

    call = invocation("note", "hello", signature=METHODS["note"], oneway=True)
    with pytest.raises(asyncio.CancelledError):
        await run(mode(Recorder(StoreError("full"))), [FakeInvoker(1, ended)], call)
