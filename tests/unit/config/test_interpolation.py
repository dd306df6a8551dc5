"""Environment variables in values."""

from __future__ import annotations

import pytest

from gateway.config.interpolation import interpolate

ENVIRON = {"HOST": "db1", "EMPTY": "", "TRICK": "${env:HOST}\nkey: value"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${env:HOST}", "db1"),
        ("x-${env:HOST}-${env:HOST}", "x-db1-db1"),
        ("${env:NOPE:-20880}", "20880"),
        ("${env:NOPE:-}", ""),
        ("${env:NOPE:-a:-b}", "a:-b"),
        ("${env:EMPTY}", ""),
        ("${env:EMPTY:-x}", ""),
        ("$${env:HOST}", "${env:HOST}"),
        ("$HOST $ {env:HOST} 100%", "$HOST $ {env:HOST} 100%"),
        ("${env:TRICK}", "${env:HOST}\nkey: value"),
    ],
)
def test_references_are_replaced_once(text: str, expected: str) -> None:
    assert interpolate(text, ENVIRON) == (expected, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${env:NOPE}", "environment variable NOPE is not set"),
        ("${HOST}", "is not understood"),
        ("${env:}", "is not understood"),
        ("${env:1A}", "is not understood"),
        ("${file:/etc/passwd}", "is not understood"),
        ("${env:HOST", "is not closed"),
    ],
)
def test_what_cannot_be_replaced_is_said(text: str, message: str) -> None:
    _, problems = interpolate(text, ENVIRON)

    assert len(problems) == 1
    assert message in problems[0]


def test_all_references_of_a_text_are_reported() -> None:
    assert len(interpolate("${env:A} ${env:B:-x} ${env:C}", {})[1]) == 2
