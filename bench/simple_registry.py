"""How the simple registry bears many services: `python -m bench.simple_registry`.

A server in a process of its own, filled by another one. Measured here: how long the first lists of all services take,
how long this process and the server hold up their event loops meanwhile, and how long it takes until a server that was
killed and restarted empty knows everything again that this process announces.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from gateway.cli.collector import tuned_collector
from gateway.model.endpoint import Endpoint, ServiceKey, parse_address
from gateway.plugins.catalog import Catalog
from gateway.runtime.registry_host import DubboRegistryHost
from registry.simple.registry import SimpleRegistry

SERVICES = 1_000
PROVIDERS = 50
OWN = 5_000
FIRST_LOAD_S = 3.0
STALL_S = 0.05
AGAIN_S = 10.0
"""What is wanted, seconds."""
_FILLERS = 5
_PATIENCE_S = 60.0
_TICK_S = 0.002
_SHORT_LEASE_S = 4.0


class Stalls:
    """The longest time the event loop worked without looking at anything else.

    Seconds of this thread's CPU: on a machine that others use as well, time that passes says little.
    """

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        """Runs until it is cancelled."""
        while True:
            began = time.thread_time()
            await asyncio.sleep(_TICK_S)
            self.longest_s = max(self.longest_s, time.thread_time() - began - _TICK_S)


@asynccontextmanager
async def watching_stalls() -> AsyncIterator[Stalls]:
    """Stalls within the block."""
    stalls = Stalls()
    task = asyncio.create_task(stalls.watch())
    try:
        yield stalls
    finally:
        task.cancel()


@asynccontextmanager
async def registry(*servers: str, serve: str = "", lease_s: float = 15.0) -> AsyncIterator[SimpleRegistry]:
    """A started one."""
    addresses = [parse_address(each) for each in servers]
    made = SimpleRegistry(parse_address(serve) if serve else None, addresses, lease_s=lease_s)
    made.hosted_by(DubboRegistryHost(Catalog([]), "bench", "bench"))
    await made.start()
    try:
        yield made
    finally:
        await made.aclose()


def endpoints(services: Sequence[int], providers: int) -> list[Endpoint]:
    """`providers` of each service, with parameters as they are."""
    parameters = {"application": "bench-provider", "timestamp": "1767225600500", "warmup": "60000", "token": "x" * 32}
    return [
        Endpoint("dubbo", f"10.0.{number // 200}.{number % 200}", 20880, service(each), 100, parameters)
        for each in services
        for number in range(providers)
    ]


def service(number: int) -> ServiceKey:
    """One of many."""
    return ServiceKey(f"com.example.bench.Service{number:04}", "", "1.0.0")


async def serve(address: str) -> None:
    """The server's process, until its input ends."""
    async with registry(serve=address) as made, watching_stalls() as stalls:
        print(made.address, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(f"{stalls.longest_s:.4f}", flush=True)


async def fill(address: str) -> None:
    """The process that announces all providers."""
    shares = [range(first, SERVICES, _FILLERS) for first in range(_FILLERS)]
    made = [registry(address) for _ in shares]
    opened = [await each.__aenter__() for each in made]
    began = time.perf_counter()
    waiting = []
    for each, share in zip(opened, shares, strict=True):
        waiting += [asyncio.create_task(each.register(at)) for at in endpoints(share, PROVIDERS)]
    async with registry(address) as eye:
        await until_there(eye, SERVICES * PROVIDERS)
    print(f"{time.perf_counter() - began:.2f}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def child(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """This module in a process of its own, and the first line it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.simple_registry", *arguments, stdin=-1, stdout=-1
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_PATIENCE_S):
            line = await process.stdout.readline()
        yield process, line.decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Load:
    """Seconds: until all services were known, the longest stall meanwhile, and the longest one when the server was
    lost, came back empty and was filled again, until what the former one said counted no more."""

    known_s: float
    stall_s: float
    loss_stall_s: float


async def load(server: asyncio.subprocess.Process, address: str) -> tuple[Load, float]:
    """Knows all services, and goes through the loss of the server. Gives the longest stall of the server as well."""
    assert server.stdin is not None
    assert server.stdout is not None
    async with registry(address, lease_s=_SHORT_LEASE_S) as made, watching_stalls() as stalls:
        began = time.perf_counter()
        counts: dict[int, int] = {}
        known = asyncio.Event()

        async def know(number: int) -> None:
            async with aclosing(made.watch(service(number))) as snapshots:
                async for snapshot in snapshots:
                    counts[number] = len(snapshot.endpoints)
                    if len(counts) == SERVICES and min(counts.values()) == PROVIDERS:
                        known.set()

        watches = [asyncio.create_task(know(number)) for number in range(SERVICES)]
        async with asyncio.timeout(_PATIENCE_S):
            await known.wait()
        known_s, stall_s = time.perf_counter() - began, stalls.longest_s
        stalls.longest_s = 0.0
        server.stdin.close()
        server_stall_s = float(await server.stdout.readline())
        await server.wait()
        async with child("serve", address):
            await asyncio.sleep(_SHORT_LEASE_S * 1.5 + 1)
            if set(counts.values()) != {PROVIDERS}:
                print("lists were lost with the server")
        for each in watches:
            each.cancel()
        return Load(known_s, stall_s, stalls.longest_s), server_stall_s


async def announce_again() -> tuple[float, float]:
    """Seconds from the restart of a server that was killed until it knows all own registrations, and the longest
    stall."""
    async with child("serve", "127.0.0.1:0") as (first, address), registry(address) as made:
        own = endpoints(range(OWN), 1)
        await asyncio.gather(*(made.register(each) for each in own))
        async with watching_stalls() as stalls:
            first.kill()
            await first.wait()
            await asyncio.sleep(1)
            async with child("serve", address):
                began = time.perf_counter()
                async with asyncio.timeout(_PATIENCE_S):
                    # A client of its own looks, without holding up the one that is measured.
                    async with registry(address) as eye:
                        await until_there(eye, OWN)
                return time.perf_counter() - began, stalls.longest_s


async def until_there(made: SimpleRegistry, wanted: int) -> None:
    """Waits until the server has so many entries."""
    detail = ""
    while detail != f"{wanted} entries":
        await asyncio.sleep(0.02)
        detail = (await made.diagnose())[0].detail


async def measure() -> int:
    """Prints what was found. Gives the exit status."""
    async with child("serve", "127.0.0.1:0") as (server, address), child("fill", address) as (_, filled_s):
        print(f"{SERVICES * PROVIDERS} providers announced by {_FILLERS} clients in {filled_s} s")
        found, server_stall_s = await load(server, address)
    print(
        f"first lists of {SERVICES} services with {PROVIDERS} providers: {found.known_s:.2f} s (below {FIRST_LOAD_S:g})"
    )
    stalls_s = (found.stall_s, found.loss_stall_s, server_stall_s)
    first, loss, of_server = (f"{each * 1000:.0f} ms" for each in stalls_s)
    print(
        f"longest stall of the consumer {first}, with the loss of the server {loss}, of the server {of_server}", end=""
    )
    print(f" (below {STALL_S * 1000:g})")
    again_s, again_stall_s = await announce_again()
    print(f"{OWN} own registrations after a restart of the server: {again_s:.2f} s (below {AGAIN_S:g})", end="")
    print(f", longest stall {again_stall_s * 1000:.0f} ms")
    missed = found.known_s > FIRST_LOAD_S or max(*stalls_s, again_stall_s) > STALL_S or again_s > AGAIN_S
    return int(missed)


def main() -> None:
    """The command."""
    Catalog([]).protocol("dubbo")
    # As `polyport serve` does it.
    with tuned_collector():
        match sys.argv[1:]:
            case ["serve", address]:
                asyncio.run(serve(address))
            case ["fill", address]:
                asyncio.run(fill(address))
            case _:
                sys.exit(asyncio.run(measure()))


if __name__ == "__main__":
    main()
