"""Expected forms are those of RFC 3339, RFC 4648, ISO 8601 and java.time.Duration.toString()."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.jsonform import scalar_text as texts
from gateway.model.errors import ValueMappingError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("PT1.5S", timedelta(seconds=1.5)),
        ("pt1.5s", timedelta(seconds=1.5)),
        ("PT0S", timedelta()),
        ("P1D", timedelta(days=1)),
        ("P2W", timedelta(weeks=2)),
        ("P1DT2H3M4.000005S", timedelta(days=1, hours=2, minutes=3, seconds=4, microseconds=5)),
        ("-PT1.5S", timedelta(seconds=-1.5)),
        ("PT-1.5S", timedelta(seconds=-1.5)),
        ("-PT-6H+3M", timedelta(hours=6, minutes=-3)),
        ("PT0,5S", timedelta(seconds=0.5)),
        ("PT0.5H", timedelta(minutes=30)),
        ("+PT8H6M12.345S", timedelta(hours=8, minutes=6, seconds=12, milliseconds=345)),
        ("PT24000000000H", None),
        ("1.5s", timedelta(seconds=1.5)),
        ("1h30m", timedelta(minutes=90)),
        ("-250ms", timedelta(milliseconds=-250)),
        ("7us", timedelta(microseconds=7)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(weeks=1)),
        ("1000000us", timedelta(seconds=1)),
        ("PT86399999999999.999999S", timedelta.max),
    ],
)
def test_durations_are_read(text: str, value: timedelta | None) -> None:
    if value is None:
        with pytest.raises(ValueMappingError, match="longer than 999999999 days"):
            texts.parse_duration(text)
    else:
        assert texts.parse_duration(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(), "PT0S"),
        (timedelta(hours=26, milliseconds=500), "PT26H0.5S"),
        (timedelta(seconds=61), "PT1M1S"),
        (timedelta(minutes=1), "PT1M"),
        (timedelta(microseconds=-1), "-PT0.000001S"),
        (timedelta(seconds=-1.5), "-PT1.5S"),
        (timedelta(days=1), "PT24H"),
    ],
)
def test_durations_are_written(value: timedelta, text: str) -> None:
    assert texts.format_duration(value) == text
    assert texts.parse_duration(text) == value


@pytest.mark.parametrize("value", [timedelta.min, timedelta.max])
def test_the_longest_durations_survive(value: timedelta) -> None:
    assert texts.parse_duration(texts.format_duration(value)) == value


@pytest.mark.parametrize("text", ["", "P", "PT", "1", "1.5", "1x", "P1DT", "1s 2m", "PT1S1M", "s", "--1s", "\u0661s"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueMappingError, match="expected a duration like"):
        texts.parse_duration(text)


@pytest.mark.parametrize("text", ["P1Y", "P2M", "P1Y2M3D"])
def test_years_and_months_have_no_length(text: str) -> None:
    with pytest.raises(ValueMappingError, match="years and months have no fixed length"):
        texts.parse_duration(text)


@pytest.mark.parametrize("text", ["PT0.0000001S", "0.5us", "PT0.0000000001H"])
def test_durations_are_not_rounded(text: str) -> None:
    with pytest.raises(ValueMappingError, match="finer than a microsecond"):
        texts.parse_duration(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1985-04-12T23:20:50.52Z", datetime(1985, 4, 12, 23, 20, 50, 520_000, UTC)),
        ("1996-12-19T16:39:57-08:00", datetime(1996, 12, 20, 0, 39, 57, tzinfo=UTC)),
        ("1937-01-01T12:00:27.87+00:20", datetime(1937, 1, 1, 11, 40, 27, 870_000, UTC)),
        ("2026-08-14t09:26:53z", datetime(2026, 8, 14, 9, 26, 53, tzinfo=UTC)),
        ("2026-08-14 09:26Z", datetime(2026, 8, 14, 9, 26, tzinfo=UTC)),
        ("2026-08-14T09:26:53.58979300Z", datetime(2026, 8, 14, 9, 26, 53, 589_793, UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_instants_are_read_in_any_zone(text: str, value: datetime) -> None:
    parsed = texts.parse_datetime(text)
    assert parsed == value
    assert parsed.tzinfo is UTC
    assert texts.parse_datetime(texts.format_datetime(parsed)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-08-14T09:26:53", "has no zone; end it with Z or an offset"),
        ("2026-02-30T00:00:00Z", "is no instant: day is out of range"),
        ("1990-12-31T23:59:60Z", "is no instant: second must be in 0..59"),
        ("2026-08-14T09:26:53.0000001Z", "is no instant: it is finer than a microsecond"),
        ("0001-01-01T00:00:00+01:00", "is no instant: date value out of range"),
        ("2026-08-14T09:26:53+24:00", "is no offset"),
        ("2026-08-14T09:26:53+0200", "expected an instant like"),
        ("20260814T092653Z", "expected an instant like"),
        ("2026-W33-5T00:00Z", "expected an instant like"),
        ("now", "expected an instant like"),
    ],
)
def test_other_texts_are_no_instants(text: str, message: str) -> None:
    with pytest.raises(ValueMappingError, match=message):
        texts.parse_datetime(text)


def test_instants_are_written_in_utc() -> None:
    assert texts.format_datetime(datetime(2026, 8, 14, 9, 26, 53, tzinfo=UTC)) == "2026-08-14T09:26:53Z"
    assert texts.format_datetime(datetime(2026, 8, 14, 9, 26, 53, 120_000, tzinfo=UTC)) == "2026-08-14T09:26:53.120Z"
    assert texts.format_datetime(datetime(5, 1, 1, 0, 0, 0, 1, tzinfo=UTC)) == "0005-01-01T00:00:00.000001Z"


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (texts.parse_date, "2024-02-29", date(2024, 2, 29)),
        (texts.parse_time, "09:26", time(9, 26)),
        (texts.parse_time, "09:26:53.5", time(9, 26, 53, 500_000)),
        (texts.parse_local_datetime, "2026-03-29T02:30:00", datetime(2026, 3, 29, 2, 30)),
        (texts.parse_uuid, "F81D4FAE-7dec-11d0-a765-00a0c91e6bf6", UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")),
        (texts.parse_bytes, "Zm9vYg==", b"foob"),
        (texts.parse_bytes, "", b""),
        (texts.parse_bytes, "+/8=", b"\xfb\xff"),
        (texts.parse_integer, "-0012", -12),
        (texts.parse_integer, "+1", 1),
        (texts.parse_integer, "9" * 5000, 10**5000 - 1),
        (texts.parse_decimal, "-1.50E+3", Decimal("-1.50E+3")),
        (texts.parse_decimal, ".5", Decimal("0.5")),
    ],
    ids=lambda value: f"{value!r:.30}" if isinstance(value, str) else "",
)
def test_other_scalars_are_read(parse: Callable[[str], Any], text: str, value: Any) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (texts.parse_date, "2026-02-29"),
        (texts.parse_date, "20260801"),
        (texts.parse_date, "2026-08-14T00:00"),
        (texts.parse_date, "\uff12026-08-14"),
        (texts.parse_time, "24:00"),
        (texts.parse_time, "09:26Z"),
        (texts.parse_time, "09"),
        (texts.parse_time, "09:26:53.0000001"),
        (texts.parse_local_datetime, "2026-03-29T02:30:00Z"),
        (texts.parse_local_datetime, "2026-03-32T02:30:00"),
        (texts.parse_local_datetime, "2026-03-29"),
        (texts.parse_uuid, "f81d4fae7dec11d0a76500a0c91e6bf6"),
        (texts.parse_uuid, "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}"),
        (texts.parse_bytes, "Zm9vYg"),
        (texts.parse_bytes, "Zm9v Yg=="),
        (texts.parse_bytes, "Zm9v_g=="),
        (texts.parse_bytes, "ü==="),
        (texts.parse_integer, "1_000"),
        (texts.parse_integer, "1.0"),
        (texts.parse_integer, "\u0661"),
        (texts.parse_integer, ""),
        (texts.parse_decimal, "NaN"),
        (texts.parse_decimal, "Infinity"),
        (texts.parse_decimal, "1,5"),
        (texts.parse_decimal, "1_0"),
        (texts.parse_decimal, "1E+9999999999"),
        (texts.parse_decimal, "."),
    ],
)
def test_texts_are_taken_strictly(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueMappingError):
        parse(text)


def test_long_texts_are_not_repeated_in_errors() -> None:
    with pytest.raises(ValueMappingError, match="found a text of 100000 characters"):
        texts.parse_integer("x" * 100_000)


def test_other_scalars_are_written() -> None:
    assert texts.format_integer(-(10**5000)) == "-1" + "0" * 5000
    assert texts.format_integer(12) == "12"
    assert texts.format_decimal(Decimal("1.10E+5")) == "1.10E+5"
    assert texts.format_bytes(b"\xfb\xff") == "+/8="
    assert texts.format_time(time(9, 26)) == "09:26:00"
    assert texts.format_local_datetime(datetime(2026, 1, 2, 3, 4, 5, 6)) == "2026-01-02T03:04:05.000006"


@pytest.mark.parametrize("digits", [90_000, 1_000_001])
@pytest.mark.parametrize("form", ["{}s", "P{}D", "09:26:53.{}", "2026-08-14T09:26:53.{}Z", "2026-08-14T09:26:53.{}"])
def test_a_long_text_is_no_time_and_costs_nothing(form: str, digits: int) -> None:
    """900,000 digits took 20 seconds, more raised what no caller expects, and the error repeated them."""
    text = form.format("9" * digits)
    parsers = (texts.parse_duration, texts.parse_time, texts.parse_datetime, texts.parse_local_datetime)
    for parse in parsers:
        with pytest.raises(ValueMappingError, match=f"found a text of {len(text)} characters$"):
            parse(text)
