"""The server's half of a thrift:// connection: every encoding and transport on one port, answers in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.model.call import NO_ATTACHMENTS, Fault, Invocation, Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    LocalWireError,
    RemoteWireError,
    RpcError,
    ValueMappingError,
)
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Outcome, ServerEvent
from protocols.http.unwritable import unwritable
from protocols.leaving import Leaving
from protocols.reader import Limits
from protocols.thrift import wire
from protocols.thrift.application_error import kind_of, undeclared_pairs, write_error, write_undeclared
from protocols.thrift.arguments import UsualArguments, read_beside
from protocols.thrift.binary import BINARY
from protocols.thrift.context import CONSUMER, DRAIN, NO_PAIRS, Pairs, pairs_of_attachments, read_call_context
from protocols.thrift.directory import Directory, Target
from protocols.thrift.encoding import Encoding
from protocols.thrift.errors import ThriftError
from protocols.thrift.frame import FRAME_HEAD_BYTES, Splitter, framed
from protocols.thrift.header import (
    DubboHead,
    HeaderHead,
    UnknownTransform,
    read_dubbo,
    read_header,
    write_dubbo,
    write_header,
)
from protocols.thrift.service import MethodForm
from protocols.thrift.strict import CONTEXT_HEAD, HEAD_BYTES, SEQID_BYTES, StrictAnswer
from protocols.thrift.variant import Transport, Variant, detect

__all__ = ["ThriftServerCodec", "ThriftServerWire"]

_CALLS: Final = (wire.CALL, wire.ONEWAY)


class ThriftServerWire:
    """See `protocols.contract.ServerWire`.

    `default`: the service that a method without a service's name belongs to. `in_order`: answers leave in the order of
    their calls; otherwise, in transports with frames, as they come.

    Raises:
        ContractError: an exposed contract cannot be carried, or the default service is not exposed.
    """

    def __init__(
        self, exposures: Sequence[Exposure], limits: Limits, default: ServiceKey | None = None, in_order: bool = True
    ) -> None:
        self.limits: Final = limits
        self.in_order: Final = in_order
        self.directory: Final = Directory(exposures, default)

    def accept(self, peer: Peer) -> ThriftServerCodec:
        """See `ServerWire.accept`."""
        return ThriftServerCodec(self, peer)


class Ticket:
    """What answering a call takes. `name`: as the answer repeats it. `kind`: of an error, where its class says another.

    `usual`: what writes the usual answer, where there is one. `answer`: the bytes, once they are there and others must
    leave first.
    """

    __slots__ = ("answer", "encoding", "head", "kind", "method", "name", "seqid", "usual")

    def __init__(
        self,
        encoding: Encoding,
        head: HeaderHead | DubboHead | None,
        name: bytes,
        seqid: int,
        method: MethodForm | None = None,
        usual: StrictAnswer | None = None,
    ) -> None:
        self.encoding: Final = encoding
        self.head: Final = head
        self.name = name
        self.seqid: Final = seqid
        self.method = method
        self.usual: Final = usual
        self.kind: int | None = None
        self.answer: bytes | None = None


class ThriftServerCodec:
    """See `protocols.contract.ServerCodec`."""

    __slots__ = (
        "_beginning", "_has_frames", "_in_order", "_is_asked", "_is_draining", "_is_plain", "_leaving", "_peer",
        "_splitter", "_variant", "_wire", "broken", "finished", "pending_bytes",
    )  # fmt: skip

    def __init__(self, wire: ThriftServerWire, peer: Peer) -> None:
        self._wire = wire
        self._peer = peer
        self._beginning = b""
        """What has arrived before it was known what it is."""
        self._variant: Variant | None = None
        self._splitter: Splitter | None = None
        self._has_frames = True
        self._in_order = True
        self._is_plain = False
        """The binary encoding with nothing but a length around it."""
        self._leaving: Leaving[Ticket] = Leaving()
        """Calls whose answers have not left, in order."""
        self._is_asked = False
        """The peer said something of ours beside a call, so it reads what stands beside answers."""
        self._is_draining = False
        self.pending_bytes = 0
        self.broken: RemoteWireError | None = None
        self.finished = False

    @property
    def held_bytes(self) -> int:
        """See `ServerCodec`."""
        return self._leaving.held_bytes

    def receive(self, data: bytes, now: float) -> Sequence[ServerEvent]:
        """See `ServerCodec.receive`."""
        if self.broken is not None:
            return ()
        messages: list[bytes] = []
        lost: RemoteWireError | None = None
        try:
            splitter = self._splitter
            if splitter is None:
                data = self._beginning = self._beginning + data
                variant = detect(data, self._wire.limits)
                if variant is None:
                    self.pending_bytes = len(data)
                    return ()
                self._beginning = b""
                splitter = self._begin(variant)
            splitter.feed(data, messages)
        except RemoteWireError as exc:
            lost = exc
        # Asked for more often than it changes.
        self.pending_bytes = len(self._beginning) if splitter is None else splitter.pending_bytes
        events: list[ServerEvent] = []
        for message in messages:
            try:
                usual = self._usual(message) if self._is_plain else None
                events.append(self._message(message, now) if usual is None else usual)
            except ThriftError as exc:
                self.broken = RemoteWireError(str(exc), reason="malformed")
                return events
        self.broken = lost
        return events

    def _begin(self, variant: Variant) -> Splitter:
        self._variant = variant
        self._splitter = variant.splitter(self._wire.limits)
        self._has_frames = variant.transport is not Transport.BUFFERED
        self._is_plain = variant.encoding is BINARY and variant.transport in (Transport.BUFFERED, Transport.FRAMED)
        self._in_order = self._wire.in_order or not self._has_frames
        return self._splitter

    def _usual(self, message: bytes) -> CallReceived | None:
        """The call in a message of the binary encoding that has nothing beside its arguments, or None."""
        directory = self._wire.directory
        named = HEAD_BYTES + int.from_bytes(message[HEAD_BYTES - 4 : HEAD_BYTES], "big")
        start = named + SEQID_BYTES
        # Heads are compared as they are, so a longer one need not be looked at.
        if named > directory.longest_head or start > len(message):
            return None
        target = directory.heads.get(message[:named])
        if target is None or message.find(CONTEXT_HEAD, start) >= 0:
            return None
        method, service = target.method, target.service
        contract = method.contract
        arguments = UsualArguments(method, message, start, self._wire.limits)
        oneway = contract.oneway
        invocation = Invocation(
            service, contract.name, None, contract, arguments, NO_ATTACHMENTS, None, None, self._peer, "", oneway
        )
        if oneway:
            return CallReceived(None, invocation)
        seqid = int.from_bytes(message[named:start], "big", signed=True)
        ticket = Ticket(BINARY, None, method.name, seqid, method, method.usual_answer)
        self._queue(ticket)
        return CallReceived(ticket, invocation)

    def _message(self, message: bytes, now: float) -> ServerEvent:
        """What one message says. Raises ThriftError where it does not say whom to answer."""
        assert self._variant is not None
        encoding, transport = self._variant
        limits = self._wire.limits
        head: HeaderHead | DubboHead | None = None
        if transport is Transport.HEADER:
            try:
                head, message = read_header(message, limits)
            except UnknownTransform as exc:
                ticket = Ticket(exc.head.encoding, exc.head, b"", exc.head.seqid)
                self._queue(ticket)
                ticket.kind = wire.INVALID_TRANSFORM
                return CallRejected(ticket, BadRequest(str(exc)))
            encoding = head.encoding
        elif transport is Transport.DUBBO:
            head, message = read_dubbo(message, limits)
        reader = encoding.reader(message, 0, limits)
        name, kind, seqid = reader.message()
        # Some clients compare the name in the answer with what they called, which is the method alone.
        ticket = Ticket(encoding, head, name.rpartition(b":")[2][: limits.max_name_bytes], seqid)
        oneway = kind == wire.ONEWAY
        error: RpcError
        try:
            if kind not in _CALLS:
                ticket.kind = wire.INVALID_MESSAGE_TYPE
                raise BadRequest(f"a message of kind {kind} is no call")
            target = self._wire.directory.find(name, head.service if isinstance(head, DubboHead) else b"")
            method = target.method
            ticket.method, ticket.name = method, method.name
            # Old clients send calls of such methods as if they waited.
            oneway = oneway or method.contract.oneway
            return self._call(target, ticket, reader, len(message), oneway, now)
        except RpcError as exc:
            error = exc
        except ThriftError as exc:
            error = BadRequest(f"the message cannot be read: {exc}")
        except ValueMappingError as exc:
            error = BadRequest(str(exc))
        if oneway:
            return CallRejected(None, error)
        self._queue(ticket)
        return CallRejected(ticket, error)

    def _call(self, target: Target, ticket: Ticket, reader: Any, size: int, oneway: bool, now: float) -> ServerEvent:
        method = target.method
        arguments, pairs = read_beside(method, reader, size)
        head = ticket.head
        if head is not None and isinstance(head, HeaderHead) and head.pairs:
            pairs = {**pairs, **head.pairs}
        if CONSUMER in pairs:
            self._is_asked = True
        context = read_call_context(pairs)
        invocation = Invocation(
            target.service,
            method.contract.name,
            None,
            method.contract,
            arguments,
            context.attachments,
            None if context.timeout_s is None else now + context.timeout_s,
            context.traceparent,
            self._peer,
            context.consumer,
            oneway,
            None,
            None,
            context.token,
        )
        if oneway:
            return CallReceived(None, invocation)
        self._queue(ticket)
        return CallReceived(ticket, invocation)

    def _queue(self, ticket: Ticket) -> None:
        if self._in_order:
            self._leaving.slots.append(ticket)

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """See `ServerCodec.reply`."""
        assert isinstance(ticket, Ticket)
        answer = self._answer(ticket, outcome)
        if not self._in_order:
            return answer
        ticket.answer = answer
        return self._leaving.done(ticket)

    def _answer(self, ticket: Ticket, outcome: Outcome) -> bytes:
        try:
            if isinstance(outcome, RpcError):
                return self._error(ticket, outcome)
            answer = b""
            if ticket.usual is not None and type(outcome) is Ok and not outcome.attachments and not self._is_draining:
                answer = ticket.usual.write(ticket.seqid, outcome.value)
                if not self._has_frames:
                    answer = answer[FRAME_HEAD_BYTES:]
            if not answer:
                answer = self._wrap(ticket, *self._result(ticket, outcome))
            most = self._wire.limits.max_frame_bytes
            if len(answer) > most:
                raise LocalWireError(f"{len(answer)} bytes exceed the limit of {most}")
            return answer
        except Exception as exc:  # a value's own code runs while it is written, and may raise anything
            if isinstance(outcome, Ok) and isinstance(exc, ValueMappingError) and exc.path == "result":
                ticket.kind = _missing(outcome)
            return self._error(ticket, unwritable(exc)[0])

    def _result(self, ticket: Ticket, outcome: Ok | Fault) -> tuple[bytes, Pairs]:
        """The message that answers a call, and what goes into its header."""
        method = ticket.method
        assert method is not None, "only errors answer what was not understood"
        writer = ticket.encoding.writer(self._wire.limits)
        in_header = ticket.head is not None and isinstance(ticket.head, HeaderHead)
        if isinstance(outcome, Ok):
            value, attachments = outcome.value, outcome.attachments
            pairs = pairs_of_attachments(attachments) if attachments else NO_PAIRS
            if self._is_draining:
                pairs = self._with_goodbye(ticket, pairs)
            writer.message(ticket.name, wire.REPLY, ticket.seqid)
            method.write_result(writer, value, NO_PAIRS if in_header else pairs)
            return writer.done(), pairs
        fault = outcome.decoded()
        pairs = self._with_goodbye(ticket, pairs_of_attachments(fault.attachments))
        if method.declares(fault):
            writer.message(ticket.name, wire.REPLY, ticket.seqid)
            method.write_fault(writer, fault, NO_PAIRS if in_header else pairs)
        else:
            pairs = undeclared_pairs(fault, pairs)
            writer.message(ticket.name, wire.EXCEPTION, ticket.seqid)
            write_undeclared(writer, fault, pairs, beside=in_header)
        return writer.done(), pairs

    def _error(self, ticket: Ticket, error: RpcError) -> bytes:
        writer = ticket.encoding.writer(self._wire.limits)
        pairs = self._with_goodbye(ticket, NO_PAIRS)
        in_header = isinstance(ticket.head, HeaderHead)
        writer.message(ticket.name, wire.EXCEPTION, ticket.seqid)
        kind = kind_of(error) if ticket.kind is None else ticket.kind
        write_error(writer, error, kind, NO_PAIRS if in_header else pairs)
        return self._wrap(ticket, writer.done(), pairs)

    def _with_goodbye(self, ticket: Ticket, pairs: Pairs) -> Pairs:
        """What goes beside an answer, and that no more calls should come, to who understands it."""
        if not self._is_draining or not self._is_asked or isinstance(ticket.head, DubboHead):
            return pairs
        return {**pairs, DRAIN: "true"}

    def _wrap(self, ticket: Ticket, message: bytes, pairs: Pairs) -> bytes:
        head = ticket.head
        if head is None:
            return framed(message) if self._has_frames else message
        if isinstance(head, HeaderHead):
            return framed(write_header(head._replace(pairs=pairs), message))
        return framed(write_dubbo(head, message))

    def goodbye(self) -> bytes:
        """Nothing: Thrift has no word for it. From now on answers say it, to peers that understand."""
        self._is_draining = True
        return b""

    def ping(self) -> bytes:
        """Nothing: Thrift has no heartbeat."""
        return b""


def _missing(outcome: Ok) -> int | None:
    return wire.MISSING_RESULT if outcome.value is None else None
