"""Packages that another distribution has overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.plugins.collision import PACKAGES, foreign_packages


def test_our_own_packages_are_ours() -> None:
    assert foreign_packages(PACKAGES) == []


def test_a_foreign_package_is_reported_with_its_path_and_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "foreign_adapters"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)

    (message,) = foreign_packages(["foreign_adapters"])

    assert str(package / "__init__.py") in message
    assert "belongs to another distribution" in message


def test_a_package_of_another_name_is_foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "other_registry"
    package.mkdir()
    (package / "__init__.py").write_text('__distribution__ = "other"\n')
    monkeypatch.syspath_prepend(tmp_path)

    assert len(foreign_packages(["other_registry"])) == 1


def test_missing_and_empty_packages_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hollow_package").mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    missing, hollow = foreign_packages(["no_such_package_at_all", "hollow_package"])

    assert "is missing" in missing
    assert "has no __init__.py" in hollow
