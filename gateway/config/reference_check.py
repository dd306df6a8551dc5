"""Checks between the sections of a file: names that must exist, parts that exclude each other, ports, secrets."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Final

from gateway.config.document import Path
from gateway.config.findings import Findings
from gateway.config.model import GatewayConfig
from gateway.config.sections.credential import CredentialConfig
from gateway.config.sections.service import RANDOM_TOKEN, ServiceConfig

__all__ = ["check_ports", "check_references", "check_shared_filters", "check_unused", "read_credentials"]

_ANY_HOST: Final = frozenset({"0.0.0.0", "::", "[::]"})


def check_references(config: GatewayConfig, findings: Findings) -> None:
    """Every service is complete, and every name in it exists."""
    for name, service in config.services.items():
        path: Path = ("services", name)
        _check_shape(path, service, findings)
        _check_names(path, "listeners", service.listeners, "listener", findings.names("listeners"), findings)
        _check_names(path, "announce", service.announce, "registry", findings.names("registries"), findings)
        _check_token(path, service, findings)
        remote = service.remote
        if remote is None:
            continue
        inside: Path = (*path, "remote")
        _check_names(inside, "registries", remote.registries, "registry", findings.names("registries"), findings)
        if remote.token is not None and remote.token not in findings.names("credentials"):
            findings.unknown((*inside, "token"), "credential", remote.token, findings.names("credentials"))
    for name, consumer in config.consumers.items():
        for used in consumer.services:
            if used not in findings.names("services"):
                findings.unknown(("consumers", name, "services", used), "service", used, findings.names("services"))


def _check_token(path: Path, service: ServiceConfig, findings: Findings) -> None:
    names = findings.names("credentials")
    if service.token is None:
        return
    path = (*path, "token")
    if service.token != RANDOM_TOKEN:
        if service.token not in names:
            findings.unknown(path, "credential", service.token, {*names, RANDOM_TOKEN})
    elif RANDOM_TOKEN in names:
        findings.problem(path, "a credential is called random too; give it another name")
    elif service.listeners and not service.announce:
        findings.problem(path, "a random token is known to nobody unless the service is announced")


def read_credentials(
    config: GatewayConfig, findings: Findings, environ: Mapping[str, str], folder: FilePath
) -> dict[str, CredentialConfig]:
    """The credentials with their secrets; those that cannot be read are reported and left as they are."""
    made = {}
    for name, credential in config.credentials.items():
        made[name] = credential
        path: Path = ("credentials", name)
        try:
            made[name] = credential.read(environ, folder)
        except ValueError as exc:
            # Where a part of it is wrong, that was reported already.
            if not findings.is_damaged(path):
                findings.problem(path, str(exc))
    return made


def check_ports(config: GatewayConfig, ports: Mapping[str, int], findings: Findings) -> None:
    """No two listeners or shared ports want the same port of the same address. `ports`: of listeners, where known."""
    wanted = [("listeners", name, each.host, ports.get(name, 0)) for name, each in config.listeners.items()]
    wanted += [("ports", name, each.host, each.port) for name, each in config.ports.items()]
    taken: list[tuple[str, str, int]] = []
    for section, name, host, port in wanted:
        path: Path = (section, name)
        if not port or any(findings.is_left_out((*path, key)) for key in ("port", "host")):
            continue
        for other, other_host, other_port in taken:
            if port == other_port and _overlap(host, other_host):
                where = f"{host}:{port} is taken by {other}"
                findings.problem((*path, "port"), where if host == other_host else f"{where} on {other_host}")
                break
        taken.append((f"{'listener' if section == 'listeners' else 'port'} {name!r}", host, port))


def check_unused(config: GatewayConfig, findings: Findings, credentials: set[str]) -> None:
    """Warns about entries nothing refers to. `credentials`: those that options of plug-ins name."""
    services = config.services.values()
    remotes = [service.remote for service in services if service.remote is not None]
    shown = {name for service in services for name in service.listeners}
    registries = {name for service in services for name in service.announce}
    registries |= {name for remote in remotes for name in remote.registries}
    credentials = credentials | {service.token for service in services if service.token is not None}
    credentials |= {remote.token for remote in remotes if remote.token is not None}
    if config.failback.credential is not None:
        credentials.add(config.failback.credential)
    filters = {name for service in services for name in service.filters}
    filters |= {name for remote in remotes for name in remote.filters}
    filters |= {name for listener in config.listeners.values() for name in listener.filters}
    for section, used, what in (
        ("listeners", shown, "no service is shown here"),
        ("registries", registries, "no service uses this registry"),
        ("credentials", credentials, "nothing uses this credential"),
        ("filters", filters, "nothing uses this filter"),
    ):
        for name in getattr(config, section):
            if name not in used:
                findings.warning((section, name), what)
    if not config.services:
        findings.warning(("services",), "there are no services")


def check_shared_filters(config: GatewayConfig, findings: Findings) -> None:
    """Warns where one call passes a named filter twice: it is one object, and a limit would count the call twice."""
    for name, service in config.services.items():
        path: Path = ("services", name)
        outside = {
            each: f"at listener {listener!r}"
            for listener in service.listeners
            for each in config.listeners[listener].filters
        }
        for index, each in enumerate(service.filters):
            if each in config.filters and each in outside:
                findings.warning((*path, "filters", index), f"stands {outside[each]} too: calls pass it twice")
        outside |= dict.fromkeys(service.filters, "at the service")
        for index, each in enumerate(service.remote.filters if service.remote is not None else ()):
            if each in config.filters and each in outside:
                findings.warning(
                    (*path, "remote", "filters", index), f"stands {outside[each]} too: calls pass it twice"
                )


def _check_shape(path: Path, service: ServiceConfig, findings: Findings) -> None:
    def written(key: str) -> bool:
        return findings.written((*path, key))

    hosted, remote = written("implementation"), written("remote")
    if not hosted and not remote:
        findings.problem(path, "needs an implementation (hosted here) or remote (reached elsewhere)", at_key=True)
    elif hosted and remote:
        findings.problem(
            (*path, "remote"), "a service is hosted or remote, not both; this one has an implementation", at_key=True
        )
    if not hosted and written("options"):
        where = "remote.options are for the protocol" if remote else "this service has none"
        findings.problem((*path, "options"), f"options are for an implementation; {where}", at_key=True)
    if service.generic:
        if written("contract"):
            findings.problem(
                (*path, "generic"), "a generic service has no contract; remove one of the two", at_key=True
            )
        if not written("interface"):
            findings.problem(path, "a generic service needs an interface", at_key=True)
        if hosted:
            findings.problem(
                (*path, "generic"), "only remote services can be generic; this one has an implementation", at_key=True
            )
    elif not written("contract") and not written("generic"):
        findings.problem(path, "needs a contract, or generic: true with an interface", at_key=True)
    if remote and not (
        findings.written((*path, "remote", "addresses")) or findings.written((*path, "remote", "registries"))
    ):
        findings.problem((*path, "remote"), "needs addresses or registries", at_key=True)
    if written("announce") and not written("listeners"):
        findings.problem((*path, "announce"), "nothing to announce: no listener shows this service", at_key=True)
    if hosted and not written("listeners"):
        findings.warning(path, "shown on no listener; only this process can call it")


def _check_names(path: Path, key: str, names: Sequence[str], kind: str, known: set[str], findings: Findings) -> None:
    for index, name in enumerate(names):
        at = findings.item((*path, key), index)
        if name not in known:
            findings.unknown(at, kind, name, known)
        elif name in names[:index]:
            findings.problem(at, f"{name!r} is listed twice")


def _overlap(one: str, other: str) -> bool:
    return one == other or bool({one, other} & _ANY_HOST and _same_family(one, other))


def _same_family(one: str, other: str) -> bool:
    """Whether listening on both can meet: `::` takes IPv4 as well on most systems, so only IPv4-any and IPv6 cannot."""
    versions = []
    for host in (one, other):
        try:
            versions.append(ipaddress.ip_address(host.strip("[]")).version)
        except ValueError:
            return True
    return versions[0] == versions[1] or "::" in (one.strip("[]"), other.strip("[]"))
