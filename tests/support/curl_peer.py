"""curl as a peer: one command, its answer taken apart."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bench.apt import install
from tests.support.peer_program import SCENARIO_S

__all__ = ["CurlAnswer", "curl", "curl_version", "require_curl", "run_curl"]


@dataclass(frozen=True)
class CurlAnswer:
    """What curl received. `interim`: the status codes of 1xx responses before; `headers`: by lower-case name."""

    interim: tuple[int, ...]
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def require_curl() -> None:
    """Installs curl. Raises Unavailable where it cannot be had."""
    install("curl:curl")


def curl_version() -> str:
    """As curl says it, `8.1.2`."""
    return subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]


async def run_curl(*arguments: str, stdin: bytes = b"") -> bytes:
    """What curl prints with these arguments. Fails the test when curl itself fails."""
    process = await asyncio.create_subprocess_exec(
        "curl",
        "--silent",
        "--show-error",
        *arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(SCENARIO_S):
        printed, troubles = await process.communicate(stdin)
    if process.returncode:
        pytest.fail(f"curl exited with {process.returncode}: {troubles.decode()}", pytrace=False)
    return printed


async def curl(*arguments: str, stdin: bytes = b"") -> CurlAnswer:
    """Sends one request."""
    rest = await run_curl("--include", *arguments, stdin=stdin)
    interim: list[int] = []
    while True:
        head, _, rest = rest.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        status = int(status_line.split(" ")[1])
        if status >= 200:
            break
        interim.append(status)
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return CurlAnswer(tuple(interim), status, headers, rest)
