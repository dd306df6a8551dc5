"""memcached://, put together: the codec of `protocols.memcached` on the TCP drivers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.data.memcached_check import MEMCACHED_DATA_OPTIONS, check_memcached_data
from adapters.data.modes import TwoModes, check_modes, mode_option
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
from gateway.model.call import Invocation, Result
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference, ServerAdapter
from gateway.spi.handler import Handler
from gateway.spi.plugin import Misfit, Option, OptionKind, ProtocolPlugin
from protocols.contract import ClientWire, ServerWire
from protocols.memcached.client import ClientStyle, MemcachedClientWire
from protocols.memcached.mapping import check_contract
from protocols.memcached.recognition import recognize_memcached
from protocols.memcached.server import MemcachedServerWire, ServerStyle
from protocols.memcached.turn import TurnInvocation
from protocols.texts.mount_check import check_mounts
from protocols.texts.mount_entry import MOUNTS_OPTION, parse_entry

__all__ = ["PLUGIN"]

_MAX_KEYS: Final = 1_000
_ANSWERS: Final = 1_000
_ANSWER_BYTES: Final = 67_108_864
_ANSWER_S: Final = 60.0
_VERBS: Final = (
    "get", "gets", "set", "add", "replace", "cas", "append", "prepend", "delete", "incr", "expire", "ttl", "flush",
)  # fmt: skip


class _MemcachedServer(TcpServer):
    """A listener whose calls wait for those before them that are for the same key."""

    async def start(self, handler: Handler, exposures: Sequence[Exposure]) -> Sequence[Endpoint]:
        """See `ServerAdapter.start`."""

        def in_order(invocation: Invocation) -> Any:
            # Most calls have nothing to wait for, and take no step in between.
            return handler(invocation) if type(invocation) is Invocation else _in_turn(handler, invocation)

        return await super().start(in_order, exposures)


async def _in_turn(handler: Handler, invocation: Invocation) -> Result:
    assert isinstance(invocation, TurnInvocation)
    turn = invocation.turn
    try:
        before = turn.begin()
        if before is not None:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            before.waiting.append(lambda: None if waiter.done() else waiter.set_result(None))
            await waiter
        return await handler(invocation)
    finally:
        turn.end()


def _server(options: ListenerOptions) -> ServerAdapter:
    own = options.options
    style = ServerStyle(
        users=own.get("users", {}),
        max_keys=own.get("max_keys", _MAX_KEYS),
        max_value_bytes=options.max_frame_bytes,
        max_answers=own.get("answers", _ANSWERS),
        answer_bytes=own.get("answers_size", _ANSWER_BYTES),
        answer_s=own.get("answers_time", _ANSWER_S),
        max_connections=options.max_connections,
        names_formats=own.get("flags", True),
    )

    def make_wire(exposures: Sequence[Exposure]) -> ServerWire:
        return MemcachedServerWire(exposures, style, time.monotonic, time.time, lambda: server.connections, os.getpid())

    server = _MemcachedServer(options, make_wire, half_close_grace_s=own.get("half_close", HALF_CLOSE_GRACE_S))
    return server


def _client() -> ClientAdapter:
    wires: dict[ClientStyle, ClientWire] = {}

    def wire_for(reference: Reference) -> ClientWire:
        own = reference.parameters
        style = ClientStyle(
            own.get("payload", PAYLOAD_BYTES),
            own.get("pipelined", PIPELINED),
            own.get("user", ""),
            own.get("password", ""),
        )
        if style not in wires:
            wires[style] = MemcachedClientWire(style)
        return wires[style]

    def data() -> ClientAdapter:
        # Imported when some reference wants it.
        from adapters.data.memcached import MemcachedDataClient

        return MemcachedDataClient()

    return TwoModes(TcpClient(wire_for, connection_options), data)


def _check_service(contract: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    return [Misfit(each.path, each.text) for each in check_mounts(contract, options.get(MOUNTS_OPTION, {}), _VERBS)]


def _check_reference(contract: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    found = check_modes(contract, options, MEMCACHED_DATA_OPTIONS, check_memcached_data)
    user, password = options.get("user", ""), options.get("password", "")
    if bool(user) != bool(password):
        return [*found, Misfit(("user",), "a user and a password go together")]
    if any(each <= " " for each in user):
        return [*found, Misfit(("user",), "a user's name has no spaces")]
    return found


def _snippet(address: str, service: Any) -> str:
    host, _, port = address.rpartition(":")
    return f"printf 'get {service}.find(1)\\r\\nquit\\r\\n' | nc {host.strip('[]')} {port}"


PLUGIN: Final = ProtocolPlugin(
    name="memcached",
    default_port=11211,
    server=_server,
    client=_client,
    check_contract=check_contract,
    listener_options=MappingProxyType(
        {
            "users": Option(
                OptionKind.CREDENTIALS,
                "Who may call: the name of each credential is a user, the secret its password. Callers say both first, "
                "as the text protocol has it; default: everybody may.",
            ),
            "flags": Option(
                OptionKind.FLAG,
                "Flags of answers name their format. Off, they are 0: for clients that refuse flags they do not know, "
                "as python-memcached does.",
                default=True,
            ),
            "max_keys": Option(OptionKind.COUNT, "Keys of one `get`.", _MAX_KEYS, minimum=1, maximum=100_000),
            "answers": Option(
                OptionKind.COUNT,
                "Answers of calls made by `set` that wait to be fetched; the oldest go.",
                _ANSWERS,
                minimum=0,
                maximum=1_000_000,
            ),
            "answers_size": Option(OptionKind.SIZE, "Their bytes in all.", _ANSWER_BYTES, minimum=0, maximum=1024**4),
            "answers_time": Option(
                OptionKind.DURATION, "How long one waits to be fetched.", _ANSWER_S, minimum=0.1, maximum=86_400
            ),
            "half_close": HALF_CLOSE_OPTION,
        }
    ),
    reference_options=MappingProxyType(
        {
            "mode": mode_option("a memcached"),
            "connect_timeout": CONNECT_TIMEOUT_OPTION,
            "payload": PAYLOAD_OPTION,
            "pipelined": PIPELINED_OPTION,
            "user": Option(OptionKind.TEXT, "Who calls, where the provider asks for it."),
            "password": Option(OptionKind.CREDENTIAL, "The user's password."),
            **MEMCACHED_DATA_OPTIONS,
        }
    ),
    client_snippet=_snippet,
    generic=False,
    service_options=MappingProxyType(
        {
            MOUNTS_OPTION: Option(
                OptionKind.TABLES,
                "Keys with a prefix as values of the service: by prefix, which method answers a verb "
                f"({', '.join(_VERBS)}), as `method`, `method(key, value)` or `method NotFound=miss`.",
                parse=parse_entry,
            )
        }
    ),
    check_service=_check_service,
    check_reference=_check_reference,
    recognize=recognize_memcached,
)
