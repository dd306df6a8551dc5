"""The one tree of errors. Everything this project raises on purpose is a `GatewayError`.

An exception thrown by a provider's own code is not here: it is an answer (`gateway.model.call.Fault`).
Repeating code asks `RpcError.retry` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import ClassVar, Final, TypeVar

__all__ = [
    "RPC_ERRORS",
    "BadRequest",
    "ConfigError",
    "ConnectFailed",
    "ConnectionLost",
    "ContractError",
    "DeadlineExceeded",
    "Forbidden",
    "GatewayError",
    "LocalWireError",
    "NoProvider",
    "NoSuchMethod",
    "NoSuchService",
    "Overloaded",
    "Problem",
    "ProviderFailed",
    "RegistryError",
    "RemoteWireError",
    "Retry",
    "RpcError",
    "Unauthenticated",
    "ValueMappingError",
    "WireError",
    "restated",
]

_E = TypeVar("_E", bound="RpcError")


class GatewayError(Exception):
    """Base of all errors raised here. Catch it to catch everything; it is never raised itself."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration file. `line` and `column` count from 1; 0 when unknown."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ConfigError(GatewayError):
    """The configuration cannot be used; carries every problem found, not just the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ContractError(GatewayError):
    """A service class does not describe a contract; the message names class, method and parameter."""


class RegistryError(GatewayError):
    """A registry cannot be asked, or refuses what it is told. The message says why."""


class WireError(GatewayError):
    """Bytes that cannot be accepted or built."""


class RemoteWireError(WireError):
    """The peer broke the protocol and the position in its stream is lost: the connection must be closed.

    `reason`: short stable code for logs and counters (`bad-magic`, `frame-too-large`).
    `farewell`: bytes to send before closing, in the peer's protocol; may be empty.
    """

    def __init__(self, message: str, *, reason: str = "malformed", farewell: bytes = b"") -> None:
        super().__init__(message)
        self.reason = reason
        self.farewell = farewell


class LocalWireError(WireError):
    """We were asked to send something the protocol forbids. Nothing was sent."""


class ValueMappingError(GatewayError):
    """A value does not fit its declared type or has no lossless form in the target protocol.

    `path`: where the value sits, from the call's root: `args[0].price`, `result[3]`.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message

    def within(self, outer: str) -> ValueMappingError:
        """The same error seen from one level further out (`outer` is `args[0]` or `.price`)."""
        inner = self.path
        glue = "." if inner and inner[0] not in "[." else ""
        self.path = f"{outer}{glue}{inner}"
        return self


class Retry(Enum):
    """Whether sending the call again can do harm."""

    SAFE = "safe"
    """Nothing was sent, or the provider said that it did not start: always repeatable."""
    IF_IDEMPOTENT = "if-idempotent"
    """It may have run."""
    NEVER = "never"
    """Repeating cannot help."""


class RpcError(GatewayError):
    """The call got no answer. `retry` says whether repeating is safe.

    `exhausted`: somebody nearer to the provider already repeated the call as often as allowed; callers
    further up must not multiply the attempts. `explanation`: gives what the call chose its provider from, for whoever
    runs this process; it is for logs and for callers in this process, and never goes over a wire. None where nothing
    was chosen. A function, because putting it together takes longer than most errors are worth. `took_s`: how long the
    attempt took that it ended, seconds; None where nothing was attempted.
    """

    code: ClassVar[str] = "rpc-error"
    """Stable name for logs, metrics and wires that carry text."""
    default_retry: ClassVar[Retry] = Retry.NEVER

    explanation: Callable[[], str] | None = None
    took_s: float | None = None

    def __init__(self, message: str, *, retry: Retry | None = None, exhausted: bool = False) -> None:
        super().__init__(message)
        self.retry = self.default_retry if retry is None else retry
        self.exhausted = exhausted


class BadRequest(RpcError):
    """The call does not fit the contract: arguments, types, encoding. The caller must change it."""

    code = "bad-request"


class Unauthenticated(RpcError):
    """The caller showed no or wrong credentials."""

    code = "unauthenticated"


class Forbidden(RpcError):
    """The caller is known and may not do this."""

    code = "forbidden"


class NoSuchService(RpcError):
    """No such service, group or version at this address."""

    code = "no-such-service"


class NoSuchMethod(RpcError):
    """The service has no such method or overload."""

    code = "no-such-method"


class NoProvider(RpcError):
    """Nobody to send the call to; the message counts what registry, rules and health left over."""

    code = "no-provider"
    default_retry = Retry.SAFE


class Overloaded(RpcError):
    """A limit was reached before any work was done; try elsewhere or later.

    `retry_after_s`: seconds after which another attempt here has a chance; None where nobody knows. `unasked`: a limit
    of this process refused the attempt, so it says nothing about the provider. No wire carries that.
    """

    code = "overloaded"
    default_retry = Retry.SAFE

    def __init__(
        self,
        message: str,
        *,
        retry: Retry | None = None,
        exhausted: bool = False,
        retry_after_s: float | None = None,
        unasked: bool = False,
    ) -> None:
        super().__init__(message, retry=retry, exhausted=exhausted)
        self.retry_after_s = retry_after_s
        self.unasked = unasked


class DeadlineExceeded(RpcError):
    """No answer in time. The call may have run, and may still be running.

    `is_callers`: it is the caller's own deadline that has passed, or is about to, so that it gives up by itself.
    """

    code = "deadline-exceeded"
    default_retry = Retry.IF_IDEMPOTENT

    is_callers: bool = False


class ConnectFailed(RpcError):
    """No connection to the provider. Nothing was sent."""

    code = "connect-failed"
    default_retry = Retry.SAFE


class ConnectionLost(RpcError):
    """The connection broke after the call was sent; it may have run."""

    code = "connection-lost"
    default_retry = Retry.IF_IDEMPOTENT


class ProviderFailed(RpcError):
    """The provider's framework (not its service code) answered that it could not serve the call."""

    code = "provider-failed"
    default_retry = Retry.IF_IDEMPOTENT


RPC_ERRORS: Final[Mapping[str, type[RpcError]]] = MappingProxyType(
    {
        each.code: each
        for each in (
            BadRequest,
            Unauthenticated,
            Forbidden,
            NoSuchService,
            NoSuchMethod,
            NoProvider,
            Overloaded,
            DeadlineExceeded,
            ConnectFailed,
            ConnectionLost,
            ProviderFailed,
        )
    }
)
"""Every error a call can end with, by its code: for wires that carry the code as text."""


def restated(error: _E, text: str) -> _E:
    """`error` with another text. A new object: one error may belong to many calls."""
    # Not by calling the class: an error of a third party may take other arguments.
    made = type(error).__new__(type(error), text)
    vars(made).update(vars(error))
    return made
