"""Arguments of a JSON call that nobody has read yet.

Whatever refuses a call by its head (lists, limits, a passed deadline) comes before its body is looked at. No client
forwards this form as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.jsonform.text import parse_json
from gateway.model.errors import ValueMappingError
from protocols.http_json.method import MethodBinding
from protocols.http_json.service import read_arguments
from protocols.overloads import ArgumentError

__all__ = ["WIRE", "BodyArguments", "LazyArguments"]

WIRE: Final = "http"


class LazyArguments:
    """What `read` gives when it is first called (`gateway.model.call.RawArguments`).

    `read`: raises BadRequest or ValueMappingError.
    """

    __slots__ = ("_read", "_values", "wire")

    def __init__(self, read: Callable[[], tuple[Any, ...]]) -> None:
        self.wire = WIRE
        self._read = read
        self._values: tuple[Any, ...] | None = None

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`."""
        values = self._values
        if values is None:
            try:
                values = self._values = self._read()
            except ValueMappingError as exc:
                raise ArgumentError(str(exc), exc.path) from exc
        return values

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`. A text in JSON is read whole or not at all, so they are kept for later."""
        return self.decode()[:count]


class BodyArguments:
    """The arguments of `method` out of a body of JSON, or out of none (`gateway.model.call.RawArguments`)."""

    __slots__ = ("_body", "_method", "_values", "wire")

    def __init__(self, method: MethodBinding, body: bytes) -> None:
        self.wire = WIRE
        self._method = method
        self._body = body
        self._values: tuple[Any, ...] | None = None

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`."""
        values = self._values
        if values is None:
            try:
                values = read_arguments(self._method, parse_json(self._body) if self._body else {})
            except ValueMappingError as exc:
                raise ArgumentError(str(exc), exc.path) from exc
            self._values = values
        return values

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading` and `LazyArguments.decode_leading`."""
        return self.decode()[:count]
