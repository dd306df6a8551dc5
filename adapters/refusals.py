"""Counts what a listener refuses, and says so in the log without letting anybody fill it."""

from __future__ import annotations

import logging
from typing import Final

from gateway.spi.adapter import ListenerOptions

__all__ = ["Refusals"]

_LOG: Final = logging.getLogger("polyport.listener")


class Refusals:
    """Connections closed by us and calls refused by one listener. Owned by the loop's thread.

    `counts`: how often, by reason code.
    """

    __slots__ = ("_options", "counts")

    def __init__(self, options: ListenerOptions) -> None:
        self._options = options
        self.counts: dict[str, int] = {}

    def count(self, reason: str, peer: str, text: str) -> None:
        """Counts a refusal, and logs the first of its kind and then each tenfold (1, 10, 100 …)."""
        seen = self.counts[reason] = self.counts.get(reason, 0) + 1
        if str(seen).strip("0") == "1":
            options = self._options
            _LOG.warning(
                "%s: %s from %s: %s (seen %d times)",
                options.name,
                reason,
                peer,
                text,
                seen,
                extra={"listener": options.name, "protocol": options.protocol, "reason": reason, "peer": peer},
            )
