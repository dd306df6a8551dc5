"""http://, put together: JSON over HTTP on the lean driver or inside aiohttp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.http.json_client import REFERENCE_OPTIONS, check_reference, make_client
from adapters.tcp.server import TcpServer
from gateway.model.contract import ServiceContract
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions, ServerAdapter
from gateway.spi.handler import Handler
from gateway.spi.plugin import Misfit, Option, OptionKind, ProtocolPlugin
from protocols.contract import ServerWire
from protocols.http.access import guarded
from protocols.http.binding import HttpBinding
from protocols.http.cors import parse_origin
from protocols.http.limits import HttpLimits
from protocols.http_json.mapping import check_contract
from protocols.http_json.route import ROUTES_OPTION, parse_route
from protocols.http_json.route_check import route_misfits, same_addresses
from protocols.http_json.server import JsonBinding

__all__ = ["PLUGIN"]

_LEAN: Final = "httptools"
_AIOHTTP: Final = "aiohttp"
_NO_DRIVER: Final = "none"
_REFUSE: Final = "refuse"
_IGNORE: Final = "ignore"
_CONTRACT_NAMES: Final = "contract"
_JAVA_NAMES: Final = "java"
_MAX_BATCH: Final = 100
_CORS_AGE_S: Final = 600.0
_LIMITS: Final = HttpLimits()
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
    return guarded(
        binding,
        secrets=own.get("credentials", {}),
        open_paths=_OPEN_PATHS,
        origins=own.get("cors", ()),
        max_age_s=int(own.get("cors_max_age", _CORS_AGE_S)),
    )


def _limits(options: ListenerOptions) -> HttpLimits:
    own = options.options
    return HttpLimits(
        max_body_bytes=options.max_frame_bytes,
        max_inflated_bytes=own.get("max_inflated", options.max_frame_bytes),
        max_header_bytes=own.get("max_header", _LIMITS.max_header_bytes),
        max_headers=own.get("max_headers", _LIMITS.max_headers),
        max_target_bytes=own.get("max_target", _LIMITS.max_target_bytes),
        max_pipelined=own.get("max_pipelined", _LIMITS.max_pipelined),
    )


def _server(options: ListenerOptions) -> ServerAdapter:
    def make_binding(exposures: Sequence[Exposure]) -> HttpBinding:
        return _binding(options, exposures)

    driver = options.options.get("driver", _LEAN)
    if driver != _LEAN:
        # aiohttp takes a third of a second to import, and most listeners do without.
        from adapters.http.server import AiohttpServer, NoServer

        if driver == _NO_DRIVER:
            return NoServer(options)
        return AiohttpServer(options, make_binding, _limits(options), compress=options.options.get("compress", True))
    from adapters.http.date import HttpDate
    from protocols.http.server import HttpServerWire

    def make_wire(exposures: Sequence[Exposure]) -> ServerWire:
        compress = options.options.get("compress", True)
        return HttpServerWire(make_binding(exposures), _limits(options), date=HttpDate(), compress=compress)

    return TcpServer(options, make_wire)


def _mount(options: ListenerOptions, handler: Handler, exposures: Sequence[Exposure]) -> Any:
    from adapters.http.site import web_application

    compress = options.options.get("compress", True)
    return web_application(_binding(options, exposures), handler, options, _limits(options), compress=compress)


def _snippet(address: str, service: Any) -> str:
    return f"curl -s 'http://{address}/{service}/find?product_id=1'"


def _check_service(contract: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    routes = options.get(ROUTES_OPTION, {})
    found = route_misfits(contract, routes) or same_addresses(contract, routes)
    return [Misfit((ROUTES_OPTION, each.name) if each.name else (), each.text) for each in found]


def _listens(options: Mapping[str, Any]) -> bool:
    return options.get("driver") != _NO_DRIVER


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
    listens=_listens,
    listener_options=MappingProxyType(
        {
            "driver": Option(
                OptionKind.TEXT,
                "What reads the connections: httptools, the fast one; aiohttp, whose handlers others can share; none, "
                "where the services are only mounted in somebody's own aiohttp application.",
                default=_LEAN,
                choices=(_LEAN, _AIOHTTP, _NO_DRIVER),
            ),
            "docs": Option(OptionKind.FLAG, "Serve /openapi.json, and pages that show it at /docs.", default=True),
            "title": Option(OptionKind.TEXT, "Title of the OpenAPI document; the application's name by default."),
            "version": Option(OptionKind.TEXT, "Version that the OpenAPI document gives the API.", default="1.0.0"),
            "cors": Option(
                OptionKind.TEXTS,
                "Origins whose pages may call, as browsers write them (https://shop.example), or *; none by default.",
                default=(),
                parse=parse_origin,
            ),
            "cors_max_age": Option(
                OptionKind.DURATION,
                "How long browsers may remember what they were allowed.",
                default=_CORS_AGE_S,
                minimum=0,
                maximum=86_400,
            ),
            "credentials": Option(
                OptionKind.CREDENTIALS,
                "Callers must show the secret of one of these, as API key, bearer token or user:password.",
            ),
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
            "compress": Option(OptionKind.FLAG, "Send long answers as gzip to callers that take it.", default=True),
            "max_batch": Option(
                OptionKind.COUNT, "Calls in one JSON-RPC batch.", default=_MAX_BATCH, minimum=1, maximum=10_000
            ),
            "max_header": Option(
                OptionKind.SIZE,
                "All header fields of one request.",
                default=_LIMITS.max_header_bytes,
                minimum=1_024,
                maximum=1_048_576,
            ),
            "max_headers": Option(
                OptionKind.COUNT,
                "Number of header fields of one request.",
                default=_LIMITS.max_headers,
                minimum=16,
                maximum=10_000,
            ),
            "max_target": Option(
                OptionKind.SIZE,
                "Path and query of one request.",
                default=_LIMITS.max_target_bytes,
                minimum=1_024,
                maximum=1_048_576,
            ),
            "max_inflated": Option(
                OptionKind.SIZE,
                "A body after it was inflated, and all that wait on one connection; as much as the listener's "
                "limits.frame by default.",
                minimum=1_024,
                maximum=1024**3,
            ),
            "max_pipelined": Option(
                OptionKind.COUNT,
                "Requests of one connection that wait for their answers.",
                default=_LIMITS.max_pipelined,
                minimum=1,
                maximum=10_000,
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
)
