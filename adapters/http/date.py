"""The Date field of responses."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from time import time
from typing import Final

__all__ = ["HttpDate"]


class HttpDate:
    """Gives the moment as RFC 9110, section 5.6.7, writes it; works it out once a second.

    `clock`: seconds since 1970.
    """

    __slots__ = ("_clock", "_second", "_text")

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock: Final = clock
        self._second = -1
        self._text = b""

    def __call__(self) -> bytes:
        """The value of the field."""
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._text = formatdate(second, usegmt=True).encode("ascii")
        return self._text
