"""What a protocol plug-in provides: the two adapter factories and the checks of its own options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.model.contract import ServiceContract
from gateway.spi.adapter import ClientAdapter, ListenerOptions, ServerAdapter

__all__ = ["ProtocolPlugin"]


@dataclass(frozen=True, slots=True)
class ProtocolPlugin:
    """One wire. Found by name through the catalogue (`gateway.plugins.catalog`); importing it has no side effects.

    `default_port`: what the field expects for this protocol.
    `server` / `client`: build the adapter; neither touches the network.
    `check_contract`: lists what this wire cannot carry of a contract, one text per finding; empty means fine.
    `listener_options` / `reference_options`: names of protocol options to a short description with unit and
    default, for `polyport check` and the editor schema; unknown names are refused by the config loader.
    """

    name: str
    default_port: int
    server: Callable[[ListenerOptions], ServerAdapter]
    client: Callable[[], ClientAdapter]
    check_contract: Callable[[ServiceContract], list[str]]
    listener_options: Mapping[str, str]
    reference_options: Mapping[str, str]
    client_snippet: Callable[[str, Any], str]
    """`(address, service) -> one shell line` that calls the service with something a user has at hand."""
