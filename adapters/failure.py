"""What callers are told when a handler raised."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from gateway.model.errors import ConnectionLost, GatewayError, ProviderFailed, RpcError

__all__ = ["INTERNAL", "failure_of"]

_LOG: Final = logging.getLogger("polyport.listener")
INTERNAL: Final = "internal error"
"""All that callers learn of errors nobody meant to raise; the rest is in the log."""


def failure_of(error: BaseException, closing: bool) -> RpcError:
    """The error that becomes the reply. `closing`: the listener is going down and cancels what still runs."""
    if isinstance(error, RpcError):
        return error
    if isinstance(error, GatewayError):
        return ProviderFailed(str(error))
    if isinstance(error, asyncio.CancelledError):
        if closing:
            return ConnectionLost("the provider closed before the call had ended")
        return ProviderFailed("the call was cancelled")
    _LOG.error("a handler raised what no handler may raise", exc_info=error)
    return ProviderFailed(INTERNAL)
