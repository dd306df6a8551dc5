"""What is said about a name that does not exist."""

from __future__ import annotations

from gateway.config.suggestion import suggestion


def test_the_nearest_name_is_offered() -> None:
    assert suggestion("lisener", ["listener", "service"]) == ", did you mean 'listener'?"


def test_case_does_not_hide_a_name() -> None:
    assert suggestion("demo.catalog", ["demo.Catalog"]) == ", did you mean 'demo.Catalog'?"


def test_otherwise_a_few_names_are_listed() -> None:
    assert suggestion("xyz", ["listener", "alpha"]) == " (there are: alpha, listener)"


def test_many_names_are_not_listed() -> None:
    assert suggestion("xyz", [f"listener{n}" for n in range(100)]) == ""


def test_it_says_when_there_are_none() -> None:
    assert suggestion("xyz", []) == " (there are none)"
