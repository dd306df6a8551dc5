"""hessian:// called: gateways of this kind, Caucho's servlet, Dubbo's providers, and servers in other languages.

`POST {path}` with a call in one of the envelopes of `protocols.hessian_http.envelope`; whatever envelope the reply has
is read. `{path}` is what the reference says, else what the provider's URL says with `?group=…&version=…`, which is
`/{interface}` where Dubbo's providers have no context path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, urlencode

from gateway.model.call import Invocation, Ok
from gateway.model.contract import ServiceContract
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
from protocols import java
from protocols.contract import Outcome
from protocols.dubbo.attachments import ADDRESSING
from protocols.dubbo.service import MethodBinding
from protocols.generic_call import generic_call
from protocols.hessian.caucho import CAUCHO, caucho_dialect
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer
from protocols.hessian_http.call import OLD_END, begin_call
from protocols.hessian_http.caller import DUBBO_PREFIX
from protocols.hessian_http.envelope import CONTENT_TYPE, Envelope
from protocols.hessian_http.fault import read_fault
from protocols.hessian_http.from_hessian1 import Layouts
from protocols.hessian_http.mangling import counted_name, mangled_name
from protocols.hessian_http.reply import FaultReply, read_reply
from protocols.hessian_http.service import compile_methods, java_types
from protocols.hessian_http.to_hessian1 import to_hessian1
from protocols.http.context import read_reply_attachments, request_headers, token_headers
from protocols.http.credentials import credential_fields
from protocols.http.extra_fields import announced_path, parse_base_path, read_extra_fields
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http_json.problem import error_of_status, plain_text
from protocols.reader import Limits

__all__ = ["COUNTED", "MANGLED", "PLAIN", "ClientOptions", "HessianClientBinding"]

MANGLED: Final = "mangled"
COUNTED: Final = "counted"
PLAIN: Final = "plain"

_NO_TEXTS: Final[Mapping[str, str]] = MappingProxyType({})
_FIELDS: Final = (("Content-Type", CONTENT_TYPE), ("Accept", f"{CONTENT_TYPE}, */*;q=0.5"))
_MAX_DETAIL: Final = 2_000
_NOT_FOUND: Final = 404
"""RFC 3986, section 3.3; what is percent-encoded stays so."""
_SAID_BY_DUBBO: Final = frozenset({"release", "pid"})
"""Java providers announce both, or the second where they are older than 2.7; nobody else does.

Source: apache/dubbo: dubbo-config/.../ServiceConfig.java, AbstractInterfaceConfig.java (`appendRuntimeParameters`).
"""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What one reference says about its providers.

    `envelope`: how calls are written. `path`: where they go, empty for the path of this module. `overloads`: how
    methods are called that share a name (`protocols.hessian_http.mangling`); all others have their Java name.
    `plain_time`, `decimal_text`: as `caucho_dialect`. `send_context`: whether attachments, the wait and our name are
    told. `dubbo_fields`: tell them as Dubbo does, too; None does so where a registry says that a provider is Dubbo's.
    `headers`: further fields of every request. `max_request_bytes`: of a body, and of a reply's values.
    """

    envelope: Envelope = Envelope.HESSIAN_2
    path: str = ""
    overloads: str = MANGLED
    plain_time: bool = False
    decimal_text: bool = False
    send_context: bool = True
    dubbo_fields: bool | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS)
    api_key: str = ""
    bearer: str = ""
    basic: str = ""
    max_request_bytes: int = 8_388_608


class _Method:
    """A method as it is called. `head`: what stands before its arguments."""

    __slots__ = ("binding", "head")

    def __init__(self, binding: MethodBinding, head: bytes) -> None:
        self.binding: Final = binding
        self.head: Final = head


class _Bound:
    """What the calls of one reference at one provider have in common. `methods`: by attribute, if it has a contract."""

    __slots__ = ("address", "application", "contract", "dubbo_fields", "fields", "methods", "path", "query", "token")

    def __init__(
        self,
        endpoint: Endpoint,
        application: str,
        contract: ServiceContract | None,
        methods: Mapping[str, _Method] | None,
        target: tuple[str, str],
        fields: tuple[tuple[str, str], ...],
        dubbo_fields: bool,
        token: str,
    ) -> None:
        self.address: Final = endpoint.address
        self.application: Final = application
        self.contract: Final = contract
        self.methods: Final = methods
        self.path, self.query = target
        self.fields: Final = fields
        self.dubbo_fields: Final = dubbo_fields
        self.token: Final = token


class HessianClientBinding:
    """See `protocols.http.binding.HttpClientBinding`. Contracts are compiled once, however many providers there are."""

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._limits = Limits(max_frame_bytes=options.max_request_bytes)
        self._layouts = Layouts()
        plain = options.plain_time or options.decimal_text
        self._dialect = (
            caucho_dialect(plain_time=options.plain_time, decimal_text=options.decimal_text) if plain else CAUCHO
        )
        self._services: dict[int, tuple[ServiceContract, Mapping[str, _Method]]] = {}

    def bind(
        self, endpoint: Endpoint, service: ServiceKey, contract: ServiceContract | None, token: str, application: str
    ) -> Any:
        """See `HttpClientBinding.bind`. A token that was not announced with the provider is a bearer token as well,
        unless there is another secret."""
        options = self._options
        methods = None if contract is None else self._compiled(contract)
        bearer = options.bearer
        if token != endpoint.parameters.get("token", "") and not (options.bearer or options.basic or options.api_key):
            bearer = token
        try:
            fields = _FIELDS + credential_fields(options.api_key, bearer, options.basic)
            fields += read_extra_fields(options.headers)
            if options.send_context:
                fields += token_headers(token)
            path = parse_base_path(options.path)
            target = (path, "") if path else _target(service, contract, endpoint.path)
        except ValueError as exc:
            raise ContractError(f"{service}: {exc}") from None
        dubbo_fields = options.dubbo_fields
        if dubbo_fields is None:
            dubbo_fields = not _SAID_BY_DUBBO.isdisjoint(endpoint.parameters)
        return _Bound(endpoint, application, contract, methods, target, fields, dubbo_fields, token)

    def encode_call(self, bound: Any, invocation: Invocation, timeout_s: float | None) -> tuple[HttpRequest, Any]:
        """See `HttpClientBinding.encode_call`."""
        assert isinstance(bound, _Bound)
        options = self._options
        fields = bound.fields
        consumer = invocation.consumer or bound.application
        if options.send_context:
            fields += request_headers(invocation, timeout_s, consumer)
            if bound.dubbo_fields:
                fields += _dubbo_fields(invocation, timeout_s, consumer, bound.token)
        elif invocation.traceparent is not None:
            fields += request_headers(invocation.replace(attachments={}), None, "")
        method = None if bound.methods is None else _method(bound, invocation)
        writer = Writer(self._limits, dialect=self._dialect)
        if method is not None:
            head = method.head
            method.binding.write_arguments(writer, invocation.arguments())
        else:
            name, values = generic_call(invocation)
            head = begin_call(options.envelope, name, len(values))
            _write_all(writer, values)
        written = writer.finish()
        if options.envelope.old_call:
            body = head + to_hessian1(written, self._limits) + OLD_END
        else:
            body = head + written
        if len(body) > options.max_request_bytes:
            limit = options.max_request_bytes
            raise LocalWireError(f"the request of {len(body)} bytes exceeds the limit of {limit}")
        return HttpRequest("POST", bound.path, bound.query, Headers(fields), body), method

    def decode_reply(self, bound: Any, ticket: Any, response: HttpResponse) -> Outcome:
        """See `HttpClientBinding.decode_reply`."""
        assert isinstance(bound, _Bound)
        try:
            return self._outcome(bound, ticket, response)
        except RpcError as exc:
            return type(exc)(f"{bound.address}: {exc}", retry=exc.retry, exhausted=exc.exhausted)

    def _outcome(self, bound: _Bound, method: _Method | None, response: HttpResponse) -> Outcome:
        if response.status != 200:
            return _by_status(response)
        attachments = read_reply_attachments(Headers(response.headers))
        binding = None if method is None else method.binding
        definitions = None if binding is None else binding.definitions

        def make_reader(data: bytes, pos: int) -> Reader:
            return Reader(data, pos, None, self._limits, definitions)

        try:
            value = read_reply(
                response.body,
                make_reader,
                Reader.read if binding is None else binding.read_result,
                Reader.read if binding is None else binding.read_exception,
                self._limits,
                self._layouts,
            )
            if type(value) is FaultReply:
                return read_fault(value, bound.contract, attachments)
        except (HessianError, ValueMappingError) as exc:
            name = "the call" if binding is None else binding.java_name
            raise ProviderFailed(f"the answer to {name} does not fit its contract: {exc}", retry=Retry.NEVER) from exc
        return Ok(value, attachments)

    def _compiled(self, contract: ServiceContract) -> Mapping[str, _Method]:
        # The contract is kept, so that no other gets its id.
        _, found = self._services.get(id(contract), (None, None))
        if found is None:
            envelope = self._options.envelope
            found = {
                each.signature.attribute: _Method(
                    each, begin_call(envelope, self._name(each, contract), len(each.signature.params))
                )
                for each in compile_methods(contract, self._dialect)
            }
            self._services[id(contract)] = (contract, found)
        return found

    def _name(self, method: MethodBinding, contract: ServiceContract) -> str:
        name, overloads = method.java_name, self._options.overloads
        sharing = [each for each in contract.methods if java.method_name(each) == name]
        if len(sharing) == 1 or overloads == PLAIN:
            return name
        if overloads == COUNTED:
            return counted_name(name, len(method.signature.params))
        return mangled_name(name, java_types(method.signature, contract, self._dialect))


def _target(service: ServiceKey, contract: ServiceContract | None, announced: str) -> tuple[str, str]:
    """Path and query. `announced`: `Endpoint.path`. Raises ValueError for one that no request can have."""
    if announced:
        path = announced_path(announced)
    else:
        interface = service.interface
        if contract is not None and interface == contract.name:
            interface = java.interface_name(contract)
        path = "/" + quote(interface, safe="/:$")
    said = {"group": service.group, "version": service.version}
    return path, urlencode({name: value for name, value in said.items() if value})


def _method(bound: _Bound, invocation: Invocation) -> _Method:
    methods, contract, signature = bound.methods, bound.contract, invocation.signature
    assert methods is not None
    assert contract is not None
    if signature is not None:
        found = methods.get(signature.attribute)
    else:
        overloads = contract.overloads(invocation.method)
        found = methods[overloads[0].attribute] if len(overloads) == 1 else None
    if found is None:
        raise ValueMappingError(f"the contract {contract.name} of this reference has no such method")
    return found


def _write_all(writer: Writer, arguments: Sequence[Any]) -> None:
    index = 0
    try:
        for value in arguments:
            writer.write(value)
            index += 1
    except ValueMappingError as exc:
        raise exc.within(f"args[{index}]") from None


def _dubbo_fields(
    invocation: Invocation, timeout_s: float | None, consumer: str, token: str
) -> tuple[tuple[str, str], ...]:
    """What a provider of Dubbo's reads. Attachments that no header field can hold as they are stay ours alone."""
    said: dict[str, Any] = {
        **{key: value for key, value in invocation.attachments.items() if key not in ADDRESSING},
        "remote.application": consumer,
        "token": token,
        "timeout": "" if timeout_s is None else str(max(1, int(timeout_s * 1000))),
        "traceparent": invocation.traceparent or "",
    }
    fields: list[tuple[str, str]] = []
    for key, value in said.items():
        try:
            fields += read_extra_fields({f"{DUBBO_PREFIX}{key}": value}) if value else ()
        except (ValueError, TypeError):
            continue
    return tuple(fields)


def _by_status(response: HttpResponse) -> RpcError:
    """A server that broke the protocol, or something in front of it. Its text may be a whole page."""
    if response.status < 400:
        return ProviderFailed(f"unexpected status {response.status}", retry=Retry.NEVER)
    is_text = any(name.lower() == "content-type" and value.startswith("text/plain") for name, value in response.headers)
    detail = response.body[:_MAX_DETAIL].decode("utf-8", "replace").strip() if is_text else ""
    if response.status == _NOT_FOUND:
        # A path is a service here, never a method.
        return NoSuchService(f"status {response.status}: {plain_text(detail)}")
    return error_of_status(response.status, plain_text(detail))
