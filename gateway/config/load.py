"""A configuration file becomes a `GatewayConfig`, or the list of everything that is wrong with it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.config.consumer_check import check_consumers, check_unused_protocols
from gateway.config.contract_check import check_contracts
from gateway.config.contract_file import with_contract_files
from gateway.config.document import MAX_FILE_BYTES, parse_document
from gateway.config.failback_check import check_failback
from gateway.config.findings import Findings, Plugins
from gateway.config.model import GatewayConfig
from gateway.config.plugin_check import PluginCheck
from gateway.config.port_check import check_shared_ports, check_texts
from gateway.config.reference_check import (
    check_ports,
    check_references,
    check_shared_filters,
    check_unused,
    read_credentials,
)
from gateway.config.structure import read_sections
from gateway.model.errors import ConfigError, Problem

__all__ = ["Examined", "examine", "examine_text", "load", "load_text"]

_log: Final = logging.getLogger("polyport.config")


@dataclass(frozen=True, slots=True)
class Examined:
    """What a file says and what is wrong with it.

    `config`: None when there are problems. `problems` and `warnings`: in the order of the file; warnings are only
    looked for in a file without problems.
    """

    config: GatewayConfig | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def load(path: str | Path, plugins: Plugins, environ: Mapping[str, str] | None = None) -> GatewayConfig:
    """Reads and checks a file; warnings go to the log.

    The modules of contracts and implementations are imported, credentials are read; nothing is started.

    Raises:
        ConfigError: the file cannot be used; carries all problems.
    """
    return _usable(examine(path, plugins, environ))


def load_text(
    text: str,
    name: str,
    plugins: Plugins,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> GatewayConfig:
    """As `load`, from the text of a file. `name`: for messages; `folder`: where relative paths begin.

    Raises:
        ConfigError: the text cannot be used; carries all problems.
    """
    return _usable(examine_text(text, name, plugins, environ, folder))


def examine(path: str | Path, plugins: Plugins, environ: Mapping[str, str] | None = None) -> Examined:
    """As `load`, but gives problems and warnings back."""
    name = str(path)
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        return _unusable(Problem(name, 0, 0, "", f"cannot be read: {exc.strerror or exc}"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        before = raw[: exc.start]
        line, column = before.count(b"\n") + 1, exc.start - before.rfind(b"\n")
        return _unusable(Problem(name, line, column, "", "is not UTF-8 text"))
    return examine_text(text, name, plugins, environ, Path(path).parent)


def examine_text(
    text: str,
    name: str,
    plugins: Plugins,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Examined:
    """As `load_text`, but gives problems and warnings back."""
    environ = os.environ if environ is None else environ
    try:
        document, problems = parse_document(text, name, environ)
    except ConfigError as exc:
        return _unusable(*exc.problems)
    config, wrong, left_out = read_sections(document)
    findings = Findings(document, left_out)
    findings.problems += [*problems, *wrong]

    credentials = read_credentials(config, findings, environ, folder or Path())
    failback = config.failback.located(folder or Path(), name)
    config = config.model_copy(update={"credentials": credentials, "failback": failback})
    config = with_contract_files(config, findings, plugins, folder or Path())
    check_references(config, findings)
    check_failback(config, findings)
    plugin_check = PluginCheck(plugins, findings, credentials)
    config = plugin_check.complete(config)
    check_ports(config, plugin_check.ports(config), findings)
    check_shared_ports(config, findings, plugin_check)
    check_consumers(config, findings, plugin_check.protocols)
    check_contracts(config, findings, plugin_check)
    if findings.problems:
        # Whether something is used cannot be said while names are wrong.
        return _unusable(*findings.problems)
    check_unused(config, findings, plugin_check.used_credentials)
    check_unused_protocols(config, findings)
    check_texts(config, findings, plugin_check)
    check_shared_filters(config, findings)
    return Examined(config, (), _in_file_order(findings.warnings))


def _usable(examined: Examined) -> GatewayConfig:
    if examined.config is None:
        raise ConfigError(examined.problems)
    for warning in examined.warnings:
        _log.warning("%s", warning)
    return examined.config


def _unusable(*problems: Problem) -> Examined:
    return Examined(None, _in_file_order(problems), ())


def _in_file_order(problems: list[Problem] | tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Sorted by position, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda each: (each.line, each.column)))
