"""Gateways that talk to each other over dubbo:// on loopback: routing, faults, limits and life cycle."""

from __future__ import annotations

import asyncio
import re
from time import monotonic

import pytest

from gateway import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    NoProvider,
    NoSuchService,
    Overloaded,
    RpcError,
    Unauthenticated,
    ValueMappingError,
    calling,
    connect,
    connect_sync,
)
from gateway.runtime.app import App, StartError
from tests.support.probe_service import Probe, Probing
from tests.support.running import hosting, running

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Probing.reset()


def probe(label: str = "one", **more: str | int) -> str:
    options = f"options: {{label: {label}}}"
    extra = more.pop("more", "")
    return hosting(
        "tests.support.probe_service:Probe",
        "tests.support.probe_service:Probing",
        more=f"{options}\n    {extra}",
        **more,  # type: ignore[arg-type]
    )


def gateway_to(*addresses: str, **settings: str) -> str:
    remote = ", ".join(f"{key}: {value}" for key, value in {"timeout": "2s", **settings}.items())
    listed = ", ".join(f'"dubbo://{address}"' for address in addresses)
    return f"""
application: {{name: gateway, drain: 2s}}
listeners:
  dubbo: {{protocol: dubbo, port: 0}}
services:
  probe:
    contract: tests.support.probe_service:Probe
    remote: {{addresses: [{listed}], {remote}}}
    listeners: [dubbo]
"""


def address(app: App) -> str:
    return app.listening[0].address


def port(app: App) -> int:
    return int(address(app).rpartition(":")[2])


async def until(event: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        await event.wait()


async def test_attachments_consumer_and_trace_travel_both_ways() -> None:
    async with running(probe()) as app, connect(f"dubbo://{address(app)}", Probe, application="shop") as client:
        came_back: dict[str, str] = {}
        with_attachments = calling(
            client, attachments={"User-Id": "Ann"}, traceparent=TRACE, reply_attachments=came_back
        )
        assert await with_attachments.told("User-Id") == ["Ann", "shop", TRACE]
        assert came_back == {"answered-by": "one"}
        assert await client.told("User-Id") == [None, "shop", None]


async def test_oneway_call_reaches_the_service() -> None:
    async with running(probe()) as app, connect(f"dubbo://{address(app)}", Probe) as client:
        await client.note("hello")
        async with asyncio.timeout(5):
            assert await Probing.notes.get() == "hello"


async def test_group_and_version_choose_the_service() -> None:
    text = probe(more="group: blue\n    version: 1.0.0")
    async with running(text) as app:
        async with connect(f"dubbo://{address(app)}", Probe, group="blue", version="1.0.0") as client:
            assert await client.name() == "one"
        async with connect(f"dubbo://{address(app)}?group=blue&version=1.0.0", Probe) as client:
            assert await client.name() == "one"
        async with connect(f"dubbo://{address(app)}", Probe, group="green") as client:
            with pytest.raises(NoSuchService, match=re.escape("blue/test.Probe:1.0.0")):
                await client.name()


async def test_attempt_timeout_and_deadline_are_told_to_the_provider() -> None:
    async with running(probe()) as app, connect(f"dubbo://{address(app)}", Probe, timeout_s=5.0) as client:
        remaining = await client.remaining_ms()
        assert remaining is not None
        assert 4000 < remaining <= 5000
        remaining = await calling(client, deadline_s=2.0).remaining_ms()
        assert remaining is not None
        assert 1000 < remaining <= 2000


async def test_deadline_ends_the_call_here_and_at_the_provider() -> None:
    Probing.expect("k")
    async with running(probe()) as app, connect(f"dubbo://{address(app)}", Probe, timeout_s=30.0) as client:
        began = monotonic()
        with pytest.raises(DeadlineExceeded):
            await calling(client, deadline_s=0.2).wait("k")
        assert monotonic() - began < 2
        await until(Probing.cancelled["k"])


async def test_caller_that_goes_away_cancels_its_call() -> None:
    Probing.expect("k")
    async with running(probe()) as app:
        client = connect(f"dubbo://{address(app)}", Probe, timeout_s=30.0)
        proxy = await client.open()
        call = asyncio.create_task(proxy.wait("k"))
        await until(Probing.entered["k"])
        await client.aclose()
        with pytest.raises(ConnectionLost):
            await call
        await until(Probing.cancelled["k"])


async def test_wrong_argument_is_refused_before_anything_is_sent() -> None:
    async with running(probe()) as app, connect(f"dubbo://{address(app)}", Probe) as client:
        with pytest.raises((BadRequest, ValueMappingError), match=re.escape("args[0]")):
            await client.told(7)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="missing the argument 'key'"):
            await client.wait()  # type: ignore[call-arg]
        assert await client.name() == "one"


async def test_token_is_asked_for() -> None:
    text = probe(listener=", options: {token: secret}") + "credentials:\n  secret: {env: PROBE_TOKEN}\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROBE_TOKEN", "s3cret")
        async with running(text) as app:
            async with connect(f"dubbo://{address(app)}", Probe, token="s3cret") as client:
                assert await client.name() == "one"
            async with connect(f"dubbo://{address(app)}", Probe) as client:
                with pytest.raises(Unauthenticated):
                    await client.name()


async def test_payload_limit_holds_in_both_directions() -> None:
    async with running(probe(listener=", limits: {frame: 64KiB}")) as app:
        async with connect(f"dubbo://{address(app)}", Probe) as client:
            assert await client.size(bytes(60_000)) == 60_000
            assert len(await client.big(60_000)) == 60_000
            with pytest.raises(RpcError, match="exceeds the limit"):
                await client.big(70_000)
            with pytest.raises(BadRequest, match="body length"):
                await client.size(bytes(70_000))
        async with connect(f"dubbo://{address(app)}", Probe, parameters={"payload": 1024}) as client:
            with pytest.raises(BadRequest, match="exceeds the limit"):
                await client.size(bytes(2_000))


async def test_calls_beyond_the_limit_are_refused_at_once() -> None:
    Probing.expect("k")
    async with (
        running(probe(listener=", limits: {calls_per_connection: 1}")) as app,
        connect(f"dubbo://{address(app)}", Probe, retries=0) as client,
    ):
        first = asyncio.create_task(client.wait("k"))
        await until(Probing.entered["k"])
        with pytest.raises(Overloaded):
            await client.name()
        Probing.released["k"].set()
        assert await first == "one"


async def test_private_connections_are_as_many_as_asked_for() -> None:
    async with running(probe()) as app, connect(f"dubbo://{address(app)}", Probe, connections=3) as client:
        for _ in range(6):
            assert await client.name() == "one"
        assert app._servers[0].connections == 3  # type: ignore[attr-defined]


def test_blocking_client_in_a_program_without_a_loop() -> None:
    async def serve(ready: asyncio.Future[str], stop: asyncio.Event) -> None:
        async with running(probe()) as app:
            ready.set_result(address(app))
            await stop.wait()

    async def main() -> None:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        server = asyncio.create_task(serve(ready, stop))
        url = f"dubbo://{await ready}"

        def program() -> list[object]:
            with connect_sync(url, Probe) as client:
                answers: list[object] = [client.name(), calling(client, attachments={"a": "b"}).told("a")]
            with pytest.raises(RuntimeError, match="closed"):
                client.name()
            return answers

        assert await asyncio.to_thread(program) == ["one", ["b", "polyport", None]]
        stop.set()
        await server

    asyncio.run(main())


async def test_calls_go_to_all_providers_and_survive_one_that_stops() -> None:
    async with running(probe("one")) as one:
        first = address(one)
        two = running(probe("two"))
        other = await two.__aenter__()
        urls = [f"dubbo://{first}", f"dubbo://{address(other)}"]
        async with connect(urls, Probe) as client:
            assert {await client.name() for _ in range(60)} == {"one", "two"}
            await two.__aexit__(None, None, None)
            assert {await client.name_again() for _ in range(60)} == {"one"}


async def test_provider_that_returns_is_used_again_without_a_restart() -> None:
    async with running(probe("one")) as app:
        kept = port(app)
        client = connect(f"dubbo://{address(app)}", Probe, retries=0)
        proxy = await client.open()
        assert await proxy.name() == "one"
    with pytest.raises((ConnectFailed, ConnectionLost)):
        await proxy.name()
    async with running(probe("two", port=kept)):
        async with asyncio.timeout(10):
            while True:
                try:
                    assert await proxy.name() == "two"
                    break
                except ConnectFailed:
                    await asyncio.sleep(0)
        await client.aclose()


async def test_call_that_may_have_run_is_not_repeated_unless_that_is_harmless() -> None:
    Probing.expect("k")
    one = running(probe("one"))
    app = await one.__aenter__()
    async with running(probe("two")) as other:
        async with connect(f"dubbo://{address(app)}", Probe, timeout_s=30.0) as client:
            call = asyncio.create_task(client.wait("k"))
            await until(Probing.entered["k"])
            for server in app._servers:
                await server.aclose()
            with pytest.raises(RpcError) as caught:
                await call
            assert isinstance(caught.value, ConnectionLost)
        assert address(other)
    await one.__aexit__(None, None, None)


async def test_no_provider_says_what_was_looked_at() -> None:
    text = """
registries:
  local: {type: embedded}
services:
  probe:
    contract: tests.support.probe_service:Probe
    remote: {registries: [local]}
"""
    async with running(text) as app:
        with pytest.raises(NoProvider, match=re.escape("no provider for test.Probe.name: registry 0, after rules 0")):
            await app.reference("probe", Probe).name()


async def refused(client: Probe) -> bool:
    """Whether the provider takes no new calls any more."""
    try:
        await client.name()
    except ConnectFailed:
        return True
    return False


async def test_everything_travels_through_a_gateway() -> None:
    came_back: dict[str, str] = {}
    async with (
        running(probe()) as provider,
        running(gateway_to(address(provider))) as middle,
        connect(f"dubbo://{address(middle)}", Probe, application="shop", timeout_s=3.0) as client,
    ):
        asked = calling(client, attachments={"User-Id": "Änne 😀"}, traceparent=TRACE, reply_attachments=came_back)
        attachment, consumer, trace = await asked.told("User-Id")
        assert (attachment, consumer) == ("Änne 😀", "shop")
        assert trace is not None
        assert trace.split("-")[1] == TRACE.split("-")[1]
        assert came_back == {"answered-by": "one"}
        remaining = await client.remaining_ms()
        assert remaining is not None
        assert remaining <= 2000
        await client.note("through")
        async with asyncio.timeout(5):
            assert await Probing.notes.get() == "through"


async def test_hang_up_cancels_through_a_gateway() -> None:
    Probing.expect("k")
    async with running(probe()) as provider, running(gateway_to(address(provider), timeout="30s")) as middle:
        client = connect(f"dubbo://{address(middle)}", Probe, timeout_s=30.0)
        call = asyncio.create_task((await client.open()).wait("k"))
        await until(Probing.entered["k"])
        await client.aclose()
        with pytest.raises(ConnectionLost):
            await call
        # The provider's connection is shared and stays; what ends its work is the deadline the gateway passed on, or
        # the gateway going away.
    await until(Probing.cancelled["k"])


async def test_silent_provider_costs_one_attempt_not_the_call() -> None:
    Probing.expect("k")
    async with (
        running(probe()) as provider,
        running(gateway_to(address(provider), timeout="100ms", cluster="failfast")) as middle,
        connect(f"dubbo://{address(middle)}", Probe, timeout_s=30.0, cluster="failfast") as client,
    ):
        with pytest.raises(DeadlineExceeded):
            await client.wait("k")
        assert await client.name() == "one"


async def test_exhausted_retries_are_not_multiplied_upstream() -> None:
    async with running(probe()) as provider:
        gone = address(provider)
    async with running(gateway_to(gone)) as middle, connect(f"dubbo://{address(middle)}", Probe) as client:
        with pytest.raises(RpcError) as caught:
            await client.name()
        assert isinstance(caught.value, ConnectFailed)
        assert caught.value.exhausted
        assert gone in str(caught.value)


async def test_running_calls_finish_while_a_gateway_drains() -> None:
    Probing.expect("k")
    provider = running(probe())
    app = await provider.__aenter__()
    async with connect(f"dubbo://{address(app)}", Probe, timeout_s=30.0, retries=0) as client:
        call = asyncio.create_task(client.wait("k"))
        await until(Probing.entered["k"])
        stopping = asyncio.create_task(provider.__aexit__(None, None, None))
        async with asyncio.timeout(5):
            while not await refused(client):
                pass
        Probing.released["k"].set()
        assert await call == "one"
        await stopping


async def test_rolling_restart_of_two_providers_loses_no_call() -> None:
    async with running(probe("one")) as one:
        first = address(one)
        second = running(probe("two"))
        two = await second.__aenter__()
        kept = port(two)
        stop = asyncio.Event()
        answered = 0

        async def load(client: Probe) -> None:
            nonlocal answered
            while not stop.is_set():
                await client.name()
                answered += 1

        async with connect([f"dubbo://{first}", f"dubbo://{address(two)}"], Probe) as client:
            callers = [asyncio.create_task(load(client)) for _ in range(8)]
            for restart in range(1, 4):
                while answered < 50 * restart:
                    await asyncio.sleep(0)
                await second.__aexit__(None, None, None)
                second = running(probe("two", port=kept))
                await second.__aenter__()
            stop.set()
            await asyncio.gather(*callers)
        await second.__aexit__(None, None, None)
    assert answered > 150


async def test_port_in_use_names_the_listener() -> None:
    async with running(probe()) as app:
        with pytest.raises(StartError, match=rf"listener dubbo \(dubbo\): cannot listen on 127.0.0.1:{port(app)}"):
            async with running(probe(port=port(app))):
                pass


async def test_reference_of_the_same_process_checks_arguments_and_deadline() -> None:
    Probing.expect("k")
    async with running(probe()) as app:
        client = app.reference("hosted", Probe)
        assert await client.name() == "one"
        with pytest.raises(BadRequest, match=re.escape("size: args[0]")):
            await client.size("text")  # type: ignore[arg-type]
        with pytest.raises(DeadlineExceeded):
            await calling(client, deadline_s=0.05).wait("k")
        await until(Probing.cancelled["k"])
        with pytest.raises(LookupError, match="no service 'other'"):
            app.reference("other", Probe)
