"""Filter `tracing`: carries the trace of a call on, as W3C Trace Context (https://www.w3.org/TR/trace-context-2/).

The value of `traceparent` is `version-traceid-parentid-flags`, all in lower-case hexadecimal: 2, 32, 16 and 2 digits.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from gateway.config.scalar import Flag
from gateway.config.sections.section import Section
from gateway.model.call import Invocation, Result
from gateway.spi.handler import Handler
from gateway.spi.plugin import FilterPlugin

__all__ = ["PLUGIN", "Tracing", "TracingOptions", "child_of"]

# Section 3.2.2: version ff is invalid, and so is an id of zeros.
_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_LENGTH: Final = 55
# Section 3.2.2.5: "sampled" and "random trace id"; flags nobody defined yet must be sent as zero.
_KNOWN_FLAGS: Final = 0b11
_RANDOM_TRACE_ID: Final = 0b10


class TracingOptions(Section):
    """Which calls have a trace."""

    start: Flag = False
    """Whether a call that comes without a trace gets a new one."""


class Tracing:
    """Makes the gateway a span of the caller's trace: the trace id stays, each call gets a parent id of its own.

    A malformed `traceparent` is replaced by a new trace (section 4, processing model).
    `random_bits(n)`: n random bits as a number; for tests.
    """

    __slots__ = ("_random_bits", "_start")

    def __init__(self, options: TracingOptions, random_bits: Callable[[int], int] = random.getrandbits) -> None:
        self._start = options.start
        self._random_bits = random_bits

    def __call__(self, invocation: Invocation, handler: Handler) -> Coroutine[Any, Any, Result]:
        """The call on its way, with its own `traceparent`."""
        incoming = invocation.traceparent
        if incoming is None and not self._start:
            return handler(invocation)
        return handler(invocation.replace(traceparent=child_of(incoming, self._random_bits)))


def child_of(traceparent: str | None, random_bits: Callable[[int], int] = random.getrandbits) -> str:
    """A new span's `traceparent` in the trace of the given one, or in a new trace when that is None or malformed."""
    if traceparent is None or not _is_valid(traceparent):
        return f"00-{_id(random_bits, 128):032x}-{_id(random_bits, 64):016x}-{_RANDOM_TRACE_ID:02x}"
    flags = int(traceparent[53:55], 16) & _KNOWN_FLAGS
    return f"00-{traceparent[3:35]}-{_id(random_bits, 64):016x}-{flags:02x}"


def _is_valid(traceparent: str) -> bool:
    if _TRACEPARENT.match(traceparent) is None:
        return False
    # Section 3.2.4: this version ends here, a later one may go on after another dash.
    return len(traceparent) == _LENGTH or (traceparent[:2] != "00" and traceparent[_LENGTH] == "-")


def _id(random_bits: Callable[[int], int], bits: int) -> int:
    # All zeros is the one value the format forbids.
    return random_bits(bits) or 1


PLUGIN: Final = FilterPlugin("tracing", TracingOptions, Tracing)
