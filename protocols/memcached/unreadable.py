"""Arguments that cannot be read: whoever may not call at all is told that first."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from gateway.model.errors import BadRequest, restated

__all__ = ["Unreadable"]


class Unreadable:
    """See `gateway.model.call.RawArguments`. `error`: what is wrong with them."""

    __slots__ = ("_error", "wire")

    def __init__(self, error: BadRequest) -> None:
        self.wire = "memcached"
        self._error: Final = error

    def decode(self) -> NoReturn:
        """See `RawArguments.decode`."""
        raise restated(self._error, str(self._error))

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`."""
        self.decode()
