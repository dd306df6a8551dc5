"""The client's half of a dubbo:// connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from gateway.model.call import Invocation
from gateway.model.callback import Callback
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, LocalWireError, ProviderFailed, RemoteWireError, ValueMappingError
from protocols import java
from protocols.contract import ClientEvent, Drain, Outcome, ReplyReceived, Send
from protocols.dubbo import invoke, result
from protocols.dubbo.attachments import CALLBACK_ARGUMENT, own_names
from protocols.dubbo.frame import (
    EVENT,
    HEADER,
    HEADER_BYTES,
    HESSIAN2,
    MAGIC,
    MAX_EVENT_BYTES,
    REQUEST,
    SERIALIZATION_MASK,
    TWO_WAY,
    FrameSplitter,
    heartbeat_reply,
    heartbeat_request,
)
from protocols.dubbo.head import RequestHeads
from protocols.dubbo.offers import OfferNumbers, Offers
from protocols.dubbo.raw import DubboArguments, DubboResult
from protocols.dubbo.service import MethodBinding, ServiceBinding
from protocols.dubbo.status import OK, error_of_status
from protocols.hessian.attachments import write_attachments
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.text import encode_text
from protocols.hessian.writer import Writer
from protocols.reader import Limits

__all__ = ["DubboBinding", "DubboClientCodec", "DubboClientWire"]

_PROTOCOL_VERSION: Final = "2.0.2"
"""The version of the protocol, not of a product: 2.0.2 … 2.0.99 asks for answers with attachments."""
_RPC_EXCEPTION: Final = b"dubbo.rpc.RpcException"
"""The end of the class name under which a Dubbo framework answers, in all its packages."""
_NO_VERSION: Final = "0.0.0"
_TIMEOUT_KEY: Final = encode_text("timeout")
_TRACE_KEY: Final = encode_text("traceparent")
_APPLICATION_KEY: Final = encode_text("remote.application")
_INVOKE_HEAD: Final = encode_text("$invoke") + encode_text(invoke.INVOKE_DESCRIPTOR)
_GENERIC: Final = encode_text("generic") + encode_text("true")
_MAX_TAILS: Final = 1_024
_MAX_TAIL_BYTES: Final = 256
_MAX_IN_FLIGHT: Final = 65_536
_READ_ONLY: Final = "R"
_WRITEABLE: Final = "W"


class DubboBinding:
    """What calls of one reference have in common, encoded once.

    `more`: further attachments that say whom is meant. `path`: of the provider, where it is not the interface. It goes
    into the attachments, by which Java finds the service (apache/dubbo: DubboProtocol.getInvoker); what stands in front
    of the arguments stays the interface, by which it finds their types (DubboCodec.encodeRequestData since 2.7.6).
    """

    __slots__ = ("application", "attachments", "head", "service", "tails")

    def __init__(
        self,
        key: ServiceKey,
        service: ServiceBinding | None,
        token: str,
        application: str,
        more: Mapping[str, str] = MappingProxyType({}),
        path: str = "",
    ) -> None:
        self.service: Final = service
        interface = key.interface
        if service is not None and interface == service.contract.name:
            interface = java.interface_name(service.contract)
        self.head: Final = (
            encode_text(_PROTOCOL_VERSION) + encode_text(interface) + encode_text(key.version or _NO_VERSION)
        )
        addressing = {"path": path or interface, "interface": interface}
        if key.version:
            addressing["version"] = key.version
        if key.group:
            addressing["group"] = key.group
        if token:
            addressing["token"] = token
        addressing.update(more)
        pairs = b"".join(encode_text(name) + encode_text(value) for name, value in addressing.items())
        self.attachments: Final = b"H" + pairs
        self.application: Final = application
        self.tails: Final[dict[tuple[str, int], bytes]] = {}
        """Encoded attachments by consumer and timeout in milliseconds; few differ, and encoding them takes a while."""


class DubboClientWire:
    """See `protocols.contract.ClientWire`."""

    def __init__(self, limits: Limits) -> None:
        self.limits: Final = limits
        self._services: dict[int, ServiceBinding] = {}
        self._numbers = OfferNumbers()
        self._heads = RequestHeads(limits)

    def bind(
        self, service: ServiceKey, contract: ServiceContract | None, token: str, application: str, path: str = ""
    ) -> DubboBinding:
        """See `ClientWire.bind`."""
        compiled = None
        if contract is not None:
            compiled = self._services.get(id(contract))
            if compiled is None:
                compiled = self._services[id(contract)] = ServiceBinding(contract)
        return DubboBinding(service, compiled, token, application, path=path)

    def connect(self) -> DubboClientCodec:
        """See `ClientWire.connect`."""
        return DubboClientCodec(self.limits, Offers(self.limits, self._numbers, self._heads))


_Expected = tuple[MethodBinding | None, bool, bool]
"""How to read the reply to one call: by which method's types, in generic form, as bytes to be forwarded."""


class DubboClientCodec:
    """See `protocols.contract.ClientCodec` and `CalledClientCodec`.

    `offers`: keeps the callbacks that are offered; without it none can be.
    """

    __slots__ = ("_expected", "_limits", "_next_id", "_offers", "_splitter", "broken", "max_in_flight")

    def __init__(self, limits: Limits, offers: Offers | None = None) -> None:
        self._limits = limits
        self._offers = offers
        self._splitter = FrameSplitter(limits.max_frame_bytes)
        self._expected: dict[int, _Expected] = {}
        self._next_id = 0
        self.max_in_flight = _MAX_IN_FLIGHT
        self.broken: RemoteWireError | None = None

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        """See `ClientCodec.call`. Arguments that came over this wire are sent on as the bytes they are, unless
        the caller guessed their types."""
        assert isinstance(binding, DubboBinding)
        raw = invocation.raw
        tail = _tail(binding, invocation, timeout_s)
        signature = invocation.signature
        if signature is not None and signature.callbacks:
            tail += self._offer(binding, invocation, signature)
        if isinstance(raw, DubboArguments) and raw.names_its_method:
            if raw.is_generic:
                tail = _GENERIC + tail
            user = b"Z"
            if invocation.attachments:
                user = _user_attachments(invocation, raw.argument_bytes(), raw.argument_count, self._limits)
            body = b"".join((binding.head, raw.call_bytes(), binding.attachments, tail, user))
            expected = (raw.method, raw.is_generic, True)
        else:
            body, expected = self._encode(binding, invocation, tail)
        if len(body) > self._limits.max_frame_bytes:
            raise LocalWireError(
                f"the request of {len(body)} bytes exceeds the limit of {self._limits.max_frame_bytes}"
            )
        self._next_id += 1
        call_id = self._next_id
        if invocation.oneway:
            return -1, HEADER.pack(MAGIC, REQUEST | HESSIAN2, 0, call_id, len(body)) + body
        self._expected[call_id] = expected
        return call_id, HEADER.pack(MAGIC, REQUEST | TWO_WAY | HESSIAN2, 0, call_id, len(body)) + body

    def _encode(self, binding: DubboBinding, invocation: Invocation, tail: bytes) -> tuple[bytes, _Expected]:
        signature = invocation.signature
        writer = Writer(self._limits)
        if signature is not None and binding.service is not None:
            method = binding.service.of(signature)
            head, count = method.head, len(signature.params)
            expected: _Expected = (method, False, False)
            method.write_arguments(writer, invocation.arguments())
        else:
            # Nothing says what the arguments are: Dubbo's generic call, whose arguments are name, types and values.
            if invocation.method != "$invoke":
                raise ValueMappingError(
                    f"{invocation.service.interface} has no contract here, so dubbo:// can only carry $invoke calls"
                )
            head, count, expected = _INVOKE_HEAD, 3, (None, True, False)
            invoke.write_invoke(writer, *invocation.arguments())
            tail = _GENERIC + tail
        arguments = bytes(writer.out)
        user = _user_attachments(invocation, arguments, count, self._limits)
        return b"".join((binding.head, head, arguments, binding.attachments, tail, user)), expected

    def _offer(self, binding: DubboBinding, invocation: Invocation, signature: MethodContract) -> bytes:
        """The attachments that say which arguments are callbacks."""
        if self._offers is None or binding.service is None:
            raise ValueMappingError("callbacks cannot be offered here", f"args[{signature.callbacks[0]}]")
        values = invocation.arguments()
        said = b""
        for param in binding.service.of(signature).callbacks:
            number = self._offers.number_of(param, values[param.position])
            said += encode_text(f"{CALLBACK_ARGUMENT}{param.position}") + encode_text(str(number))
        return said

    def withdraw(self, callback: Callback) -> None:
        """See `CalledClientCodec.withdraw`."""
        if self._offers is not None:
            self._offers.withdraw(callback)

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """See `CalledClientCodec.reply`."""
        assert self._offers is not None, "only what was offered is called"
        return self._offers.reply(ticket, outcome)

    def abandon(self, call_id: int) -> None:
        """See `ClientCodec.abandon`."""
        self._expected.pop(call_id, None)

    def expects(self, call_id: int) -> bool:
        """Whether a reply with this id would answer a call."""
        return call_id in self._expected

    def ping(self) -> bytes:
        """A heartbeat request."""
        self._next_id += 1
        return heartbeat_request(self._next_id)

    def receive(self, data: bytes) -> Sequence[ClientEvent]:
        """See `ClientCodec.receive`."""
        frames: list[bytes] = []
        lost: RemoteWireError | None = None
        try:
            self._splitter.split(data, frames)
        except RemoteWireError as exc:
            lost = exc
        events: list[ClientEvent] = []
        for frame in frames:
            flags = frame[2]
            if flags & EVENT:
                self._event(frame, flags, events)
                if self.broken is not None:
                    return events
            elif flags & REQUEST:
                if self._offers is None or not self._offers.made:
                    # A provider may call back; nothing was offered to it.
                    self.broken = RemoteWireError("the provider sent a call", reason="unexpected-request")
                    return events
                events.append(self._offers.request(frame, flags))
            else:
                events.append(self.reply_received(frame))
        if lost is not None:
            self.broken = lost
        return events

    def reply_received(self, frame: bytes) -> ReplyReceived:
        """What a response frame says."""
        request_id: int = HEADER.unpack_from(frame)[3]
        expected = self._expected.pop(request_id, None)
        # A reply nobody waits for is still reported: the adapter counts those.
        outcome: Outcome = _NOBODY if expected is None else self._outcome(frame, expected)
        return ReplyReceived(request_id, outcome)

    def _outcome(self, frame: bytes, expected: _Expected) -> Outcome:
        method, is_generic, raw = expected
        serialization, status = frame[2] & SERIALIZATION_MASK, frame[3]
        if serialization != HESSIAN2:
            return ProviderFailed(f"the provider answered in serialization {serialization}, not {HESSIAN2} (hessian2)")
        if status != OK:
            try:
                text = Reader(frame, HEADER_BYTES, len(frame), self._limits).read()
            except HessianError:
                text = ""
            return error_of_status(status, text if isinstance(text, str) else "")
        flag = frame[HEADER_BYTES] - result.FLAG_ZERO if len(frame) > HEADER_BYTES else -1
        if not 0 <= flag <= result.LAST_FLAG:
            return ProviderFailed("the provider's answer does not begin with a result flag")
        # What the provider's framework said in the service's place is no answer, so it must not be forwarded as one:
        # it may be worth another attempt, and the caller may not know the class (Dubbo 2.6 does not know 2.7's).
        if raw and not (flag in result.EXCEPTION_FLAGS and _RPC_EXCEPTION in frame):
            return DubboResult(frame, flag, method, is_generic, self._limits).wrap()
        return result.outcome(frame, method, is_generic, self._limits)

    def _event(self, frame: bytes, flags: int, events: list[ClientEvent]) -> None:
        if len(frame) - HEADER_BYTES > MAX_EVENT_BYTES:
            self.broken = RemoteWireError("an event larger than any that exists", reason="event-too-large")
            return
        if not flags & REQUEST:
            return
        if flags & TWO_WAY:
            request_id = HEADER.unpack_from(frame)[3]
            events.append(Send(heartbeat_reply(request_id, flags & SERIALIZATION_MASK)))
            return
        try:
            word = Reader(frame, HEADER_BYTES, len(frame), self._limits).read()
        except HessianError:
            return
        if word in (_READ_ONLY, _WRITEABLE):
            events.append(Drain(word == _READ_ONLY))


_NOBODY: Final = ProviderFailed("a reply that nobody waits for")


def _tail(binding: DubboBinding, invocation: Invocation, timeout_s: float | None) -> bytes:
    """The attachments of the wire that differ from call to call."""
    millis = 0 if timeout_s is None else int(timeout_s * 1000) or 1
    key = (invocation.consumer, millis)
    tail = binding.tails.get(key)
    if tail is None:
        tail = _APPLICATION_KEY + encode_text(invocation.consumer or binding.application)
        if millis:
            tail += _TIMEOUT_KEY + encode_text(str(millis))
        if len(tail) <= _MAX_TAIL_BYTES:
            # The peer chooses the consumer's name, so neither number nor size may be left to it.
            if len(binding.tails) >= _MAX_TAILS:
                binding.tails.clear()
            binding.tails[key] = tail
    if invocation.traceparent is not None:
        return tail + _TRACE_KEY + encode_text(invocation.traceparent)
    return tail


def _user_attachments(invocation: Invocation, arguments: bytes, count: int, limits: Limits) -> bytes:
    """The caller's own attachments and the end of the map.

    Values that are not text are numbered behind the `count` values in `arguments`, so those are read once more.

    Raises:
        ValueMappingError: an attachment has no form, or bears a name that dubbo:// uses itself.
        BadRequest: the arguments are to be forwarded and turn out to be malformed.
    """
    user = invocation.attachments
    if not user:
        return b"Z"
    if own := own_names(user):
        raise ValueMappingError("dubbo:// uses attachments of this name itself", f"attachments[{', '.join(own)}]")
    before = None
    if not all(type(value) is str for value in user.values()):
        before = Reader(arguments, 0, len(arguments), limits)
        try:
            for _ in range(count):
                before.read()
        except HessianError as exc:
            raise BadRequest(f"{invocation.method}: {exc}") from exc
    return write_attachments(user, before)[1:]
