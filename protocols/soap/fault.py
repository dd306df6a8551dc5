"""Faults: exceptions of the service and errors of the call machinery, and what a fault of another server means.

| what | code in 1.1 (1.2) | text | detail |
| --- | --- | --- | --- |
| an exception of the contract | `Server` (`Receiver`) | its text | an element of its type, as the WSDL declares it |
| any other exception of the service | `Server` (`Receiver`) | class and text | `p:exception` with class and text |
| BadRequest, NoSuchMethod, NoSuchService, Unauthenticated, Forbidden | `Client` (`Sender`) | its text | `p:error` |
| any other error | `Server` (`Receiver`) | its text | `p:error` |
| another version of SOAP | `VersionMismatch` | | none; in 1.2 a block `Upgrade` |
| a header block that must be understood and is not | `MustUnderstand` | | none; in 1.2 blocks `NotUnderstood` |

`p` is `urn:polyport:soap`. `p:error` has the attributes `code`, `retry` and `exhausted`
(`gateway.model.errors.RpcError`), so that it is the same error at the other end; in 1.2 the code is the subcode, too.
A text that XML has no form for is sent readable, and exactly as JSON in `p:text`. Stack traces stay here.

A declared exception whose detail has no text has that of the fault, unless that is the name of its class.
A fault of a server that says nothing of this is an exception of the service called by its code, but for
`VersionMismatch`, `MustUnderstand` and `DataEncodingUnknown`, which say that the call did not fit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from gateway.model.call import Attachments, Fault
from gateway.model.contract import ServiceContract, StructType
from gateway.model.errors import (
    RPC_ERRORS,
    BadRequest,
    Forbidden,
    NoSuchMethod,
    NoSuchService,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
)
from protocols.http_json.problem import plain_text
from protocols.soap.document import Document, Frame, Skip
from protocols.soap.envelope import V12, Refusal, Version
from protocols.soap.frames import Plan, Slot, open_slot
from protocols.soap.names import CONTEXT, SEPARATOR, expanded
from protocols.soap.text import BLANKS, escape_attribute, readable

__all__ = ["FaultFrame", "clean_text", "error_detail", "exception_detail", "fault_code", "text_detail", "write_fault"]

_CLIENT: Final = (BadRequest, NoSuchMethod, NoSuchService, Unauthenticated, Forbidden)
_SENDER: Final = {"Client": "Sender", "Server": "Receiver"}
_RETRIES: Final = {each.value: each for each in Retry}
_NOT_FITTING: Final = frozenset({"VersionMismatch", "MustUnderstand", "DataEncodingUnknown"})
_ERROR: Final = expanded(CONTEXT, "error")
_EXCEPTION: Final = expanded(CONTEXT, "exception")
_TEXT: Final = expanded(CONTEXT, "text")
_MAX_TEXT: Final = 65_536
_TEXTS: Final = frozenset({"faultcode", "faultstring", "Code/Value", "Code/Subcode/Value", "Reason/Text"})


def fault_code(error: RpcError) -> str:
    """The code of an error in SOAP 1.1."""
    if isinstance(error, Refusal):
        return error.fault
    return "Client" if isinstance(error, _CLIENT) else "Server"


def error_detail(error: RpcError) -> tuple[str, str]:
    """The detail for an error, and its code as a subcode."""
    kind = next((each for each in RPC_ERRORS.values() if isinstance(error, each)), ProviderFailed)
    attributes = f'code="{kind.code}" retry="{error.retry.value}" exhausted="{str(error.exhausted).lower()}"'
    return f'<p:error xmlns:p="{CONTEXT}" {attributes}/>', kind.code


def exception_detail(fault: Fault) -> str:
    """The detail for an exception that the contract does not know."""
    text = "" if fault.message is None else f' message="{escape_attribute(clean_text(fault.message))}"'
    return f'<p:exception xmlns:p="{CONTEXT}" class="{escape_attribute(clean_text(fault.type_name))}"{text}/>'


def text_detail(message: str | None) -> str:
    """What goes beside an exception whose text XML has no form for; empty for all others."""
    if message is None or clean_text(message) == message:
        return ""
    return f'<p:text xmlns:p="{CONTEXT}">{readable(json.dumps(message))}</p:text>'


def write_fault(version: Version, code: str, text: str, detail: str = "", subcode: str = "") -> str:
    """The element. `code`: as in SOAP 1.1."""
    shown = readable(text)
    if version is not V12:
        inside = f"<detail>{detail}</detail>" if detail else ""
        return f"<soap:Fault><faultcode>soap:{code}</faultcode><faultstring>{shown}</faultstring>{inside}</soap:Fault>"
    sub = ""
    if subcode:
        sub = f'<soap:Subcode><soap:Value xmlns:p="{CONTEXT}">p:{subcode}</soap:Value></soap:Subcode>'
    inside = f"<soap:Detail>{detail}</soap:Detail>" if detail else ""
    return (
        f"<soap:Fault><soap:Code><soap:Value>soap:{_SENDER.get(code, code)}</soap:Value>{sub}</soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="en">{shown}</soap:Text></soap:Reason>{inside}</soap:Fault>'
    )


def clean_text(text: str) -> str:
    """A text without what XML has no form for."""
    shown = readable(text)
    # Without markup the readable form is the text itself.
    if shown == text:
        return text
    return "".join("\ufffd" if readable(each) == "\ufffd" else each for each in text)


class FaultFrame(Frame):
    """A fault of either version while it is read. `exceptions`: how declared ones are read, by expanded name."""

    __slots__ = ("declared", "error", "exact", "exceptions", "named", "texts")

    def __init__(self, exceptions: Mapping[str, tuple[StructType, Plan]]) -> None:
        super().__init__()
        self.exceptions: Final = exceptions
        self.texts: Final[dict[str, str]] = {}
        self.declared: tuple[StructType, Any] | None = None
        self.error: Mapping[str, str] | None = None
        self.named: Mapping[str, str] | None = None
        self.exact: str | None = None

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Frame.open`."""
        local = _local_name(name)
        return _Detail(self) if local in ("detail", "Detail") else _Part(self, local)

    def outcome(self, contract: ServiceContract | None, attachments: Attachments) -> Fault | RpcError:
        """What the fault means, once it was read."""
        code = (self.texts.get("faultcode") or self.texts.get("Code/Subcode/Value") or "").rpartition(":")[2]
        base = (self.texts.get("faultcode") or self.texts.get("Code/Value") or "").rpartition(":")[2]
        text = self.texts.get("faultstring") or self.texts.get("Reason/Text") or ""
        if self.error is not None and (kind := RPC_ERRORS.get(self.error.get("code", ""))) is not None:
            exhausted = self.error.get("exhausted") == "true"
            return kind(
                plain_text(text) or kind.code, retry=_RETRIES.get(self.error.get("retry", "")), exhausted=exhausted
            )
        if self.declared is not None:
            struct, exception = self.declared
            fields = {field.name: getattr(exception, field.attribute) for field in struct.fields}
            message = exception.args[0] if exception.args else _said(text, struct)
            exact = message if self.exact is None else self.exact
            return Fault(struct.name, exact, fields, declared=True, attachments=attachments)
        if self.named is not None:
            message = self.named.get("message") if self.exact is None else self.exact
            return Fault(self.named.get("class") or "Exception", message, attachments=attachments)
        if base in _NOT_FITTING:
            return BadRequest(f"{base}: {plain_text(text)}")
        return Fault(code or base or "Server", text or None, attachments=attachments)


def _said(text: str, struct: StructType) -> str | None:
    """The text of an exception whose detail has none. Null is written as the name of the class."""
    return text if text and text != struct.name else None


class _Part(Frame):
    __slots__ = ("fault", "path")
    holds_text = True

    def __init__(self, fault: FaultFrame, path: str) -> None:
        super().__init__()
        self.fault: Final = fault
        self.path: Final = path

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        return _Part(self.fault, f"{self.path}/{_local_name(name)}")

    def close(self, text: str) -> Any:
        if text and self.path in _TEXTS:
            # The first of several languages, as the server prefers it.
            self.fault.texts.setdefault(self.path, text[:_MAX_TEXT].strip(BLANKS))
        return None


class _Detail(Frame):
    __slots__ = ("fault",)
    holds_text = True

    def __init__(self, fault: FaultFrame) -> None:
        super().__init__()
        self.fault: Final = fault

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        fault = self.fault
        known = fault.exceptions.get(name)
        if known is not None and fault.declared is None:
            struct, plan = known
            slot = Slot(plan, struct.name, struct.name, nillable=False, repeated=False)
            frame = open_slot(slot, attributes, document)
            frame.slot = struct
            return frame
        if name == _TEXT:
            return _Exact(fault)
        if name == _ERROR:
            fault.error = dict(attributes)
        elif name == _EXCEPTION:
            fault.named = dict(attributes)
        return Skip()

    def take(self, slot: Any, value: Any) -> None:
        if isinstance(slot, StructType):
            self.fault.declared = (slot, value)

    def close(self, text: str) -> Any:
        return None

    def place(self, child: Frame) -> str:
        return child.slot.name if isinstance(child.slot, StructType) else ""


class _Exact(Frame):
    __slots__ = ("fault",)
    holds_text = True

    def __init__(self, fault: FaultFrame) -> None:
        super().__init__()
        self.fault: Final = fault

    def close(self, text: str) -> Any:
        try:
            exact = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if isinstance(exact, str):
            self.fault.exact = exact
        return None


def _local_name(name: str) -> str:
    return name.rpartition(SEPARATOR)[2]
