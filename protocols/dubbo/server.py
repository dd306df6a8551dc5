"""The server's half of a dubbo:// connection."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.model.call import Invocation, Peer
from gateway.model.callback import Callback
from gateway.model.contract import MethodContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    NoSuchService,
    Overloaded,
    RemoteWireError,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.exposure import Exposure
from protocols import java
from protocols.contract import CallReceived, CallRejected, GoodbyeHeard, Outcome, PeerCaller, Send, ServerEvent
from protocols.dubbo import invoke
from protocols.dubbo.attachments import CallAttachments, RouteKey
from protocols.dubbo.frame import (
    EVENT,
    HEADER,
    HEADER_BYTES,
    HESSIAN2,
    MAX_EVENT_BYTES,
    REQUEST,
    SERIALIZATION_MASK,
    TWO_WAY,
    FrameSplitter,
    FrameTooLarge,
    heartbeat_reply,
    heartbeat_request,
    read_only_event,
)
from protocols.dubbo.head import MAX_CACHED_BYTES, RequestHead, RequestHeads
from protocols.dubbo.peer_callbacks import CallbackOptions, PeerCallbacks, refuse_strays
from protocols.dubbo.raw import DubboArguments
from protocols.dubbo.reply import Ticket, encode_reply, of_error, raw_value
from protocols.dubbo.service import MethodBinding, ServiceBinding
from protocols.hessian.attachments import read_attachments
from protocols.hessian.errors import HessianError
from protocols.hessian.skip import skip
from protocols.reader import Limits

__all__ = ["DubboServerCodec", "DubboServerWire"]

_MAX_CACHED_TARGETS: Final = 2_048
_MAX_CACHED_ATTACHMENTS: Final = 2_048
_MAX_CACHED_ATTACHMENT_BYTES: Final = 512
_HEARTBEAT_BURST: Final = 20.0
_HEARTBEATS_PER_S: Final = 10.0
"""Heartbeats answered per connection: a burst, then a steady rate. What exceeds it is counted, and not answered."""


class _Target:
    """Where a head and a group lead."""

    __slots__ = ("exposure", "kind", "method", "service")

    def __init__(
        self, exposure: Exposure, service: ServiceBinding | None, method: MethodBinding | None, kind: invoke.CallKind
    ) -> None:
        self.exposure: Final = exposure
        self.service: Final = service
        self.method: Final = method
        self.kind: Final = kind


class DubboServerWire:
    """The services of one listener, compiled; makes a codec per connection.

    `token`: what callers must show as their `token` attachment; empty asks for none.

    Raises:
        ContractError: an exposed contract cannot be carried.
    """

    def __init__(
        self,
        exposures: Sequence[Exposure],
        limits: Limits,
        token: str = "",
        callbacks: CallbackOptions = CallbackOptions(),  # noqa: B008 - immutable
    ) -> None:
        self.limits: Final = limits
        self.callbacks: Final = callbacks
        self.token: Final = token.encode()
        self.heads: Final = RequestHeads(limits)
        self._exposures: Final = {_as_java(exposure): exposure for exposure in exposures}
        bindings: dict[int, ServiceBinding] = {}
        for exposure in exposures:
            if exposure.contract is not None and id(exposure.contract) not in bindings:
                bindings[id(exposure.contract)] = ServiceBinding(exposure.contract)
        self._bindings: Final = bindings
        self._targets: dict[tuple[RequestHead, RouteKey], _Target] = {}
        self._attachments: dict[bytes, CallAttachments] = {}

    def accept(self, peer: Peer) -> DubboServerCodec:
        """See `ServerWire.accept`."""
        return DubboServerCodec(self, peer)

    def target(self, head: RequestHead, route: RouteKey) -> _Target:
        """The method that head and attachments together name.

        Raises:
            NoSuchService, NoSuchMethod: with what exists instead.
        """
        key = (head, route)
        found = self._targets.get(key)
        if found is None:
            found = self._resolve(head, route)
            # A caller may name one service in many ways, and pad the names that do not count.
            if head.end - HEADER_BYTES <= MAX_CACHED_BYTES and sum(map(len, route)) <= MAX_CACHED_BYTES:
                if len(self._targets) >= _MAX_CACHED_TARGETS:
                    self._targets.clear()
                self._targets[key] = found
        return found

    def _resolve(self, head: RequestHead, route: RouteKey) -> _Target:
        path, interface, group, version = route
        # Attachments override the head, as they do in a Java provider.
        for name in dict.fromkeys((path or head.path, interface or head.path)):
            exposure = self._exposures.get(ServiceKey(name, group, version or head.version))
            if exposure is not None:
                break
        else:
            raise self._no_such_service(ServiceKey(path or head.path, group, version or head.version))
        service = self._bindings[id(exposure.contract)] if exposure.contract is not None else None
        kind = invoke.call_kind(head.method, head.descriptor)
        method = service.find(head.method, head.descriptor) if service and kind is invoke.CallKind.TYPED else None
        return _Target(exposure, service, method, kind)

    def _no_such_service(self, wanted: ServiceKey) -> NoSuchService:
        same = sorted(str(key) for key in self._exposures if key.interface == wanted.interface)
        shown = str(wanted)[:200].encode("unicode_escape", "backslashreplace").decode("ascii")
        if same:
            return NoSuchService(f"no service {shown} here; there is {', '.join(same)}")
        return NoSuchService(f"no service {shown} here")

    def attachments(self, frame: bytes, position: int, start: int) -> CallAttachments:
        """The attachments at `position`, which must be the last thing in the frame; the arguments begin at `start`."""
        size = len(frame)
        if position == size:
            return _EMPTY
        raw = frame[position:] if size - position <= _MAX_CACHED_ATTACHMENT_BYTES else None
        if raw is not None and (found := self._attachments.get(raw)) is not None:
            return found
        values, end = read_attachments(frame, position, start=start, limits=self.limits)
        if end != size:
            raise BadRequest(f"{size - end} bytes are left over behind the attachments")
        parsed = CallAttachments(values)
        if raw is not None and parsed.traceparent is None and all(type(each) is str for each in values.values()):
            if len(self._attachments) >= _MAX_CACHED_ATTACHMENTS:
                self._attachments.clear()
            self._attachments[raw] = parsed
        return parsed


_EMPTY: Final = CallAttachments({})


class DubboServerCodec:
    """See `protocols.contract.ServerCodec` and `CallingServerCodec`."""

    __slots__ = (
        "_beats", "_beats_at", "_callbacks", "_caller", "_goodbye", "_in_flight", "_peer", "_pings", "_splitter",
        "_wire", "broken", "call_timeout_s", "finished",
    )  # fmt: skip

    def __init__(self, wire: DubboServerWire, peer: Peer) -> None:
        self._wire = wire
        self._peer = peer
        self._splitter = FrameSplitter(wire.limits.max_frame_bytes)
        self._in_flight: set[int] | None = None
        self._caller: PeerCaller | None = None
        self._callbacks: PeerCallbacks | None = None
        """Made when the peer offers its first one."""
        self.call_timeout_s = wire.callbacks.timeout_s
        self._beats = _HEARTBEAT_BURST
        self._beats_at = 0.0
        self._pings = 0
        self._goodbye = 0
        """Id of the heartbeat behind the goodbye, until it is answered."""
        self.broken: RemoteWireError | None = None
        self.finished = False

    @property
    def pending_bytes(self) -> int:
        """Bytes of an incomplete frame."""
        return self._splitter.pending_bytes

    @property
    def held_bytes(self) -> int:
        """Nothing: answers leave as they come."""
        return 0

    def receive(self, data: bytes, now: float) -> Sequence[ServerEvent]:
        """See `ServerCodec.receive`."""
        frames: list[bytes] = []
        lost: RemoteWireError | None = None
        try:
            self._splitter.split(data, frames)
        except RemoteWireError as exc:
            lost = _with_farewell(exc)
        events: list[ServerEvent] = []
        for frame in frames:
            flags = frame[2]
            if not flags & EVENT and flags & REQUEST:
                events.append(self._request(frame, flags, now))
                continue
            if flags & EVENT:
                self._event(frame, flags, now, events)
            elif self._callbacks is not None and (reply := self._callbacks.reply(frame)) is not None:
                events.append(reply)
            else:
                self.broken = RemoteWireError("a response was sent to a server", reason="unexpected-response")
            if self.broken is not None:
                return events
        if lost is not None:
            self.broken = lost
        return events

    def _event(self, frame: bytes, flags: int, now: float, events: list[ServerEvent]) -> None:
        if len(frame) - HEADER_BYTES > MAX_EVENT_BYTES:
            self.broken = RemoteWireError(
                f"an event of {len(frame) - HEADER_BYTES} bytes; {MAX_EVENT_BYTES} are allowed",
                reason="event-too-large",
            )
            return
        if flags & REQUEST and flags & TWO_WAY:
            self._beats = min(_HEARTBEAT_BURST, self._beats + (now - self._beats_at) * _HEARTBEATS_PER_S)
            self._beats_at = now
            if self._beats < 1.0:
                events.append(CallRejected(None, Overloaded("more heartbeats than are answered")))
                return
            self._beats -= 1.0
            request_id = HEADER.unpack_from(frame)[3]
            events.append(Send(heartbeat_reply(request_id, flags & SERIALIZATION_MASK)))
        elif self._goodbye and not flags & REQUEST and HEADER.unpack_from(frame)[3] == self._goodbye:
            self._goodbye = 0
            events.append(GoodbyeHeard())

    def goodbye(self) -> bytes:
        """The read-only event, and a heartbeat. A peer answers in the order in which it reads: the answer to the second
        tells that it has read the first, and everything it sent before."""
        self._pings += 2
        self._goodbye = self._pings
        return read_only_event(self._pings - 1) + heartbeat_request(self._pings)

    def ping(self) -> bytes:
        """A heartbeat request."""
        self._pings += 1
        return heartbeat_request(self._pings)

    def _request(self, frame: bytes, flags: int, now: float) -> ServerEvent:
        request_id: int = HEADER.unpack_from(frame)[3]
        ticket = Ticket(request_id) if flags & TWO_WAY else None
        try:
            if flags & SERIALIZATION_MASK != HESSIAN2:
                raise BadRequest(
                    f"serialization id {flags & SERIALIZATION_MASK} is not offered here, only {HESSIAN2} (hessian2)"
                )
            if ticket is not None:
                in_flight = self._in_flight
                if in_flight is None:
                    in_flight = self._in_flight = set()
                if request_id in in_flight:
                    ticket.counted = False
                    raise BadRequest(f"request id {request_id} is already in progress on this connection")
                in_flight.add(request_id)
            return self._call(frame, ticket, now)
        except RpcError as exc:
            return CallRejected(ticket, exc)
        except (HessianError, ValueMappingError) as exc:
            return CallRejected(ticket, BadRequest(str(exc)))

    def _call(self, frame: bytes, ticket: Ticket | None, now: float) -> ServerEvent:
        wire = self._wire
        head = wire.heads.read(frame)
        arguments_end = skip(frame, head.end, head.argument_count, limits=wire.limits)
        attachments = wire.attachments(frame, arguments_end, head.end)
        if ticket is not None:
            ticket.attachments = head.reply_attachments
            ticket.modern = bool(attachments.consumer)
        if wire.token and not hmac.compare_digest(wire.token, attachments.token.encode("utf-8", "replace")):
            raise Unauthenticated("the token is missing or wrong")
        target = wire.target(head, attachments.route)
        exposure = target.exposure
        method = target.method
        # Their values are read when somebody asks: what refuses a call by its head comes before that.
        raw = DubboArguments(frame, head, arguments_end, method, wire.limits)
        if attachments.callbacks is not None or (method is not None and method.callbacks):
            raw.callbacks = self._offered(target, raw, attachments)
        signature: MethodContract | None
        if method is not None:
            signature = method.signature
            name = signature.name
        else:
            if target.kind is invoke.CallKind.ECHO and not exposure.forwarded:
                return self._echo(raw, ticket)
            signature, name = None, head.method
            if target.kind is invoke.CallKind.INVOKE:
                invoke.check_mode(attachments.generic)
                raw.is_generic = True
                if ticket is not None:
                    ticket.generic = True
                if target.service is not None:
                    method, raw.generic_values = invoke.read_invoke(raw.reader(), target.service)
                    raw.method = method
                    signature = method.signature
                    name = signature.name
        if ticket is not None:
            ticket.method = method
        # By position: with keywords, making it takes twice as long.
        invocation = Invocation(
            exposure.service,
            name,
            None,
            signature,
            raw,
            attachments.user,
            None if attachments.timeout_s is None else now + attachments.timeout_s,
            attachments.traceparent,
            self._peer,
            attachments.consumer,
            ticket is None,
            None,
            None,
            attachments.token,
        )
        return CallReceived(ticket, invocation)

    def attach(self, caller: PeerCaller) -> None:
        """See `CallingServerCodec.attach`."""
        self._caller = caller

    def detach(self, why: str) -> None:
        """See `CallingServerCodec.detach`."""
        self._caller = None
        if self._callbacks is not None:
            self._callbacks.close(why)

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        """See `CallingServerCodec.call`."""
        assert self._callbacks is not None, "only callbacks of this connection make calls on it"
        return self._callbacks.codec.call(binding, invocation, timeout_s)

    def abandon(self, call_id: int) -> None:
        """See `CallingServerCodec.abandon`."""
        if self._callbacks is not None:
            self._callbacks.abandon(call_id)

    def _offered(
        self, target: _Target, raw: DubboArguments, attachments: CallAttachments
    ) -> Mapping[int, Callback] | None:
        """The callbacks among the arguments of a call, by position."""
        params = target.method.callbacks if target.method is not None else ()
        said = attachments.callbacks or {}
        if target.kind is invoke.CallKind.TYPED:
            refuse_strays(said, params, raw)
        if not params:
            return None
        if self._callbacks is None:
            if self._caller is None:
                raise BadRequest("callbacks are not taken here")
            self._callbacks = PeerCallbacks(self._wire.callbacks, self._wire.limits, self._caller)
        return self._callbacks.offered(params, said, target.exposure.service.group)

    def _echo(self, raw: DubboArguments, ticket: Ticket | None) -> ServerEvent:
        """Dubbo's `$echo` health check: the argument goes back as it came, and no service is asked."""
        if ticket is None:
            return Send(b"")
        self._done(ticket)
        return Send(raw_value(ticket, raw.argument_bytes()))

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """See `ServerCodec.reply`."""
        assert isinstance(ticket, Ticket)
        self._done(ticket)
        return encode_reply(ticket, outcome, self._wire.limits)

    def _done(self, ticket: Ticket) -> None:
        if ticket.counted and self._in_flight is not None:
            self._in_flight.discard(ticket.request_id)


def _as_java(exposure: Exposure) -> ServiceKey:
    """The service as Java callers name it: a Java name in the contract takes the place of the contract's name."""
    key, contract = exposure.service, exposure.contract
    if contract is not None and key.interface == contract.name:
        return ServiceKey(java.interface_name(contract), key.group, key.version)
    return key


def _with_farewell(error: RemoteWireError) -> RemoteWireError:
    """Adds the BAD_REQUEST reply that a frame of impossible length still gets."""
    if isinstance(error, FrameTooLarge):
        _, flags, _, request_id, _ = HEADER.unpack(error.header)
        if flags & REQUEST and flags & TWO_WAY and not flags & EVENT:
            error.farewell = of_error(Ticket(request_id), BadRequest(str(error)))
    return error
