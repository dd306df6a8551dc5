"""The plots of a scenario as a PNG, where matplotlib is installed (the extra `bench`)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from bench.cluster.comparison import Comparison

__all__ = ["draw"]


def draw(comparison: Comparison, file: Path) -> bool:
    """Writes the picture: a column for each run, a row for each panel. False without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        return False
    # Here, because it is optional and takes a while. `Figure` alone needs no display and keeps no global state.
    from matplotlib.figure import Figure
    from matplotlib.ticker import FormatStrFormatter, NullFormatter

    runs = comparison.runs
    figure = Figure(figsize=(1.0 + 3.6 * len(runs), 7.5), layout="constrained")
    grid = figure.subplots(len(runs[0].panels), len(runs), squeeze=False, sharex=True, sharey="row")
    for column, run in enumerate(runs):
        grid[0][column].set_title(run.outcome.title)
        grid[-1][column].set_xlabel("s")
        for row, panel in enumerate(run.panels):
            axes = grid[row][column]
            for name, values in panel.lines:
                axes.plot(panel.times, values, label=name, linewidth=1.2)
            axes.grid(alpha=0.3)
            if panel.logarithmic:
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
                axes.yaxis.set_minor_formatter(NullFormatter())
            else:
                axes.set_ylim(bottom=0)
            if not column:
                axes.set_ylabel(f"{panel.title}, {panel.unit}")
                axes.legend(fontsize="small")
    figure.suptitle(comparison.scenario.name)
    figure.savefig(file, dpi=110)
    return True
