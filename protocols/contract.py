"""What a codec of a connection-oriented wire offers to the adapter that drives it.

A codec is a machine without I/O: bytes go in and events come out, outcomes go in and bytes come out. It never
sees a socket, a loop or a clock. `receive` obeys three rules: it takes any split of the stream; it returns the
events of all complete messages and keeps the rest; when the position in the stream is lost it sets `broken` and
returns the events that came before. The adapter handles those, then closes the connection and throws the codec away.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Final, Protocol, runtime_checkable

from gateway.model.call import Invocation, Peer, Result
from gateway.model.callback import Callback
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import RemoteWireError, RpcError

__all__ = [
    "CallReceived",
    "CallRejected",
    "CallbackReceived",
    "CalledClientCodec",
    "CallingServerCodec",
    "ChainingServerCodec",
    "ClientCodec",
    "ClientEvent",
    "ClientWire",
    "Drain",
    "GoodbyeHeard",
    "Outcome",
    "PacedServerCodec",
    "PeerCaller",
    "ReplyReceived",
    "Send",
    "ServerCodec",
    "ServerEvent",
    "ServerWire",
]

Outcome = Result | RpcError
"""What became of a call: an answer, or why there is none."""


class CallReceived:
    """A call to answer. `ticket` belongs to the codec and is handed back to `reply`; None when oneway."""

    __slots__ = ("invocation", "ticket")

    def __init__(self, ticket: Any, invocation: Invocation) -> None:
        self.ticket: Final = ticket
        self.invocation: Final = invocation


class CallRejected:
    """What is refused although the connection is fine; answer it with `reply(ticket, error)`. No ticket: no answer."""

    __slots__ = ("error", "ticket")

    def __init__(self, ticket: Any, error: RpcError) -> None:
        self.ticket: Final = ticket
        self.error: Final = error


class Send:
    """Bytes the protocol itself wants to send (a heartbeat reply).

    Without bytes it says that an answer which needs no call waits for one that must leave before it (`held_bytes`).
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data: Final = data


class GoodbyeHeard:
    """The peer has read the goodbye: every call it made before has arrived by now, and it makes no more here."""

    __slots__ = ()


class ReplyReceived:
    """The outcome of call `call_id`, or of a call nobody waits for any more."""

    __slots__ = ("call_id", "outcome")

    def __init__(self, call_id: int, outcome: Outcome) -> None:
        self.call_id: Final = call_id
        self.outcome: Final = outcome


class CallbackReceived:
    """The provider calls an object that was offered to it; answer it with `CalledClientCodec.reply`.

    `callback`: what takes the call. `timeout_s`: how long the provider waits, or None. `ticket`: None when oneway.
    """

    __slots__ = ("callback", "invocation", "ticket", "timeout_s")

    def __init__(self, ticket: Any, callback: Callback, invocation: Invocation, timeout_s: float | None) -> None:
        self.ticket: Final = ticket
        self.callback: Final = callback
        self.invocation: Final = invocation
        self.timeout_s: Final = timeout_s


class Drain:
    """The peer asks for no new calls on this connection (`active`), or takes that back.

    `leave`: it waits for us to close the connection, when the calls in progress have ended.
    """

    __slots__ = ("active", "leave")

    def __init__(self, active: bool, leave: bool = False) -> None:
        self.active: Final = active
        self.leave: Final = leave


ServerEvent = CallReceived | CallRejected | Send | GoodbyeHeard | ReplyReceived
"""A `ReplyReceived` only from a `CallingServerCodec`."""
ClientEvent = ReplyReceived | Send | Drain | CallbackReceived | CallRejected
"""The last two only from a `CalledClientCodec`."""


class ServerCodec(Protocol):
    """The server's half of one connection."""

    broken: RemoteWireError | None
    """Why the stream cannot be read any further; None while it can."""
    finished: bool
    """No further call will be taken from this connection, by agreement with the peer (HTTP's `Connection: close`): the
    adapter closes it as soon as everything is answered. Looked at after `receive`, `reply` and `goodbye`."""

    @property
    def pending_bytes(self) -> int:
        """Bytes of an incomplete message held back; 0 between messages. The adapter's frame timeout looks at it."""
        ...

    @property
    def held_bytes(self) -> int:
        """Bytes of answers that wait inside for one that must leave before them; 0 on wires that answer in any order.
        While there are many the adapter reads no further. Looked at after a `reply` that gave nothing to send."""
        ...

    def receive(self, data: bytes, now: float) -> Sequence[ServerEvent]:
        """Takes what arrived; `now` (monotonic seconds) turns a caller's timeout into a deadline."""
        ...

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """The answer to one call. Never raises for a value: what cannot be encoded becomes an error reply."""
        ...

    def goodbye(self) -> bytes:
        """What tells the peer to make no more calls here; may be empty. Where the peer can be made to confirm it, its
        confirmation is the event `GoodbyeHeard`: without one the adapter waits longer for calls that are on their way.
        """
        ...

    def ping(self) -> bytes:
        """A heartbeat to send when the line was quiet; empty when servers of this wire send none."""
        ...


class PeerCaller(Protocol):
    """What the adapter lets a `CallingServerCodec` do: call its peer. `binding`: what the codec's `call` takes."""

    def call_peer(self, binding: Any, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """Makes a call to the peer of this connection. Awaiting it raises as `Invoker.__call__`."""
        ...

    def dismiss(self) -> None:
        """Tells the peer to go elsewhere, and closes the connection once everything is answered."""
        ...


@runtime_checkable
class CallingServerCodec(Protocol):
    """What the server's half of a wire has besides where callers can be called back on their connection.

    The codec makes the callbacks (`gateway.model.callback`) that it finds among the arguments, and calls them through
    what it was given by `attach`.
    """

    call_timeout_s: float
    """How long a call to the peer may take where it does not say."""

    def attach(self, caller: PeerCaller) -> None:
        """How the peer is called; before anything is received."""
        ...

    def detach(self, why: str) -> None:
        """The connection is gone: no callback of it can be called any more."""
        ...

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        """As `ClientCodec.call`."""
        ...

    def abandon(self, call_id: int) -> None:
        """As `ClientCodec.abandon`."""
        ...


@runtime_checkable
class ChainingServerCodec(Protocol):
    """What the server's half of a wire has besides where one command may take several calls, one after the other."""

    def due(self) -> Sequence[CallReceived]:
        """Calls that follow from what was given to `reply` since this was last asked."""
        ...


@runtime_checkable
class PacedServerCodec(Protocol):
    """What the server's half of a wire has besides where many small messages, or ones with large answers, fit into one
    segment: it gives events for some of them at a time, so that answers can leave, and others have their turn."""

    is_behind: bool
    """There is more in what arrived; `receive` with no bytes goes on. The adapter hands over no others before that."""


@runtime_checkable
class CalledClientCodec(Protocol):
    """What the client's half of a wire has besides where providers call back what was offered to them.

    What a call's arguments offer is known from the moment `ClientCodec.call` has written it.
    """

    def withdraw(self, callback: Callback) -> None:
        """Calls of it are refused from now on."""
        ...

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """As `ServerCodec.reply`."""
        ...


class ServerWire(Protocol):
    """Makes one codec per connection. The services it knows are fixed when it is built."""

    def accept(self, peer: Peer) -> ServerCodec:
        """A codec for a new connection."""
        ...


class ClientCodec(Protocol):
    """The client's half of one connection."""

    broken: RemoteWireError | None
    """Why the stream cannot be read any further; None while it can."""
    max_in_flight: int
    """Calls that may wait for a reply at the same time; 1 for wires that answer in order only."""

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        """The id of the call and the bytes to send. `timeout_s` is what the provider is told. Oneway calls get id -1.

        Raises:
            ValueMappingError: an argument has no form on this wire; names its path. Nothing was changed.
            LocalWireError: the message would exceed a limit.
        """
        ...

    def abandon(self, call_id: int) -> None:
        """Nobody waits for this reply any more; a late one is dropped."""
        ...

    def receive(self, data: bytes) -> Sequence[ClientEvent]:
        """Takes what arrived."""
        ...

    def ping(self) -> bytes:
        """A heartbeat to send when the line was quiet; empty when the wire has none."""
        ...


class ClientWire(Protocol):
    """Makes codecs, and compiles what a reference needs for its calls."""

    def bind(
        self, service: ServiceKey, contract: ServiceContract | None, token: str, application: str, path: str = ""
    ) -> Any:
        """What `ClientCodec.call` needs to know about one reference; opaque to the adapter.

        Args:
            path: `Endpoint.path`, for wires that address a service by it.

        Raises:
            ContractError: the wire cannot carry the contract.
        """
        ...

    def connect(self) -> ClientCodec:
        """A codec for a new connection."""
        ...
