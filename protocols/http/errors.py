"""What is wrong with a message from an HTTP peer."""

from __future__ import annotations

from typing import Final

from gateway.model.errors import RemoteWireError

__all__ = ["HttpWireError"]


class HttpWireError(RemoteWireError):
    """A message after which its connection cannot be read any further.

    `status`: what the peer is told. `reason`: stable code for logs and counters, as in `RemoteWireError`.
    """

    def __init__(self, status: int, message: str, *, reason: str) -> None:
        super().__init__(message, reason=reason)
        self.status: Final = status
