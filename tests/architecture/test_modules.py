"""The shape of modules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gateway.plugins.collision import DISTRIBUTION, PACKAGES, foreign_packages

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MAX_LINES = 600
SAYS_NOTHING = {"base", "common", "helper", "helpers", "impl", "manager", "misc", "util", "utils"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_module_is_long() -> None:
    long = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}

    assert {name: lines for name, lines in long.items() if lines > MAX_LINES} == {}


def test_names_of_modules_say_what_they_hold() -> None:
    assert [name_of(path) for path in MODULES if path.stem in SAYS_NOTHING] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [name_of(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))] == []


def test_folders_with_modules_are_packages() -> None:
    assert [name_of(path.parent) for path in MODULES if not (path.parent / "__init__.py").is_file()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_whose_it_is(package: str) -> None:
    assert f'\n__distribution__ = "{DISTRIBUTION}"\n' in (ROOT / package / "__init__.py").read_text("utf-8")
    assert foreign_packages([package]) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
