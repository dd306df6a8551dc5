"""Callbacks that were offered to a provider, and its calls to them on the client's connection.

How peers say so stands in `protocols.dubbo.peer_callbacks`.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import count
from typing import Any, Final

from gateway.model.call import Invocation
from gateway.model.callback import Callback
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, NoSuchService, RpcError, ValueMappingError
from protocols import java
from protocols.contract import CallbackReceived, CallRejected, Outcome
from protocols.dubbo.attachments import CallAttachments
from protocols.dubbo.frame import HEADER, HESSIAN2, SERIALIZATION_MASK, TWO_WAY
from protocols.dubbo.head import RequestHeads
from protocols.dubbo.raw import DubboArguments
from protocols.dubbo.reply import Ticket, encode_reply
from protocols.dubbo.service import CallbackParam, ServiceBinding
from protocols.hessian.attachments import read_attachments
from protocols.hessian.errors import HessianError, shorten
from protocols.hessian.skip import skip
from protocols.reader import Limits

__all__ = ["OfferNumbers", "Offers"]

_NUMBERS: Final = 2**31 - 1


class OfferNumbers:
    """Numbers of callbacks, one after the other.

    All connections of a client share them, so that a number says nothing on a connection it does not belong to.
    """

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = count()

    def next(self) -> int:
        """1 to 2^31 - 1, then 1 again."""
        return next(self._count) % _NUMBERS + 1


class _Offer:
    __slots__ = ("callback", "number", "service")

    def __init__(self, number: int, callback: Callback, service: ServiceBinding) -> None:
        self.number: Final = number
        self.callback: Final = callback
        self.service: Final = service


class Offers:
    """What was offered on one connection."""

    __slots__ = ("_by_key", "_by_number", "_heads", "_in_flight", "_limits", "_numbers", "made")

    def __init__(self, limits: Limits, numbers: OfferNumbers, heads: RequestHeads) -> None:
        self._limits = limits
        self._numbers = numbers
        self._heads = heads
        self._by_key: dict[Hashable, _Offer] = {}
        self._by_number: dict[int, _Offer] = {}
        self._in_flight: set[int] = set()
        self.made = False
        """Whether anything ever was, so that calls may come."""

    def number_of(self, param: CallbackParam, callback: Any) -> int:
        """The number under which the provider calls this argument; offers it unless it is already.

        Raises:
            ValueMappingError: it is no callback of this kind, or to be taken back and not offered here.
        """
        contract = param.service.contract
        if not isinstance(callback, Callback) or callback.contract.name != contract.name:
            found = type(callback).__name__
            raise ValueMappingError(f"expected a callback {contract.name}, found {found}", f"args[{param.position}]")
        key = (contract.name, callback.key)
        offer = self._by_key.get(key)
        if offer is None:
            if param.withdrawn:
                raise ValueMappingError("this callback is not offered to this provider", f"args[{param.position}]")
            offer = _Offer(self._numbers.next(), callback, param.service)
            self._by_key[key] = self._by_number[offer.number] = offer
            self.made = True
        return offer.number

    def withdraw(self, callback: Callback) -> None:
        """Calls of it are refused from now on."""
        offer = self._by_key.pop((callback.contract.name, callback.key), None)
        if offer is not None:
            del self._by_number[offer.number]

    def request(self, frame: bytes, flags: int) -> CallbackReceived | CallRejected:
        """The call in a request frame."""
        request_id: int = HEADER.unpack_from(frame)[3]
        ticket = Ticket(request_id) if flags & TWO_WAY else None
        try:
            if flags & SERIALIZATION_MASK != HESSIAN2:
                raise BadRequest(f"serialization id {flags & SERIALIZATION_MASK} is not offered here, only {HESSIAN2}")
            if ticket is not None:
                if request_id in self._in_flight:
                    ticket.counted = False
                    raise BadRequest(f"request id {request_id} is already in progress on this connection")
                self._in_flight.add(request_id)
            return self._call(frame, ticket)
        except RpcError as exc:
            return CallRejected(ticket, exc)
        except (HessianError, ValueMappingError) as exc:
            return CallRejected(ticket, BadRequest(str(exc)))

    def _call(self, frame: bytes, ticket: Ticket | None) -> CallbackReceived:
        limits = self._limits
        head = self._heads.read(frame)
        arguments_end = skip(frame, head.end, head.argument_count, limits=limits)
        values, end = read_attachments(frame, arguments_end, start=head.end, limits=limits)
        if end != len(frame):
            raise BadRequest(f"{len(frame) - end} bytes are left over behind the attachments")
        attachments = CallAttachments(values)
        if ticket is not None:
            ticket.attachments = head.reply_attachments
            ticket.modern = bool(attachments.consumer)
        path = attachments.route[0] or head.path
        offer = self._offer(attachments.instance)
        if offer is None or path != java.interface_name(offer.service.contract):
            raise NoSuchService(f"no callback {shorten(path)} with the number {shorten(attachments.instance)} here")
        method = offer.service.find(head.method, head.descriptor)
        raw = DubboArguments(frame, head, arguments_end, method, limits)
        if ticket is not None:
            ticket.method = method
        invocation = Invocation(
            ServiceKey(offer.service.contract.name),
            method.signature.name,
            None,
            method.signature,
            raw,
            attachments.user,
            traceparent=attachments.traceparent,
            consumer=attachments.consumer,
            oneway=ticket is None,
        )
        return CallbackReceived(ticket, offer.callback, invocation, attachments.timeout_s)

    def _offer(self, instance: str) -> _Offer | None:
        if not (instance.isascii() and instance.isdecimal() and len(instance) <= len(str(_NUMBERS))):
            return None
        return self._by_number.get(int(instance))

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """The answer to a call."""
        assert isinstance(ticket, Ticket)
        if ticket.counted:
            self._in_flight.discard(ticket.request_id)
        return encode_reply(ticket, outcome, self._limits)
