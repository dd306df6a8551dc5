"""Who is in a registry that is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.model.endpoint import Endpoint, ServiceKey

__all__ = ["OWN", "PROVIDERS", "SERVICES", "endpoints", "service"]

SERVICES: Final = 1_000
PROVIDERS: Final = 50
"""Of each service."""
OWN: Final = 5_000
"""Registrations of one process."""


def service(number: int) -> ServiceKey:
    """One of many."""
    return ServiceKey(f"com.example.bench.Service{number:04}", "", "1.0.0")


def endpoints(services: Sequence[int], providers: int) -> list[Endpoint]:
    """`providers` of each service, with parameters as they are."""
    parameters = {"application": "bench-provider", "timestamp": "1767225600500", "warmup": "60000", "token": "x" * 32}
    return [
        Endpoint("dubbo", f"10.0.{number // 200}.{number % 200}", 20880, service(each), 100, parameters)
        for each in services
        for number in range(providers)
    ]
