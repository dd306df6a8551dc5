"""`bench.registries.figure`: what counts as reached."""

from __future__ import annotations

import pytest

from bench.registries.figure import Figure


@pytest.mark.parametrize(("found", "reached"), [(0.0, True), (49.9, True), (50.0, False), (None, False)])
def test_less_than_what_is_wanted_is_reached_and_what_was_not_measured_is_not(
    found: float | None, reached: bool
) -> None:
    assert Figure("a stall", found, 50.0, "ms").is_reached is reached


def test_a_line_has_the_value_and_what_is_wanted() -> None:
    assert str(Figure("a stall", 12.34, 50.0, "ms", "median 3")) == "ok   a stall: 12.3 ms, wanted < 50 ms (median 3)"
    assert str(Figure("a stall", None, 50.0, "ms")) == "MISS a stall: not measured, wanted < 50 ms"
