"""What a hundred thousand providers cost one process: reading their URLs, following changes, choosing, and memory.

Runs in a process of its own (`python -m bench.scale`), whose memory nobody else has touched; prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.dubbo import PLUGIN
from bench.process import SERVER_CORE, pinned
from gateway.balance.weighted_random import PLUGIN as RANDOM
from gateway.config.sections.protection import ProtectionConfig
from gateway.model.call import Invocation
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.routing.candidates import CallCandidates
from gateway.routing.directory import Directory
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Invoker
from gateway.spi.registry import Snapshot
from registry.direct import DirectRegistry
from registry.entries import read_providers
from registry.feed import Feed

SERVICES = 100
PROVIDERS = 1_000
"""Of each service."""
_CHANGES = 50
_CHOICES = 20_000
_DEADLINE_S = 300.0


@dataclass(frozen=True, slots=True)
class ScaleCost:
    """`read_us`: to read the URL of a provider. `load_us`: to make it one that can be called. `change_ms`: to follow a
    change of a service with a thousand providers. `choice_us`: for a call to choose. `endpoint_bytes`: of memory for
    what a registry says of a provider; `provider_bytes`: for all of it.
    """

    read_us: float
    load_us: float
    change_ms: float
    choice_us: float
    endpoint_bytes: float
    provider_bytes: float


def measure_scale(announce: Callable[[str], None]) -> ScaleCost:
    """Runs this module. Raises subprocess.CalledProcessError or TimeoutExpired when that fails."""
    announce(f"{SERVICES * PROVIDERS} providers in one process")
    command = [sys.executable, "-m", "bench.scale"]
    folder = Path(__file__).parents[1]
    with pinned(SERVER_CORE):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=_DEADLINE_S)
    return ScaleCost(**json.loads(done.stdout))


class _Named(DirectRegistry):
    """A registry that says what its feed says."""

    def __init__(self, feed: Feed) -> None:
        super().__init__([])
        self._feed = feed

    def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        return self._feed.watch()


async def _run() -> ScaleCost:
    total = SERVICES * PROVIDERS
    before = _memory()
    began = time.thread_time()
    feeds = [_feed(number) for number in range(SERVICES)]
    read_us = (time.thread_time() - began) / total * 1e6
    read = _memory()
    client = PLUGIN.client()
    try:
        began = time.thread_time()
        directories = [_directory(feed, client) for feed in feeds]
        await asyncio.gather(*(each.start(60.0) for each in directories))
        load_us = (time.thread_time() - began) / total * 1e6
        assert sum(len(each.providers.invokers) for each in directories) == total
        loaded = _memory()
        began = time.thread_time()
        for feed in feeds[:_CHANGES]:
            feed.publish(feed.current.endpoints[1:])
            await _turn()
        change_ms = (time.thread_time() - began) / _CHANGES * 1e3
        choice_us = _choose(directories[-1])
        for each in directories:
            await each.aclose()
    finally:
        await client.aclose()
    return ScaleCost(read_us, load_us, change_ms, choice_us, (read - before) / total, (loaded - before) / total)


def _feed(number: int) -> Feed:
    service = ServiceKey(f"com.acme.shop.Service{number}")
    feed = Feed(service)
    endpoints, _ = read_providers((_url(service.interface, each) for each in range(PROVIDERS)), service)
    feed.publish(endpoints)
    return feed


def _url(interface: str, number: int) -> str:
    """As Java Dubbo 2.7 writes it."""
    return (
        f"dubbo://10.0.{number // 250}.{number % 250}:20880/{interface}?anyhost=true&application=shop"
        f"&bind.ip=10.0.0.1&bind.port=20880&deprecated=false&dubbo=2.0.2&dynamic=true&generic=false"
        f"&interface={interface}&methods=find,put,remove,list&pid={number}&release=2.7.23&side=provider"
        f"&timestamp={1_700_000_000_000 + number}"
    )


def _directory(feed: Feed, client: Any) -> Directory:
    service = feed.current.service
    reference = Reference(service, None)

    def open_invoker(endpoint: Endpoint) -> Invoker:
        invoker: Invoker = client.open(endpoint, reference)
        return invoker

    return Directory(service, {"home": _Named(feed)}, open_invoker, protection=ProtectionConfig())


def _choose(directory: Directory) -> float:
    balancer = RANDOM.build(RANDOM.options())
    call = Invocation(directory.providers.service, "find", ())
    began = time.thread_time()
    for _ in range(_CHOICES):
        CallCandidates(directory.providers, balancer, call).pick()
    return (time.thread_time() - began) / _CHOICES * 1e6


async def _turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _memory() -> int:
    with open("/proc/self/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()


def main() -> None:
    """Measures, and prints what was found as JSON."""
    from dataclasses import asdict

    print(json.dumps(asdict(asyncio.run(_run()))))


if __name__ == "__main__":
    main()
