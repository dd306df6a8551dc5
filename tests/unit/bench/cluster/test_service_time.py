from __future__ import annotations

import random
import statistics

import pytest

from bench.cluster.service_time import ServiceTime


@pytest.mark.parametrize("kind", ["constant", "exponential", "lognormal", "pareto"])
def test_the_mean_is_what_was_asked_for(kind):
    luck = random.Random(1)

    drawn = [ServiceTime(0.02, kind).draw(luck) for _ in range(50_000)]

    assert min(drawn) > 0
    assert statistics.fmean(drawn) == pytest.approx(0.02, rel=0.05)
