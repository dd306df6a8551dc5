import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable

import pytest

from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ContractError
from gateway.routing.directory import Directory
from gateway.spi.registry import Freshness, Registry, Snapshot
from registry.direct import DirectRegistry
from registry.embedded import EmbeddedHub, EmbeddedRegistry
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import SERVICE, FakeInvoker, endpoint

FRESH, STALE, UNKNOWN = Freshness.FRESH, Freshness.STALE, Freshness.UNKNOWN


class ScriptedRegistry(DirectRegistry):
    """Says what the test puts into its queue: snapshots, or an exception that ends the watch."""

    def __init__(self) -> None:
        super().__init__([])
        self.script: asyncio.Queue[Snapshot | Exception] = asyncio.Queue()
        self.watches = 0

    def say(self, freshness: Freshness, *endpoints: Endpoint) -> None:
        self.script.put_nowait(Snapshot(SERVICE, endpoints, freshness))

    async def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        self.watches += 1
        while True:
            said = await self.script.get()
            if isinstance(said, Exception):
                raise said
            yield said

    async def heard(self) -> None:
        """Waits until everything that was said has been taken."""
        while not self.script.empty():
            await asyncio.sleep(0)
        await asyncio.sleep(0)


class Opener:
    """Opens fake invokers and remembers them; refuses the ports in ``refused``."""

    def __init__(self) -> None:
        self.opened: list[FakeInvoker] = []
        self.refused: dict[int, Exception] = {}

    def __call__(self, endpoint: Endpoint) -> FakeInvoker:
        if endpoint.port in self.refused:
            raise self.refused[endpoint.port]
        invoker = FakeInvoker(endpoint)
        self.opened.append(invoker)
        return invoker


def ports(directory: Directory) -> list[int]:
    return [each.endpoint.port for each in directory.providers.invokers]


async def settle(condition: Callable[[], bool]) -> None:
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("did not happen")


@pytest.fixture
def opener() -> Opener:
    return Opener()


async def started(
    opener: Opener, *endpoints: Endpoint, protocols: Iterable[str] | None = None
) -> tuple[Directory, ScriptedRegistry]:
    source = ScriptedRegistry()
    source.say(FRESH, *endpoints)
    directory = Directory(SERVICE, {"script": source}, opener, protocols=protocols)
    assert await directory.start(5.0)
    return directory, source


async def test_a_fixed_list_and_an_embedded_registry_are_found_the_same_way(opener: Opener) -> None:
    hub = EmbeddedHub()
    for source in (DirectRegistry([endpoint(1), endpoint(2)]), EmbeddedRegistry(hub)):
        if isinstance(source, EmbeddedRegistry):
            await source.register(endpoint(1))
            await source.register(endpoint(2))
        registry: Registry = source
        directory = Directory(SERVICE, {"it": registry}, opener)
        assert await directory.start(5.0)
        assert ports(directory) == [1, 2]
        assert directory.providers.origin == "registry 2"
        await directory.aclose()


async def test_a_registry_that_is_lost_and_found_costs_nothing_for_each_provider(opener: Opener) -> None:
    directory, source = await started(opener, endpoint(1), endpoint(2))
    invokers = directory.providers.invokers
    source.say(STALE, endpoint(1), endpoint(2))
    await source.heard()
    assert directory.providers.origin == "registry 2 (stale)"
    assert directory.providers.invokers is invokers
    source.say(FRESH, endpoint(1), endpoint(2))
    await source.heard()
    assert directory.providers.origin == "registry 2"
    assert directory.providers.invokers is invokers
    source.say(FRESH, endpoint(2))
    await source.heard()
    assert ports(directory) == [2]
    await directory.aclose()


async def test_invokers_of_unchanged_providers_are_kept_and_the_others_opened_and_closed(opener: Opener) -> None:
    directory, source = await started(opener, endpoint(1), endpoint(2))
    first, second = opener.opened
    source.say(FRESH, endpoint(3), endpoint(1))
    await source.heard()
    assert directory.providers.invokers == (opener.opened[2], first)
    await settle(lambda: second.closed == 1)
    assert first.closed == 0
    await directory.aclose()
    assert [each.closed for each in opener.opened] == [1, 1, 1]


async def test_a_changed_weight_reaches_the_living_invoker(opener: Opener) -> None:
    directory, source = await started(opener, endpoint(1))
    source.say(FRESH, endpoint(1, weight=7))
    await source.heard()
    assert len(opener.opened) == 1
    assert opener.opened[0].load.weight == 7
    await directory.aclose()


async def test_changed_parameters_make_it_another_provider(opener: Opener) -> None:
    directory, source = await started(opener, endpoint(1, parameters={"token": "a"}))
    source.say(FRESH, endpoint(1, parameters={"token": "b"}))
    await source.heard()
    old, new = opener.opened
    assert directory.providers.invokers == (new,)
    await settle(lambda: old.closed == 1)
    await directory.aclose()


async def test_only_endpoints_of_the_service_and_protocol_are_used_and_the_rest_is_counted(opener: Opener) -> None:
    directory, _ = await started(
        opener,
        endpoint(1),
        endpoint(2, protocol="rmi"),
        endpoint(3, ServiceKey("demo.Catalog", version="1.0.0")),
        endpoint(4, ServiceKey("demo.Catalog", group="blue")),
        protocols=["dubbo"],
    )
    assert ports(directory) == [1]
    assert directory.providers.origin == "registry 4 (3 not for this reference)"
    await directory.aclose()


@pytest.mark.parametrize(("group", "expected"), [("*", [1, 4, 5, 1]), ("blue, red", [4, 5, 1]), ("blue", [4])])
async def test_a_group_may_stand_for_several(opener: Opener, group: str, expected: list[int]) -> None:
    blue, red = ServiceKey("demo.Catalog", group="blue"), ServiceKey("demo.Catalog", group="red")
    source = ScriptedRegistry()
    # One address may serve several groups.
    other = ServiceKey("demo.Catalog", "blue", "1.0.0")
    source.say(FRESH, endpoint(1), endpoint(3, other), endpoint(4, blue), endpoint(5, red), endpoint(1, red))
    directory = Directory(ServiceKey("demo.Catalog", group), {"script": source}, opener)
    assert await directory.start(5.0)
    assert ports(directory) == expected
    await directory.aclose()


@pytest.mark.parametrize("kind", ["direct", "embedded"])
@pytest.mark.parametrize(("group", "expected"), [("*", [1, 4, 5]), ("red,blue", [4, 5])])
async def test_the_registries_here_know_groups_that_stand_for_several(
    opener: Opener, kind: str, group: str, expected: list[int]
) -> None:
    blue, red = ServiceKey("demo.Catalog", group="blue"), ServiceKey("demo.Catalog", group="red")
    known = [endpoint(1), endpoint(3, ServiceKey("demo.Types")), endpoint(4, blue), endpoint(5, red)]
    embedded = EmbeddedRegistry()
    registry: Registry = DirectRegistry(known) if kind == "direct" else embedded
    directory = Directory(ServiceKey("demo.Catalog", group), {"it": registry}, opener)
    if kind == "embedded":
        for each in known[:-1]:
            await embedded.register(each)
    assert await directory.start(5.0)
    if kind == "embedded":
        # Announced while it is watched.
        await embedded.register(known[-1])
    assert ports(directory) == expected
    await directory.aclose()


async def test_the_registry_of_a_provider_is_the_first_that_names_it_now(opener: Opener) -> None:
    east, west = ScriptedRegistry(), ScriptedRegistry()
    east.say(FRESH, endpoint(1), endpoint(2))
    west.say(FRESH, endpoint(2), endpoint(3))
    directory = Directory(SERVICE, {"east": east, "west": west}, opener)
    assert await directory.start(5.0)

    def registries() -> dict[int, str]:
        return {each.endpoint.port: each.load.registry for each in directory.providers.invokers}

    assert registries() == {1: "east", 2: "east", 3: "west"}
    east.say(FRESH, endpoint(1))
    await east.heard()
    assert registries() == {1: "east", 2: "west", 3: "west"}
    assert len(opener.opened) == 3
    await directory.aclose()


async def test_protocols_may_be_admitted_later_and_those_before_stay(opener: Opener) -> None:
    directory, _ = await started(opener, endpoint(1), endpoint(2, protocol="rmi"), protocols=["dubbo"])
    (first,) = opener.opened
    directory.admit(["rmi", "http"])
    assert ports(directory) == [1, 2]
    assert directory.providers.invokers[0] is first
    assert directory.providers.origin == "registry 2"
    before = directory.providers
    directory.admit(["dubbo"])
    assert directory.providers is before
    await directory.aclose()
    directory.admit(["soap"])
    assert directory.providers.invokers == ()


async def test_without_time_to_wait_nobody_is_called_silent_who_has_spoken(
    opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    spoken = Directory(SERVICE, {"it": DirectRegistry([endpoint(1)])}, opener)
    assert await spoken.start(0)
    silent = Directory(SERVICE, {"quiet": ScriptedRegistry()}, opener)
    assert not await silent.start(0)
    lines = [each.getMessage() for each in caplog.records if "no providers known yet" in each.getMessage()]
    assert lines[-1].partition(" after ")[0].endswith("from registry quiet")
    assert not any("from registry  " in line for line in lines)
    await spoken.aclose()
    await silent.aclose()


async def test_without_a_protocol_all_protocols_are_used(opener: Opener) -> None:
    directory, _ = await started(opener, endpoint(1), endpoint(2, protocol="rmi"))
    assert ports(directory) == [1, 2]
    await directory.aclose()


@pytest.mark.parametrize("freshness", [STALE, UNKNOWN])
async def test_a_registry_that_cannot_be_asked_never_empties_the_list(opener: Opener, freshness: Freshness) -> None:
    directory, source = await started(opener, endpoint(1))
    source.say(freshness)
    await source.heard()
    assert ports(directory) == [1]
    assert directory.providers.origin == "registry 1 (stale)"
    source.say(freshness, endpoint(2, protocol="rmi", service=ServiceKey("other")))
    await source.heard()
    assert ports(directory) == [1]
    source.say(FRESH)
    await source.heard()
    assert directory.providers.invokers == ()
    assert directory.providers.origin == "registry 0"
    await directory.aclose()


async def test_a_stale_list_is_better_than_none(opener: Opener) -> None:
    source = ScriptedRegistry()
    source.say(UNKNOWN)
    source.say(STALE, endpoint(1), endpoint(2))
    directory = Directory(SERVICE, {"script": source}, opener)
    assert directory.providers.origin == "registry unknown"
    assert await directory.start(5.0)
    assert ports(directory) == [1, 2]
    assert directory.providers.origin == "registry 2 (stale)"
    await directory.aclose()


async def test_start_waits_no_longer_than_told_and_the_watch_goes_on(
    opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    source = ScriptedRegistry()
    source.say(UNKNOWN)
    directory = Directory(SERVICE, {"silent": source}, opener)
    assert not await directory.start(0.01)
    assert "no providers known yet from registry silent after 0.01 s" in caplog.text
    source.say(FRESH, endpoint(1))
    await source.heard()
    assert ports(directory) == [1]
    await directory.aclose()


async def test_a_watch_that_fails_is_begun_again_ever_later_and_keeps_the_list(
    opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    source = ScriptedRegistry()
    source.say(FRESH, endpoint(1))
    directory = Directory(SERVICE, {"script": source}, opener, sleep=clock.sleep, uniform=lambda: 1.0)
    assert await directory.start(5.0)
    for _ in range(8):
        source.script.put_nowait(ConnectionError("gone\naway"))
        await clock.until_asleep()
        assert ports(directory) == [1]
        assert directory.providers.origin == "registry 1 (stale)"
        clock.advance(60)
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert "cannot watch registry script, keeping its last list and asking again in 0.5 s" in caplog.text
    assert "ConnectionError: gone\\naway" in caplog.text
    source.say(FRESH, endpoint(2))
    await settle(lambda: ports(directory) == [2])
    assert directory.providers.origin == "registry 1"
    source.script.put_nowait(ConnectionError("again"))
    await clock.until_asleep()
    assert clock.slept[-1] == 0.5
    await directory.aclose()


async def test_a_watch_that_ends_is_begun_again(opener: Opener) -> None:
    clock = FakeClock()
    hub = EmbeddedHub()
    other, source = EmbeddedRegistry(hub), EmbeddedRegistry(hub)
    await other.register(endpoint(1))
    directory = Directory(SERVICE, {"embedded": source}, opener, sleep=clock.sleep, uniform=lambda: 0.0)
    assert await directory.start(5.0)
    await source.aclose()
    await clock.until_asleep()
    assert clock.slept == [0.25]
    assert ports(directory) == [1]
    await directory.aclose()


async def test_a_provider_that_cannot_be_opened_is_left_out_and_logged_once(
    opener: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    opener.refused = {2: ContractError("demo.Product: no form on this wire"), 3: KeyError("a bug of the plug-in")}
    directory, source = await started(opener, endpoint(1), endpoint(2), endpoint(3), endpoint(4))
    assert ports(directory) == [1, 4]
    assert directory.providers.origin == "registry 4 (2 refused)"
    source.say(FRESH, endpoint(1), endpoint(2), endpoint(4))
    await source.heard()
    lines = [record for record in caplog.records if "left out" in record.getMessage()]
    assert [line.getMessage() for line in lines] == [
        "demo.Catalog: provider dubbo://10.0.0.1:2 left out: ContractError: demo.Product: no form on this wire",
        "demo.Catalog: provider dubbo://10.0.0.1:3 left out: KeyError: 'a bug of the plug-in'",
    ]
    assert [bool(line.exc_info) for line in lines] == [False, True]
    opener.refused = {}
    source.say(FRESH, endpoint(1), endpoint(2))
    await source.heard()
    assert ports(directory) == [1, 2]
    await directory.aclose()


async def test_several_registries_are_one_list_without_doubles(opener: Opener) -> None:
    one, two = ScriptedRegistry(), ScriptedRegistry()
    directory = Directory(SERVICE, {"one": one, "two": two}, opener)
    one.say(FRESH, endpoint(1, weight=10), endpoint(2))
    two.say(FRESH, endpoint(1, weight=20), endpoint(3))
    assert await directory.start(5.0)
    assert sorted(ports(directory)) == [1, 2, 3]
    assert next(each for each in opener.opened if each.endpoint.port == 1).load.weight == 10
    two.say(STALE)
    await two.heard()
    assert sorted(ports(directory)) == [1, 2, 3]
    one.say(FRESH)
    await one.heard()
    assert ports(directory) == [1, 3]
    await directory.aclose()


async def test_the_snapshot_a_call_holds_does_not_change(opener: Opener) -> None:
    directory, source = await started(opener, endpoint(1))
    held = directory.providers
    source.say(FRESH, endpoint(2))
    await source.heard()
    assert [each.endpoint.port for each in held.invokers] == [1]
    await directory.aclose()


async def test_closing_waits_for_invokers_that_finish_their_calls(opener: Opener) -> None:
    directory, source = await started(opener, endpoint(1), endpoint(2))
    finish = asyncio.Event()
    for each in opener.opened:
        each.finish_closing = finish
    source.say(FRESH, endpoint(2))
    await source.heard()
    closing = asyncio.create_task(directory.aclose())
    await settle(lambda: [each.closed for each in opener.opened] == [1, 1])
    assert not closing.done()
    assert directory.providers.origin == "closed"
    finish.set()
    await closing


async def test_an_invoker_that_never_closes_is_given_up(
    opener: Opener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.routing.directory._CLOSE_S", 0.01)
    directory, _ = await started(opener, endpoint(1))
    opener.opened[0].finish_closing = asyncio.Event()
    await directory.aclose()
    assert "gave up closing 1 providers" in caplog.text
    assert len(asyncio.all_tasks()) == 1


async def test_an_invoker_that_fails_to_close_harms_nobody(opener: Opener, caplog: pytest.LogCaptureFixture) -> None:
    class Clinging(FakeInvoker):
        async def aclose(self) -> None:
            raise OSError("cannot close")

    source = ScriptedRegistry()
    source.say(FRESH, endpoint(1))
    directory = Directory(SERVICE, {"script": source}, Clinging)
    await directory.start(5.0)
    with caplog.at_level(logging.ERROR):
        await directory.aclose()
    assert "could not be closed cleanly" in caplog.text


async def test_closing_twice_or_before_the_start_is_fine(opener: Opener) -> None:
    directory = Directory(SERVICE, {"script": ScriptedRegistry()}, opener)
    await directory.aclose()
    directory, _ = await started(opener, endpoint(1))
    await directory.aclose()
    await directory.aclose()
    assert opener.opened[0].closed == 1


async def test_a_directory_without_registries_knows_nobody(opener: Opener) -> None:
    directory = Directory(SERVICE, {}, opener)
    assert await directory.start(5.0)
    assert directory.providers.invokers == ()
    await directory.aclose()
