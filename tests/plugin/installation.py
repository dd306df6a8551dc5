"""Polyport as others install it: a distribution in a virtual environment, without the checkout.

Its dependencies are those of the environment that runs the tests, so that nothing is asked for over a network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.program import ROOT, Finished, Server, serving

__all__ = ["Installation"]

_SOURCES: Final = ("gateway", "protocols", "adapters", "registry", "pyproject.toml", "README.md", "LICENSE")
_SKIPPED: Final = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", "build", ".pytest_cache")
_TIMEOUT_S: Final = 240.0


class Installation:
    """A virtual environment in `folder` with Polyport in it; everything runs in the empty folder `work`."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.work.mkdir()
        self._folder = folder
        self._venv = folder / "venv"
        venv.EnvBuilder(with_pip=False, symlinks=True).create(self._venv)
        paths = {"base": str(self._venv), "platbase": str(self._venv)}
        site = Path(sysconfig.get_path("purelib", scheme="venv", vars=paths))
        # Files named so in a folder that is added this way are not read: an editable install there does not count.
        (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        sources = folder / "polyport"
        sources.mkdir()
        for name in _SOURCES:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, sources / name, ignore=_SKIPPED)
            else:
                shutil.copy(ROOT / name, sources)
        self._pip(sources)

    def install(self, project: Path) -> Path:
        """Builds and installs a copy of a project; gives the folder of the copy."""
        copy = self._copied(project)
        self._pip(copy)
        return copy

    def install_beside(self, project: Path) -> dict[str, str]:
        """As `install`, into a folder of its own; gives the environment in which it counts."""
        target = self._folder / f"{project.name}-site"
        self._pip(self._copied(project), "--target", str(target))
        return {"PYTHONPATH": str(target)}

    def run(self, *command: str, environ: dict[str, str] | None = None, cwd: Path | None = None) -> Finished:
        """Runs a program, of the environment where it has one of that name, to its end."""
        own = self._venv / "bin" / command[0]
        program = [str(own) if own.exists() else command[0], *command[1:]]
        done = subprocess.run(
            program,
            cwd=cwd or self.work,
            env=_environment(environ),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def serving(
        self, file: Path, *, environ: dict[str, str] | None = None, cwd: Path | None = None
    ) -> Iterator[Server]:
        """`polyport serve`, ready."""
        program = [str(self._venv / "bin" / "polyport")]
        with serving(str(file), environ=environ, program=program, cwd=cwd or self.work) as server:
            yield server

    def _copied(self, project: Path) -> Path:
        return Path(shutil.copytree(project, self._folder / project.name, ignore=_SKIPPED))

    def _pip(self, project: Path, *options: str) -> None:
        # Ignoring what is installed: the environment that lends its packages may have a Polyport too.
        only_this = ("--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed", "--no-compile")
        done = self.run("python", "-m", "pip", "install", "--quiet", *only_this, *options, str(project))
        assert done.code == 0, done.out + done.err


def _environment(more: dict[str, str] | None) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    return {**inherited, "PYTHONUTF8": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "COLUMNS": "200", **(more or {})}
