"""A registry for as long as a command takes. Apart from the commands, so that their help imports nothing heavy."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from gateway.cli.registry_target import open_registry
from gateway.model.errors import RegistryError
from gateway.spi.registry import Registry

__all__ = ["in_registry", "until_interrupted"]

_T = TypeVar("_T")


def in_registry(
    target: str, config: Path | None, act: Callable[[Registry], Awaitable[_T]], wait_s: float | None = None
) -> _T:
    """What `act` gives for the registry while it is started; see `open_registry`. `wait_s`: how long it may take.

    Raises:
        RegistryError: it took longer.
    """

    async def run() -> _T:
        async with _started(target, config) as registry:
            try:
                async with asyncio.timeout(wait_s):
                    return await act(registry)
            except TimeoutError:
                raise RegistryError(f"{target}: no answer within {wait_s:g} s") from None

    return asyncio.run(run())


async def until_interrupted(work: Awaitable[object] | None, seconds: float | None) -> None:
    """Runs `work` until it ends, the time is over, or somebody presses Ctrl-C. None waits for the other two."""
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, interrupted.set)
    tasks: set[asyncio.Future[Any]] = {asyncio.ensure_future(interrupted.wait())}
    if work is not None:
        tasks.add(asyncio.ensure_future(work))
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(each)
    for task in done:
        with suppress(asyncio.CancelledError):
            task.result()


@asynccontextmanager
async def _started(target: str, config: Path | None) -> AsyncIterator[Registry]:
    registry = open_registry(target, config)
    try:
        await registry.start()
        yield registry
    finally:
        await registry.aclose()
