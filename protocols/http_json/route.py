"""Addresses of methods of their own: which request is a call of which method, as one line of text.

    GET /products/{id}
    GET /products?q={text}&max={limit}
    POST /shops/{shop}/products header:X-Tenant={tenant} body={product} -> 201 ProductNotFound=404

A line has, in this order: a verb; a path whose segments are literal or one `{parameter}`; a query; header fields; the
body; and behind an arrow the status of the answer and those of exceptions. Only verb and path must be there.

`body={product}` makes one parameter the whole body, `body=*` makes an object of all that are not mentioned elsewhere.
Without either, parameters that are not mentioned go into the query of GET and DELETE, under their own names, and
into such an object otherwise; with `body={product}` they go into the query.

The same line serves the server that is called this way, the client that calls a foreign server, and the document
that describes it. Exceptions are named as in the contract, or by what stands behind the last dot there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

from gateway.jsonform.bare_text import BARE_KINDS, is_text_key
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.typeref import Kind, TypeRef
from protocols.http.field import OWN_FIELDS, is_field_name

__all__ = [
    "PROTOCOL",
    "ROUTES_OPTION",
    "VERBS",
    "WHOLE_BODY",
    "Parts",
    "PathParam",
    "Route",
    "check",
    "has_query_form",
    "parse_route",
    "route_of",
]

PROTOCOL: Final = "http"
"""Under which name contracts keep such a line (`MethodContract.routes`)."""
ROUTES_OPTION: Final = "routes"
"""The option of a service (`Exposure.options`) that holds its routes by method."""
VERBS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
WHOLE_BODY: Final = "*"

_BODILESS: Final = frozenset({"GET", "DELETE"})
"""Verbs whose requests have no body unless the route says so. RFC 9110, sections 9.3.1 and 9.3.5."""
_FORBIDS_BODY: Final = frozenset({"GET"})
_PARAM: Final = re.compile(r"\{([^{}]*)\}")
_SEGMENT: Final = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+")
_STATUS: Final = re.compile(r"[2-5][0-9]{2}")
_MAX_SEGMENTS: Final = 32
_COMPOUND: Final = frozenset({Kind.LIST, Kind.SET, Kind.MAP, Kind.STRUCT, Kind.EXCEPTION, Kind.ANY, Kind.NULL})


@dataclass(frozen=True, slots=True)
class PathParam:
    """A segment of a path that is the value of a parameter."""

    name: str


@dataclass(frozen=True, slots=True)
class Parts:
    """Where each parameter of one method stands in a request; each is in exactly one place.

    `path`: index of the segment and parameter. `query`, `headers`: name on the wire and parameter.
    `members`: parameters that are members of the object in the body. `whole`: the parameter that is the whole body.
    """

    path: tuple[tuple[int, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    members: tuple[str, ...] = ()
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One line, read. `str` of it is the line again.

    `segments`: of the path, literal ones without percent-encoding; `("",)` is `/`.
    `query`, `headers`: name on the wire and parameter. `body`: a parameter, `*`, or empty where the line has none.
    `status`: of an answer with a value, None for the usual one. `faults`: exception and status.
    """

    verb: str
    segments: tuple[str | PathParam, ...]
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    status: int | None = None
    faults: tuple[tuple[str, int], ...] = ()

    @property
    def path(self) -> str:
        """The path as it stands in the line: `/products/{id}`."""
        return "".join(
            f"/{{{each.name}}}" if isinstance(each, PathParam) else f"/{quote(each, safe=_LITERAL_MARKS)}"
            for each in self.segments
        )

    def mentioned(self) -> Iterator[str]:
        """The parameters that the line mentions, in its order."""
        yield from (each.name for each in self.segments if isinstance(each, PathParam))
        yield from (param for _, param in self.query)
        yield from (param for _, param in self.headers)
        if self.body and self.body != WHOLE_BODY:
            yield self.body

    def parts(self, method: MethodContract) -> Parts:
        """Where the parameters of `method` stand; `check` must have found nothing."""
        mentioned = set(self.mentioned())
        rest = tuple(param.name for param in method.params if param.name not in mentioned)
        whole = "" if self.body == WHOLE_BODY else self.body
        in_query = bool(whole) or (not self.body and self.verb in _BODILESS)
        return Parts(
            path=tuple((index, each.name) for index, each in enumerate(self.segments) if isinstance(each, PathParam)),
            query=self.query + (tuple((name, name) for name in rest) if in_query else ()),
            headers=self.headers,
            members=() if in_query else rest,
            whole=whole,
        )

    def fault_status(self, type_name: str) -> int | None:
        """The status of the exception with this contract name, where the line gives one."""
        short = type_name.rpartition(".")[2]
        found = None
        for name, status in self.faults:
            if name == type_name:
                return status
            if name == short:
                found = status
        return found

    def __str__(self) -> str:
        words = [f"{self.verb} {self.path}"]
        if self.query:
            words[0] += "?" + "&".join(f"{quote(name, safe='')}={{{param}}}" for name, param in self.query)
        words += [f"header:{name}={{{param}}}" for name, param in self.headers]
        if self.body:
            words.append("body=*" if self.body == WHOLE_BODY else f"body={{{self.body}}}")
        if self.status is not None or self.faults:
            words.append("->")
            words += [] if self.status is None else [str(self.status)]
            words += [f"{name}={status}" for name, status in self.faults]
        return " ".join(words)


_LITERAL_MARKS: Final = "-._~!$&'()*+,;=:@"
"""RFC 3986, section 3.3: pchar."""


def parse_route(text: str) -> Route:
    """Reads one line.

    Raises:
        ValueError: it is none; says what is wrong with which word.
    """
    words = text.split()
    if len(words) < 2:
        raise ValueError(f"{text!r}: expected a verb and a path, as in 'GET /products/{{id}}'")
    verb, target, *rest = words
    if verb not in VERBS:
        raise ValueError(f"{verb!r} is no verb; it is one of {', '.join(VERBS)}")
    path, mark, query = target.partition("?")
    segments = _segments(path)
    pairs = _query(query) if mark else ()
    headers: list[tuple[str, str]] = []
    body = ""
    status: int | None = None
    faults: list[tuple[str, int]] = []
    while rest:
        word = rest.pop(0)
        if word == "->":
            status, faults = _answers(rest)
            break
        if body:
            raise ValueError(f"{word!r}: only '-> status' can follow the body")
        if word.startswith("header:"):
            headers.append(_header(word))
        elif word.startswith("body="):
            body = _body(word)
        else:
            raise ValueError(f"{word!r}: expected header:Name={{parameter}}, body={{parameter}}, body=* or ->")
    if body and verb in _FORBIDS_BODY:
        raise ValueError(f"a {verb} request has no body; use another verb, or the query")
    route = Route(verb, segments, pairs, tuple(headers), body, status, tuple(faults))
    mentioned = list(route.mentioned())
    for each in mentioned:
        if mentioned.count(each) > 1:
            raise ValueError(f"the parameter {each!r} is there twice")
    return route


def check(route: Route, method: MethodContract) -> list[str]:
    """What keeps `method` from being called by `route`; empty means fine."""
    params = {param.name: param for param in method.params}
    problems = [
        f"{method.attribute} has no parameter {name!r}{_known(params)}"
        for name in route.mentioned()
        if name not in params
    ]
    if problems:
        return problems
    parts = route.parts(method)
    for _, name in parts.path:
        ref = params[name].type
        if ref.kind in _COMPOUND or ref.nullable:
            problems.append(f"the parameter {name!r} is {ref}, which is no segment of a path")
    for _, name in parts.headers:
        if params[name].type.kind in _COMPOUND:
            problems.append(f"the parameter {name!r} is {params[name].type}, which is no header field")
    thrown = {each.name for each in method.throws}
    for name, _ in route.faults:
        if not any(name in (each, each.rpartition(".")[2]) for each in thrown):
            problems.append(f"{method.attribute} does not declare the exception {name!r}{_known(thrown)}")
    if route.status in (204, 205, 304) and method.returns.kind is not Kind.NULL:
        problems.append(f"an answer with status {route.status} has no body, and {method.attribute} returns a value")
    if method.oneway and route.faults:
        problems.append(f"{method.attribute} is oneway: nobody learns about its exceptions")
    return problems


def has_query_form(ref: TypeRef) -> bool:
    """Whether values of this type are offered in the query of a GET by name: scalars, and lists and sets of them.

    Everything else has a form there too (`gateway.jsonform.text_value`), for routes that ask for it; it is JSON, which
    soon is longer than a request target may be.
    """
    return ref.kind in BARE_KINDS or (ref.kind in (Kind.LIST, Kind.SET) and is_text_key(ref.args[0]))


def route_of(routes: Mapping[str, Any], method: MethodContract, contract: ServiceContract) -> Route | None:
    """The route of a method: of `routes` (by attribute, or by name where it is not overloaded), else its own.

    `routes`: lines or routes.

    Raises:
        ValueError: the line is none.
    """
    found = routes.get(method.attribute)
    if found is None and len(contract.overloads(method.name)) == 1:
        found = routes.get(method.name)
    if found is None:
        found = method.routes.get(PROTOCOL)
    return parse_route(found) if isinstance(found, str) else found


def _segments(path: str) -> tuple[str | PathParam, ...]:
    if not path.startswith("/"):
        raise ValueError(f"{path!r}: a path begins with /")
    words = path[1:].split("/")
    if len(words) > _MAX_SEGMENTS:
        raise ValueError(f"the path has more than {_MAX_SEGMENTS} segments")
    found: list[str | PathParam] = []
    for index, word in enumerate(words):
        if (param := _PARAM.fullmatch(word)) is not None:
            found.append(PathParam(_param_name(param[1], word)))
        elif "{" in word or "}" in word:
            raise ValueError(f"{word!r}: a segment is a literal or one {{parameter}}")
        elif word and _SEGMENT.fullmatch(word) is None:
            raise ValueError(f"{word!r}: write what cannot stand in a path as %XX")
        elif not word and index + 1 < len(words):
            raise ValueError(f"{path!r}: there is an empty segment")
        else:
            literal = _unquoted(word)
            if literal in (".", ".."):
                raise ValueError(f"{path!r}: clients take {literal!r} out of a path")
            found.append(literal)
    return tuple(found)


def _query(text: str) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for word in text.split("&"):
        name, _, value = word.partition("=")
        param = _PARAM.fullmatch(value)
        if param is None or not name:
            raise ValueError(f"{word!r}: a query has parts of the form name={{parameter}}")
        name = _unquoted(name.replace("+", " "))
        if any(name == other for other, _ in pairs):
            raise ValueError(f"{word!r}: the query has two parts of this name")
        pairs.append((name, _param_name(param[1], word)))
    return tuple(pairs)


def _header(word: str) -> tuple[str, str]:
    name, _, value = word.removeprefix("header:").partition("=")
    param = _PARAM.fullmatch(value)
    if param is None or not is_field_name(name):
        raise ValueError(f"{word!r}: a header field is written header:Name={{parameter}}")
    if name.lower() in OWN_FIELDS:
        raise ValueError(f"{word!r}: this field belongs to HTTP itself")
    return name, _param_name(param[1], word)


def _body(word: str) -> str:
    value = word.removeprefix("body=")
    if value == WHOLE_BODY:
        return WHOLE_BODY
    param = _PARAM.fullmatch(value)
    if param is None:
        raise ValueError(f"{word!r}: the body is written body={{parameter}} or body=*")
    return _param_name(param[1], word)


def _answers(words: list[str]) -> tuple[int | None, list[tuple[str, int]]]:
    status: int | None = None
    faults: list[tuple[str, int]] = []
    if not words:
        raise ValueError("a status must follow the arrow")
    for index, word in enumerate(words):
        name, mark, code = word.rpartition("=")
        if _STATUS.fullmatch(code) is None or (mark and not name):
            raise ValueError(f"{word!r}: expected a status from 200 to 599, or Exception=status")
        if mark:
            if int(code) < 400:
                raise ValueError(f"{word!r}: the status of an exception is one from 400 to 599")
            faults.append((name, int(code)))
        elif index or int(code) >= 300:
            raise ValueError(f"{word!r}: one status from 200 to 299 can stand first behind the arrow")
        else:
            status = int(code)
    return status, faults


def _param_name(name: str, word: str) -> str:
    if not name or name.strip() != name:
        raise ValueError(f"{word!r}: a parameter has a name")
    return name


def _unquoted(word: str) -> str:
    try:
        return unquote_to_bytes(word).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{word!r}: what is percent-encoded is not UTF-8") from None


def _known(names: Any) -> str:
    return f"; it has {', '.join(sorted(names))}" if names else "; it has none"
