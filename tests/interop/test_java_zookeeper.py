"""Stock Dubbo and the gateway find each other in a real ZooKeeper; nobody is given an address of anybody else."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from pathlib import Path

import pytest

from bench.ports import free_port
from gateway.demo.catalog import Catalog, ProductNotFound
from gateway.model.endpoint import ServiceKey
from tests.support.demo_gateway import gateway, hosted, remote
from tests.support.java_peer import BUILD_TIMEOUT, DUBBO_VERSIONS, Peers, Provider, java_command, require_java
from tests.support.peer_program import end_program, ready_address
from tests.support.program import Server, serving, until
from tests.support.work_service import recorded
from tests.support.zookeeper_client import fresh_ports, next_that, other_client, running
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

VERSIONS = ["27", "33"]
LOOPBACK = "2130706433"
"""127.0.0.1 in a form that Dubbo does not recognise: it takes that one in a registry for a mistake."""
CALLERS = 8
HEARTBEAT_MS = 1_000
"""So often Java looks whether a connection that broke can be had again; by default once a minute. It matters where a
provider is back, at the same address, before Java was told that it had gone (3.3 may be told five seconds later)."""
ANSWERED = 100
"""Calls that a gateway answers before the next thing happens."""
WORK = """
application: {{name: {name}, drain: 5s}}
listeners:
  front: {{protocol: dubbo, host: "{host}", port: {port}}}
registries:
  shared: {{type: zookeeper, options: {{address: "{address}", session: {session}}}}}
services:
  work:
    contract: tests.support.work_service:Work
    implementation: tests.support.work_service:Working
    options: {{record: {record}}}
    listeners: [front]
    announce: [shared]
    warmup: 0s
"""


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Dubbo keeps files of what was known last in the home of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_OPTS", f"-Duser.home={tmp_path_factory.mktemp('home')}")
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZookeeperServer]:
    require_java()
    with zookeeper_server(tmp_path_factory.mktemp("zookeeper")) as found:
        yield found


@pytest.fixture(scope="module")
def java(server: ZookeeperServer) -> Iterator[Peers]:
    """Programs that end before their registry does."""
    own = Peers()
    yield own
    own.close()


def java_group(version: str) -> str:
    return f"java{version}"


def java_option(server: ZookeeperServer) -> str:
    return f"registry=zookeeper://{server.address}?file.cache=false"


def java_provider(java: Peers, version: str, server: ZookeeperServer) -> int:
    """The port of a Java provider that is registered."""
    address = java.provider(version, f"{java_option(server)}&group={java_group(version)}")
    return int(address.rpartition(":")[2])


def our_option(server: ZookeeperServer) -> str:
    return f"  shared: {{type: zookeeper, options: {{address: '{server.address}', session: 2s}}}}"


@pytest.mark.direction("us → Java, found in ZooKeeper", quick=True)
@pytest.mark.parametrize("version", VERSIONS)
async def test_we_find_a_java_provider(version: str, server: ZookeeperServer, java: Peers) -> None:
    port = java_provider(java, version, server)
    there = java_group(version)
    async with running(server.address) as ours, aclosing(ours.watch(ServiceKey("demo.Catalog", there))) as snapshots:
        (endpoint,) = (await next_that(snapshots, fresh_ports(port))).endpoints
        assert endpoint.parameters["release"] == DUBBO_VERSIONS[version]
        assert "priceHistory" in endpoint.parameters["methods"].split(",")
        assert (await ours.listing()).skipped == []
    source = remote("found", "registries: [shared]", there=there)
    async with gateway(source, registries=our_option(server)) as app:
        catalog = app.reference("foundcatalog", Catalog)
        count = await catalog.count()
        product = (await catalog.search("", 1))[0]
        assert await catalog.find(product.id) == product
        assert await catalog.count() == count
        assert await catalog.slow(20) == "slept 20 ms"
        with pytest.raises(ProductNotFound) as missing:
            await catalog.find(-5)
        assert missing.value.product_id == -5


@pytest.mark.direction("us → Java, found in ZooKeeper")
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_java_provider_with_a_context_path_is_called_at_its_path(version: str, server: ZookeeperServer) -> None:
    there = f"context{version}"
    provider = Provider(version, f"{java_option(server)}&group={there}&contextpath=shop/v1")
    try:
        async with running(server.address) as ours, aclosing(ours.watch(ServiceKey("demo.Catalog", there))) as found:
            port = int(provider.address.rpartition(":")[2])
            (endpoint,) = (await next_that(found, fresh_ports(port))).endpoints
            assert endpoint.path == "shop/v1/demo.Catalog"
        source = remote("found", "registries: [shared]", there=there)
        async with gateway(source, registries=our_option(server)) as app:
            catalog = app.reference("foundcatalog", Catalog)
            assert await catalog.count() >= 3
            with pytest.raises(ProductNotFound):
                await catalog.find(-5)
    finally:
        provider.close()


@pytest.mark.direction("us → Java, found in ZooKeeper")
@pytest.mark.parametrize("version", ["33"])
async def test_java_providers_that_register_as_applications_too_are_found(
    version: str, server: ZookeeperServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Dubbo 3 does unless told otherwise; then there are more nodes, which are not for us.
    monkeypatch.setenv("JAVA_OPTS", f"{os.environ['JAVA_OPTS']} -Ddubbo.application.register-mode=all")
    there = f"application{version}"
    provider = Provider(version, f"{java_option(server)}&group={there}")
    try:
        source = remote("found", "registries: [shared]", there=there)
        async with gateway(source, registries=our_option(server)) as app:
            assert await app.reference("foundcatalog", Catalog).count() >= 3
        async with running(server.address) as ours:
            assert (await ours.listing()).skipped == []
        with other_client(server.address) as other:
            assert other.get_children("/services/interop")
    finally:
        provider.close()


@pytest.mark.direction("us → Java, found in ZooKeeper")
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_java_provider_that_stops_is_seen_to_go(version: str, server: ZookeeperServer) -> None:
    service = ServiceKey("demo.Catalog", f"leaving{version}")
    async with running(server.address) as ours, aclosing(ours.watch(service)) as snapshots:
        provider = Provider(version, f"{java_option(server)}&group={service.group}")
        try:
            await next_that(snapshots, fresh_ports(int(provider.address.rpartition(":")[2])))
        finally:
            provider.close()
        await next_that(snapshots, fresh_ports())


@pytest.mark.direction("Java → us, found in ZooKeeper", quick=True)
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_java_consumer_finds_us(version: str, server: ZookeeperServer, java: Peers) -> None:
    group = f"ours{version}"
    consumer, options = java.consumer(version), f"{java_option(server)}&group={group}"
    async with gateway(hosted(group, announce="[shared]"), registries=our_option(server), host=LOOPBACK):
        (await consumer.run("basic", "unused:1", options)).check()
        async with running(server.address) as ours, consumer.start("heartbeat", "unused:1", options):
            await consumer.wait_for("idle")
            listing = await ours.listing()
            assert listing.skipped == []
            assert ("interop", f"{group}/demo.Catalog") in {
                (each.application, str(each.service)) for each in listing.consumers
            }
            consumer.say("go on")
            (await consumer.finish()).check()


@pytest.mark.direction("Java → us, callbacks, found in ZooKeeper", quick=True)
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_java_consumer_is_told_which_arguments_are_callbacks(
    version: str, server: ZookeeperServer, java: Peers
) -> None:
    group = f"callingback{version}"
    options = f"{java_option(server)}&group={group}"
    async with gateway(hosted(group, announce="[shared]"), registries=our_option(server), host=LOOPBACK):
        (await java.consumer(version).run("callbacks,callbacks-long", "unused:1", options)).check()


@pytest.mark.direction("Java → gateway → Java, found in ZooKeeper", quick=True)
@pytest.mark.parametrize("version", VERSIONS)
async def test_java_consumers_and_providers_meet_in_our_gateway(
    version: str, server: ZookeeperServer, java: Peers
) -> None:
    java_provider(java, version, server)
    group = f"bridged{version}"
    services = remote(group, "registries: [shared]", announce="[shared]", there=java_group(version))
    async with gateway(services, registries=our_option(server), host=LOOPBACK) as app:
        report = await java.consumer(version).run("basic", "unused:1", f"{java_option(server)}&group={group}")
        report.check()
        assert app.listening[0].address.startswith(LOOPBACK)


class WorkGateway:
    """A process that answers `chaos.Work` and is started again at the same address."""

    def __init__(self, name: str, folder: Path, server: ZookeeperServer, session: str = "6s") -> None:
        """`session`: within this time after the registry is back the gateway must have reconnected, also on a busy
        machine; otherwise the registry lists nobody for a moment, and Java believes it."""
        self._record = folder / f"{name}.calls"
        self._config = folder / f"{name}.yaml"
        shared = {"address": server.address, "session": session}
        text = WORK.format(name=name, host=LOOPBACK, port=free_port(), record=self._record, **shared)
        self._config.write_text(text, encoding="utf-8")
        self._running = ExitStack()
        self._process: Server | None = None

    def start(self) -> None:
        self._process = self._running.enter_context(serving(str(self._config)))

    def end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.signal(how)
        self._process.wait()
        self.close()

    def close(self) -> None:
        self._running.close()

    @property
    def answered(self) -> int:
        """How many calls were carried out, over all of its lives."""
        return recorded(self._record).total()


@contextmanager
def load(version: str, server: ZookeeperServer, outcomes: Path, heartbeat_ms: int = HEARTBEAT_MS) -> Iterator[None]:
    """A Java consumer that calls all the time. `outcomes`: see `WorkConsumer`."""
    command = java_command(f"dubbo-{version}", "app.WorkConsumer", "unused:1", str(outcomes))
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ready_address(process)
        print(
            f"load {CALLERS} {java_option(server)}&retries=2&timeout=5000&heartbeat={heartbeat_ms}",
            file=process.stdin,
            flush=True,
        )
        assert process.stdout.readline() == "calling\n"
        yield
        print("enough", file=process.stdin, flush=True)
        assert process.stdout.readline() == "done\n"
    finally:
        end_program(process)


def all_answer(gateways: Sequence[WorkGateway]) -> None:
    """Waits until each of them was called some more."""
    before = [each.answered for each in gateways]
    until(
        lambda: all(each.answered >= old + ANSWERED for each, old in zip(gateways, before, strict=True)),
        "calls of all gateways",
    )


def announced(server: ZookeeperServer) -> int:
    with other_client(server.address) as other:
        return len(other.get_children("/dubbo/chaos.Work/providers"))


@pytest.mark.direction("Java → us, found in ZooKeeper")
@pytest.mark.parametrize("version", VERSIONS)
def test_no_idempotent_call_of_java_fails_while_everything_is_restarted(version: str, tmp_path: Path) -> None:
    require_java()
    outcomes = tmp_path / "outcomes"
    with zookeeper_server(tmp_path / "zookeeper") as server, ExitStack() as stack:
        one, two = both = [WorkGateway(name, tmp_path, server) for name in ("one", "two")]
        for each in both:
            stack.callback(each.close)
            each.start()
        with load(version, server, outcomes):
            all_answer(both)
            one.end(signal.SIGTERM)
            all_answer([two])
            one.start()
            all_answer(both)
            two.end(signal.SIGKILL)
            all_answer([one])
            # That it need not be waited for shows the test below; here a session is to end.
            until(lambda: announced(server) == 1, "the end of a session")
            two.start()
            all_answer(both)
            server.stop()
            all_answer(both)
            server.start()
            all_answer(both)
            # Found by way of the registry that came back.
            one.end(signal.SIGTERM)
            all_answer([two])
            one.start()
            all_answer(both)
    lines = [line.split(" ", 2) for line in outcomes.read_text("utf-8").splitlines()]
    became = Counter(outcome for kind, _, outcome in lines if kind == "again")
    assert set(became) == {"ok"}, became.most_common(5)
    assert became["ok"] > 5 * ANSWERED


@pytest.mark.direction("Java → us, found in ZooKeeper")
@pytest.mark.parametrize("version", VERSIONS)
def test_java_finds_a_gateway_again_that_was_killed_and_started_at_once(version: str, tmp_path: Path) -> None:
    require_java()
    with zookeeper_server(tmp_path / "zookeeper") as server, ExitStack() as stack:
        both = [WorkGateway(name, tmp_path, server, session="60s") for name in ("one", "two")]
        for each in both:
            stack.callback(each.close)
            each.start()
        # With the heartbeat that Dubbo has by default: it looks after a dead connection once a minute.
        with load(version, server, tmp_path / "outcomes", heartbeat_ms=60_000):
            all_answer(both)
            both[1].end(signal.SIGKILL)
            both[1].start()
            assert announced(server) == 2
            began = time.monotonic()
            all_answer(both)
            assert time.monotonic() - began < 20
