import asyncio
import logging
from typing import Any

import pytest

from gateway.filters.access_log import AccessLog, AccessLogOptions
from gateway.model.call import Fault, Invocation, Ok, Peer, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ConnectionLost, NoSuchService, Overloaded
from gateway.telemetry.counters import Counters
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, invocation

PEER = Peer("dubbo", "10.0.0.9:40000")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def counters() -> Counters:
    return Counters()


def fields(record: logging.LogRecord) -> dict[str, Any]:
    names = ("service", "method", "peer", "consumer", "outcome", "duration_ms", "error", "repeated")
    return {name: getattr(record, name) for name in names if hasattr(record, name)}


async def test_by_default_an_answered_call_leaves_no_line(
    clock: FakeClock, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    log = AccessLog(AccessLogOptions(), counters, clock)
    for answer in (Ok(1), Fault("ValueError", "no")):
        assert await log(invocation(peer=PEER), FakeInvoker(1, answer)) is answer
    assert not caplog.records
    assert counters.snapshot() == {}


async def test_with_calls_every_call_has_a_line(
    clock: FakeClock, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def slowly(_: Invocation) -> Result:
        clock.advance(0.0125)
        return Ok(1)

    log = AccessLog(AccessLogOptions(calls=True), counters, clock)
    call = invocation("find", peer=PEER, consumer="shop")
    await log(call, FakeInvoker(1, slowly))
    await log(invocation("put"), FakeInvoker(1, Fault("ValueError", "no")))
    first, second = caplog.records
    assert (first.levelno, first.getMessage()) == (logging.INFO, "demo.Catalog.find: ok")
    assert vars(first)["call"] == call.call_id
    assert fields(first) == {
        "service": "demo.Catalog",
        "method": "find",
        "peer": "dubbo 10.0.0.9:40000",
        "consumer": "shop",
        "outcome": "ok",
        "duration_ms": 12.5,
    }
    assert (second.levelno, fields(second)["outcome"]) == (logging.INFO, "fault")


async def test_trouble_is_logged_with_reason_and_peer_counted_and_passed_on(
    clock: FakeClock, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    error = Overloaded("5 calls in progress")
    log = AccessLog(AccessLogOptions(), counters, clock)
    with pytest.raises(Overloaded) as caught:
        await log(invocation(peer=PEER), FakeInvoker(1, error))
    assert caught.value is error
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert fields(record) == {
        "service": "demo.Catalog",
        "method": "find",
        "peer": "dubbo 10.0.0.9:40000",
        "outcome": "overloaded",
        "duration_ms": 0.0,
        "error": "5 calls in progress",
    }
    assert counters.snapshot() == {("dubbo", "overloaded"): 1}


async def test_repeated_trouble_is_one_line_per_service_reason_and_interval(
    clock: FakeClock, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    log = AccessLog(AccessLogOptions(interval=10.0), counters, clock)
    busy, cut = Overloaded("busy"), ConnectionLost("cut")

    async def fail(error: Exception, service: str = "demo.Catalog") -> None:
        with pytest.raises(type(error)):
            await log(invocation(service=ServiceKey(service)), FakeInvoker(1, error))

    for _ in range(3):
        await fail(busy)
    await fail(cut)
    await fail(busy, "demo.Types")
    assert [record.getMessage() for record in caplog.records] == [
        "demo.Catalog.find: overloaded",
        "demo.Catalog.find: connection-lost",
        "demo.Types.find: overloaded",
    ]
    clock.advance(10)
    await fail(busy)
    assert fields(caplog.records[-1])["repeated"] == 2
    assert counters.snapshot() == {("local", "overloaded"): 5, ("local", "connection-lost"): 1}


async def test_with_calls_no_trouble_is_held_back(
    clock: FakeClock, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    log = AccessLog(AccessLogOptions(calls=True), counters, clock)
    for _ in range(3):
        with pytest.raises(Overloaded):
            await log(invocation(), FakeInvoker(1, Overloaded("busy")))
    assert len(caplog.records) == 3


async def test_made_up_service_names_share_one_line(
    clock: FakeClock, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    log = AccessLog(AccessLogOptions(), counters, clock)
    for number in range(50):
        with pytest.raises(NoSuchService):
            await log(invocation(service=ServiceKey(f"made.up{number}\n")), FakeInvoker(1, NoSuchService("no")))
    assert len(caplog.records) == 1
    assert counters.snapshot() == {("local", "no-such-service"): 50}


async def test_what_no_handler_may_raise_is_an_internal_error(
    clock: FakeClock, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    log = AccessLog(AccessLogOptions(), counters, clock)
    with pytest.raises(ZeroDivisionError):
        await log(invocation(), FakeInvoker(1, ZeroDivisionError("bug")))
    assert fields(caplog.records[0])["outcome"] == "internal-error"
    assert counters.snapshot() == {("local", "internal-error"): 1}


@pytest.mark.parametrize("calls", [False, True])
async def test_a_cancelled_call_is_counted_and_logged_only_where_every_call_is(
    clock: FakeClock, counters: Counters, caplog: pytest.LogCaptureFixture, calls: bool
) -> None:
    caplog.set_level(logging.INFO)
    log = AccessLog(AccessLogOptions(calls=calls), counters, clock)
    with pytest.raises(asyncio.CancelledError):
        await log(invocation(), FakeInvoker(1, asyncio.CancelledError()))
    assert [fields(record)["outcome"] for record in caplog.records] == (["cancelled"] if calls else [])
    assert counters.snapshot() == {("local", "cancelled"): 1}


def test_options_are_read_as_a_file_writes_them() -> None:
    options = AccessLogOptions.model_validate({"calls": "true", "interval": "1m"})
    assert (options.calls, options.interval) == (True, 60.0)


async def test_a_line_about_trouble_says_what_there_was_to_choose_from(
    clock: FakeClock, counters: Counters, caplog: pytest.LogCaptureFixture
) -> None:
    error = ConnectionLost("cut")
    error.explanation = lambda: "registry 3, after rules 3, healthy 3, available 1"
    with pytest.raises(ConnectionLost):
        await AccessLog(AccessLogOptions(), counters, clock)(invocation(), FakeInvoker(1, error))

    assert vars(caplog.records[0])["explanation"] == "registry 3, after rules 3, healthy 3, available 1"
