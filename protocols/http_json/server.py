"""The server's half of http:// (`protocols.http.binding.HttpBinding`): which request is which call.

| request | meaning |
| --- | --- |
| `POST /{service}/{method}` | a call; the body is an object (arguments by name), an array (by position), or empty |
| `GET /{service}/{method}?name=value` | the same, for methods that are declared idempotent |
| a route of a method | a call as `protocols.http_json.route` describes |
| `POST /jsonrpc`, `POST /{service}` | JSON-RPC 2.0, see `protocols.http_json.rpc_target` |
| `POST /{service}/generic` | the same for Dubbo's generic consumers, see `protocols.http_json.invoke_target` |
| `GET /openapi.json` | what all of this looks like to a generator |
| `OPTIONS` of all of these | 204, with the verbs that the path has |

`{service}` is the text form of a service key, `[group/]interface[:version]`. A method's attribute stands for its name.
An answer is 200 with the value as JSON, 204 where the method returns nothing, 202 at once where it is oneway;
everything else is a problem document (`protocols.http_json.problem`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from gateway.model.contract import ServiceContract
from gateway.model.errors import BadRequest, ContractError, NoSuchMethod, NoSuchService
from gateway.model.exposure import Exposure
from protocols.http.binding import HttpExchange
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http_json import answer
from protocols.http_json.generic_target import GenericTarget
from protocols.http_json.invoke_target import GENERIC_PATH, InvokeTarget
from protocols.http_json.mapping import check_contract
from protocols.http_json.media import JSON
from protocols.http_json.method import MethodBinding
from protocols.http_json.route import ROUTES_OPTION, PathParam, Route, route_of
from protocols.http_json.route_check import route_misfits
from protocols.http_json.route_table import RouteConflict, RouteTable, split_path
from protocols.http_json.route_target import RouteTarget
from protocols.http_json.rpc_target import RpcService, RpcTarget
from protocols.http_json.service import ServiceBinding
from protocols.http_json.target import DocumentTarget, NamedTarget, QueryTarget, Target

__all__ = ["JsonBinding", "Pages"]

_MAX_CACHED: Final = 2_048
_MAX_CACHED_PATH: Final = 256
_SHOWN: Final = 100
_NOTHING: Final[tuple[str, ...]] = ()


class Pages(Protocol):
    """What there is to look at beside the services."""

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """The page that a request asks for, or None when its path is none of a page."""
        ...


class JsonBinding:
    """The services of one listener as JSON (`HttpBinding`).

    `document`: makes the OpenAPI document; None has none. `pages`: what else there is to look at.
    `ignore_unknown`: arguments and fields that the contract does not know are skipped, not refused.
    `java_names`: fields and parameters have the names of Java beans; routes keep the names of the contract.
    `max_batch`: calls in one JSON-RPC batch.

    Raises:
        ContractError: a contract has no form in JSON, a route does not fit its method, or two methods have the same
            address; names all that is wrong with a service.
    """

    def __init__(
        self,
        exposures: Sequence[Exposure],
        *,
        document: Callable[[], bytes] | None = None,
        pages: Pages | None = None,
        ignore_unknown: bool = False,
        java_names: bool = False,
        max_batch: int = 100,
    ) -> None:
        self._ignore_unknown: Final = ignore_unknown
        self._java_names: Final = java_names
        self._pages: Final = pages
        self._table: Final[RouteTable[Target]] = RouteTable()
        self._known: dict[str, Target] = {}
        if document is not None:
            self._add("GET", ["openapi.json"], DocumentTarget(JSON, document), "the OpenAPI document")
        services = {str(each.service): RpcService(each.service, self._compile(each.contract)) for each in exposures}
        self._services: Final = services
        self._add("POST", ["jsonrpc"], RpcTarget(services, None, max_batch), "JSON-RPC")
        # Routes first: they were written, the other addresses follow from names.
        routed: dict[tuple[str, str], MethodBinding] = {}
        for exposure in exposures:
            self._add_routes(exposure, services[str(exposure.service)], routed)
        for exposure in exposures:
            self._add_service(services[str(exposure.service)], routed, max_batch)

    def decode_call(self, request: HttpRequest, now: float) -> HttpExchange | HttpResponse:
        """See `HttpBinding.decode_call`."""
        target = self._known.get(request.method + request.path)
        if target is not None:
            return target.decode(request, now, _NOTHING)
        return self._find(request, now)

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        """See `HttpBinding.encode_refusal`."""
        return answer.failed(status, reason)

    def _find(self, request: HttpRequest, now: float) -> HttpExchange | HttpResponse:
        verb, path = request.method, request.path
        if self._pages is not None and (page := self._pages.answer(request)) is not None:
            return page
        if path == "*" and verb == "OPTIONS":
            return HttpResponse(204)
        segments = split_path(path)
        found = None if segments is None else self._table.find(verb, segments)
        if found is not None:
            target, captured = found
            if not captured and len(path) <= _MAX_CACHED_PATH and len(self._known) < _MAX_CACHED:
                # The same address, spelled with percent signs.
                self._known[verb + path] = target
            return target.decode(request, now, captured)
        allowed = () if segments is None else self._table.allowed(segments)
        if not allowed:
            return self._nothing_there(path, segments)
        headers = answer.allow(allowed)
        if verb == "OPTIONS":
            return HttpResponse(204, headers)
        return answer.refused(BadRequest(f"{verb[:40]} is not what this path takes"), 405, headers=headers)

    def _nothing_there(self, path: str, segments: Sequence[str] | None) -> HttpResponse:
        if segments is not None and (service := "/".join(segments[:-1])) in self._services:
            return answer.refused(NoSuchMethod(f"{service} has no method {segments[-1][:_SHOWN]!r}"))
        return answer.refused(NoSuchService(f"nothing has the path {path[:_SHOWN]!a}"))

    def _compile(self, contract: ServiceContract | None) -> ServiceBinding | None:
        if contract is None:
            return None
        if problems := check_contract(contract):
            raise ContractError(f"{contract.name} cannot be carried by http://: " + "; ".join(problems))
        return ServiceBinding(contract, ignore_unknown=self._ignore_unknown, java_names=self._java_names)

    def _add_routes(
        self, exposure: Exposure, service: RpcService, routed: dict[tuple[str, str], MethodBinding]
    ) -> None:
        routes: Mapping[str, Route] = exposure.options.get(ROUTES_OPTION, {})
        binding = service.binding
        if binding is None:
            if routes:
                raise ContractError(f"{exposure.service} has no contract, and so no methods to have routes")
            return
        contract = binding.contract
        if misfits := route_misfits(contract, routes):
            raise ContractError(f"routes of {exposure.service}: " + "; ".join(each.text for each in misfits))
        for method in binding.methods:
            route = route_of(routes, method.signature, contract)
            if route is None:
                continue
            target = RouteTarget(exposure.service, binding, method, route, self._ignore_unknown)
            self._add(route.verb, route.segments, target, f"{exposure.service}.{method.signature.attribute}")
            routed[route.verb, route.path] = method

    def _add_service(
        self, service: RpcService, routed: Mapping[tuple[str, str], MethodBinding], max_batch: int
    ) -> None:
        key, binding = service.key, service.binding
        prefix = str(key).split("/")
        rpc = RpcTarget({}, service, max_batch)
        self._add("POST", prefix, rpc, f"JSON-RPC of {key}")
        if binding is None:
            self._add("POST", [*prefix, GENERIC_PATH], rpc, f"generic calls of {key}")
            self._add("POST", [*prefix, PathParam("method")], GenericTarget(key), f"{key} without a contract")
            return
        if GENERIC_PATH not in binding.groups:
            segments = [*prefix, GENERIC_PATH]
            self._add("POST", segments, InvokeTarget(service, binding, max_batch), f"generic calls of {key}")
        for name, group in binding.groups.items():
            segments = [*prefix, name]
            owner = f"{key}.{name}"
            path = Route("POST", tuple(segments)).path
            if routed.get(("POST", path)) not in group.candidates:
                self._add("POST", segments, NamedTarget(key, binding, group, self._ignore_unknown), owner)
            if any(each.by_query for each in group.candidates) and (routed.get(("GET", path)) not in group.candidates):
                self._add("GET", segments, QueryTarget(key, binding, group), owner)

    def _add(self, verb: str, segments: Sequence[str | PathParam], target: Target, owner: str) -> None:
        route = Route(verb, tuple(segments))
        try:
            self._table.add(verb, segments, target, owner)
        except RouteConflict as exc:
            raise ContractError(f"{route} is the address of {exc.owner} and of {owner}") from None
        if not any(isinstance(each, PathParam) for each in segments):
            self._known[verb + route.path] = target
