"""Stock Dubbo consumers against our provider, and through the gateway to other providers."""

from __future__ import annotations

import pytest

from tests.support.demo_gateway import TOKEN, gateway, hosted, remote
from tests.support.java_peer import BUILD_TIMEOUT, DUBBO_VERSIONS, Consumer, java_provider, require_java
from tests.support.relay import relaying

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

EVERY_CALL = "basic,types,generic,pojo-cycle,attachments,reply-attachments,echo"

HEARTBEAT_REQUEST = b"\xda\xbb\xe2\x00"
HEARTBEAT_REPLY = b"\xda\xbb\x22\x14"


@pytest.fixture(autouse=True)
def java() -> None:
    require_java()


@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_java_calls_a_python_service(version: str) -> None:
    async with gateway(hosted()) as app:
        report = await Consumer.run(version, f"{EVERY_CALL},refusals", app.listening[0].address)
    report.check()


@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_java_calls_a_python_service_through_the_gateway(version: str) -> None:
    async with gateway(hosted() + remote("bridged", "registries: [local]")) as app:
        report = await Consumer.run(version, EVERY_CALL, app.listening[0].address, "group=bridged")
    report.check()


@pytest.mark.parametrize(("consumer", "provider"), [("26", "27"), ("27", "33"), ("33", "26")])
async def test_java_calls_java_through_the_gateway(consumer: str, provider: str) -> None:
    with java_provider(provider) as behind:
        async with gateway(remote("bridged", f"addresses: ['dubbo://{behind}']")) as app:
            report = await Consumer.run(consumer, f"{EVERY_CALL},nulls", app.listening[0].address, "group=bridged")
    report.check()


@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_group_version_and_token_are_honoured(version: str) -> None:
    async with gateway(hosted("g", "1.2.3", "guarded", "[]")) as app:
        address = app.listening[1].address
        right = await Consumer.run(version, "basic", address, f"group=g&version=1.2.3&token={TOKEN}")
        wrong = await Consumer.run(version, "reply-attachments", address, "group=g&version=1.2.3&token=wrong")
        other = await Consumer.run(version, "reply-attachments", address, f"group=other&token={TOKEN}")
    right.check()
    assert len(wrong.failures) == 2
    assert len(other.failures) == 2


@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_heartbeats_keep_one_connection(version: str) -> None:
    async with gateway(hosted()) as app, relaying(app.listening[0].address) as relay:
        report = await Consumer.run(version, "heartbeat", relay.address)
        assert relay.connections == 1
        # Five idle seconds at one heartbeat a second.
        assert relay.sent.count(HEARTBEAT_REQUEST) >= 3
        assert relay.received.count(HEARTBEAT_REPLY) == relay.sent.count(HEARTBEAT_REQUEST)
    report.check()


@pytest.mark.parametrize("version", DUBBO_VERSIONS)
async def test_java_finds_a_restarted_gateway_again(version: str) -> None:
    async with gateway(hosted()) as app:
        address = app.listening[0].address
        consumer = await Consumer.start(version, "reconnect", address)
        async with consumer:
            await consumer.wait_for("restart now")
            await app.stop()
            async with gateway(hosted(), port=int(address.rpartition(":")[2])):
                consumer.say("restarted")
                report = await consumer.finish()
    report.check()
