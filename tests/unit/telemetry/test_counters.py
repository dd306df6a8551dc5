import pytest

from gateway.telemetry.counters import Counters


def test_counts_are_kept_by_protocol_and_reason() -> None:
    counters = Counters()
    counters.add("dubbo", "overloaded")
    counters.add("dubbo", "overloaded", 2)
    counters.add("rmi", "overloaded")
    assert counters.count("dubbo", "overloaded") == 3
    assert counters.count("dubbo", "no-provider") == 0
    assert counters.snapshot() == {("dubbo", "overloaded"): 3, ("rmi", "overloaded"): 1}


def test_a_snapshot_is_of_its_moment_and_read_only() -> None:
    counters = Counters()
    counters.add("dubbo", "overloaded")
    snapshot = counters.snapshot()
    counters.add("dubbo", "overloaded")
    assert snapshot["dubbo", "overloaded"] == 1
    with pytest.raises(TypeError):
        snapshot["dubbo", "overloaded"] = 5  # type: ignore[index]
