"""Trouble and exceptions as problem documents (RFC 9457, `application/problem+json`), and back.

| error | status | `type` |
| --- | --- | --- |
| BadRequest | 400 (also 405, 406, 413, 415 where HTTP has one of its own) | `urn:polyport:error:bad-request` |
| Unauthenticated | 401 | `urn:polyport:error:unauthenticated` |
| Forbidden | 403 | `urn:polyport:error:forbidden` |
| NoSuchService, NoSuchMethod | 404 | `urn:polyport:error:no-such-service`, `…:no-such-method` |
| ProviderFailed | 502; 500 where the answer cannot be written | `urn:polyport:error:provider-failed` |
| ConnectFailed, ConnectionLost | 502 | `urn:polyport:error:connect-failed`, `…:connection-lost` |
| NoProvider, Overloaded | 503 with Retry-After | `urn:polyport:error:no-provider`, `…:overloaded` |
| DeadlineExceeded | 504 | `urn:polyport:error:deadline-exceeded` |
| an exception of the contract | 422, or what the method's route says | `urn:polyport:exception:<contract name>` |
| any other exception of the service | 500 | `urn:polyport:exception` |

Members beside `type`, `title`, `status` and `detail`: `path`, where the value sits that does not fit
(`args[0].price`); `retry` and `exhausted` of the error (`gateway.model.errors.RpcError`), so that it is the same one at
the other end; `exception`, an object with `class`, `message` and the fields of the exception. Stack traces stay here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform.reader import compile_reader
from gateway.jsonform.writer import compile_writer
from gateway.model.call import Fault
from gateway.model.contract import MISSING, ServiceContract, StructType
from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.instance import new_exception
from gateway.model.typeref import Kind, TypeRef

__all__ = [
    "ERROR_TYPE",
    "EXCEPTION_STATUS",
    "EXCEPTION_TYPE",
    "FAILURE_STATUS",
    "STATUS",
    "TITLES",
    "ExceptionForms",
    "error_of_status",
    "error_of_type",
    "fault_of_exception",
    "plain_text",
    "problem_of",
    "problem_of_fault",
    "status_of",
]

ERROR_TYPE: Final = "urn:polyport:error:"
EXCEPTION_TYPE: Final = "urn:polyport:exception"
EXCEPTION_STATUS: Final = 422
"""Of an exception that the contract declares, where no route says otherwise."""
FAILURE_STATUS: Final = 500
"""Of an exception that the contract does not know, and of an answer that cannot be written."""

STATUS: Final[Mapping[type[RpcError], int]] = MappingProxyType(
    {
        BadRequest: 400,
        Unauthenticated: 401,
        Forbidden: 403,
        NoSuchService: 404,
        NoSuchMethod: 404,
        ProviderFailed: 502,
        ConnectFailed: 502,
        ConnectionLost: 502,
        NoProvider: 503,
        Overloaded: 503,
        DeadlineExceeded: 504,
    }
)
TITLES: Final[Mapping[type[RpcError], str]] = MappingProxyType(
    {
        BadRequest: "The call does not fit the contract",
        Unauthenticated: "No or wrong credentials",
        Forbidden: "Not allowed",
        NoSuchService: "No such service",
        NoSuchMethod: "No such method",
        ProviderFailed: "The provider could not serve the call",
        ConnectFailed: "The provider could not be reached",
        ConnectionLost: "The connection to the provider broke",
        NoProvider: "No provider",
        Overloaded: "Too busy",
        DeadlineExceeded: "No answer in time",
    }
)
_BY_CODE: Final = {each.code: each for each in STATUS}
_RETRIES: Final = {each.value: each for each in Retry}

# What a status means that came without a problem document of ours; what is missing is BadRequest below 500.
_BY_STATUS: Final[Mapping[int, type[RpcError]]] = MappingProxyType(
    {
        401: Unauthenticated,
        403: Forbidden,
        404: NoSuchMethod,
        405: NoSuchMethod,
        407: Unauthenticated,
        408: DeadlineExceeded,
        410: NoSuchMethod,
        425: Overloaded,
        429: Overloaded,
        501: NoSuchMethod,
        503: Overloaded,
        504: DeadlineExceeded,
    }
)
_MAX_TEXT: Final = 2_000
"""Characters of an error's text that are sent or kept."""


class ExceptionForms:
    """The exceptions of one contract as the member `exception` of a problem document. None: a service without one.

    `wire`: the same contract under the names that fields have on the wire, where those are others.
    """

    __slots__ = ("_contract", "_readers", "_wire", "_writers")

    def __init__(self, contract: ServiceContract | None, wire: ServiceContract | None = None) -> None:
        self._contract: Final = contract
        self._wire: Final = wire or contract
        self._writers: dict[str, Callable[[Any], Any]] = {}
        self._readers: dict[str, Callable[[Any], Any]] = {}

    def struct(self, name: str) -> StructType | None:
        """The contract's exception of this name."""
        found = None if self._contract is None else self._contract.types.get(name)
        return found if isinstance(found, StructType) and found.is_exception else None

    def write(self, fault: Fault) -> dict[str, Any]:
        """The member `exception` for a decoded fault.

        Raises:
            ValueMappingError: a field does not fit the contract, or is missing; `path` says which.
        """
        struct = self.struct(fault.type_name) if fault.declared else None
        if struct is None:
            message = fault.message
            return {"class": plain_text(fault.type_name), "message": None if message is None else _sendable(message)}
        assert self._wire is not None
        values: dict[str, Any] = {}
        for field in struct.fields:
            value = fault.fields.get(field.name, MISSING)
            if value is MISSING and (value := field.absent()) is MISSING:
                raise ValueMappingError(f"expected {field.type}, found nothing", f"{struct.name}.{field.name}")
            values[field.attribute] = value
        write = self._writers.get(struct.name)
        if write is None:
            write = compile_writer(TypeRef(Kind.EXCEPTION, name=struct.name), self._wire)
            self._writers[struct.name] = write
        try:
            written = write(new_exception(struct, fault.message, values))
        except ValueMappingError as exc:
            raise exc.within(struct.name) from None
        return {"class": struct.name, **written}

    def read(self, name: str, form: Mapping[str, Any]) -> Fault | None:
        """The declared fault that a member `exception` stands for; None where the contract has none of that name.

        Raises:
            ValueMappingError: it does not fit the contract's exception.
        """
        struct = self.struct(name)
        if struct is None:
            return None
        assert self._wire is not None
        read = self._readers.get(struct.name)
        if read is None:
            read = compile_reader(TypeRef(Kind.EXCEPTION, name=name), self._wire, ignore_unknown=True)
            self._readers[name] = read
        exception = read({key: value for key, value in form.items() if key != "class" or _has_class(struct)})
        fields = {field.name: getattr(exception, field.attribute) for field in struct.fields}
        return Fault(name, exception.args[0] if exception.args else None, fields, declared=True)


def status_of(error: RpcError) -> int:
    """The status that stands for an error."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), FAILURE_STATUS)


def problem_of(error: RpcError, status: int | None = None, path: str = "") -> dict[str, Any]:
    """The document for an error. `status`: where it is not the usual one. `path`: of the value that is to blame."""
    kind = next((each for each in STATUS if isinstance(error, each)), ProviderFailed)
    document: dict[str, Any] = {
        "type": ERROR_TYPE + kind.code,
        "title": TITLES[kind],
        "status": status_of(error) if status is None else status,
        "detail": plain_text(str(error)),
    }
    if path:
        document["path"] = plain_text(path)
    document["retry"] = error.retry.value
    document["exhausted"] = error.exhausted
    return document


def problem_of_fault(fault: Fault, forms: ExceptionForms, status: int | None = None) -> dict[str, Any]:
    """The document for an exception. `status`: what the method's route says, for one that the contract declares.

    Raises:
        ValueMappingError: as `ExceptionForms.write`.
    """
    form = forms.write(fault)
    known = fault.declared and forms.struct(fault.type_name) is not None
    document: dict[str, Any] = {
        "type": f"{EXCEPTION_TYPE}:{fault.type_name}" if known else EXCEPTION_TYPE,
        "title": form["class"],
        "status": (EXCEPTION_STATUS if status is None else status) if known else FAILURE_STATUS,
    }
    if fault.message is not None:
        document["detail"] = plain_text(fault.message)
    document["exception"] = form
    return document


def error_of_status(status: int, detail: str) -> RpcError:
    """What a status means that came without a document of ours. `detail`: what the server said, may be empty."""
    kind = _BY_STATUS.get(status, BadRequest if 400 <= status < 500 else ProviderFailed)
    shown = plain_text(detail)
    return kind(f"status {status}: {shown}" if shown else f"status {status}")


def error_of_type(kind: str, members: Mapping[str, Any]) -> RpcError | None:
    """The error that a `type` of ours names, with the members that go with it; None for another type."""
    named = _BY_CODE.get(kind.removeprefix(ERROR_TYPE)) if kind.startswith(ERROR_TYPE) else None
    if named is None:
        return None
    detail, retry = members.get("detail"), members.get("retry")
    return named(
        plain_text(detail) if isinstance(detail, str) else named.code,
        retry=_RETRIES.get(retry) if isinstance(retry, str) else None,
        exhausted=members.get("exhausted") is True,
    )


def fault_of_exception(kind: str, form: Any, forms: ExceptionForms) -> Fault | None:
    """The exception that a `type` of ours names; None for another type. `form`: the member `exception`.

    A declared exception whose fields do not fit the contract is an undeclared one: that it was raised is still true.
    """
    known, _, name = kind.partition(f"{EXCEPTION_TYPE}:")
    if (kind != EXCEPTION_TYPE and (known or not name)) or not isinstance(form, Mapping):
        return None
    if name:
        try:
            if (fault := forms.read(name, form)) is not None:
                return fault
        except ValueMappingError:
            pass
    named, message = form.get("class"), form.get("message")
    return Fault(
        named if isinstance(named, str) and named else name or "Exception",
        message if isinstance(message, str) else None,
    )


def plain_text(text: str) -> str:
    """An error's text as JSON can carry it, cut where it gets long."""
    if len(text) > _MAX_TEXT:
        text = text[:_MAX_TEXT] + " …"
    return _sendable(text)


def _sendable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _has_class(struct: StructType) -> bool:
    return any(field.name == "class" for field in struct.fields)
