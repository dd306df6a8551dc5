"""Checks that cluster modes and mocks suit the methods they are for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pydantic import ValidationError

from gateway.config.document import Path
from gateway.config.findings import Findings
from gateway.config.mock_answer import mock_answer
from gateway.config.plugin_check import PluginCheck
from gateway.config.sections.choice import ClusterChoice
from gateway.config.sections.mock import MockConfig
from gateway.config.sections.remote import RemoteConfig
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import ValueMappingError

__all__ = ["check_policies"]


def check_policies(
    path: Path, remote: RemoteConfig, contract: ServiceContract, findings: Findings, plugins: PluginCheck
) -> None:
    """What is written for a remote holds for all methods that say nothing else. `path`: of the remote."""
    own_modes = {name for name, each in remote.methods.items() if each.cluster is not None}
    own_mocks = {name for name, each in remote.methods.items() if each.mock is not None}
    common = [each for each in contract.methods if each.name not in own_modes]
    _check_mode((*path, "cluster"), remote.cluster, contract, common, findings, plugins)
    if remote.mock is not None:
        common = [each for each in contract.methods if each.name not in own_mocks]
        _check_mock((*path, "mock"), remote.mock, contract, common, findings)
    for name, each in remote.methods.items():
        inside: Path = (*path, "methods", name)
        methods = contract.overloads(name)
        if each.cluster is not None:
            _check_mode((*inside, "cluster"), each.cluster, contract, methods, findings, plugins)
        if each.mock is not None:
            _check_mock((*inside, "mock"), each.mock, contract, methods, findings)


def _check_mode(
    path: Path,
    choice: ClusterChoice,
    contract: ServiceContract,
    methods: Sequence[MethodContract],
    findings: Findings,
    plugins: PluginCheck,
) -> None:
    plugin = plugins.loaded("cluster", choice.type)
    if plugin is None or not methods:
        return
    # What is wrong with the options themselves was reported when they were read.
    with suppress(ValidationError):
        options = plugin.options.model_validate(choice.options)
        by_name = findings.document.scalar(path) is not None
        for misfit in plugin.check(options, contract, methods):
            inside: Path = (*path, "options", *misfit.path) if misfit.path else path
            findings.problem(path if by_name else inside, misfit.text, at_key=not by_name and not misfit.path)
        for name in type(options).model_fields:
            inner = getattr(options, name)
            if isinstance(inner, ClusterChoice):
                _check_mode((*path, "options", name), inner, contract, methods, findings, plugins)


def _check_mock(
    path: Path, mock: MockConfig, contract: ServiceContract, methods: Sequence[MethodContract], findings: Findings
) -> None:
    if mock.when == "never":
        return
    by_text = findings.document.scalar(path) is not None
    at: Path = path if by_text else (*path, "return" if mock.throw is None else "throw")
    for method in methods:
        try:
            mock_answer(mock, method, contract)
        except ValueMappingError as exc:
            if mock.throw is not None:
                findings.problem(at, str(exc))
                return
            findings.problem(at if by_text or findings.written(at) else path, str(exc))
