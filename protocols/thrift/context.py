"""What travels beside a call, as pairs of text.

| key | value | in |
| --- | --- | --- |
| `traceparent` | W3C Trace Context | calls |
| `polyport-timeout` | how long the caller still waits, whole milliseconds | calls |
| `polyport-consumer` | application name of the caller | calls |
| `polyport-token` | Dubbo's token of the service that is called | calls |
| `polyport-fault`, `polyport-message` | class and text of an exception that is not declared | errors |
| `polyport-drain` | the listener stops: no more calls on this connection, please | answers |
| any other | an attachment | calls, answers |

Over the header transport they are its key-value headers; elsewhere they are a `map<string, string>` in the field 32767
of the arguments, the result or the error, which every reader of Thrift that does not know it passes over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from gateway.model.call import NO_ATTACHMENTS, Attachments, Invocation
from gateway.model.errors import ValueMappingError
from protocols.thrift import wire
from protocols.thrift.errors import ThriftError
from protocols.thrift.names import CONTEXT_FIELD
from protocols.thrift.text import write_text

__all__ = [
    "CONSUMER",
    "DRAIN",
    "FAULT",
    "MESSAGE",
    "NO_PAIRS",
    "CallContext",
    "Pairs",
    "attachments_in",
    "pairs_of_attachments",
    "pairs_of_call",
    "read_call_context",
    "read_pairs",
    "write_pairs",
]

Pairs = Mapping[str, str]
NO_PAIRS: Final[Pairs] = NO_ATTACHMENTS

TRACEPARENT: Final = "traceparent"
TIMEOUT: Final = "polyport-timeout"
CONSUMER: Final = "polyport-consumer"
TOKEN: Final = "polyport-token"
FAULT: Final = "polyport-fault"
MESSAGE: Final = "polyport-message"
DRAIN: Final = "polyport-drain"
_OWN: Final = frozenset({TRACEPARENT, TIMEOUT, CONSUMER, TOKEN, FAULT, MESSAGE, DRAIN})
_MAX_TIMEOUT_DIGITS: Final = 12
_TRACEPARENT_LENGTH: Final = 55
_MAX_PAIRS: Final = 1_024
_MAX_NAME: Final = 1_024
"""Characters of a caller's name, and of what it shows to be let in."""
_SHOWN: Final = 60


class CallContext(NamedTuple):
    """What a caller said beside its call. `timeout_s`: how long it still waits, or None."""

    attachments: Attachments
    timeout_s: float | None
    consumer: str
    token: str
    traceparent: str | None


_NOTHING: Final = CallContext(NO_ATTACHMENTS, None, "", "", None)


def read_call_context(pairs: Pairs) -> CallContext:
    """Takes the pairs of a call apart; what is malformed counts as absent."""
    if not pairs:
        return _NOTHING
    said = pairs.get(TIMEOUT, "")
    numeric = said.isascii() and said.isdecimal() and len(said) <= _MAX_TIMEOUT_DIGITS
    trace = pairs.get(TRACEPARENT, "")
    return CallContext(
        attachments_in(pairs),
        int(said) / 1000 if numeric else None,
        pairs.get(CONSUMER, "")[:_MAX_NAME],
        pairs.get(TOKEN, "")[:_MAX_NAME],
        trace if len(trace) == _TRACEPARENT_LENGTH else None,
    )


def attachments_in(pairs: Pairs) -> Attachments:
    """The pairs that are not the wire's own."""
    if not pairs or all(key in _OWN for key in pairs):
        return NO_ATTACHMENTS
    return {key: value for key, value in pairs.items() if key not in _OWN}


def pairs_of_call(invocation: Invocation, token: str, application: str, timeout_s: float | None) -> dict[str, str]:
    """What is sent beside a call. Raises `ValueMappingError` for an attachment that has no form."""
    pairs = dict(pairs_of_attachments(invocation.attachments))
    pairs[CONSUMER] = invocation.consumer or application
    if timeout_s is not None:
        pairs[TIMEOUT] = str(int(timeout_s * 1000) or 1)
    if invocation.traceparent is not None:
        pairs[TRACEPARENT] = invocation.traceparent
    if token:
        pairs[TOKEN] = token
    return pairs


def pairs_of_attachments(attachments: Attachments) -> Pairs:
    """What is sent beside an answer. Raises `ValueMappingError` for an attachment that has no form."""
    if not attachments:
        return NO_PAIRS
    for key, value in attachments.items():
        place = f"attachments[{key[:_SHOWN]!r}]"
        if key in _OWN:
            raise ValueMappingError("thrift:// uses attachments of this name itself", place)
        if type(value) is not str:
            raise ValueMappingError(f"over thrift:// attachments are texts, not {type(value).__name__}", place)
        try:
            write_text(key)
            write_text(value)
        except ValueMappingError as exc:
            raise exc.within(place) from None
    return attachments


def write_pairs(writer: Any, pairs: Pairs) -> None:
    """The field that holds them."""
    writer.field(wire.MAP, CONTEXT_FIELD)
    writer.map(wire.BINARY, wire.BINARY, len(pairs))
    for key, value in pairs.items():
        writer.text(key)
        writer.text(value)
    writer.end()


def read_pairs(reader: Any, number: int) -> Pairs:
    """What that field holds, whose type is `number`.

    Raises:
        ThriftError: something else stands in it.
        ValueMappingError: a text in it is none.
    """
    if number != wire.MAP:
        raise ThriftError(f"field {CONTEXT_FIELD} is no map")
    key, value, count = reader.map()
    if count > _MAX_PAIRS or (count and (key, value) != (wire.BINARY, wire.BINARY)):
        raise ThriftError(f"field {CONTEXT_FIELD} is no map of up to {_MAX_PAIRS} strings")
    pairs = {reader.text(): reader.text() for _ in range(count)}
    reader.end()
    return pairs
