"""What must hold for any bytes given to the redis:// codecs, and messages to start from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, LocalWireError, RemoteWireError, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Outcome, ReplyReceived, Send
from protocols.reader import Limits
from protocols.redis.client import RedisClientWire, RedisStyle
from protocols.redis.glob import Glob
from protocols.redis.inline import split_arguments
from protocols.redis.reply import ReplyReader
from protocols.redis.server import RedisServerCodec, RedisServerWire
from protocols.testing import CONTRACT, CORPUS, FAULTS, Case, difference

__all__ = ["check_client", "check_server", "client_seeds", "server_seeds"]

# Small, so that limits are met often and no input takes long.
_LIMITS = Limits(max_frame_bytes=1 << 16, max_depth=16, max_elements=2_000)
_LARGEST_SEED = 2_000
_SHOWN = 2_100
_KEY = ServiceKey(CONTRACT.name)
_PEER = Peer("redis", "fuzz")
_METHODS = {method.attribute: method for method in CONTRACT.methods}
_ANY = next(case for case in CORPUS if case.method == "echo_any")
_SERVERS = [
    RedisServerWire([Exposure(_KEY, CONTRACT)], _LIMITS, secrets, lambda: 1_700_000_000.0)
    for secrets in ({}, {"cache": "secret"})
]
_CLIENT = RedisClientWire(_LIMITS, RedisStyle())
_BINDING = _CLIENT.bind(_KEY, CONTRACT, "", "fuzz")
_WORDS = (b"HELLO 3", b"AUTH secret", b"CLIENT REPLY SKIP", b"MULTI", b"EXEC", b"COMMAND DOCS ping", b"INFO", b"SCAN 0")


def _call(case: Case) -> tuple[Any, bytes]:
    codec, method = _CLIENT.connect(), _METHODS[case.method]
    invocation = Invocation(_KEY, method.name, case.arguments, signature=method, attachments={"k": "v"})
    return codec, codec.call(_BINDING, invocation, 1.0)[1]


def _small() -> Iterator[tuple[Case, bytes]]:
    for case in CORPUS:
        if case.large:
            continue
        try:
            data = _call(case)[1]
        except (LocalWireError, ValueMappingError):
            continue
        if len(data) <= _LARGEST_SEED:
            yield case, data


def server_seeds() -> Iterator[bytes]:
    """Calls with the values of the corpus, and commands of clients."""
    for _, data in _small():
        yield data
    for each in _WORDS:
        yield each + b"\r\n"
        words = each.split()
        yield b"*%d\r\n%b" % (len(words), b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))


def client_seeds() -> Iterator[bytes]:
    """Answers with the values and exceptions of the corpus; all of them answer call 1."""
    for case, data in _small():
        yield from _answers(data, [Ok(case.value, {"k": "v"})])
        if case.method == "echo_nothing":
            yield from _answers(data, [each.fault for each in FAULTS] + [BadRequest("no")])


def _answers(data: bytes, outcomes: list[Any]) -> Iterator[bytes]:
    for outcome in outcomes:
        codec = _SERVERS[0].accept(_PEER)
        said = _said(codec, codec.receive(data, 0.0), outcome)
        assert not codec.is_behind
        if len(said) <= _LARGEST_SEED:
            yield said


def _said(codec: RedisServerCodec, events: Any, outcome: Outcome | None = None) -> bytes:
    """Everything a listener sends when each call is answered at once. None: calls give back what they were given."""
    said: list[bytes] = []
    waiting = list(events)
    while waiting:
        event = waiting.pop(0)
        if isinstance(event, Send):
            said.append(event.data)
            continue
        answer: Outcome
        if isinstance(event, CallRejected):
            assert len(str(event.error)) < _SHOWN, "a message repeats the data"
            answer = event.error
        else:
            assert isinstance(event, CallReceived)
            answer = _echoed(event.invocation) if outcome is None else outcome
            assert not isinstance(answer, BadRequest) or len(str(answer)) < _SHOWN, "a message repeats the data"
        if event.ticket is not None:
            said.append(codec.reply(event.ticket, answer))
            waiting = [*codec.due(), *waiting]
    return b"".join(said)


def _heard(codec: RedisServerCodec, data: bytes) -> bytes:
    """Everything that is sent back."""
    said = _said(codec, codec.receive(data, 1.0))
    while codec.is_behind:
        said += _said(codec, codec.receive(b"", 1.0))
    return said if codec.broken is None else said + codec.broken.farewell


def check_server(data: bytes) -> None:
    """A listener's codec: whatever comes ends in calls, replies or the end, and all that is said is RESP.

    In two pieces it gives the same.
    """
    for wire in _SERVERS[:1] if len(data) % 4 else _SERVERS:
        whole = wire.accept(_PEER)
        said = _heard(whole, data)
        assert whole.held_bytes == 0
        assert whole.pending_bytes <= len(data)
        _check_replies(said)
        parts = wire.accept(_PEER)
        cut = len(data) // 2
        again = _heard(parts, data[:cut])
        if parts.broken is None:
            again += _heard(parts, data[cut:])
        # The first bytes of a connection may say that it is something else, if there are enough of them.
        if data[:1] == b"*":
            assert (parts.broken is None) == (whole.broken is None), f"{parts.broken} is not {whole.broken}"
            differs = difference(_plain(said), _plain(again))
            assert differs is None, f"cut in two it is something else: {differs}"
    split_arguments(data)
    Glob(data[:64]).matches(data[64:])


def _check_replies(said: bytes) -> None:
    reader = ReplyReader(Limits())
    reader.feed(said)
    while reader.next() is not None:
        pass


def _plain(said: bytes) -> bytes:
    """Without the numbers of connections."""
    lines = said.split(b"\r\n")
    for index, line in enumerate(lines):
        if line == b"id" and index + 1 < len(lines):
            lines[index + 1] = b":N"
        if line.startswith((b"=", b"$", b"id=")):
            lines[index] = line[:1]
    return b"\r\n".join(lines)


def _echoed(invocation: Invocation) -> Outcome:
    try:
        arguments = invocation.arguments()
    except BadRequest as exc:
        return exc
    if invocation.method == "fail":
        return Fault("demo.Failed", "as asked")
    return Ok(arguments[0] if arguments else None)


def check_client(data: bytes) -> None:
    """A client's codec: any answer gives a value, an error, or the end."""
    codec, _ = _call(_ANY)
    events = codec.receive(b"%0\r\n+OK\r\n" + data)
    for event in events:
        if isinstance(event, ReplyReceived):
            assert event.call_id == 1
    assert codec.broken is None or isinstance(codec.broken, RemoteWireError)
    parts, _ = _call(_ANY)
    cut = len(data) // 2
    again = [*parts.receive(b"%0\r\n+OK\r\n" + data[:cut]), *parts.receive(data[cut:])]
    assert len(again) == len(events)
    assert (parts.broken is None) == (codec.broken is None)
