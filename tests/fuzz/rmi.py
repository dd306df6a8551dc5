"""What must hold for any bytes given to the decoders of rmi://, and bytes to start from."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Iterator

from gateway.model.call import Invocation, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ValueMappingError
from gateway.model.exposure import Exposure
from gateway.model.generic import Long
from protocols.contract import CallReceived, CallRejected, ReplyReceived
from protocols.corpus.contract import ANY, EVERYTHING, MAKER, STATUS
from protocols.reader import Limits
from protocols.rmi.client import RmiClientCodec, RmiClientWire
from protocols.rmi.frame import Kind, frame_bytes, write_head
from protocols.rmi.mapping import allowed_classes
from protocols.rmi.pickle_reader import Bounds, PickleRefused, read_pickle
from protocols.rmi.pickle_writer import write_pickle
from protocols.rmi.plain_reader import Readers
from protocols.rmi.plain_writer import Writers
from protocols.rmi.server import RmiServerWire
from protocols.rmi.walk import read_walk
from protocols.testing import CONTRACT, CORPUS, FAULTS, difference

__all__ = ["check_pickle", "check_reply", "check_server", "pickle_seeds", "reply_seeds", "server_seeds"]

# Small, so that limits are met often and no input takes long.
_BOUNDS = Bounds(elements=2_000)
_LIMITS = Limits(max_frame_bytes=1 << 20, max_elements=2_000)
_LARGEST_SEED = 2_000
_KEY = ServiceKey(CONTRACT.name)
_PEER = Peer("rmi", "127.0.0.1:1")
_SHOWN = 2_000


def pickle_seeds() -> Iterator[bytes]:
    """The values of the corpus as we and as CPython write them."""
    writers = Writers(CONTRACT)
    for case in CORPUS:
        if not isinstance(case.value, Long):
            yield from _small(pickle.dumps(case.value, protocol) for protocol in (2, 4))
        yield from _small([write_pickle(writers.compile(case.type)(case.value))])


def check_pickle(data: bytes) -> None:
    """Reads the bytes; fails unless that gives a value or a refusal, and every typed reader the same."""
    try:
        plain = read_pickle(data, _BOUNDS, _classes())
    except PickleRefused as exc:
        _check_message(exc)
        return
    readers = _readers()
    for ref in (ANY, EVERYTHING, MAKER, STATUS):
        try:
            value = readers.compile(ref)(plain, read_walk(len(data), 2_000))
        except ValueMappingError as exc:
            _check_message(exc)
            continue
        written = write_pickle(_writers().compile(ref)(value))
        again = readers.compile(ref)(read_pickle(written), read_walk(1 << 20, 1_000_000))
        differs = difference(value, again)
        assert differs is None, f"a value changed on its second way: {differs}"


def server_seeds() -> Iterator[bytes]:
    """Calls of all methods."""
    wire = _client()
    binding = wire.bind(_KEY, CONTRACT, "", "fuzz")
    methods = {each.attribute: each for each in CONTRACT.methods}
    for case in CORPUS:
        if case.large:
            continue
        signature = methods[case.method]
        invocation = Invocation(_KEY, signature.name, case.arguments, signature=signature, attachments={"a": "b"})
        yield from _small([wire.connect().call(binding, invocation, 1.0)[1]])


def check_server(data: bytes) -> None:
    """A listener's codec: whatever comes ends in a call, a refusal or the end, and every answer can be made."""
    codec = _server().accept(_PEER)
    for event in codec.receive(data, 0.0):
        if isinstance(event, CallReceived):
            event.invocation.arguments()
            if event.ticket is not None:
                assert codec.reply(event.ticket, Ok("x"))
        elif isinstance(event, CallRejected):
            _check_message(event.error)
            assert codec.reply(event.ticket, event.error)
    assert codec.pending_bytes <= len(data)


def reply_seeds() -> Iterator[bytes]:
    """Answers of all kinds."""
    for case in CORPUS:
        writer = Writers(CONTRACT).compile(case.type)
        yield from _small([_reply(write_pickle({"ok": writer(case.value), "attachments": {"a": "b"}}))])
    for fault in FAULTS:
        if not fault.fault.declared:
            said = {"fault": fault.fault.type_name, "message": fault.fault.message}
            yield from _small([_reply(write_pickle(said))])
    yield _reply(write_pickle({"error": "overloaded", "message": "m", "retry": "safe", "retry_after": 1.5}))


def check_reply(data: bytes) -> None:
    """A caller's codec: whatever comes ends in an outcome, or breaks the connection."""
    codec = _waiting()
    for event in codec.receive(data):
        assert isinstance(event, ReplyReceived)


def _check_message(error: Exception) -> None:
    assert len(str(error)) < _SHOWN, "a message repeats the data"


def _small(found: Iterator[bytes] | list[bytes]) -> Iterator[bytes]:
    return (each for each in found if len(each) <= _LARGEST_SEED)


def _reply(payload: bytes) -> bytes:
    return frame_bytes(write_head(Kind.REPLY, len(payload)), b"", [payload])


def _waiting() -> RmiClientCodec:
    wire = _client()
    signature = next(each for each in CONTRACT.methods if each.attribute == "echo_everything")
    codec = wire.connect()
    value = next(case.value for case in CORPUS if case.method == "echo_everything")
    codec.call(_binding(), Invocation(_KEY, signature.name, (value,), signature=signature), 1.0)
    return codec


@functools.cache
def _classes() -> dict[tuple[str, str], str]:
    return dict(allowed_classes(CONTRACT))


@functools.cache
def _readers() -> Readers:
    return Readers(CONTRACT)


@functools.cache
def _writers() -> Writers:
    return Writers(CONTRACT)


@functools.cache
def _server() -> RmiServerWire:
    return RmiServerWire([Exposure(_KEY, CONTRACT)], _LIMITS, None, lambda: 0)


@functools.cache
def _client() -> RmiClientWire:
    return RmiClientWire(_LIMITS, None, lambda: 0, lambda: bytes(16))


@functools.cache
def _binding() -> object:
    return _client().bind(_KEY, CONTRACT, "", "fuzz")
