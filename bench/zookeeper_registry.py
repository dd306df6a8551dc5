"""How the registry in ZooKeeper bears many services: `python -m bench.zookeeper_registry`.

Needs the server as Debian packages it (`apt-get install zookeeper`). Measured: how long the first lists of all
services take and how long the event loop is held up meanwhile, and how long it takes until a server that was killed and
restarted empty knows all own registrations again.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from kazoo.client import KazooClient

from bench.simple_registry import (
    AGAIN_S,
    FIRST_LOAD_S,
    OWN,
    PROVIDERS,
    SERVICES,
    STALL_S,
    endpoints,
    service,
    watching_stalls,
)
from gateway.cli.collector import tuned_collector
from registry.entries import CATEGORIES, provider_url
from registry.entries import PROVIDERS as PROVIDERS_CATEGORY
from registry.zookeeper.layout import category_path, encode_name, parse_ensemble
from registry.zookeeper.registry import ZookeeperRegistry

_PATIENCE_S: Final = 60.0
_ROOT: Final = "/dubbo"
_CLASSES: Final = "/etc/zookeeper/conf_example:/usr/share/java/zookeeper.jar"
_MAIN: Final = "org.apache.zookeeper.server.quorum.QuorumPeerMain"


class Server:
    """One server on a free port of the loopback, which keeps nothing."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.address = f"127.0.0.1:{self._port}"
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Until it answers; what it had is gone."""
        shutil.rmtree(self._folder / "data", ignore_errors=True)
        settings = self._folder / "zoo.cfg"
        settings.write_text(
            f"tickTime=500\ndataDir={self._folder / 'data'}\nclientPort={self._port}\nclientPortAddress=127.0.0.1\n"
            "admin.enableServer=false\nforceSync=no\n4lw.commands.whitelist=srvr\n"
        )
        self._process = await asyncio.create_subprocess_exec(
            *("java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", _CLASSES, _MAIN, str(settings)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                if await self._is_ready():
                    return
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Kills it."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def _is_ready(self) -> bool:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(b"srvr")
            said = await reader.read(1_000)
            writer.close()
            return b"Mode:" in said
        return False

    async def ask(self, what: Callable[[Any], Any]) -> Any:
        """What `what` finds with a client of its own, in a thread."""

        def asking() -> Any:
            client = KazooClient(self.address)
            client.start()
            try:
                return what(client)
            finally:
                client.stop()
                client.close()

        return await asyncio.to_thread(asking)


@asynccontextmanager
async def started(server: Server) -> AsyncIterator[ZookeeperRegistry]:
    """A registry of our own."""
    made = ZookeeperRegistry(parse_ensemble(server.address))
    await made.start()
    try:
        yield made
    finally:
        await made.aclose()


def fill(client: Any) -> None:
    """Writes what others would announce."""
    for number in range(SERVICES):
        interface = service(number).interface
        made = [client.create_async(category_path(_ROOT, interface, each), makepath=True) for each in CATEGORIES]
        for each in made:
            each.get()
        folder = category_path(_ROOT, interface, PROVIDERS_CATEGORY)
        names = [encode_name(provider_url(each)) for each in endpoints([number], PROVIDERS)]
        for each in [client.create_async(f"{folder}/{name}") for name in names]:
            each.get()


def until_own(client: Any) -> None:
    """Until there is a provider of each of the first services."""
    folders = [category_path(_ROOT, service(number).interface, PROVIDERS_CATEGORY) for number in range(OWN)]
    while True:
        # It shares the process with what is measured, so it looks at all of them in the end only.
        time.sleep(0.1)
        root = client.exists(_ROOT)
        if root is None or root.numChildren < OWN:
            continue
        answers = [client.get_children_async(each) for each in folders]
        if all(answer.wait() and answer.successful() and answer.value for answer in answers):
            return


async def first_load(server: Server) -> tuple[float, float]:
    """Seconds until all services are known, and the longest stall."""
    async with started(server) as made, watching_stalls() as stalls:
        began = time.perf_counter()

        async def know(number: int) -> None:
            async with aclosing(made.watch(service(number))) as snapshots:
                async for snapshot in snapshots:
                    if len(snapshot.endpoints) == PROVIDERS:
                        return

        async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as all_of_them:
            for number in range(SERVICES):
                all_of_them.create_task(know(number))
        return time.perf_counter() - began, stalls.longest_s


async def announce_again(server: Server) -> tuple[float, float]:
    """Seconds from the restart until the server has all own registrations, and the longest stall."""
    await server.stop()
    await server.start()
    async with started(server) as made:
        async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as all_of_them:
            for each in endpoints(range(OWN), 1):
                all_of_them.create_task(made.register(each))
        async with watching_stalls() as stalls:
            await server.stop()
            await server.start()
            began = time.perf_counter()
            async with asyncio.timeout(_PATIENCE_S):
                await server.ask(until_own)
            return time.perf_counter() - began, stalls.longest_s


async def measure() -> int:
    """Prints what was found. Gives the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        await server.start()
        try:
            await server.ask(fill)
            load_s, stall_s = await first_load(server)
            print(
                f"first lists of {SERVICES} services x {PROVIDERS} providers: {load_s:.2f} s (below {FIRST_LOAD_S:g})"
            )
            again_s, again_stall_s = await announce_again(server)
            print(f"{OWN} own registrations after a restart of the server: {again_s:.2f} s (below {AGAIN_S:g})")
            print(f"longest stalls {stall_s * 1000:.0f} and {again_stall_s * 1000:.0f} ms (below {STALL_S * 1000:g})")
        finally:
            await server.stop()
    return int(load_s > FIRST_LOAD_S or again_s > AGAIN_S or max(stall_s, again_stall_s) > STALL_S)


def main() -> None:
    """The command."""
    # As `polyport serve` does it.
    with tuned_collector():
        sys.exit(asyncio.run(measure()))


if __name__ == "__main__":
    main()
