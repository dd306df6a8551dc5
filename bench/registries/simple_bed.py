"""The simple registry, measured: its server and those who fill it are processes of their own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

import uvloop

from bench.ports import free_port
from bench.process import StartFailed
from bench.registries.bed import ServerBed, Watched, opened
from bench.registries.figure import STALL_S, Figure
from bench.registries.population import OWN, PROVIDERS, SERVICES, endpoints
from bench.registries.stall import watching_stalls
from gateway.cli.collector import tuned_collector
from gateway.model.endpoint import parse_address
from gateway.plugins.catalog import Catalog
from gateway.runtime.registry_host import DubboRegistryHost
from gateway.spi.registry import Registry
from registry.simple.registry import SimpleRegistry

__all__ = ["SimpleBed"]

_FILLERS: Final = 5
_LEASE_S: Final = 15.0
_SHORT_LEASE_S: Final = 4.0
_PATIENCE_S: Final = 60.0


class SimpleBed(ServerBed):
    """A gateway's registry that keeps nothing but in memory. `lease_s`: of those who use it."""

    name = "simple"

    def __init__(self, lease_s: float = _SHORT_LEASE_S) -> None:
        port = free_port()
        self._address = f"127.0.0.1:{port}"
        self._lease_s = lease_s
        self._running = AsyncExitStack()
        self._filling = AsyncExitStack()
        self._server: asyncio.subprocess.Process | None = None

    def open(self) -> AbstractAsyncContextManager[Registry]:
        """See `Bed.open`."""
        return opened(_registry(self._address, lease_s=self._lease_s))

    async def start(self) -> None:
        """See `ServerBed.start`."""
        self._server = await self._running.enter_async_context(_child("serve", self._address))

    async def stop(self) -> None:
        """See `ServerBed.stop`."""
        await self._filling.aclose()
        await self._running.aclose()

    async def fill(self) -> None:
        """See `ServerBed.fill`."""
        await self._filling.enter_async_context(_child("fill", self._address))

    async def await_own(self) -> None:
        """See `ServerBed.await_own`."""
        async with opened(_registry(self._address)) as eye:
            await _until_there(eye, OWN)

    async def lose(self, watched: Watched, margin: float) -> Sequence[Figure]:
        """The stall of the server; and ours when it is lost and comes back empty, until its former word counts no more
        and those who announce have filled it again."""
        server = self._server
        assert server is not None
        assert server.stdin is not None
        assert server.stdout is not None
        watched.stalls.longest_s = 0.0
        server.stdin.close()
        of_server_s = float(await server.stdout.readline())
        await self._running.aclose()
        await self.start()
        await asyncio.sleep(self._lease_s * 1.5 + 1)
        # Those who announce may be slower than the lease, all in one process; then lists are short for a while.
        is_kept = watched.complete.is_set()
        async with asyncio.timeout(_PATIENCE_S):
            await watched.complete.wait()
        loss_ms = watched.stalls.longest_s * 1e3
        wanted_ms = STALL_S * 1e3 * margin
        remark = "no list lost anything" if is_kept else "lists were short meanwhile"
        return [
            Figure("longest stall of the server", of_server_s * 1e3, wanted_ms, "ms"),
            Figure("longest stall when the server is lost and comes back empty", loss_ms, wanted_ms, "ms", remark),
        ]


def _registry(*servers: str, serve: str = "", lease_s: float = _LEASE_S) -> SimpleRegistry:
    addresses = [parse_address(each) for each in servers]
    made = SimpleRegistry(parse_address(serve) if serve else None, addresses, lease_s=lease_s)
    made.hosted_by(DubboRegistryHost(Catalog([]), "bench", "bench"))
    return made


async def _until_there(made: SimpleRegistry, wanted: int) -> None:
    """Waits until the server has so many entries."""
    detail = ""
    while detail != f"{wanted} entries":
        await asyncio.sleep(0.02)
        detail = (await made.diagnose())[0].detail


@asynccontextmanager
async def _child(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """This module in a process of its own, which is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.registries.simple_bed", *arguments, stdin=-1, stdout=-1
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_PATIENCE_S):
            if not await process.stdout.readline():
                raise StartFailed(f"bench.registries.simple_bed {arguments[0]} ended")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


# What those processes do.


async def _serve(address: str) -> None:
    """Until the input ends; then says how long it was held up."""
    async with opened(_registry(serve=address)), watching_stalls() as stalls:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(f"{stalls.longest_s:.4f}", flush=True)


async def _fill(address: str) -> None:
    """Announces all providers, as a few clients, until it is killed."""
    shares = [range(first, SERVICES, _FILLERS) for first in range(_FILLERS)]
    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(opened(_registry(address))) for _ in shares]
        eye = await stack.enter_async_context(opened(_registry(address)))
        waiting = []
        for each, share in zip(made, shares, strict=True):
            waiting += [asyncio.create_task(each.register(at)) for at in endpoints(share, PROVIDERS)]
        await _until_there(eye, SERVICES * PROVIDERS)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    Catalog([]).protocol("dubbo")
    # As `polyport serve` does it.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, tuned_collector():
        runner.run({"serve": _serve, "fill": _fill}[sys.argv[1]](sys.argv[2]))
