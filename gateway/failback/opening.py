"""From the section `failback` to an outbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.config.sections.failback import FailbackConfig
from gateway.failback.outbox import Outbox
from gateway.failback.pace import Pacing
from gateway.failback.sqlite_store import SqliteStore
from gateway.spi.failback import CallStore, StoreError

__all__ = ["make_outbox", "make_store"]


def make_store(config: FailbackConfig, password: str = "") -> CallStore:
    """The store; nothing is opened yet. `config.path` is that of the file itself. `password`: of the Redis server.

    Raises:
        StoreError: the store is redis, and its package is not installed.
    """
    if config.store == "sqlite":
        assert config.path is not None, "the path is known once the section was located"
        return SqliteStore(Path(config.path), config.limit, config.size)
    try:
        from gateway.failback.redis_store import RedisStore
    except ModuleNotFoundError as exc:
        raise StoreError("the failback store redis needs the package redis: pip install 'polyport[redis]'") from exc
    assert config.url is not None, "was checked"
    return RedisStore(config.url, config.group, config.limit, config.size, password=password)


def make_outbox(config: FailbackConfig, count: Callable[[str, str], None], password: str = "") -> Outbox:
    """An outbox on its store; see `make_store`. `count`: counts what happened to a reference."""
    pacing = Pacing(config.interval, config.max_interval, config.concurrency, config.rate)
    return Outbox(make_store(config, password), pacing, config.expires, count)
