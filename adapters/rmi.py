"""rmi://, put together: the codec of `protocols.rmi` on the blocking drivers.

There is one style so far, pickled values. Java's own RMI (JRMP) is another one of the same protocol, to come.
"""

from __future__ import annotations

import ipaddress
import os
import threading
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.blocking.client import BlockingClient, ShortClientWire, ShortOptions
from adapters.blocking.server import BlockingServer, ShortServerWire
from gateway.model.errors import ContractError
from gateway.model.exposure import Exposure
from gateway.model.recognition import beginning_with
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference, ServerAdapter
from gateway.spi.plugin import Misfit, Option, OptionKind, ProtocolPlugin
from protocols.reader import Limits
from protocols.replay import ReplayGuard
from protocols.rmi.client import RmiClientWire
from protocols.rmi.frame import MAGIC, MAX_KEY_ID_BYTES, NONCE_BYTES
from protocols.rmi.mapping import check_contract
from protocols.rmi.server import RmiServerWire
from protocols.rmi.signature import MIN_SECRET_BYTES, Seal, Seals, Start

__all__ = ["PLUGIN"]

_CLOCK_SKEW_S: Final = 30.0
_CONNECT_TIMEOUT_S: Final = 3.0
_PAYLOAD_BYTES: Final = 8_388_608
_MAX_ELEMENTS: Final = 1_000_000
_WORKERS: Final = 16
_THREADS: Final = 256
_MAX_CONNECTIONS: Final = 64
_DEFAULT_KEY: Final = "default"


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _nonce() -> bytes:
    return os.urandom(NONCE_BYTES)


def _server(options: ListenerOptions) -> ServerAdapter:
    own = options.options
    limits = Limits(max_frame_bytes=options.max_frame_bytes, max_elements=own.get("max_elements", _MAX_ELEMENTS))

    def make_wire(exposures: Sequence[Exposure]) -> ShortServerWire:
        secrets: Mapping[str, str] = own.get("secrets", {})
        for misfit in _check_listener(options.host, own):
            raise ContractError(f"listener {options.name}: {misfit.text}")
        for key_id, secret in secrets.items():
            _check_key(key_id, secret)
        seals = None
        if secrets:
            guard, start = ReplayGuard(lock=threading.Lock()), Start(_wall_ms(), time.monotonic())
            seals = Seals(secrets, own.get("clock_skew", _CLOCK_SKEW_S), guard, start)
        return RmiServerWire(exposures, limits, seals, _wall_ms)

    return BlockingServer(options, make_wire, own.get("workers", _WORKERS))


def _check_listener(host: str, options: Mapping[str, Any]) -> Sequence[Misfit]:
    if options.get("secrets") or _is_loopback(host):
        return ()
    where = host or "all addresses"
    text = f"beyond loopback ({where}) only with `options.secrets`: whoever reaches it could call everything"
    return [Misfit(("host",), f"rmi:// listens {text}")]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A name may mean another address tomorrow.
        return False


def _check_key(key_id: str, secret: str) -> None:
    """Raises ContractError for a key that cannot be used."""
    if not 0 < len(key_id.encode()) <= MAX_KEY_ID_BYTES:
        raise ContractError(f"the key id {key_id[:80]!r} has no bytes, or more than {MAX_KEY_ID_BYTES}")
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise ContractError(f"the secret of key {key_id!r} has less than {MIN_SECRET_BYTES} bytes")


def _client() -> ClientAdapter:
    wires: dict[tuple[int, str, str], ShortClientWire] = {}

    def wire_for(reference: Reference) -> ShortClientWire:
        own = reference.parameters
        key = (own.get("payload", _PAYLOAD_BYTES), own.get("key", _DEFAULT_KEY), own.get("secret", ""))
        if key not in wires:
            payload, key_id, secret = key
            if secret:
                _check_key(key_id, secret)
            seal = Seal(key_id, secret.encode()) if secret else None
            wires[key] = RmiClientWire(Limits(max_frame_bytes=payload), seal, _wall_ms, _nonce)
        return wires[key]

    return BlockingClient(wire_for, _short_options, "rmi-call", _THREADS)


def _short_options(reference: Reference) -> ShortOptions:
    own = reference.parameters
    return ShortOptions(
        own.get("connect_timeout", _CONNECT_TIMEOUT_S),
        min(_THREADS, reference.connections or own.get("max_connections", _MAX_CONNECTIONS)),
    )


def _snippet(address: str, service: Any) -> str:
    host, _, port = address.rpartition(":")
    call = f"RmiClient('{host}', {port}).call('{service}', 'find', 1)"
    return f'python -c "from adapters.rmi_client import RmiClient; print({call})"'


PLUGIN: Final = ProtocolPlugin(
    name="rmi",
    default_port=1099,
    server=_server,
    client=_client,
    check_contract=check_contract,
    listener_options=MappingProxyType(
        {
            "secrets": Option(
                OptionKind.CREDENTIALS,
                "Keys that callers sign with: credentials whose names are the key ids. Without any, whoever reaches "
                "the listener may call, and it must be on a loopback address.",
            ),
            "clock_skew": Option(
                OptionKind.DURATION,
                "How far the clock of a caller may differ; so long a call is remembered, to be taken once.",
                _CLOCK_SKEW_S,
                minimum=1,
                maximum=3600,
            ),
            "max_elements": Option(
                OptionKind.COUNT,
                "Elements of all containers of one message, a container counting five.",
                _MAX_ELEMENTS,
                minimum=1_000,
            ),
            "workers": Option(
                OptionKind.COUNT,
                "Threads that wait for peers whose messages do not come, or go, in one piece.",
                _WORKERS,
                minimum=1,
                maximum=1_000,
            ),
        }
    ),
    reference_options=MappingProxyType(
        {
            "secret": Option(OptionKind.CREDENTIAL, "What calls are signed with; default: they are not signed."),
            "key": Option(OptionKind.TEXT, "The id of that key at the provider.", _DEFAULT_KEY),
            "connect_timeout": Option(
                OptionKind.DURATION, "Longest time a connection may take.", _CONNECT_TIMEOUT_S, minimum=0.01, maximum=60
            ),
            "max_connections": Option(
                OptionKind.COUNT,
                f"Calls under way to one provider at the same time, of {_THREADS} to all together; further ones wait "
                "until their deadline. References to one provider share them, and the largest number counts.",
                _MAX_CONNECTIONS,
                minimum=1,
                maximum=_THREADS,
            ),
            "payload": Option(
                OptionKind.SIZE, "Largest message in either direction.", _PAYLOAD_BYTES, minimum=1024, maximum=1024**3
            ),
        }
    ),
    client_snippet=_snippet,
    check_listener=_check_listener,
    recognize=beginning_with(MAGIC),
)
