"""The protocol of each consumer, over real connections: chosen, fallen back to, forbidden, swapped while calls run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from gateway import App, connect
from gateway.config.load import load_text
from gateway.model.errors import NoProvider
from gateway.plugins.catalog import Catalog
from gateway.routing.selection import ProtocolOrder, SelectionTable, ServiceSelection
from tests.support.probe_service import Probe, Probing

WIRES: Final = ("dubbo", "http")

# Two providers of one service, each on a protocol of its own and answering with its name; in front of them the
# gateway, which shows the service on both protocols under another group.
CONFIG: Final = """
application: {{name: front}}
listeners:
  dubbo: {{protocol: dubbo, port: 0}}
  http: {{protocol: http, port: 0}}
registries:
  local: {{type: embedded}}
services:
  over-dubbo:
    contract: tests.support.probe_service:Probe
    implementation: tests.support.probe_service:Probing
    options: {{label: dubbo}}
    listeners: [dubbo]
    announce: {dubbo}
  over-http:
    contract: tests.support.probe_service:Probe
    implementation: tests.support.probe_service:Probing
    options: {{label: http}}
    listeners: [http]
    announce: {http}
  front:
    contract: tests.support.probe_service:Probe
    group: front
    listeners: [dubbo, http]
    remote: {{registries: [local], group: "", {remote}}}
consumers:
  billing: {{protocol: http}}
  legacy: {{protocol: dubbo}}
  strict: {{protocol: http, fallback: false}}
  mixed: {{protocol: dubbo, services: {{front: {{protocol: http}}}}}}
"""


class Gateway:
    """The running app and the URLs of `front`, by protocol."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.urls = {each.protocol: f"{each.protocol}://{each.address}?group=front" for each in app.listening}

    async def answers(self, wire: str, consumer: str, calls: int = 5) -> set[str]:
        """Who answers calls that `consumer` makes over `wire`."""
        async with connect(self.urls[wire], Probe, consumer=consumer) as probe:
            return {await probe.name() for _ in range(calls)}


@asynccontextmanager
async def gateway(*, dubbo: bool = True, http: bool = True, remote: str = "timeout: 5s") -> AsyncIterator[Gateway]:
    """`dubbo`, `http`: which of the two providers is announced."""
    Probing.reset()
    announced = {True: "[local]", False: "[]"}
    catalog = Catalog([])
    text = CONFIG.format(dubbo=announced[dubbo], http=announced[http], remote=remote)
    async with App(load_text(text, "front.yaml", catalog), catalog) as app:
        yield Gateway(app)


@pytest.mark.parametrize("wire", WIRES)
async def test_consumers_known_over_any_wire_are_sent_over_their_own_protocol(wire: str) -> None:
    async with gateway() as front:
        assert await front.answers(wire, "billing") == {"http"}
        assert await front.answers(wire, "legacy") == {"dubbo"}
        assert await front.answers(wire, "strict") == {"http"}
        assert await front.answers(wire, "mixed") == {"http"}


@pytest.mark.parametrize(
    ("remote", "expected"), [("timeout: 5s", "dubbo"), ("protocol: dubbo", "dubbo"), ("protocol: http", "http")]
)
async def test_everybody_else_gets_what_the_service_says_or_the_first_protocol_of_the_gateway(
    remote: str, expected: str
) -> None:
    async with gateway(remote=remote) as front:
        assert await front.answers("dubbo", "somebody", calls=20) == {expected}
        assert await front.answers("http", "somebody", calls=20) == {expected}


@pytest.mark.parametrize("wire", WIRES)
async def test_without_a_provider_of_the_first_choice_the_next_answers_unless_that_is_forbidden(
    wire: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway(http=False) as front:
        assert await front.answers(wire, "billing") == {"dubbo"}
        said = [each.getMessage() for each in caplog.records if each.name == "polyport.selection"]
        assert len(said) == 1
        assert "for consumer billing: no provider over http, going on over dubbo" in said[0]
        with pytest.raises(NoProvider, match=r"registry 1, protocol http 0 \(consumer strict\), after rules 0"):
            await front.answers(wire, "strict")
        assert await front.answers(wire, "legacy") == {"dubbo"}


async def test_callers_in_this_process_are_consumers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with gateway() as front:
        assert await front.app.reference("front", Probe, consumer="billing").name() == "http"
        assert await front.app.reference("front", Probe).name() == "dubbo"
        monkeypatch.setenv("POLYPORT_CONSUMER", "billing")
        assert await front.app.reference("front", Probe).name() == "http"
        assert await front.app.reference("front", Probe, consumer="legacy").name() == "dubbo"


@pytest.mark.parametrize(("protocol", "expected"), [(None, "dubbo"), ("http", "http"), (("http", "dubbo"), "http")])
async def test_a_client_of_several_urls_calls_over_one_protocol(
    protocol: str | tuple[str, ...] | None, expected: str
) -> None:
    async with gateway() as front:
        urls = [front.urls[wire].replace("group=front", "group=") for wire in ("http", "dubbo")]
        chosen = connect(urls, Probe, protocol=protocol) if protocol is not None else connect(urls, Probe)
        async with chosen as probe:
            assert {await probe.name() for _ in range(20)} == {expected}


async def test_swapping_the_protocols_under_load_loses_no_call() -> None:
    async with gateway() as front:
        Probing.expect("k")
        plan = front.app._plan
        assert plan is not None
        selector = plan.selector
        turned = SelectionTable({"front": ServiceSelection(ProtocolOrder(("http", "dubbo"), written=True))})
        before = selector.current
        async with connect(front.urls["dubbo"], Probe, timeout_s=10.0, retries=0) as probe:
            in_flight = asyncio.create_task(probe.wait("k"))
            await Probing.entered["k"].wait()
            for turn in range(40):
                table, first = (turned, "http") if turn % 2 == 0 else (before, "dubbo")
                selector.swap(table)
                calls = [asyncio.create_task(probe.name()) for _ in range(16)]
                # The other fifteen are anywhere between here and their provider when the table changes again.
                assert await calls[0] == first
                selector.swap(before if table is turned else turned)
                answers = await asyncio.gather(*calls)
                assert len(answers) == 16
                assert set(answers) <= {"dubbo", "http"}
            selector.swap(turned)
            assert await probe.name() == "http"
            Probing.released["k"].set()
            assert await in_flight == "dubbo"
