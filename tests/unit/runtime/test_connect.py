"""Clients without a configuration: what is refused early, and how opening and closing end."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol

import pytest

from gateway.config.load import load_text
from gateway.contracts import I32, method, service
from gateway.model.errors import ConnectionLost, ContractError, RpcError
from gateway.runtime.app import App
from gateway.runtime.connect import connect, connect_sync
from gateway.runtime.proxy import calling, futures
from gateway.runtime.reference import MethodSettings
from tests.support.probe_service import Probe, Probing
from tests.support.running import hosting, running
from tests.support.second_wire import with_second_wire

NOBODY = "dubbo://127.0.0.1:1"
HOSTED = hosting("tests.support.probe_service:Probe", "tests.support.probe_service:Probing")


@service("test.Same")
class Same(Protocol):
    """A JVM takes both methods for one: it knows no type arguments."""

    async def add(self, numbers: list[I32]) -> None: ...

    @method(name="add")
    async def add_names(self, names: list[str]) -> None: ...


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        (
            {"timeout": 5},
            TypeError,
            "connect() got an unexpected keyword argument 'timeout', did you mean 'timeout_s'?",
        ),
        ({"timeout_s": 0}, ValueError, "timeout_s must be more than 0 seconds, not 0"),
        ({"timeout_s": float("nan")}, ValueError, "timeout_s must be more than 0 seconds, not nan"),
        ({"deadline_s": -1.0}, ValueError, "deadline_s must be more than 0 seconds, not -1.0"),
        ({"retries": -1}, ValueError, "retries must be 0 or more, not -1"),
        ({"connections": -1}, ValueError, "connections must be 0 or more, not -1"),
        (
            {"methods": {"name": MethodSettings(timeout_s=0)}},
            ValueError,
            "methods['name'].timeout_s must be more than 0 seconds, not 0",
        ),
        (
            {"methods": {"nane": MethodSettings()}},
            ValueError,
            "test.Probe has no method 'nane', did you mean 'name'?",
        ),
    ],
)
def test_settings_that_mean_nothing_are_refused_at_once(
    settings: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as caught:
        connect(NOBODY, Probe, **settings)
    assert str(caught.value) == text
    with pytest.raises(error):
        connect_sync(NOBODY, Probe, **settings)


@pytest.mark.parametrize(
    ("urls", "text"),
    [
        ([], "connect needs at least one URL"),
        ("127.0.0.1:1", "is not protocol://host:port"),
        ([f"{NOBODY}?group=a", f"{NOBODY}?group=b"], "the URLs name different services: a/test.Probe, b/test.Probe"),
    ],
)
def test_urls_that_name_no_service_are_refused_at_once(urls: str | list[str], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        connect(urls, Probe)


def test_a_group_that_stands_for_several_needs_urls_that_name_theirs() -> None:
    connect([f"{NOBODY}?group=a", f"{NOBODY}?group=b"], Probe, group="a,b")
    with pytest.raises(ValueError, match="'a,b', which stands for several, each URL names its own"):
        connect([f"{NOBODY}?group=a", NOBODY], Probe, group="a,b")
    with pytest.raises(ValueError, match="each URL names its own"):
        connect([f"{NOBODY}?group=c"], Probe, group="a,b")


@pytest.mark.parametrize("settings", [{"mock": "default"}, {"methods": {"name": MethodSettings(mock="default")}}])
def test_a_mock_that_cannot_be_read_is_refused_at_once(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="'default' is no mock"):
        connect(NOBODY, Probe, **settings)


async def test_a_mode_or_mock_that_does_not_fit_the_contract_is_refused_when_it_opens() -> None:
    for settings, text in (
        ({"mock": "return null"}, r"the mock does not fit: name\(\) -> string cannot return this"),
        ({"cluster": "mergeable"}, "cluster mode mergeable does not suit test.Probe"),
        ({"methods": {"name": MethodSettings(cluster="failsafe")}}, "cluster mode failsafe does not suit test.Probe"),
    ):
        with pytest.raises(ContractError, match=text):
            await connect(NOBODY, Probe, **settings).open()


@pytest.mark.parametrize(
    ("url", "settings", "text"),
    [
        ("pigeon://127.0.0.1:1", {}, "there is no protocol 'pigeon'"),
        (NOBODY, {"cluster": "failsure"}, "there is no cluster 'failsure'"),
        (NOBODY, {"balance": "fair"}, "there is no balance 'fair'"),
    ],
)
async def test_plug_ins_that_do_not_exist_are_named_when_it_opens(
    url: str, settings: dict[str, Any], text: str
) -> None:
    client = connect(url, Probe, **settings)
    with pytest.raises(LookupError, match=text):
        await client.open()
    await client.aclose()


async def test_contract_that_the_wire_cannot_carry_is_refused_when_it_opens() -> None:
    with pytest.raises(ContractError, match=r"^test\.Same cannot be carried by dubbo://: .*add"):
        await connect(NOBODY, Same).open()


async def test_client_opens_once_and_again_after_it_was_closed() -> None:
    Probing.reset()
    async with running(HOSTED) as app:
        client = connect(f"dubbo://{app.listening[0].address}", Probe)
        assert await (await client.open()).name() == "one"
        with pytest.raises(RuntimeError, match="open already"):
            await client.open()
        await client.aclose()
        await client.aclose()
        async with client as proxy:
            assert await proxy.name() == "one"


async def test_cancelled_opening_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    client = connect(NOBODY, Probe)
    opening = asyncio.create_task(client.open())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    with pytest.raises(RpcError):
        await (await client.open()).name()
    await client.aclose()


TWO = """
listeners: {a: {protocol: dubbo, port: 0}, b: {protocol: second, port: 0}}
services:
  one:
    contract: tests.support.probe_service:Probe
    implementation: tests.support.probe_service:Probing
    options: {label: dubbo}
    listeners: [a]
  two:
    contract: tests.support.probe_service:Probe
    implementation: tests.support.probe_service:Probing
    options: {label: second}
    listeners: [b]
"""


@asynccontextmanager
async def two_protocols(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, str]]:
    """A gateway that answers over each of two protocols with its name; gives the URLs. Clients know both."""
    monkeypatch.setattr("gateway.runtime.connect.Catalog", with_second_wire)
    catalog = with_second_wire()
    Probing.reset()
    async with App(load_text(TWO, "test.yaml", catalog), catalog) as app:
        yield {each.protocol: f"{each.protocol}://{each.address}" for each in app.listening}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, "dubbo"), ({"protocol": "second"}, "second"), ({"protocol": ["second", "dubbo"]}, "second")],
)
async def test_of_urls_of_several_protocols_one_is_called(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], expected: str
) -> None:
    async with (
        two_protocols(monkeypatch) as urls,
        connect([urls["second"], urls["dubbo"]], Probe, **settings) as probe,
    ):
        assert {await probe.name() for _ in range(20)} == {expected}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protocol": "http"}, "no URL is of protocol 'http', only of second and dubbo"),
        (
            {"parameters": {"heartbeat": 9.0}},
            "parameters must be mappings by protocol (second, dubbo), not 'heartbeat'",
        ),
    ],
)
def test_choices_that_lead_nowhere_are_refused_at_once(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        connect(["second://h:1", "dubbo://h:1"], Probe, **settings)


async def test_parameters_are_those_of_the_protocol_and_their_texts_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.runtime.connect.Catalog", with_second_wire)
    with pytest.raises(ValueError, match="parameters for dubbo: unknown option 'hartbeat', did you mean 'heartbeat'"):
        await connect(NOBODY, Probe, parameters={"hartbeat": 9.0}).open()
    urls = ["second://127.0.0.1:1", NOBODY]
    with pytest.raises(ValueError, match=r"parameters for second: numbers\['name'\]: invalid literal"):
        await connect(urls, Probe, parameters={"second": {"numbers": {"name": "x"}}}).open()
    async with connect(urls, Probe, parameters={"second": {"numbers": {"name": "7"}}, "dubbo": {"heartbeat": 9.0}}):
        pass


@pytest.mark.parametrize(
    ("settings", "environment", "seen"),
    [
        ({"consumer": "billing", "application": "shop"}, "legacy", "billing"),
        ({"application": "shop"}, "legacy", "legacy"),
        ({"application": "shop"}, "", "shop"),
        ({}, "", "polyport"),
    ],
)
async def test_a_client_says_once_who_it_is(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], environment: str, seen: str
) -> None:
    monkeypatch.setenv("POLYPORT_CONSUMER", environment)
    async with two_protocols(monkeypatch) as urls, connect(urls["dubbo"], Probe, **settings) as probe:
        assert (await probe.told("x"))[1] == seen


@contextmanager
def in_background(text: str) -> Iterator[str]:
    """A gateway on a loop of its own, in a thread; gives its address."""
    started: list[str] = []
    ready = threading.Event()
    stop: list[Any] = []

    async def serve() -> None:
        async with running(text) as app:
            over = asyncio.Event()
            stop.append((asyncio.get_running_loop(), over))
            started.append(app.listening[0].address)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    assert ready.wait(10)
    try:
        yield started[0]
    finally:
        loop, over = stop[0]
        loop.call_soon_threadsafe(over.set)
        thread.join(10)


@pytest.fixture
def address() -> Iterator[str]:
    Probing.reset()
    Probing.expect("k")
    with in_background(HOSTED) as found:
        yield found


def test_blocking_client_is_used_without_a_loop_and_by_several_threads(address: str) -> None:
    names: list[str] = []
    with connect_sync(f"dubbo://{address}", Probe) as probe:
        threads = [threading.Thread(target=lambda: names.append(probe.name())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert names == ["one"] * 8


def test_blocking_calls_are_started_and_collected_later(address: str) -> None:
    with connect_sync(f"dubbo://{address}", Probe, timeout_s=60.0, retries=0) as probe:
        waiting = futures(probe).wait("k")
        assert [each.result(10) for each in [futures(probe).name() for _ in range(8)]] == ["one"] * 8
        assert not waiting.done()
        assert waiting.cancel()
        with pytest.raises(CancelledError):
            waiting.result(10)
        told = calling(futures(probe), attachments={"a": "b"}).told("a")
        assert told.result(10)[0] == "b"
        left = futures(probe).wait("k")
        probe.name()
    with pytest.raises(ConnectionLost):
        left.result(10)
    with pytest.raises(RuntimeError, match="this client is closed"):
        futures(probe).name()


async def test_closing_a_client_fails_calls_that_were_started() -> None:
    Probing.reset()
    Probing.expect("k")
    async with running(HOSTED) as app:
        async with connect(f"dubbo://{app.listening[0].address}", Probe, timeout_s=60.0) as probe:
            call = futures(probe).wait("k")
            await Probing.entered["k"].wait()
        with pytest.raises(ConnectionLost):
            await call
        hosted = app.reference("hosted", Probe)
        Probing.expect("k")
        call = futures(hosted).wait("k")
        await Probing.entered["k"].wait()
    with pytest.raises(ConnectionLost):
        await call
    assert Probing.cancelled["k"].is_set()


def test_blocking_client_without_a_contract(address: str) -> None:
    with connect_sync(f"dubbo://{address}/test.Probe") as probe:
        assert probe.invoke("name") == "one"


def test_closing_a_blocking_client_ends_calls_of_other_threads(address: str) -> None:
    client = connect_sync(f"dubbo://{address}", Probe, timeout_s=60.0, retries=0)
    probe = client.open()
    outcome: list[BaseException] = []
    calling_now = threading.Event()

    def call() -> None:
        calling_now.set()
        try:
            probe.wait("k")
        except BaseException as exc:
            outcome.append(exc)

    thread = threading.Thread(target=call)
    thread.start()
    assert calling_now.wait(10)
    probe.name()  # a whole call later the other one has been sent, or will find the client closed
    client.close()
    client.close()
    thread.join(10)
    assert not thread.is_alive()
    assert [type(each) for each in outcome] in ([ConnectionLost], [RuntimeError])
    with pytest.raises(RuntimeError, match="this client is closed"):
        probe.name()


def test_closing_a_blocking_client_ends_calls_that_wait_for_a_connection() -> None:
    # A host nobody answers for: the documentation's own network (RFC 5737).
    client = connect_sync("dubbo://192.0.2.1:1", Probe, timeout_s=60.0)
    probe = client.open()
    outcome: list[BaseException] = []

    def call() -> None:
        try:
            probe.name()
        except BaseException as exc:
            outcome.append(exc)

    thread = threading.Thread(target=call)
    thread.start()
    client.close()
    thread.join(10)
    assert not thread.is_alive()
    assert isinstance(outcome[0], RpcError | RuntimeError)


def test_blocking_client_whose_opening_fails_leaves_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(LookupError):
        connect_sync("pigeon://127.0.0.1:1", Probe).open()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"store": "redis"}, "the store redis needs a url"),
        ({"store": "redis", "url": "redis://h:1", "credential": "pw"}, "put the password into the url"),
        ({"expire": 5.0}, "expire"),
    ],
)
def test_settings_of_failback_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        connect("dubbo://127.0.0.1:1/x.Y", cluster="failback", failback=settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ejection": {"shar": 1}}, "ejection: shar: Extra inputs are not permitted"),
        ({"ejection": {"share": 2}}, "ejection: share: Input should be less than or equal to 1"),
        ({"retry_budget": {"burst": -1}}, "retry_budget: burst: "),
        ({"failback": {"limit": 0}}, "failback: limit: "),
    ],
)
def test_settings_of_several_parts_name_what_is_wrong(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        connect("dubbo://127.0.0.1:1/demo.Catalog", **settings)
    assert "\n" not in str(caught.value)
