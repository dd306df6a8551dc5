"""Builds what is not Python: the C programs with `cc`, the Java floor with Maven. Everything lands in `BUILD`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bench.apt import Unavailable, install

HERE = Path(__file__).parent
BUILD = HERE / ".build"

_C_FLAGS = ("-O2", "-std=gnu11", "-Wall", "-Wextra", "-Wshadow")
_JAVA = HERE / "floors" / "java"


class BuildFailed(Exception):
    """A compiler is missing or refused; the message says which and why."""


def build_c(name: str) -> Path:
    """The program made of `bench/<name>.c`, compiled if a C source of the folder is newer."""
    BUILD.mkdir(exist_ok=True)
    program = BUILD / name
    newest = max(source.stat().st_mtime for source in [*HERE.glob("*.c"), *HERE.glob("*.h")])
    if not program.exists() or program.stat().st_mtime < newest:
        _run(["cc", *_C_FLAGS, "-o", str(program), str(HERE / f"{name}.c")], HERE)
    return program


def has_nginx() -> bool:
    """Whether nginx can be run; root gets it from the distribution's packages."""
    try:
        install("nginx:nginx-light")
    except Unavailable:
        return False
    return True


def build_java() -> str:
    """The class path of the Java floor, compiled by Maven if a source is newer. The first time needs the network."""
    BUILD.mkdir(exist_ok=True)
    list_file = BUILD / "java" / "classpath"
    newest = max(source.stat().st_mtime for source in [_JAVA / "pom.xml", *_JAVA.rglob("*.java")])
    if not list_file.exists() or list_file.stat().st_mtime < newest:
        _run(["mvn", "-q", "-B", "compile"], _JAVA)
        list_file.touch()
    return f"{BUILD / 'java' / 'classes'}:{list_file.read_text().strip()}"


def _run(command: list[str], folder: Path) -> None:
    if shutil.which(command[0]) is None:
        raise BuildFailed(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildFailed(f"{command[0]} failed: {(done.stdout + done.stderr).strip()[-1500:]}")
