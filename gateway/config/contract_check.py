"""Checks that import the contracts and implementations a file names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.config.document import Path
from gateway.config.findings import Findings
from gateway.config.model import GatewayConfig
from gateway.config.plugin_check import PluginCheck
from gateway.config.policy_check import check_policies
from gateway.config.protocol_order import consumer_rules
from gateway.config.sections.service import ServiceConfig
from gateway.config.suggestion import suggestion
from gateway.config.target import check_implementation_target, load_contract, service_key
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ContractError
from gateway.spi.plugin import Misfit

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
            if service.remote is not None:
                check_policies((*path, "remote"), service.remote, contract, findings, plugins)
        elif service.generic:
            _check_generic_wires(path, config, service, findings, plugins)
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
    shown = _shown_over(path, config, service, findings)
    called = _called_over(path, config, service, plugins)
    for protocol, at in {**called, **shown}.items():
        plugin = plugins.loaded("protocol", protocol)
        if plugin is None:
            continue
        pair = (protocol, service.contract)
        if pair not in verdicts:
            verdicts[pair] = plugin.refusals(contract)
        for finding in verdicts[pair]:
            findings.problem(at, f"protocol {protocol!r} cannot carry {contract.name}: {finding}", at_key=True)
        if verdicts[pair]:
            continue
        if protocol in shown:
            options = service.protocols.get(protocol, {})
            place = (*path, "protocols", protocol) if protocol in service.protocols else at
            _report(plugin.check_service(contract, options), place, findings)
        if protocol in called and service.remote is not None:
            inside = (*path, "remote")
            options = service.remote.protocols.get(protocol, {})
            place = (*inside, "protocols", protocol) if options else called[protocol]
            if service.remote.options and service.remote.own_protocols() == (protocol,):
                options, place = service.remote.options, (*inside, "options")
            _report(plugin.check_reference(contract, options), place, findings)


def _check_generic_wires(
    path: Path, config: GatewayConfig, service: ServiceConfig, findings: Findings, plugins: PluginCheck
) -> None:
    """Each protocol a service without a contract goes over can do without one."""
    shown = _shown_over(path, config, service, findings)
    for protocol, at in {**_called_over(path, config, service, plugins), **shown}.items():
        plugin = plugins.loaded("protocol", protocol)
        if plugin is not None and not plugin.generic:
            findings.problem(at, f"protocol {protocol!r} carries no service without a contract", at_key=True)


def _shown_over(path: Path, config: GatewayConfig, service: ServiceConfig, findings: Findings) -> dict[str, Path]:
    """The protocols callers of a service use, each with the place where it is first named."""
    found: dict[str, Path] = {}
    for index, name in enumerate(service.listeners):
        listener = config.listeners.get(name)
        if listener is not None:
            found.setdefault(listener.protocol, findings.item((*path, "listeners"), index))
    return found


def _called_over(path: Path, config: GatewayConfig, service: ServiceConfig, plugins: PluginCheck) -> dict[str, Path]:
    """The protocols its providers are certainly called with, each with the place where it is first named."""
    remote = service.remote
    if remote is None:
        return {}
    found: dict[str, Path] = dict.fromkeys(remote.own_protocols(), (*path, "remote"))
    for rule in consumer_rules(config, str(path[-1]), plugins.protocols).values():
        # What a consumer falls back to with any service need not be possible with each of them.
        for protocol in rule.named if rule.own else (rule.protocol,):
            if protocol in rule.order:
                found.setdefault(protocol, rule.named[protocol])
    return found


def _report(misfits: Sequence[Misfit], place: Path, findings: Findings) -> None:
    for misfit in misfits:
        findings.problem((*place, *misfit.path), misfit.text, at_key=not misfit.path)


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
    """A remote service must not find itself where it looks for its providers, nor only others."""
    remote = service.remote
    if remote is None:
        return
    if not remote.addresses and remote.provided(key).covers(key):
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
    provided = remote.provided(key)
    for index, endpoint in enumerate(remote.endpoints(key)):
        at = findings.item((*path, "remote", "addresses"), index)
        if provided.groups and endpoint.service == provided:
            message = f"needs a group of its own (?group=…), because group {provided.group!r} stands for several"
            findings.problem(at, message)
        elif not provided.covers(endpoint.service):
            findings.warning(at, f"is an address of {endpoint.service}, not of {provided}: no call goes there")
        if endpoint.service == key and (endpoint.protocol, endpoint.host, endpoint.port) in own:
            message = f"{endpoint.address} is where {key} itself is shown: it would call itself"
            findings.problem(at, message)


def _reached_at(host: str) -> tuple[str, ...]:
    """Names under which this machine certainly reaches a listener on `host`."""
    if host in ("0.0.0.0", "::", "127.0.0.1", "::1", "localhost"):
        return (host, "127.0.0.1", "::1", "localhost")
    return (host,)
