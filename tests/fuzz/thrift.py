"""What must hold for any bytes given to the thrift:// codecs, and messages to start from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, LocalWireError, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Outcome, ReplyReceived
from protocols.reader import Limits
from protocols.testing import CONTRACT, CORPUS, FAULTS, AtMoment, Case, describe_event, difference
from protocols.thrift.client import ThriftClientWire, ThriftStyle
from protocols.thrift.server import ThriftServerWire
from protocols.thrift.variant import ENCODINGS, Transport, Variant

__all__ = ["check_client", "check_server", "client_seeds", "server_seeds"]

# Small, so that limits are met often and no input takes long.
_LIMITS = Limits(max_frame_bytes=1 << 16, max_depth=16, max_elements=2_000, max_name_bytes=256)
_LARGEST_SEED = 2_000
_SHOWN = 2_100
_KEY = ServiceKey(CONTRACT.name)
_PEER = Peer("thrift", "fuzz")
_SERVER = ThriftServerWire([Exposure(_KEY, CONTRACT)], _LIMITS)
_METHODS = {method.attribute: method for method in CONTRACT.methods}
_VARIANTS = [
    *(Variant(each, transport) for each in ENCODINGS.values() for transport in (Transport.FRAMED, Transport.BUFFERED)),
    *(Variant(ENCODINGS[each], Transport.HEADER) for each in ("binary", "compact")),
    Variant(ENCODINGS["binary"], Transport.DUBBO),
]
_CLIENTS = [ThriftClientWire(_LIMITS, ThriftStyle(each)) for each in _VARIANTS]


def _call(wire: ThriftClientWire, case: Case) -> tuple[Any, bytes]:
    codec, method = wire.connect(), _METHODS[case.method]
    binding = wire.bind(_KEY, CONTRACT, "", "fuzz")
    attachments = {} if wire.style.variant.transport is Transport.DUBBO else {"k": "v"}
    invocation = Invocation(_KEY, method.name, case.arguments, signature=method, attachments=attachments)
    return codec, codec.call(binding, invocation, 1.0)[1]


def _small() -> Iterator[tuple[ThriftClientWire, Case, bytes]]:
    for wire in _CLIENTS:
        for case in CORPUS:
            if case.large:
                continue
            try:
                data = _call(wire, case)[1]
            except (LocalWireError, ValueMappingError):
                continue
            if len(data) <= _LARGEST_SEED:
                yield wire, case, data


def server_seeds() -> Iterator[bytes]:
    """Calls with the values of the corpus, in every encoding and transport."""
    for _, _, data in _small():
        yield data


def client_seeds() -> Iterator[bytes]:
    """Answers with the values and exceptions of the corpus; all of them answer call 1."""
    for wire, case, data in _small():
        yield from _answers(wire, data, [Ok(case.value, {"k": "v"})])
        if case.method == "echo_nothing":
            yield from _answers(wire, data, [each.fault for each in FAULTS] + [BadRequest("no")])


def _answers(wire: ThriftClientWire, data: bytes, outcomes: list[Any]) -> Iterator[bytes]:
    for outcome in outcomes:
        codec = _SERVER.accept(_PEER)
        (event,) = codec.receive(data, 0.0)
        if isinstance(event, CallReceived):
            answer = codec.reply(event.ticket, outcome)
            if len(answer) <= _LARGEST_SEED:
                yield answer


def check_server(data: bytes) -> None:
    """A listener's codec: whatever comes ends in a call, a refusal or the end, and every answer can be made.

    In two pieces it gives the same.
    """
    whole = _SERVER.accept(_PEER)
    events = list(whole.receive(data, 1.0))
    for event in events:
        ticket: Any = None
        outcome: Outcome = Ok(None)
        if isinstance(event, CallRejected):
            ticket, outcome = event.ticket, event.error
            assert len(str(event.error)) < _SHOWN, "a message repeats the data"
        elif isinstance(event, CallReceived):
            ticket, outcome = event.ticket, _echoed(event.invocation)
            assert not isinstance(outcome, BadRequest) or len(str(outcome)) < _SHOWN, "a message repeats the data"
        if ticket is not None:
            assert whole.reply(ticket, outcome)
    assert whole.pending_bytes <= len(data)
    assert whole.held_bytes == 0
    parts = AtMoment(_SERVER.accept(_PEER), 1.0)
    cut = len(data) // 2
    again = [*parts.receive(data[:cut]), *parts.receive(data[cut:])]
    assert (parts.broken is None) == (whole.broken is None), f"{parts.broken} is not {whole.broken}"
    differs = difference([_described(each) for each in events], [_described(each) for each in again])
    assert differs is None, f"cut in two it is something else: {differs}"


def _described(event: Any) -> Any:
    try:
        return describe_event(event)
    except BadRequest as exc:
        return ("unreadable", event.ticket is None, str(exc)[:_SHOWN])


def _echoed(invocation: Invocation) -> Outcome:
    try:
        arguments = invocation.arguments()
    except BadRequest as exc:
        return exc
    if invocation.method.startswith("fail"):
        return Fault("demo.TypesFailure", None, {"code": 1}, declared=True)
    return Ok(arguments[0] if arguments else None)


def check_client(data: bytes) -> None:
    """A caller's codec: whatever comes ends in an outcome that can be read, or breaks the connection."""
    for at, wire in enumerate(_CLIENTS):
        name, argument = _ASKED[(at + len(data)) % len(_ASKED)]
        codec, method = wire.connect(), _METHODS[name]
        binding = wire.bind(_KEY, CONTRACT, "", "fuzz")
        codec.call(binding, Invocation(_KEY, method.name, (argument,), signature=method), None)
        for event in codec.receive(data):
            assert isinstance(event, ReplyReceived)


_ASKED: list[tuple[str, Any]] = [
    ("echo_everything", next(case.value for case in CORPUS if case.name == "everything/defaults")),
    ("echo_any", None),
    ("fail_declared", "x"),
]
