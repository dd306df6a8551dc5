"""Part `remote` of a service: where its providers are and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from gateway.config.scalar import Count, Flag, Name, Text, Word
from gateway.config.sections.choice import Balance, BalanceChoice, Cluster, ClusterChoice
from gateway.config.sections.consumer import Fallback
from gateway.config.sections.ejection import EjectionConfig
from gateway.config.sections.listener import revealed
from gateway.config.sections.mock import Mock
from gateway.config.sections.protection import ProtectionConfig
from gateway.config.sections.retry_budget import RetryBudgetConfig
from gateway.config.sections.section import Options, Section
from gateway.config.units import Seconds
from gateway.model.endpoint import Endpoint, ServiceKey, masked

__all__ = ["MethodConfig", "RemoteConfig", "parse_provider"]

_WEB_PORTS: Final = {"http": 80, "https": 443}
"""Ports that a web address may leave out (RFC 9110, sections 4.2.1 and 4.2.2)."""
_SECURE: Final = {"https": "http"}
"""Schemes that mean another protocol over TLS."""


def parse_provider(address: str, service: ServiceKey) -> Endpoint:
    """The endpoint a direct address stands for.

    `service`: fills in what the address leaves out; `dubbo://host:20880` means that service at that place. `https://`
    is the protocol `http` with the parameter `tls=true`.

    Raises:
        ValueError: it is not `protocol://host:port[/interface][?weight=..&group=..&version=..]`; says why.
    """
    parts = urlsplit(address)
    if not parts.scheme or not parts.netloc:
        raise ValueError(f"{masked(address)!r} is not protocol://host:port")
    if parts.username is not None or parts.fragment:
        raise ValueError(f"{masked(address)!r} has more than protocol://host:port[/interface][?parameters]")
    place = parts.netloc
    if parts.scheme in _WEB_PORTS and not place.rpartition("]")[2].partition(":")[2]:
        place = f"{place.removesuffix(':')}:{_WEB_PORTS[parts.scheme]}"
    path = parts.path if parts.path.strip("/") else f"/{service.interface}"
    found = Endpoint.parse(parts._replace(netloc=place, path=path).geturl())
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    key = ServiceKey(found.service.interface, given.get("group", service.group), given.get("version", service.version))
    parameters = found.parameters
    if parts.scheme in _SECURE:
        parameters = MappingProxyType({**parameters, "tls": "true"})
    protocol = _SECURE.get(parts.scheme, parts.scheme)
    return replace(found, protocol=protocol, service=key, parameters=parameters)


def _address(value: str) -> str:
    parse_provider(value, ServiceKey("interface"))
    return value


Timeout = Annotated[Seconds, Field(gt=0, le=86400)]
Retries = Annotated[Count, Field(ge=0, le=100)]


class MethodConfig(Section):
    """What differs for one method."""

    timeout: Timeout | None = None
    """Per attempt."""

    retries: Retries | None = None
    """Attempts after the first one. Writing it also repeats calls that may have run."""

    cluster: Cluster | None = None
    """Fault-tolerance mode, by name or as `{type: <name>, options: {…}}`."""

    balance: Balance | None = None
    """Load balancer, written the same way."""

    sticky: Flag | None = None
    """Whether the calls of a consumer stay with one provider."""

    mock: Mock | None = None
    """An answer that no provider gives; `false` for none."""


class RemoteConfig(Section):
    """A service that lives elsewhere."""

    addresses: tuple[Annotated[Text, AfterValidator(_address)], ...] = ()
    """Providers by address, `protocol://host:port[/interface][?weight=..]`. They replace what registries say."""

    registries: tuple[Name, ...] = ()
    """Registries that know its providers."""

    interface: Word | None = None
    """Interface at the providers, where it differs from the one shown here."""

    group: Text | None = None
    """Group at the providers, where it differs from the one shown here."""

    version: Text | None = None
    """Version at the providers, where it differs from the one shown here."""

    protocol: Name | None = None
    """Protocol to call them with, unless the consumer has another one. Default: the first protocol of the gateway's
    own order that a provider speaks."""

    fallback: Fallback = ()
    """What to take when no provider of that protocol is known, in this order. Default: nothing."""

    cluster: Cluster = ClusterChoice(type="failover")
    """Fault-tolerance mode, by name or as `{type: <name>, options: {…}}`: `failover` tries another provider, `failfast`
    reports. Modes with options of their own: see `polyport plugins`."""

    retries: Retries | None = None
    """Attempts after the first one. Default: 2, for calls that did not run or are idempotent; writing it also
    repeats calls that may have run."""

    balance: Balance = BalanceChoice(type="random")
    """Load balancer, by name or as `{type: <name>, options: {…}}`."""

    sticky: Flag = False
    """Whether the calls of a consumer stay with one provider as long as it is there and gives no trouble."""

    mock: Mock | None = None
    """An answer that no provider gives: `{when: fail, return: <value>}`, or as Dubbo writes it, `force:return null`."""

    retry_budget: RetryBudgetConfig = Field(default_factory=RetryBudgetConfig)
    """How much load repeating may add."""

    warmup: Annotated[Seconds, Field(ge=0, le=86400)] = 60.0
    """How long a provider that has just started gets less than its share, growing evenly; `0s` for never. What the
    provider announces for itself (`warmup` in its URL) counts more."""

    ejection: EjectionConfig = Field(default_factory=EjectionConfig)
    """When a provider that gives trouble is left alone."""

    protection: ProtectionConfig = Field(default_factory=ProtectionConfig)
    """What becomes of providers that a registry suddenly does not name any more."""

    timeout: Timeout = 1.0
    """Per attempt."""

    connections: Annotated[Count, Field(ge=0, le=10_000)] = 0
    """Connections per provider; 0 shares one with every other service at the same address."""

    token: Name | None = None
    """Name of the credential that the providers ask for."""

    filters: tuple[Name, ...] = ()
    """Filters around each attempt."""

    methods: Mapping[Name, MethodConfig] = Field(default_factory=dict)
    """What differs for single methods, by the contract's method name."""

    options: Options = Field(default_factory=dict)
    """What only the protocol knows, where there is only one."""

    protocols: Mapping[Name, Options] = Field(default_factory=dict)
    """What only a protocol knows, by protocol."""

    def provided(self, service: ServiceKey) -> ServiceKey:
        """The service as its providers call it; `service` is what it is called here."""
        return ServiceKey(
            self.interface or service.interface,
            service.group if self.group is None else self.group,
            service.version if self.version is None else self.version,
        )

    def endpoints(self, service: ServiceKey) -> tuple[Endpoint, ...]:
        """The providers named by address; `service` is what it is called here."""
        provided = self.provided(service)
        return tuple(parse_provider(address, provided) for address in self.addresses)

    def address_protocols(self) -> tuple[str, ...]:
        """The protocols of its addresses, in their order; empty when providers come from registries."""
        if not self.addresses:
            return ()
        nobody = ServiceKey("interface")
        return tuple(dict.fromkeys(parse_provider(address, nobody).protocol for address in self.addresses))

    def own_protocols(self) -> tuple[str, ...]:
        """The protocols it is called with as far as it says so itself, best first; empty when only a registry knows."""
        if self.protocol is not None:
            return tuple(dict.fromkeys((self.protocol, *self.fallback)))
        return self.address_protocols()

    def parameters(self) -> dict[str, dict[str, Any]]:
        """The options by protocol, as adapters get them."""
        found = {protocol: revealed(options) for protocol, options in self.protocols.items()}
        if self.options:
            # Checked when the file was read: there is one protocol they can be for.
            (protocol,) = self.own_protocols()
            found[protocol] = revealed(self.options)
        return found
