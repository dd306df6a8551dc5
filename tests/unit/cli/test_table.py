"""`gateway.cli.table`: columns of text."""

from __future__ import annotations

import pytest

from gateway.cli.table import cells_of, print_table


def test_columns_are_as_wide_as_their_widest_cell(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("NAME", "N"), [("a", "1000"), ("longer", "")])

    assert capsys.readouterr().out == "NAME    N\na       1000\nlonger\n"


def test_without_rows_the_names_are_left(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("NAME", "N"), [])

    assert capsys.readouterr().out == "NAME  N\n"


def test_nothing_is_a_dash_and_zero_is_not() -> None:
    assert cells_of({"a": None, "b": "", "c": 0, "d": "x"}, ["d", "c", "b", "a"]) == ["x", "0", "-", "-"]
