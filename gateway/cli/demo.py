"""`polyport demo`: start a gateway, call `demo.Catalog` over every protocol and bridge, show the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from gateway.cli.config_file import ConfigFile, read_config

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.config import GatewayConfig
    from gateway.demo.show import Answer, Row
    from gateway.plugins.catalog import Catalog
    from gateway.runtime.app import Listening

__all__ = ["demo"]


def demo(file: ConfigFile) -> None:
    """Show every protocol and every bridge of a configuration that has the demo services.

    Exits with 1 when a call got no answer, or another one through a bridge than directly.
    """
    import asyncio

    from gateway.telemetry.logs import configure

    config, catalog = read_config(file)
    logs = configure(config.telemetry.logs.format, "WARNING")
    try:
        rows = asyncio.run(_run(config, catalog))
    finally:
        logs.close()
    _show(rows)
    wrong = sum(not row.lossless for row in rows)
    typer.echo(f"{len(rows) - wrong} of {len(rows)} calls answered the same directly and through every bridge")
    raise typer.Exit(1 if wrong or not rows else 0)


async def _run(config: GatewayConfig, catalog: Catalog) -> list[Row]:
    from gateway.runtime.app import App

    typer.echo(f"starting {config.application.name} …")
    rows: list[Row] = []
    async with App(config, catalog) as app:
        reachable = [each for each in app.listening if each.address]
        for listening in reachable:
            rows += await _rows(listening, _bridges(config, listening))
        _snippets(reachable, catalog)
    return rows


def _bridges(config: GatewayConfig, listening: Listening) -> Mapping[str, str]:
    """Group to provider protocol, of every remote demo.Catalog that the listener shows."""
    return {
        service.group: service.remote.protocol or "any"
        for service in config.services.values()
        if service.remote is not None
        and service.contract == "gateway.demo.catalog:Catalog"
        and listening.listener in service.listeners
    }


async def _rows(listening: Listening, bridges: Mapping[str, str]) -> list[Row]:
    from gateway.demo.catalog import Catalog
    from gateway.demo.show import CALLS, Row, measure
    from gateway.runtime.connect import connect

    url = f"{listening.protocol}://{listening.address}"
    answers = {}
    for group in ("", *bridges):
        where = f"to {listening.protocol}" if not group else f"{listening.protocol} → gateway → {bridges[group]}"
        typer.echo(f"calling {where} …")
        async with connect(url, Catalog, group=group, timeout_s=5.0) as catalog:
            answers[group] = [await measure(call, catalog) for call in CALLS]
    return [
        Row(
            listening.protocol,
            call.text,
            answers[""][index],
            {group: answers[group][index] for group in bridges},
        )
        for index, call in enumerate(CALLS)
    ]


def _show(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_lines=False)
    for title in ("protocol", "call", "answer", "bridged answer", "direct ms", "bridged ms"):
        table.add_column(title, overflow="fold", justify="right" if title.endswith("ms") else "left")
    for row in rows:
        table.add_row(
            row.protocol,
            Text(row.call),
            Text(_shown(row.direct)),
            Text(_bridged(row)),
            f"{row.direct.seconds * 1000:.2f}",
            _span([each.seconds for each in row.bridged.values() if not each.failed]),
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(table)


def _shown(answer: Answer) -> str:
    return f"FAILED {answer.text}" if answer.failed else answer.text


def _bridged(row: Row) -> str:
    """How many bridges gave the same answer, and what the others gave."""
    if not row.bridged:
        return "no bridge"
    same = len(row.bridged) - len(row.different)
    lines = [f"{same} the same"] if same else []
    return "\n".join(lines + [f"{group}: {_shown(each)}" for group, each in row.different.items()])


def _span(seconds: Sequence[float]) -> str:
    """The fastest and the slowest, in milliseconds."""
    if not seconds:
        return ""
    low, high = min(seconds) * 1000, max(seconds) * 1000
    return f"{low:.2f}" if len(seconds) == 1 else f"{low:.2f} … {high:.2f}"


def _snippets(reachable: Sequence[Listening], catalog: Catalog) -> None:
    typer.echo("\ntry it yourself, while `polyport serve` runs with the same file:")
    for listening in reachable:
        snippet = catalog.protocol(listening.protocol).client_snippet(listening.address, "demo.Catalog")
        typer.echo(f"  {snippet}")
    typer.echo("")
