"""A service that Java calls by another name."""

from __future__ import annotations

from typing import Protocol

from gateway.contracts import I32, service

__all__ = ["Double", "Doubling"]


@service("test.Doubling", names={"java": "com.acme.Doubling"})
class Doubling(Protocol):
    """Doubles."""

    async def twice(self, number: I32) -> I32:
        """Twice the number."""
        ...


class Double:
    """The provider."""

    async def twice(self, number: int) -> int:
        return 2 * number
