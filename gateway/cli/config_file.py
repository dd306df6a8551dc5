"""Configuration files as commands read them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.config import GatewayConfig
    from gateway.plugins.catalog import Catalog

__all__ = ["ConfigFile", "read_config"]

ConfigFile = Annotated[Path, typer.Argument(metavar="FILE", help="Configuration file (YAML).")]


def read_config(path: Path, *, warn: bool = False) -> tuple[GatewayConfig, Catalog]:
    """The checked configuration and the plug-ins it was checked against. `warn`: print warnings to standard error.

    Raises:
        ConfigError: it has problems, or one of our packages was overwritten.
        PluginError: two plug-ins have one name.
    """
    from gateway.config import examine
    from gateway.model.errors import ConfigError, Problem
    from gateway.plugins.catalog import Catalog
    from gateway.plugins.collision import foreign_packages

    foreign = foreign_packages()
    if foreign:
        raise ConfigError([Problem("installation", 0, 0, "", message) for message in foreign])
    catalog = Catalog()
    examined = examine(path, catalog)
    if examined.config is None:
        raise ConfigError(examined.problems)
    if warn:
        for warning in examined.warnings:
            typer.echo(f"warning: {warning}", err=True)
    return examined.config, catalog
