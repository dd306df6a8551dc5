"""Clients of Redis and memcached in many languages: how their programs are run, and what they print.

A program is given runs, `NAME:PORT`, and prints for each a line that names it and then a line of JSON for each check:
`{"check": name, "value": …}`, or `"error"` in its place.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.java_peer import java_command, require_java
from tests.support.node_peer import NODE_CACHE, require_node
from tests.support.peer_program import SCENARIO_S, require_built
from tests.support.php_peer import require_php
from tests.support.python_peer import PYTHON, require_python_peers

__all__ = ["PROGRAMS", "Lines", "Program", "run_program"]

_ROOT: Final = Path(__file__).parents[2]
_INTEROP: Final = _ROOT / "tests" / "interop"

Lines = Mapping[str, Any]
"""What was shown, by the name of the check; errors are text behind `error: `."""


@dataclass(frozen=True)
class Program:
    """One process for all clients of a language.

    Attributes:
        command: It is run with the runs behind.
        require: Builds it, or skips the test.
        runs: The names of its runs without `:data` and `:calls`, by the peer of the table.
        folder: Where it is run.
    """

    command: Sequence[str | Path]
    require: Callable[[], None]
    redis: Mapping[str, Sequence[str]]
    memcached: Mapping[str, Sequence[str]]
    folder: Path | None = None


def _styles(*names: str) -> Mapping[str, Sequence[str]]:
    """`name` or `name: style, style`."""
    return {
        name: [f"{name}, {style}" for style in styles.split(", ")] if styles else [name]
        for name, _, styles in (each.partition(": ") for each in names)
    }


def _built(folder: str) -> Callable[[], None]:
    return lambda: require_built(_INTEROP / folder / "build.sh")


PROGRAMS: Final[Mapping[str, Program]] = {
    "C": Program(
        [_ROOT / ".cache" / "interop-c" / "clients"],
        _built("c"),
        _styles("hiredis"),
        _styles("libmemcached"),
    ),
    "Go": Program(
        [_ROOT / ".cache" / "interop-go-cache" / "peer"],
        _built("go-cache"),
        _styles("go-redis: RESP2, RESP3", "redigo"),
        _styles("gomemcache"),
    ),
    "Java": Program(
        java_command("cache", "app.CacheClients"),
        require_java,
        _styles("jedis: RESP2, RESP3", "lettuce"),
        _styles("spymemcached", "xmemcached"),
    ),
    "Node": Program(
        ["node", "cache_clients.mjs"],
        require_node,
        _styles("ioredis: RESP2, RESP3", "node-redis: RESP2, RESP3"),
        _styles("memcached"),
        NODE_CACHE,
    ),
    "Perl": Program(
        ["perl", "cache_clients.pl"],
        _built("perl"),
        _styles("Redis.pm"),
        _styles("Cache::Memcached"),
        _INTEROP / "perl",
    ),
    "PHP": Program(
        ["php", "cache_clients.php"], require_php, _styles("phpredis"), _styles("php-memcached"), _INTEROP / "php"
    ),
    "Python": Program(
        [PYTHON, "cache_clients.py"],
        require_python_peers,
        _styles("redis-py: RESP2, RESP3, hiredis"),
        _styles("pymemcache", "python-memcached", "meta-memcache"),
        _INTEROP / "python",
    ),
    "Ruby": Program(["ruby", "cache_clients.rb"], _built("ruby"), _styles("redis-rb"), {}, _INTEROP / "ruby"),
}
"""By language."""


async def run_program(program: Program, runs: Sequence[str]) -> list[Lines]:
    """What each run printed. Fails the test where the program fails."""
    program.require()
    process = await asyncio.create_subprocess_exec(
        *program.command, *runs, cwd=program.folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(SCENARIO_S):
            printed, troubles = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    found: list[dict[str, Any]] = []
    for line in printed.decode().splitlines():
        said = json.loads(line)
        if "run" in said:
            found.append({})
        else:
            found[-1][said["check"]] = said["value"] if "value" in said else f"error: {said['error']}"
    if process.returncode or len(found) != len(runs):
        pytest.fail(f"{program.command[0]} ended with {process.returncode}: {troubles.decode()[-2000:]}", pytrace=False)
    return list(found)
