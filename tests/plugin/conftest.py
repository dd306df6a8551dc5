"""An installation of Polyport beside the one that runs the tests, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.installation import Installation

# A project of its own: its tests need what only the installation has.
collect_ignore = ["netstring"]


@pytest.fixture(scope="session")
def polyport(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Polyport in a virtual environment of its own, without further plug-ins."""
    return Installation(tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="session")
def netstring() -> Path:
    """The folder of the third party's project."""
    return Path(__file__).parent / "netstring"
