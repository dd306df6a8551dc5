"""Dubbo's own multicast registry and ours in one group, in a network namespace with one card."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from gateway.config.load import load_text
from gateway.demo.catalog import Catalog as DemoCatalog
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App
from gateway.spi.registry import Snapshot
from registry.multicast.registry import MulticastRegistry
from tests.support.java_peer import BUILD_TIMEOUT, java_command, require_java
from tests.support.network_namespace import in_own_network
from tests.support.peer_program import end_program, ready_address

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

GROUP, PORT, HOST = "224.5.6.7", 1234, "10.1.0.1"
CARDS = {"one": [f"{HOST}/24"]}
SERVICE = ServiceKey("demo.Catalog", "blue", "1.2.0")
JAVA = (
    f"dubbo://{HOST}:20880/demo.Catalog?anyhost=true&application=shop&dubbo=2.0.2&group=blue&interface=demo.Catalog"
    "&methods=find,count&pid=1&release=2.7.23&side=provider&timestamp=1700000000000&version=1.2.0"
)
JAVA_ASKS = (
    f"consumer://{HOST}/demo.Catalog?application=shop&category=providers,configurators,routers&group=blue"
    "&interface=demo.Catalog&side=consumer&timeout=2000&version=1.2.0"
)
OVERRIDE = (
    "override://0.0.0.0/demo.Catalog?category=configurators&dynamic=false&enabled=true&group=blue&timeout=1000"
    "&version=1.2.0"
)
OURS = Endpoint("dubbo", HOST, 1, SERVICE, 100, {"methods": "find,count", "token": "secret"})


class Java:
    """A `MulticastPeer`."""

    def __init__(self, version: str) -> None:
        command = java_command(f"dubbo-{version}", "app.MulticastPeer", f"multicast://{GROUP}:{PORT}")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready_address(self._process)
        self.told: list[str] = []

    async def say(self, line: str) -> list[str]:
        """What it printed until it was done."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        printed: list[str] = []
        async with asyncio.timeout(20):
            while (said := await self._line()) != "DONE":
                printed += [] if said.startswith("NOTIFIED ") else [said]
        return printed

    async def until_told(self, condition: Callable[[list[str]], bool]) -> list[str]:
        """The URLs that a subscription was told last."""
        async with asyncio.timeout(10):
            while not condition(self.told):
                await self._line()
        return self.told

    async def _line(self) -> str:
        assert self._process.stdout is not None
        line = (await asyncio.to_thread(self._process.stdout.readline)).rstrip("\n")
        assert line, "the peer died"
        if line.startswith("NOTIFIED "):
            self.told = line.split()[1:]
        return line

    def close(self) -> None:
        end_program(self._process)

    def kill(self) -> None:
        """For applications, which take their time to leave."""
        self._process.kill()
        self.close()


@asynccontextmanager
async def both(version: str) -> AsyncIterator[tuple[Java, MulticastRegistry]]:
    java = await asyncio.to_thread(Java, version)
    registry = MulticastRegistry((GROUP, PORT))
    try:
        await registry.start()
        yield java, registry
    finally:
        await registry.aclose()
        await asyncio.to_thread(java.close)


async def check_we_see_java(version: str) -> None:
    async with both(version) as (java, registry), aclosing(registry.watch(SERVICE)) as snapshots:

        async def shown(count: int) -> Snapshot:
            async with asyncio.timeout(10):
                while len((snapshot := await anext(snapshots)).endpoints) != count:
                    continue
            return snapshot

        await java.say(f"register {JAVA}")
        assert (await shown(1)).endpoints == (Endpoint.parse(JAVA),)
        # Who comes later asks, and Java answers.
        late = MulticastRegistry((GROUP, PORT))
        await late.start()
        try:
            listing = await late.listing()
            assert list(listing.endpoints) == [Endpoint.parse(JAVA)]
            assert listing.skipped == ()
            assert (await late.diagnose())[-1].detail == f"from {HOST}"
        finally:
            await late.aclose()
        await java.say(f"unregister {JAVA}")
        assert (await shown(0)).withdrawn == {Endpoint.parse(JAVA).identity}


async def check_we_see_rules_of_java(version: str) -> None:
    async with both(version) as (java, registry):

        async def rules(count: int) -> tuple[str, ...]:
            async with asyncio.timeout(10), aclosing(registry.watch(SERVICE)) as snapshots:
                while len((found := await anext(snapshots)).configurators) != count:
                    continue
            return found.configurators

        # Before anybody watches: so it is asked for, and Java answers.
        await java.say(f"register {OVERRIDE}")
        (found,) = await rules(1)
        assert found.startswith("override://0.0.0.0/demo.Catalog?")
        assert sorted(found.partition("?")[2].split("&")) == sorted(OVERRIDE.partition("?")[2].split("&"))
        await java.say(f"unregister {OVERRIDE}")
        assert await rules(0) == ()


async def check_java_sees_us(version: str) -> None:
    async with both(version) as (java, registry):
        await registry.register(OURS)
        # Answered from a table: Java asks only when it subscribes.
        await java.say(f"subscribe {JAVA_ASKS}")
        told = await java.until_told(lambda urls: any(each.startswith("dubbo://") for each in urls))
        (seen,) = [Endpoint.parse(each) for each in told if each.startswith("dubbo://")]
        assert seen.identity == OURS.identity
        assert {key: seen.parameters[key] for key in OURS.parameters} == OURS.parameters
        heavier = replace(OURS, weight=7)
        await registry.register(heavier)
        told = await java.until_told(lambda urls: [Endpoint.parse(each).weight for each in urls] == [7])
        await registry.register(replace(OURS, port=2))
        await java.until_told(lambda urls: len(urls) == 2)
        await registry.unregister(replace(OURS, port=2))
        await java.until_told(lambda urls: len(urls) == 1)
        await registry.unregister(heavier)
        await java.until_told(lambda urls: [each.partition(":")[0] for each in urls] == ["empty"])


PROVIDER = """
application: {name: provider}
listeners:
  main: {protocol: dubbo, host: 10.1.0.1, port: 0}
registries:
  lan: {type: multicast}
services:
  ours:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    group: ours
    listeners: [main]
    announce: [lan]
  java:
    contract: gateway.demo.catalog:Catalog
    group: java
    remote: {registries: [lan], retries: 0}
"""


async def check_applications(version: str) -> None:
    """A Java application calls what a gateway hosts, and the gateway what the application hosts."""
    catalog = Catalog()
    java = await asyncio.to_thread(Java, version)
    try:
        async with App(load_text(PROVIDER, "app.yaml", catalog), catalog) as app:
            assert await java.say("call ours") == ["COUNTED 3"]
            await java.say("provide 20881")
            client = app.reference("java", DemoCatalog)
            async with asyncio.timeout(10):
                assert await client.count() == 3
    finally:
        java.kill()


@pytest.mark.direction("us → Java", wire="multicast", peer="Java, Dubbo 2.7 and 3.3", quick=True)
@pytest.mark.parametrize("version", ["27", "33"])
def test_we_see_what_java_registers(version: str) -> None:
    require_java()
    in_own_network(CARDS, lambda _: check_we_see_java(version))


@pytest.mark.direction("us → Java", wire="multicast", peer="Java, Dubbo 2.7 and 3.3")
@pytest.mark.parametrize("version", ["27", "33"])
def test_we_see_rules_that_java_registers(version: str) -> None:
    require_java()
    in_own_network(CARDS, lambda _: check_we_see_rules_of_java(version))


@pytest.mark.direction("Java → us", wire="multicast", peer="Java, Dubbo 2.7 and 3.3", quick=True)
@pytest.mark.parametrize("version", ["27", "33"])
def test_java_sees_what_we_register(version: str) -> None:
    require_java()
    in_own_network(CARDS, lambda _: check_java_sees_us(version))


@pytest.mark.direction("Java → us", wire="multicast", peer="Java, Dubbo 2.7 and 3.3")
@pytest.mark.parametrize("version", ["27", "33"])
def test_applications_find_and_call_each_other(version: str) -> None:
    require_java()
    in_own_network(CARDS, lambda _: check_applications(version))
