"""Checks of what consumers choose: there is somebody to call over it, and it is for a service that lives elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.config.document import Path
from gateway.config.findings import Findings
from gateway.config.model import GatewayConfig
from gateway.config.protocol_order import consumer_rules

__all__ = ["check_consumers", "check_unused_protocols"]


def check_consumers(config: GatewayConfig, findings: Findings, known: Sequence[str]) -> None:
    """Where providers are fixed addresses, a choice leads to one of them. `known`: all protocols."""
    for name, service in config.services.items():
        possible = service.remote.address_protocols() if service.remote is not None else ()
        if not possible:
            continue
        spoken = " and ".join(possible)
        for rule in consumer_rules(config, name, known).values():
            if rule.protocol in known and rule.protocol not in rule.order and (rule.own or not rule.order):
                message = f"service {name!r} has no address of protocol {rule.protocol!r}, only of {spoken}"
                findings.problem(rule.named[rule.protocol], message)


def check_unused_protocols(config: GatewayConfig, findings: Findings) -> None:
    """Warns about what is said for a protocol that does not come into play."""
    for name, service in config.services.items():
        path: Path = ("services", name)
        spoken = {config.listeners[listener].protocol for listener in service.listeners}
        for protocol in service.protocols:
            if protocol not in spoken:
                findings.warning((*path, "protocols", protocol), "no listener of this service speaks this protocol")
        remote = service.remote
        if remote is None or not (used := set(remote.own_protocols())):
            continue
        for rule in consumer_rules(config, name, sorted(used)).values():
            used.update(rule.order)
        for protocol in remote.protocols:
            if protocol not in used:
                message = "this service is never called over this protocol"
                findings.warning((*path, "remote", "protocols", protocol), message)
    for consumer, each in config.consumers.items():
        for name in each.services:
            if config.services[name].remote is None:
                message = f"service {name!r} is hosted here; there is no protocol to choose"
                findings.warning(("consumers", consumer, "services", name), message)
