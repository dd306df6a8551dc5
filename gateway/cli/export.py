"""`polyport export`: contracts as source code for other languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.config_file import read_config
from gateway.cli.outcome import Misuse

if TYPE_CHECKING:
    from gateway.model.contract import ServiceContract

__all__ = ["export"]

export = typer.Typer(
    name="export",
    help="Write contracts in other languages.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@export.callback()
def _group() -> None:
    """Keeps the languages sub-commands while there is only one."""


@export.command()
def java(
    source: Annotated[
        str, typer.Argument(metavar="CONTRACT|FILE", help="A contract, package.module:Class, or a configuration file.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
) -> None:
    """Write the Java interface and classes that a Dubbo consumer or provider needs."""
    contracts = _contracts(source)
    files = _exporter("java")(contracts)
    for name, text in sorted(files.items()):
        path = _inside(output, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        typer.echo(str(path))


def _contracts(source: str) -> Sequence[ServiceContract]:
    """The contract of a class, or all contracts of a configuration, each once."""
    from gateway.config.sections.service import ServiceConfig
    from gateway.config.target import load_contract

    if not Path(source).is_file() and ":" in source:
        found = [load_contract(ServiceConfig(contract=source))]
    else:
        config, _ = read_config(Path(source))
        found = [load_contract(service) for service in config.services.values()]
    contracts = {contract.name: contract for contract in found if contract is not None}
    if not contracts:
        raise Misuse(f"{source} has no service with a contract")
    return list(contracts.values())


def _exporter(language: str) -> Callable[[Sequence[ServiceContract]], Mapping[str, str]]:
    """What the first wire that knows the language offers."""
    from gateway.plugins.catalog import Catalog

    catalog = Catalog()
    for name in catalog.names("protocol"):
        found = catalog.protocol(name).exports.get(language)
        if found is not None:
            return found
    raise Misuse(f"no installed protocol exports {language}")


def _inside(folder: Path, name: str) -> Path:
    """The file `name` names below `folder`. Raises Misuse for a name that leads out of it."""
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts:
        raise Misuse(f"the export names a file outside of the folder: {name!r}")
    return folder.joinpath(*relative.parts)
