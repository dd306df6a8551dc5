"""Hostile inputs run on the loop that a gateway runs on, with only the gateway's own objects for the collector."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from importlib.util import find_spec

import pytest

from tests.support.abuse import Abuse, abused
from tests.support.dialect import DUBBO, Dialect


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if find_spec("uvloop") is None:
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True, scope="session")
def _only_new_garbage() -> Iterator[None]:
    """Keeps the objects of other tests out of the collector: walking them would stop everything for a while."""
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
