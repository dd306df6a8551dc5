from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from bench.cluster.comparison import Job, compare
from bench.cluster.expectation import Lost
from bench.cluster.line_chart import format_chart
from bench.cluster.page import format_page
from bench.cluster.report import format_report
from bench.cluster.scenario import Group, Scenario, Traffic
from bench.cluster.series import Panel

SCENARIO = Scenario(
    "tiny", "A <tiny> one", [Group("nodes", 3)], Traffic(((0, 50), (2, 0))), [Lost(), Lost(from_s=3)], duration_s=4
)
COMPARISON = compare([Job(SCENARIO, "failover", "random", seed=1)], 1, lambda _: None)[0]


def test_the_last_line_counts_what_was_reached():
    # A time without calls proves nothing, so the second one cannot be reached; that no call hangs comes on top.
    assert format_report([COMPARISON]).splitlines()[-1] == "2 of 3 figures reached"


def test_the_page_needs_nothing_from_elsewhere_and_escapes_text():
    page = format_page([COMPARISON])

    assert not re.search(r"https?://|<script|<link|src=", page)
    assert "A &lt;tiny&gt; one" in page
    assert page.count("<svg") == 3
    assert "2 of 3 figures reached" in page


def test_panels_have_a_value_for_each_time_and_none_where_nothing_happened():
    load, times, lost = COMPARISON.runs[0].panels

    assert [name for name, _ in load.lines] == ["nodes", "busiest node"]
    for panel in (load, times, lost):
        assert all(len(values) == len(panel.times) for _, values in panel.lines)
    assert load.lines[0][1][0] == 100
    assert math.isnan(load.lines[0][1][-1])


def test_a_chart_is_well_formed_and_leaves_gaps_where_there_is_no_value():
    panel = Panel("a & b", "ms", [0, 1, 2, 3], 4, [("x", [1.0, math.nan, 10.0, 100.0])], logarithmic=True)

    chart = ElementTree.fromstring(format_chart(panel, 100.0))

    lines = [path.get("d") for path in chart.iter("path") if path.get("fill") == "none"]
    assert len(lines) == 1
    assert lines[0].count("M") == 2


def test_a_chart_of_nothing_is_still_a_chart():
    panel = Panel("nothing", "%", [0, 1], 2, [("lost", [0.0, 0.0])])

    ElementTree.fromstring(format_chart(panel, 0.0))
