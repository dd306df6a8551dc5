"""Clients that an independent generator makes from OpenAPI documents, and programs that use them."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support.peer_program import SCENARIO_S, Report, require_built, run_checks

__all__ = ["OPENAPI", "generate_client", "require_generator", "use_client"]

_ROOT: Final = Path(__file__).parents[2]
_PYTHON: Final = _ROOT / ".cache" / "interop-openapi" / "venv" / "bin" / "python"

OPENAPI: Final = _ROOT / "tests" / "interop" / "openapi"
"""Documents of others, and the programs."""


def require_generator() -> None:
    """Installs the generator, or fails the test."""
    require_built(OPENAPI / "build.sh")


async def generate_client(document: Path, package: Path) -> None:
    """Generates a package from a document. Fails the test when any part of the document is not understood."""
    process = await asyncio.create_subprocess_exec(
        OPENAPI / "generate.sh", document, package, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    async with asyncio.timeout(SCENARIO_S):
        _, said = await process.communicate()
    if process.returncode:
        pytest.fail(f"no client from {document.name}: {said.decode()}", pytrace=False)


async def use_client(program: str, folder: Path, url: str) -> Report:
    """Runs a program with the packages of a folder; it has the generator's libraries and none of ours."""
    return await run_checks([_PYTHON, OPENAPI / program, url], folder, {"PYTHONPATH": str(folder)})
