"""A method of a service as a command: how its arguments are read and its answers written, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gateway.jsonform.text import format_json
from gateway.model.call import Attachments, Ok
from gateway.model.contract import MethodContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import LocalWireError, RpcError, ValueMappingError
from protocols.contract import Outcome
from protocols.http.unwritable import unwritable
from protocols.http_json.problem import ExceptionForms
from protocols.redis.context import attachment_bytes
from protocols.redis.error_line import error_line, fault_line
from protocols.redis.resp import bulk, header
from protocols.texts.mount import MountedMethod
from protocols.texts.service import TextMethod

__all__ = ["KeyArguments", "MethodForm", "RedisArguments"]

WIRE: Final = "redis"


class MethodForm:
    """One method of one exposure.

    `writers`: of what it returns, by version of RESP. `forms`: the exceptions of its contract.
    """

    __slots__ = ("forms", "is_oneway", "method", "name", "service", "signature", "writers")

    def __init__(
        self,
        service: ServiceKey,
        method: TextMethod,
        writers: Mapping[int, Callable[[Any], bytes]],
        forms: ExceptionForms,
    ) -> None:
        self.service: Final = service
        self.method: Final = method
        self.signature: Final[MethodContract] = method.signature
        self.name: Final = method.signature.name
        self.is_oneway: Final = method.signature.oneway
        self.writers: Final = writers
        self.forms: Final = forms

    def answer(self, outcome: Outcome, proto: int, as_json: bool, wants_more: bool, max_bytes: int) -> bytes:
        """The reply to a call; what cannot be written becomes an error. `wants_more`: attachments are sent as well."""
        try:
            if isinstance(outcome, RpcError):
                return error_line(outcome)
            if isinstance(outcome, Ok):
                attachments = outcome.attachments
                written = self._json(outcome.value) if as_json else self._typed(outcome.value, proto)
            else:
                fault = outcome.decoded()
                attachments = fault.attachments
                written = fault_line(fault, self.forms)
            if attachments and wants_more and proto == 3:
                written = _attribute(attachments) + written
            if len(written) > max_bytes:
                raise LocalWireError(f"{len(written)} bytes exceed the limit of {max_bytes}")
            return written
        except Exception as exc:  # a value's own code runs while it is written, and may raise anything
            return error_line(unwritable(exc)[0])

    def _typed(self, value: Any, proto: int) -> bytes:
        try:
            return self.writers[proto](value)
        except ValueMappingError as exc:
            raise exc.within("result") from None

    def _json(self, value: Any) -> bytes:
        return bulk(format_json(self.method.json.write_result(value)))


def _attribute(attachments: Attachments) -> bytes:
    """Raises `ValueMappingError` for one that is no text."""
    words = [word for key, value in attachments.items() for word in attachment_bytes(key, value)]
    return header(b"|", len(attachments)) + b"".join([bulk(word) for word in words])


class KeyArguments:
    """The key of a mounted method that takes nothing else (`gateway.model.call.RawArguments`)."""

    __slots__ = ("_key", "_method")

    wire = WIRE

    def __init__(self, method: MountedMethod, key: bytes) -> None:
        self._method = method
        self._key = key

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`."""
        assert self._method.read_key is not None
        return self._method.read_key(self._key)

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`."""
        return self.decode()[:count]


class RedisArguments:
    """The words of a call that nobody has read yet (`gateway.model.call.RawArguments`)."""

    __slots__ = ("_method", "_words")

    wire = WIRE

    def __init__(self, method: TextMethod, words: Sequence[bytes]) -> None:
        self._method = method
        self._words = words

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`."""
        return self._method.read_positional(self._words)

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`."""
        return self.decode()[:count]
