"""Exported files stay in the folder they are meant for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.export import _inside
from gateway.cli.outcome import Misuse


def test_files_are_placed_below_the_folder() -> None:
    assert _inside(Path("out"), "demo/Catalog.java") == Path("out/demo/Catalog.java")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", ""])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(Misuse):
        _inside(Path("out"), name)
