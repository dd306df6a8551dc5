"""Which commands of one connection wait for others on the same key, so that a pipeline reads what it wrote.

Commands that read a key run beside each other; one that writes it waits for those before it and is waited for, and one
about all keys waits for everything. Everything else runs as it comes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

__all__ = ["KeyOrder", "Waiter"]


class Waiter:
    """A command about keys. `keys`: which; None for all there are."""

    __slots__ = ("keys", "turns", "writes")

    def __init__(self, keys: frozenset[bytes] | None, writes: bool) -> None:
        self.keys: Final = keys
        self.writes: Final = writes
        self.turns = 0
        """Keys on which it is not its turn."""


class _Line:
    """What happens to one key."""

    __slots__ = ("readers", "waiting", "writer")

    def __init__(self) -> None:
        self.readers = 0
        self.writer = False
        self.waiting: deque[Waiter] | None = None


class KeyOrder:
    """Of one connection. `waiting`: commands that may not begin yet."""

    __slots__ = ("_begun", "_is_closed", "_lines", "_outside", "waiting")

    def __init__(self) -> None:
        self._lines: dict[bytes, _Line] = {}
        self._begun = 0
        """Commands that stand in lines."""
        self._is_closed = False
        """One about all keys runs."""
        self._outside: deque[Waiter] = deque()
        """Such commands that wait, and what came behind them."""
        self.waiting = 0

    def begin_read(self, key: bytes) -> bool:
        """Whether a command that reads this key alone may begin, which it then does: `enter` for most commands."""
        if self._outside or self._is_closed:
            return False
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line()
        elif line.writer or line.waiting:
            return False
        line.readers += 1
        self._begun += 1
        return True

    def end_read(self, key: bytes) -> Sequence[Waiter]:
        """`leave` of such a command."""
        line = self._lines[key]
        line.readers -= 1
        self._begun -= 1
        if line.waiting is None and not self._outside:
            if not line.readers:
                del self._lines[key]
            return ()
        started: list[Waiter] = []
        self._move_up(key, line, started)
        return self._let_in(started)

    def enter(self, waiter: Waiter) -> bool:
        """Whether it may begin; otherwise `leave` of another one names it later."""
        may_begin = not self._outside and not self._is_closed and self._admit(waiter)
        if not may_begin:
            self.waiting += 1
            if self._outside or self._is_closed or waiter.keys is None:
                self._outside.append(waiter)
        return may_begin

    def _admit(self, waiter: Waiter) -> bool:
        """Puts it into its lines, or begins one about all keys if nothing else runs."""
        keys = waiter.keys
        if keys is None:
            if self._begun:
                return False
            self._is_closed = True
            return True
        self._begun += 1
        for key in keys:
            line = self._lines.get(key)
            if line is None:
                line = self._lines[key] = _Line()
            if line.waiting or line.writer or (waiter.writes and line.readers):
                if line.waiting is None:
                    line.waiting = deque()
                line.waiting.append(waiter)
                waiter.turns += 1
            elif waiter.writes:
                line.writer = True
            else:
                line.readers += 1
        return not waiter.turns

    def leave(self, waiter: Waiter) -> Sequence[Waiter]:
        """It has ended: those that may begin now."""
        started: list[Waiter] = []
        if waiter.keys is None:
            self._is_closed = False
        else:
            self._begun -= 1
            for key in waiter.keys:
                line = self._lines[key]
                if waiter.writes:
                    line.writer = False
                else:
                    line.readers -= 1
                self._move_up(key, line, started)
        return self._let_in(started)

    def _let_in(self, started: list[Waiter]) -> Sequence[Waiter]:
        while self._outside and not self._is_closed:
            first = self._outside[0]
            if first.keys is None and self._begun:
                break
            self._outside.popleft()
            if self._admit(first):
                started.append(first)
        self.waiting -= len(started)
        return started

    def _move_up(self, key: bytes, line: _Line, started: list[Waiter]) -> None:
        while line.waiting and not line.writer:
            first = line.waiting[0]
            if first.writes and line.readers:
                break
            line.waiting.popleft()
            if first.writes:
                line.writer = True
            else:
                line.readers += 1
            first.turns -= 1
            if not first.turns:
                started.append(first)
        if not line.readers and not line.writer:
            del self._lines[key]
