"""Faults: exceptions of the service and errors of the call machinery, as code, message and detail.

| what | code | message | detail |
| --- | --- | --- | --- |
| an exception of the service | `ServiceException` | its text | the exception, as `protocols.dubbo.throwable` has it |
| no such method, no overload of it | `NoSuchMethodException` | as below | null |
| no such service | `NoSuchObjectException` | as below | null |
| a call that does not fit | `ProtocolException` | as below | null |
| any other error | `ServiceException` | its text behind its code in brackets (`protocols.dubbo.status`) | null |

All of them are answers with status 200: Caucho's client takes any other status for a broken connection. It throws what
the detail is, and a `HessianServiceException` with code and message where there is none.

Source: com.caucho:hessian 4.0: com/caucho/hessian/server/HessianSkeleton.java, com/caucho/hessian/client/HessianProxy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.model.call import Attachments, Fault
from gateway.model.contract import ServiceContract
from gateway.model.errors import BadRequest, NoSuchMethod, NoSuchService, RpcError
from gateway.model.generic import Record
from protocols.dubbo.status import format_error, shown_text, tagged_error
from protocols.dubbo.throwable import fault_from_throwable
from protocols.hessian_http.reply import FaultReply

__all__ = ["SERVICE_EXCEPTION", "error_fault", "fault_message", "read_fault"]

SERVICE_EXCEPTION: Final = "ServiceException"
_CODES: Final[Mapping[type[RpcError], str]] = {
    NoSuchMethod: "NoSuchMethodException",
    NoSuchService: "NoSuchObjectException",
    BadRequest: "ProtocolException",
}
_MAX_CODE: Final = 1_024
"""Characters, as of the name of a class."""
_ERRORS: Final[Mapping[str, type[RpcError]]] = {
    "NoSuchMethodException": NoSuchMethod,
    "NoSuchMethod": NoSuchMethod,
    "NoSuchObjectException": NoSuchService,
    "ProtocolException": BadRequest,
    "RequireHeaderException": BadRequest,
}


def error_fault(error: RpcError) -> tuple[str, str]:
    """Code and message for an error."""
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), SERVICE_EXCEPTION)
    return code, format_error(error)


def fault_message(fault: Fault) -> str:
    """The message that goes with an exception."""
    return shown_text(fault.type_name if fault.message is None else fault.message)


def read_fault(reply: FaultReply, contract: ServiceContract | None, attachments: Attachments) -> Fault:
    """The exception that a fault stands for.

    Raises:
        RpcError: it says that there was no answer.
        ValueMappingError: its detail does not fit the contract's exception of its class.
    """
    detail = reply.detail
    if isinstance(detail, Record | BaseException):
        return fault_from_throwable(detail, contract, attachments)
    if (tagged := tagged_error(reply.message)) is not None:
        raise tagged
    if (error := _ERRORS.get(reply.code)) is not None:
        raise error(shown_text(reply.message) or reply.code)
    # A server whose exceptions are no objects, or one whose class the other side does not know.
    code = reply.code[:_MAX_CODE] or SERVICE_EXCEPTION
    return Fault(code, shown_text(reply.message) or None, attachments=attachments)
