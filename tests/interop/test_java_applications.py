"""Dubbo 3 that registers by application: found in a real ZooKeeper, called, and followed while it comes and goes."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from pathlib import Path

import pytest

from bench.ports import free_port
from gateway.demo.catalog import Catalog
from gateway.model.endpoint import ServiceKey
from tests.support.demo_gateway import gateway, remote
from tests.support.java_peer import BUILD_TIMEOUT, DUBBO_VERSIONS, Provider, java_command, require_java
from tests.support.peer_program import end_program, ready_address
from tests.support.work_service import Work, recorded
from tests.support.zookeeper_client import eventually, fresh_ports, next_that, other_client, running
from tests.support.zookeeper_server import ZookeeperServer, zookeeper_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

FOUND = "us → Java, found in ZooKeeper by application"
CALLERS = 4
ANSWERED = 50
"""Calls that are answered before the next thing happens."""
WAIT_S = 60.0
WORK = """
  work:
    contract: tests.support.work_service:Work
    group: work
    listeners: [dubbo]
    announce: []
    remote: {registries: [shared], timeout: 5s, retries: 3}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZookeeperServer]:
    require_java()
    with zookeeper_server(tmp_path_factory.mktemp("zookeeper")) as found:
        yield found


@pytest.fixture
def registered(server: ZookeeperServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says how Java processes that are started from now on register."""

    def register(mode: str = "instance", metadata: str = "local", application: str = "interop", root: str = "") -> None:
        report = f"zookeeper://{server.address}{f'?group={root}' if root else ''}"
        options = {
            "user.home": tmp_path,
            "dubbo.application.register-mode": mode,
            "dubbo.application.metadata-type": metadata,
            "dubbo.application.name": application,
            # Without it nobody would be told which application provides an interface.
            "dubbo.metadata-report.address": report,
        }
        monkeypatch.setenv("JAVA_OPTS", " ".join(f"-D{key}={value}" for key, value in options.items()))

    return register


def java_option(server: ZookeeperServer, root: str = "") -> str:
    return f"registry=zookeeper://{server.address}?{f'group={root}' if root else 'file.cache=false'}"


def our_option(server: ZookeeperServer) -> str:
    return f"  shared: {{type: zookeeper, options: {{address: '{server.address}', session: 2s}}}}"


@contextmanager
def provider(server: ZookeeperServer, group: str, root: str = "") -> Iterator[int]:
    """The port of a Java provider."""
    made = Provider("33", f"{java_option(server, root)}&group={group}")
    try:
        yield int(made.address.rpartition(":")[2])
    finally:
        made.close()


@pytest.mark.direction(FOUND, quick=True)
@pytest.mark.parametrize("version", ["33"])
@pytest.mark.parametrize("metadata", ["local", "remote"])
async def test_we_find_and_call_an_instance(
    version: str, metadata: str, server: ZookeeperServer, registered: Callable[..., None]
) -> None:
    registered(metadata=metadata)
    service = ServiceKey("demo.Catalog", f"found-{metadata}")
    async with running(server.address) as ours, aclosing(ours.watch(service)) as snapshots:
        with provider(server, service.group) as port:
            (endpoint,) = (await next_that(snapshots, fresh_ports(port))).endpoints
            assert endpoint.parameters["release"] == DUBBO_VERSIONS[version]
            assert "priceHistory" in endpoint.parameters["methods"].split(",")
            with other_client(server.address) as other:
                assert other.exists("/dubbo/demo.Catalog/providers") is None
            listing = await ours.listing()
            assert listing.skipped == []
            assert endpoint.identity in listing.by_application
            assert [each for each in await ours.diagnose() if each.what == "applications" and not each.is_well] == []
            source = remote("found", "registries: [shared]", there=service.group)
            async with gateway(source, registries=our_option(server)) as app:
                catalog = app.reference("foundcatalog", Catalog)
                product = (await catalog.search("", 1))[0]
                assert await catalog.find(product.id) == product
                assert await catalog.slow(20) == "slept 20 ms"
        await next_that(snapshots, fresh_ports())


@pytest.mark.direction(FOUND)
@pytest.mark.parametrize("version", ["33"])
async def test_a_provider_registered_both_ways_is_one(
    version: str, server: ZookeeperServer, registered: Callable[..., None]
) -> None:
    registered(mode="all")
    service = ServiceKey("demo.Catalog", "both")
    async with running(server.address) as ours, aclosing(ours.watch(service)) as snapshots:
        with provider(server, service.group) as port, other_client(server.address) as other:
            await next_that(snapshots, fresh_ports(port))
            # Registered both ways, and everything about it is known.
            instance = f"/services/interop/2130706433:{port}"
            await eventually(lambda: bool(other.exists(instance)))
            for _ in range(2):
                listing = await ours.listing()
                found = [each for each in listing.endpoints if each.service == service]
                assert [each.port for each in found] == [port]
                assert found[0].identity not in listing.by_application
            async with aclosing(ours.watch(service)) as others:
                await next_that(others, fresh_ports(port))
        await next_that(snapshots, fresh_ports())
        # Where interfaces stand no more the folder of the service is left, which must not matter to what follows.
        with other_client(server.address) as other:
            other.delete("/dubbo/demo.Catalog", recursive=True)


@pytest.mark.direction(FOUND)
@pytest.mark.parametrize("version", ["33"])
async def test_the_default_root_holds_instances_where_it_was_chosen(
    version: str, server: ZookeeperServer, registered: Callable[..., None]
) -> None:
    registered(root="dubbo", metadata="remote")
    service = ServiceKey("demo.Catalog", "chosen")
    async with running(server.address) as ours, aclosing(ours.watch(service)) as snapshots:
        with provider(server, service.group, "dubbo") as port, other_client(server.address) as other:
            await next_that(snapshots, fresh_ports(port))
            assert other.exists(f"/dubbo/interop/2130706433:{port}")
            assert [each.port for each in (await ours.listing()).endpoints if each.service == service] == [port]


@pytest.mark.direction(FOUND)
@pytest.mark.parametrize("version", ["33"])
async def test_a_root_of_its_own_is_one_for_instances_too(
    version: str, server: ZookeeperServer, registered: Callable[..., None]
) -> None:
    registered(root="acme")
    service = ServiceKey("demo.Catalog", "rooted")
    async with (
        running(server.address, group="acme") as ours,
        running(server.address) as others,
        aclosing(ours.watch(service)) as snapshots,
        aclosing(others.watch(service)) as elsewhere,
    ):
        with provider(server, service.group, "acme") as port:
            await next_that(snapshots, fresh_ports(port))
            assert [each.port for each in (await ours.listing()).endpoints if each.service == service] == [port]
            await next_that(elsewhere, fresh_ports())
            assert service not in {each.service for each in (await others.listing()).endpoints}


class WorkProvider:
    """A Java process that answers `chaos.Work` in the group `work`, and is started again at the same address."""

    def __init__(self, server: ZookeeperServer, record: Path) -> None:
        self._options = f"{java_option(server)}&group=work"
        self._record = record
        self._port = free_port()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = java_command("dubbo-33", "app.WorkProvider", str(self._port), str(self._record), self._options)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready_address(self._process)

    def end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(WAIT_S)
        self.close()

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end_program(process)

    @property
    def answered(self) -> int:
        return recorded(self._record).total() if self._record.exists() else 0


@pytest.mark.direction(FOUND)
@pytest.mark.parametrize("version", ["33"])
async def test_no_idempotent_call_fails_while_instances_and_applications_come_and_go(
    version: str, server: ZookeeperServer, registered: Callable[..., None], tmp_path: Path
) -> None:
    one, two = (WorkProvider(server, tmp_path / each) for each in ("one", "two"))
    numbers = itertools.count()
    failures: list[str] = []

    async def answered_by(*providers: WorkProvider) -> None:
        """Waits until each of them was called some more."""
        before = [each.answered for each in providers]
        await eventually(
            lambda: all(each.answered >= old + ANSWERED for each, old in zip(providers, before, strict=True)), WAIT_S
        )

    async def call(work: Work) -> None:
        while True:
            number = next(numbers)
            try:
                assert await work.again(number, 1) == number
            except Exception as exc:
                failures.append(repr(exc))

    with ExitStack() as stack:
        for each in (one, two):
            stack.callback(each.close)
        registered(metadata="local", application="first")
        await asyncio.to_thread(one.start)
        async with gateway(WORK, registries=our_option(server)) as app, asyncio.TaskGroup() as group:
            callers = [group.create_task(call(app.reference("work", Work))) for _ in range(CALLERS)]
            await answered_by(one)
            # The mapping gains an application.
            registered(metadata="remote", application="second")
            await asyncio.to_thread(two.start)
            await answered_by(one, two)
            await asyncio.to_thread(one.end, signal.SIGTERM)
            await answered_by(two)
            registered(metadata="local", application="first")
            await asyncio.to_thread(one.start)
            await answered_by(one, two)
            await asyncio.to_thread(server.stop)
            await answered_by(one, two)
            await asyncio.to_thread(server.start)
            await answered_by(one, two)
            # Found by way of the registry that came back.
            await asyncio.to_thread(two.end, signal.SIGTERM)
            await answered_by(one)
            registered(metadata="remote", application="second")
            await asyncio.to_thread(two.start)
            await answered_by(one, two)
            await asyncio.to_thread(one.end, signal.SIGKILL)
            await answered_by(two)
            for each in callers:
                each.cancel()
    assert failures == []
