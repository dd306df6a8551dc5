"""netstring://, put together: the codec on the TCP drivers of Polyport. What the entry point names is `PLUGIN`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final

from netstring_codec import NetstringClientWire, NetstringServerWire

from adapters.tcp.client import TcpClient
from adapters.tcp.provider_connection import ConnectionOptions
from adapters.tcp.server import TcpServer
from gateway.model.contract import ServiceContract
from gateway.model.exposure import Exposure
from gateway.model.recognition import Recognition
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference, ServerAdapter
from gateway.spi.plugin import Option, OptionKind, ProtocolPlugin
from protocols.reader import DEFAULT_LIMITS, Limits

__all__ = ["PLUGIN"]

_HEARTBEAT_S: Final = 30.0
_BEGINNING: Final = re.compile(rb"(?:0|[1-9][0-9]{0,8})(:)?")
"""Of a netstring: its length, and the colon where it is there already."""


def _server(options: ListenerOptions) -> ServerAdapter:
    def make_wire(exposures: Sequence[Exposure]) -> NetstringServerWire:
        limits = Limits(max_frame_bytes=options.max_frame_bytes)
        return NetstringServerWire(exposures, limits, options.options.get("token", ""))

    return TcpServer(options, make_wire)


def _client() -> ClientAdapter:
    wire = NetstringClientWire(DEFAULT_LIMITS)

    def connection_options(reference: Reference) -> ConnectionOptions:
        return ConnectionOptions(heartbeat_s=reference.parameters.get("heartbeat", _HEARTBEAT_S))

    return TcpClient(lambda reference: wire, connection_options)


def _check_contract(contract: ServiceContract) -> list[str]:
    """JSON has a form for every type of the model."""
    return []


def _recognize(data: bytes) -> Recognition:
    """No other wire begins with digits."""
    found = _BEGINNING.match(data)
    if found is None or (found[1] is None and found.end() < len(data)):
        return Recognition.NO
    return Recognition.MORE if found[1] is None else Recognition.YES


def _snippet(address: str, service: Any) -> str:
    return f"polyport call netstring://{address}/{service} METHOD --contract MODULE:CLASS"


PLUGIN: Final = ProtocolPlugin(
    name="netstring",
    default_port=9021,
    server=_server,
    client=_client,
    check_contract=_check_contract,
    listener_options=MappingProxyType({"token": Option(OptionKind.CREDENTIAL, "Secret that callers must show.")}),
    reference_options=MappingProxyType(
        {
            "heartbeat": Option(
                OptionKind.DURATION,
                "Quiet time after which the provider is sent a heartbeat; 0s sends none.",
                default=_HEARTBEAT_S,
                minimum=0,
                maximum=3600,
            )
        }
    ),
    client_snippet=_snippet,
    generic=False,
    recognize=_recognize,
)
