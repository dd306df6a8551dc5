"""The client's half of a memcached:// connection to another gateway: every call a `set` that runs it and a `get`."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from gateway.model.call import Invocation, Ok
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    ContractError,
    LocalWireError,
    ProviderFailed,
    RemoteWireError,
    Retry,
    Unauthenticated,
    ValueMappingError,
)
from protocols.contract import ClientEvent, Drain, Outcome, ReplyReceived
from protocols.memcached.block import read_answer, write_block
from protocols.memcached.failure import read_trouble
from protocols.memcached.form import HEAD
from protocols.memcached.method import BlockMethod, BlockService
from protocols.memcached.slot import STORED
from protocols.memcached.word import MAX_KEY_BYTES, read_u32, read_u64

__all__ = ["ClientStyle", "MemcachedBinding", "MemcachedClientCodec", "MemcachedClientWire"]

_MAX_ID: Final = (1 << 31) - 1
_ID_BYTES: Final = 28
"""Of an id in a key: who makes it, and the number of the call."""
_TAIL: Final = b"\r\nEND\r\n"
_STRANGERS: Final = (
    b"CLIENT_ERROR unauthenticated",
    b"CLIENT_ERROR bad authentication token format",
    b"CLIENT_ERROR authentication failure",
)
"""What memcached says to who has not said who they are (proto_text.c, `process_auth_command`)."""
_PRINTABLE: Final = "!\"$&'*+,/:;<=>?@[\\]^`{|}~"


@dataclass(frozen=True, slots=True)
class ClientStyle:
    """How a provider is spoken to.

    `max_value_bytes`: of one call or answer. `pipelined`: calls that may wait for their answers on one connection.
    `user`, `password`: what is said first; nothing without a user.
    """

    max_value_bytes: int = 8_388_608
    pipelined: int = 1_024
    user: str = ""
    password: str = ""


class MemcachedBinding:
    """What calls of one reference have in common. `keys`: of each method, up to the number of the call."""

    __slots__ = ("application", "keys", "service", "token")

    def __init__(self, service: BlockService, name: str, token: str, application: str) -> None:
        self.service: Final = service
        self.token: Final = token
        self.application: Final = application
        self.keys: Final[dict[str, bytes]] = {}
        for method in service.contract.methods:
            key = quote(f"{name}.{method.attribute}", safe=_PRINTABLE).encode()
            if len(key) + 1 + _ID_BYTES > MAX_KEY_BYTES:
                raise ContractError(f"{method.attribute}: with its service's name it is too long for a key")
            self.keys[method.attribute] = key


class MemcachedClientWire:
    """See `protocols.contract.ClientWire`. `make_id`: a text of 16 letters that no other connection has."""

    def __init__(self, style: ClientStyle, make_id: Callable[[], str] = lambda: secrets.token_hex(8)) -> None:
        self.style: Final = style
        self.make_id: Final = make_id
        self._services: dict[int, tuple[ServiceContract, BlockService]] = {}

    def bind(
        self, service: ServiceKey, contract: ServiceContract | None, token: str, application: str, path: str = ""
    ) -> MemcachedBinding:
        """See `ClientWire.bind`."""
        if contract is None:
            raise ContractError(f"{service}: memcached:// carries no service without a contract")
        known = self._services.get(id(contract))
        if known is None:
            # The contract is kept, so that its id stays its own.
            known = self._services[id(contract)] = (contract, BlockService(contract))
        return MemcachedBinding(known[1], str(service), token, application)

    def connect(self) -> MemcachedClientCodec:
        """See `ClientWire.connect`."""
        return MemcachedClientCodec(self)


class MemcachedClientCodec:
    """See `protocols.contract.ClientCodec`. Answers come in the order of the calls."""

    __slots__ = ("_held", "_id", "_is_greeted", "_next_id", "_waiting", "_wanted", "_wire", "broken", "max_in_flight")

    def __init__(self, wire: MemcachedClientWire) -> None:
        self._wire = wire
        self._id = wire.make_id().encode()
        self._next_id = 0
        self._held = bytearray()
        self._wanted = 0
        """Bytes that must be held before it is worth looking again."""
        self._waiting: deque[tuple[int, BlockMethod | None]] = deque()
        """Calls whose answers have not come. None: the password."""
        self._is_greeted = not wire.style.user
        self.max_in_flight = wire.style.pipelined
        self.broken: RemoteWireError | None = None

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        """See `ClientCodec.call`."""
        assert isinstance(binding, MemcachedBinding)
        signature, style = invocation.signature, self._wire.style
        if signature is None:
            raise ValueMappingError("memcached:// carries no call without a contract")
        method = binding.service.of(signature)
        parts = method.write_arguments(invocation.arguments())
        block = write_block(parts, invocation, binding.token, binding.application, timeout_s)
        if len(block) > style.max_value_bytes:
            raise LocalWireError(f"the call of {len(block)} bytes exceeds {style.max_value_bytes}")
        call_id = self._next_id + 1 if self._next_id < _MAX_ID else 1
        key = b"%b#%b-%x" % (binding.keys[signature.attribute], self._id, call_id)
        data = b"set %b 0 0 %d noreply\r\n%b\r\n" % (key, len(block), block)
        if not self._is_greeted:
            self._is_greeted = True
            said = f"{style.user} {style.password}".encode()
            data = b"set auth 0 0 %d\r\n%b\r\n%b" % (len(said), said, data)
            self._waiting.append((-1, None))
        if invocation.oneway:
            return -1, data
        self._next_id = call_id
        self._waiting.append((call_id, method))
        return call_id, b"%bget %b\r\n" % (data, key)

    def abandon(self, call_id: int) -> None:
        """See `ClientCodec.abandon`: its answer comes all the same, in its turn."""

    def receive(self, data: bytes) -> Sequence[ClientEvent]:
        """See `ClientCodec.receive`."""
        if self.broken is not None:
            return ()
        if self._held:
            self._held += data
            # A line without an end, or a value that is not whole, is not looked through again.
            if len(self._held) < self._wanted or (not self._wanted and b"\n" not in data):
                self._check_length()
                return ()
            data = bytes(self._held)
            self._held.clear()
        events: list[ClientEvent] = []
        try:
            self._read(data, events)
        except RemoteWireError as exc:
            self.broken = exc
        return events

    def _read(self, data: bytes, events: list[ClientEvent]) -> None:
        at, end = 0, len(data)
        self._wanted = 0
        while at < end:
            newline = data.find(b"\n", at)
            if newline < 0:
                break
            line = data[at:newline].removesuffix(b"\r")
            start = newline + 1
            if not self._waiting:
                raise RemoteWireError("an answer that no call waits for", reason="malformed")
            call_id, method = self._waiting[0]
            if line.startswith(b"VALUE "):
                flags, size = _value_of(line, self._wire.style.max_value_bytes)
                tail = start + size + len(_TAIL)
                if tail > end:
                    self._wanted = tail - at
                    break
                if data[tail - len(_TAIL) : tail] != _TAIL:
                    raise RemoteWireError("a value without its end", reason="malformed")
                self._answer(call_id, method, flags, data[start : start + size], events)
                at = tail
            else:
                self._line(call_id, method, line, events)
                at = start
            self._waiting.popleft()
        if at < end:
            self._held += data[at:]
            self._check_length()

    def _check_length(self) -> None:
        # Exceptions stand in lines, and have values with them.
        if not self._wanted and len(self._held) > self._wire.style.max_value_bytes:
            self.broken = RemoteWireError("a line without an end", reason="frame-too-large")

    def _answer(
        self, call_id: int, method: BlockMethod | None, flags: int, data: bytes, events: list[ClientEvent]
    ) -> None:
        if method is None:
            raise RemoteWireError("a value for a password", reason="malformed")
        outcome: Outcome
        drain = False
        try:
            if flags == HEAD:
                head, data = read_answer(data)
                drain = head.drain
                outcome = Ok(method.read_result(head.flags, data), head.attachments)
            else:
                outcome = Ok(method.read_result(flags, data))
        except ValueMappingError as exc:
            name = method.signature.name
            outcome = ProviderFailed(f"the answer to {name} does not fit its contract: {exc}", retry=Retry.NEVER)
        events.append(ReplyReceived(call_id, outcome))
        if drain:
            events.append(Drain(True, leave=True))

    def _line(self, call_id: int, method: BlockMethod | None, line: bytes, events: list[ClientEvent]) -> None:
        if line.startswith(_STRANGERS) or (method is None and line + b"\r\n" != STORED):
            # None of the calls that were sent along is made, and how many lines say so is not known.
            why = (
                "the server wants to know who calls" if method is not None else "the server does not take the password"
            )
            events += [ReplyReceived(each, Unauthenticated(why)) for each, made in self._waiting if made is not None]
            raise RemoteWireError(why, reason="unauthenticated")
        if method is None:
            return
        outcome: Outcome
        if line == b"END":
            # As a memcached says that has never heard of calls.
            outcome = ProviderFailed("the server has no answer to a call; it may be no gateway")
        else:
            outcome = read_trouble(line, method.forms)
        events.append(ReplyReceived(call_id, outcome))

    def ping(self) -> bytes:
        """Nothing: a command would wait behind the calls whose answers are late."""
        return b""


def _value_of(line: bytes, most: int) -> tuple[int, int]:
    """The flags and the size in a line `VALUE <key> <flags> <bytes>`. Raises RemoteWireError."""
    words = line.split(b" ")
    flags = read_u32(words[2]) if len(words) == 4 else None
    size = read_u64(words[3]) if len(words) == 4 else None
    if flags is None or size is None:
        raise RemoteWireError("a VALUE line that cannot be read", reason="malformed")
    if size > most:
        raise RemoteWireError(f"an answer of {size} bytes exceeds {most}", reason="frame-too-large")
    return flags, size
