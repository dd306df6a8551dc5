"""On the loopback, which has no MULTICAST flag and carries multicast all the same."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import replace

import pytest

from bench.ports import free_port
from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import RegistryError
from gateway.spi.registry import Freshness, Registry, Snapshot
from gateway.spi.registry_ability import ConsumerRegistry, DiagnosableRegistry, ListedRegistry
from registry.multicast.group import Group
from registry.multicast.packet import MAX_PACKET
from registry.multicast.registry import MulticastRegistry
from tests.support.fake_clock import FakeClock

GROUP = "224.5.6.7"
LOOPBACK = "127.0.0.1"
SERVICE = ServiceKey("demo.Catalog")
JAVA = "dubbo://127.0.0.1:20880/demo.Catalog?interface=demo.Catalog&side=provider&timestamp=1700000000000"
JAVA_ASKS = "consumer://127.0.0.1/demo.Catalog?category=providers,configurators,routers&interface=demo.Catalog"


@pytest.fixture
def port() -> int:
    return free_port()


@asynccontextmanager
async def running(port: int, **settings: object) -> AsyncIterator[MulticastRegistry]:
    made = MulticastRegistry((GROUP, port), interfaces=[LOOPBACK], **settings)  # type: ignore[arg-type]
    await made.start()
    try:
        yield made
    finally:
        await made.aclose()


class Peer:
    """Speaks Dubbo's packets by hand, from the address of one host, and hears the group."""

    def __init__(self, port: int, host: str = LOOPBACK, group: str = GROUP) -> None:
        self._to = (group, port)
        self._mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._mouth.bind((host, 0))
        self._mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
        self._ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._ear.bind((group, port))
        membership = socket.inet_aton(group) + socket.inet_aton(LOOPBACK)
        self._ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self._ear.setblocking(False)

    def say(self, text: str | bytes) -> None:
        self._mouth.sendto(text if isinstance(text, bytes) else f"{text}\n".encode(), self._to)

    async def hears(self, verb: str, part: str = "") -> str:
        """The next line that begins with this verb and has this part."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            while True:
                line = (await loop.sock_recv(self._ear, 65_536)).decode()
                if line.startswith(verb + " ") and part in line:
                    assert line.endswith("\n")
                    return line.rstrip("\n").partition(" ")[2]

    def heard(self, verb: str) -> list[str]:
        """All of a verb that is there by now."""
        lines = []
        while True:
            try:
                lines.append(self._ear.recv(65_536).decode())
            except BlockingIOError:
                return [each for each in lines if each.startswith(verb + " ")]

    def close(self) -> None:
        self._mouth.close()
        self._ear.close()


@contextmanager
def speaking(port: int, host: str = LOOPBACK) -> Iterator[Peer]:
    peer = Peer(port, host)
    try:
        yield peer
    finally:
        peer.close()


def at(port: int, **parameters: str) -> Endpoint:
    return Endpoint("dubbo", LOOPBACK, port, SERVICE, 100, parameters)


class Watch:
    """What a watch of one service shows."""

    def __init__(self, snapshots: AsyncIterator[Snapshot]) -> None:
        self._snapshots = snapshots

    async def until(self, condition: Callable[[Snapshot], bool]) -> Snapshot:
        async with asyncio.timeout(5):
            while True:
                snapshot = await anext(self._snapshots)
                if condition(snapshot):
                    return snapshot

    async def ports(self, *ports: int) -> Snapshot:
        return await self.until(lambda each: sorted(one.port for one in each.endpoints) == sorted(ports))

    async def fresh(self) -> Snapshot:
        return await self.until(lambda each: each.freshness is Freshness.FRESH)


@asynccontextmanager
async def watching(registry: MulticastRegistry, service: ServiceKey = SERVICE) -> AsyncIterator[Watch]:
    async with aclosing(registry.watch(service)) as snapshots:
        yield Watch(snapshots)


def test_it_can_do_what_registries_can(port: int) -> None:
    registry: Registry = MulticastRegistry((GROUP, port))
    assert isinstance(registry, ConsumerRegistry)
    assert isinstance(registry, ListedRegistry)
    assert isinstance(registry, DiagnosableRegistry)


@pytest.mark.serial("within 0.2 s")
async def test_two_registries_see_each_other_at_once(port: int) -> None:
    async with running(port) as one, running(port) as two, watching(one) as of_one, watching(two) as of_two:
        await of_one.fresh()
        await of_two.fresh()
        began = time.monotonic()
        await one.register(at(1, token="secret"))
        await two.register(at(2))
        shown = {each.identity: each.parameters.get("token") for each in (await of_two.ports(1, 2)).endpoints}
        await of_one.ports(1, 2)
        assert time.monotonic() - began < 0.2
        assert shown == {at(1).identity: "secret", at(2).identity: None}
        began = time.monotonic()
        await one.unregister(at(1))
        assert (await of_two.ports(2)).withdrawn == {at(1).identity}
        assert time.monotonic() - began < 0.2


@pytest.mark.serial("within 0.2 s")
async def test_who_comes_late_asks_and_hears(port: int) -> None:
    async with running(port) as one:
        await one.register(at(1, timestamp="1700000000000"))
        async with running(port) as two, watching(two) as shown:
            began = time.monotonic()
            snapshot = await shown.ports(1)
            assert time.monotonic() - began < 0.2
            assert dict(snapshot.endpoints[0].parameters)["timestamp"] == "1700000000000"
        async with running(port) as three:
            assert [each.port for each in (await three.listing()).endpoints] == [1]


@pytest.mark.serial("between 0.9 s and 2 s")
async def test_nobody_there_is_known_after_a_second(port: int) -> None:
    async with running(port) as registry, watching(registry) as shown:
        began = time.monotonic()
        assert (await shown.until(lambda _: True)).freshness is Freshness.UNKNOWN
        assert (await shown.fresh()).endpoints == ()
        assert 0.9 < time.monotonic() - began < 2.0


async def test_what_is_announced_is_replaced_and_taken_back_at_the_end(port: int) -> None:
    with speaking(port) as peer:
        async with running(port) as registry, watching(registry) as shown:
            await registry.register(at(1))
            await shown.ports(1)
            first = await peer.hears("register")
            await registry.register(replace(at(1), weight=7))
            second = await peer.hears("register", "weight=7")
            assert await peer.hears("unregister") == first
            assert [each.weight for each in (await shown.ports(1)).endpoints] == [7]
        assert await peer.hears("unsubscribe", "demo.Catalog")
        assert await peer.hears("unregister") == second


async def test_java_providers_are_seen_and_answered(port: int) -> None:
    async with running(port) as registry, watching(registry) as shown:
        with speaking(port) as java:
            await shown.until(lambda _: True)
            assert Consumer.parse(await java.hears("subscribe")).service == SERVICE
            java.say(f"register {JAVA}")
            await shown.ports(20880)
            java.say(f"unregister {JAVA}")
            assert (await shown.ports()).withdrawn
            await registry.register(at(1))
            java.heard("register")
            java.say(f"subscribe {JAVA_ASKS}")
            assert Endpoint.parse(await java.hears("register")).identity == at(1).identity


async def test_a_question_for_something_else_is_not_answered(port: int) -> None:
    async with running(port) as registry:
        await registry.register(at(1))
        with speaking(port) as java:
            java.say(f"subscribe {JAVA_ASKS}&group=other")
            java.say(f"subscribe {JAVA_ASKS}&version=9")
            java.say(f"subscribe {JAVA_ASKS}")
            await java.hears("register")
            await asyncio.sleep(0)
            assert len(java.heard("register")) <= 1  # The announcement of the first round.


async def test_hosts_elsewhere_get_answers_to_themselves_alone(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(port) as registry:
        await registry.register(at(1))
        monkeypatch.setattr(Group, "is_here", lambda _, host: host != "127.0.0.2")
        with speaking(port, "127.0.0.2") as peer, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            alone.bind(("127.0.0.2", port))
            alone.setblocking(False)
            peer.say(f"subscribe {JAVA_ASKS}")
            async with asyncio.timeout(5):
                answer = await asyncio.get_running_loop().sock_recv(alone, 2_048)
            assert answer.startswith(b"register dubbo://127.0.0.1:1/demo.Catalog?")
            peer.heard("register")
            peer.say(f"subscribe {JAVA_ASKS}&unicast=false")
            assert await peer.hears("register")


async def test_silence_makes_a_provider_vanish_without_having_withdrawn(port: int) -> None:
    clock = FakeClock()
    async with running(port, clock=clock, sleep=clock.sleep, session_s=60.0) as registry, watching(registry) as shown:
        with speaking(port) as peer:
            peer.say(f"register {JAVA}")
            peer.say(f"register {JAVA.replace(':20880', ':20881')}&polyport.session=10000&polyport.revision=1")
            await shown.ports(20880, 20881)
            await clock.until_asleep()
            clock.advance(15.1)
            assert (await shown.ports(20880)).withdrawn == frozenset()
            for _ in range(4):
                await clock.until_asleep()
                clock.advance(31.0)
                await asyncio.sleep(0.01)
            await clock.until_asleep()
            clock.advance(1.0)
            assert (await shown.ports()).withdrawn == frozenset()


async def test_ours_are_announced_and_asked_for_every_half_session(port: int) -> None:
    clock = FakeClock()
    async with running(port, clock=clock, sleep=clock.sleep, session_s=60.0) as registry, watching(registry) as shown:
        await registry.register(at(1))
        await shown.ports(1)
        with speaking(port) as peer:
            for _ in range(3):
                await clock.until_asleep()
                peer.heard("register")
                clock.advance(30.1)
                assert Endpoint.parse(await peer.hears("register")).identity == at(1).identity
                await peer.hears("subscribe")


async def test_a_forged_unregister_is_ignored_and_logged_once(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "polyport.registry")
    async with running(port) as registry, watching(registry) as shown:
        with speaking(port) as host, speaking(port, "127.0.0.2") as stranger:
            host.say(f"register {JAVA}")
            await shown.ports(20880)
            for _ in range(5):
                stranger.say(f"unregister {JAVA}")
            stranger.say(f"register {JAVA.replace(':20880', ':20881')}")
            await shown.ports(20880, 20881)
    lines = [each.getMessage() for each in caplog.records if "another host" in each.getMessage()]
    assert len(lines) == 1
    assert "from 127.0.0.2" in lines[0]


async def test_rubbish_is_ignored(port: int) -> None:
    async with running(port) as registry, watching(registry) as shown:
        with speaking(port) as peer:
            for rubbish in (
                b"",
                b"\n",
                b"\xff\xfe\xfd",
                b"register \xc3\x28\n",
                b"register\n",
                b"register http://[::1\n",
                b"subscribe consumer://[::1/x\n",
                b"subscribe x\n",
                b"unregister dubbo://127.0.0.1:0x1/x\n",
                b"register dubbo://127.0.0.1:1/" + b"x" * 60_000 + b"\n",
                os.urandom(2_048),
            ):
                peer.say(rubbish)
            peer.say(f"register {JAVA}")
            await shown.ports(20880)
            assert any("16384 are read" in each.reason for each in (await registry.listing()).skipped)
    with pytest.raises(OSError, match="Message too long"), speaking(port) as peer:
        peer.say(b"x" * (MAX_PACKET + 1))


async def test_duplicates_and_reordered_packets_change_nothing(port: int) -> None:
    newer = JAVA.replace("timestamp=17", "timestamp=18")
    async with running(port) as registry, watching(registry) as shown:
        with speaking(port) as peer:
            for text in (f"register {newer}", f"register {newer}", f"register {JAVA}&weight=3", f"unregister {JAVA}"):
                peer.say(text)
            peer.say(f"register {JAVA.replace(':20880', ':20881')}")
            snapshot = await shown.ports(20880, 20881)
            assert {each.weight for each in snapshot.endpoints} == {100}


async def test_two_groups_on_one_port_do_not_mix(port: int) -> None:
    other = MulticastRegistry(("224.5.6.8", port), interfaces=[LOOPBACK])
    await other.start()
    try:
        async with running(port) as one, running(port) as two, watching(other) as elsewhere, watching(two) as shown:
            await other.register(at(2))
            await one.register(at(1))
            await shown.ports(1)
            assert [each.port for each in (await elsewhere.fresh()).endpoints] == [2]
            assert [each.port for each in (await one.listing()).endpoints] == [1]
    finally:
        await other.aclose()


async def test_a_flood_of_questions_gets_a_bounded_number_of_answers(port: int) -> None:
    clock = FakeClock()
    async with running(port, clock=clock, sleep=clock.sleep) as registry:
        for number in range(20):
            await registry.register(at(1 + number))
        await clock.until_asleep()
        with speaking(port) as peer:
            for number in range(100):
                peer.say(f"subscribe {JAVA_ASKS}&pid={number}")
                await asyncio.sleep(0)
            peer.say(f"register {JAVA}")
            while not any(each.port == 20880 for each in registry._heard.all_providers):
                await asyncio.sleep(0.005)
            # Two hundred a second, and time stands still.
            assert len(peer.heard("register")) <= 200 + 1


async def test_consumers_are_shown(port: int) -> None:
    consumer = Consumer(SERVICE, "shop", LOOPBACK, "dubbo")
    async with running(port) as one, running(port) as two:
        await one.register_consumer(consumer)
        listing = await two.listing()
        assert [(each.application, each.protocol) for each in listing.consumers] == [("shop", "dubbo")]
        assert [each.application for each in (await one.listing()).consumers] == ["shop"]
        await one.unregister_consumer(consumer)
        assert (await two.listing()).consumers == []


async def test_what_was_heard_stays_while_nothing_can_be_sent(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    async with running(port, clock=clock, sleep=clock.sleep) as registry, watching(registry) as shown:
        with speaking(port) as peer:
            peer.say(f"register {JAVA}")
            await shown.ports(20880)
            monkeypatch.setattr(Group, "send", lambda *_: False)
            monkeypatch.setattr(Group, "open", refuse)
            await clock.until_asleep()
            clock.advance(31.0)
            assert [each.port for each in (await shown.until(is_stale)).endpoints] == [20880]
            with pytest.raises(RegistryError, match="nothing can be sent"):
                await registry.listing()
            for _ in range(5):
                await clock.until_asleep()
                clock.advance(100.0)
                await asyncio.sleep(0)
            assert [each.is_well for each in await registry.diagnose()] == [False]
            monkeypatch.undo()
            await clock.until_asleep()
            clock.advance(3.0)
            assert [each.port for each in (await shown.fresh()).endpoints] == [20880]
            assert await peer.hears("subscribe")


def is_stale(snapshot: Snapshot) -> bool:
    return snapshot.freshness is Freshness.STALE


async def refuse(*_: object) -> None:
    raise RegistryError("no way")


async def test_diagnosis_tells_cards_echoes_and_who_answers(port: int) -> None:
    async with running(port) as one, running(port) as two:
        await two.register(at(1))
        findings = await one.diagnose()
    assert [each.is_well for each in findings] == [True] * 3
    assert [each.detail for each in findings] == ["joined", "they come back", "from 127.0.0.1"]
    idle = MulticastRegistry((GROUP, port), interfaces=[LOOPBACK])
    assert "from nobody" in (await idle.diagnose())[-1].detail


async def test_after_the_end_everything_is_closed(port: int) -> None:
    before = len(os.listdir("/proc/self/fd"))
    registry = MulticastRegistry((GROUP, port), interfaces=[LOOPBACK])
    await registry.start()
    watches = [asyncio.create_task(_all(registry)) for _ in range(2)]
    await asyncio.sleep(0)
    await registry.register(at(1))
    await registry.aclose()
    async with asyncio.timeout(5):
        await asyncio.gather(*watches)
    assert len(os.listdir("/proc/self/fd")) == before
    assert [each for each in asyncio.all_tasks() if "multicast" in each.get_name()] == []
    with pytest.raises(RuntimeError):
        await registry.register(at(1))
    assert await _all(registry) == []


async def _all(registry: MulticastRegistry) -> list[Snapshot]:
    return [each async for each in registry.watch(SERVICE)]


async def test_a_network_without_multicast_is_an_error_that_says_what_to_do(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_route(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

    monkeypatch.setattr(Group, "_speaking_on", no_route)
    before = len(os.listdir("/proc/self/fd"))
    registry = MulticastRegistry((GROUP, port), interfaces=[LOOPBACK])
    with pytest.raises(RegistryError) as caught:
        await registry.start()
    assert str(caught.value) == (
        f"the multicast group 224.5.6.7:{port} cannot be used on 127.0.0.1 (lo): Network is unreachable; "
        "containers and many clouds carry no multicast; name a card that does under `interfaces`, or use another "
        "registry, or `addresses`"
    )
    assert [each.is_well for each in await registry.diagnose()] == [False]
    await registry.aclose()
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_card_that_is_not_there_is_an_error(port: int) -> None:
    for group, card in ((GROUP, "192.0.2.77"), ("ff15::1234", "2001:db8::77")):
        registry = MulticastRegistry((group, port), interfaces=[card])
        with pytest.raises(RegistryError, match=card.replace(".", r"\.")):
            await registry.start()


async def test_a_port_that_is_held_alone_is_an_error(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:
        selfish.bind(("", port))
        registry = MulticastRegistry((GROUP, port), interfaces=[LOOPBACK])
        with pytest.raises(RegistryError, match=f"UDP port {port} cannot be shared: Address already in use"):
            await registry.start()


def ipv6_carries_multicast() -> bool:
    """Whether the loopback does; many systems have no route for it."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            index = socket.if_nametoindex("lo")
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            probe.sendto(b"\n", ("ff15::1234", 9, 0, index))
    except OSError:
        return False
    return True


HAS_IPV6 = ipv6_carries_multicast()


async def test_ipv6_works_or_says_that_it_does_not(port: int) -> None:
    one = MulticastRegistry(("ff15::1234", port), interfaces=["::1"])
    if not HAS_IPV6:
        with pytest.raises(RegistryError, match=r"(cannot be used on ::1|no IPv6|no network card).*(another|correct)"):
            await one.start()
        return
    two = MulticastRegistry(("ff15::1234", port), interfaces=["::1"])
    await one.start()
    await two.start()
    try:
        await one.register(replace(at(1), host="::1"))
        async with watching(two) as shown:
            await shown.ports(1)
        assert all(each.is_well for each in await two.diagnose())
    finally:
        await one.aclose()
        await two.aclose()


OVERRIDE = "override://0.0.0.0/demo.Catalog?category=configurators&dynamic=false&timeout=1000"
ROUTE = "route://0.0.0.0/demo.Catalog?category=routers&dynamic=false&rule=x"


async def test_rules_are_shown_and_asked_for_but_not_those_of_others(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with speaking(port) as admin, speaking(port, "127.0.0.3") as stranger:
        async with running(port) as registry, watching(registry) as shown:
            await shown.fresh()
            assert "category=providers,configurators,routers&" in await admin.hears("subscribe", "demo.Catalog")
            admin.say("register " + JAVA)
            admin.say("register " + OVERRIDE)
            admin.say("register " + ROUTE)
            admin.say("register " + ROUTE.replace("Catalog", "Types"))
            admin.say("register route://0.0.0.0/*?category=routers&rule=all")
            found = await shown.until(lambda each: bool(each.routers and each.configurators))
            assert (found.routers, found.configurators) == ((ROUTE,), (OVERRIDE,))
            assert [each.port for each in found.endpoints] == [20880]
            stranger.say("unregister " + ROUTE)
            admin.say("unregister " + OVERRIDE)
            found = await shown.until(lambda each: not each.configurators)
            assert found.routers == (ROUTE,)
            assert [each.entry for each in (await registry.listing()).skipped] == []
    assert "it takes back what another host announced" in caplog.text
    assert "it is a rule for no service in particular" in caplog.text


async def test_what_nobody_says_any_more_is_forgotten_with_the_shortest_session_too(port: int) -> None:
    with speaking(port) as admin:
        async with running(port, session_s=1.0) as registry, watching(registry) as shown:
            await shown.fresh()
            admin.say("register " + ROUTE)
            admin.say("register " + JAVA)
            await shown.until(lambda each: each.routers == (ROUTE,) and bool(each.endpoints))
            await shown.until(lambda each: each.routers == () and not each.endpoints)
