"""The client's half of a thrift:// connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.model.call import Invocation
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    ContractError,
    LocalWireError,
    ProviderFailed,
    RemoteWireError,
    Retry,
    ValueMappingError,
)
from protocols import java
from protocols.contract import ClientEvent, Drain, Outcome, ReplyReceived
from protocols.reader import Limits
from protocols.thrift import wire
from protocols.thrift.application_error import read_error
from protocols.thrift.context import DRAIN, NO_PAIRS, Pairs, pairs_of_call
from protocols.thrift.errors import ThriftError
from protocols.thrift.frame import framed
from protocols.thrift.header import (
    DUBBO_MAGIC,
    HEADER_MAGIC,
    DubboHead,
    HeaderHead,
    read_dubbo,
    read_header,
    write_dubbo,
    write_header,
)
from protocols.thrift.service import MethodForm, ServiceForm
from protocols.thrift.variant import Transport, Variant

__all__ = ["ThriftBinding", "ThriftClientCodec", "ThriftClientWire", "ThriftStyle"]

_MAX_ID: Final = (1 << 31) - 1
_JAVA_SUFFIX: Final = "$Iface"


@dataclass(frozen=True, slots=True)
class ThriftStyle:
    """How a provider wants to be spoken to.

    `service`: the name of its services in front of methods; None for the service key, empty for none at all.
    `context`: send what goes beside a call (`protocols.thrift.context`). `pipelined`: calls that may wait for their
    answers on one connection.
    """

    variant: Variant
    service: str | None = None
    context: bool = True
    pipelined: int = 1_024


class ThriftBinding:
    """What calls of one reference have in common."""

    __slots__ = ("application", "form", "prefix", "service", "token")

    def __init__(self, service: str, form: ServiceForm, token: str, application: str, style: ThriftStyle) -> None:
        self.form: Final = form
        self.token: Final = token
        self.application: Final = application
        self.service: Final = service.encode()
        plain = not service or style.variant.transport.is_dubbo
        self.prefix: Final = b"" if plain else service.encode() + b":"


class ThriftClientWire:
    """See `protocols.contract.ClientWire`."""

    def __init__(self, limits: Limits, style: ThriftStyle) -> None:
        self.limits: Final = limits
        self.style: Final = style
        self._forms: dict[int, tuple[ServiceContract, ServiceForm]] = {}

    def bind(
        self, service: ServiceKey, contract: ServiceContract | None, token: str, application: str, path: str = ""
    ) -> ThriftBinding:
        """See `ClientWire.bind`."""
        if contract is None:
            raise ContractError(f"{service}: thrift:// carries no service without a contract")
        known = self._forms.get(id(contract))
        if known is None:
            # The contract is kept, so that its id stays its own.
            known = self._forms[id(contract)] = (contract, ServiceForm(contract))
        name = self.style.service
        if name is None:
            name = str(service)
            if self.style.variant.transport.is_dubbo:
                name = java.interface_name(contract) if service.interface == contract.name else service.interface
                name = name if "$" in name else name + _JAVA_SUFFIX
        return ThriftBinding(name, known[1], token, application, self.style)

    def connect(self) -> ThriftClientCodec:
        """See `ClientWire.connect`."""
        return ThriftClientCodec(self)


class ThriftClientCodec:
    """See `protocols.contract.ClientCodec`."""

    __slots__ = ("_encoding", "_expected", "_next_id", "_splitter", "_transport", "_wire", "broken", "max_in_flight")

    def __init__(self, wire: ThriftClientWire) -> None:
        self._wire = wire
        variant = wire.style.variant
        self._encoding, self._transport = variant
        self._splitter = variant.splitter(wire.limits)
        self._expected: dict[int, MethodForm] = {}
        self._next_id = 0
        self.max_in_flight = wire.style.pipelined
        self.broken: RemoteWireError | None = None

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        """See `ClientCodec.call`."""
        assert isinstance(binding, ThriftBinding)
        signature = invocation.signature
        if signature is None:
            raise ValueMappingError(f"thrift:// carries no call without a contract, such as {invocation.method}")
        method = binding.form.method(signature)
        pairs: Pairs = NO_PAIRS
        if self._wire.style.context and not self._transport.is_dubbo:
            pairs = pairs_of_call(invocation, binding.token, binding.application, timeout_s)
        elif invocation.attachments:
            raise ValueMappingError("this provider takes none", "attachments")
        call_id = self._next_id % _MAX_ID + 1
        writer = self._encoding.writer(self._wire.limits)
        writer.message(binding.prefix + method.name, wire.ONEWAY if invocation.oneway else wire.CALL, call_id)
        in_header = self._transport is Transport.HEADER
        method.write_call(writer, invocation.arguments(), NO_PAIRS if in_header else pairs)
        data = self._wrap(binding, call_id, writer.done(), pairs)
        if len(data) > self._wire.limits.max_frame_bytes:
            raise LocalWireError(f"the call of {len(data)} bytes exceeds {self._wire.limits.max_frame_bytes}")
        self._next_id = call_id
        if invocation.oneway:
            return -1, data
        self._expected[call_id] = method
        return call_id, data

    def _wrap(self, binding: ThriftBinding, call_id: int, message: bytes, pairs: Pairs) -> bytes:
        match self._transport:
            case Transport.BUFFERED:
                return message
            case Transport.HEADER:
                return framed(write_header(HeaderHead(self._encoding, 0, call_id, pairs), message))
            case Transport.DUBBO:
                return framed(write_dubbo(DubboHead(binding.service, call_id), message))
            case Transport.DUBBO_27:
                return framed(write_dubbo(DubboHead(binding.service, call_id, binding.service), message))
        return framed(message)

    def abandon(self, call_id: int) -> None:
        """See `ClientCodec.abandon`."""
        self._expected.pop(call_id, None)

    def receive(self, data: bytes) -> Sequence[ClientEvent]:
        """See `ClientCodec.receive`."""
        if self.broken is not None:
            return ()
        messages: list[bytes] = []
        lost: RemoteWireError | None = None
        try:
            self._splitter.feed(data, messages)
        except RemoteWireError as exc:
            lost = exc
        events: list[ClientEvent] = []
        for message in messages:
            try:
                self._reply(message, events)
            except ThriftError as exc:
                self.broken = RemoteWireError(str(exc), reason="malformed")
                return events
        self.broken = lost
        return events

    def _reply(self, message: bytes, events: list[ClientEvent]) -> None:
        """Appends what a message says. Raises ThriftError where it does not say which call it answers."""
        encoding, limits, beside = self._encoding, self._wire.limits, NO_PAIRS
        # A server that knows no headers may answer in bare frames.
        if self._transport is Transport.HEADER and message[:2] == HEADER_MAGIC:
            head, message = read_header(message, limits)
            encoding, beside = head.encoding, head.pairs
        elif self._transport.is_dubbo and message[:2] == DUBBO_MAGIC:
            _, message = read_dubbo(message, limits)
        reader = encoding.reader(message, 0, limits)
        _, kind, call_id = reader.message()
        method = self._expected.pop(call_id, None)
        if method is None:
            events.append(ReplyReceived(call_id, _NOBODY))
            return
        outcome: Outcome
        pairs = beside
        try:
            outcome, pairs = _outcome(reader, kind, method, beside)
        except (ThriftError, ValueMappingError) as exc:
            name = method.contract.name
            text = f"the answer to {name} does not fit its contract: {exc}"
            outcome = ProviderFailed(text, retry=Retry.NEVER)
        events.append(ReplyReceived(call_id, outcome))
        if pairs and DRAIN in pairs:
            events.append(Drain(True, leave=True))

    def ping(self) -> bytes:
        """Nothing: Thrift has no heartbeat."""
        return b""


def _outcome(reader: Any, kind: int, method: MethodForm, beside: Pairs) -> tuple[Outcome, Pairs]:
    if kind == wire.REPLY:
        return method.read_result(reader, beside)
    if kind == wire.EXCEPTION:
        return read_error(reader, beside)
    return ProviderFailed(f"the provider answered with a message of kind {kind}"), beside


_NOBODY: Final = ProviderFailed("a reply that nobody waits for")
