"""Checks that import the contracts and implementations a file names."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.config.document import Path
from gateway.config.findings import Findings
from gateway.config.model import GatewayConfig
from gateway.config.plugin_check import PluginCheck
from gateway.config.sections.service import ServiceConfig
from gateway.config.suggestion import suggestion
from gateway.config.target import check_implementation_target, load_contract, service_key
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ContractError

__all__ = ["check_contracts"]


def check_contracts(config: GatewayConfig, findings: Findings, plugins: PluginCheck) -> None:
    """Contracts and implementations fit each other, the wires they go over, and the methods the file names.

    Importing them runs the code of their modules.
    """
    ports = plugins.ports(config)
    shown: dict[tuple[str, ServiceKey], str] = {}
    verdicts: dict[tuple[str, str | None], list[str]] = {}
    for name, service in config.services.items():
        path: Path = ("services", name)
        contract = _contract(path, service, findings)
        if service.implementation is not None:
            try:
                check_implementation_target(service, contract)
            except ContractError as exc:
                findings.problem((*path, "implementation"), str(exc))
        if contract is not None:
            _check_wires(path, config, service, contract, findings, plugins, verdicts)
            _check_methods((*path, "remote", "methods"), service, contract, findings)
        if contract is None and service.interface is None:
            continue
        key = service_key(service, contract)
        for index, listener in enumerate(service.listeners):
            other = shown.setdefault((listener, key), name)
            if other != name:
                message = f"listener {listener!r} shows {key} already, as service {other!r}"
                at = findings.item((*path, "listeners"), index)
                findings.problem(at, f"{message}; give one of them another group or version")
        _check_loop(path, config, service, key, ports, findings)


def _contract(path: Path, service: ServiceConfig, findings: Findings) -> ServiceContract | None:
    try:
        return load_contract(service)
    except ContractError as exc:
        findings.problem((*path, "contract"), str(exc))
        return None


def _check_wires(
    path: Path,
    config: GatewayConfig,
    service: ServiceConfig,
    contract: ServiceContract,
    findings: Findings,
    plugins: PluginCheck,
    verdicts: dict[tuple[str, str | None], list[str]],
) -> None:
    """Each protocol the service goes over can carry it; reported once per protocol, where it is first named.

    `verdicts`: what is known about a protocol and a contract from other services.
    """
    uses: dict[str, Path] = {}
    for index, name in enumerate(service.listeners):
        listener = config.listeners.get(name)
        if listener is not None:
            uses.setdefault(listener.protocol, findings.item((*path, "listeners"), index))
    if service.remote is not None:
        for protocol in service.remote.protocols():
            uses.setdefault(protocol, (*path, "remote"))
    for protocol, at in uses.items():
        plugin = plugins.loaded("protocol", protocol)
        if plugin is not None:
            pair = (protocol, service.contract)
            if pair not in verdicts:
                verdicts[pair] = plugin.check_contract(contract)
            for finding in verdicts[pair]:
                findings.problem(at, f"protocol {protocol!r} cannot carry {contract.name}: {finding}", at_key=True)


def _check_methods(path: Path, service: ServiceConfig, contract: ServiceContract, findings: Findings) -> None:
    if service.remote is None:
        return
    known = {method.name for method in contract.methods}
    for name in service.remote.methods:
        if name not in known:
            findings.problem(
                (*path, name), f"{contract.name} has no method {name!r}{suggestion(name, known)}", at_key=True
            )


def _check_loop(
    path: Path,
    config: GatewayConfig,
    service: ServiceConfig,
    key: ServiceKey,
    ports: Mapping[str, int],
    findings: Findings,
) -> None:
    """A remote service must not find itself where it looks for its providers."""
    remote = service.remote
    if remote is None:
        return
    if not remote.addresses and remote.provided(key) == key:
        for name in service.announce:
            if name in remote.registries:
                message = f"{key} is announced in registry {name!r} and looked up there: it would call itself"
                findings.problem((*path, "announce"), f"{message}; give it another group or version")
    own = {
        (config.listeners[name].protocol, host, ports[name])
        for name in service.listeners
        if name in ports
        for host in _reached_at(config.listeners[name].host)
    }
    for index, endpoint in enumerate(remote.endpoints(key)):
        if endpoint.service == key and (endpoint.protocol, endpoint.host, endpoint.port) in own:
            message = f"{endpoint.address} is where {key} itself is shown: it would call itself"
            findings.problem(findings.item((*path, "remote", "addresses"), index), message)


def _reached_at(host: str) -> tuple[str, ...]:
    """Names under which this machine certainly reaches a listener on `host`."""
    if host in ("0.0.0.0", "::", "127.0.0.1", "::1", "localhost"):
        return (host, "127.0.0.1", "::1", "localhost")
    return (host,)
