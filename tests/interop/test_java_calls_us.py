"""Stock Dubbo consumers against our provider, and through the gateway to other providers."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.demo_gateway import TOKEN, gateway, hosted, remote
from tests.support.java_peer import BUILD_TIMEOUT, DUBBO_VERSIONS, Peers, require_java
from tests.support.relay import relaying

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

EVERY_VALUE = "types,generic,pojo-cycle,attachments,reply-attachments,echo"

HEARTBEAT_REQUEST = b"\xda\xbb\xe2\x00"
HEARTBEAT_REPLY = b"\xda\xbb\x22\x14"


@pytest.fixture(autouse=True)
def java() -> None:
    require_java()


@pytest.mark.direction("Java → us", quick=True)
@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_java_uses_a_python_service(version: str, peers: Peers) -> None:
    async with gateway(hosted()) as app:
        report = await peers.consumer(version).run("basic", app.listening[0].address)
    report.check()


@pytest.mark.direction("Java → us")
@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_java_exchanges_every_value_with_a_python_service(version: str, peers: Peers) -> None:
    async with gateway(hosted()) as app:
        report = await peers.consumer(version).run(f"{EVERY_VALUE},refusals", app.listening[0].address)
    report.check()


@pytest.mark.direction("Java → us, callbacks", quick=True)
@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_java_is_called_back(version: str, peers: Peers) -> None:
    async with gateway(hosted()) as app:
        report = await peers.consumer(version).run("callbacks,callbacks-long", app.listening[0].address)
    report.check()


@pytest.mark.direction("Java → gateway → us, callbacks", quick=True)
@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_java_is_called_back_through_the_gateway(version: str, peers: Peers) -> None:
    async with gateway(hosted() + remote("bridged", "registries: [local]")) as app:
        address = app.listening[0].address
        report = await peers.consumer(version).run("callbacks,callbacks-long", address, "group=bridged")
    report.check()


@pytest.mark.direction("Java → gateway → Java, callbacks", quick=True)
@pytest.mark.parametrize(("consumer", "provider"), [("26", "27"), ("27", "33"), ("33", "26")])
async def test_java_is_called_back_by_java_through_the_gateway(consumer: str, provider: str, peers: Peers) -> None:
    behind = peers.provider(provider)
    async with gateway(remote("bridged", f"addresses: ['dubbo://{behind}']")) as app:
        address = app.listening[0].address
        report = await peers.consumer(consumer).run("callbacks,callbacks-long", address, "group=bridged")
    report.check()


@pytest.mark.direction("Java → gateway → us", quick=True)
@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_java_uses_a_python_service_through_the_gateway(version: str, peers: Peers) -> None:
    async with gateway(hosted() + remote("bridged", "registries: [local]")) as app:
        report = await peers.consumer(version).run("basic", app.listening[0].address, "group=bridged")
    report.check()


@pytest.mark.direction("Java → gateway → us")
@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_java_exchanges_every_value_through_the_gateway(version: str, peers: Peers) -> None:
    async with gateway(hosted() + remote("bridged", "registries: [local]")) as app:
        report = await peers.consumer(version).run(EVERY_VALUE, app.listening[0].address, "group=bridged")
    report.check()


@pytest.mark.direction("Java → gateway → Java", quick=True)
@pytest.mark.parametrize(("consumer", "provider"), [("26", "27"), ("27", "33"), ("33", "26")])
async def test_java_uses_java_through_the_gateway(consumer: str, provider: str, peers: Peers) -> None:
    behind = peers.provider(provider)
    async with gateway(remote("bridged", f"addresses: ['dubbo://{behind}']")) as app:
        report = await peers.consumer(consumer).run("basic", app.listening[0].address, "group=bridged")
    report.check()


@pytest.mark.direction("Java → gateway → Java")
@pytest.mark.parametrize(("consumer", "provider"), [("26", "27"), ("27", "33"), ("33", "26")])
async def test_java_exchanges_every_value_with_java(consumer: str, provider: str, peers: Peers) -> None:
    behind = peers.provider(provider)
    async with gateway(remote("bridged", f"addresses: ['dubbo://{behind}']")) as app:
        report = await peers.consumer(consumer).run(f"{EVERY_VALUE},nulls", app.listening[0].address, "group=bridged")
    report.check()


@pytest.mark.direction("Java → us")
@pytest.mark.parametrize("version", DUBBO_VERSIONS)
@pytest.mark.parametrize("asks", ["listener", "service"])
async def test_group_version_and_token_are_honoured(version: str, asks: str, peers: Peers) -> None:
    consumer = peers.consumer(version)
    listener = "guarded" if asks == "listener" else "dubbo"
    async with gateway(hosted("g", "1.2.3", listener, "[]", token=asks == "service")) as app:
        address = next(each.address for each in app.listening if each.listener == listener)
        right = await consumer.run("reply-attachments", address, f"group=g&version=1.2.3&token={TOKEN}")
        wrong = await consumer.run("reply-attachments", address, "group=g&version=1.2.3&token=wrong")
        other = await consumer.run("reply-attachments", address, f"group=other&token={TOKEN}")
    right.check()
    assert len(wrong.failures) == 2
    assert len(other.failures) == 2


@pytest.mark.direction("Java → us")
@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_heartbeats_keep_one_connection(version: str, peers: Peers) -> None:
    consumer = peers.consumer(version)
    async with (
        gateway(hosted()) as app,
        relaying(app.listening[0].address) as relay,
        consumer.start("heartbeat", relay.address),
    ):
        await consumer.wait_for("idle")
        async with asyncio.timeout(30):
            while relay.received.count(HEARTBEAT_REPLY) < 2:
                await asyncio.sleep(0.05)
        consumer.say("enough")
        report = await consumer.finish()
        assert relay.connections == 1
        # The last one may have been sent while the consumer left.
        assert relay.sent.count(HEARTBEAT_REQUEST) - relay.received.count(HEARTBEAT_REPLY) in (0, 1)
    report.check()


@pytest.mark.direction("Java → us")
@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_java_finds_a_restarted_gateway_again(version: str, peers: Peers) -> None:
    consumer = peers.consumer(version)
    async with gateway(hosted()) as app:
        address = app.listening[0].address
        async with consumer.start("reconnect", address):
            await consumer.wait_for("restart now")
            await app.stop()
            async with gateway(hosted(), port=int(address.rpartition(":")[2])):
                consumer.say("restarted")
                report = await consumer.finish()
    report.check()
