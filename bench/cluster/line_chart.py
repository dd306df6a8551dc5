"""A line chart as SVG text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final

from bench.cluster.series import Panel

__all__ = ["format_chart"]

_WIDTH: Final = 380
_HEIGHT: Final = 170
_LEFT: Final = 46
_RIGHT: Final = 8
_TOP: Final = 22
_BOTTOM: Final = 20
_LABEL: Final = 14
_LETTER: Final = 5.4
"""Width of an average letter, rather too much than too little."""
_COLOURS: Final = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b")


def format_chart(panel: Panel, top: float) -> str:
    """The chart of a panel, from 0 (or a power of ten) to `top`."""
    scale, marks = _logarithmic(panel, top) if panel.logarithmic else _linear(top)
    end = panel.duration_s
    plot_width, floor = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _BOTTOM

    def x(time_s: float) -> float:
        return _LEFT + plot_width * time_s / end

    def y(value: float) -> float:
        return floor - (floor - _TOP) * scale(value)

    parts = [f'<svg width="{_WIDTH}" height="{_HEIGHT}" font-family="system-ui, sans-serif" font-size="10">']
    parts.append(f'<text x="{_LEFT}" y="10" font-weight="600">{escape(panel.title)}, {escape(panel.unit)}</text>')
    for mark in marks:
        height = y(mark)
        parts.append(f'<path d="M{_LEFT} {height:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 4}" y="{height + 3:.1f}" text-anchor="end">{mark:g}</text>')
    for mark in range(5):
        time_s = end * mark / 4
        parts.append(f'<text x="{x(time_s):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{time_s:.3g} s</text>')
    place: float = _WIDTH - _RIGHT
    for number, (name, values) in reversed(list(enumerate(panel.lines))):
        colour = _COLOURS[number % len(_COLOURS)]
        path = "".join(_path(panel.times, values, x, y))
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
        label = name[:_LABEL]
        parts.append(f'<text x="{place:.0f}" y="10" text-anchor="end" fill="{colour}">{escape(label)}</text>')
        place -= len(label) * _LETTER + 12
    return "".join([*parts, "</svg>"])


def _path(
    times: Sequence[float], values: Sequence[float], x: Callable[[float], float], y: Callable[[float], float]
) -> Iterator[str]:
    command = "M"
    for time_s, value in zip(times, values, strict=True):
        if math.isnan(value):
            command = "M"
            continue
        yield f"{command}{x(time_s):.1f} {y(value):.1f}"
        command = "L"


def _linear(top: float) -> tuple[Callable[[float], float], list[float]]:
    top = top or 1.0
    step = 10.0 ** math.floor(math.log10(top))
    step = next(each for each in (step / 5, step / 2, step, step * 2, step * 5) if top / each <= 5)
    return lambda value: value / top, [step * number for number in range(int(top / step) + 1)]


def _logarithmic(panel: Panel, top: float) -> tuple[Callable[[float], float], list[float]]:
    least = min((value for _, line in panel.lines for value in line if value > 0), default=1.0)
    bottom = math.floor(math.log10(least))
    upper = max(math.log10(top) if top > 0 else 0.0, bottom + 1)
    marks = [10.0**power for power in range(bottom, math.floor(upper) + 1)]
    return lambda value: (math.log10(value) - bottom) / (upper - bottom) if value > 0 else 0.0, marks
