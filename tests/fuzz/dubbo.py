"""What must hold for any bytes given to the dubbo:// codecs, and frames to start from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, LocalWireError, RpcError, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, ReplyReceived
from protocols.dubbo.client import DubboClientWire
from protocols.dubbo.frame import heartbeat_request, read_only_event
from protocols.dubbo.server import DubboServerWire
from protocols.reader import Limits
from protocols.testing import CONTRACT, CORPUS, FAULTS, Case

__all__ = ["check_client", "check_server", "client_seeds", "server_seeds"]

# Small, so that limits are met often and no input takes long.
LIMITS = Limits(max_frame_bytes=1 << 16, max_depth=16, max_elements=2_000, max_name_bytes=256)
_LARGEST_SEED = 2_000
_KEY = ServiceKey(CONTRACT.name)
_PEER = Peer("dubbo", "fuzz")
_SERVERS = (
    DubboServerWire([Exposure(_KEY, CONTRACT)], LIMITS),
    DubboServerWire([Exposure(_KEY, CONTRACT, forwarded=True)], LIMITS),
    DubboServerWire([Exposure(_KEY, None, forwarded=True)], LIMITS),
)
_CLIENT = DubboClientWire(LIMITS)
_BINDING = _CLIENT.bind(_KEY, CONTRACT, "", "fuzz")
_METHODS = {method.attribute: method for method in CONTRACT.methods}


def _request(attribute: str, arguments: tuple[Any, ...]) -> tuple[Any, bytes]:
    method = _METHODS[attribute]
    codec = _CLIENT.connect()
    _, data = codec.call(_BINDING, Invocation(_KEY, method.name, arguments, signature=method), 1.0)
    return codec, data


def _small() -> Iterator[Case]:
    for case in CORPUS:
        try:
            if len(_request(case.method, case.arguments)[1]) <= _LARGEST_SEED:
                yield case
        except (LocalWireError, ValueMappingError):
            continue


def server_seeds() -> Iterator[bytes]:
    """Requests with the values of the corpus, and events."""
    yield heartbeat_request(7)
    yield read_only_event(7)
    for case in _small():
        yield _request(case.method, case.arguments)[1]


def client_seeds() -> Iterator[bytes]:
    """Answers with the values and exceptions of the corpus; all of them answer call 1."""
    outcomes: list[tuple[str, tuple[Any, ...], Ok | Fault | RpcError]] = [
        (case.method, case.arguments, Ok(case.value, {"k": "v"})) for case in _small()
    ]
    outcomes += [(case.method, ("x",), case.fault) for case in FAULTS]
    outcomes.append(("echo_string", ("x",), BadRequest("no")))
    for attribute, arguments, outcome in outcomes:
        _, data = _request(attribute, arguments)
        codec = _SERVERS[0].accept(_PEER)
        event = codec.receive(data, 0.0)[0]
        assert isinstance(event, CallReceived)
        reply = codec.reply(event.ticket, outcome)
        if len(reply) <= _LARGEST_SEED:
            yield reply


def check_server(data: bytes) -> None:
    """Feeds the bytes to servers that host, forward and know no contract; every call is decoded and answered."""
    for wire in _SERVERS:
        codec = wire.accept(_PEER)
        for event in codec.receive(data, 1.0):
            if isinstance(event, CallRejected):
                if event.ticket is not None:
                    assert codec.reply(event.ticket, event.error)
            elif isinstance(event, CallReceived):
                outcome: Ok | RpcError = Ok(None)
                try:
                    event.invocation.arguments()
                except BadRequest as exc:
                    outcome = exc
                if event.ticket is not None:
                    assert codec.reply(event.ticket, outcome)
        assert codec.pending_bytes <= len(data)
        if codec.broken is not None:
            assert len(str(codec.broken)) < 2_000, "a message repeats the data"


def check_client(data: bytes) -> None:
    """Feeds the bytes to a client that waits for a typed answer, and to one that forwards it."""
    for attribute in ("echo_everything", "fail_declared"):
        method = _METHODS[attribute]
        codec = _CLIENT.connect()
        value = None if attribute == "echo_everything" else "x"
        if attribute == "echo_everything":
            value = next(case.value for case in CORPUS if case.method == attribute)
        codec.call(_BINDING, Invocation(_KEY, method.name, (value,), signature=method), 1.0)
        for event in codec.receive(data):
            if isinstance(event, ReplyReceived) and isinstance(event.outcome, RpcError):
                assert len(str(event.outcome)) < 20_000, "a message repeats the data"
