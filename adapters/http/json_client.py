"""What a reference to http:// may say about its providers, and the client that does as it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from adapters.http.provider_options import ProviderOptions
from adapters.http.reference import PROVIDER_OPTIONS, hashable, header_misfits, provider_options
from gateway.model.contract import ServiceContract
from gateway.spi.adapter import ClientAdapter, Reference
from gateway.spi.plugin import Misfit, Option, OptionKind
from protocols.http.extra_fields import parse_base_path
from protocols.http_json.route import parse_route

if TYPE_CHECKING:
    from protocols.http_json.client import ClientOptions

__all__ = ["REFERENCE_OPTIONS", "check_reference", "make_client"]

_DEFAULTS: Final = ProviderOptions()
_STYLES: Final = ("polyport", "jsonrpc", "rest")
_CONTRACT_NAMES: Final = "contract"
_JAVA_NAMES: Final = "java"


def make_client() -> ClientAdapter:
    """Calls providers over http:// with JSON. References with the same options share compiled contracts."""
    # Imported when somebody calls: aiohttp takes a third of a second, and most listeners do without.
    from adapters.http.client import HttpClient
    from protocols.http_json.client import JsonClientBinding

    bindings: dict[Any, JsonClientBinding] = {}

    def binding_for(reference: Reference) -> JsonClientBinding:
        key = hashable(reference.parameters)
        found = bindings.get(key)
        if found is None:
            found = bindings[key] = JsonClientBinding(_client_options(reference))
        return found

    return HttpClient(binding_for, provider_options)


def check_reference(contract: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    """See `ProtocolPlugin.check_reference`: routes that do not fit the contract, fields that no request can have."""
    from protocols.http_json.client_route import misfits

    found: list[Misfit] = []
    if options.get("style") == "rest":
        for name, text in misfits(contract, options.get("routes", {})):
            found.append(Misfit(("routes", name) if name else ("routes",) if "routes" in options else (), text))
    elif "routes" in options:
        found.append(Misfit(("routes",), "routes are for the style rest"))
    found += header_misfits(options)
    return found


def _client_options(reference: Reference) -> ClientOptions:
    from protocols.http_json.client import ClientOptions

    own = reference.parameters
    unknown = own.get("unknown_fields")
    return ClientOptions(
        style=own.get("style", _STYLES[0]),
        path=own.get("path", ""),
        routes=own.get("routes", {}),
        params=own.get("params", "named"),
        qualified=own.get("qualified", False),
        java_names=own.get("names", _CONTRACT_NAMES) == _JAVA_NAMES,
        ignore_unknown=None if unknown is None else unknown == "ignore",
        send_context=own.get("send_context"),
        headers=own.get("headers", {}),
        api_key=own.get("api_key", ""),
        bearer=own.get("bearer", ""),
        basic=own.get("basic", ""),
        max_request_bytes=own.get("payload", _DEFAULTS.max_response_bytes),
    )


REFERENCE_OPTIONS: Final = MappingProxyType(
    {
        "style": Option(
            OptionKind.TEXT,
            "What the provider speaks: polyport (another gateway of this kind), jsonrpc (JSON-RPC 2.0) or rest (any "
            "service, called by routes).",
            default=_STYLES[0],
            choices=_STYLES,
        ),
        "path": Option(
            OptionKind.TEXT,
            "Path in front of all others, such as /api/v1; with jsonrpc the path that takes all calls.",
            default="",
            parse=parse_base_path,
        ),
        "routes": Option(
            OptionKind.TEXTS,
            "With rest, how each method is called, by its name: GET /products/{id}. Routes of the contract count where "
            "a method is not there.",
            named=True,
            parse=parse_route,
        ),
        "params": Option(
            OptionKind.TEXT,
            "With jsonrpc, whether arguments go by name or by position.",
            default="named",
            choices=("named", "positional"),
        ),
        "qualified": Option(OptionKind.FLAG, "With jsonrpc, whether methods are called service.method.", default=False),
        "names": Option(
            OptionKind.TEXT,
            "Under which names fields and methods travel: the contract's, or those Java beans have (createdAt).",
            default=_CONTRACT_NAMES,
            choices=(_CONTRACT_NAMES, _JAVA_NAMES),
        ),
        "unknown_fields": Option(
            OptionKind.TEXT,
            "Members of answers that the contract does not know. Default: refused with polyport, ignored otherwise.",
            choices=("refuse", "ignore"),
        ),
        "send_context": Option(
            OptionKind.FLAG,
            "Whether attachments, the caller's timeout and our name are sent along as header fields. Default: not with "
            "rest.",
        ),
        **PROVIDER_OPTIONS,
    }
)
"""By name; all values as `Reference.parameters` has them."""
