"""hessian://, put together: Hessian 1 and 2 over HTTP on the lean driver or inside aiohttp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from adapters.http.listener import (
    HTTP_SHARING,
    LISTENER_OPTIONS,
    guard,
    listens,
    make_server,
    mount,
    recognize_http,
)
from adapters.http.provider_options import ProviderOptions
from adapters.http.reference import PROVIDER_OPTIONS, hashable, header_misfits, provider_options
from gateway.model.contract import ServiceContract
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference, ServerAdapter
from gateway.spi.handler import Handler
from gateway.spi.plugin import Misfit, Option, OptionKind, ProtocolPlugin
from protocols.hessian_http.mapping import check_contract
from protocols.http.binding import HttpBinding
from protocols.http.extra_fields import parse_base_path
from protocols.reader import Limits

if TYPE_CHECKING:
    from protocols.hessian_http.client import HessianClientBinding
    from protocols.http.shared import Claim

__all__ = ["PLUGIN"]

_ENVELOPES: Final = ("hessian2", "mixed", "hessian1")
_OVERLOADS: Final = ("mangled", "counted", "plain")
_OBJECT: Final = "object"
_PLAIN: Final = "plain"
_TEXT: Final = "text"
_MAX_DEPTH: Final = 64
_MAX_ELEMENTS: Final = 1_000_000
_PAYLOAD_BYTES: Final = ProviderOptions().max_response_bytes


def _binding(options: ListenerOptions, exposures: Sequence[Exposure]) -> HttpBinding:
    from protocols.hessian.caucho import caucho_dialect
    from protocols.hessian_http.server import HessianBinding

    own = options.options
    limits = Limits(
        max_frame_bytes=options.max_frame_bytes,
        max_depth=own.get("max_depth", _MAX_DEPTH),
        max_elements=own.get("max_elements", _MAX_ELEMENTS),
    )
    dialect = caucho_dialect(
        plain_time=own.get("java_time", _OBJECT) == _PLAIN, decimal_text=own.get("decimal", _OBJECT) == _TEXT
    )
    return guard(HessianBinding(exposures, limits, dialect, compress=own.get("compress", True)), options)


def _server(options: ListenerOptions) -> ServerAdapter:
    def make_claim(exposures: Sequence[Exposure]) -> Claim:
        from protocols.hessian_http.claim import hessian_claim

        return hessian_claim(exposures)

    return make_server(options, lambda exposures: _binding(options, exposures), make_claim)


def _mount(options: ListenerOptions, handler: Handler, exposures: Sequence[Exposure]) -> Any:
    return mount(options, handler, _binding(options, exposures))


def _client() -> ClientAdapter:
    # Imported when somebody calls: aiohttp takes a third of a second, and most listeners do without.
    from adapters.http.client import HttpClient
    from protocols.hessian_http.client import ClientOptions, HessianClientBinding
    from protocols.hessian_http.envelope import Envelope

    bindings: dict[Any, HessianClientBinding] = {}

    def binding_for(reference: Reference) -> HessianClientBinding:
        own = reference.parameters
        key = hashable(own)
        found = bindings.get(key)
        if found is None:
            found = bindings[key] = HessianClientBinding(
                ClientOptions(
                    envelope=Envelope(own.get("call", _ENVELOPES[0])),
                    path=own.get("path", ""),
                    overloads=own.get("overloads", _OVERLOADS[0]),
                    plain_time=own.get("java_time", _OBJECT) == _PLAIN,
                    decimal_text=own.get("decimal", _OBJECT) == _TEXT,
                    send_context=own.get("send_context", True),
                    dubbo_fields=own.get("dubbo_fields"),
                    headers=own.get("headers", {}),
                    api_key=own.get("api_key", ""),
                    bearer=own.get("bearer", ""),
                    basic=own.get("basic", ""),
                    max_request_bytes=own.get("payload", _PAYLOAD_BYTES),
                )
            )
        return found

    return HttpClient(binding_for, provider_options)


def _check_reference(contract: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    return header_misfits(options)


def _snippet(address: str, service: Any) -> str:
    return f"polyport call hessian://{address}/{service} 'find(long)' 1"


_FORMS: Final = MappingProxyType(
    {
        "java_time": Option(
            OptionKind.TEXT,
            "How times are written: object, as classes of java.time, which Java peers read but cannot send; plain, for "
            "peers that have java.util.Date and texts instead. Both are read.",
            default=_OBJECT,
            choices=(_OBJECT, _PLAIN),
        ),
        "decimal": Option(
            OptionKind.TEXT,
            "How decimals are written: object, as BigDecimal; text, for peers that lose the value of it, as Caucho's "
            "Hessian 4.0.38 does. Both are read.",
            default=_OBJECT,
            choices=(_OBJECT, _TEXT),
        ),
    }
)

PLUGIN: Final = ProtocolPlugin(
    name="hessian",
    default_port=8081,
    server=_server,
    client=_client,
    check_contract=check_contract,
    check_reference=_check_reference,
    listens=listens,
    listener_options=MappingProxyType(
        {
            **LISTENER_OPTIONS,
            "compress": Option(
                OptionKind.FLAG,
                "Send long answers as bare deflate to callers that take it and no gzip, as Caucho's client does.",
                default=True,
            ),
            **_FORMS,
            "max_depth": Option(
                OptionKind.COUNT, "Containers inside each other in one message.", _MAX_DEPTH, minimum=4, maximum=200
            ),
            "max_elements": Option(
                OptionKind.COUNT, "Elements of all containers of one message.", _MAX_ELEMENTS, minimum=1_000
            ),
        }
    ),
    reference_options=MappingProxyType(
        {
            "call": Option(
                OptionKind.TEXT,
                "How calls are written: hessian2; mixed, calls in Hessian 1 with replies in Hessian 2, as Caucho's "
                "client does where nobody says otherwise; or hessian1.",
                default=_ENVELOPES[0],
                choices=_ENVELOPES,
            ),
            "path": Option(
                OptionKind.TEXT,
                "The path that takes all calls. Default: that of the provider's URL in a registry, else /interface, "
                "with group and version in the query.",
                default="",
                parse=parse_base_path,
            ),
            "overloads": Option(
                OptionKind.TEXT,
                "How methods are called that share a name: mangled (find_string_int), counted (find__2) or plain.",
                default=_OVERLOADS[0],
                choices=_OVERLOADS,
            ),
            **_FORMS,
            "send_context": Option(
                OptionKind.FLAG,
                "Whether attachments, the caller's timeout and our name are sent along as header fields.",
                default=True,
            ),
            "dubbo_fields": Option(
                OptionKind.FLAG,
                "Whether they are also sent as Dubbo's providers read them (header<key>). Default: to providers of "
                "which a registry says that they are Dubbo's.",
            ),
            **PROVIDER_OPTIONS,
        }
    ),
    client_snippet=_snippet,
    mount=_mount,
    recognize=recognize_http,
    sharing=HTTP_SHARING,
)
