"""webservice:// called by a contract: gateways of this kind, and services whose WSDL looks as ours does.

`POST {path}` with an envelope of the version that the reference says; whatever version the answer has is read. `{path}`
is what the reference says, else what the provider's URL says, else `/[group/]interface[:version]`. Services that were
not made from the contract are called when their names agree with it: namespace, operations, parameters
(`protocols.soap.names`). A service that has a WSDL of its own is called by `protocols.soap.foreign.client`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from gateway.model.call import NO_ATTACHMENTS, Attachments, Invocation, Ok
from gateway.model.contract import MISSING, ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import (
    ContractError,
    LocalWireError,
    NoSuchService,
    ProviderFailed,
    Retry,
    RpcError,
    ValueMappingError,
)
from protocols.contract import Outcome
from protocols.http.context import read_reply_attachments, request_headers, token_headers
from protocols.http.credentials import credential_fields
from protocols.http.extra_fields import announced_path, parse_base_path, read_extra_fields
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http_json.problem import error_of_status, plain_text
from protocols.soap import media
from protocols.soap.context import CONTEXT_BLOCK, ContextBlock, write_header
from protocols.soap.document import DEFAULT_XML_LIMITS, Document, Frame, XmlError, XmlLimits, shown_name, to_utf8
from protocols.soap.envelope import V11, V12, VERSIONS, Envelope, Refusal, Version
from protocols.soap.fault import FaultFrame
from protocols.soap.names import QUALIFIED, SEPARATOR, SOAP_11, SOAP_12, expanded, response_name, target_namespace
from protocols.soap.service import Operation, Service

__all__ = ["ClientOptions", "SoapClientBinding"]

_NO_TEXTS: Final[Mapping[str, str]] = MappingProxyType({})
_FAULTS: Final = frozenset(expanded(each, "Fault") for each in (SOAP_11, SOAP_12))
_NOT_FOUND: Final = 404
_ANSWERED: Final = 300
_MAX_DETAIL: Final = 2_000


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What one reference says about its providers.

    `version`: of SOAP, `1.1` or `1.2`. `path`: where calls go, empty for the path of this module. `namespace`: empty
    for that of the contract's name. `form`: one of `protocols.soap.names.FORMS`. `send_action`: whether operations are
    named by their SOAPAction as well. `send_context`: whether attachments, the wait and our name are told. `headers`:
    further fields of every request of HTTP. `max_request_bytes`: of a body.
    """

    version: str = V11.name
    path: str = ""
    namespace: str = ""
    form: str = QUALIFIED
    send_action: bool = True
    send_context: bool = True
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS)
    api_key: str = ""
    bearer: str = ""
    basic: str = ""
    max_request_bytes: int = 8_388_608


class _Bound:
    """What the calls of one reference at one provider have in common. `fields`: of each operation, by its attribute."""

    __slots__ = ("address", "application", "fields", "path", "service", "token", "version")

    def __init__(
        self, address: str, application: str, service: Any, path: str, fields: Mapping[str, Headers], token: str,
        version: Version,
    ) -> None:  # fmt: skip
        self.address: Final = address
        self.application: Final = application
        self.service: Final = service
        self.path: Final = path
        self.fields: Final = fields
        self.token: Final = token
        self.version: Final = version


class SoapClientBinding:
    """See `protocols.http.binding.HttpClientBinding`. Contracts are compiled once, however many providers there are."""

    def __init__(self, options: ClientOptions, limits: XmlLimits = DEFAULT_XML_LIMITS) -> None:
        self._options = options
        self._limits = limits
        self._version = VERSIONS[options.version]
        self._services: dict[int, Any] = {}

    def bind(
        self, endpoint: Endpoint, service: ServiceKey, contract: ServiceContract | None, token: str, application: str
    ) -> Any:
        """See `HttpClientBinding.bind`. A token that was not announced with the provider is a bearer token as well,
        unless there is another secret."""
        options = self._options
        if contract is None:
            raise ContractError(f"{service}: a service on webservice:// is called by a contract")
        compiled = self._compiled(contract)
        version = self._version_for(contract)
        bearer = options.bearer
        if token != endpoint.parameters.get("token", "") and not (options.bearer or options.basic or options.api_key):
            bearer = token
        try:
            fields = credential_fields(options.api_key, bearer, options.basic) + read_extra_fields(options.headers)
            path = parse_base_path(options.path)
            if not path and endpoint.path:
                path = announced_path(endpoint.path)
            path = path or self._own_path(service, contract)
            token_headers(token)
        except ValueError as exc:
            raise ContractError(f"{service}: {exc}") from None
        accept = ("Accept", f"{version.media_type}, text/xml, */*;q=0.5")
        by_attribute = {
            attribute: Headers((*_action(operation, version, options.send_action), accept, *fields))
            for attribute, operation in compiled.by_attribute.items()
        }
        return _Bound(endpoint.address, application, compiled, path, by_attribute, token, version)

    def encode_call(self, bound: Any, invocation: Invocation, timeout_s: float | None) -> tuple[HttpRequest, Any]:
        """See `HttpClientBinding.encode_call`."""
        assert isinstance(bound, _Bound)
        options = self._options
        operation = _operation(bound.service, invocation)
        said: tuple[tuple[str, str], ...] = ()
        if options.send_context:
            said = request_headers(invocation, timeout_s, invocation.consumer or bound.application)
            said += token_headers(bound.token)
        elif invocation.traceparent is not None:
            said = request_headers(invocation.replace(attachments=NO_ATTACHMENTS), None, "")
        body = operation.write_request(bound.version, write_header(said), invocation.arguments())
        if len(body) > options.max_request_bytes:
            limit = options.max_request_bytes
            raise LocalWireError(f"the request of {len(body)} bytes exceeds the limit of {limit}")
        headers = bound.fields[operation.signature.attribute]
        return HttpRequest("POST", bound.path, "", headers, body), operation

    def decode_reply(self, bound: Any, ticket: Any, response: HttpResponse) -> Outcome:
        """See `HttpClientBinding.decode_reply`."""
        assert isinstance(bound, _Bound)
        try:
            outcome = self._outcome(bound.service, ticket, response)
        except RpcError as exc:
            outcome = exc
        if isinstance(outcome, RpcError):
            kind = type(outcome) if not isinstance(outcome, Refusal) else ProviderFailed
            return kind(f"{bound.address}: {outcome}", retry=outcome.retry, exhausted=outcome.exhausted)
        return outcome

    def _outcome(self, service: Any, operation: Any, response: HttpResponse) -> Outcome:
        if response.status < _ANSWERED and operation.signature.oneway:
            return Ok(None)
        content_type = Headers(response.headers).get("content-type")
        if not response.body or not media.is_xml(content_type) or not content_type:
            return _by_status(response, content_type)
        try:
            return self._read(service, operation, response.body, media.charset(content_type))
        except (XmlError, ValueMappingError, LookupError) as exc:
            if response.status >= _ANSWERED:
                return _by_status(response, "")
            text = exc.args[0] if isinstance(exc, LookupError) else exc
            why = f"the answer to {operation.name} does not fit its contract: {text}"
            raise ProviderFailed(why, retry=Retry.NEVER) from exc

    def _read(self, service: Any, operation: Any, body: bytes, charset: str) -> Outcome:
        """What an answer says. Raises `RpcError`, and what says that it does not fit."""
        reply = _Reply(service, operation)
        Document(reply.envelope, to_utf8(body, charset), self._limits).read()
        return reply.outcome()

    def _own_path(self, service: ServiceKey, contract: ServiceContract) -> str:
        """Where a service is when nobody says it."""
        return f"/{quote(str(service), safe='/:$')}"

    def _version_for(self, contract: ServiceContract) -> Version:
        """That of the calls of a contract."""
        return self._version

    def _compiled(self, contract: ServiceContract) -> Any:
        found = self._services.get(id(contract))
        # The service keeps its contract, so that no other gets its id.
        if found is None:
            found = self._services[id(contract)] = self._compile(contract)
        return found

    def _compile(self, contract: ServiceContract) -> Any:
        """Service and operations of a contract, with names and members of `protocols.soap.service`."""
        namespace = self._options.namespace or target_namespace(contract.name)
        return Service(contract, namespace, self._options.form)


class _Reply:
    """An answer that is being read (`protocols.soap.envelope.Visitor`)."""

    __slots__ = ("_context", "_fault", "_operation", "_service", "_value", "envelope")

    def __init__(self, service: Service, operation: Operation) -> None:
        self._service = service
        self._operation = operation
        self._context: ContextBlock | None = None
        self._fault: FaultFrame | None = None
        self._value: Any = MISSING
        self.envelope: Final = Envelope(self)

    def block(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame | None:
        """See `Visitor.block`."""
        if name != CONTEXT_BLOCK:
            return None
        self._context = ContextBlock()
        return self._context

    def operation(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Visitor.operation`."""
        if name in _FAULTS:
            self._fault = FaultFrame(self._service.exceptions)
            return self._fault
        expected = response_name(self._operation.name)
        if name.rpartition(SEPARATOR)[2] != expected:
            raise ValueMappingError(f"expected {expected}, found {shown_name(name)}")
        return self._operation.result.frame(None, attributes, document)

    def settle(self, value: Any) -> None:
        """See `Visitor.settle`."""
        if self._fault is None:
            self._value = value

    def outcome(self) -> Outcome:
        """What was read, once all of it was.

        Raises:
            RpcError: it says that there is no answer.
        """
        attachments: Attachments = NO_ATTACHMENTS
        if self._context is not None:
            attachments = read_reply_attachments(Headers(self._context.fields))
        if self._fault is not None:
            return self._fault.outcome(self._service.contract, attachments)
        if self._value is MISSING:
            raise ProviderFailed("the answer's body is empty", retry=Retry.NEVER)
        return Ok(self._value, attachments)


def _action(operation: Any, version: Version, told: bool) -> tuple[tuple[str, str], ...]:
    """The type of the content, and what the operation is called. `told`: not left out."""
    action = operation.action if told else ""
    if version is V12:
        said = f'; action="{action}"' if told else ""
        return (("Content-Type", f"{version.content_type}{said}"),)
    return (("Content-Type", version.content_type), ("SOAPAction", f'"{action}"'))


def _operation(service: Any, invocation: Invocation) -> Any:
    signature = invocation.signature
    if signature is not None:
        found = service.by_attribute.get(signature.attribute)
    else:
        overloads = service.contract.overloads(invocation.method)
        found = service.by_attribute[overloads[0].attribute] if len(overloads) == 1 else None
    if found is None:
        raise ValueMappingError(f"the contract {service.contract.name} of this reference has no such method")
    return found


def _by_status(response: HttpResponse, content_type: str) -> RpcError:
    """A server that broke the protocol, or something in front of it. Its text may be a whole page."""
    if response.status < 400:
        return ProviderFailed(f"status {response.status} without an envelope", retry=Retry.NEVER)
    is_text = content_type.startswith("text/plain")
    detail = response.body[:_MAX_DETAIL].decode("utf-8", "replace").strip() if is_text else ""
    if response.status == _NOT_FOUND:
        # A path is a service here, never a method.
        return NoSuchService(f"status {response.status}: {plain_text(detail)}")
    return error_of_status(response.status, detail)
