"""thrift://, put together: the codec of `protocols.thrift` on the TCP drivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.tcp.client import TcpClient
from adapters.tcp.options import (
    CONNECT_TIMEOUT_OPTION,
    HALF_CLOSE_OPTION,
    PAYLOAD_BYTES,
    PAYLOAD_OPTION,
    PIPELINED,
    PIPELINED_OPTION,
    connection_options,
)
from adapters.tcp.server import HALF_CLOSE_GRACE_S, TcpServer
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference, ServerAdapter
from gateway.spi.plugin import Misfit, Option, OptionKind, ProtocolPlugin
from protocols.contract import ClientWire, ServerWire
from protocols.reader import Limits
from protocols.thrift.client import ThriftClientWire, ThriftStyle
from protocols.thrift.idl.reader import read_thrift
from protocols.thrift.idl.writer import write_thrift
from protocols.thrift.mapping import check_contract
from protocols.thrift.recognition import recognize_thrift
from protocols.thrift.server import ThriftServerWire
from protocols.thrift.variant import ENCODINGS, Transport, Variant

__all__ = ["PLUGIN"]

_MAX_ELEMENTS: Final = 1_000_000
_MAX_DEPTH: Final = 64
_ENCODING: Final = "binary"
_TRANSPORT: Final = "framed"
_ELEMENTS: Final = Option(
    OptionKind.COUNT,
    "Elements of all containers of one message, a container counting five.",
    _MAX_ELEMENTS,
    minimum=1_000,
)
_WITHOUT_JSON: Final = (Transport.HEADER, Transport.DUBBO, Transport.DUBBO_27)


def _server(options: ListenerOptions) -> ServerAdapter:
    own = options.options
    limits = Limits(
        max_frame_bytes=options.max_frame_bytes,
        max_depth=own.get("max_depth", _MAX_DEPTH),
        max_elements=own.get("max_elements", _MAX_ELEMENTS),
    )

    def make_wire(exposures: Sequence[Exposure]) -> ServerWire:
        default: ServiceKey | None = own.get("default_service")
        return ThriftServerWire(exposures, limits, default, not own.get("out_of_order", False))

    return TcpServer(options, make_wire, half_close_grace_s=own.get("half_close", HALF_CLOSE_GRACE_S))


def _client() -> ClientAdapter:
    wires: dict[tuple[Limits, ThriftStyle], ClientWire] = {}

    def wire_for(reference: Reference) -> ClientWire:
        own = reference.parameters
        limits = Limits(
            max_frame_bytes=own.get("payload", PAYLOAD_BYTES), max_elements=own.get("max_elements", _MAX_ELEMENTS)
        )
        key = (limits, _style(own))
        if key not in wires:
            wires[key] = ThriftClientWire(*key)
        return wires[key]

    return TcpClient(wire_for, connection_options)


def _style(own: Mapping[str, Any]) -> ThriftStyle:
    variant = Variant(ENCODINGS[own.get("encoding", _ENCODING)], Transport(own.get("transport", _TRANSPORT)))
    service: str | None = own.get("service_name")
    if service is None and not own.get("multiplexed", True):
        service = ""
    return ThriftStyle(variant, service, own.get("context", True), own.get("pipelined", PIPELINED))


def _check_reference(_: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    transport = Transport(options.get("transport", _TRANSPORT))
    encoding = options.get("encoding", _ENCODING)
    found = []
    if transport in _WITHOUT_JSON and encoding == "json":
        found.append(Misfit(("encoding",), f"the transport {transport.value} carries no json"))
    if transport.is_dubbo and encoding != _ENCODING:
        found.append(Misfit(("encoding",), "Dubbo's framing carries the binary encoding only"))
    if options.get("service_name") and not options.get("multiplexed", True):
        found.append(Misfit(("service_name",), "there is no place for a service's name without `multiplexed`"))
    return found


def _snippet(address: str, service: Any) -> str:
    return f"polyport call thrift://{address}/{service} 'find(long)' 1"


def _export_thrift(exposures: Sequence[Exposure]) -> Mapping[str, str]:
    contracts = {each.contract.name: each.contract for each in exposures if each.contract is not None}
    return write_thrift(list(contracts.values()))


PLUGIN: Final = ProtocolPlugin(
    name="thrift",
    default_port=9090,
    server=_server,
    client=_client,
    check_contract=check_contract,
    listener_options=MappingProxyType(
        {
            "default_service": Option(
                OptionKind.TEXT,
                "The service of calls that name none, as `[group/]interface[:version]`. Not needed where there is only "
                "one.",
                parse=ServiceKey.parse,
            ),
            "out_of_order": Option(
                OptionKind.FLAG,
                "Answers leave as they come, not in the order of their calls. Only for clients that go by the sequence "
                "id, and only in transports with frames.",
                default=False,
            ),
            "half_close": HALF_CLOSE_OPTION,
            "max_depth": Option(
                OptionKind.COUNT, "Containers inside each other in one message.", _MAX_DEPTH, minimum=4, maximum=200
            ),
            "max_elements": _ELEMENTS,
        }
    ),
    reference_options=MappingProxyType(
        {
            "encoding": Option(OptionKind.TEXT, "Thrift's protocol.", _ENCODING, choices=tuple(ENCODINGS)),
            "transport": Option(
                OptionKind.TEXT,
                "How messages are told apart; `dubbo` is the framing of Dubbo 2.6, `dubbo27` that of 2.7.",
                _TRANSPORT,
                choices=tuple(each.value for each in Transport),
            ),
            "multiplexed": Option(
                OptionKind.FLAG,
                "Methods are called `Service:method`, which takes a provider with a multiplexed processor.",
                default=True,
            ),
            "service_name": Option(
                OptionKind.TEXT, "How the provider calls the service; default: `[group/]interface[:version]`."
            ),
            "context": Option(
                OptionKind.FLAG,
                "Send deadline, trace, consumer and attachments along; servers that do not know them pass over them.",
                default=True,
            ),
            "pipelined": PIPELINED_OPTION,
            "connect_timeout": CONNECT_TIMEOUT_OPTION,
            "payload": PAYLOAD_OPTION,
            "max_elements": _ELEMENTS,
        }
    ),
    client_snippet=_snippet,
    generic=False,
    check_reference=_check_reference,
    exports=MappingProxyType({"thrift": _export_thrift}),
    imports=MappingProxyType({"thrift": read_thrift}),
    recognize=recognize_thrift,
)
