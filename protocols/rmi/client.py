"""The client's half of rmi://: one frame out, one frame in. The format stands in docs/rmi.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from gateway.model.call import Invocation
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    ContractError,
    LocalWireError,
    Overloaded,
    ProviderFailed,
    RemoteWireError,
    Retry,
    RpcError,
    Unauthenticated,
)
from protocols.contract import ClientEvent, Outcome, ReplyReceived
from protocols.generic_call import generic_call
from protocols.reader import Limits
from protocols.rmi.frame import BadFrame, Frame, Head, Kind, Reason, frame_bytes, read_head, split, write_head
from protocols.rmi.mapping import check_contract
from protocols.rmi.outcome import read_outcome
from protocols.rmi.pickle_reader import Bounds, PickleRefused, read_pickle
from protocols.rmi.pickle_writer import pickle_pieces
from protocols.rmi.service import Method, Service, write_any_list, write_attachments
from protocols.rmi.signature import BadSignature, Seal
from protocols.rmi.walk import read_walk

__all__ = ["RmiBinding", "RmiClientCodec", "RmiClientWire"]

_CALL_ID: Final = 1
_REFUSALS: Final[dict[Reason, Callable[[str], RpcError]]] = {
    Reason.UNAUTHENTICATED: Unauthenticated,
    Reason.MALFORMED: BadRequest,
    Reason.TOO_LARGE: BadRequest,
    # Anybody may have written it, and let the call through all the same.
    Reason.BUSY: lambda text: Overloaded(text, retry=Retry.IF_IDEMPOTENT),
}
_TEXTS: Final = {
    Reason.UNAUTHENTICATED: "the provider does not take our signature: check key, secret and clocks",
    Reason.MALFORMED: "the provider does not understand our frames",
    Reason.TOO_LARGE: "the call is larger than the provider takes",
    Reason.BUSY: "the provider cannot tell now whether it took the call before",
}


class RmiBinding:
    """What calls of one reference have in common."""

    __slots__ = ("application", "base", "service")

    def __init__(self, key: ServiceKey, service: Service, token: str, application: str) -> None:
        self.service: Final = service
        self.application: Final = application
        more = {"group": key.group, "version": key.version, "token": token}
        self.base: Final[dict[str, Any]] = {
            "service": key.interface,
            **{name: value for name, value in more.items() if value},
        }


class RmiClientWire:
    """See `protocols.contract.ClientWire`.

    `seal`: signs calls; None where the provider asks for no signature. `wall_ms`: this machine's clock, milliseconds
    since 1970. `nonce`: gives 16 random bytes.
    """

    def __init__(
        self, limits: Limits, seal: Seal | None, wall_ms: Callable[[], int], nonce: Callable[[], bytes]
    ) -> None:
        self.max_payload_bytes: Final = limits.max_frame_bytes
        self.bounds: Final = Bounds(limits.max_depth, limits.max_elements, limits.max_name_bytes)
        self.seal: Final = seal
        self.wall_ms: Final = wall_ms
        self.nonce: Final = nonce

    def bind(self, service: ServiceKey, contract: ServiceContract | None, token: str, application: str) -> RmiBinding:
        """See `ClientWire.bind`."""
        if contract is not None and (findings := check_contract(contract)):
            raise ContractError("; ".join(findings))
        return RmiBinding(service, Service(service, contract), token, application)

    def connect(self) -> RmiClientCodec:
        """See `ClientWire.connect`."""
        return RmiClientCodec(self)


class RmiClientCodec:
    """See `protocols.contract.ClientCodec`."""

    __slots__ = (
        "_binding",
        "_head",
        "_held",
        "_method",
        "_nonce",
        "_pieces",
        "_wire",
        "broken",
        "max_in_flight",
    )

    def __init__(self, wire: RmiClientWire) -> None:
        self._wire = wire
        self._binding: RmiBinding | None = None
        self._method: Method | None = None
        self._nonce = b""
        self._pieces: list[bytes] = []
        self._held = 0
        self._head: Head | None = None
        self.broken: RemoteWireError | None = None
        self.max_in_flight = 1

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        """See `ClientCodec.call`."""
        assert isinstance(binding, RmiBinding)
        wire, signature = self._wire, invocation.signature
        said = dict(binding.base)
        service = binding.service
        if service.contract is not None and signature is not None:
            said["method"] = signature.name
            self._method = service.method(signature)
            said["args"] = self._method.write(invocation.arguments())
            if len(service.contract.overloads(signature.name)) > 1:
                said["overload"] = signature.attribute
        else:
            said["method"], values = generic_call(invocation)
            said["args"] = write_any_list(values)
        if invocation.attachments:
            said["attachments"] = write_attachments(invocation.attachments)
        if timeout_s is not None:
            said["timeout"] = int(timeout_s * 1000) or 1
        if invocation.traceparent is not None:
            said["trace"] = invocation.traceparent
        said["consumer"] = invocation.consumer or binding.application
        if invocation.oneway:
            said["oneway"] = True
        payload = pickle_pieces(said)
        size = sum(map(len, payload))
        if size > wire.max_payload_bytes:
            raise LocalWireError(f"the call of {size} bytes exceeds the limit of {wire.max_payload_bytes}")
        self._binding = binding
        call_id = -1 if invocation.oneway else _CALL_ID
        if wire.seal is None:
            return call_id, frame_bytes(write_head(Kind.CALL, size), b"", payload)
        self._nonce = wire.nonce()
        return call_id, wire.seal.sealed(Kind.CALL, payload, wire.wall_ms(), self._nonce)

    def abandon(self, call_id: int) -> None:
        """Nothing: the connection goes with the call."""

    @property
    def missing_bytes(self) -> int:
        """Bytes that the reply still lacks, as far as is known; 0 once it is complete."""
        return 1 if self._head is None else max(0, self._head.total_bytes - self._held)

    def receive(self, data: bytes) -> Sequence[ClientEvent]:
        """See `ClientCodec.receive`."""
        if self.broken is not None or not data:
            return ()
        pieces = self._pieces
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
                if head.kind is Kind.CALL:
                    raise BadFrame("a call where a reply is expected", code="unexpected-frame")
            if self._held < head.total_bytes:
                return ()
            if self._held > head.total_bytes:
                self.broken = RemoteWireError("there is something behind the reply", reason="trailing-bytes")
                if self._held - len(data) >= head.total_bytes:
                    return ()
            frame = split(pieces[0] if len(pieces) == 1 else b"".join(pieces), head)
            return (ReplyReceived(_CALL_ID, self._outcome(frame)),)
        except (BadFrame, BadSignature) as exc:
            self.broken = RemoteWireError(str(exc), reason=exc.code)
            return ()

    def _outcome(self, frame: Frame) -> Outcome:
        binding, seal = self._binding, self._wire.seal
        assert binding is not None, "a reply comes after its call"
        reason = frame.head.reason
        if frame.head.kind is Kind.REFUSAL:
            # Nobody has signed it: it says that nothing was done, and must not be the reason to try again.
            return _REFUSALS.get(reason, ProviderFailed)(_TEXTS.get(reason, "the provider refused the call"))
        if seal is not None:
            seal.check_reply(frame, self._nonce)
        elif frame.head.key_id_bytes:
            raise BadSignature("the reply is signed, and no key is known here", "signature")
        try:
            reply = read_pickle(frame.data, self._wire.bounds, binding.service.classes, frame.payload_at)
        except PickleRefused as exc:
            return ProviderFailed(f"the provider's answer cannot be read: {exc}", retry=Retry.IF_IDEMPOTENT)
        walk = read_walk(frame.head.payload_bytes, self._wire.bounds.elements)
        return read_outcome(reply, binding.service, self._method, walk)

    def ping(self) -> bytes:
        """Nothing: connections are short."""
        return b""
