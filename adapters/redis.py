"""redis://, put together: the codec of `protocols.redis` on the TCP drivers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.data.modes import TwoModes, check_modes, mode_option
from adapters.data.options import DATA_OPTIONS
from adapters.data.redis_check import check_redis_data
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
from adapters.tcp.provider_connection import ConnectionOptions
from adapters.tcp.server import HALF_CLOSE_GRACE_S, TcpServer
from gateway.model.contract import ServiceContract
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference, ServerAdapter
from gateway.spi.plugin import Misfit, Option, OptionKind, ProtocolPlugin
from protocols.contract import ClientWire, ServerWire
from protocols.reader import Limits
from protocols.redis.client import RedisClientWire, RedisStyle
from protocols.redis.mapping import check_contract
from protocols.redis.recognition import recognize_redis
from protocols.redis.server import RedisServerWire
from protocols.texts.mount_check import check_mounts
from protocols.texts.mount_entry import MOUNTS_OPTION, VERBS, parse_entry

__all__ = ["PLUGIN"]

_MAX_ELEMENTS: Final = 1_000_000
_HEARTBEAT_S: Final = 60.0
_DATABASES: Final = 16_384
_DATA_OPTIONS: Final = MappingProxyType(
    {
        **DATA_OPTIONS,
        "database": Option(OptionKind.COUNT, "data: number of the database.", 0, minimum=0, maximum=_DATABASES),
    }
)


def _server(options: ListenerOptions) -> ServerAdapter:
    own = options.options
    limits = Limits(max_frame_bytes=options.max_frame_bytes)

    def make_wire(exposures: Sequence[Exposure]) -> ServerWire:
        return RedisServerWire(exposures, limits, own.get("credentials", {}), time.time)

    return TcpServer(options, make_wire, half_close_grace_s=own.get("half_close", HALF_CLOSE_GRACE_S))


def _client() -> ClientAdapter:
    wires: dict[tuple[Limits, RedisStyle], ClientWire] = {}

    def wire_for(reference: Reference) -> ClientWire:
        own = reference.parameters
        limits = Limits(
            max_frame_bytes=own.get("payload", PAYLOAD_BYTES), max_elements=own.get("max_elements", _MAX_ELEMENTS)
        )
        style = RedisStyle(own.get("user", ""), own.get("password", ""), own.get("pipelined", PIPELINED))
        key = (limits, style)
        if key not in wires:
            wires[key] = RedisClientWire(*key)
        return wires[key]

    def data() -> ClientAdapter:
        # Imported when some reference wants it: the client library takes a third of a second.
        from adapters.data.redis import RedisDataClient

        return RedisDataClient()

    return TwoModes(TcpClient(wire_for, _connection_options), data)


def _connection_options(reference: Reference) -> ConnectionOptions:
    return connection_options(reference, reference.parameters.get("heartbeat", _HEARTBEAT_S))


def _check_reference(contract: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    return check_modes(contract, options, _DATA_OPTIONS, check_redis_data)


def _check_service(contract: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    found = check_mounts(contract, options.get(MOUNTS_OPTION, {}), tuple(VERBS))
    return [Misfit(each.path, each.text) for each in found]


def _snippet(address: str, service: Any) -> str:
    host, _, port = address.rpartition(":")
    return f"redis-cli -3 -h {host.strip('[]')} -p {port} {service}.find 1"


PLUGIN: Final = ProtocolPlugin(
    name="redis",
    default_port=6379,
    server=_server,
    client=_client,
    check_contract=check_contract,
    listener_options=MappingProxyType(
        {
            "credentials": Option(
                OptionKind.CREDENTIALS,
                "Who may call: AUTH with the name of one of these and its secret, or with the secret alone. Default: "
                "anybody.",
            ),
            "half_close": HALF_CLOSE_OPTION,
        }
    ),
    reference_options=MappingProxyType(
        {
            "mode": mode_option("a Redis"),
            "user": Option(OptionKind.TEXT, "Name of the credential that the provider asks for.", "default"),
            "password": Option(OptionKind.CREDENTIAL, "The credential that the provider asks for. Default: none."),
            "pipelined": PIPELINED_OPTION,
            "heartbeat": Option(
                OptionKind.DURATION,
                "After so long without traffic a PING is sent; 0s sends none.",
                _HEARTBEAT_S,
                minimum=0,
                maximum=3600,
            ),
            "connect_timeout": CONNECT_TIMEOUT_OPTION,
            "payload": PAYLOAD_OPTION,
            "max_elements": Option(
                OptionKind.COUNT,
                "Elements of all lists, sets and maps of one answer, each of these counting five.",
                _MAX_ELEMENTS,
                minimum=1_000,
            ),
            **_DATA_OPTIONS,
        }
    ),
    client_snippet=_snippet,
    generic=False,
    service_options=MappingProxyType(
        {
            MOUNTS_OPTION: Option(
                OptionKind.TABLES,
                "Which methods answer GET, SET and other commands, by the beginning of their keys: prefix to verb to "
                "`method(key, value) NotFound=miss`.",
                parse=parse_entry,
            )
        }
    ),
    check_service=_check_service,
    check_reference=_check_reference,
    recognize=recognize_redis,
)
