"""Stock clients of Redis and memcached: a store that is mounted here answers them as those servers do, and they call
methods of services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.cache_gateway import PASSWORD, cache_gateway
from tests.support.cache_peers import PROGRAMS, Lines, run_program
from tests.support.memcached_server import memcached_server
from tests.support.peer_program import BUILD_TIMEOUT
from tests.support.redis_server import redis_server

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]


REFUSES_FLAGS: Final = ("python-memcached", "meta-memcache")
"""Of answers, where they name a format."""


class Told:
    """What clients were told by the real servers and by us: the programs of a language run once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[str, dict[str, Lines]] = {}

    async def by(self, language: str, client: str, part: str) -> Lines:
        """`part`: `real`, `data` or `calls`; the first is what `data` must be."""
        if language not in self._told:
            self._told[language] = await self._run(language)
        return self._told[language][f"{client}:{part}"]

    async def _run(self, language: str) -> dict[str, Lines]:
        program = PROGRAMS[language]
        runs: dict[str, str] = {}
        async with AsyncExitStack() as stack:
            redis = stack.enter_context(
                redis_server(self._folder / f"{language}-redis", append=False, password=PASSWORD)
            )
            memcached = stack.enter_context(memcached_server(self._folder / f"{language}-memcached"))
            here = await stack.enter_async_context(cache_gateway())
            for clients, real, ours, calls in (
                (program.redis, redis.port, here.guarded, here.redis),
                (program.memcached, memcached.port, here.memcached, here.memcached),
            ):
                for client in (each for styles in clients.values() for each in styles):
                    runs[f"{client}:real"] = f"{client}:data:{real}"
                    runs[f"{client}:data"] = f"{client}:data:{ours}"
                    port = here.without_flags if client in REFUSES_FLAGS else calls
                    runs[f"{client}:calls"] = f"{client}:calls:{port}"
            return dict(zip(runs, await run_program(program, list(runs.values())), strict=True))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return Told(tmp_path_factory.mktemp("cache"))


def clients(wire: str) -> Iterator[Any]:
    """Each client in each of its styles, in its row of the table."""
    for language, program in PROGRAMS.items():
        for peer, styles in (program.redis if wire == "redis" else program.memcached).items():
            mark = pytest.mark.direction(f"{language} → us", wire=wire, peer=peer, quick=True)
            for style in styles:
                yield pytest.param(language, style, marks=mark, id=style.replace(", ", "-"))


NOT_THE_SAME: Final[Mapping[str, tuple[str, ...]]] = {
    "watched": ("WATCH is not supported",),
}
"""Checks that are answered otherwise here, and what stands in the answer then: nothing tells when somebody else changes
a value."""


@pytest.mark.parametrize(("language", "client"), [*clients("redis"), *clients("memcached")])
async def test_a_client_cannot_tell_the_store_from_the_server(language: str, client: str, told: Told) -> None:
    real = await told.by(language, client, "real")
    ours = dict(await told.by(language, client, "data"))
    assert len(real) > 10
    assert not [line for line in real.items() if str(line[1]).startswith("error: ")], "the program is wrong"
    for name, texts in NOT_THE_SAME.items():
        if name in real:
            assert any(text in str(ours[name]) for text in texts), (name, ours[name])
            ours[name] = real[name]
    assert ours == real


MAKER: Final = {
    "name": "Lumen",
    "country": "DE",
    "parent": {"name": "Northwind Group", "country": "SE", "parent": None},
}
LAMP: Final = {
    "id": 1,
    "name": "Desk lamp",
    "price": "49.90",
    "tags": ["light", "office"],
    "created_at": "2026-01-02T08:30:00Z",
    "updated_at": "2026-02-01T08:30:00.250Z",
    "stock": {"berlin": 12, "oslo": 0},
    "status": "ACTIVE",
    "maker": MAKER,
}
GREEN: Final = {
    "id": 3,
    "name": "Wandleuchte „Grün“ 🌿",
    "price": "19.5",
    "tags": [],
    "created_at": "2026-01-03T08:30:00Z",
    "updated_at": None,
    "stock": {},
    "status": "DISCONTINUED",
    "maker": None,
}
BY_REDIS: Final = {
    "find": LAMP,
    "overload": GREEN,
    "general form": LAMP,
    "as JSON": LAMP,
    "list": [LAMP],
    "count": 3,
    "struct": {"name": "茶", "country": None, "parent": None},
    "truth": True,
    "float": 0.1,
    "text": "Grüße \r\n\0",
    "bytes": True,
    "nothing": "OK",
    "fault": 'FAULT demo.ProductNotFound {"message":"no product -5","product_id":-5}',
    "no such method": "RPCERR no-such-method demo.Catalog has no method 'nothing'",
    "bad argument": "RPCERR bad-request remove: product_id: expected an integer, found 'x'",
}
BY_MEMCACHED: Final = {"find": LAMP, "count": 3, "text": "茶"}


def is_same(expected: Any, found: Any) -> bool:
    """Whether it says the same, in the types that a protocol and a library have for it.

    In RESP2 maps are flat and truth is a number, PHP has false for nulls, and Perl has text alone.
    """
    match expected:
        case dict():
            if not isinstance(found, dict | list):
                return False
            pairs = found if isinstance(found, dict) else dict(zip(found[::2], found[1::2], strict=True))
            return pairs.keys() == expected.keys() and all(is_same(expected[key], pairs[key]) for key in expected)
        case list():
            return len(found) == len(expected) and all(map(is_same, expected, found))
        case None:
            return found in (None, False, [])
        case bool():
            return str(found) in (str(expected), str(int(expected)))
        case int() | float():
            return str(found).removesuffix(".0") == str(expected)
    return bool(found == expected)


@pytest.mark.parametrize(("language", "client"), [*clients("redis"), *clients("memcached")])
async def test_a_client_calls_methods(language: str, client: str, told: Told) -> None:
    found = await told.by(language, client, "calls")
    is_redis = any(client in styles for styles in PROGRAMS[language].redis.values())
    expected = BY_REDIS if is_redis else BY_MEMCACHED
    assert {"find", "count", "text"} <= found.keys()
    assert not [(name, value) for name, value in found.items() if not is_same(expected[name], value)]
