"""http:// called: contracts as JSON towards gateways of this kind, JSON-RPC servers and foreign REST services.

| style | a call is | answers |
| --- | --- | --- |
| `polyport` | `POST /{service}/{method}` with the arguments by name | a value; `application/problem+json` |
| `jsonrpc` | a request object of JSON-RPC 2.0, for a call without answer a notification | a response object |
| `rest` | whatever the method's route says (`protocols.http_json.route`) | a value by its content; any document |

`{method}` is the Python attribute, which is unique among overloads. A service without a contract is called in the first
two ways, by position, with values as `gateway.jsonform.generic` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from gateway.jsonform.text import format_json
from gateway.model.call import Invocation, Ok
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ContractError, LocalWireError, ProviderFailed, Retry, RpcError, ValueMappingError
from protocols.contract import Outcome
from protocols.generic_call import generic_call
from protocols.http.context import read_reply_attachments, request_headers, token_headers
from protocols.http.credentials import credential_fields
from protocols.http.extra_fields import parse_base_path, read_extra_fields
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http_json import media
from protocols.http_json.client_generic import generic_answer, generic_arguments
from protocols.http_json.client_route import RouteMethods
from protocols.http_json.client_rpc import RpcCalls
from protocols.http_json.client_service import ClientMethod, ClientService, content_type_of, parsed
from protocols.http_json.client_trouble import foreign_trouble, trouble
from protocols.http_json.route import Route

__all__ = ["JSON_RPC", "POLYPORT", "REST", "ClientOptions", "JsonClientBinding"]

POLYPORT: Final = "polyport"
JSON_RPC: Final = "jsonrpc"
REST: Final = "rest"

_NO_TEXTS: Final[Mapping[str, str]] = MappingProxyType({})
_NO_ROUTES: Final[Mapping[str, Route]] = MappingProxyType({})
_BODY_FIELDS: Final = (("Content-Type", media.JSON),)


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What one reference says about its providers.

    `style`: see the table of this module. `path`: what all paths begin with; for JSON-RPC the whole path, empty for
    `/{service}`. `routes`: by method, where they are not the contract's. `params`: of JSON-RPC, `named` or
    `positional`. `qualified`: JSON-RPC methods are called `{service}.{method}`. `java_names`: fields and methods have
    the names Java gives them. `ignore_unknown`: whether members of answers that the contract lacks are skipped; None
    for what the style usually needs (not refused by foreign servers). `send_context`: whether attachments, the wait and
    our name are told; None for all styles but `rest`. `headers`: further fields of every request.
    `max_request_bytes`: of a body.
    """

    style: str = POLYPORT
    path: str = ""
    routes: Mapping[str, Route] = field(default_factory=lambda: _NO_ROUTES)
    params: str = "named"
    qualified: bool = False
    java_names: bool = False
    ignore_unknown: bool | None = None
    send_context: bool | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS)
    api_key: str = ""
    bearer: str = ""
    basic: str = ""
    max_request_bytes: int = 8_388_608


class _Bound:
    """What the calls of one reference at one provider have in common."""

    __slots__ = ("address", "application", "fields", "paths", "prefix", "routes", "rpc", "service")

    def __init__(
        self,
        endpoint: Endpoint,
        application: str,
        prefix: str,
        service: ClientService | None,
        fields: tuple[tuple[str, str], ...],
        rpc: RpcCalls | None,
        routes: RouteMethods | None,
    ) -> None:
        self.address: Final = endpoint.address
        self.application: Final = application
        self.prefix: Final = prefix
        self.service: Final = service
        self.fields: Final = fields
        self.rpc: Final = rpc
        self.routes: Final = routes
        self.paths: Final[dict[str, str]] = {}


class JsonClientBinding:
    """See `protocols.http.binding.HttpClientBinding`. Contracts are compiled once, however many providers there are."""

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        is_ours = options.style == POLYPORT
        self._ignore_unknown = not is_ours if options.ignore_unknown is None else options.ignore_unknown
        self._send_context = options.style != REST if options.send_context is None else options.send_context
        self._services: dict[int, tuple[ServiceContract, ClientService]] = {}

    def bind(
        self, endpoint: Endpoint, service: ServiceKey, contract: ServiceContract | None, token: str, application: str
    ) -> Any:
        """See `HttpClientBinding.bind`. The reference's token is shown as Dubbo's; one that was not announced with the
        provider is a bearer token as well, unless there is another secret."""
        options = self._options
        compiled = None if contract is None else self._compiled(contract)
        bearer = options.bearer
        if token != endpoint.parameters.get("token", "") and not (options.bearer or options.basic or options.api_key):
            bearer = token
        try:
            fields = credential_fields(options.api_key, bearer, options.basic) + read_extra_fields(options.headers)
            if self._send_context:
                fields += token_headers(token)
            base = parse_base_path(options.path)
        except ValueError as exc:
            raise ContractError(f"{service}: {exc}") from None
        prefix = f"{base}/{quote(str(service), safe='/:')}/"
        rpc = routes = None
        if options.style == JSON_RPC:
            path = base or prefix[:-1]
            positional = options.params == "positional"
            rpc = RpcCalls(path, service, compiled, positional, options.qualified, options.java_names)
        elif options.style == REST:
            if compiled is None:
                raise ContractError(f"{service}: a REST service is called by routes, which need a contract")
            routes = RouteMethods(compiled, options.routes, base)
        accept = f"{media.JSON}, {media.PROBLEM}" if rpc is None else media.JSON
        if routes is not None:
            accept += ", */*;q=0.5"
        return _Bound(endpoint, application, prefix, compiled, (("Accept", accept), *fields), rpc, routes)

    def encode_call(self, bound: Any, invocation: Invocation, timeout_s: float | None) -> tuple[HttpRequest, Any]:
        """See `HttpClientBinding.encode_call`."""
        assert isinstance(bound, _Bound)
        fields = bound.fields
        if self._send_context:
            fields += request_headers(invocation, timeout_s, invocation.consumer or bound.application)
        elif invocation.traceparent is not None:
            fields += request_headers(invocation.replace(attachments={}), None, "")
        service = bound.service
        method = None if service is None else service.method(invocation.signature, invocation.method)
        verb, query, body, ticket = "POST", "", b"", None
        if bound.routes is not None:
            assert method is not None
            routed = bound.routes.encode(method, invocation.arguments())
            verb, path, query, body = routed.verb, routed.path, routed.query, routed.body
            fields += routed.fields
        elif bound.rpc is not None:
            path = bound.rpc.path
            body, ticket = bound.rpc.encode(method, invocation)
        else:
            if method is None:
                name, arguments = generic_call(invocation)
                written: Any = generic_arguments(arguments)
            else:
                name, written = method.signature.attribute, method.named(invocation.arguments())
            path, body = self._path(bound, name), format_json(written)
        if len(body) > self._options.max_request_bytes:
            limit = self._options.max_request_bytes
            raise LocalWireError(f"the request of {len(body)} bytes exceeds the limit of {limit}")
        if body:
            fields += _BODY_FIELDS
        return HttpRequest(verb, path, query, Headers(fields), body), (method, ticket)

    def decode_reply(self, bound: Any, ticket: Any, response: HttpResponse) -> Outcome:
        """See `HttpClientBinding.decode_reply`."""
        assert isinstance(bound, _Bound)
        method, request_id = ticket
        try:
            return self._outcome(bound, method, request_id, response)
        except RpcError as exc:
            return type(exc)(f"{bound.address}: {exc}", retry=exc.retry, exhausted=exc.exhausted)

    def _outcome(self, bound: _Bound, method: ClientMethod | None, request_id: Any, response: HttpResponse) -> Outcome:
        attachments = read_reply_attachments(Headers(response.headers))
        if bound.rpc is not None:
            return bound.rpc.decode(method, request_id, response, attachments)
        if not 200 <= response.status < 300:
            if bound.routes is not None:
                assert bound.service is not None
                assert method is not None
                route, throws = bound.routes.route(method)
                return foreign_trouble(response, bound.service, throws, route, attachments)
            return trouble(response, bound.service, attachments)
        content_type = content_type_of(response)
        if method is not None:
            return Ok(method.read_response(response, content_type), attachments)
        if not response.body:
            return Ok(None, attachments)
        if refusal := media.body_refusal(content_type):
            raise ProviderFailed(f"the answer cannot be read: {refusal}", retry=Retry.NEVER)
        return Ok(generic_answer(parsed(response.body, "a generic call")), attachments)

    def _path(self, bound: _Bound, name: str) -> str:
        path = bound.paths.get(name)
        if path is None:
            if name in ("", ".", ".."):
                raise ValueMappingError(f"{name!r} is no name of a method")
            path = bound.prefix + quote(name, safe="$")
            # Who calls without a contract chooses the name.
            if bound.service is not None:
                bound.paths[name] = path
        return path

    def _compiled(self, contract: ServiceContract) -> ClientService:
        # The contract is kept, so that no other gets its id.
        _, found = self._services.get(id(contract), (None, None))
        if found is None:
            found = ClientService(contract, java_names=self._options.java_names, ignore_unknown=self._ignore_unknown)
            self._services[id(contract)] = (contract, found)
        return found
