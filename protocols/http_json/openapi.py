"""What a listener offers as an OpenAPI document (https://spec.openapis.org/oas/v3.1.0), for people and generators.

Every method is described once, at the address it is best called by: its route where it has one, else `POST` below the
service with the arguments by name, and `GET` beside it where the method is idempotent and its arguments are scalars or
lists of them. JSON-RPC is mentioned, but is no API of operations. Services without a contract take and give any JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.jsonform.bare_text import BARE_KINDS, is_text_key
from gateway.jsonform.schema import Schemas
from gateway.model.contract import MISSING, MethodContract, Param, ServiceContract, StructType
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind, TypeRef
from protocols.http_json.media import JSON, PROBLEM
from protocols.http_json.problem import ERROR_TYPE, EXCEPTION_STATUS, EXCEPTION_TYPE
from protocols.http_json.route import Parts, PathParam, Route, has_query_form, route_of
from protocols.overloads import default_of

__all__ = ["export_openapi", "openapi_document"]

_SCHEMAS: Final = "#/components/schemas/"
_RESPONSES: Final = "#/components/responses/"
_ABOUT: Final = (
    "Every method can be called by `POST /{service}/{method}` with its arguments by name in a JSON object, and by "
    "JSON-RPC 2.0 at `/jsonrpc`. Trouble is answered with a problem document (RFC 9457). `Polyport-Timeout` says how "
    "many seconds a caller waits, `Polyport-Attachment-<key>` sends something along, `traceparent` continues a trace."
)
# Name of the response, and what it says. Which operation has which: see _troubles.
_TROUBLES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("BadRequest", "The call does not fit the contract."),
    401: ("Unauthenticated", "No or wrong credentials."),
    403: ("Forbidden", "The caller may not do this."),
    404: ("NotFound", "Nothing is there: no such service or method, or a path that stands for nothing."),
    406: ("NotAcceptable", "The caller takes no JSON."),
    413: ("TooLarge", "The body is larger than the listener takes."),
    415: ("UnsupportedMediaType", "The body is no JSON."),
    500: ("Failed", "The service raised an exception that its contract does not declare, or its answer has no form."),
    502: ("BadGateway", "The provider could not be reached, or failed."),
    503: ("Unavailable", "No provider, or too many calls; try again later."),
    504: ("Timeout", "No answer in time; the call may have run."),
}
_SECURED: Final = frozenset({401, 403})
_OF_BODIES: Final = frozenset({413, 415})


def openapi_document(
    exposures: Sequence[Exposure],
    *,
    title: str,
    version: str,
    servers: Sequence[str] = (".",),
    ignore_unknown: bool = False,
    credentials: bool = False,
) -> dict[str, Any]:
    """The document as `format_json` takes it.

    `servers`: URLs, relative to that of the document. `ignore_unknown`: arguments and fields that the contract does not
    know are skipped, so the schemas allow them. `credentials`: callers must show a secret.
    """
    return _Document(exposures, ignore_unknown, credentials).make(title, version, servers)


def export_openapi(exposures: Sequence[Exposure]) -> Mapping[str, str]:
    """The document as a file: `openapi.json`."""
    title = ", ".join(dict.fromkeys(each.service.interface for each in exposures)) or "Services"
    document = openapi_document(exposures, title=title, version="1.0.0")
    return {"openapi.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n"}


@dataclass(frozen=True, slots=True)
class _Place:
    """One method at one address."""

    key: ServiceKey
    contract: ServiceContract
    method: MethodContract
    route: Route
    parts: Parts
    suffix: str = ""


class _Document:
    def __init__(self, exposures: Sequence[Exposure], ignore_unknown: bool, credentials: bool) -> None:
        self._exposures = exposures
        self._ignore_unknown = ignore_unknown
        self._credentials = credentials
        self._schemas = Schemas(prefix=_SCHEMAS, ignore_unknown=ignore_unknown)
        self._ids: set[str] = set()
        self._problems: dict[str, Any] = {}
        # By the path without the names of its parameters: OpenAPI takes two of one shape for the same path.
        self._templates: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._paths: dict[str, dict[str, Any]] = {}

    def make(self, title: str, version: str, servers: Sequence[str]) -> dict[str, Any]:
        for place in self._places():
            self._add(place)
        for exposure in self._exposures:
            if exposure.contract is None:
                self._add_generic(exposure.service)
        document: dict[str, Any] = {
            "openapi": "3.1.0",
            "info": {"title": title, "version": version, "description": _ABOUT},
            "servers": [{"url": url} for url in servers],
            "tags": [self._tag(each) for each in self._exposures],
            "paths": self._paths,
            "components": {
                "schemas": {**self._schemas.definitions, **self._problems, "Problem": _problem_schema()},
                "responses": {name: self._trouble(status) for status, (name, _) in self._common()},
            },
        }
        if self._credentials:
            document["components"]["securitySchemes"] = {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            }
            document["security"] = [{"apiKey": []}, {"bearer": []}, {"basic": []}]
        return document

    def _common(self) -> Iterator[tuple[int, tuple[str, str]]]:
        yield from ((status, each) for status, each in _TROUBLES.items() if self._credentials or status not in _SECURED)

    def _tag(self, exposure: Exposure) -> dict[str, Any]:
        doc = "" if exposure.contract is None else exposure.contract.doc
        return {"name": str(exposure.service), **({"description": doc} if doc else {})}

    def _places(self) -> Iterator[_Place]:
        """Every method with a route, then the others: an address that follows from a name gives way to a route."""
        named: list[_Place] = []
        taken: set[tuple[str, str]] = set()
        for exposure in self._exposures:
            contract = exposure.contract
            for method in () if contract is None else contract.methods:
                assert contract is not None
                route = route_of(exposure.options.get("routes", {}), method, contract)
                if route is not None:
                    taken.add((route.verb, route.path))
                    yield _Place(exposure.service, contract, method, route, route.parts(method))
                    continue
                named += _named_places(exposure.service, contract, method)
        yield from (each for each in named if (each.route.verb, each.route.path) not in taken)

    def _add(self, place: _Place) -> None:
        path, names = self._template(place.route)
        operation = self._operation(place, names)
        self._paths.setdefault(path, {})[place.route.verb.lower()] = operation

    def _template(self, route: Route) -> tuple[str, tuple[str, ...]]:
        own = tuple(each.name for each in route.segments if isinstance(each, PathParam))
        literal = [each if isinstance(each, str) else "{}" for each in route.segments]
        return self._templates.setdefault("/".join(literal), (route.path, own))

    def _operation(self, place: _Place, path_names: Sequence[str]) -> dict[str, Any]:
        method = place.method
        operation: dict[str, Any] = {
            "operationId": self._operation_id(place),
            "tags": [str(place.key)],
            **_described(method.doc),
        }
        if method.deprecated is not None:
            operation["deprecated"] = True
            if method.deprecated:
                text = operation.get("description", "")
                operation["description"] = f"{text}\n\nDeprecated: {method.deprecated}".strip()
        if parameters := list(self._parameters(place, path_names)):
            operation["parameters"] = parameters
        body = self._body(place)
        if body is not None:
            operation["requestBody"] = body
        operation["responses"] = self._answers(place, body is not None)
        return operation

    def _operation_id(self, place: _Place) -> str:
        interface = place.key.interface.rpartition(".")[2]
        for name in (f"{interface}_{place.method.attribute}", f"{place.key}_{place.method.attribute}"):
            found = "".join(each if each.isascii() and each.isalnum() else "_" for each in name) + place.suffix
            if found not in self._ids:
                break
        while found in self._ids:
            found += "_"
        self._ids.add(found)
        return found

    def _parameters(self, place: _Place, path_names: Sequence[str]) -> Iterator[dict[str, Any]]:
        params = {param.name: param for param in place.method.params}
        for (_, own), shown in zip(place.parts.path, path_names, strict=True):
            yield {**self._parameter(place, params[own], shown, "path"), "required": True}
        for name, own in place.parts.query:
            yield self._parameter(place, params[own], name, "query")
        for name, own in place.parts.headers:
            yield self._parameter(place, params[own], name, "header")

    def _parameter(self, place: _Place, param: Param, name: str, where: str) -> dict[str, Any]:
        ref, contract = param.type.required(), place.contract
        parameter: dict[str, Any] = {"name": name, "in": where}
        if param.doc:
            parameter["description"] = param.doc
        # A list without elements is a query that does not mention it.
        if default_of(param) is MISSING and ref.kind not in (Kind.LIST, Kind.SET):
            parameter["required"] = True
        schema = self._schemas.schema(ref, contract)
        example = self._schemas.example(ref, contract)
        # The length of a target is bounded before anybody counts characters.
        if ref.kind in (Kind.BIGINT, Kind.DECIMAL):
            schema = {**schema, "type": "string"}
            del schema["maxLength"]
        if ref.kind in BARE_KINDS:
            if where == "path" and ref.kind is Kind.STRING:
                schema["minLength"] = 1
        elif ref.kind not in (Kind.LIST, Kind.SET):
            return {**parameter, "content": {JSON: {"schema": schema, "example": example}}}
        elif not is_text_key(ref.args[0]):
            # One text per element, each of them JSON.
            item = {"type": "string", "contentMediaType": JSON, "contentSchema": schema["items"]}
            schema = {**schema, "items": item}
            example = [json.dumps(each) for each in example]
        default = self._default(param, ref, contract)
        if default is not MISSING and default is not None:
            schema = {**schema, "default": default}
        return {**parameter, "schema": schema, "example": example}

    def _body(self, place: _Place) -> dict[str, Any] | None:
        params = {param.name: param for param in place.method.params}
        if place.parts.whole:
            param = params[place.parts.whole]
            return self._content(
                self._schemas.schema(param.type, place.contract),
                self._schemas.example(param.type, place.contract),
                required=default_of(param) is MISSING,
                doc=param.doc,
            )
        members = [params[name] for name in place.parts.members]
        if not members:
            return None
        properties: dict[str, Any] = {}
        for param in members:
            schema = self._schemas.schema(param.type, place.contract)
            if param.doc:
                schema["description"] = param.doc
            default = self._default(param, param.type, place.contract)
            if default is not MISSING:
                schema["default"] = default
            properties[param.name] = schema
        required = [param.name for param in members if default_of(param) is MISSING]
        schema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        if not self._ignore_unknown:
            schema["additionalProperties"] = False
        example = {param.name: self._schemas.example(param.type, place.contract) for param in members}
        return self._content(schema, example, required=bool(required))

    def _default(self, param: Param, ref: TypeRef, contract: ServiceContract) -> Any:
        default = default_of(param)
        return default if default is None else self._schemas.default(default, ref, contract)

    def _content(self, schema: Any, example: Any, *, required: bool, doc: str = "") -> dict[str, Any]:
        body: dict[str, Any] = {"required": required, "content": {JSON: {"schema": schema, "example": example}}}
        return {"description": doc, **body} if doc else body

    def _answers(self, place: _Place, has_body: bool) -> dict[str, Any]:
        method, route = place.method, place.route
        answers: dict[str, Any] = {}
        if method.oneway:
            answers[str(route.status or 202)] = {"description": "The call was taken; nobody waits for it."}
        elif method.returns.kind is Kind.NULL:
            answers[str(route.status or 204)] = {"description": "Done; there is no value."}
        else:
            content = {
                "schema": self._schemas.schema(method.returns, place.contract),
                "example": self._schemas.example(method.returns, place.contract),
            }
            answers[str(route.status or 200)] = {"description": "The value.", "content": {JSON: content}}
        raised: dict[int, list[StructType]] = {}
        for ref in () if method.oneway else method.throws:
            struct = place.contract.struct(ref)
            raised.setdefault(route.fault_status(struct.name) or EXCEPTION_STATUS, []).append(struct)
        for status, (name, text) in self._common():
            if status in _OF_BODIES and not has_body:
                continue
            if status not in raised:
                answers[str(status)] = {"$ref": _RESPONSES + name}
                continue
            answers[str(status)] = self._exceptions(raised.pop(status), place.contract, text)
        for status, structs in raised.items():
            answers[str(status)] = self._exceptions(structs, place.contract, "")
        answers["default"] = _problem_response("Other trouble.")
        return dict(sorted(answers.items()))

    def _exceptions(self, structs: Sequence[StructType], contract: ServiceContract, other: str) -> dict[str, Any]:
        """A response that is one of these exceptions, or trouble of another kind where `other` says which."""
        choices = [{"$ref": _SCHEMAS + self._exception(struct, contract)} for struct in structs]
        text = " ".join(f"{struct.name}: {struct.doc or 'raised by the service.'}" for struct in structs)
        if other:
            choices.append({"$ref": f"{_SCHEMAS}Problem"})
            text = f"{text} {other}"
        schema = choices[0] if len(choices) == 1 else {"anyOf": choices}
        return {"description": text, "content": {PROBLEM: {"schema": schema}}}

    def _exception(self, struct: StructType, contract: ServiceContract) -> str:
        """The name of the schema of a problem document with this exception."""
        own = self._schemas.schema(TypeRef(Kind.EXCEPTION, name=struct.name), contract)["$ref"].removeprefix(_SCHEMAS)
        name = f"{own}.Problem"
        if name not in self._problems:
            self._problems[name] = {
                "type": "object",
                "properties": {
                    "type": {"const": f"{EXCEPTION_TYPE}:{struct.name}"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "exception": self._schemas.exception(struct, contract),
                },
                "required": ["type", "title", "status", "exception"],
            }
        return name

    def _trouble(self, status: int) -> dict[str, Any]:
        response = _problem_response(_TROUBLES[status][1])
        if status == 503:
            response["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
        if status == 401:
            response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
        return response

    def _add_generic(self, key: ServiceKey) -> None:
        segments: tuple[str | PathParam, ...] = (*str(key).split("/"), PathParam("method"))
        name = {"name": "method", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        body = {"required": False, "content": {JSON: {"schema": {"type": ["object", "array"]}}}}
        operation = {
            "operationId": self._unique(f"{key.interface.rpartition('.')[2]}_call"),
            "tags": [str(key)],
            "summary": "Calls any method of a service without a contract.",
            "parameters": [name],
            "requestBody": body,
            "responses": {
                "200": {"description": "The value.", "content": {JSON: {"schema": {}}}},
                **{str(each): {"$ref": _RESPONSES + name} for each, (name, _) in self._common()},
                "default": _problem_response("Other trouble."),
            },
        }
        self._paths.setdefault(Route("POST", segments).path, {})["post"] = operation

    def _unique(self, name: str) -> str:
        while name in self._ids:
            name += "_"
        self._ids.add(name)
        return name


def _named_places(key: ServiceKey, contract: ServiceContract, method: MethodContract) -> Iterator[_Place]:
    """The addresses that follow from a method's name, or from its attribute where the name may mean several."""
    meant = [each for each in contract.methods if method.name in (each.name, each.attribute)]
    name = method.name if len(meant) == 1 else method.attribute
    segments = (*str(key).split("/"), name)
    own = tuple(param.name for param in method.params)
    yield _Place(key, contract, method, Route("POST", segments), Parts(members=own))
    if method.idempotent and all(has_query_form(param.type) for param in method.params):
        query = tuple((each, each) for each in own)
        yield _Place(key, contract, method, Route("GET", segments), Parts(query=query), "_get")


def _described(doc: str) -> dict[str, Any]:
    first, _, rest = doc.strip().partition("\n")
    described = {"summary": first.strip()} if first else {}
    return {**described, "description": rest.strip()} if rest.strip() else described


def _problem_response(text: str) -> dict[str, Any]:
    return {"description": text, "content": {PROBLEM: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}}


def _problem_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"RFC 9457. `type` is `{ERROR_TYPE}<code>`, or `{EXCEPTION_TYPE}` with the exception's name.",
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "path": {"type": "string", "description": "Where the value sits that does not fit: `args[0].price`."},
            "retry": {"enum": ["safe", "if-idempotent", "never"]},
            "exhausted": {"type": "boolean", "description": "Somebody repeated the call as often as allowed."},
            "exception": {
                "type": "object",
                "properties": {"class": {"type": "string"}, "message": {"type": ["string", "null"]}},
                "required": ["class"],
            },
        },
        "required": ["type", "title", "status"],
    }
