"""From the sections `consumers` and `remote` to the table that decides which protocol a call takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.config.model import GatewayConfig
from gateway.config.protocol_order import consumer_rules, service_order
from gateway.plugins.builtin import BUILTIN
from gateway.plugins.catalog import Catalog
from gateway.routing.selection import ProtocolOrder, SelectionTable, ServiceSelection

__all__ = ["CONSUMER_VARIABLE", "consumer_name", "known_protocols", "selection_table"]

CONSUMER_VARIABLE: Final = "POLYPORT_CONSUMER"
"""Environment variable that names the consumer for all clients of a process that name none themselves."""


def consumer_name(given: str, application: str, environ: Mapping[str, str] | None = None) -> str:
    """Who calls: the name given in the program, else the environment's, else that of the application."""
    return given or (os.environ if environ is None else environ).get(CONSUMER_VARIABLE, "") or application


def known_protocols(catalog: Catalog) -> Sequence[str]:
    """All protocols in the order in which they are tried where nobody says anything: those that come with the gateway
    as its own table lists them, then the others by name."""
    built_in = tuple(BUILTIN["protocol"])
    return (*built_in, *(name for name in catalog.names("protocol") if name not in built_in))


def selection_table(config: GatewayConfig, catalog: Catalog) -> SelectionTable:
    """What the configuration says, for every remote service."""
    known = known_protocols(catalog)
    services = {}
    for name, service in config.services.items():
        if service.remote is None:
            continue
        consumers = {
            consumer: ProtocolOrder(rule.order, consumer, written=True)
            for consumer, rule in consumer_rules(config, name, known).items()
        }
        default = ProtocolOrder(service_order(service.remote, known), written=service.remote.protocol is not None)
        services[name] = ServiceSelection(default, consumers)
    return SelectionTable(services)
