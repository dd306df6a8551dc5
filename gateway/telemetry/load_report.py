"""How busy this machine is, in the text that Dubbo's adaptive load balancing asks providers for.

The request carries the attachment `lb_adaptive` with the names of the figures wanted (`mem,load`), the answer the
figures under the same key: `curTime:1767225600000,load:12.5`. `curTime` is in milliseconds since 1970, `load` the
load average of the machine per processor in percent. Source: apache/dubbo 3.3:
dubbo-rpc/dubbo-rpc-api/src/main/java/org/apache/dubbo/rpc/filter/ProfilerServerFilter.java (the answer) and
AdaptiveLoadBalanceFilter.java (which takes digits and a point, and passes over names it does not know).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["ASKED", "KEY", "LoadReport", "LoadSampler", "parse_report"]

KEY: Final = "lb_adaptive"
ASKED: Final = "mem,load"
"""What Dubbo's consumers ask for."""

_MOST_TEXT: Final = 512
_MOST_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a provider said of itself. `time_ms`: when, by its clock. `load`: percent, 0 or more."""

    time_ms: int
    load: float


def parse_report(text: object) -> LoadReport | None:
    """Reads a report; None when it is none."""
    if not isinstance(text, str) or len(text) > _MOST_TEXT:
        return None
    figures = dict(part.split(":", 1) for part in text.split(",") if part.count(":") == 1)
    time_ms, load = figures.get("curTime", "0"), figures.get("load", "")
    if not (_is_number(load.replace(".", "", 1)) and _is_number(time_ms)):
        return None
    return LoadReport(int(time_ms), float(load))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


class LoadSampler:
    """Gives the text of a report, made anew when the last one is older than `every_s`.

    `load` is the load average per processor, as Java says it, or the share of one processor that this process took
    since the report before, if that is more: an event loop is at its end with one processor, and the load average of a
    minute comes late. `mem` is the part of the machine's memory in use, in percent, where the system says so.

    `clock`, `wall`, `cpu`: seconds, monotonic, since 1970 and of processor time; `load`, `memory`: percent, None where
    unknown; all for tests.
    """

    __slots__ = ("_clock", "_cpu", "_every_s", "_load", "_memory", "_sampled_at", "_sampled_cpu", "_text", "_wall")

    def __init__(
        self,
        every_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        cpu: Callable[[], float] = time.process_time,
        load: Callable[[], float | None] | None = None,
        memory: Callable[[], float | None] | None = None,
    ) -> None:
        self._every_s = every_s
        self._clock = clock
        self._wall = wall
        self._cpu = cpu
        self._load = load or _system_load
        self._memory = memory or _memory_in_use
        self._sampled_at = clock()
        self._sampled_cpu = cpu()
        self._text = ""

    def text(self) -> str:
        """The report."""
        now = self._clock()
        if not self._text or now - self._sampled_at >= self._every_s:
            cpu = self._cpu()
            passed = now - self._sampled_at
            own = 100.0 * (cpu - self._sampled_cpu) / passed if passed > 0 else 0.0
            self._sampled_at, self._sampled_cpu = now, cpu
            figures = [f"curTime:{int(self._wall() * 1000)}", f"load:{max(own, self._load() or 0.0):.2f}"]
            memory = self._memory()
            if memory is not None:
                figures.append(f"mem:{memory:.2f}")
            self._text = ",".join(figures)
        return self._text


def _system_load() -> float | None:
    try:
        return os.getloadavg()[0] * 100.0 / (os.cpu_count() or 1)
    except (OSError, AttributeError):
        return None


def _memory_in_use() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        figures = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[:8])}
        return 100.0 * (1.0 - figures["MemAvailable"] / figures["MemTotal"])
    except (OSError, ValueError, LookupError, ZeroDivisionError):
        return None
