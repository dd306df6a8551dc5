"""The server's half of webservice:// (`protocols.http.binding.HttpBinding`): which request is which call.

| request | meaning |
| --- | --- |
| `POST /[group/]interface[:version]` | a call; the first element of the body says which, in both versions of SOAP |
| `GET` of the same with `?wsdl` | the WSDL, with the address it was asked at |
| `GET` with `?xsd` | the schema in it, alone |
| `GET` without a query | a page for people |
| `GET /` | the services there are |

SOAPAction and the parameter `action` are not looked at: what they say is in the body as well, and what a caller asks
for must not depend on whom it asks. An answer has status 200, one without a result to wait for 202, a fault that of its
version (`protocols.soap.envelope`). A message is read up to its operation, and the arguments when somebody needs them.
MTOM and attachments (`multipart/related`) are refused with 415.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault, Invocation, Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    BadRequest,
    ContractError,
    Forbidden,
    LocalWireError,
    NoSuchMethod,
    NoSuchService,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.exposure import Exposure
from protocols.contract import Outcome
from protocols.http.binding import HttpExchange
from protocols.http.context import reply_headers
from protocols.http.cross_site import refuse_site
from protocols.http.invocation import make_invocation
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http.unwritable import unwritable
from protocols.http_json.problem import error_of_status, plain_text
from protocols.soap import documents, media
from protocols.soap.context import CONTEXT_BLOCK, ContextBlock, merged, write_header
from protocols.soap.document import DEFAULT_XML_LIMITS, Document, Frame, XmlError, XmlLimits, shown_name, to_utf8
from protocols.soap.envelope import V11, V12, Envelope, Refusal, Version
from protocols.soap.fault import error_detail, fault_code, write_fault
from protocols.soap.names import PROTOCOL, QUALIFIED, SEPARATOR, SOAP_11, SOAP_12, target_namespace
from protocols.soap.security import SECURITY_BLOCK, SecurityBlock, TokenCheck
from protocols.soap.service import Operation, Service
from protocols.soap.text import escape_attribute

__all__ = ["SoapBinding", "service_path"]

_OK: Final[Mapping[Version, tuple[tuple[str, str], ...]]] = {
    version: (("Content-Type", version.content_type),) for version in (V11, V12)
}
_ALLOW: Final = (("Allow", "GET, HEAD, POST"),)
_MEMO: Final = "soap"
_SHOWN: Final = 100
_HTTP_OK: Final = 200
_ACCEPTED: Final = 202
_FAILED: Final = 500
_SENDER_STATUS: Final = 400
_UNAUTHENTICATED: Final = 401


def service_path(key: ServiceKey) -> str:
    """Where the calls of a service go, and its documents are."""
    return "/" + quote(str(key), safe="/:$")


class SoapBinding:
    """The services of a listener.

    `tokens`: what callers have to show, in header fields of HTTP or in a header block; None where nobody has to.
    `namespaces`: of services that have another one than their contract's name says, by service. `forms`: of services
    whose messages and WSDL have another one than `qualified`. `trusted`: says
    whether a peer (`host:port`) may say under which address it was asked. `max_reply_bytes`: of an answer.

    Raises:
        ContractError: a contract has no form here, or there is none.
    """

    def __init__(
        self,
        exposures: Sequence[Exposure],
        *,
        tokens: TokenCheck | None = None,
        namespaces: Mapping[ServiceKey, str] | None = None,
        forms: Mapping[ServiceKey, str] | None = None,
        limits: XmlLimits = DEFAULT_XML_LIMITS,
        max_reply_bytes: int = 8_388_608,
        trusted: Callable[[str], bool] | None = None,
    ) -> None:
        self.limits: Final = limits
        self._tokens: Final = tokens
        self.max_reply_bytes: Final = max_reply_bytes
        self._by_path: dict[str, tuple[ServiceKey, Service]] = {}
        for each in exposures:
            if each.contract is None:
                raise ContractError(f"{each.service} has no contract, and so no form on webservice://")
            namespace = (namespaces or {}).get(each.service) or target_namespace(each.contract.name)
            service = Service(each.contract, namespace, (forms or {}).get(each.service) or QUALIFIED)
            self._by_path[service_path(each.service)] = each.service, service
        self._documents = documents.Documents(
            {path: (str(key), service) for path, (key, service) in self._by_path.items()}, trusted
        )

    def decode_call(self, request: HttpRequest, now: float) -> HttpExchange | HttpResponse:
        """See `HttpBinding.decode_call`."""
        if request.method != "POST":
            if request.method == "GET":
                return self._documents.answer(request) or self._no_service(request)
            return self._refused(405, BadRequest("calls are made with POST"), _ALLOW)
        found = self._by_path.get(request.path)
        if found is None:
            return self._no_service(request)
        headers = request.headers
        said = headers.memo.get(_MEMO)
        if said is None:
            content_type = headers.get("content-type")
            said = headers.memo[_MEMO] = (
                refuse_site(headers),
                media.refusal(content_type),
                media.charset(content_type),
            )
        foreign, refusal, charset = said
        if foreign:
            return self._refused(403, Forbidden(foreign))
        if refusal:
            return self._refused(415, BadRequest(refusal))
        try:
            body = to_utf8(request.body, charset)
        except LookupError as exc:
            return self._refused(415, BadRequest(str(exc.args[0])))
        except XmlError as exc:
            return self._refused(400, BadRequest(str(exc)))
        key, service = found
        incoming = _Incoming(service, body, self.limits)
        tokens, name = self._tokens, ""
        try:
            if tokens is not None:
                name = tokens.shown_in(headers)
            operation = incoming.find()
            if tokens is not None:
                name = name or tokens.name_of(incoming.security)
            context = merged(headers, incoming.context.fields)
            if name and not context.consumer:
                context = replace(context, consumer=name)
            signature = operation.signature
            invocation = make_invocation(
                key, signature.name, incoming, signature, request, context, now, oneway=signature.oneway
            )
        except RpcError as exc:
            if tokens is not None and not name:
                # Strangers learn nothing else.
                unknown = exc if isinstance(exc, Unauthenticated) else Unauthenticated("this needs credentials")
                refused = self.error_response(incoming.version, unknown, refused=True)
                return HttpResponse(_UNAUTHENTICATED, refused.headers + tokens.challenge, refused.body, unknown)
            return self.error_response(incoming.version, exc, refused=True)
        return _Exchange(self, service, operation, invocation, incoming.version)

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        """See `HttpBinding.encode_refusal`. Nothing is known of the message, so it is a fault of SOAP 1.1."""
        error = error_of_status(status, reason)
        detail, _ = error_detail(error)
        fault = write_fault(V11, fault_code(error), plain_text(reason), detail)
        return HttpResponse(status, _OK[V11], _document(V11, fault))

    def error_response(self, version: Version, error: RpcError, *, refused: bool = False) -> HttpResponse:
        """The fault for a call without an answer. `refused`: it became none, for logs and counters."""
        code = fault_code(error)
        header = detail = subcode = ""
        if isinstance(error, Refusal) and error.fault != "Client":
            header = _refusal_header(version, error)
        else:
            detail, subcode = error_detail(error)
        fault = write_fault(version, code, plain_text(str(error)), detail, subcode)
        status = _SENDER_STATUS if version is V12 and code == "Client" else _FAILED
        return HttpResponse(status, _OK[version], _document(version, fault, header), error if refused else None)

    def checked(self, body: bytes) -> bytes:
        """The body of an answer. Raises LocalWireError for one that is too large."""
        if len(body) > self.max_reply_bytes:
            raise LocalWireError(f"the answer of {len(body)} bytes exceeds the limit of {self.max_reply_bytes}")
        return body

    def _no_service(self, request: HttpRequest) -> HttpResponse:
        return self._refused(404, NoSuchService(f"nothing has the path {request.path[:_SHOWN]!a}"))

    def _refused(self, status: int, error: RpcError, more: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
        detail, _ = error_detail(error)
        fault = write_fault(V11, fault_code(error), plain_text(str(error)), detail)
        return HttpResponse(status, _OK[V11] + more, _document(V11, fault), error)


class _Incoming:
    """A call that is being read (`gateway.model.call.RawArguments`, and `protocols.soap.envelope.Visitor`)."""

    __slots__ = (
        "_document",
        "_envelope",
        "_operation",
        "_problem",
        "_service",
        "_values",
        "context",
        "security",
        "wire",
    )

    def __init__(self, service: Service, body: bytes, limits: XmlLimits) -> None:
        self.wire = PROTOCOL
        self.context: Final = ContextBlock()
        self.security: Final = SecurityBlock()
        self._service = service
        self._operation: Operation | None = None
        self._values: tuple[Any, ...] | None = None
        self._problem: BadRequest | None = None
        self._envelope = Envelope(self)
        self._document: Document | None = Document(self._envelope, body, limits)

    @property
    def version(self) -> Version:
        """Of the envelope, as far as it is known."""
        return self._envelope.version or V11

    def find(self) -> Operation:
        """Reads up to the operation.

        Raises:
            RpcError: there is none, or the message ends before.
        """
        document = self._document
        assert document is not None
        self._read(document.read_some)
        while self._operation is None and self._problem is None and not document.at_end:
            self._read(document.read_some)
        if self._operation is None:
            raise self._problem or Refusal("Client", "the body holds no operation")
        return self._operation

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`."""
        document = self._document
        if document is not None:
            if self._problem is None:
                self._read(document.read)
            self._document = None
            if self._values is None and self._problem is None:
                self._problem = BadRequest("the message ends inside its operation")
        if self._problem is not None:
            raise self._problem
        assert self._values is not None
        return self._values

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`. Elements may come in any order, so all of them are read."""
        return self.decode()[:count]

    def _read(self, read: Callable[[], None]) -> None:
        try:
            read()
        except ValueMappingError as exc:
            operation = self._operation
            name = "" if operation is None else f"{operation.name}: "
            self._problem = BadRequest(f"{name}{exc}")
        except XmlError as exc:
            self._problem = BadRequest(f"the message cannot be read: {exc}")
        except BadRequest as exc:
            self._problem = exc

    def block(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame | None:
        """See `Visitor.block`."""
        if name == CONTEXT_BLOCK:
            return self.context
        return self.security if name == SECURITY_BLOCK else None

    def operation(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Visitor.operation`."""
        found = self._service.operations.get(name)
        if found is None:
            raise _no_operation(self._service, name)
        self._operation = found
        for each in attributes:
            if each.endswith(f"{SEPARATOR}encodingStyle"):
                raise BadRequest("SOAP encoding (rpc/encoded) is not read here, only document/literal")
        return found.arguments.frame(None, attributes, document)

    def settle(self, values: tuple[Any, ...]) -> None:
        """See `Visitor.settle`."""
        self._values = values


def _no_operation(service: Service, name: str) -> NoSuchMethod:
    local = name.rpartition(SEPARATOR)[2]
    if any(each.name == local for each in service.by_attribute.values()):
        return NoSuchMethod(f"{shown_name(name)} is no operation: its namespace is {service.namespace}")
    return NoSuchMethod(f"{service.contract.name} has no operation {shown_name(name)}")


class _Exchange:
    """One call (`HttpExchange`)."""

    __slots__ = ("_binding", "_operation", "_service", "_version", "calls")

    def __init__(
        self, binding: SoapBinding, service: Service, operation: Operation, invocation: Invocation, version: Version
    ) -> None:
        self.calls: Final = (invocation,)
        self._binding: Final = binding
        self._service: Final = service
        self._operation: Final = operation
        self._version: Final = version

    def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
        """See `HttpExchange.encode_reply`."""
        outcome, binding, version = outcomes[0], self._binding, self._version
        if outcome is None:
            return HttpResponse(_ACCEPTED)
        if isinstance(outcome, RpcError):
            return binding.error_response(version, outcome)
        try:
            if isinstance(outcome, Fault):
                fault = outcome.decoded()
                body = self._service.write_fault(version, _header(fault.attachments), fault)
                return HttpResponse(_FAILED, _OK[version], binding.checked(body))
            assert isinstance(outcome, Ok)
            value, attachments = outcome.value, outcome.attachments
            body = self._operation.write_response(version, _header(attachments), value)
            return HttpResponse(_HTTP_OK, _OK[version], binding.checked(body))
        except Exception as exc:  # a value's own code runs while it is written, and may raise anything
            return binding.error_response(version, unwritable(exc)[0])


def _header(attachments: Attachments) -> str:
    return "" if attachments is NO_ATTACHMENTS else write_header(reply_headers(attachments))


def _document(version: Version, fault: str, header: str = "") -> bytes:
    return f"{version.head}{header}<soap:Body>{fault}</soap:Body></soap:Envelope>".encode()


def _refusal_header(version: Version, refusal: Refusal) -> str:
    """What SOAP 1.2 says beside the two faults about the envelope itself (Part 1, sections 5.4.7 and 5.4.8)."""
    if refusal.fault == "VersionMismatch":
        supported = "".join(
            f'<up:SupportedEnvelope qname="e:Envelope" xmlns:e="{namespace}"/>' for namespace in (SOAP_12, SOAP_11)
        )
        # An unknown version is answered in 1.1, where this says no less.
        return f'<soap:Header><up:Upgrade xmlns:up="{SOAP_12}">{supported}</up:Upgrade></soap:Header>'
    if version is not V12:
        return ""
    blocks = "".join(
        f'<soap:NotUnderstood qname="n:{local}" xmlns:n="{escape_attribute(namespace)}"/>'
        for namespace, _, local in (each.rpartition(SEPARATOR) for each in refusal.blocks[:10])
        if namespace
    )
    return f"<soap:Header>{blocks}</soap:Header>"
