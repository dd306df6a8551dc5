from __future__ import annotations

import json
import logging
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.runtime.last_known import LastKnown

SERVICE = ServiceKey("demo.Catalog", "blue", "1.0")


def at(port: int) -> Endpoint:
    return Endpoint("dubbo", "10.0.0.1", port, SERVICE, 50, {"token": "hunter2"})


@asynccontextmanager
async def opened(file: Path, application: str = "shop", save_after_s: float = 0.0) -> AsyncIterator[LastKnown]:
    known = LastKnown(file, application, save_after_s=save_after_s)
    await known.start()
    try:
        yield known
    finally:
        await known.aclose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "shop.last-known.json"


async def test_what_was_known_is_there_after_a_restart(file: Path) -> None:
    async with opened(file, save_after_s=60.0) as known:
        assert known.recall("home", SERVICE) == []
        known.remember("home", SERVICE, [at(1), at(2)])
    async with opened(file) as known:
        assert known.recall("home", SERVICE) == [at(1), at(2)]
        assert known.recall("home", ServiceKey("demo.Catalog")) == []
        assert known.recall("other", SERVICE) == []
        known.remember("home", ServiceKey("demo.Other"), [])
    async with opened(file) as known:
        # What was not asked for again stays.
        assert known.recall("home", SERVICE) == [at(1), at(2)]


async def test_only_its_owner_can_read_it_and_nothing_else_is_left_behind(file: Path) -> None:
    async with opened(file) as known:
        known.remember("home", SERVICE, [at(1)])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(each.name for each in file.parent.iterdir()) == [file.name, f"{file.name}.lock"]
    assert json.loads(file.read_text())["application"] == "shop"


async def test_of_two_processes_one_writes_and_both_read(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(file) as first:
        first.remember("home", SERVICE, [at(1)])
    with caplog.at_level(logging.INFO):
        async with opened(file) as first, opened(file) as second:
            assert second.recall("home", SERVICE) == [at(1)]
            second.remember("home", SERVICE, [at(9)])
            first.remember("home", SERVICE, [at(2)])
    assert "another process of shop keeps" in caplog.text
    async with opened(file) as known:
        assert known.recall("home", SERVICE) == [at(2)]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"version": 2}',
        '{"version": 1, "application": "else", "registries": {}}',
        "[" * 100_000,
        "\ud800",
    ],
)
async def test_a_file_that_is_none_is_ignored_with_a_word(
    file: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    file.parent.mkdir()
    file.write_bytes(content.encode("utf-8", "surrogatepass"))
    with caplog.at_level(logging.WARNING):
        async with opened(file) as known:
            assert known.recall("home", SERVICE) == []
            known.remember("home", SERVICE, [at(1)])
    assert "starting without what was known last" in caplog.text
    async with opened(file) as known:
        assert known.recall("home", SERVICE) == [at(1)]


async def test_what_is_no_url_in_it_costs_nothing_else(file: Path) -> None:
    file.parent.mkdir()
    urls = [at(1).url, "no url", 7, None]
    content = {"version": 1, "application": "shop", "registries": {"home": {str(SERVICE): urls, "x": 7}, "y": []}}
    file.write_text(json.dumps(content))
    async with opened(file) as known:
        assert known.recall("home", SERVICE) == [at(1)]


async def test_a_file_in_the_way_of_the_folder_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        async with opened(tmp_path / "state" / "shop.json") as known:
            known.remember("home", SERVICE, [at(1)])
            assert known.recall("home", SERVICE) == [at(1)]
    assert "going on without" in caplog.text
