"""The table of peers in the README is what the tests say."""

from __future__ import annotations

import subprocess
import sys

from tests.support.program import ROOT


def test_the_table_is_current() -> None:
    checked = subprocess.run([sys.executable, "-m", "tests.interop.table", "--check"], cwd=ROOT, check=False)
    assert checked.returncode == 0, "write it: .venv/bin/python -m tests.interop.table"
