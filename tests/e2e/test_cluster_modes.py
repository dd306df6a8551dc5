"""Every cluster mode from its YAML, over real connections: a consumer, the gateway, and two providers behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import pytest

from gateway import connect
from gateway.model.errors import DeadlineExceeded, NoProvider, Overloaded, ProviderFailed, RpcError
from gateway.runtime.app import App
from gateway.runtime.reference import MethodSettings
from tests.support.ledger_service import Booking, Ledger, Refused
from tests.support.running import running

WIRES: Final = ("dubbo", "http")
DEAD: Final = "{wire}://127.0.0.1:1"
"""Nobody listens there, and the system says so at once."""
PATIENCE_S: Final = 10.0

HOSTING: Final = """
application: {{drain: 100ms}}
listeners:
  in: {{protocol: {wire}, port: 0}}
services:
  hosted:
    contract: tests.support.ledger_service:Ledger
    implementation: tests.support.ledger_service:Booking
    options: {{label: {label}}}
    group: "{group}"
    listeners: [in]
"""

FRONT: Final = """
application: {{drain: 100ms}}
listeners:
  in: {{protocol: {wire}, port: 0}}
services:
  front:
    contract: tests.support.ledger_service:Ledger
    group: front
    listeners: [in]
    remote:
      group: "{group}"
      addresses: [{addresses}]
      timeout: 5s
      {remote}
"""


@asynccontextmanager
async def front(
    wire: str, remote: str, *, dead: bool = False, group: str = "", groups: tuple[str, str] = ("", ""), **options: Any
) -> AsyncIterator[Any]:
    """A client of a gateway in front of providers `one` and `two`. `dead`: before them stands one that is not there."""
    Booking.reset("one", "two")
    async with AsyncExitStack() as stack:
        addresses = [DEAD.format(wire=wire)] if dead else []
        for label, own_group in zip(("one", "two"), groups, strict=True):
            text = HOSTING.format(wire=wire, label=label, group=own_group)
            app = await stack.enter_async_context(running(text))
            suffix = f"?group={own_group}" if own_group else ""
            addresses.append(f"{wire}://{app.listening[0].address}{suffix}")
        quoted = ", ".join(f'"{each}"' for each in addresses)
        text = FRONT.format(wire=wire, group=group, addresses=quoted, remote=remote)
        gateway = await stack.enter_async_context(running(text))
        url = f"{wire}://{gateway.listening[0].address}?group=front"
        options.setdefault("timeout_s", PATIENCE_S)
        yield await stack.enter_async_context(connect(url, Ledger, **options))


def calls() -> tuple[int, int]:
    return Booking.calls["one"], Booking.calls["two"]


async def soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await event.wait()


@pytest.mark.parametrize("wire", WIRES)
async def test_failover_asks_another_provider_and_says_upstream_when_it_gave_up(wire: str) -> None:
    async with front(wire, "cluster: failover", dead=True) as ledger:
        assert await ledger.write(1) in ("one", "two")
        Booking.behaviour.update(one="fail", two="fail")
        before = sum(calls())
        # The consumer would repeat it too, but for the mark.
        with pytest.raises(RpcError, match="got no answer in 3 attempts") as caught:
            await ledger.read()
        assert caught.value.exhausted
        assert sum(calls()) - before <= 3


@pytest.mark.parametrize("wire", WIRES)
async def test_failover_without_a_budget_for_it_repeats_nothing(wire: str) -> None:
    budget = "retry_budget: {share: 0%, per_second: 0, burst: 1}"
    async with front(wire, budget) as ledger:
        Booking.behaviour.update(one="fail", two="fail")
        for attempts in (2, 1, 1):
            before = sum(calls())
            with pytest.raises(Overloaded, match="the retry budget is used up"):
                await ledger.read()
            assert sum(calls()) - before == attempts


@pytest.mark.parametrize("wire", WIRES)
async def test_failsafe_gives_the_empty_value(wire: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "polyport.cluster")
    modes = "methods: {names: {cluster: failsafe}, total: {cluster: {type: failsafe, options: {default: -1}}}}"
    async with front(wire, modes) as ledger:
        assert await ledger.names() in (["one"], ["two"])
        Booking.behaviour.update(one="fail", two="fail")
        assert await ledger.names() == []
        assert await ledger.total() == -1
        with pytest.raises(Overloaded):
            await ledger.read()
    assert [each.getMessage().partition(":")[0] for each in caplog.records if each.name == "polyport.cluster"] == [
        "front/test.Ledger.names",
        "front/test.Ledger.total",
    ]


@pytest.mark.parametrize("wire", WIRES)
async def test_forking_takes_the_first_answer_and_cancels_the_other_attempt(wire: str) -> None:
    async with front(wire, "cluster: {type: forking, options: {forks: 2}}") as ledger:
        Booking.behaviour["one"] = "hang"
        for _ in range(3):
            assert await ledger.read() == "two"
        Booking.behaviour["two"] = "fail"
        Booking.behaviour["one"] = ""
        assert await ledger.read() == "one"
        Booking.behaviour.update(one="refuse", two="hang")
        with pytest.raises(Refused):
            await ledger.read()
        Booking.behaviour.update(one="fail", two="fail")
        with pytest.raises(Overloaded, match="got no answer in 2 attempts") as caught:
            await ledger.read()
        assert caught.value.exhausted
        Booking.behaviour.clear()
        before = sum(calls())
        await ledger.write(1)
        assert sum(calls()) == before + 1


@pytest.mark.parametrize("wire", WIRES)
async def test_hedging_helps_a_call_that_hangs(wire: str) -> None:
    mode = "cluster: {type: forking, options: {delay: 10ms}}\n      balance: random"
    async with front(wire, mode) as ledger:
        Booking.behaviour["one"] = "hang"
        for _ in range(6):
            assert await ledger.read() == "two"


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("parallel", [1, 2])
async def test_broadcast_calls_everybody_and_names_who_failed(wire: str, parallel: int) -> None:
    async with front(wire, f"cluster: {{type: broadcast, options: {{parallel: {parallel}}}}}") as ledger:
        assert await ledger.write(1) == "two"
        await ledger.touch(1)
        for label in ("one", "two"):
            await soon(Booking.arrived[label])
        Booking.behaviour["one"] = "fail"
        with pytest.raises(Overloaded, match=r"failed at 1 of 2 providers: .*one is busy") as caught:
            await ledger.write(1)
        assert caught.value.exhausted
        Booking.behaviour["one"] = "refuse"
        with pytest.raises(Refused):
            await ledger.read()


@pytest.mark.parametrize("wire", WIRES)
async def test_available_keeps_to_the_first_provider_that_is_there(wire: str) -> None:
    async with front(wire, "cluster: available", dead=True) as ledger:
        for _ in range(10):
            assert await ledger.read() == "one"
        assert calls() == (10, 0)


@pytest.mark.parametrize("wire", WIRES)
async def test_mergeable_makes_one_answer_of_all_groups(wire: str) -> None:
    modes = (
        "methods: {names: {cluster: mergeable}, total: {cluster: {type: mergeable, options: {merger: sum, "
        "on_failure: skip}}}}"
    )
    async with front(wire, modes, group="a,b", groups=("a", "b")) as ledger:
        assert await ledger.names() == ["one", "two"]
        assert await ledger.total() == 6
        assert await ledger.write(1) in ("one", "two")
        Booking.behaviour["two"] = "fail"
        assert await ledger.total() == 3
        with pytest.raises(Overloaded, match=r"group 'b' overloaded"):
            await ledger.names()
    async with front(wire, modes, group="*", groups=("b", "a")) as ledger:
        assert sorted(await ledger.names()) == ["one", "two"]


@pytest.mark.parametrize("wire", WIRES)
async def test_sticky_calls_stay_with_their_provider_until_it_fails(wire: str) -> None:
    async with front(wire, "sticky: true") as ledger:
        mine = {await ledger.read() for _ in range(20)}
        assert len(mine) == 1
        (label,) = mine
        Booking.behaviour[label] = "fail"
        other = await ledger.read()
        assert other != label
        Booking.behaviour.clear()
        assert {await ledger.read() for _ in range(20)} == {other}


@pytest.mark.parametrize("wire", WIRES)
async def test_mocks_answer_in_place_of_providers(wire: str) -> None:
    modes = """methods:
        read: {mock: "force:return mocked"}
        names: {mock: {return: [nobody]}}
        total: {mock: fail:throw test.Nope}
        write: {mock: "force:throw"}"""
    async with front(wire, modes) as ledger:
        assert await ledger.read() == "mocked"
        with pytest.raises(ProviderFailed, match="mocked") as caught:
            await ledger.write(1)
        assert caught.value.exhausted
        assert calls() == (0, 0)
        assert await ledger.names() in (["one"], ["two"])
        Booking.behaviour.update(one="fail", two="fail")
        assert await ledger.names() == ["nobody"]
        with pytest.raises(Exception, match=r"test\.Nope"):
            await ledger.total()
        Booking.behaviour.update(one="refuse", two="refuse")
        with pytest.raises(Refused):
            await ledger.names()


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    "mode",
    ["failover", "forking", "{type: forking, options: {delay: 10ms}}", "{type: broadcast, options: {parallel: 2}}"],
)
async def test_a_consumer_that_gives_up_ends_the_attempts_at_the_providers(wire: str, mode: str) -> None:
    async with front(wire, f"cluster: {mode}", deadline_s=0.2) as ledger:
        Booking.behaviour.update(one="hang", two="hang")
        with pytest.raises(DeadlineExceeded):
            await ledger.read()
        for label in ("one", "two"):
            if Booking.arrived[label].is_set() and wire == "http":
                # Over http:// a caller that hangs up is seen; over dubbo:// the deadline travels along.
                await soon(Booking.cancelled[label])


async def test_modes_and_mocks_of_a_client_are_those_of_a_gateway() -> None:
    Booking.reset("one", "two")
    async with AsyncExitStack() as stack:
        urls = []
        for label in ("one", "two"):
            app = await stack.enter_async_context(running(HOSTING.format(wire="dubbo", label=label, group=label)))
            urls.append(f"dubbo://{app.listening[0].address}?group={label}")
        ledger = await stack.enter_async_context(
            connect(
                urls,
                Ledger,
                group="*",
                sticky=True,
                retry_budget={"burst": 10},
                methods={
                    "names": MethodSettings(cluster="mergeable"),
                    "total": MethodSettings(mock={"when": "force", "return": 7}),
                    "write": MethodSettings(cluster={"type": "broadcast", "options": {"parallel": 2}}),
                },
            )
        )
        assert sorted(await ledger.names()) == ["one", "two"]
        assert await ledger.total() == 7
        assert len({await ledger.read() for _ in range(10)}) == 1
        before = calls()
        await ledger.write(1)
        assert (Booking.calls["one"] - before[0], Booking.calls["two"] - before[1]) == (1, 1)


ZONES: Final = """
application: {{drain: 100ms}}
listeners:
  east: {{protocol: {wire}, port: 0}}
  west: {{protocol: {wire}, port: 0}}
  in: {{protocol: {wire}, port: 0}}
registries:
  east: {{type: embedded, zone: east}}
  west: {{type: embedded, zone: west}}
services:
  one:
    contract: tests.support.ledger_service:Ledger
    implementation: tests.support.ledger_service:Booking
    options: {{label: one}}
    listeners: [east]
    announce: [east]
  two:
    contract: tests.support.ledger_service:Ledger
    implementation: tests.support.ledger_service:Booking
    options: {{label: two}}
    listeners: [west]
    announce: [west]
  front:
    contract: tests.support.ledger_service:Ledger
    group: front
    listeners: [in]
    remote:
      registries: [east, west]
      group: ""
      timeout: 5s
      cluster: {{type: zone_aware, options: {{zone: west}}}}
"""


def registry(app: App, name: str) -> Any:
    assert app._plan is not None
    return app._plan.registries[name]


async def withdraw(app: App, name: str) -> None:
    for each in app._announced:
        if each.registry == name:
            await registry(app, name).unregister(each.endpoint)


@pytest.mark.parametrize("wire", WIRES)
async def test_zones_are_kept_to_until_their_registry_has_nobody_left(wire: str) -> None:
    Booking.reset("one", "two")
    async with running(ZONES.format(wire=wire)) as app:
        address = next(each.address for each in app.listening if each.listener == "in")
        url = f"{wire}://{address}?group=front"
        async with (
            connect(url, Ledger) as ledger,
            connect(url, Ledger, attachments={"registry_zone": "east", "registry_zone_force": "true"}) as forced,
        ):
            assert {await ledger.read() for _ in range(10)} == {"two"}
            assert {await forced.read() for _ in range(10)} == {"one"}
            # Trouble in the zone: the call goes on in the other one.
            Booking.behaviour["two"] = "fail"
            assert await ledger.read() == "one"
            Booking.behaviour.clear()
            await withdraw(app, "west")
            assert {await ledger.read() for _ in range(10)} == {"one"}
            await withdraw(app, "east")
            with pytest.raises(NoProvider):
                await forced.read()


async def test_a_registry_that_is_lost_keeps_its_providers_in_use() -> None:
    Booking.reset("one", "two")
    async with running(ZONES.format(wire="dubbo")) as app:
        address = next(each.address for each in app.listening if each.listener == "in")
        async with connect(f"dubbo://{address}?group=front", Ledger) as ledger:
            assert await ledger.read() == "two"
            west = registry(app, "west")
            # Only the watches end, as when the connection to a registry breaks.
            west._closed = True
            for feed in tuple(west._feeds):
                feed.close()
            await asyncio.sleep(0)
            assert {await ledger.read() for _ in range(10)} == {"two"}
