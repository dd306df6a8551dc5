"""The simple registry as a plug-in: its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from gateway.model.endpoint import parse_address
from gateway.spi.plugin import Misfit, Option, OptionKind, RegistryPlugin
from registry.simple.registry import SimpleRegistry

__all__ = ["PLUGIN"]

_LEASE_S: Final = 15.0


def _parse_addresses(text: str) -> tuple[tuple[str, int], ...]:
    addresses = tuple(parse_address(each.strip()) for each in text.split(","))
    if len(set(addresses)) < len(addresses):
        raise ValueError(f"{text!r} names a server twice")
    if any(not port for _, port in addresses):
        raise ValueError(f"{text!r} names a server without a port")
    return addresses


def _check(options: Mapping[str, Any]) -> Sequence[Misfit]:
    if "serve" in options or "address" in options:
        return ()
    return [Misfit((), "needs serve (to be a server), address (where servers are), or both")]


def _build(options: Mapping[str, Any]) -> SimpleRegistry:
    serve, servers = options.get("serve"), options.get("address", ())
    return SimpleRegistry(serve, servers, lease_s=options.get("lease", _LEASE_S), token=options.get("credential", ""))


PLUGIN: Final = RegistryPlugin(
    "simple",
    MappingProxyType(
        {
            "serve": Option(OptionKind.TEXT, "host:port where this gateway is the registry.", parse=parse_address),
            "address": Option(
                OptionKind.TEXT,
                "host:port of the registry, several with commas in between; beside serve, its peers.",
                parse=_parse_addresses,
            ),
            "lease": Option(
                OptionKind.DURATION,
                "How long entries of a process stay that is not heard of.",
                _LEASE_S,
                minimum=0.5,
                maximum=600,
            ),
            "credential": Option(OptionKind.CREDENTIAL, "Secret that all who use the registry must show."),
        }
    ),
    _build,
    names="java",
    check=_check,
)
