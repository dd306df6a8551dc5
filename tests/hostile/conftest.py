"""Hostile inputs run on the loop that a gateway runs on, with only the gateway's own objects for the collector."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Final

import pytest

from tests.support.abuse import Abuse, abused
from tests.support.dialect import DUBBO, Dialect

_NOTHING_TIMED: Final = ("test_hessian_http_memory.py", "test_schemathesis.py")


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if find_spec("uvloop") is None:
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"uvloop": uvloop.new_event_loop}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only_where(condition): of the parameters it names; leaves out the other rows")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out rows that make no sense for a wire: they are not skipped tests, there is nothing to test.

    And lets nearly all of this folder have a processor each: while somebody attacks, the calls of others are timed. The
    time they wait for a processor is left out (`tests.support.abuse`), but who shares one computes more slowly.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents and item.path.name not in _NOTHING_TIMED:
            item.add_marker(pytest.mark.processor("calls of others in time, while much is computed"))
    left_out = [item for item in items if not _makes_sense(item)]
    if left_out:
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=left_out)


def _makes_sense(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("only_where")
    if mark is None:
        return True
    assert isinstance(item, pytest.Function)
    condition, params = mark.args[0], item.callspec.params
    return bool(condition(**{name: params[name] for name in signature(condition).parameters}))


@pytest.fixture(autouse=True, scope="module")
def _only_new_garbage() -> Iterator[None]:
    """Keeps the objects of other tests out of the collector: walking them would stop everything for a while.

    For each file again, as a worker may run others between two of these.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class _Keeper(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """What is logged as a warning or worse, by anybody."""
    keeper = _Keeper()
    logging.getLogger().addHandler(keeper)
    yield keeper.records
    logging.getLogger().removeHandler(keeper)


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """The wire under attack; `@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)` chooses others."""
    found: Dialect = getattr(request, "param", DUBBO)
    return found


@pytest.fixture
async def abuse(
    records: list[logging.LogRecord], dialect: Dialect, request: pytest.FixtureRequest
) -> AsyncIterator[Abuse]:
    """A gateway to abuse; `@pytest.mark.parametrize("abuse", ["frame: 64KiB"], indirect=True)` sets its limits.

    It forwards as well where the test has a parameter called group.
    """
    group = getattr(request.node, "callspec", None) and request.node.callspec.params.get("group")
    async with abused(records, dialect, getattr(request, "param", ""), forwarding=bool(group)) as made:
        yield made
