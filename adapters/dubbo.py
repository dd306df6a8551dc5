"""dubbo://, put together: the codec of `protocols.dubbo` on the TCP drivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.tcp.client import TcpClient
from adapters.tcp.provider_connection import ConnectionOptions
from adapters.tcp.server import TcpServer
from gateway.model.exposure import Exposure
from gateway.model.recognition import beginning_with
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference, ServerAdapter
from gateway.spi.plugin import Option, OptionKind, ProtocolPlugin
from protocols import java
from protocols.contract import ClientWire, ServerWire
from protocols.dubbo.announcement import announced_parameters
from protocols.dubbo.client import DubboClientWire
from protocols.dubbo.frame import MAGIC
from protocols.dubbo.idl import export_java
from protocols.dubbo.peer_callbacks import CallbackOptions
from protocols.dubbo.server import DubboServerWire
from protocols.reader import Limits

__all__ = ["PLUGIN"]

_HEARTBEAT_S: Final = 60.0
_CONNECT_TIMEOUT_S: Final = 3.0
_PAYLOAD_BYTES: Final = 8_388_608
_MAX_ELEMENTS: Final = 1_000_000
_MAX_DEPTH: Final = 64
_CALLBACKS: Final = 1
"""Dubbo's own default, on both sides."""
_CALLBACK_TIMEOUT_S: Final = 1.0
_CALLBACK_CONNECTIONS: Final = 100
_CALLBACK_CALLS: Final = 100
_ELEMENTS: Final = Option(OptionKind.COUNT, "Elements of all containers of one message.", _MAX_ELEMENTS, minimum=1_000)


def _server(options: ListenerOptions) -> ServerAdapter:
    own = options.options
    limits = Limits(
        max_frame_bytes=options.max_frame_bytes,
        max_depth=own.get("max_depth", _MAX_DEPTH),
        max_elements=own.get("max_elements", _MAX_ELEMENTS),
    )

    callbacks = CallbackOptions(
        own.get("callbacks", _CALLBACKS), own.get("callback_timeout", _CALLBACK_TIMEOUT_S), options.application
    )

    def make_wire(exposures: Sequence[Exposure]) -> ServerWire:
        return DubboServerWire(exposures, limits, own.get("token", ""), callbacks)

    def announced(exposure: Exposure) -> Mapping[str, str]:
        return announced_parameters(exposure.contract, callbacks.limit)

    return TcpServer(options, make_wire, own.get("heartbeat", _HEARTBEAT_S), announced=announced)


def _client() -> ClientAdapter:
    wires: dict[Limits, ClientWire] = {}

    def wire_for(reference: Reference) -> ClientWire:
        own = reference.parameters
        limits = Limits(
            max_frame_bytes=own.get("payload", _PAYLOAD_BYTES), max_elements=own.get("max_elements", _MAX_ELEMENTS)
        )
        if limits not in wires:
            wires[limits] = DubboClientWire(limits)
        return wires[limits]

    return TcpClient(wire_for, _connection_options)


def _connection_options(reference: Reference) -> ConnectionOptions:
    own = reference.parameters
    return ConnectionOptions(
        connect_timeout_s=own.get("connect_timeout", _CONNECT_TIMEOUT_S),
        heartbeat_s=own.get("heartbeat", _HEARTBEAT_S),
        callbacks=own.get("callbacks", _CALLBACKS),
        callback_connections=own.get("callback_connections", _CALLBACK_CONNECTIONS),
        callback_calls=own.get("callback_calls", _CALLBACK_CALLS),
        # No option: said by those who make clients for one call.
        is_logged=own.get("is_logged", True),
    )


def _snippet(address: str, service: Any) -> str:
    return f"polyport call dubbo://{address}/{service} 'find(long)' 1"


def _export_java(exposures: Sequence[Exposure]) -> Mapping[str, str]:
    return export_java([each.contract for each in exposures if each.contract is not None])


PLUGIN: Final = ProtocolPlugin(
    name="dubbo",
    default_port=20880,
    server=_server,
    client=_client,
    check_contract=java.check_contract,
    listener_options=MappingProxyType(
        {
            "heartbeat": Option(
                OptionKind.DURATION,
                "Quiet time after which the peer is sent a heartbeat; 0s sends none.",
                default=_HEARTBEAT_S,
                minimum=0,
                maximum=3600,
            ),
            "token": Option(OptionKind.CREDENTIAL, "Secret that callers must show as their Dubbo token."),
            "max_depth": Option(
                OptionKind.COUNT, "Containers inside each other in one message.", _MAX_DEPTH, minimum=4, maximum=200
            ),
            "max_elements": _ELEMENTS,
            "callbacks": Option(
                OptionKind.COUNT,
                "Callbacks of one interface that a caller may have on one connection.",
                _CALLBACKS,
                minimum=0,
                maximum=100_000,
            ),
            "callback_timeout": Option(
                OptionKind.DURATION,
                "Longest time a call to a callback may take that has no deadline of its own.",
                _CALLBACK_TIMEOUT_S,
                minimum=0.001,
                maximum=86_400,
            ),
        }
    ),
    reference_options=MappingProxyType(
        {
            "heartbeat": Option(
                OptionKind.DURATION,
                "Quiet time after which the provider is sent a heartbeat; after three times that without a byte the "
                "connection is made anew. 0s turns both off.",
                default=_HEARTBEAT_S,
                minimum=0,
                maximum=3600,
            ),
            "connect_timeout": Option(
                OptionKind.DURATION, "Longest time a connection may take.", _CONNECT_TIMEOUT_S, minimum=0.01, maximum=60
            ),
            "payload": Option(
                OptionKind.SIZE, "Largest message in either direction.", _PAYLOAD_BYTES, minimum=1024, maximum=1024**3
            ),
            "max_elements": _ELEMENTS,
            "callbacks": Option(
                OptionKind.COUNT,
                "Callbacks of one interface offered over one connection, as many as the provider takes; what goes "
                "beyond is offered over a further one.",
                _CALLBACKS,
                minimum=1,
                maximum=100_000,
            ),
            "callback_connections": Option(
                OptionKind.COUNT,
                "Connections over which callbacks are offered to one provider, besides those for other calls.",
                _CALLBACK_CONNECTIONS,
                minimum=0,
                maximum=10_000,
            ),
            "callback_calls": Option(
                OptionKind.COUNT,
                "Calls a provider may have in progress on one of these connections.",
                _CALLBACK_CALLS,
                minimum=1,
                maximum=100_000,
            ),
        }
    ),
    client_snippet=_snippet,
    callbacks=True,
    exports=MappingProxyType({"java": _export_java}),
    recognize=beginning_with(MAGIC.to_bytes(2, "big")),
)
