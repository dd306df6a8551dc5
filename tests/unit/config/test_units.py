"""Durations and sizes with their units."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.config.scalar import Scalar
from gateway.config.units import Bytes, Seconds, format_bytes, format_seconds, parse_bytes, parse_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3s", 3.0),
        ("500ms", 0.5),
        ("2m", 120.0),
        ("1.5s", 1.5),
        ("1h", 3600.0),
        ("1d", 86400.0),
        ("0s", 0.0),
        ("0.1 s", 0.1),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


# IEC 80000-13: KiB is 1024, kB is 1000.
@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4MiB", 4_194_304),
        ("64KiB", 65_536),
        ("8MB", 8_000_000),
        ("1kB", 1000),
        ("1KB", 1000),
        ("1GiB", 1_073_741_824),
        ("2GB", 2_000_000_000),
        ("1.5MiB", 1_572_864),
        ("17B", 17),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_bytes(text) == size


def test_a_number_without_unit_is_refused_with_a_hint() -> None:
    with pytest.raises(ValueError, match=r"'10' has no unit, write 10ms or 10s"):
        parse_seconds("10")
    with pytest.raises(ValueError, match=r"'8' has no unit, write 8B or 8kB"):
        parse_bytes("8")


def test_a_unit_in_the_wrong_case_is_named() -> None:
    with pytest.raises(ValueError, match=r"did you mean MiB"):
        parse_bytes("8mib")
    with pytest.raises(ValueError, match=r"did you mean s\?"):
        parse_seconds("3S")


@pytest.mark.parametrize("text", ["", "s", "-1s", "1,5s", "1e3s", "3 s s", "inf", "nan", "٣s", "3s\n", "9" * 40 + "s"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match=r"unit|expected a duration"):
        parse_seconds(text)


def test_sizes_are_whole_bytes() -> None:
    with pytest.raises(ValueError, match="not a whole number of bytes"):
        parse_bytes("1.5B")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(180.0, "3m"), (1.5, "1.5s"), (0.25, "250ms"), (90.0, "90s"), (0.0, "0s"), (86400.0, "1d"), (61.0, "61s")],
)
def test_durations_are_formatted_so_that_they_can_be_read_back(seconds: float, text: str) -> None:
    assert parse_seconds(format_seconds(seconds)) == seconds
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(("size", "text"), [(8_388_608, "8MiB"), (1000, "1000B"), (0, "0B"), (65_536, "64KiB")])
def test_sizes_are_formatted_so_that_they_can_be_read_back(size: int, text: str) -> None:
    assert format_bytes(size) == text
    assert parse_bytes(text) == size


def test_code_may_pass_plain_numbers() -> None:
    assert TypeAdapter(Seconds).validate_python(3) == 3.0
    assert TypeAdapter(Bytes).validate_python(1024) == 1024
    for kind in (Seconds, Bytes):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(True)


def test_what_the_environment_holds_is_not_shown() -> None:
    secret = Scalar("4711", plain=True, source="${env:PIN}")

    for kind in (Seconds, Bytes):
        with pytest.raises(ValidationError) as caught:
            TypeAdapter(kind).validate_python(secret)
        message = caught.value.errors()[0]["msg"]
        assert "4711" not in message
        assert "${env:PIN}" in message
