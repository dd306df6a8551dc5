"""The registry over multicast, measured: no server, and nothing to load."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final

from bench.ports import free_port
from bench.registries.bed import Bed, opened
from gateway.spi.registry import Registry
from registry.multicast.registry import MulticastRegistry

__all__ = ["MulticastBed"]

_GROUP: Final = "224.5.6.7"
_LOOPBACK: Final = "127.0.0.1"


class MulticastBed(Bed):
    """A group on the loopback alone, at a port of its own."""

    name = "multicast"

    def __init__(self) -> None:
        self._port = free_port()

    def open(self) -> AbstractAsyncContextManager[Registry]:
        """See `Bed.open`."""
        return opened(MulticastRegistry((_GROUP, self._port), interfaces=[_LOOPBACK]))
