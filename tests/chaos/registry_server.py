"""Real registries of a row: begun, killed, paused and emptied at one address."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from gateway.cli.registry_target import open_registry
from gateway.config.load import load_text
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App
from gateway.spi.registry_ability import ListedRegistry
from tests.chaos.ground import Ground
from tests.chaos.node import Node, free_port, polyport
from tests.support.redis_server import RedisServer
from tests.support.work_service import Work
from tests.support.zookeeper_server import ZookeeperServer

__all__ = ["KINDS", "SESSION_S", "RegistryServer", "consumer", "listed", "registry_section", "registry_server"]

KINDS: Final = ("zookeeper", "redis", "simple")
SESSION_S: Final = 2.0
"""How long each of them keeps the entries of a process it does not hear."""
_NAMES: Final = {"zookeeper": "session", "redis": "session", "simple": "lease"}
_CONTRACT: Final = "tests.support.work_service:Work"


class RegistryServer(Protocol):
    """One registry. `port`: on the loopback."""

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
        self._server = ZookeeperServer(ground.folder / "zookeeper")
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
        self._server = RedisServer(ground.folder, append=False)
        self.port = self._server.port

    async def start(self) -> None:
        await asyncio.to_thread(self._server.start)

    async def kill(self) -> None:
        await asyncio.to_thread(self._server.kill)

    def send(self, number: signal.Signals) -> None:
        (self._server.pause if number is signal.SIGSTOP else self._server.go_on)()

    async def wipe(self) -> None:
        """Nothing is kept."""


class _Simple:
    """A gateway that is nothing but a registry. It keeps nothing either."""

    def __init__(self, ground: Ground) -> None:
        self.port = free_port()
        options = {"serve": f"127.0.0.1:{self.port}", "lease": f"{SESSION_S:g}s"}
        file = ground.folder / "registry.yaml"
        file.write_text(
            json.dumps(
                {
                    "application": {"name": "registry", "drain": "0s", "last_known": "off"},
                    "registries": {"home": {"type": "simple", "options": options}},
                }
            )
        )
        self._node = Node("registry", self.port, polyport("serve", str(file)), ground.folder / "registry.log")

    async def start(self) -> None:
        await self._node.start()

    async def kill(self) -> None:
        await self._node.close()

    def send(self, number: signal.Signals) -> None:
        self._node.send(number)

    async def wipe(self) -> None:
        """Nothing is kept."""


_SERVERS: Final = {"zookeeper": _Zookeeper, "redis": _Redis, "simple": _Simple}


@asynccontextmanager
async def registry_server(ground: Ground) -> AsyncIterator[RegistryServer]:
    """The registry of the row's kind, running; it is gone afterwards."""
    server: RegistryServer = await asyncio.to_thread(_SERVERS[ground.wire], ground)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()


def registry_section(kind: str, port: int) -> str:
    """The section `registries` of whoever uses it at this port, as one line of YAML."""
    address = f"redis://127.0.0.1:{port}" if kind == "redis" else f"127.0.0.1:{port}"
    options: dict[str, Any] = {"address": address, _NAMES[kind]: f"{SESSION_S:g}s"}
    if kind != "simple":
        options["timeout"] = "1s"
    return "registries: " + json.dumps({"home": {"type": kind, "options": options}})


@asynccontextmanager
async def consumer(kind: str, port: int, **remote: Any) -> AsyncIterator[Work]:
    """Calls `Work` at whomever the registry names. `remote`: further keys of that part."""
    service = {"contract": _CONTRACT, "remote": {"registries": ["home"], "timeout": "2s", **remote}}
    text = [
        "application: {name: consumer, last_known: off, drain: 1s}",
        registry_section(kind, port),
        "services: " + json.dumps({"work": service}),
    ]
    catalog = Catalog()
    async with App(load_text("\n".join(text), "consumer.yaml", catalog), catalog) as app:
        # mypy takes a Protocol for abstract where a class is asked for.
        yield app.reference("work", Work)  # type: ignore[type-abstract,unused-ignore]


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
