"""`polyport services`: what a configuration shows where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.config_file import ConfigFile, read_config
from gateway.cli.table import print_table

if TYPE_CHECKING:
    from gateway.config import GatewayConfig
    from gateway.config.sections.service import ServiceConfig
    from gateway.plugins.catalog import Catalog

__all__ = ["services"]

_COLUMNS = ("SERVICE", "INTERFACE", "LIVES", "SHOWN AT", "ANNOUNCED IN")


def services(
    file: ConfigFile,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List what a configuration shows where."""
    import json

    config, catalog = read_config(file)
    rows = [_row(name, service, config, catalog) for name, service in config.services.items()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    print_table(_COLUMNS, map(_cells, rows))


def _row(name: str, service: ServiceConfig, config: GatewayConfig, catalog: Catalog) -> dict[str, Any]:
    from gateway.config.target import load_contract, service_key
    from gateway.model.endpoint import masked

    contract = load_contract(service)
    key = service_key(service, contract)
    return {
        "service": name,
        "interface": key.interface,
        "group": key.group,
        "version": key.version,
        "key": str(key),
        "contract": service.contract,
        "implementation": service.implementation,
        "addresses": [masked(each) for each in service.remote.addresses] if service.remote else [],
        "registries": list(service.remote.registries) if service.remote else [],
        "listeners": {each: _address(each, config, catalog) for each in service.listeners},
        "announce": list(service.announce),
        "methods": [method.signature for method in contract.methods] if contract else [],
    }


def _address(name: str, config: GatewayConfig, catalog: Catalog) -> str:
    from gateway.model.endpoint import format_address

    listener = config.listeners[name]
    place = config.place(name, catalog.protocol(listener.protocol))
    if place is None:
        return f"{listener.protocol}, only mounted"
    return f"{listener.protocol}://{format_address(*place)}"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    elsewhere = row["addresses"] or [f"registry {each}" for each in row["registries"]]
    lives = "here" if row["implementation"] else ", ".join(elsewhere)
    shown = ", ".join(row["listeners"].values()) or "this process only"
    return row["service"], row["key"], lives, shown, ", ".join(row["announce"]) or "-"
