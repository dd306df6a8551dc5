"""Z9: providers that are known by multicast alone, at two cards, among packets that come twice, late and forged."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

from bench.ports import free_port
from gateway.model.endpoint import format_address
from tests.chaos.announced import AGAIN_S, CALLERS, PAUSE_S
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.neighbour import Neighbour, neighbour
from tests.chaos.node import Node
from tests.chaos.registry_server import SESSION_S, Consuming, consuming
from tests.chaos.row import Outcome, Row

__all__ = ["ROWS"]


@dataclass(frozen=True, slots=True)
class _Family:
    """`cards`: of two networks, the address here and the one there. `prefix`: their bits. `filter`: the command."""

    group: str
    cards: tuple[tuple[str, str], tuple[str, str]]
    prefix: int
    filter: str


_FAMILIES: Final[Mapping[str, _Family]] = {
    "ipv4": _Family("224.5.6.7", (("10.77.1.1", "10.77.1.2"), ("10.77.2.1", "10.77.2.2")), 24, "iptables"),
    "ipv6": _Family("ff15::1234", (("fd77:1::1", "fd77:1::2"), ("fd77:2::1", "fd77:2::2")), 64, "ip6tables"),
}
_NO_MULTICAST: Final = "containers and many clouds carry no multicast"


@dataclass(frozen=True, slots=True)
class _Member:
    """A provider, and where it is."""

    node: Node
    host: str

    @property
    def address(self) -> str:
        return format_address(self.host, self.node.port)


async def run(ground: Ground) -> Outcome:
    """One provider at each card, and one on this machine."""
    if not ground.drops_packets:
        return Outcome("not without a network of its own", ("cards cannot be had here; run it as root",))
    family = _FAMILIES[ground.wire]
    problems: list[str] = []
    port = free_port()
    section = _section(family.group, port)
    await _without_network(ground, section, problems)
    (left_card, right_card) = family.cards
    async with (
        neighbour("left", *left_card, family.prefix) as left,
        neighbour("right", *right_card, family.prefix) as right,
    ):
        members = await asyncio.gather(
            _provider(ground, "left", left.there, section, left.wrap),
            _provider(ground, "right", right.there, section, right.wrap),
            _provider(ground, "here", left.here, section),
        )
        async with consuming(section) as consumer:
            await _known(consumer, members, problems, "at the start")
            load = Load(consumer.work, callers=CALLERS, pause_s=PAUSE_S)
            async with load.running():
                await _make_noise(ground, (left, right), port, _forged(members[0], members[2]))
                await load.more(50)
                fewest = await _fewest(consumer, 2 * SESSION_S if ground.quick else ground.seconds)
                if fewest < len(members):
                    problems.append(f"forged packets left {fewest} of {len(members)} providers")
                await load.more(50)
                # Nothing of one card is heard for longer than anybody is believed without a word.
                with _deaf(family.filter, right.card):
                    await asyncio.sleep(3 * SESSION_S if ground.quick else ground.seconds)
                    await load.more(50)
                heard_s = await _known(consumer, members, problems, "after silence")
                # What it said before it went comes again after it.
                await members[1].node.stop()
                await _gone(consumer, members[1], problems)
                await load.more(50)
                await members[1].node.start()
                again_s = await _known(consumer, members, problems, "after a restart")
                await load.more(50)
    text, more = judge(load, ground.executed())
    return Outcome(
        f"2 cards: {text}; heard again {heard_s:.1f} s after silence, {again_s:.1f} s after a restart", problems + more
    )


def _section(group: str, port: int) -> str:
    options = {"address": format_address(group, port), "session": f"{SESSION_S:g}s"}
    return "registries: " + json.dumps({"home": {"type": "multicast", "options": options}})


async def _provider(ground: Ground, name: str, host: str, section: str, wrap: Sequence[str] = ()) -> _Member:
    node = await ground.provider(
        name, listener=f', host: "{host}"', service="announce: [home]", more=section, wrap=wrap
    )
    return _Member(node, host)


async def _without_network(ground: Ground, section: str, problems: list[str]) -> None:
    """A network that has not even a loopback: who begins there is told what is wrong."""
    try:
        await ground.provider("nowhere", service="announce: [home]", more=section, wrap=("unshare", "--net"))
    except RuntimeError as exc:
        if "registry home (multicast)" not in str(exc) or _NO_MULTICAST not in str(exc):
            problems.append(f"without a network: {exc}")
    else:
        problems.append("a provider starts where there is no network")


def _forged(*members: _Member) -> list[str]:
    """What takes these back, if it is believed: later than all that they said themselves."""
    query = f"interface=chaos.Work&polyport.revision={10**17}"
    return [f"unregister dubbo://{each.address}/chaos.Work?{query}" for each in members]


async def _make_noise(ground: Ground, neighbours: Sequence[Neighbour], port: int, forged: Sequence[str]) -> None:
    """Every neighbour repeats itself to the end of the row; the last one says what it must not, too."""
    group = _FAMILIES[ground.wire].group
    for each in neighbours:
        texts = forged if each is neighbours[-1] else ()
        command = [*each.wrap, sys.executable, "-m", "tests.chaos.noise", group, str(port), each.there, *texts]
        await ground.started(Node(f"noise-{each.card}", port, command, ground.folder / f"noise-{each.card}.log"))


@contextmanager
def _deaf(command: str, card: str) -> Iterator[None]:
    """Nothing of the group arrives at this card meanwhile; calls do."""
    rule = ("INPUT", "-i", card, "-p", "udp", "-j", "DROP")
    subprocess.run([command, "-A", *rule], check=True)
    try:
        yield
    finally:
        subprocess.run([command, "-D", *rule], check=True)


def _addresses(consumer: Consuming) -> set[str]:
    return {each.endpoint.address for each in consumer.look().invokers}


async def _known(consumer: Consuming, members: Sequence[_Member], problems: list[str], when: str) -> float:
    """Waits until the consumer knows all; gives the seconds it took."""
    began = monotonic()
    wanted = {each.address for each in members}
    while not _addresses(consumer) >= wanted or "missing" in consumer.look().origin:
        if monotonic() - began > AGAIN_S:
            problems.append(f"{when}: {consumer.look().origin}, {len(members)} are there")
            break
        await asyncio.sleep(0.01)
    return monotonic() - began


async def _fewest(consumer: Consuming, seconds: float) -> int:
    """How few are known within that time, not counting those that are only kept."""
    ends, fewest = monotonic() + seconds, len(consumer.look().invokers)
    while monotonic() < ends:
        here = [each for each in consumer.look().invokers if not each.load.missing]
        fewest = min(fewest, len(here))
        await asyncio.sleep(0.01)
    return fewest


async def _gone(consumer: Consuming, member: _Member, problems: list[str]) -> None:
    """It goes at once, and stays away."""
    began = monotonic()
    while member.address in _addresses(consumer):
        if monotonic() - began > SESSION_S:
            problems.append("who withdrew is still there")
            return
        await asyncio.sleep(0.01)
    ends = monotonic() + 2 * SESSION_S
    while monotonic() < ends:
        if member.address in _addresses(consumer):
            problems.append("who withdrew is there again")
            return
        await asyncio.sleep(0.01)


ROWS: Final = (
    Row(
        "Z9",
        "multicast: two cards, packets twice, late, forged, none",
        "no call fails; forged packets change nothing; without a network the start says why",
        run,
        tuple(_FAMILIES),
        cuts_network=True,
        in_quick=False,
    ),
)
