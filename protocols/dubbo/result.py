"""The body of a response with status OK: a flag, what it announces, and perhaps attachments.

| flag | meaning | then |
| --- | --- | --- |
| 0, 3 | exception | the throwable |
| 1, 4 | value | the value |
| 2, 5 | null or void | nothing |

3, 4 and 5 are followed by a map of attachments.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-dubbo/src/main/java/org/apache/dubbo/rpc/protocol/dubbo/DubboCodec.java.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.model.call import NO_ATTACHMENTS, Attachments, Ok, Result
from gateway.model.errors import ProviderFailed, Retry, RpcError, ValueMappingError
from protocols.contract import Outcome
from protocols.dubbo import throwable
from protocols.dubbo.frame import HEADER_BYTES
from protocols.dubbo.service import MethodBinding
from protocols.hessian.attachments import read_attachments, write_attachments
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.reader import Limits

__all__ = [
    "EXCEPTION",
    "EXCEPTION_FLAGS",
    "FIRST_WITH_ATTACHMENTS",
    "FLAG_ZERO",
    "LAST_FLAG",
    "NULL",
    "OWN_ATTACHMENTS",
    "VALUE",
    "decode",
    "outcome",
    "read_attachments_at",
    "write_attachments_after",
]

EXCEPTION: Final = 0
VALUE: Final = 1
NULL: Final = 2
FIRST_WITH_ATTACHMENTS: Final = 3
LAST_FLAG: Final = 5
EXCEPTION_FLAGS: Final = (EXCEPTION, EXCEPTION + FIRST_WITH_ATTACHMENTS)
FLAG_ZERO: Final = 0x90
"""Hessian's int 0; the flag is one byte, an int from 0 to 5."""
OWN_ATTACHMENTS: Final = frozenset({"dubbo"})
"""Keys of the wire itself in an answer: never shown to the caller."""
_OWN_VALUES: Final[Attachments] = {"dubbo": "2.0.2"}
_USUAL_ATTACHMENTS: Final = write_attachments(_OWN_VALUES)
"""What providers send when the service itself sends none."""


def outcome(frame: bytes, method: MethodBinding | None, is_generic: bool, limits: Limits) -> Outcome:
    """The decoded answer, or the error that stands for an answer nobody can use."""
    try:
        return decode(frame, method, is_generic, limits)
    except RpcError as exc:
        return exc
    except (HessianError, ValueMappingError) as exc:
        name = method.java_name if method is not None else "the call"
        return ProviderFailed(f"the answer to {name} does not fit its contract: {exc}", retry=Retry.NEVER)


def decode(frame: bytes, method: MethodBinding | None, is_generic: bool, limits: Limits) -> Result:
    """The answer in a response frame (header included) whose flag has been checked.

    Raises:
        RpcError: the provider's framework answered in the service's place.
        HessianError, ValueMappingError: the bytes are malformed, or do not fit the contract.
    """
    flag = frame[HEADER_BYTES] - FLAG_ZERO
    with_attachments = flag >= FIRST_WITH_ATTACHMENTS
    kind = flag % FIRST_WITH_ATTACHMENTS
    typed = method is not None and not is_generic
    reader = Reader(frame, HEADER_BYTES + 1, None, limits, method.definitions if method is not None else None)
    value: Any = None
    if kind == EXCEPTION:
        value = method.read_exception(reader) if method is not None and typed else reader.read()
    elif kind == VALUE:
        value = method.read_result(reader) if method is not None and typed else reader.read()
    attachments = _attachments(frame, reader, limits) if with_attachments else NO_ATTACHMENTS
    if kind == EXCEPTION:
        contract = method.contract if method is not None else None
        return throwable.fault_from_throwable(value, contract, attachments)
    if method is not None:
        if not typed:
            value = method.realize_result(value)
        elif kind == NULL:
            method.check_null_result()
    return Ok(value, attachments)


def read_attachments_at(frame: bytes, position: int, limits: Limits) -> Attachments:
    """The attachments at `position`, where the value ends that was not read. Raises HessianError."""
    if frame[position:] == _USUAL_ATTACHMENTS:
        return NO_ATTACHMENTS
    values, _ = read_attachments(frame, position, start=HEADER_BYTES + 1, limits=limits)
    return _of_user(values)


def write_attachments_after(frame: bytes, position: int, attachments: Attachments, limits: Limits) -> bytes:
    """Attachments to stand behind the value that ends at `position`, those of the wire itself among them.

    Raises:
        HessianError: the value is malformed.
        ValueMappingError: an attachment has no form on this wire.
    """
    if not attachments:
        return _USUAL_ATTACHMENTS
    before = None
    if not all(type(each) is str for each in attachments.values()):
        # Classes and references are counted from the start of the message.
        before = Reader(frame, HEADER_BYTES + 1, None, limits)
        while before.pos < position:
            before.read()
    return write_attachments({**attachments, **_OWN_VALUES}, before)


def _attachments(frame: bytes, reader: Reader, limits: Limits) -> Attachments:
    if frame[reader.pos :] == _USUAL_ATTACHMENTS:
        return NO_ATTACHMENTS
    values, _ = read_attachments(frame, reader.pos, reader=reader, limits=limits)
    return _of_user(values)


def _of_user(values: Attachments) -> Attachments:
    user = {key: value for key, value in values.items() if key not in OWN_ATTACHMENTS}
    return user or NO_ATTACHMENTS
