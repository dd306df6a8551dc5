"""`TApplicationException`: why a call got no answer, or an exception that is not declared.

| what | kind |
| --- | --- |
| no such service or method | UNKNOWN_METHOD |
| the call does not fit its contract | PROTOCOL_ERROR |
| a message that is no call | INVALID_MESSAGE_TYPE |
| no value where one must be | MISSING_RESULT |
| any other error; an exception that the method does not declare | INTERNAL_ERROR |

The text of an error begins with its code in brackets (`protocols.dubbo.status`), so that another gateway reads back
what was raised here. The text of an exception is its class and its own text; both also stand apart
(`protocols.thrift.context`).

A kind without such a text comes from a server of another make. Its INTERNAL_ERROR (Java, Go, Python) or UNKNOWN (C++,
Node) says that the service's code raised: an answer, which is not repeated.

Source: apache/thrift: doc/specs/thrift-rpc.md.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.model.call import Fault
from gateway.model.errors import BadRequest, NoSuchMethod, NoSuchService, ProviderFailed, Retry, RpcError
from protocols.contract import Outcome
from protocols.dubbo.status import format_error, shown_text, tagged_error
from protocols.thrift import wire
from protocols.thrift.context import FAULT, MESSAGE, NO_PAIRS, Pairs, attachments_in, read_pairs, write_pairs
from protocols.thrift.names import CONTEXT_FIELD

__all__ = ["kind_of", "read_error", "undeclared_pairs", "write_error", "write_undeclared"]

_MESSAGE_ID: Final = 1
_KIND_ID: Final = 2
_CLASS: Final = "TApplicationException"
_ERRORS: Final[dict[int, type[RpcError]]] = {
    wire.UNKNOWN_METHOD: NoSuchMethod,
    wire.INVALID_MESSAGE_TYPE: BadRequest,
    wire.PROTOCOL_ERROR: BadRequest,
    wire.INVALID_TRANSFORM: BadRequest,
    wire.INVALID_PROTOCOL: BadRequest,
}


def kind_of(error: RpcError) -> int:
    """The kind under which an error is sent."""
    if isinstance(error, NoSuchMethod | NoSuchService):
        return wire.UNKNOWN_METHOD
    return wire.PROTOCOL_ERROR if isinstance(error, BadRequest) else wire.INTERNAL_ERROR


def write_error(writer: Any, error: RpcError, kind: int | None = None, pairs: Pairs = NO_PAIRS) -> None:
    """An error. `kind`: where it is another one than its class says."""
    text = format_error(error).encode("utf-8", "backslashreplace").decode()
    _write(writer, text, kind_of(error) if kind is None else kind, pairs)


def write_undeclared(writer: Any, fault: Fault, pairs: Pairs, *, beside: bool) -> None:
    """An exception that is not declared. `beside`: what else is to be sent goes elsewhere (see `undeclared_pairs`)."""
    text = fault.type_name if fault.message is None else f"{fault.type_name}: {fault.message}"
    text = text.encode("utf-8", "backslashreplace").decode()
    _write(writer, text, wire.INTERNAL_ERROR, NO_PAIRS if beside else pairs)


def undeclared_pairs(fault: Fault, pairs: Pairs) -> Pairs:
    """What goes beside it: its class and text, and `pairs`."""
    said = {**pairs, FAULT: fault.type_name}
    if fault.message is not None:
        said[MESSAGE] = fault.message
    return {key: value.encode("utf-8", "backslashreplace").decode() for key, value in said.items()}


def _write(writer: Any, text: str, kind: int, pairs: Pairs) -> None:
    writer.struct()
    writer.field(wire.BINARY, _MESSAGE_ID)
    writer.text(text)
    writer.field(wire.I32, _KIND_ID)
    writer.i32(kind)
    if pairs:
        write_pairs(writer, pairs)
    writer.stop()


def read_error(reader: Any, beside: Pairs) -> tuple[Outcome, Pairs]:
    """What such an error means, and the pairs with it. `beside`: those that came with it elsewhere.

    Raises ThriftError and ValueMappingError.
    """
    text, kind, pairs = "", 0, beside
    reader.struct()
    while True:
        number, id = reader.field()
        if number == wire.STOP:
            break
        if id == _MESSAGE_ID and number == wire.BINARY:
            text = reader.text()
        elif id == _KIND_ID and number == wire.I32:
            kind = reader.i32()
        elif id == CONTEXT_FIELD:
            pairs = read_pairs(reader, number)
        else:
            reader.skip(number)
    reader.end()
    return _meaning(text, kind, pairs), pairs


def _meaning(text: str, kind: int, pairs: Pairs) -> Outcome:
    if FAULT in pairs:
        return Fault(pairs[FAULT], pairs.get(MESSAGE), attachments=attachments_in(pairs))
    if (tagged := tagged_error(text)) is not None:
        return tagged
    if kind in (wire.INTERNAL_ERROR, wire.UNKNOWN):
        return Fault(_CLASS, text or None)
    known = _ERRORS.get(kind)
    if known is not None:
        return known(shown_text(text) or f"{_CLASS} of kind {kind}")
    retry = Retry.NEVER if kind == wire.MISSING_RESULT else None
    return ProviderFailed(f"{_CLASS} of kind {kind}: {shown_text(text)}", retry=retry)
