"""`bench.apt`: what is missing is named where it cannot be installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.apt import Unavailable, install


def test_what_cannot_be_had_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    (tmp_path / "bash").symlink_to(bash)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unavailable, match=r"missing: some-package; there is no apt-get here"):
        install("bash:bash", "some-program:some-package")


def test_what_is_there_needs_no_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    (tmp_path / "bash").symlink_to(bash)
    monkeypatch.setenv("PATH", str(tmp_path))

    install("bash:some-package")
