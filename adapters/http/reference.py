"""What every reference to providers over HTTP may say about them, whatever the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.http.provider_options import ProviderOptions
from gateway.model.endpoint import Endpoint
from gateway.spi.adapter import Reference
from gateway.spi.plugin import Misfit, Option, OptionKind
from protocols.http.extra_fields import read_extra_fields

__all__ = ["PROVIDER_OPTIONS", "hashable", "header_misfits", "provider_options"]

_DEFAULTS: Final = ProviderOptions()


def hashable(parameters: Mapping[str, Any]) -> Any:
    """Options as a key: references that say the same share what they use."""
    return frozenset((name, hashable(each) if isinstance(each, Mapping) else each) for name, each in parameters.items())


def provider_options(endpoint: Endpoint, reference: Reference) -> ProviderOptions:
    """How connections to a provider behave."""
    own = reference.parameters
    return ProviderOptions(
        tls=own.get("tls", endpoint.parameters.get("tls") == "true"),
        ca_file=own.get("ca_file", ""),
        server_name=own.get("server_name", ""),
        connect_timeout_s=own.get("connect_timeout", _DEFAULTS.connect_timeout_s),
        keep_alive_s=own.get("keep_alive", _DEFAULTS.keep_alive_s),
        max_connections=reference.connections or own.get("max_connections", _DEFAULTS.max_connections),
        max_response_bytes=own.get("payload", _DEFAULTS.max_response_bytes),
        compress=own.get("compress", False),
    )


def header_misfits(options: Mapping[str, Any]) -> Sequence[Misfit]:
    """What is wrong with the option `headers`."""
    found: list[Misfit] = []
    for name, value in options.get("headers", {}).items():
        try:
            read_extra_fields({name: value})
        except ValueError as exc:
            found.append(Misfit(("headers", name), str(exc)))
    return found


PROVIDER_OPTIONS: Final = MappingProxyType(
    {
        "headers": Option(OptionKind.TEXTS, "Further header fields of every request, by name.", named=True),
        "api_key": Option(OptionKind.CREDENTIAL, "Secret to show as X-API-Key."),
        "bearer": Option(OptionKind.CREDENTIAL, "Secret to show as a bearer token, instead of the remote's token."),
        "basic": Option(OptionKind.CREDENTIAL, "user:password to show as basic authentication."),
        "tls": Option(OptionKind.FLAG, "Whether to speak HTTPS. Default: what the address says, https:// or http://."),
        "ca_file": Option(
            OptionKind.TEXT, "PEM file with the certificates to trust, instead of those the system trusts.", default=""
        ),
        "server_name": Option(
            OptionKind.TEXT, "Name the provider's certificate must bear, where it is not the host.", default=""
        ),
        "connect_timeout": Option(
            OptionKind.DURATION,
            "Longest time a connection may take.",
            _DEFAULTS.connect_timeout_s,
            minimum=0.01,
            maximum=60,
        ),
        "keep_alive": Option(
            OptionKind.DURATION,
            "How long a connection may wait for its next call. Should be less than the provider allows, since one that "
            "is closed just then costs a call.",
            _DEFAULTS.keep_alive_s,
            minimum=0.1,
            maximum=3600,
        ),
        "max_connections": Option(
            OptionKind.COUNT,
            "Connections to one provider; further calls wait until one is free.",
            _DEFAULTS.max_connections,
            minimum=1,
            maximum=10_000,
        ),
        "payload": Option(
            OptionKind.SIZE,
            "Largest message in either direction.",
            _DEFAULTS.max_response_bytes,
            minimum=1024,
            maximum=1024**3,
        ),
        "compress": Option(
            OptionKind.FLAG, "Whether larger messages travel as gzip, in both directions.", default=False
        ),
    }
)
"""By name; all values as `Reference.parameters` has them."""
