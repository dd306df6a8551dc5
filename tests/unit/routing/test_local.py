import asyncio
import functools
import logging
from typing import Any

import pytest

from gateway.cluster.failfast import Failfast
from gateway.contracts import NO_CALL, Call, ServiceError, contract_of, method, service
from gateway.model.call import Fault, Invocation, Ok, Peer, RawArguments, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ContractError,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    NoSuchMethod,
    Overloaded,
    Retry,
    RpcError,
)
from gateway.routing.candidates import CallCandidates
from gateway.routing.local import LocalService
from gateway.routing.providers import Providers
from tests.support.callback_bytes import Target
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import SERVICE, FakeInvoker, FirstOf, invocation


class Missing(ServiceError):
    key: int


@service(name="test.Store")
class Store:
    async def get(self, key: int) -> str:
        raise NotImplementedError

    @method(name="get")
    async def get_by_name(self, name: str, loud: bool) -> str:
        raise NotImplementedError

    @method(throws=(Missing,))
    def fail(self, how: str) -> None: ...

    async def who(self, greeting: str) -> str:
        raise NotImplementedError


class FanOut(BaseException):
    pass


class DemoStore:
    async def get(self, key: int) -> str:
        await asyncio.sleep(0)
        return f"value {key}"

    async def get_by_name(self, name: str, loud: bool) -> str:
        return name.upper() if loud else name

    def fail(self, how: str) -> None:
        if how == "declared":
            raise Missing("no such key", key=7)
        if how == "recursion":
            self.fail(how)
        raise {
            "undeclared": ValueError("bad"),
            "base": FanOut("odd"),
            "stop": StopIteration("odd"),
            "rpc": Forbidden("not you"),
            "cancelled": asyncio.CancelledError(),
            "interrupt": KeyboardInterrupt(),
            "exit": SystemExit(3),
        }[how]

    async def who(self, greeting: str, *, call: Call = NO_CALL) -> str:
        call.reply_attachments["seen-by"] = "store"
        if greeting == "fail":
            raise ValueError(greeting)
        assert call.peer is not None
        return f"{greeting} {call.consumer} at {call.peer.address} with {call.attachments['a']}"


CONTRACT = contract_of(Store)
METHODS = {each.attribute: each for each in CONTRACT.methods}


def call(attribute: str, *arguments: Any, **more: Any) -> Invocation:
    signature = METHODS[attribute]
    return Invocation(ServiceKey("test.Store"), signature.name, arguments, signature=signature, **more)


async def value_of(made: LocalService, invocation: Invocation) -> Any:
    result = await made(invocation)
    assert isinstance(result, Ok)
    return result.value


@pytest.fixture
def store() -> LocalService:
    return LocalService(CONTRACT, DemoStore())


async def test_the_method_of_the_signature_is_run(store: LocalService) -> None:
    assert await value_of(store, call("get", 7)) == "value 7"
    assert await value_of(store, call("get_by_name", "abc", True)) == "ABC"


async def test_an_implementation_that_does_not_fit_is_refused_when_built() -> None:
    with pytest.raises(ContractError, match=r"does not implement test\.Store"):
        LocalService(CONTRACT, object())


async def test_a_plain_method_that_gives_an_awaitable_is_awaited() -> None:
    class Partial(DemoStore):
        def __init__(self) -> None:
            self.get = functools.partial(self._get, "partial")  # type: ignore[method-assign]

        async def _get(self, prefix: str, key: int) -> str:
            return f"{prefix} {key}"

    assert await value_of(LocalService(CONTRACT, Partial()), call("get", 7)) == "partial 7"


async def test_a_method_that_wants_the_call_gets_it_and_may_answer_with_attachments(store: LocalService) -> None:
    invocation = call("who", "hello", attachments={"a": "b"}, consumer="shop", peer=Peer("dubbo", "10.0.0.9:1"))
    result = await store(invocation)
    assert isinstance(result, Ok)
    assert result.value == "hello shop at 10.0.0.9:1 with b"
    assert result.attachments == {"seen-by": "store"}
    failed = await store(call("who", "fail"))
    assert isinstance(failed, Fault)
    assert (failed.type_name, failed.message, failed.attachments) == ("ValueError", "fail", {"seen-by": "store"})


async def test_a_declared_exception_is_a_declared_fault_and_not_logged(
    store: LocalService, caplog: pytest.LogCaptureFixture
) -> None:
    fault = await store(call("fail", "declared"))
    assert isinstance(fault, Fault)
    assert fault.declared
    assert fault.type_name.endswith("Missing")
    assert (fault.message, dict(fault.fields)) == ("no such key", {"key": 7})
    assert not caplog.records


@pytest.mark.parametrize(
    ("how", "type_name"),
    [("undeclared", "ValueError"), ("base", "FanOut"), ("stop", "StopIteration"), ("recursion", "RecursionError")],
)
async def test_whatever_else_a_method_raises_is_an_undeclared_fault_and_logged_with_its_call(
    store: LocalService, caplog: pytest.LogCaptureFixture, how: str, type_name: str
) -> None:
    invocation = call("fail", how)
    fault = await store(invocation)
    assert isinstance(fault, Fault)
    assert (fault.type_name, fault.declared, fault.stack) == (type_name, False, ())
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == f"test.Store.fail raised {type_name}"
    assert record.exc_info is not None
    assert vars(record)["call"] == invocation.call_id
    assert (vars(record)["service"], vars(record)["method"]) == ("test.Store", "fail")


async def test_the_same_failure_is_logged_once_per_interval(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    store = LocalService(CONTRACT, DemoStore(), clock)
    for _ in range(5):
        await store(call("fail", "undeclared"))
    await store(call("fail", "base"))
    assert [record.getMessage() for record in caplog.records] == [
        "test.Store.fail raised ValueError",
        "test.Store.fail raised FanOut",
    ]
    clock.advance(11)
    await store(call("fail", "undeclared"))
    assert vars(caplog.records[-1])["repeated"] == 4


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("rpc", Forbidden),
        ("cancelled", asyncio.CancelledError),
        ("interrupt", KeyboardInterrupt),
    ],
)
async def test_trouble_of_the_call_and_the_end_of_the_process_pass(
    store: LocalService, how: str, error: type[BaseException]
) -> None:
    coroutine = store(call("fail", how))
    with pytest.raises(error):
        coroutine.send(None)


async def test_a_method_that_exits_fails_like_any_other(store: LocalService) -> None:
    fault = await store(call("fail", "exit"))
    assert isinstance(fault, Fault)
    assert (fault.type_name, fault.message, fault.declared) == ("SystemExit", "3", False)


async def test_a_call_that_is_closed_while_it_runs_is_closed(store: LocalService) -> None:
    coroutine = store(call("get", 7))
    coroutine.send(None)
    coroutine.close()


async def test_arguments_that_do_not_fit_are_the_callers_trouble(store: LocalService) -> None:
    class Unfit:
        wire = "dubbo"

        def decode(self) -> tuple[Any, ...]:
            raise BadRequest("args[0]: expected i64, found text")

    raw: RawArguments = Unfit()
    invocation = Invocation(ServiceKey("test.Store"), "get", None, signature=METHODS["get"], raw=raw)
    with pytest.raises(BadRequest, match="expected i64"):
        await store(invocation)


async def test_a_call_without_signature_finds_its_method_by_name_and_number_of_arguments(store: LocalService) -> None:
    def unsigned(name: str, *arguments: Any) -> Invocation:
        return Invocation(ServiceKey("test.Store"), name, arguments)

    assert await value_of(store, unsigned("get", 7)) == "value 7"
    assert await value_of(store, unsigned("get", "abc", False)) == "abc"
    with pytest.raises(NoSuchMethod, match=r"test\.Store has no method drop\\n, it has fail, get, who"):
        await store(unsigned("drop\n"))
    with pytest.raises(BadRequest, match="does not say which of"):
        await store(unsigned("get"))


async def test_a_signature_of_another_contract_is_no_method_here(store: LocalService) -> None:
    @service(name="test.Store")
    class Newer:
        async def drop(self, key: int) -> None: ...

    (signature,) = contract_of(Newer).methods
    with pytest.raises(NoSuchMethod, match="has no method drop"):
        await store(Invocation(ServiceKey("test.Store"), "drop", (1,), signature=signature))


async def test_a_method_that_waits_can_be_cancelled() -> None:
    started = asyncio.Event()

    class Waiting(DemoStore):
        async def get(self, key: int) -> str:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError

    made = LocalService(CONTRACT, Waiting())

    async def run() -> Result:
        return await made(call("get", 1))

    task = asyncio.create_task(run())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("kind", [ConnectFailed, NoProvider])
async def test_trouble_of_a_call_the_method_made_itself_does_not_make_this_one_repeatable(kind: type[RpcError]) -> None:
    class Calling(DemoStore):
        async def get(self, key: int) -> str:
            raise kind("the store behind this one is away", exhausted=True)

    with pytest.raises(kind, match="the store behind this one is away") as caught:
        await LocalService(contract_of(Store), Calling())(call("get", 7))
    assert caught.value.retry is Retry.IF_IDEMPOTENT
    assert caught.value.exhausted


@pytest.mark.parametrize("inner", [Overloaded("busy"), DeadlineExceeded("no connection in time", retry=Retry.SAFE)])
async def test_nor_does_what_a_provider_or_a_limit_refused_to_the_method(inner: RpcError) -> None:
    class Calling(DemoStore):
        async def get(self, key: int) -> str:
            provider = FakeInvoker(1, inner)
            asked = invocation()
            candidates = CallCandidates(Providers(SERVICE, (provider,), "registry 1"), FirstOf(), asked)
            await Failfast()(asked, candidates)
            raise AssertionError

    with pytest.raises(type(inner)) as caught:
        await LocalService(contract_of(Store), Calling())(call("get", 7))
    assert (caught.value.retry, inner.retry) == (Retry.IF_IDEMPOTENT, Retry.SAFE)


async def test_nor_does_what_a_callback_answered_to_the_method() -> None:
    callback = Target(contract_of(Store))
    callback.answer = Overloaded("too many calls of it")

    class Calling(DemoStore):
        async def get(self, key: int) -> str:
            await callback(invocation())
            raise AssertionError

    with pytest.raises(Overloaded, match="too many calls of it") as caught:
        await LocalService(contract_of(Store), Calling())(call("get", 7))
    assert caught.value.retry is Retry.IF_IDEMPOTENT


async def test_a_method_may_say_that_it_has_no_room_for_the_call() -> None:
    class Full(DemoStore):
        async def get(self, key: int) -> str:
            raise Overloaded("no room")

    with pytest.raises(Overloaded) as caught:
        await LocalService(contract_of(Store), Full())(call("get", 7))
    assert caught.value.retry is Retry.SAFE
