"""`polyport registry`: what a registry holds, how that changes, and what is wrong with it.

A registry is named by a URL (`zookeeper://10.0.0.1:2181`, `redis://10.0.0.1:6379`, `simple://10.0.0.1:20870`,
`multicast://224.5.6.7:1234`), whose query has its options, or with `--config FILE` by its name there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli.outcome import Exit, Misuse
from gateway.cli.table import cells_of, print_table

if TYPE_CHECKING:
    from gateway.model.endpoint import Endpoint
    from gateway.spi.registry import Registry, Snapshot
    from gateway.spi.registry_ability import Listing

__all__ = ["registry_commands"]

_COLUMNS: Final = ("SERVICE", "ROLE", "PROTOCOL", "ADDRESS", "WEIGHT", "APPLICATION")

Target = Annotated[str, typer.Argument(metavar="REGISTRY", help="URL of a registry, or with --config the name of one.")]
Config = Annotated[Path | None, typer.Option("--config", "-c", metavar="FILE", help="Configuration file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Wait = Annotated[float, typer.Option("--wait", min=0.1, metavar="SECONDS", help="How long to wait for it.")]
For = Annotated[
    float | None, typer.Option("--for", min=0.0, metavar="SECONDS", help="End after so long. Default: at Ctrl-C.")
]


def registry_commands() -> typer.Typer:
    """The commands below `polyport registry`."""
    commands = typer.Typer(
        help="What a registry holds, and what is wrong with it.", no_args_is_help=True, rich_markup_mode=None
    )
    commands.command("ls")(list_entries)
    commands.command("watch")(watch)
    commands.command("register")(register)
    commands.command("unregister")(unregister)
    commands.command("doctor")(doctor)
    return commands


def list_entries(
    target: Target,
    config: Config = None,
    service: Annotated[str | None, typer.Option(metavar="KEY", help="Only this interface or service key.")] = None,
    as_json: Json = False,
    wait: Wait = 5.0,
) -> None:
    """List providers and consumers, and what is there that cannot be used."""
    from gateway.cli.registry_session import in_registry
    from gateway.spi.registry_ability import ListedRegistry

    async def read(registry: Registry) -> Listing:
        if not isinstance(registry, ListedRegistry):
            raise Misuse("this kind of registry cannot be listed")
        return await registry.listing()

    listing = in_registry(target, config, read, wait)
    rows = [row for row in _rows(listing) if service in (None, row["service"], row["interface"])]
    if as_json:
        skipped = [{"entry": each.entry, "reason": each.reason} for each in listing.skipped]
        typer.echo(json.dumps({"entries": rows, "skipped": skipped}, indent=2, ensure_ascii=False))
        return
    print_table(_COLUMNS, map(_cells, rows))
    for each in listing.skipped:
        typer.echo(f"skipped: {each.entry}: {each.reason}", err=True)
    providers = sum(row["role"] == "provider" for row in rows)
    services = len({row["service"] for row in rows})
    typer.echo(f"{providers} providers and {len(rows) - providers} consumers of {services} services")


def watch(
    target: Target,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="[group/]interface[:version]")],
    config: Config = None,
    seconds: For = None,
    as_json: Json = False,
) -> None:
    """Show the providers of a service, and every change of them."""
    from gateway.cli.registry_session import in_registry, until_interrupted
    from gateway.model.endpoint import ServiceKey

    try:
        key = ServiceKey.parse(service)
    except ValueError as exc:
        raise Misuse(str(exc)) from None

    async def follow(registry: Registry) -> None:
        before: tuple[Endpoint, ...] = ()
        async with aclosing(registry.watch(key)) as snapshots:
            async for snapshot in snapshots:
                for line in _changes(before, snapshot, as_json):
                    typer.echo(line)
                before = snapshot.endpoints

    async def run(registry: Registry) -> None:
        await until_interrupted(follow(registry), seconds)

    in_registry(target, config, run)


def register(
    target: Target,
    url: Annotated[str, typer.Argument(metavar="URL", help="protocol://host:port/interface?…")],
    config: Config = None,
    seconds: For = None,
) -> None:
    """Announce a provider as long as this command runs."""
    from gateway.cli.registry_session import in_registry, until_interrupted

    endpoint = _endpoint(url)

    async def run(registry: Registry) -> None:
        await registry.register(endpoint)
        typer.echo(f"announced {endpoint}")
        await until_interrupted(None, seconds)
        await registry.unregister(endpoint)
        typer.echo("withdrawn")

    in_registry(target, config, run)


def unregister(
    target: Target,
    url: Annotated[str, typer.Argument(metavar="URL", help="As `ls --json` shows it.")],
    config: Config = None,
    wait: Wait = 5.0,
) -> None:
    """Take a provider back that somebody else announced, such as a dead one."""
    from gateway.cli.registry_session import in_registry
    from gateway.spi.registry_ability import EditableRegistry

    endpoint = _endpoint(url)

    async def run(registry: Registry) -> bool:
        if not isinstance(registry, EditableRegistry):
            raise Misuse("in this kind of registry nobody takes back what others have announced")
        return await registry.remove(endpoint)

    if not in_registry(target, config, run, wait):
        raise Misuse(f"there is no {endpoint.protocol}://{endpoint.address} of {endpoint.service}")
    typer.echo(f"withdrawn {endpoint}")


def doctor(target: Target, config: Config = None, as_json: Json = False, wait: Wait = 30.0) -> None:
    """Look at everything that may be wrong with a registry, and say what to do about it."""
    from gateway.cli.registry_session import in_registry
    from gateway.spi.registry_ability import DiagnosableRegistry

    async def run(registry: Registry) -> Sequence[Any]:
        if not isinstance(registry, DiagnosableRegistry):
            raise Misuse("this kind of registry cannot be looked into")
        return await registry.diagnose()

    findings = in_registry(target, config, run, wait)
    if as_json:
        rows = [{"what": e.what, "well": e.is_well, "detail": e.detail, "advice": e.advice} for e in findings]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for each in findings:
            typer.echo(f"{'ok  ' if each.is_well else 'BAD '} {each.what}: {each.detail}")
            if each.advice:
                typer.echo(f"       {each.advice}")
        typer.echo(f"{sum(each.is_well for each in findings)} of {len(findings)} looked at are well")
    if not all(each.is_well for each in findings):
        raise typer.Exit(int(Exit.FAILED))


def _endpoint(url: str) -> Endpoint:
    from gateway.model.endpoint import Endpoint

    try:
        return Endpoint.parse(url)
    except ValueError as exc:
        raise Misuse(str(exc)) from None


def _rows(listing: Listing) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "service": str(each.service),
            "interface": each.service.interface,
            "role": "provider",
            "protocol": each.protocol,
            "address": each.address,
            "weight": each.weight,
            "application": each.parameters.get("application", ""),
            "registered": "application" if each.identity in listing.by_application else "interface",
            "url": str(each),
        }
        for each in listing.endpoints
    ]
    rows += [
        {
            "service": str(each.service),
            "interface": each.service.interface,
            "role": "consumer",
            "protocol": each.protocol,
            "address": each.host,
            "weight": None,
            "application": each.application,
            "registered": "interface",
            "url": each.url,
        }
        for each in listing.consumers
    ]
    return sorted(rows, key=lambda row: (row["service"], row["role"] == "consumer", row["protocol"], row["address"]))


def _cells(row: dict[str, Any]) -> list[str]:
    from gateway.telemetry.logs import shorten

    keys = ("service", "role", "protocol", "address", "weight", "application")
    # Whoever writes into a registry must not write more lines here, or to the terminal.
    cells = [shorten(each) for each in cells_of(row, keys)]
    if row["registered"] == "application":
        cells[1] += ", by application"
    return cells


def _changes(before: Sequence[Endpoint], snapshot: Snapshot, as_json: bool) -> list[str]:
    now = datetime.now().astimezone().isoformat(timespec="milliseconds")
    known = {each.identity: each for each in before}
    present = {each.identity: each for each in snapshot.endpoints}
    if as_json:
        shown = {"time": now, "freshness": snapshot.freshness.value, "providers": [str(e) for e in snapshot.endpoints]}
        return [json.dumps(shown, ensure_ascii=False)]
    lines = [f"{now} {snapshot.freshness.value}, {len(present)} providers"]
    lines += [f"  + {each}" for key, each in present.items() if known.get(key) != each]
    for key, each in known.items():
        if key not in present:
            lines.append(f"  - {each}{' (withdrew)' if key in snapshot.withdrawn else ''}")
    return lines
