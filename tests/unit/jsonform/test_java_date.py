"""java.util.Date as Java programs write it in JSON when nobody tells them how."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.demo.types import Types
from gateway.jsonform.reader import Readers
from gateway.model.errors import ValueMappingError

CONTRACT = contract_of(Types)
REFS = {each.attribute: each.params[0].type for each in CONTRACT.methods if each.params}


def read(attribute: str, value: Any, *, epoch_dates: bool = True) -> Any:
    return Readers(CONTRACT, epoch_dates=epoch_dates).compile(REFS[attribute])(value)


# What new Date(n).toInstant() prints in Java.
@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1_704_164_645_123, datetime(2024, 1, 2, 3, 4, 5, 123_000, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        (-62_135_596_800_000, datetime(1, 1, 1, tzinfo=UTC)),
        (253_402_300_799_999, datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        ("2024-01-02T03:04:05.123Z", datetime(2024, 1, 2, 3, 4, 5, 123_000, tzinfo=UTC)),
    ],
)
def test_milliseconds_and_text_are_read(value: Any, moment: datetime) -> None:
    assert read("echo_java_date", value) == moment


@pytest.mark.parametrize("value", [-62_135_596_800_001, 253_402_300_800_000, 2**63 - 1, 10**400, True, 1.0, None, ""])
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(ValueMappingError):
        read("echo_java_date", value)


def test_only_java_dates_and_only_where_asked_for() -> None:
    with pytest.raises(ValueMappingError):
        read("echo_datetime", 0)
    with pytest.raises(ValueMappingError):
        read("echo_java_date", 0, epoch_dates=False)
