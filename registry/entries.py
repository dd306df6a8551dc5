"""What stands in registries that Dubbo shares with us: URLs of providers, consumers and rules, as text.

Whoever may write into a registry chooses what is read here. So an entry is text of bounded length that becomes an
`Endpoint` or a reason, and nothing in it is ever carried out. Source of names: apache/dubbo: dubbo-common/.../constants
(`CommonConstants.java`, `RegistryConstants.java`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey, masked
from gateway.spi.registry_ability import Skipped
from gateway.telemetry.logs import shorten

__all__ = [
    "CATEGORIES",
    "CONFIGURATORS",
    "CONSUMERS",
    "MAX_ENTRY",
    "PROVIDERS",
    "ROUTERS",
    "is_scheme",
    "provider_url",
    "read_consumers",
    "read_providers",
    "read_rules",
]

PROVIDERS: Final = "providers"
CONSUMERS: Final = "consumers"
ROUTERS: Final = "routers"
CONFIGURATORS: Final = "configurators"
CATEGORIES: Final = (PROVIDERS, CONSUMERS, ROUTERS, CONFIGURATORS)
MAX_ENTRY: Final = 16_384
"""Characters. Java providers of services with hundreds of methods write some four thousand."""
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.\-]{0,31}", re.ASCII)
_MARK: Final = re.compile(rf"category=(?!{PROVIDERS}(?:&|$))|abled=")
"""Stands in entries that may not be what they look like."""
_NO_PROVIDERS: Final = frozenset({"empty", "override", "route", "condition", "script", "tag", "consumer", "absent"})
"""Schemes of what may stand among providers and is none."""
_PROVIDER: Final = {"category": PROVIDERS, "side": "provider", "dynamic": "true", "dubbo": "2.0.2"}
"""What Java consumers look for beside the address."""


def provider_url(endpoint: Endpoint) -> str:
    """The entry of a provider, for consumers of any kind."""
    return replace(endpoint, parameters={**_PROVIDER, **endpoint.parameters}).url


def read_providers(entries: Iterable[str], service: ServiceKey | None) -> tuple[list[Endpoint], list[Skipped]]:
    """The providers among entries, each once, in the order given, and what is none of them with the reason.

    `service`: leaves out the providers of others without a word; None takes all.
    """
    found: dict[object, Endpoint] = {}
    skipped: list[Skipped] = []
    for entry in entries:
        try:
            endpoint = _provider(entry)
        except ValueError as exc:
            skipped.append(Skipped(shorten(masked(entry[:MAX_ENTRY])), shorten(str(exc))))
            continue
        if endpoint is not None and (service is None or service.covers(endpoint.service)):
            # The same provider may stand there twice while it changes what it says of itself: the last one counts.
            found[endpoint.identity] = endpoint
    return list(found.values()), skipped


def read_consumers(entries: Iterable[str]) -> tuple[list[Consumer], list[Skipped]]:
    """The consumers among entries, and what is none."""
    found: list[Consumer] = []
    skipped: list[Skipped] = []
    for entry in entries:
        try:
            _check_length(entry)
            found.append(Consumer.parse(entry))
        except ValueError as exc:
            skipped.append(Skipped(shorten(masked(entry[:MAX_ENTRY])), shorten(str(exc))))
    return found, skipped


def read_rules(entries: Iterable[str]) -> tuple[list[str], list[Skipped]]:
    """The rules among entries (routers or configurators) as they are written, and what is none; none is carried out."""
    found: list[str] = []
    skipped: list[Skipped] = []
    for entry in entries:
        try:
            _check_length(entry)
            scheme = _scheme(entry)
        except ValueError as exc:
            skipped.append(Skipped(shorten(masked(entry[:MAX_ENTRY])), shorten(str(exc))))
            continue
        if scheme != "empty":
            found.append(entry)
    return found, skipped


def is_scheme(text: str) -> bool:
    """Whether it can stand before the `://` of a URL."""
    return _SCHEME.fullmatch(text) is not None


def _scheme(entry: str) -> str:
    scheme, mark, _ = entry.partition("://")
    if not mark or not is_scheme(scheme):
        raise ValueError("it is no URL")
    return scheme


def _provider(entry: str) -> Endpoint | None:
    """None for a provider that says itself that it is not to be called."""
    _check_length(entry)
    scheme = _scheme(entry)
    if scheme in _NO_PROVIDERS:
        raise ValueError(f"{scheme}:// names no provider")
    endpoint = Endpoint.parse(entry)
    if not endpoint.port:
        raise ValueError("it has no port")
    if _MARK.search(entry):
        # Reading the parameters takes longer than everything else.
        parameters = dict(endpoint.parameters.items())
        if parameters.get("category", PROVIDERS) != PROVIDERS:
            raise ValueError(f"it is of the category {parameters['category']}")
        if parameters.get("enabled") == "false" or parameters.get("disabled") == "true":
            return None
    return endpoint


def _check_length(entry: str) -> None:
    if len(entry) > MAX_ENTRY:
        raise ValueError(f"it has {len(entry)} characters; {MAX_ENTRY} are read")
    if not entry.isprintable():
        raise ValueError("it contains what cannot be printed")
