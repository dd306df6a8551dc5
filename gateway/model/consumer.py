"""Who calls a service: what a registry shows to people, so that they see who calls what.

The URL form is Dubbo's: `consumer://host/interface?application=..&category=consumers&..`
(`apache/dubbo: dubbo-registry/dubbo-registry-api/.../integration/RegistryProtocol.java`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from gateway.model.endpoint import ServiceKey, format_query, masked

__all__ = ["Consumer"]

_SCHEME: Final = "consumer"
_OWN_KEYS: Final = frozenset({"interface", "group", "version", "application", "protocol"})
_ALWAYS: Final = {"category": "consumers", "check": "false", "side": "consumer"}


@dataclass(frozen=True, slots=True)
class Consumer:
    """One application that calls one service.

    `host`: where it calls from, without a port. `protocol`: over which wire it calls now; empty when nobody says.
    `parameters`: what the URL carries beyond that, values as text.
    """

    service: ServiceKey
    application: str
    host: str
    protocol: str = ""
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @property
    def identity(self) -> tuple[ServiceKey, str, str]:
        """Which consumer it is; the wire it takes may change."""
        return self.service, self.application, self.host

    @property
    def url(self) -> str:
        """The URL as a registry gets it."""
        query = {**_ALWAYS, **self.parameters, "interface": self.service.interface, "application": self.application}
        if self.service.group:
            query["group"] = self.service.group
        if self.service.version:
            query["version"] = self.service.version
        if self.protocol:
            query["protocol"] = self.protocol
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{_SCHEME}://{host}/{quote(self.service.interface)}?{format_query(query)}"

    @staticmethod
    def parse(url: str) -> Consumer:
        """Reads a consumer URL.

        Raises:
            ValueError: it is none, or names no host or interface; the text says which.
        """
        parts, shown = urlsplit(url), masked(url)
        if parts.scheme != _SCHEME or not parts.hostname:
            raise ValueError(f"{shown!r} is not consumer://host/interface")
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
        interface = parameters.get("interface") or parts.path.lstrip("/")
        if not interface:
            raise ValueError(f"{shown!r} names no interface after the host")
        service = ServiceKey(interface, parameters.get("group", ""), parameters.get("version", ""))
        rest = {key: value for key, value in parameters.items() if key not in _OWN_KEYS}
        application, protocol = parameters.get("application", ""), parameters.get("protocol", "")
        return Consumer(service, application, parts.hostname, protocol, MappingProxyType(rest))
