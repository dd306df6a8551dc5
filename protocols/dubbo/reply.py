"""Responses of a dubbo:// server, built from what became of a call."""

from __future__ import annotations

from typing import Final

from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault, Ok, Result
from gateway.model.errors import ProviderFailed, Retry, RpcError, ValueMappingError
from protocols.contract import Outcome
from protocols.dubbo import throwable
from protocols.dubbo.frame import HEADER, HEADER_BYTES, HESSIAN2, MAGIC
from protocols.dubbo.raw import DubboResult
from protocols.dubbo.result import EXCEPTION, FIRST_WITH_ATTACHMENTS, FLAG_ZERO, NULL, OWN_ATTACHMENTS, VALUE
from protocols.dubbo.service import MethodBinding
from protocols.dubbo.status import OK, caller_gave_up, certainly_not_run, format_error, status_of
from protocols.hessian.attachments import write_attachments
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.text import encode_text
from protocols.hessian.writer import Writer
from protocols.reader import DEFAULT_LIMITS, Limits

__all__ = ["Ticket", "encode_reply", "of_error", "of_result", "raw_value"]

_OWN: Final = encode_text("dubbo") + encode_text("2.0.2")
_NO_USER_ATTACHMENTS: Final = b"H" + _OWN + b"Z"


class Ticket:
    """What is remembered of a request until its response is built.

    Attributes:
        request_id: Echoed in the response.
        method: How to write the value; None where no contract says.
        attachments: Whether the caller understands answers with attachments.
        generic: The caller wants values in generic form (`$invoke`).
        modern: The caller knows the classes of Dubbo 2.7 and later.
        counted: The request id is registered as in progress.
    """

    __slots__ = ("attachments", "counted", "generic", "method", "modern", "request_id")

    def __init__(self, request_id: int) -> None:
        self.request_id = request_id
        self.method: MethodBinding | None = None
        self.attachments = False
        self.generic = False
        self.modern = False
        self.counted = True


def _frame(ticket: Ticket, status: int, body: bytes) -> bytes:
    return HEADER.pack(MAGIC, HESSIAN2, status, ticket.request_id, len(body)) + body


def encode_reply(ticket: Ticket, outcome: Outcome, limits: Limits) -> bytes:
    """The response to a call, whatever became of it. Never raises for a value: what cannot be encoded is an error."""
    limit = limits.max_frame_bytes
    try:
        if isinstance(outcome, RpcError):
            return of_error(ticket, outcome)
        data = of_result(ticket, outcome, limits)
    except RpcError as exc:
        return of_error(ticket, exc)
    except (ValueMappingError, HessianError) as exc:
        return of_error(ticket, ProviderFailed(f"the answer cannot be sent: {exc}", retry=Retry.NEVER))
    except Exception as exc:  # A value's own code runs while it is written, and may raise anything.
        why = f"writing it raised {type(exc).__name__}"
        return of_error(ticket, ProviderFailed(f"the answer cannot be sent: {why}", retry=Retry.NEVER))
    size = len(data) - HEADER_BYTES
    if size > limit:
        return of_error(
            ticket, ProviderFailed(f"the answer of {size} bytes exceeds the limit of {limit}", retry=Retry.NEVER)
        )
    return data


def of_error(ticket: Ticket, error: RpcError) -> bytes:
    """A response for a call without an answer; see `protocols.dubbo.status` for its two forms."""
    if ticket.modern and not (certainly_not_run(error) or caller_gave_up(error)):
        writer = Writer()
        writer.write(throwable.throwable_of_error(error))
        return _frame(ticket, OK, _body(ticket, EXCEPTION, bytes(writer.out)))
    return _frame(ticket, status_of(error), encode_text(format_error(error)))


def raw_value(ticket: Ticket, value: bytes) -> bytes:
    """A response whose value is encoded already."""
    return _frame(ticket, OK, _body(ticket, VALUE, value))


def of_result(ticket: Ticket, outcome: Result, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """A response for an answer. An answer that came over this wire is sent on as the bytes it is.

    Raises:
        ValueMappingError: a value has no form on this wire, or an attachment bears the name of one of its own.
        ProviderFailed: the answer was forwarded for a caller that needs it changed, and cannot be read.
    """
    raw = outcome.raw
    # A caller that knows no attachments must not get any; the other way round all understand.
    if (
        isinstance(raw, DubboResult)
        and raw.is_generic == ticket.generic
        and (ticket.attachments or not raw.has_attachments)
    ):
        return _frame(ticket, OK, raw.body())
    if isinstance(outcome, Fault):
        return _fault(ticket, outcome.decoded(), limits)
    return _value(ticket, outcome, limits)


def _value(ticket: Ticket, outcome: Ok, limits: Limits) -> bytes:
    value = outcome.value
    method = ticket.method
    if value is None:
        if method is not None and not ticket.generic:
            method.check_null_result()
        return _frame(ticket, OK, _body(ticket, NULL, b"", outcome.attachments, limits))
    writer = Writer(limits)
    if method is None:
        writer.write(value)
    elif ticket.generic:
        writer.write(method.generalize_result(value))
    else:
        method.write_result(writer, value)
    return _frame(ticket, OK, _body(ticket, VALUE, bytes(writer.out), outcome.attachments, limits))


def _fault(ticket: Ticket, fault: Fault, limits: Limits) -> bytes:
    writer = Writer(limits)
    method = ticket.method
    contract = method.contract if method is not None else None
    if ticket.generic:
        writer.write(throwable.generic_exception(fault, contract))
    elif method is None:
        writer.write(throwable.throwable_of_fault(fault, None))
    else:
        method.write_exception(writer, throwable.throwable_of_fault(fault, contract))
    return _frame(ticket, OK, _body(ticket, EXCEPTION, bytes(writer.out), fault.attachments, limits))


def _body(
    ticket: Ticket,
    kind: int,
    value: bytes,
    attachments: Attachments = NO_ATTACHMENTS,
    limits: Limits = DEFAULT_LIMITS,
) -> bytes:
    if not ticket.attachments:
        return bytes((FLAG_ZERO + kind,)) + value
    flag = bytes((FLAG_ZERO + kind + FIRST_WITH_ATTACHMENTS,))
    if not attachments:
        return flag + value + _NO_USER_ATTACHMENTS
    if not OWN_ATTACHMENTS.isdisjoint(attachments):
        own = ", ".join(sorted(OWN_ATTACHMENTS.intersection(attachments)))
        raise ValueMappingError("dubbo:// uses attachments of this name itself", f"attachments[{own}]")
    before = None
    if not all(type(each) is str for each in attachments.values()):
        before = Reader(value, limits=limits)
        if value:
            before.read()
    return flag + value + b"H" + _OWN + write_attachments(attachments, before)[1:]
