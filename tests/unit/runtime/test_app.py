"""The life of an app: the order of its steps, what happens when one of them fails, and calls right after the start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest

from gateway.config.findings import PluginKind
from gateway.config.load import load_text
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ConnectFailed, NoProvider, Overloaded
from gateway.model.exposure import Exposure
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App, StartError
from gateway.spi.adapter import ClientAdapter, ListenerOptions, ServerAdapter
from gateway.spi.handler import Handler
from gateway.spi.plugin import ProtocolPlugin, RegistryPlugin
from gateway.spi.registry import Freshness, Registry, Snapshot
from tests.support.greeting import Greeting
from tests.support.probe_service import Probe, Probing
from tests.support.running import hosting, running

HOSTED = """
  greeting:
    contract: tests.support.greeting:Greeting
    implementation: tests.support.greeting:Greeter
    listeners: [one]
    announce: [list]
    weight: 7
    warmup: 90s
"""
TEXT = f"""
application: {{name: shop, drain: 2s}}
listeners:
  one: {{protocol: pipe, port: 0}}
registries:
  list: {{type: notes}}
services:
  {HOSTED.strip()}
  far:
    contract: tests.support.greeting:Greeting
    group: far
    remote: {{registries: [list], group: ""}}
"""


class Stage:
    """Where fake adapters and registries write what is done to them, and what a test wants to go wrong."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.failing: dict[str, BaseException] = {}
        self.holding: dict[str, asyncio.Event] = {}
        self.reached: dict[str, asyncio.Event] = {}
        self.announced: list[Endpoint] = []

    def hold(self, step: str) -> tuple[asyncio.Event, asyncio.Event]:
        """Events: the step was reached; it may go on."""
        self.reached[step], self.holding[step] = asyncio.Event(), asyncio.Event()
        return self.reached[step], self.holding[step]

    async def step(self, name: str) -> None:
        self.steps.append(name)
        if name in self.holding:
            self.reached[name].set()
            await self.holding[name].wait()
        if name in self.failing:
            raise self.failing[name]


class PipeServer:
    def __init__(self, stage: Stage, options: ListenerOptions) -> None:
        self._stage = stage
        self._options = options

    async def start(self, handler: Handler, exposures: Sequence[Exposure]) -> Sequence[Endpoint]:
        await self._stage.step("listen")
        return [Endpoint("pipe", "10.0.0.1", 7001, each.service) for each in exposures]

    async def drain(self, deadline: float) -> None:
        await self._stage.step("drain")

    async def aclose(self) -> None:
        await self._stage.step("close listener")


class Notes:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def start(self) -> None:
        await self._stage.step("start registry")

    async def register(self, endpoint: Endpoint) -> None:
        await self._stage.step("announce")
        self._stage.announced.append(endpoint)

    async def unregister(self, endpoint: Endpoint) -> None:
        await self._stage.step("withdraw")
        self._stage.announced.remove(endpoint)

    async def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        self._stage.steps.append("watch")
        yield Snapshot(service, (), Freshness.FRESH)
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        await self._stage.step("close registry")


class StagedCatalog(Catalog):
    """Knows the protocol `pipe` and the registry `notes` of a test, beside what there is."""

    def __init__(self, stage: Stage) -> None:
        super().__init__([])
        self._stage = stage

    def names(self, kind: PluginKind) -> Sequence[str]:
        return [*super().names(kind), {"protocol": "pipe", "registry": "notes"}.get(kind, "")]

    def load(self, kind: PluginKind, name: str) -> Any:
        stage = self._stage

        def server(options: ListenerOptions) -> ServerAdapter:
            return PipeServer(stage, options)

        def client() -> ClientAdapter:
            raise AssertionError("nobody is called")

        def registry(_: Mapping[str, Any]) -> Registry:
            return Notes(stage)

        if (kind, name) == ("protocol", "pipe"):
            return ProtocolPlugin("pipe", 7000, server, client, lambda _: [], {}, {}, lambda *_: "")
        if (kind, name) == ("registry", "notes"):
            return RegistryPlugin("notes", {}, registry)
        return super().load(kind, name)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def app(stage: Stage) -> App:
    catalog = StagedCatalog(stage)
    return App(load_text(TEXT, "test.yaml", catalog), catalog, wall=lambda: 1_767_225_600.5)


UP = ["start registry", "watch", "listen", "announce"]
DOWN = ["withdraw", "drain", "close listener", "close registry"]


async def test_announces_after_listening_and_withdraws_before_closing(app: App, stage: Stage) -> None:
    await app.start()
    assert stage.steps == UP
    await app.stop()
    assert stage.steps == UP + DOWN
    assert app.listening == ()


async def test_what_is_announced_carries_weight_and_application(app: App, stage: Stage) -> None:
    async with app:
        (endpoint,) = stage.announced
        assert str(endpoint) == (
            "pipe://10.0.0.1:7001/test.Greeting?application=shop&interface=test.Greeting"
            "&timestamp=1767225600500&warmup=90000&weight=7"
        )
        (listening,) = app.listening
        assert (listening.listener, listening.protocol, listening.address) == ("one", "pipe", "10.0.0.1:7001")
        assert listening.services == (ServiceKey("test.Greeting"),)


async def test_constructing_touches_nothing_and_stopping_what_never_started_does_nothing(
    app: App, stage: Stage
) -> None:
    await app.stop()
    assert stage.steps == []
    with pytest.raises(RuntimeError, match="not started"):
        app.reference("greeting", Greeting)


async def test_started_twice_is_refused_and_changes_nothing(app: App, stage: Stage) -> None:
    async with app:
        with pytest.raises(RuntimeError, match="started already"):
            await app.start()
        assert stage.steps == UP
        assert len(app.listening) == 1


async def test_stopped_app_can_be_started_again(app: App, stage: Stage) -> None:
    for _ in range(2):
        async with app:
            assert len(stage.announced) == 1
    assert stage.steps == (UP + DOWN) * 2


@pytest.mark.parametrize(
    ("step", "error", "raised", "steps"),
    [
        ("start registry", ValueError("x"), ValueError, ["start registry", "close registry"]),
        ("listen", OSError(98, "taken"), StartError, [*UP[:3], "close listener", "close registry"]),
        ("announce", ValueError("x"), ValueError, [*UP, "withdraw", "close listener", "close registry"]),
    ],
)
async def test_failed_start_takes_down_what_was_started(
    app: App, stage: Stage, step: str, error: Exception, raised: type[Exception], steps: list[str]
) -> None:
    stage.failing[step] = error
    with pytest.raises(raised):
        await app.start()
    assert stage.steps == steps
    stage.failing.clear()
    async with app:
        assert len(app.listening) == 1


async def test_port_that_cannot_be_bound_names_the_listener(app: App, stage: Stage) -> None:
    stage.failing["listen"] = OSError(98, "taken")
    with pytest.raises(StartError, match=r"^listener one \(pipe\): taken$"):
        await app.start()


async def test_cancelled_start_takes_down_what_was_started(app: App, stage: Stage) -> None:
    reached, _ = stage.hold("listen")
    starting = asyncio.create_task(app.start())
    await reached.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert stage.steps[3:] == ["close listener", "close registry"]


async def test_second_stop_waits_and_does_not_cut_the_first_one_short(app: App, stage: Stage) -> None:
    await app.start()
    reached, go_on = stage.hold("drain")
    first = asyncio.create_task(app.stop())
    await reached.wait()
    second = asyncio.create_task(app.stop())
    for _ in range(5):
        await asyncio.sleep(0)
    assert stage.steps[-1] == "drain"
    assert not second.done()
    go_on.set()
    await asyncio.gather(first, second)
    assert stage.steps == UP + DOWN


async def test_stop_during_the_start_waits_for_its_end(app: App, stage: Stage) -> None:
    reached, go_on = stage.hold("listen")
    starting = asyncio.create_task(app.start())
    await reached.wait()
    stopping = asyncio.create_task(app.stop())
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(starting, stopping)
    assert stage.steps == UP + DOWN
    assert stage.announced == []


@pytest.mark.parametrize("step", ["drain", "close listener"])
async def test_cancelled_stop_still_closes_everything(app: App, stage: Stage, step: str) -> None:
    await app.start()
    reached, go_on = stage.hold(step)
    stopping = asyncio.create_task(app.stop())
    await reached.wait()
    stopping.cancel()
    if step != "drain":
        await asyncio.sleep(0)
        go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert stage.steps == UP + DOWN


@pytest.mark.parametrize("step", ["withdraw", "drain", "close listener"])
async def test_step_of_the_stop_that_fails_keeps_no_other_from_its_work(
    app: App, stage: Stage, step: str, caplog: pytest.LogCaptureFixture
) -> None:
    await app.start()
    stage.failing[step] = OSError("no route")
    await app.stop()
    assert stage.steps == UP + DOWN
    assert "no route" in caplog.text


async def test_reference_asks_for_the_contract_of_the_service(app: App) -> None:
    async with app:
        assert await app.reference("greeting", Greeting).greet("ann") == "hello ann"
        with pytest.raises(LookupError, match=r"^no service 'other' in the configuration; there is far, greeting$"):
            app.reference("other", Greeting)
        with pytest.raises(LookupError, match=r"^service 'greeting' has the contract test\.Greeting, not test\.Probe"):
            app.reference("greeting", Probe)
        with pytest.raises(LookupError, match=r"^no service 'other'"):
            app.generic_reference("other")
        with pytest.raises(LookupError, match=r"^service 'greeting' is hosted here"):
            app.generic_reference("greeting")


async def test_reference_without_provider_says_what_the_registry_said(app: App) -> None:
    async with app:
        with pytest.raises(NoProvider, match="registry 0"):
            await app.reference("far", Greeting).count()


def over_embedded_registry(*, references: int) -> str:
    remotes = "".join(
        f"""
  far{number}:
    contract: tests.support.probe_service:Probe
    group: far{number}
    remote: {{registries: [local], group: ""}}
    listeners: [dubbo]"""
        for number in range(references)
    )
    text = hosting("tests.support.probe_service:Probe", "tests.support.probe_service:Probing", more="announce: [local]")
    return f"{text}{remotes}\nregistries:\n  local: {{type: embedded}}\n"


@pytest.mark.parametrize("references", [1, 20])
async def test_first_call_after_the_start_finds_its_provider_in_the_embedded_registry(references: int) -> None:
    Probing.reset()
    text = over_embedded_registry(references=references)
    for _ in range(5):
        async with running(text) as app:
            # No await between the start and the calls: nothing may still be on its way.
            calls = [app.reference(f"far{number}", Probe).name() for number in range(references)]
            assert await asyncio.gather(*calls) == ["one"] * references


async def test_generic_reference_calls_a_remote_service() -> None:
    Probing.reset()
    async with running(over_embedded_registry(references=1)) as app:
        assert await app.generic_reference("far0").invoke("name") == "one"


async def test_apps_of_one_process_share_nothing() -> None:
    Probing.reset()
    text = over_embedded_registry(references=1)
    async with running(text) as one:
        async with running(text) as two:
            assert one.listening[0].address != two.listening[0].address
            (provider,) = one._plan.directories["far0"].providers.invokers  # type: ignore[union-attr]
            assert provider.endpoint.address == one.listening[0].address
            proxy = two.reference("far0", Probe)
        assert await one.reference("far0", Probe).name() == "one"
        with pytest.raises((NoProvider, ConnectFailed)):
            await proxy.name()


LIMITED = """
application: {name: limited, drain: 1s}
services:
  probe:
    contract: tests.support.probe_service:Probe
    implementation: tests.support.probe_service:Probing
    filters: [narrow, deadline]
filters:
  narrow: {type: concurrency, options: {limit: 1}}
  late: {type: deadline}
"""


async def test_options_of_a_filter_change_while_calls_run() -> None:
    Probing.reset()
    for key in ("first", "second"):
        Probing.expect(key)
    async with running(LIMITED) as app:
        client = app.reference("probe", Probe)
        first = asyncio.create_task(client.wait("first"))
        await Probing.entered["first"].wait()
        with pytest.raises(Overloaded):
            await client.name()
        app.update_filter("narrow", {"limit": "2"})
        second = asyncio.create_task(client.wait("second"))
        await Probing.entered["second"].wait()
        with pytest.raises(Overloaded, match="2 calls in progress"):
            await client.name()
        for released in Probing.released.values():
            released.set()
        await asyncio.gather(first, second)
        await client.name()
        assert app.refusals() == {("local", "concurrency"): 2}


@pytest.mark.parametrize(
    ("name", "options", "error", "said"),
    [
        ("narow", {"limit": 2}, LookupError, "no filter 'narow'.*there is narrow"),
        ("deadline", {}, LookupError, "no filter 'deadline'"),
        ("narrow", {"limit": 0}, ValueError, "limit"),
        ("narrow", {"limt": 2}, ValueError, "limt"),
        ("narrow", {"limit": 2, "per": "consumer"}, ValueError, "per cannot be changed"),
        ("narrow", {"limit": 2, "per": "provider"}, ValueError, "per cannot be changed"),
    ],
)
async def test_options_that_do_not_fit_change_nothing(
    name: str, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    Probing.reset()
    Probing.expect("k")
    async with running(LIMITED) as app:
        client = app.reference("probe", Probe)
        first = asyncio.create_task(client.wait("k"))
        await Probing.entered["k"].wait()
        with pytest.raises(error, match=said):
            app.update_filter(name, options)
        with pytest.raises(Overloaded, match="1 calls in progress"):
            await client.name()
        Probing.released["k"].set()
        await first


async def test_a_filter_that_cannot_change_while_calls_run_says_so() -> None:
    text = LIMITED.replace("[narrow, deadline]", "[late]")
    async with running(text) as app:
        with pytest.raises(LookupError, match="'late' is of type deadline, which cannot be changed"):
            app.update_filter("late", {})
    with pytest.raises(RuntimeError, match="not started"):
        app.update_filter("late", {})
    assert app.refusals() == {}


def weights(app: App, name: str) -> dict[str, float]:
    directory = app._plan.directories[name]  # type: ignore[union-attr]
    return {each.endpoint.address: each.load.configured_weight for each in directory.providers.invokers}


async def test_a_hosted_service_announces_another_weight_while_calls_run() -> None:
    async with running(over_embedded_registry(references=2)) as app:
        ((address, weight),) = weights(app, "far0").items()
        assert weight == 100
        await app.announce_weight("hosted", 30)
        assert weights(app, "far0") == weights(app, "far1") == {address: 30}
        # It is the same provider, which did not have to be connected again.
        assert await app.reference("far0", Probe).name() == "one"
        await app.announce_weight("hosted", 0)
        assert weights(app, "far0") == {address: 0}


async def test_a_weight_set_here_counts_more_than_what_registries_say() -> None:
    async with running(over_embedded_registry(references=2)) as app:
        (address,) = weights(app, "far0")
        app.set_weight("far0", address, 7)
        assert (weights(app, "far0"), weights(app, "far1")) == ({address: 7}, {address: 100})
        await app.announce_weight("hosted", 30)
        assert (weights(app, "far0"), weights(app, "far1")) == ({address: 7}, {address: 30})
        app.set_weight("far0", address, None)
        assert weights(app, "far0") == {address: 30}


async def test_weights_that_cannot_be_are_refused() -> None:
    async with running(over_embedded_registry(references=1)) as app:
        with pytest.raises(LookupError, match="hosted here"):
            app.set_weight("hosted", "127.0.0.1:1", 5)
        with pytest.raises(LookupError, match="no service 'x'"):
            app.set_weight("x", "127.0.0.1:1", 5)
        for weight in (-1.0, float("inf"), float("nan")):
            with pytest.raises(ValueError, match="0 or more"):
                app.set_weight("far0", "127.0.0.1:1", weight)
        with pytest.raises(LookupError, match="announced nowhere"):
            await app.announce_weight("far0", 5)
        with pytest.raises(ValueError, match="from 0 to 1000000"):
            await app.announce_weight("hosted", 1_000_001)
