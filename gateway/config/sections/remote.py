"""Part `remote` of a service: where its providers are and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from gateway.config.scalar import Count, Name, Text, Word
from gateway.config.sections.listener import revealed
from gateway.config.sections.section import Options, Section
from gateway.config.units import Seconds
from gateway.model.endpoint import Endpoint, ServiceKey

__all__ = ["MethodConfig", "RemoteConfig", "parse_provider"]

_OWN_KEYS: Final = ("interface", "group", "version")


def parse_provider(address: str, service: ServiceKey) -> Endpoint:
    """The endpoint a direct address stands for.

    `service`: fills in what the address leaves out; `dubbo://host:20880` means that service at that place.

    Raises:
        ValueError: it is not `protocol://host:port[/interface][?weight=..&group=..&version=..]`; says why.
    """
    parts = urlsplit(address)
    if not parts.scheme or not parts.netloc:
        raise ValueError(f"{address!r} is not protocol://host:port")
    if parts.username is not None or parts.fragment:
        raise ValueError(f"{address!r} has more than protocol://host:port[/interface][?parameters]")
    if not parts.path.strip("/"):
        address = parts._replace(path=f"/{service.interface}").geturl()
    found = Endpoint.parse(address)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    key = ServiceKey(found.service.interface, given.get("group", service.group), given.get("version", service.version))
    return Endpoint(found.protocol, found.host, found.port, key, found.weight, found.parameters)


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

    cluster: Name | None = None
    """Fault-tolerance mode."""

    balance: Name | None = None
    """Load balancer."""


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
    """Protocol to call them with. Default: what the providers speak."""

    cluster: Name = "failover"
    """Fault-tolerance mode: `failover` tries another provider, `failfast` reports."""

    retries: Retries | None = None
    """Attempts after the first one. Default: 2, for calls that did not run or are idempotent; writing it also
    repeats calls that may have run."""

    balance: Name = "random"
    """Load balancer."""

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
    """What only this protocol knows."""

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

    def protocols(self) -> tuple[str, ...]:
        """The protocols its providers are certainly called with; empty when only a registry knows."""
        if self.protocol is not None:
            return (self.protocol,)
        return tuple(dict.fromkeys(address.partition("://")[0] for address in self.addresses))

    def parameters(self) -> dict[str, Any]:
        """`options` as an adapter gets them."""
        return revealed(self.options)
