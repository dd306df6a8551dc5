"""What the processes of one revision of an application provide, as Dubbo 3 describes it, and the URLs that follow.

    {"app": "shop", "revision": "77292d…", "services": {"g/demo.Catalog:1.0:dubbo": {
        "name": "demo.Catalog", "group": "g", "version": "1.0",
        "protocol": "dubbo", "port": 20880, "path": "demo.Catalog", "params": {"weight": "200"}}}}

It comes as JSON, or as an object from the process itself. A service becomes the URL that the same provider would have
registered by interface, so `registry.entries` judges it by the same rules. Source: apache/dubbo:
dubbo-metadata/dubbo-metadata-api/.../metadata/{MetadataInfo,MetadataService}.java,
dubbo-registry/dubbo-registry-api/.../client/event/listener/ServiceInstancesChangedListener.java (getServiceUrlsCache);
confirmed with Dubbo 3.3.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from gateway.model.endpoint import Endpoint, ServiceKey, format_address
from gateway.spi.registry_ability import Skipped
from gateway.telemetry.logs import shorten
from registry.entries import MAX_ENTRY, is_scheme, read_providers
from registry.instance import Instance, read_object
from registry.metadata_service import MetadataInfo

__all__ = ["MAX_METADATA", "Metadata", "Offer", "offered_by", "read_metadata", "read_metadata_info"]

MAX_METADATA: Final = 1_048_576
"""Bytes; as much as ZooKeeper takes into a node. A service has some 600."""
_MAX_SERVICES: Final = 10_000
_MAX_OFFERS: Final = 256
"""Of one interface, in all groups and versions: each is one provider more for every instance."""
_MAX_PARAMETERS: Final = 1_000
"""Of one service. Each is written anew for every instance."""


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """One service over one protocol. `port`: 0 where each instance has its own."""

    interface: str
    group: str
    version: str
    protocol: str
    port: int
    path: str
    parameters: Mapping[str, str]

    @property
    def service(self) -> ServiceKey:
        """What is offered."""
        return ServiceKey(self.interface, self.group, self.version)


@dataclass(frozen=True, slots=True, eq=False)
class Metadata:
    """All offers of a revision by their interface, and what cannot be read among them."""

    offers: Mapping[str, Sequence[Offer]] = field(default_factory=dict)
    skipped: Sequence[Skipped] = ()


def read_metadata(data: bytes) -> Metadata:
    """What a node holds. Raises ValueError with the reason where it is nothing of the kind."""
    services = read_object(data, MAX_METADATA).get("services")
    if services is None:
        return Metadata()
    if not isinstance(services, dict):
        raise ValueError("its services are no object")
    return _metadata(services.items())


def read_metadata_info(info: MetadataInfo) -> Metadata:
    """What a process says. Raises ValueError as `read_metadata`."""
    return _metadata((key, each and vars(each)) for key, each in (info.services or {}).items())


def offered_by(instance: Instance, offer: Offer) -> tuple[Endpoint | None, Sequence[Skipped]]:
    """The provider that this instance is, or why it is none; neither where it says that it is not to be called."""
    parameters = {"application": instance.application, **instance.parameters, **offer.parameters}
    parameters["interface"] = offer.interface
    for key, value in (("group", offer.group), ("version", offer.version)):
        parameters.pop(key, None)
        if value:
            parameters[key] = value
    # In the order of Java: a revision names the port where all of its instances have the same.
    port = offer.port or instance.ports.get(offer.protocol, instance.port)
    address = format_address(instance.host, port)
    try:
        _check_length([offer.path, *parameters, *parameters.values()])
        url = f"{offer.protocol}://{address}/{quote(offer.path)}?{urlencode(sorted(parameters.items()))}"
    except ValueError as exc:
        # JSON may hold halves of characters, which no URL can.
        return None, [Skipped(shorten(f"{offer.interface} of {instance}"), shorten(str(exc)))]
    found, skipped = read_providers([url], None)
    return (found[0] if found else None), skipped


def _metadata(services: Iterable[tuple[str, Any]]) -> Metadata:
    offers: dict[str, list[Offer]] = {}
    skipped: list[Skipped] = []
    for count, (key, each) in enumerate(services):
        if count >= _MAX_SERVICES:
            raise ValueError(f"it has more than {_MAX_SERVICES} services")
        try:
            offer = _offer(each)
            others = offers.setdefault(offer.interface, [])
            if len(others) >= _MAX_OFFERS:
                raise ValueError(f"{_MAX_OFFERS} services of its interface are read")
            others.append(offer)
        except ValueError as exc:
            skipped.append(Skipped(shorten(str(key)[:1_000]), str(exc)))
    return Metadata(offers, skipped)


def _offer(found: object) -> Offer:
    if not isinstance(found, dict):
        raise ValueError("it is no description of a service")
    interface, protocol = _text(found, "name"), _text(found, "protocol")
    if not interface or not is_scheme(protocol):
        raise ValueError("it has no name or no protocol")
    port = found.get("port")
    if port is not None and (not isinstance(port, int) or isinstance(port, bool) or port > 65_535):
        raise ValueError("its port is none")
    parameters = found.get("params") or {}
    if not isinstance(parameters, dict) or not all(isinstance(each, str | None) for each in parameters.values()):
        raise ValueError("its parameters are no texts")
    if len(parameters) > _MAX_PARAMETERS:
        raise ValueError(f"it has {len(parameters)} parameters; {_MAX_PARAMETERS} are read")
    parameters = {key: value for key, value in parameters.items() if value is not None}
    path = _text(found, "path") or interface
    # -1 is Java's word for none.
    return Offer(
        interface, _text(found, "group"), _text(found, "version"), protocol, max(port or 0, 0), path, parameters
    )


def _check_length(texts: Sequence[str]) -> None:
    """As `registry.entries` does, before the URL of them is written."""
    length = sum(map(len, texts))
    if length > MAX_ENTRY:
        raise ValueError(f"its path and parameters have {length} characters; {MAX_ENTRY} are read")


def _text(found: Mapping[str, object], key: str) -> str:
    value = found.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"its {key} is no text")
    return value
