"""The client's half of a redis:// connection to another gateway: every method of its services, by `WITH … -- command`.

The first call on a connection is preceded by `HELLO 3`, with credentials where there are some, and `CLIENT CAPA
polyport`, so that attachments of answers and the end of the listener are said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from gateway.model.call import NO_ATTACHMENTS, Attachments, Invocation, Ok
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    ContractError,
    LocalWireError,
    ProviderFailed,
    RemoteWireError,
    Retry,
    Unauthenticated,
    ValueMappingError,
    restated,
)
from protocols.contract import ClientEvent, Drain, Outcome, ReplyReceived
from protocols.http_json.problem import ExceptionForms
from protocols.reader import Limits
from protocols.redis.any_reader import text_of
from protocols.redis.context import words_of_call
from protocols.redis.error_line import read_error_line
from protocols.redis.mapping import check_contract
from protocols.redis.reader import ReplyReaders
from protocols.redis.reply import ErrorReply, Push, ReplyReader, Simple
from protocols.texts.value import TextWriter, TextWriters

__all__ = ["RedisClientWire", "RedisStyle"]

_DRAIN: Final = "polyport-drain"
_NOBODY: Final = ProviderFailed("a reply that nobody waits for")
_PING: Final = b"*1\r\n$4\r\nPING\r\n"


class RedisStyle(NamedTuple):
    """How another gateway wants to be spoken to. `password`: a secret it asks for, or empty. `pipelined`: calls that
    may wait for their answers on one connection."""

    user: str = ""
    password: str = ""
    pipelined: int = 1_024


class _Method:
    """One method. `name`: as it is called."""

    __slots__ = ("_writers", "contract", "forms", "name", "read")

    def __init__(
        self,
        name: str,
        contract: MethodContract,
        writers: TextWriters,
        read: Callable[[Any], Any],
        forms: ExceptionForms,
    ) -> None:
        self.name: Final = name.encode()
        self.contract: Final = contract
        self.read: Final = read
        self.forms: Final = forms
        self._writers: Final[Sequence[TextWriter]] = [writers.compile(each.type) for each in contract.params]

    def words(self, values: Sequence[Any]) -> tuple[list[bytes], list[int]]:
        """The arguments, and which of them are nulls. Raises `ValueMappingError` with the place."""
        words: list[bytes] = []
        nulls: list[int] = []
        for at, (write, value) in enumerate(zip(self._writers, values, strict=True)):
            try:
                written = write(value)
            except ValueMappingError as exc:
                raise exc.within(f"args[{at}]") from None
            if written is None:
                nulls.append(at)
            words.append(written or b"")
        return words, nulls


class RedisBinding:
    """What calls of one reference have in common."""

    __slots__ = ("application", "methods", "token")

    def __init__(self, methods: dict[str, _Method], token: str, application: str) -> None:
        self.methods: Final = methods
        self.token: Final = token
        self.application: Final = application


class _Waiting(NamedTuple):
    """A reply that is to come. `method`: None for one of the connection itself."""

    call_id: int
    method: _Method | None
    greets: bool = False


class RedisClientWire:
    """See `protocols.contract.ClientWire`."""

    def __init__(self, limits: Limits, style: RedisStyle) -> None:
        self.limits: Final = limits
        self.style: Final = style

    def bind(
        self, service: ServiceKey, contract: ServiceContract | None, token: str, application: str, path: str = ""
    ) -> RedisBinding:
        """See `ClientWire.bind`."""
        if contract is None:
            raise ContractError(f"{service}: redis:// carries no service without a contract")
        if findings := check_contract(contract):
            raise ContractError("; ".join(findings))
        writers, readers, forms = TextWriters(contract), ReplyReaders(contract), ExceptionForms(contract)
        methods = {
            each.attribute: _Method(f"{service}.{each.attribute}", each, writers, readers.compile(each.returns), forms)
            for each in contract.methods
        }
        return RedisBinding(methods, token, application)

    def connect(self) -> RedisClientCodec:
        """See `ClientWire.connect`."""
        return RedisClientCodec(self)


class RedisClientCodec:
    """See `protocols.contract.ClientCodec`."""

    __slots__ = ("_abandoned", "_has_greeted", "_next_id", "_reader", "_waiting", "_wire", "broken",
                 "max_in_flight")  # fmt: skip

    def __init__(self, wire: RedisClientWire) -> None:
        self._wire = wire
        self._reader = ReplyReader(wire.limits)
        self._waiting: deque[_Waiting] = deque()
        self._abandoned: set[int] = set()
        self._next_id = 0
        self._has_greeted = False
        self.max_in_flight = wire.style.pipelined
        self.broken: RemoteWireError | None = None

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        """See `ClientCodec.call`."""
        assert isinstance(binding, RedisBinding)
        signature = invocation.signature
        if signature is None:
            raise ValueMappingError(f"redis:// carries no call without a contract, such as {invocation.method}")
        method = binding.methods[signature.attribute]
        words, nulls = method.words(invocation.arguments())
        beside = words_of_call(invocation, binding.token, binding.application, timeout_s, nulls)
        data = _command([*beside, method.name, *words])
        if len(data) > self._wire.limits.max_frame_bytes:
            raise LocalWireError(f"the call of {len(data)} bytes exceeds {self._wire.limits.max_frame_bytes}")
        self._next_id += 1
        call_id = -1 if invocation.oneway else self._next_id
        if not self._has_greeted:
            data = self._greeting() + data
        self._waiting.append(_Waiting(call_id, method))
        return call_id, data

    def _greeting(self) -> bytes:
        self._has_greeted = True
        style = self._wire.style
        hello = [b"HELLO", b"3"]
        if style.password:
            hello += (b"AUTH", (style.user or "default").encode(), style.password.encode())
        self._waiting.append(_Waiting(-1, None, greets=True))
        self._waiting.append(_Waiting(-1, None))
        return _command(hello) + _command([b"CLIENT", b"CAPA", b"polyport"])

    def abandon(self, call_id: int) -> None:
        """See `ClientCodec.abandon`."""
        if any(each.call_id == call_id for each in self._waiting):
            self._abandoned.add(call_id)

    def receive(self, data: bytes) -> Sequence[ClientEvent]:
        """See `ClientCodec.receive`."""
        events: list[ClientEvent] = []
        if self.broken is not None:
            return events
        reader = self._reader
        reader.feed(data)
        try:
            while (reply := reader.next()) is not None:
                if type(reply.value) is Push:
                    if reply.value and reply.value[0] == _DRAIN:
                        events.append(Drain(True, leave=True))
                    continue
                if not self._waiting:
                    raise RemoteWireError("a reply that nothing was asked for", reason="malformed")
                self._reply(self._waiting.popleft(), reply.value, reply.attributes, events)
        except RemoteWireError as exc:
            self.broken = exc
        return events

    def _reply(
        self, waiting: _Waiting, value: Any, attributes: list[tuple[Any, Any]], events: list[ClientEvent]
    ) -> None:
        call_id, method, greets = waiting
        if method is None:
            if greets and type(value) is ErrorReply:
                self._greeted(value, events)
            return
        if call_id < 0:
            return
        if call_id in self._abandoned:
            self._abandoned.discard(call_id)
            events.append(ReplyReceived(call_id, _NOBODY))
            return
        events.append(ReplyReceived(call_id, _outcome(method, value, attributes)))

    def _greeted(self, value: ErrorReply, events: list[ClientEvent]) -> None:
        said = read_error_line(value, ExceptionForms(None))
        if isinstance(said, Unauthenticated):
            # Calls of strangers lose the connection, and none of those that were sent along is made.
            events += [
                ReplyReceived(each.call_id, restated(said, str(said))) for each in self._waiting if each.call_id >= 0
            ]
            raise RemoteWireError(str(said), reason="unauthenticated")
        raise RemoteWireError(f"the provider does not speak RESP3: {said}", reason="malformed")

    def ping(self) -> bytes:
        """See `ClientCodec.ping`."""
        if not self._has_greeted or self._waiting:
            # What waits for answers already asks.
            return b""
        self._waiting.append(_Waiting(-1, None))
        return _PING


def _outcome(method: _Method, value: Any, attributes: list[tuple[Any, Any]]) -> Outcome:
    attachments: Attachments = NO_ATTACHMENTS
    try:
        if attributes:
            attachments = {_text(key): _text(item) for key, item in attributes}
        if type(value) is ErrorReply:
            return read_error_line(value, method.forms, attachments)
        return Ok(method.read(value), attachments)
    except ValueMappingError as exc:
        name = method.contract.name
        text = f"the answer to {name} does not fit its contract: {exc.within('result')}"
        return ProviderFailed(text, retry=Retry.NEVER)


def _text(value: Any) -> str:
    if type(value) is bytes:
        return text_of(value)
    if type(value) is Simple:
        return str(value)
    raise ValueMappingError("an attribute whose keys and values are no texts")


def _command(words: Sequence[bytes]) -> bytes:
    return b"*%d\r\n%b" % (len(words), b"".join([b"$%d\r\n%b\r\n" % (len(each), each) for each in words]))
