"""A service whose provider fails in every way that code can."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final, Protocol

from gateway.contracts import ServiceError, method, service

__all__ = ["KINDS", "MESSAGE", "Breaking", "Broken", "Declined"]

MESSAGE: Final = "shelf 7 is full"
KINDS: Final = ("declared", "error", "base", "exit", "recursion", "wrong-type", "unencodable")


class Declined(ServiceError):
    """Declared by the contract."""


class _NoException(BaseException):
    """What `except Exception` does not catch."""


class _Hidden:
    """A value of no type that a contract knows."""

    def __repr__(self) -> str:
        raise RuntimeError("asked for its form")


@service("chaos.Broken")
class Broken(Protocol):
    """Fails as it is told."""

    @method(throws=(Declined,))
    async def fail(self, kind: str) -> str: ...

    @method(throws=(Declined,))
    async def fail_later(self, kind: str) -> str:
        """The same, not in its first step."""
        ...


class Breaking:
    """The provider."""

    async def fail(self, kind: str) -> Any:
        match kind:
            case "declared":
                raise Declined(MESSAGE)
            case "error":
                raise RuntimeError(MESSAGE)
            case "base":
                raise _NoException(MESSAGE)
            case "exit":
                sys.exit(MESSAGE)
            case "recursion":
                return await self.fail(kind)
            case "wrong-type":
                return 42
            case "unencodable":
                return _Hidden()
        return kind

    async def fail_later(self, kind: str) -> Any:
        await asyncio.sleep(0)
        return await self.fail(kind)
