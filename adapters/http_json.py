"""http://, put together: JSON over HTTP on the lean driver or inside aiohttp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.http.json_client import REFERENCE_OPTIONS, check_reference, make_client
from adapters.http.listener import (
    HTTP_SHARING,
    LISTENER_OPTIONS,
    guard,
    listens,
    make_server,
    mount,
    recognize_http,
)
from gateway.model.contract import ServiceContract
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions, ServerAdapter
from gateway.spi.handler import Handler
from gateway.spi.plugin import Misfit, Option, OptionKind, ProtocolPlugin
from protocols.http.binding import HttpBinding
from protocols.http_json.mapping import check_contract
from protocols.http_json.route import ROUTES_OPTION, parse_route
from protocols.http_json.route_check import route_misfits, same_addresses
from protocols.http_json.server import JsonBinding

__all__ = ["PLUGIN"]

_REFUSE: Final = "refuse"
_IGNORE: Final = "ignore"
_CONTRACT_NAMES: Final = "contract"
_JAVA_NAMES: Final = "java"
_MAX_BATCH: Final = 100
_OPEN_PATHS: Final = ("/docs", "/docs/", "/openapi.json")
"""What anybody may read where callers need a secret, so that a browser can show what there is to call."""


def _binding(options: ListenerOptions, exposures: Sequence[Exposure]) -> HttpBinding:
    own = options.options
    java_names = own.get("names", _CONTRACT_NAMES) == _JAVA_NAMES
    ignore_unknown = own.get("unknown_fields", _REFUSE) == _IGNORE
    secured = bool(own.get("credentials"))
    title, version = own.get("title", options.application), own.get("version", "1.0.0")

    def document() -> bytes:
        # Imported when somebody asks: most listeners are never asked.
        from gateway.jsonform.text import format_json
        from protocols.http_json.java_exposure import java_exposure
        from protocols.http_json.openapi import openapi_document

        described = [java_exposure(each) for each in exposures] if java_names else exposures
        return format_json(
            openapi_document(
                described, title=title, version=version, ignore_unknown=ignore_unknown, credentials=secured
            )
        )

    shown = own.get("docs", True)
    pages = None
    if shown:
        from adapters.http.docs import docs_pages

        pages = docs_pages()
    binding = JsonBinding(
        exposures,
        document=document if shown else None,
        pages=pages,
        ignore_unknown=ignore_unknown,
        java_names=java_names,
        max_batch=own.get("max_batch", _MAX_BATCH),
    )
    return guard(binding, options, _OPEN_PATHS)


def _server(options: ListenerOptions) -> ServerAdapter:
    return make_server(options, lambda exposures: _binding(options, exposures))


def _mount(options: ListenerOptions, handler: Handler, exposures: Sequence[Exposure]) -> Any:
    return mount(options, handler, _binding(options, exposures))


def _snippet(address: str, service: Any) -> str:
    return f"curl -s 'http://{address}/{service}/find?product_id=1'"


def _check_service(contract: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    routes = options.get(ROUTES_OPTION, {})
    found = route_misfits(contract, routes) or same_addresses(contract, routes)
    return [Misfit((ROUTES_OPTION, each.name) if each.name else (), each.text) for each in found]


def _export_openapi(exposures: Sequence[Exposure]) -> Mapping[str, str]:
    from protocols.http_json.openapi import export_openapi

    return export_openapi(exposures)


PLUGIN: Final = ProtocolPlugin(
    name="http",
    default_port=8080,
    server=_server,
    client=make_client,
    check_contract=check_contract,
    check_service=_check_service,
    check_reference=check_reference,
    listens=listens,
    listener_options=MappingProxyType(
        {
            **LISTENER_OPTIONS,
            "docs": Option(OptionKind.FLAG, "Serve /openapi.json, and pages that show it at /docs.", default=True),
            "title": Option(OptionKind.TEXT, "Title of the OpenAPI document; the application's name by default."),
            "version": Option(OptionKind.TEXT, "Version that the OpenAPI document gives the API.", default="1.0.0"),
            "unknown_fields": Option(
                OptionKind.TEXT,
                "What happens to arguments and fields that the contract does not know.",
                default=_REFUSE,
                choices=(_REFUSE, _IGNORE),
            ),
            "names": Option(
                OptionKind.TEXT,
                "Under which names fields, methods and parameters travel: the contract's, or those Java beans have "
                "(createdAt), which Dubbo's own http:// needs.",
                default=_CONTRACT_NAMES,
                choices=(_CONTRACT_NAMES, _JAVA_NAMES),
            ),
            "max_batch": Option(
                OptionKind.COUNT, "Calls in one JSON-RPC batch.", default=_MAX_BATCH, minimum=1, maximum=10_000
            ),
        }
    ),
    reference_options=REFERENCE_OPTIONS,
    client_snippet=_snippet,
    exports=MappingProxyType({"openapi": _export_openapi}),
    service_options=MappingProxyType(
        {
            ROUTES_OPTION: Option(
                OptionKind.TEXTS,
                "Addresses of methods, by method: 'GET /products/{id}?q={text} header:X-Tenant={tenant} -> 200'.",
                named=True,
                parse=parse_route,
            )
        }
    ),
    mount=_mount,
    recognize=recognize_http,
    sharing=HTTP_SHARING,
)
