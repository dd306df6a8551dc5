"""Bytes that are no Thrift."""

from __future__ import annotations

__all__ = ["ThriftError", "Truncated"]


class ThriftError(Exception):
    """A message that cannot be read; the text says why."""


class Truncated(ThriftError):
    """The bytes end inside a message. In a transport without frames more may come."""

    def __init__(self) -> None:
        super().__init__("the message ends early")
