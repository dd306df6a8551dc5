"""webservice://, put together: SOAP over HTTP on the lean driver or inside aiohttp."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address, ip_network
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
from adapters.soap_wsdl import PORT, WSDL, WSDL_OPTIONS, ZONE, wsdl_misfits
from gateway.model.contract import ServiceContract
from gateway.model.document import Document
from gateway.model.endpoint import parse_address
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference, ServerAdapter
from gateway.spi.handler import Handler
from gateway.spi.plugin import Misfit, Option, OptionKind, ProtocolPlugin
from protocols.http.binding import HttpBinding
from protocols.http.extra_fields import parse_base_path
from protocols.soap.document import XmlLimits
from protocols.soap.mapping import check_contract
from protocols.soap.names import FORMS, PROTOCOL, QUALIFIED, parse_namespace

if TYPE_CHECKING:
    from protocols.http.shared import Claim
    from protocols.soap.client import SoapClientBinding

__all__ = ["PLUGIN"]

_PORT: Final = 8082
_VERSIONS: Final = ("1.1", "1.2")
_FORM: Final = "form"
_NAMESPACE: Final = "namespace"
_MAX_DEPTH: Final = XmlLimits().max_depth
_MAX_ELEMENTS: Final = XmlLimits().max_elements
_PAYLOAD_BYTES: Final = ProviderOptions().max_response_bytes
_CLOCK_SKEW_S: Final = 300.0
"""What the UsernameToken Profile recommends as the least that nonces are remembered (section 3.1)."""


def _trusted(networks: Sequence[Any]) -> Callable[[str], bool] | None:
    """Whether a peer is one of these proxies."""
    if not networks:
        return None

    def check(address: str) -> bool:
        try:
            host = ip_address(parse_address(address)[0])
        except ValueError:
            return False
        return any(host in each for each in networks)

    return check


def _binding(options: ListenerOptions, exposures: Sequence[Exposure]) -> HttpBinding:
    from protocols.soap.security import TokenCheck
    from protocols.soap.server import SoapBinding

    own = options.options
    secrets = own.get("credentials", {})
    binding = SoapBinding(
        exposures,
        tokens=TokenCheck(secrets, own.get("clock_skew", _CLOCK_SKEW_S), _wall_ms) if secrets else None,
        namespaces={each.service: each.options.get(_NAMESPACE, "") for each in exposures},
        forms={each.service: each.options.get(_FORM, "") for each in exposures},
        limits=XmlLimits(
            max_depth=own.get("max_depth", _MAX_DEPTH), max_elements=own.get("max_elements", _MAX_ELEMENTS)
        ),
        max_reply_bytes=options.max_frame_bytes,
        trusted=_trusted(own.get("trusted_proxies", ())),
    )
    return guard(binding, options, checks_itself=True)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _server(options: ListenerOptions) -> ServerAdapter:
    def make_claim(exposures: Sequence[Exposure]) -> Claim:
        from protocols.soap.claim import soap_claim

        return soap_claim(exposures)

    return make_server(options, lambda exposures: _binding(options, exposures), make_claim)


def _mount(options: ListenerOptions, handler: Handler, exposures: Sequence[Exposure]) -> Any:
    return mount(options, handler, _binding(options, exposures))


def _client() -> ClientAdapter:
    # Imported when somebody calls: aiohttp takes a third of a second, and most listeners do without.
    from adapters.http.client import HttpClient
    from protocols.soap.client import ClientOptions, SoapClientBinding
    from protocols.soap.foreign.client import ForeignClientBinding

    bindings: dict[Any, SoapClientBinding] = {}

    def binding_for(reference: Reference) -> SoapClientBinding:
        own = reference.parameters
        key = hashable(own)
        found = bindings.get(key)
        if found is None:
            wsdl = own.get(WSDL)
            options = ClientOptions(
                version=own.get("version", _VERSIONS[0]),
                path=own.get("path", ""),
                namespace=own.get(_NAMESPACE, ""),
                form=own.get(_FORM, QUALIFIED),
                send_action=own.get("send_action", True),
                # Others have no use for it, and some refuse what they do not know.
                send_context=own.get("send_context", wsdl is None),
                headers=own.get("headers", {}),
                api_key=own.get("api_key", ""),
                bearer=own.get("bearer", ""),
                basic=own.get("basic", ""),
                max_request_bytes=own.get("payload", _PAYLOAD_BYTES),
            )
            if wsdl is None:
                found = SoapClientBinding(options)
            else:
                found = ForeignClientBinding(options, wsdl, own.get(PORT, ""), own.get(ZONE, ""))
            bindings[key] = found
        return found

    return HttpClient(binding_for, provider_options)


def _check_reference(contract: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    return [*header_misfits(options), *wsdl_misfits(contract, options)]


def _snippet(address: str, service: Any) -> str:
    return f"curl -s 'http://{address}/{service}?wsdl'"


def _export_wsdl(exposures: Sequence[Exposure]) -> Mapping[str, str]:
    from protocols.soap.wsdl_export import export_wsdl

    return export_wsdl(exposures, _PORT)


def _omitted(document: Document) -> Sequence[str]:
    from protocols.soap.wsdl_import import omitted_operations

    return omitted_operations(document)


def _import_wsdl(document: Document) -> Sequence[ServiceContract]:
    from protocols.soap.wsdl_import import read_wsdl

    return read_wsdl(document)


PLUGIN: Final = ProtocolPlugin(
    name=PROTOCOL,
    default_port=_PORT,
    server=_server,
    client=_client,
    check_contract=check_contract,
    check_reference=_check_reference,
    listens=listens,
    generic=False,
    listener_options=MappingProxyType(
        {
            **LISTENER_OPTIONS,
            "trusted_proxies": Option(
                OptionKind.TEXTS,
                "Networks of proxies that say in X-Forwarded-Host, -Proto and -Prefix under which address a WSDL was "
                "asked for (10.0.0.0/8); nobody else is believed.",
                default=(),
                parse=ip_network,
            ),
            "clock_skew": Option(
                OptionKind.DURATION,
                "How far the clocks of callers with WS-Security digests may differ; digests are remembered as long.",
                _CLOCK_SKEW_S,
                minimum=1,
                maximum=3_600,
            ),
            "max_depth": Option(
                OptionKind.COUNT, "Elements inside each other in one message.", _MAX_DEPTH, minimum=16, maximum=1_000
            ),
            "max_elements": Option(
                OptionKind.COUNT,
                "Elements of one message, those with others inside count five.",
                _MAX_ELEMENTS,
                minimum=1_000,
            ),
        }
    ),
    reference_options=MappingProxyType(
        {
            "version": Option(
                OptionKind.TEXT,
                "Of SOAP, in calls; answers are read in either.",
                default=_VERSIONS[0],
                choices=_VERSIONS,
            ),
            "path": Option(
                OptionKind.TEXT,
                "The path that takes all calls; that of the service's name by default.",
                default="",
                parse=parse_base_path,
            ),
            _NAMESPACE: Option(
                OptionKind.TEXT,
                "Target namespace of the service; by default what the contract's name says (demo.Catalog: http://demo/).",
                default="",
                parse=parse_namespace,
            ),
            _FORM: Option(
                OptionKind.TEXT,
                "Which elements inside of operations are in the namespace: qualified, all of them; unqualified, none, "
                "as servers made with JAX-WS expect it; parameters, those of parameters and results, as Dubbo has it.",
                default=QUALIFIED,
                choices=FORMS,
            ),
            "send_action": Option(
                OptionKind.FLAG,
                "Whether operations are named by the SOAPAction of our WSDL too. Services of CXF that have none "
                "refuse any, as Dubbo's do.",
                default=True,
            ),
            "send_context": Option(
                OptionKind.FLAG,
                "Whether attachments, the caller's timeout and our name are sent along in a header block.",
                default=True,
            ),
            **WSDL_OPTIONS,
            **PROVIDER_OPTIONS,
        }
    ),
    service_options=MappingProxyType(
        {
            _NAMESPACE: Option(
                OptionKind.TEXT,
                "Target namespace of the WSDL; by default what the contract's name says (demo.Catalog: http://demo/).",
                default="",
                parse=parse_namespace,
            ),
            _FORM: Option(
                OptionKind.TEXT,
                "Which elements inside of operations are in the namespace, in answers and in the WSDL: qualified, "
                "unqualified, or parameters as Dubbo's own webservice:// has it; calls are read in any form.",
                default=QUALIFIED,
                choices=FORMS,
            ),
        }
    ),
    client_snippet=_snippet,
    exports=MappingProxyType({"wsdl": _export_wsdl}),
    imports=MappingProxyType({"wsdl": _import_wsdl}),
    omits=MappingProxyType({"wsdl": _omitted}),
    mount=_mount,
    recognize=recognize_http,
    sharing=HTTP_SHARING,
)
