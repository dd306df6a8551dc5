"""Contracts that a configuration names by a file of another language: `idl/shop.thrift#shop.Catalog`.

The file becomes a module (`gateway.contracts.module`), and what the configuration says becomes the class in it. From
there on nobody needs to know that there was a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.config.document import Path as ConfigPath
from gateway.config.findings import Findings, Plugins
from gateway.config.model import GatewayConfig
from gateway.config.scalar import is_python_target
from gateway.config.suggestion import suggestion
from gateway.contracts.document import open_document
from gateway.contracts.module import contract_module, services_of
from gateway.model.document import Document, Importer
from gateway.model.errors import ContractError, GatewayError

__all__ = ["contract_target", "contract_targets", "file_services", "importers", "omissions", "with_contract_files"]


def importers(plugins: Plugins) -> dict[str, Importer]:
    """What the installed protocols read, by language; a protocol that cannot be imported reads nothing."""
    found: dict[str, Importer] = {}
    for name in plugins.names("protocol"):
        try:
            found = {**plugins.load("protocol", name).imports, **found}
        except GatewayError:
            continue
    return found


def omissions(language: str, document: Document, plugins: Plugins) -> Sequence[str]:
    """What the reader of a language leaves out of a document, each with its reason."""
    for name in plugins.names("protocol"):
        try:
            plugin = plugins.load("protocol", name)
        except GatewayError:
            continue
        if language in plugin.imports:
            return plugin.omits[language](document) if language in plugin.omits else ()
    return ()


def file_services(file: str, plugins: Plugins, folder: Path) -> Mapping[str, type[Any]]:
    """The contract classes of all services in a file, by contract name. `folder`: where relative paths begin.

    Raises:
        ContractError: nobody reads the language that its suffix names, or it cannot be read.
    """
    known = importers(plugins)
    language = file.rpartition(".")[2]
    if language not in known:
        listed = ", ".join(f".{each}" for each in sorted(known)) or "no protocol reads any"
        raise ContractError(f"{file!r} is neither package.module:Name nor a file with contracts ({listed})")
    document = open_document(file, folder=folder, web=False)
    services = services_of(contract_module(known[language](document), Path(file).name))
    if not services:
        raise ContractError(f"{file} describes no service")
    return services


def contract_targets(written: str, plugins: Plugins, folder: Path) -> list[str]:
    """`package.module:Name` of the contract classes that are meant; what has this form already is given back.

    Args:
        written: `FILE` for all its services, or `FILE#SERVICE`.
        plugins: Whose protocols read the file.
        folder: Where relative paths begin.

    Raises:
        ContractError: as `file_services`; or the file has no such service.
    """
    if is_python_target(written):
        return [written]
    file, _, service = written.partition("#")
    services = file_services(file, plugins, folder)
    if service and service not in services:
        raise ContractError(f"{file} has no service {service!r}{suggestion(service, services)}")
    chosen = [services[service]] if service else list(services.values())
    return [f"{each.__module__}:{each.__name__}" for each in chosen]


def contract_target(written: str, plugins: Plugins, folder: Path) -> str:
    """As `contract_targets`, where one is wanted.

    Raises:
        ContractError: as there; or the file has several services and none is named.
    """
    found = contract_targets(written, plugins, folder)
    if len(found) > 1:
        example = f"{written}#{min(file_services(written, plugins, folder))}"
        raise ContractError(f"{written} has {len(found)} services; say which: {example}")
    return found[0]


def with_contract_files(config: GatewayConfig, findings: Findings, plugins: Plugins, folder: Path) -> GatewayConfig:
    """The configuration with classes where files were named. What cannot be read is reported, and left out."""
    services = {}
    for name, service in config.services.items():
        if service.contract is not None and not is_python_target(service.contract):
            path: ConfigPath = ("services", name, "contract")
            target = None
            try:
                target = contract_target(service.contract, plugins, folder)
            except ContractError as exc:
                findings.problem(path, str(exc))
            service = service.model_copy(update={"contract": target})
        services[name] = service
    return config.model_copy(update={"services": services})
