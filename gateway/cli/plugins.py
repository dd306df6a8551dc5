"""`polyport plugins`: what can be named in a configuration, whose it is, and whether it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli.outcome import Exit
from gateway.cli.table import print_table

if TYPE_CHECKING:
    from gateway.plugins.registration import Registration

__all__ = ["plugins"]

_COLUMNS: Final = ("KIND", "NAME", "OWNER", "OBJECT", "OFFERS")


def plugins(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List all plug-ins with their owners.

    Imports every one of them. Exits with 1 when one cannot be used: its name exists twice, it cannot be imported, or
    it is not what its kind must be.
    """
    import json

    from gateway.plugins.collision import foreign_packages
    from gateway.plugins.registration import collisions, registrations

    found = registrations()
    twice = collisions(found)
    rows = [_row(each, twice.get((each.kind, each.name), "")) for each in found]
    problems = [*foreign_packages(), *dict.fromkeys(row["problem"] for row in rows if row["problem"])]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        print_table(_COLUMNS, map(_cells, rows))
    for problem in problems:
        typer.echo(f"problem: {problem}", err=True)
    if problems:
        raise typer.Exit(Exit.FAILED)


def _row(registered: Registration, collision: str) -> dict[str, Any]:
    """One plug-in as `--json` shows it. A name that exists twice stands for nothing, so nothing is imported then."""
    from gateway.plugins.catalog import PluginError, import_plugin

    problem, offers = collision, {}
    if not collision:
        try:
            offers = _offers(registered.kind, import_plugin(registered))
        except PluginError as exc:
            problem = str(exc)
    return {
        "kind": registered.kind,
        "name": registered.name,
        "owner": registered.distribution,
        "version": registered.version,
        "object": registered.target,
        "offers": offers,
        "problem": problem or None,
    }


def _offers(kind: str, plugin: Any) -> dict[str, Any]:
    if kind == "protocol":
        return {
            "directions": ["in", "out"],
            "default_port": plugin.default_port,
            "exports": sorted(plugin.exports),
            "imports": sorted(plugin.imports),
            "mounts": plugin.mount is not None,
            "listener_options": sorted(plugin.listener_options),
            "reference_options": sorted(plugin.reference_options),
            "service_options": sorted(plugin.service_options),
        }
    if kind == "registry":
        return {"options": sorted(plugin.options)}
    return {"options": sorted(plugin.options.model_fields)}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    owner = f"{row['owner'] or 'unknown'} {row['version']}".rstrip()
    return row["kind"], row["name"], owner, row["object"], "unusable" if row["problem"] else _summary(row["offers"])


def _summary(offers: dict[str, Any]) -> str:
    parts = []
    if "directions" in offers:
        parts.append(f"{', '.join(offers['directions'])}, port {offers['default_port']}")
    if offers.get("mounts"):
        parts.append("mounts")
    if offers.get("exports"):
        parts.append(f"exports {', '.join(offers['exports'])}")
    if offers.get("imports"):
        parts.append(f"imports {', '.join(offers['imports'])}")
    if offers.get("options"):
        parts.append(f"options {', '.join(offers['options'])}")
    return "; ".join(parts)
