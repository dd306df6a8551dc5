"""`polyport export`: contracts in the languages that the installed wires know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.completion import export_languages
from gateway.cli.config_file import read_config
from gateway.cli.outcome import Misuse

if TYPE_CHECKING:
    from gateway.config.sections.service import ServiceConfig
    from gateway.model.exposure import Exposure
    from gateway.plugins.catalog import Catalog
    from gateway.spi.plugin import ProtocolPlugin

__all__ = ["export"]


def export(
    language: Annotated[
        str,
        typer.Argument(
            metavar="LANGUAGE", help="java, or what `polyport plugins` lists.", autocompletion=export_languages
        ),
    ],
    source: Annotated[
        str,
        typer.Argument(
            metavar="CONTRACT|FILE",
            help="A contract, package.module:Class; a file of contracts; or a configuration file.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write into; one file alone may go to standard output."),
    ] = None,
) -> None:
    """Write contracts in other languages.

    \b
        polyport export java conf/demo.yaml --output java

    `java`: the interfaces and classes that a Dubbo consumer or provider needs. `openapi`: the document that describes
    http://. Of a configuration file, what its listeners of that protocol show; all services, if they show none.
    """
    from gateway.plugins.catalog import Catalog

    catalog = Catalog()
    plugin, write = _exporter(language, catalog)
    files = write(_exposures(source, plugin, catalog))
    if output is None:
        if len(files) != 1:
            raise Misuse(f"{language} takes {len(files)} files; name a folder with --output")
        typer.echo(next(iter(files.values())), nl=False)
        return
    for name, text in sorted(files.items()):
        path = _inside(output, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        typer.echo(str(path))


def _exporter(
    language: str, catalog: Catalog
) -> tuple[ProtocolPlugin, Callable[[Sequence[Exposure]], Mapping[str, str]]]:
    """The first wire that knows the language, and what it offers."""
    from gateway.config.suggestion import suggestion

    known: list[str] = []
    for name in catalog.names("protocol"):
        plugin = catalog.protocol(name)
        if language in plugin.exports:
            return plugin, plugin.exports[language]
        known += plugin.exports
    raise Misuse(f"no installed protocol exports {language!r}{suggestion(language, known)}")


def _exposures(source: str, plugin: ProtocolPlugin, catalog: Catalog) -> Sequence[Exposure]:
    """The service of a contract, those of a file of contracts, or what the listeners of a configuration show."""
    from gateway.config.contract_file import contract_targets, importers
    from gateway.config.scalar import is_python_target
    from gateway.config.sections.service import ServiceConfig

    if is_python_target(source) and not Path(source).is_file():
        services = [ServiceConfig(contract=source)]
    elif source.partition("#")[0].rpartition(".")[2] in importers(catalog):
        services = [ServiceConfig(contract=each) for each in contract_targets(source, catalog, Path())]
    else:
        config, _ = read_config(Path(source))
        services = list(config.services.values())
        speaking = {name for name, listener in config.listeners.items() if listener.protocol == plugin.name}
        services = [each for each in services if speaking.intersection(each.listeners)] or services
    found = [each for service in services if (each := _exposure(service, plugin)) is not None]
    if not found:
        raise Misuse(f"{source} has no service with a contract")
    return found


def _exposure(service: ServiceConfig, plugin: ProtocolPlugin) -> Exposure | None:
    from gateway.config.sections.listener import revealed
    from gateway.config.target import load_contract, service_key
    from gateway.model.exposure import Exposure

    contract = load_contract(service)
    if contract is None:
        return None
    options = revealed(service.protocols.get(plugin.name, {}))
    return Exposure(service_key(service, contract), contract, service.remote is not None, options)


def _inside(folder: Path, name: str) -> Path:
    """The file `name` names below `folder`. Raises Misuse for a name that leads out of it."""
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts:
        raise Misuse(f"the export names a file outside of the folder: {name!r}")
    return folder.joinpath(*relative.parts)
