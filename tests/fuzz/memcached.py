"""What must hold for any bytes given to the memcached:// codecs, and messages to start from."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from gateway.contracts import contract_of
from gateway.demo.store import Entry, Store
from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, LocalWireError, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Drain, Outcome, ReplyReceived, Send
from protocols.memcached.client import ClientStyle, MemcachedClientWire
from protocols.memcached.server import MemcachedServerCodec, MemcachedServerWire, ServerStyle
from protocols.testing import CONTRACT, CORPUS, FAULTS, Case, describe_event, difference
from protocols.texts.mount_entry import parse_entry

__all__ = ["check_client", "check_server", "client_seeds", "server_seeds"]

_LARGEST_SEED = 2_000
_SHOWN = 2_100
_KEY, _STORE = ServiceKey(CONTRACT.name), ServiceKey("demo.Store")
_PEER = Peer("memcached", "fuzz:1")
_VERBS = {
    "get": "get", "gets": "entry", "set": "set", "add": "add", "replace": "replace", "cas": "swap", "append": "append",
    "prepend": "prepend", "delete": "delete", "incr": "increment", "expire": "expire", "ttl": "ttl NotStored=miss",
    "flush": "clear",
}  # fmt: skip
_MOUNTS = MappingProxyType({"mounts": {"s:": {verb: parse_entry(text) for verb, text in _VERBS.items()}}})
_EXPOSURES = [Exposure(_KEY, CONTRACT), Exposure(_STORE, contract_of(Store), options=_MOUNTS)]
# Small, so that limits are met often.
_STYLE = ServerStyle(max_keys=20, max_value_bytes=1 << 14, max_answers=4, answer_bytes=1 << 16)
_SERVER = MemcachedServerWire(_EXPOSURES, _STYLE, lambda: 1.0, lambda: 1e9)
_CLIENT = MemcachedClientWire(ClientStyle(max_value_bytes=1 << 16), lambda: "0123456789abcdef")
_METHODS = {method.attribute: method for method in CONTRACT.methods}
_RESULTS: dict[str, Any] = {
    "get": b"v", "entry": Entry(b"v", 7, 1), "add": True, "replace": False, "swap": None, "append": 2, "prepend": None,
    "delete": True, "increment": 3, "expire": True,
}  # fmt: skip
_LINES = (
    b"get s:a\r\n", b"gets s:a s:b demo.Types.echo_i32(1)\r\n", b"gat 5 s:a\r\n", b"set s:a 1 2 3\r\nabc\r\n",
    b"cas s:a 0 0 1 7 noreply\r\nx\r\n", b"append s:a 0 0 1\r\nx\r\n", b"delete s:a noreply\r\n", b"incr s:a 5\r\n",
    b"touch s:a 0\r\n",
    b"flush_all\r\nversion\r\nstats settings\r\nverbosity 1\r\n", b"mn\r\nme s:a\r\n",
    b"mg s:a v f t s k c Oabc q T9\r\n", b"ms s:a 2 T0 F1 c k MS\r\nhi\r\n", b"ms czph 2 b C7\r\nhi\r\n",
    b"md s:a q\r\n",
    b"ma s:a D3 MD v t\r\n", b"quit\r\n", b'get demo.Types.echo_string("%C3%A9")\r\n',
    b'set demo.Types.echo_i32#1 0 0 13\r\n{"args": [1]}\r\nget demo.Types.echo_i32#1\r\n',
)  # fmt: skip


def _call(case: Case) -> bytes:
    binding, method = _CLIENT.bind(_KEY, CONTRACT, "", "fuzz"), _METHODS[case.method]
    invocation = Invocation(_KEY, method.name, case.arguments, signature=method, attachments={"k": "v"})
    return _CLIENT.connect().call(binding, invocation, 1.0)[1]


def _small() -> Iterator[tuple[Case, bytes]]:
    for case in CORPUS:
        if case.large:
            continue
        try:
            data = _call(case)
        except (LocalWireError, ValueMappingError):
            continue
        if len(data) <= _LARGEST_SEED:
            yield case, data


def server_seeds() -> Iterator[bytes]:
    """Commands of every kind, and calls with the values of the corpus."""
    yield from _LINES
    yield b"".join(_LINES)
    for _, data in _small():
        yield data


def client_seeds() -> Iterator[bytes]:
    """Answers with the values and exceptions of the corpus."""
    for case, data in _small():
        outcomes: list[Outcome] = [Ok(case.value, {"k": "v"}), Ok(case.value)]
        if case.method == "echo_nothing":
            outcomes += [*(each.fault for each in FAULTS), BadRequest("no")]
        for outcome in outcomes:
            codec = _SERVER.accept(_PEER)
            (event,) = codec.receive(data, 0.0)
            if isinstance(event, CallReceived):
                answer = codec.reply(event.ticket, outcome)
                if len(answer) <= _LARGEST_SEED:
                    yield answer


def check_server(data: bytes) -> None:
    """A listener's codec: whatever comes ends in calls, answers or the end, and everything is answered in order.

    In two pieces it gives the same.
    """
    whole = _SERVER.accept(_PEER)
    events = _received(whole, data)
    for event in events:
        if isinstance(event, CallRejected) and event.ticket is not None:
            _answer(whole, event.ticket, event.error)
            assert len(str(event.error)) < _SHOWN, "a message repeats the data"
        elif isinstance(event, CallReceived) and event.ticket is not None:
            _answer(whole, event.ticket, _echoed(event.invocation))
    assert whole.pending_bytes <= len(data) + 1
    assert whole.held_bytes == 0
    assert not whole._leaving.slots, "a command is not answered"
    parts = _SERVER.accept(_PEER)
    cut = len(data) // 2
    again = [*_received(parts, data[:cut]), *_received(parts, data[cut:])]
    assert (parts.broken is None) == (whole.broken is None), f"{parts.broken} is not {whole.broken}"
    differs = difference(*([_described(each) for each in all] for all in (_kept(events), _kept(again))))
    assert differs is None, f"cut in two it is something else: {differs}"


def _received(codec: MemcachedServerCodec, data: bytes) -> list[Any]:
    """The events of all steps."""
    events = list(codec.receive(data, 1.0))
    while codec.is_behind:
        events += codec.receive(b"", 1.0)
    return events


def _kept(events: list[Any]) -> list[Any]:
    """Without the answers of `stats`, which count the bytes that were read, nor what was fetched meanwhile."""
    return [each for each in events if not isinstance(each, Send)]


def _answer(codec: MemcachedServerCodec, ticket: Any, outcome: Outcome) -> None:
    answer = codec.reply(ticket, outcome)
    assert not answer or answer.endswith(b"\r\n")


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
    if invocation.service == _STORE:
        return Ok(_RESULTS.get(invocation.method))
    if invocation.method.startswith("fail"):
        return Fault("demo.TypesFailure", None, {"code": 1}, declared=True)
    return Ok(arguments[0] if arguments else None)


_ASKED: list[tuple[str, Any]] = [
    ("echo_everything", next(case.value for case in CORPUS if case.name == "everything/defaults")),
    ("echo_any", None),
    ("fail_declared", "x"),
]


def check_client(data: bytes) -> None:
    """A caller's codec: whatever comes ends in outcomes that can be read, or breaks the connection."""
    codec, binding = _CLIENT.connect(), _CLIENT.bind(_KEY, CONTRACT, "", "fuzz")
    for name, argument in _ASKED:
        method = _METHODS[name]
        codec.call(binding, Invocation(_KEY, method.name, (argument,), signature=method), None)
    for event in codec.receive(data):
        assert isinstance(event, ReplyReceived | Drain)
