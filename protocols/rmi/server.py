"""The server's half of rmi://: one frame in, one frame out. The format stands in docs/rmi.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gateway.model.call import NO_ATTACHMENTS, Invocation, Peer
from gateway.model.contract import MethodContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    NoSuchService,
    ProviderFailed,
    RemoteWireError,
    Retry,
    RpcError,
    ValueMappingError,
)
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Outcome, ServerEvent
from protocols.reader import Limits
from protocols.rmi.frame import BadFrame, Frame, Head, Kind, Reason, frame_bytes, read_head, split, write_head
from protocols.rmi.outcome import write_error, write_outcome
from protocols.rmi.pickle_reader import Bounds, PickleRefused, read_pickle
from protocols.rmi.pickle_writer import pickle_pieces
from protocols.rmi.service import Method, Service, read_any_list, read_attachments, shown
from protocols.rmi.signature import BadSignature, Seal, Seals, refusal
from protocols.rmi.walk import Walk, read_walk
from protocols.sniff import sniff

__all__ = ["RmiServerCodec", "RmiServerWire"]

_MAX_TIMEOUT_MS: Final = 1 << 40
_MAX_TEXT: Final = 1_024
"""Characters of a caller's name, and of what it shows to be let in."""
# W3C Trace Context, section 3.2; a malformed one counts as absent (section 4.3).
_TRACE: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class RmiServerWire:
    """See `protocols.contract.ServerWire`.

    `seals`: who may call; None lets everybody. `wall_ms`: this machine's clock, milliseconds since 1970.
    """

    def __init__(
        self, exposures: Sequence[Exposure], limits: Limits, seals: Seals | None, wall_ms: Callable[[], int]
    ) -> None:
        self.max_payload_bytes: Final = limits.max_frame_bytes
        self.bounds: Final = Bounds(limits.max_depth, limits.max_elements, limits.max_name_bytes)
        self.seals: Final = seals
        self.wall_ms: Final = wall_ms
        self._services = {
            (each.service.interface, each.service.group, each.service.version): Service(each.service, each.contract)
            for each in exposures
        }
        # A pickle is read before it is known whom it is for.
        self.classes: Final[Mapping[tuple[str, str], str]] = {
            key: title for each in self._services.values() for key, title in each.classes.items()
        }

    def accept(self, peer: Peer) -> RmiServerCodec:
        """See `ServerWire.accept`."""
        return RmiServerCodec(self, peer)

    def service(self, interface: str, group: str, version: str) -> Service:
        """The service that is meant. Raises NoSuchService."""
        found = self._services.get((interface, group, version))
        if found is None:
            # Some versions mean none.
            key = ServiceKey(interface, group, version)
            found = self._services.get((key.interface, key.group, key.version))
            if found is None:
                raise NoSuchService(f"there is no service {shown(str(key))} here")
        return found


class Ticket:
    """What answering a call takes: its signature's key and nonce, and how its answer is written."""

    __slots__ = ("method", "nonce", "seal", "service")

    def __init__(self, seal: Seal | None, nonce: bytes) -> None:
        self.seal: Final = seal
        self.nonce: Final = nonce
        self.service: Service | None = None
        self.method: Method | None = None


class RmiServerCodec:
    """See `protocols.contract.ServerCodec`."""

    __slots__ = ("_head", "_held", "_peer", "_pieces", "_total", "_wire", "broken", "finished")

    def __init__(self, wire: RmiServerWire, peer: Peer) -> None:
        self._wire = wire
        self._peer = peer
        self._pieces: list[bytes] | None = []
        """What has arrived of the call; None once it is complete."""
        self._held = 0
        self._head: Head | None = None
        self._total = 0
        """Bytes of the whole call, once its head is known."""
        self.broken: RemoteWireError | None = None
        self.finished = False

    @property
    def pending_bytes(self) -> int:
        """See `ServerCodec.pending_bytes`."""
        return self._held

    @property
    def missing_bytes(self) -> int:
        """Bytes that the call still lacks, as far as is known; 0 once it is complete."""
        if self._pieces is None or self.broken is not None:
            return 0
        return 1 if self._head is None else self._total - self._held

    @property
    def held_bytes(self) -> int:
        """See `ServerCodec.held_bytes`."""
        return 0

    def receive(self, data: bytes, now: float) -> Sequence[ServerEvent]:
        """See `ServerCodec.receive`: at most one call."""
        pieces = self._pieces
        if self.broken is not None or not data:
            return ()
        if pieces is None:
            self.broken = RemoteWireError("there is something behind the call", reason="trailing-bytes")
            return ()
        pieces.append(data)
        self._held += len(data)
        try:
            head = self._head
            if head is None:
                if len(pieces) > 1:
                    pieces[:] = [b"".join(pieces)]
                head = self._head = read_head(pieces[0], self._wire.max_payload_bytes)
                if head is None:
                    return ()
                if head.kind is not Kind.CALL or head.reason is not Reason.NONE:
                    raise BadFrame("a frame that is no call", code="unexpected-frame")
                self._total = head.total_bytes
            if self._held < self._total:
                return ()
            whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            self._pieces, left, self._held = None, self._held - self._total, 0
            event = self._call(split(whole, head), now)
        except BadFrame as exc:
            self._break(exc, data)
            return ()
        except BadSignature as exc:
            self.broken = RemoteWireError(str(exc), reason=exc.code, farewell=refusal(exc.reason))
            return ()
        if left:
            self.broken = RemoteWireError("there is something behind the call", reason="trailing-bytes")
        return (event,)

    def _break(self, error: BadFrame, data: bytes) -> None:
        if error.code == "bad-magic":
            first = self._pieces[0] if self._pieces else data
            self.broken = RemoteWireError(f"this looks like {sniff(first)}", reason=error.code)
        else:
            self.broken = RemoteWireError(str(error), reason=error.code, farewell=refusal(error.reason))

    def _call(self, frame: Frame, now: float) -> ServerEvent:
        wire = self._wire
        seal = None
        if wire.seals is not None:
            seal = wire.seals.open(frame, wire.wall_ms(), now)
        elif frame.head.key_id_bytes:
            raise BadSignature("the call is signed, and no key is known here", "signature")
        ticket = Ticket(seal, frame.head.nonce)
        try:
            call = read_pickle(frame.data, wire.bounds, wire.classes, frame.payload_at)
            if type(call) is not dict:
                raise BadRequest("a call is a dict")
            walk = read_walk(frame.head.payload_bytes, wire.bounds.elements)
            return self._read(call, ticket, now, walk)
        except RpcError as exc:
            return CallRejected(ticket, exc)
        except (PickleRefused, ValueMappingError) as exc:
            return CallRejected(ticket, BadRequest(str(exc)))

    def _read(self, call: dict[Any, Any], ticket: Ticket, now: float, walk: Walk) -> ServerEvent:
        name = _text(call, "method")
        service = self._wire.service(_text(call, "service"), _text(call, "group", ""), _text(call, "version", ""))
        ticket.service = service
        given, named = call.get("args", ()), call.get("named", {})
        if type(given) not in (list, tuple) or type(named) is not dict:
            raise BadRequest("args is a list and named a dict")
        signature: MethodContract | None = None
        if service.contract is not None:
            method, values = service.find(name, _text(call, "overload", ""), given, named, walk)
            ticket.method, signature = method, method.contract
            name = signature.name
        elif named:
            raise BadRequest("this service has no contract, so arguments have no names")
        else:
            values = read_any_list(given, walk)
        timeout_ms = call.get("timeout")
        if timeout_ms is not None and not (type(timeout_ms) is int and 0 <= timeout_ms <= _MAX_TIMEOUT_MS):
            raise BadRequest("timeout is a number of milliseconds")
        trace, beside = call.get("trace"), call.get("attachments")
        oneway = call.get("oneway") is True or (signature is not None and signature.oneway)
        invocation = Invocation(
            service.key,
            name,
            values,
            signature,
            attachments=NO_ATTACHMENTS if beside is None else read_attachments(beside, walk),
            deadline=None if timeout_ms is None else now + timeout_ms / 1000,
            traceparent=trace if type(trace) is str and _TRACE.fullmatch(trace) else None,
            peer=self._peer,
            consumer=_text(call, "consumer", ""),
            oneway=oneway,
            token=_text(call, "token", ""),
        )
        return CallReceived(None if oneway else ticket, invocation)

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """See `ServerCodec.reply`."""
        self.finished = True
        payload: Sequence[bytes]
        try:
            if ticket.service is None or isinstance(outcome, RpcError):
                assert isinstance(outcome, RpcError), "only errors answer what was not understood"
                payload = pickle_pieces(write_error(outcome))
            else:
                payload = pickle_pieces(write_outcome(outcome, ticket.service, ticket.method))
            size = sum(map(len, payload))
            if size > self._wire.max_payload_bytes:
                text = f"the answer of {size} bytes exceeds the limit of {self._wire.max_payload_bytes}"
                payload = pickle_pieces(write_error(ProviderFailed(text, retry=Retry.NEVER)))
        except Exception as exc:  # a value's own code runs while it is written, and may raise anything
            text = str(exc) if isinstance(exc, RpcError | ValueMappingError) else type(exc).__name__
            error = ProviderFailed(f"the answer cannot be sent: {text}", retry=Retry.NEVER)
            payload = pickle_pieces(write_error(error))
        if ticket.seal is not None:
            sealed: bytes = ticket.seal.sealed(Kind.REPLY, payload, self._wire.wall_ms(), ticket.nonce)
            return sealed
        return frame_bytes(write_head(Kind.REPLY, sum(map(len, payload)), nonce=ticket.nonce), b"", payload)

    def goodbye(self) -> bytes:
        """Nothing: a connection carries no second call anyway."""
        return b""

    def ping(self) -> bytes:
        """Nothing: connections are short."""
        return b""


def _text(call: dict[Any, Any], key: str, default: str | None = None) -> str:
    value = call.get(key)
    if value is None and default is not None:
        return default
    if type(value) is not str or len(value) > _MAX_TEXT:
        raise BadRequest(f"{key} is a text of at most {_MAX_TEXT} characters")
    return value
