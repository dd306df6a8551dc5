"""What a client announces, and the numbers it gives to all it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint
from registry.simple.contract import Lease, Record

__all__ = ["Entry", "Identity", "consumer_key", "provider_key"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be announced. `key`: which entry of this client; `sequence`: grows whenever the entry changes."""

    interface_name: str
    key: str
    url: str
    sequence: int


class Identity:
    """Who this client is, and its numbers. `wall`: seconds since 1970.

    The first number is the time, so that of two runs of a program at the same address the later one counts more.
    """

    def __init__(self, name: str, lease_s: float, wall: Callable[[], float]) -> None:
        self.name: Final = name
        self.lease_s: Final = lease_s
        self._last = round(wall() * 1000)

    def number(self) -> int:
        """One more than any before."""
        self._last += 1
        return self._last

    def lease(self) -> Lease:
        """The client is there."""
        length_ms = round(self.lease_s * 1000)
        return Lease(self.name, self.number(), length_ms, length_ms)

    def record(self, entry: Entry) -> Record:
        """The entry is there."""
        return Record(self.name, entry.interface_name, entry.key, entry.url, entry.sequence)

    def gone(self, entry: Entry | Record) -> Record:
        """It is withdrawn."""
        return Record(self.name, entry.interface_name, entry.key, entry.url, self.number(), 0)


def provider_key(endpoint: Endpoint) -> str:
    """Names a provider among the entries of a client."""
    return f"{endpoint.protocol}://{endpoint.address}/{endpoint.service}"


def consumer_key(consumer: Consumer) -> str:
    """Names a consumer among them."""
    return f"consumer://{consumer.application}@{consumer.host}/{consumer.service}"
