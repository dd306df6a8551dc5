"""What a gateway raises that cannot start."""

from __future__ import annotations

from gateway.model.errors import GatewayError

__all__ = ["StartError"]


class StartError(GatewayError):
    """The gateway cannot start although its configuration is fine; the text names listener or registry and why."""
