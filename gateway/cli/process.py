"""The life of a serving process: start, say where it listens, wait for a signal, finish what is in progress."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import typer

from gateway.cli.collector import tuned_collector
from gateway.cli.outcome import Exit
from gateway.cli.version import installed_version
from gateway.config import GatewayConfig
from gateway.config.units import format_seconds
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App

__all__ = ["run"]


def run(file: Path, config: GatewayConfig, catalog: Catalog) -> Exit:
    """Serves until the first SIGINT or SIGTERM. `file`: for messages.

    Raises:
        StartError: an address cannot be bound; names listener and address.
        ContractError: a service does not fit its contract or its wire.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(file, config, catalog))


async def _serve(file: Path, config: GatewayConfig, catalog: Catalog) -> Exit:
    app = App(config, catalog)
    with _Signals() as signals:
        # A signal while starting ends it at once: nobody was told of an address yet.
        if not await _unless(signals.first, app.start()):
            return Exit.OK
        with tuned_collector():
            _show(file, config, app)
            await signals.first.wait()
        drain = format_seconds(config.application.drain)
        typer.echo(f"stopping; calls in progress have {drain} (Ctrl-C again ends them)", err=True)
        return Exit.OK if await _unless(signals.second, app.stop()) else Exit.INTERRUPTED


def _show(file: Path, config: GatewayConfig, app: App) -> None:
    typer.echo(f"polyport {installed_version()}, {config.application.name} from {file}")
    urls = [f"{each.protocol}://{each.address}" if each.address else "only mounted" for each in app.listening]
    names = [each.listener for each in app.listening]
    for name, url, each in zip(names, urls, app.listening, strict=True):
        shown = ", ".join(map(str, each.services)) or "no service"
        typer.echo(f"  {name.ljust(max(map(len, names)))}  {url.ljust(max(map(len, urls)))}  {shown}")
    for port in app.ports:
        typer.echo(f"  {port.port}: {', '.join(port.listeners)} on {port.address}")
    if not app.listening:
        typer.echo("  no listeners; only this process can call its services")
    typer.echo("ready; Ctrl-C stops")
    typer.get_text_stream("stdout").flush()


class _Signals:
    """Events for the first and the second SIGINT or SIGTERM while it is entered; the third does what it always did."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()

    def __enter__(self) -> _Signals:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(number, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _received(self) -> None:
        if self.first.is_set():
            self.second.set()
            self._restore()
        self.first.set()

    def _restore(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)


async def _unless(event: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Runs `work` and says whether it finished; it is cancelled when `event` comes first."""
    task = asyncio.create_task(work)
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
            return True
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return False
    finally:
        waiting.cancel()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
