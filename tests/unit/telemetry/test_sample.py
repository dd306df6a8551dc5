from random import Random

import pytest

from gateway.telemetry.sample import sampled


def test_nothing_to_sample_costs_nothing() -> None:
    assert sampled(0.0) is None


@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
def test_the_share_is_kept(share: float) -> None:
    draws = sampled(share, Random(4).random)

    assert draws is not None
    assert sum(draws() for _ in range(20_000)) / 20_000 == pytest.approx(share, rel=0.15)
