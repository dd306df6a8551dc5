"""What a kind of registry brings to be measured: a server, what fills it, and a registry of ours that uses it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeVar

from bench.registries.figure import Figure
from bench.registries.stall import Stalls
from gateway.spi.registry import Registry

__all__ = ["Bed", "ServerBed", "Watched", "opened"]

_R = TypeVar("_R", bound=Registry)


class Watched(Protocol):
    """All services, watched by one process. `complete`: is set while every list has all providers."""

    stalls: Stalls
    complete: asyncio.Event


class Bed(ABC):
    """`name`: the kind of the registry."""

    name: str

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Registry]:
        """A registry of ours, started."""


class ServerBed(Bed):
    """A server keeps what is announced, so that there is a first load, and announcing it again."""

    @abstractmethod
    async def start(self) -> None:
        """The server, empty, until it answers. Raises StartFailed when it does not."""

    @abstractmethod
    async def stop(self) -> None:
        """Kills the server, and whoever fills it."""

    @abstractmethod
    async def fill(self) -> None:
        """Writes what others would announce."""

    @abstractmethod
    async def await_own(self) -> None:
        """Until the server has all own registrations."""

    async def lose(self, watched: Watched, margin: float) -> Sequence[Figure]:
        """What else is to be measured while everything is watched. `margin`: of times."""
        return ()


@asynccontextmanager
async def opened(registry: _R) -> AsyncIterator[_R]:
    """Started; closed afterwards."""
    await registry.start()
    try:
        yield registry
    finally:
        await registry.aclose()
