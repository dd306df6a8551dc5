"""How the multicast registry is configured."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.model.endpoint import format_address, parse_address
from gateway.spi.plugin import Option, OptionKind, RegistryPlugin
from registry.multicast.registry import DEFAULT_ADDRESS, DEFAULT_SESSION_S, MulticastRegistry

__all__ = ["PLUGIN"]


def _address(text: str) -> tuple[str, int]:
    try:
        ipaddress.ip_address(text.strip("[]"))
        host, port = text.strip("[]"), DEFAULT_ADDRESS[1]
    except ValueError:
        host, port = parse_address(text)
    try:
        group = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"{host!r} is a name; a group is an address, such as {DEFAULT_ADDRESS[0]}") from None
    if not group.is_multicast:
        raise ValueError(f"{host} is no multicast address; those are 224.0.0.0 to 239.255.255.255, and ff00::/8")
    if not port:
        raise ValueError("all members of a group have the same port, which cannot be 0")
    return str(group), port


def _interface(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is no address of a network card, such as 192.168.1.20") from None
    return text


_OPTIONS: Final = {
    "address": Option(
        OptionKind.TEXT,
        "The group and its port, the same for all members; `[ff15::1234]:1234` for IPv6.",
        default=format_address(*DEFAULT_ADDRESS),
        parse=_address,
    ),
    "interfaces": Option(
        OptionKind.TEXTS,
        "Addresses of the network cards to use. Default: all that are up, the loopback only where there is no other.",
        parse=_interface,
    ),
    "ttl": Option(
        OptionKind.COUNT,
        "How far packets go: 1 stays in the local network, each router that passes multicast on takes one.",
        default=1,
        minimum=0,
        maximum=255,
    ),
    "session": Option(
        OptionKind.DURATION,
        "Who was silent for one and a half of it is gone. Everything is announced, and asked for, twice in it.",
        default=DEFAULT_SESSION_S,
        minimum=1.0,
        maximum=3600.0,
    ),
}


def _build(options: Mapping[str, Any]) -> MulticastRegistry:
    return MulticastRegistry(
        options.get("address", DEFAULT_ADDRESS),
        interfaces=options.get("interfaces", ()),
        ttl=options.get("ttl", 1),
        session_s=options.get("session", DEFAULT_SESSION_S),
    )


PLUGIN: Final = RegistryPlugin("multicast", MappingProxyType(_OPTIONS), _build, names="java")
