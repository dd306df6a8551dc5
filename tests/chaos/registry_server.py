"""Real registries of a row: begun, killed, paused and emptied at one address."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bench.ports import free_port
from gateway.cli.registry_target import open_registry
from gateway.config.load import load_text
from gateway.plugins.catalog import Catalog
from gateway.routing.providers import Providers
from gateway.runtime.app import App
from gateway.spi.registry_ability import ListedRegistry
from tests.chaos.ground import Ground
from tests.chaos.node import Node, polyport
from tests.support.redis_server import RedisServer
from tests.support.work_service import Work
from tests.support.zookeeper_server import ZookeeperServer

__all__ = [
    "KINDS",
    "SESSION_S",
    "Consuming",
    "RegistryServer",
    "SimpleServer",
    "consumer",
    "consuming",
    "listed",
    "registry_entry",
    "registry_section",
    "registry_server",
]

KINDS: Final = ("zookeeper", "redis", "simple")
SESSION_S: Final = 2.0
"""How long each of them keeps the entries of a process it does not hear."""
_NAMES: Final = {"zookeeper": "session", "redis": "session", "simple": "lease"}
_CONTRACT: Final = "tests.support.work_service:Work"


def _host(ground: Ground) -> str:
    """So that a network of the row's own has a way to it for everybody: that network is nothing but a loopback."""
    return "0.0.0.0" if ground.drops_packets else "127.0.0.1"


class RegistryServer(Protocol):
    """One registry. `port`: on the loopback, at every address of it where packets are dropped."""

    port: int

    async def start(self) -> None:
        """Begins, and waits until it answers."""

    async def kill(self) -> None:
        """Ends as a crash does."""

    def send(self, number: signal.Signals) -> None:
        """Stops it (SIGSTOP), or lets it go on (SIGCONT)."""

    async def wipe(self) -> None:
        """Forgets what it kept; it does not run meanwhile."""


class _Zookeeper:
    def __init__(self, ground: Ground) -> None:
        self._server = ZookeeperServer(ground.folder / "zookeeper", host=_host(ground))
        self.port = self._server.port

    async def start(self) -> None:
        await asyncio.to_thread(self._server.start)

    async def kill(self) -> None:
        await asyncio.to_thread(self._server.kill)

    def send(self, number: signal.Signals) -> None:
        (self._server.pause if number is signal.SIGSTOP else self._server.go_on)()

    async def wipe(self) -> None:
        await asyncio.to_thread(self._server.wipe)


class _Redis:
    """It keeps nothing from one start to the next."""

    def __init__(self, ground: Ground) -> None:
        # Whom it does not know it serves only on the loopback, which is all there is.
        more = ("--bind", _host(ground), "--protected-mode", "no") if ground.drops_packets else ()
        self._server = RedisServer(ground.folder, *more, append=False)
        self.port = self._server.port

    async def start(self) -> None:
        await asyncio.to_thread(self._server.start)

    async def kill(self) -> None:
        await asyncio.to_thread(self._server.kill)

    def send(self, number: signal.Signals) -> None:
        (self._server.pause if number is signal.SIGSTOP else self._server.go_on)()

    async def wipe(self) -> None:
        """Nothing is kept."""


class SimpleServer:
    """A gateway that is nothing but a registry. It keeps nothing either. `peers`: addresses of others like it."""

    def __init__(self, ground: Ground, name: str = "registry", port: int = 0, peers: Sequence[str] = ()) -> None:
        self.port = port or free_port()
        options = {"serve": f"{_host(ground)}:{self.port}", "lease": f"{SESSION_S:g}s"}
        if peers:
            options["address"] = ",".join(peers)
        file = ground.folder / f"{name}.yaml"
        file.write_text(
            json.dumps(
                {
                    "application": {"name": name, "drain": "0s", "last_known": "off"},
                    "registries": {"home": {"type": "simple", "options": options}},
                }
            )
        )
        self._node = Node(name, self.port, polyport("serve", str(file)), ground.folder / f"{name}.log")

    async def start(self) -> None:
        await self._node.start()

    async def kill(self) -> None:
        await self._node.close()

    def send(self, number: signal.Signals) -> None:
        self._node.send(number)

    async def wipe(self) -> None:
        """Nothing is kept."""


_SERVERS: Final = {"zookeeper": _Zookeeper, "redis": _Redis, "simple": SimpleServer}


@asynccontextmanager
async def registry_server(ground: Ground) -> AsyncIterator[RegistryServer]:
    """The registry of the row's kind, running; it is gone afterwards."""
    server: RegistryServer = await asyncio.to_thread(_SERVERS[ground.wire], ground)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()


def registry_entry(kind: str, address: str, session_s: float = SESSION_S) -> Mapping[str, Any]:
    """What stands below its name in the section `registries` of whoever uses it at this address."""
    at = f"redis://{address}" if kind == "redis" else address
    options: dict[str, Any] = {"address": at, _NAMES[kind]: f"{session_s:g}s"}
    if kind != "simple":
        options["timeout"] = "1s"
    return {"type": kind, "options": options}


def registry_section(kind: str, address: str, session_s: float = SESSION_S) -> str:
    """The section `registries` with that one, called `home`, as one line of YAML."""
    return "registries: " + json.dumps({"home": registry_entry(kind, address, session_s)})


@dataclass(frozen=True, slots=True)
class Consuming:
    """A consumer that runs. `look`: what it knows of the providers at that moment."""

    work: Work
    look: Callable[[], Providers]


@asynccontextmanager
async def consuming(section: str, **remote: Any) -> AsyncIterator[Consuming]:
    """Calls `Work` at whomever the registry `home` of this section names. `remote`: further keys of that part."""
    service = {"contract": _CONTRACT, "remote": {"registries": ["home"], "timeout": "2s", **remote}}
    text = [
        "application: {name: consumer, last_known: off, drain: 1s}",
        section,
        "services: " + json.dumps({"work": service}),
    ]
    catalog = Catalog()
    async with App(load_text("\n".join(text), "consumer.yaml", catalog), catalog) as app:
        assert app._plan is not None
        directory = app._plan.directories["work"]
        # mypy takes a Protocol for abstract where a class is asked for.
        work = app.reference("work", Work)  # type: ignore[type-abstract,unused-ignore]
        yield Consuming(work, lambda: directory.providers)


@asynccontextmanager
async def consumer(kind: str, port: int, **remote: Any) -> AsyncIterator[Work]:
    """`consuming`, at the registry of this kind and port, and only the calls of it."""
    async with consuming(registry_section(kind, f"127.0.0.1:{port}"), **remote) as made:
        yield made.work


async def listed(kind: str, port: int) -> Mapping[str, str]:
    """Who is in it now, asked by somebody new: application by address."""
    registry = open_registry(f"{kind}://127.0.0.1:{port}?{_NAMES[kind]}={SESSION_S:g}s", None)
    await registry.start()
    try:
        assert isinstance(registry, ListedRegistry)
        listing = await registry.listing()
        return {each.address: each.parameters.get("application", "") for each in listing.endpoints}
    finally:
        await registry.aclose()
