"""A store of kept calls without a file (`gateway.spi.failback.CallStore`), with a list of what was asked of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gateway.spi.failback import StoredCall, StoreError, Tally

__all__ = ["MemoryStore"]


class MemoryStore:
    """`kept` by id; `trouble` is raised by everything while it is set; `ended` says what became of which call."""

    description = "memory"

    def __init__(self, wall: Callable[[], float]) -> None:
        self.kept: dict[str, StoredCall] = {}
        self.trouble: StoreError | None = None
        self.ended: list[tuple[str, str]] = []
        self.claims: list[int] = []
        self.opened = 0
        self._wall = wall

    async def start(self) -> None:
        self._ask()
        self.opened += 1

    async def aclose(self) -> None:
        self.opened -= 1

    async def add(self, call: StoredCall) -> int:
        self._ask()
        self.kept[call.id] = replace(call, handle=call.id)
        return 0

    async def claim(self, reference: str, limit: int, lease_s: float) -> Sequence[StoredCall]:
        self._ask()
        self.claims.append(limit)
        now = self._wall()
        due = [each for each in self.kept.values() if each.reference == reference and not each.dead and each.due <= now]
        due.sort(key=lambda each: each.due)
        claimed = [replace(each, due=now + lease_s, attempts=each.attempts + 1) for each in due[:limit]]
        self.kept.update({each.id: each for each in claimed})
        return claimed

    async def finish(self, call: StoredCall) -> None:
        self._ask()
        self.ended.append(("finish", call.id))
        self.kept.pop(call.id, None)

    async def postpone(self, call: StoredCall, delay_s: float, error: str) -> None:
        self._ask()
        self.ended.append(("postpone", call.id))
        self.kept[call.id] = replace(self.kept[call.id], due=self._wall() + delay_s, error=error)

    async def bury(self, call: StoredCall, error: str) -> None:
        self._ask()
        self.ended.append(("bury", call.id))
        self.kept[call.id] = replace(self.kept[call.id], dead=True, error=error)

    async def tally(self) -> Mapping[str, Tally]:
        self._ask()
        names = {each.reference for each in self.kept.values()}
        return {name: Tally(sum(each.reference == name for each in self.kept.values()), 0, 0) for name in names}

    async def page(self, reference: str | None, after: str, limit: int) -> Sequence[StoredCall]:
        raise NotImplementedError

    async def find(self, call_id: str) -> StoredCall | None:
        return self.kept.get(call_id)

    async def revive(self, call_id: str | None) -> int:
        raise NotImplementedError

    async def discard(self, call_id: str | None, *, dead_only: bool = False) -> int:
        raise NotImplementedError

    def _ask(self) -> None:
        if self.trouble is not None:
            raise self.trouble
