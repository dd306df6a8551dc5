"""A service that lets tests look inside: which process answers, what it was told, whether it was cancelled."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Protocol

from gateway.contracts import I32, I64, NO_CALL, Call, method, service

__all__ = ["Probe", "Probing"]


@service("test.Probe")
class Probe(Protocol):
    """What a provider can be asked about itself."""

    async def name(self) -> str: ...

    @method(idempotent=True)
    async def name_again(self) -> str: ...

    async def wait(self, key: str) -> str: ...

    async def told(self, attachment: str) -> list[str | None]: ...

    @method(oneway=True)
    async def note(self, text: str) -> None: ...

    async def size(self, data: bytes) -> I32: ...

    async def big(self, count: I32) -> bytes: ...

    async def remaining_ms(self) -> I64 | None: ...


class Probing:
    """Answers for `label`. `entered`, `cancelled` and `notes` are shared by all instances of a test."""

    entered: ClassVar[dict[str, asyncio.Event]] = {}
    cancelled: ClassVar[dict[str, asyncio.Event]] = {}
    released: ClassVar[dict[str, asyncio.Event]] = {}
    notes: ClassVar[asyncio.Queue[str]]

    def __init__(self, label: str = "one") -> None:
        self.label = label

    @classmethod
    def reset(cls) -> None:
        """Forgets what earlier tests left."""
        cls.entered, cls.cancelled, cls.released = {}, {}, {}
        cls.notes = asyncio.Queue()

    @classmethod
    def expect(cls, key: str) -> None:
        """Prepares the events of one `wait`."""
        cls.entered[key], cls.cancelled[key], cls.released[key] = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def name(self) -> str:
        return self.label

    async def name_again(self) -> str:
        return self.label

    async def wait(self, key: str) -> str:
        self.entered[key].set()
        try:
            await self.released[key].wait()
        except asyncio.CancelledError:
            self.cancelled[key].set()
            raise
        return self.label

    async def told(self, attachment: str, *, call: Call = NO_CALL) -> list[str | None]:
        call.reply_attachments["answered-by"] = self.label
        return [call.attachments.get(attachment), call.consumer, call.traceparent]

    async def note(self, text: str) -> None:
        self.notes.put_nowait(text)

    async def size(self, data: bytes) -> int:
        return len(data)

    async def big(self, count: int) -> bytes:
        return bytes(count)

    async def remaining_ms(self, *, call: Call = NO_CALL) -> int | None:
        if call.deadline is None:
            return None
        return round((call.deadline - asyncio.get_running_loop().time()) * 1000)
